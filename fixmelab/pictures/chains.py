"""Pictures of diffusion chains: strips of states, the flow of a density, and a slider over a trajectory.

States are x_t after t steps of noise, images in [−1, 1]; what lies outside is clipped in the picture only.
"""

import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike
from PIL import Image
from torch import Tensor

from fixmelab.environment import is_watched
from fixmelab.pictures import plotting

ENLARGED = 256  # screen pixels of the slider's picture
# From white to the first colour of the course's lines.
DENSITY = LinearSegmentedColormap.from_list("density", ["#ffffff", "#b5d3f0", "#3f90da", "#1b3f66"])


def show_strip(states: Tensor | ArrayLike, titles: Sequence[object], *, title: str | None = None) -> plotting.Figure:
    """One column for each state, one row for each image of the batch.

    states: (S, B, C, H, W) in [−1, 1], C = 1 or 3; titles: S short texts, one a column.
    Raises ValueError if the shape is another, or where there are not as many titles as states.
    """
    shown = torch.as_tensor(np.asarray(states) if not isinstance(states, Tensor) else states).detach().cpu()
    if shown.ndim != 5 or not shown.numel():
        raise ValueError(f"the states have shape {tuple(shown.shape)}: give (states, B, C, H, W)")
    count, batch = shown.shape[:2]
    if len(titles) != count:
        raise ValueError(f"there are {len(titles)} titles for {count} states: give one title a state")
    rows = ((shown + 1) / 2).transpose(0, 1).flatten(0, 1)
    texts = [*map(str, titles), *[""] * (count * (batch - 1))]
    scale = min(1.4, 9 / count)
    return plotting.show_images(rows, columns=count, titles=texts, title=title, scale=scale)


def plot_density_flow(states: Tensor | ArrayLike, *, title: str | None = None) -> plotting.Figure:
    """How the density of one-dimensional points changes along a chain, darker where they are denser.

    states: (T + 1, S), the points after t = 0, …, T steps of noise.
    Raises ValueError if the shape is another.
    """
    points = states.detach().cpu().numpy() if isinstance(states, Tensor) else np.asarray(states)
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"the states have shape {points.shape}: give (T + 1, number of points)")
    radius = float(np.quantile(np.abs(points), 0.999))
    edges = np.linspace(-radius, radius, 121)
    densities = np.stack([np.histogram(row, edges, density=True)[0] for row in points])
    # Peaks at t = 0 are many times higher: column by column, and a root, or nothing else would be seen.
    shown = (densities / densities.max(axis=1, keepdims=True)) ** 0.7
    with plotting.style():
        drawn = plotting.Figure(figsize=(7, 3.6), layout="constrained")
        grid = drawn.add_gridspec(1, 3, width_ratios=(1, 5, 1))
        axes = [drawn.add_subplot(grid[0])]
        axes += [drawn.add_subplot(grid[k], sharey=axes[0]) for k in (1, 2)]
        centres = (edges[1:] + edges[:-1]) / 2
        last = len(points) - 1
        for place, row, text in ((0, densities[0], "t = 0"), (2, densities[-1], f"t = {last}")):
            axes[place].fill_betweenx(centres, 0, row, color=plotting.LINES[0], lw=0)
            axes[place].set(xlim=(0, None), xticks=[])
            axes[place].set_title(text, fontsize=10)
        axes[0].invert_xaxis()
        extent = (-0.5, last + 0.5, -radius, radius)
        axes[1].imshow(shown.T, origin="lower", aspect="auto", extent=extent, cmap=DENSITY, interpolation="nearest")
        axes[1].grid(False)
        axes[1].set(xlabel="t", ylim=(-radius, radius))
        axes[0].set_ylabel("$x_t$")
        for place in (1, 2):
            axes[place].tick_params(labelleft=False)
        if title:
            drawn.suptitle(title, fontsize=12)
    return drawn


def trajectory_slider(trajectories: Mapping[str, Tensor | ArrayLike], times: Sequence[int]) -> object:
    """A slider over t, and buttons to choose a trajectory.

    trajectories: a name, and the states (len(times), C, H, W) of one image in [−1, 1], C = 1 or 3.
    times: t of each state, ascending.
    Where nobody can move a slider (in grading, and on the smoke budget), what comes back is a figure of `show_strip`.
    Raises ValueError if shapes do not fit.
    """
    shown = {name: torch.as_tensor(np.asarray(states)).float() for name, states in trajectories.items()}
    for name, states in shown.items():
        if states.ndim != 4 or len(states) != len(times) or states.shape[1] not in (1, 3):
            raise ValueError(f"the trajectory {name!r} has shape {tuple(states.shape)}: give ({len(times)}, C, H, W)")
    if not is_watched():
        return _static(shown, times)
    return _slider(shown, times)


def _static(shown: dict[str, Tensor], times: Sequence[int]) -> plotting.Figure:
    chosen = np.unique(np.linspace(0, len(times) - 1, 9).round().astype(int)).tolist()
    strips = torch.stack([states[chosen] for states in shown.values()], dim=1)
    return show_strip(strips, [f"t = {times[k]}" for k in chosen], title=", ".join(shown))


def _slider(shown: dict[str, Tensor], times: Sequence[int]) -> object:
    import ipywidgets  # here: only who looks needs it

    from fixmelab.pictures.picture import Picture

    pictures = {name: [_png(state) for state in states] for name, states in shown.items()}
    picture = Picture(width=ENLARGED)
    caption = ipywidgets.HTML()
    wide = ipywidgets.Layout(width=f"{ENLARGED + 120}px", max_width="100%")
    slider = ipywidgets.SelectionSlider(
        options=[(str(t), k) for k, t in enumerate(times)],
        description="t",
        layout=wide,
        style={"description_width": "2em"},
    )
    which = ipywidgets.ToggleButtons(options=list(pictures), style={"button_width": "110px"})

    def show(_: object = None) -> None:
        picture.value = pictures[which.value][slider.value]
        picture.text = f"{which.value}, t = {times[slider.value]}"
        caption.value = html.escape(picture.text)

    slider.observe(show, "value")
    which.observe(show, "value")
    show()
    return ipywidgets.VBox([which, picture, caption, slider])


def _png(state: Tensor) -> bytes:
    pixels = ((state.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
    buffer = io.BytesIO()
    image.resize((ENLARGED, ENLARGED), Image.Resampling.NEAREST).save(buffer, format="png")
    return buffer.getvalue()
