"""A kernel that slides over a padded image, with sliders for its place, and numbers for pixels."""

import io
from collections.abc import Callable, Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.environment import is_watched
from fixmelab.pictures import plotting

Padding = Callable[[int, int], tuple[int, int, int, int]]
Convolve = Callable[[Tensor, Tensor, Tensor], Tensor]

WINDOW, FRAME = plotting.LINES[1], "#dfe9f5"  # the window's edge, and the zeros around the image
SIZE = (420, 330)  # pixels of each of the slider's two pictures


def plot_pixels(values: Tensor | ArrayLike, title: str | None = None) -> plotting.Figure:
    """Numbers (H, W) as shades, with a scale beside them. Raises ValueError on another shape."""
    pixels = plotting.as_array(values)
    if pixels.ndim != 2 or not pixels.size:
        raise ValueError(f"the values have shape {pixels.shape}: give (H, W)")
    with plotting.style():
        drawn = plotting.Figure(figsize=(5, 4.2), layout="constrained")
        axes = drawn.add_subplot()
        shown = axes.imshow(pixels, cmap="Blues", interpolation="nearest")
        axes.set(xlabel="column", ylabel="row")
        axes.grid(False)
        axes.set_title(title or "", loc="left", fontsize=11)
        drawn.colorbar(shown, ax=axes, shrink=0.9).outline.set_visible(False)
    return drawn


def kernel_slider(image: Tensor, kernels: Mapping[str, Tensor], padding: Padding, convolve: Convolve) -> object:
    """Slide a kernel over an image in its frame of zeros: sliders for row and column, a list of kernels, a play button.

    image: (N_h, N_w); kernels: name → (K_h, K_w). `padding` and `convolve` are the notebook's: the frame is as wide as
    the first says, the output is what the second gives for one channel and no bias.

    Where nobody can move a slider (in grading, and on the smoke budget), what comes back is the figure of
    `kernel_slider_static` for the first kernel. Raises ValueError if something does not fit.
    """
    if not kernels:
        raise ValueError("there are no kernels: give at least one, by its name")
    scenes = {name: _Scene(image, kernel, padding, convolve) for name, kernel in kernels.items()}
    first = next(iter(scenes.values()))
    return _slider(scenes) if is_watched() else _static(first)


def kernel_slider_static(image: Tensor, kernel: Tensor, padding: Padding, convolve: Convolve) -> plotting.Figure:
    """The printed twin of `kernel_slider`: one kernel (K_h, K_w) in two corners of the image and in its middle."""
    return _static(_Scene(image, kernel, padding, convolve))


class _Scene:
    """The padded image, and the output, for one kernel."""

    def __init__(self, image: Tensor, kernel: Tensor, padding: Padding, convolve: Convolve) -> None:
        if image.ndim != 2 or kernel.ndim != 2:
            shapes = f"{tuple(image.shape)} and {tuple(kernel.shape)}"
            raise ValueError(f"image and kernel have the shapes {shapes}: give (N_h, N_w) and (K_h, K_w)")
        frame = [int(side) for side in padding(*kernel.shape)]
        if len(frame) != 4 or min(frame) < 0:
            raise ValueError(f"padding gave {frame} for a kernel of {tuple(kernel.shape)}: it must be four numbers ≥ 0")
        self.left, _, self.top, _ = frame
        padded = torch.nn.functional.pad(image, frame)
        found = convolve(image[None], kernel[None], torch.zeros((), dtype=image.dtype))
        if tuple(found.shape) != (1, *image.shape):
            raise ValueError(f"convolve gave shape {tuple(found.shape)}: it must be {(1, *image.shape)}")
        needed = [side + window - 1 for side, window in zip(image.shape, kernel.shape, strict=True)]
        if any(wide < least for wide, least in zip(padded.shape, needed, strict=True)):
            raise ValueError(f"the frame {frame} is too narrow for a kernel of {tuple(kernel.shape)}")
        self.image, self.kernel = plotting.as_array(image), plotting.as_array(kernel)
        self.padded, self.output = plotting.as_array(padded), plotting.as_array(found)[0]

    def draw_window(self, axes: Axes, row: int, column: int) -> None:
        """The image in its frame, and the window that gives the output at (row, column), with its weights."""
        height, width = self.image.shape
        down, across = self.kernel.shape
        shades = 1 - 0.85 * (self.padded - self.padded.min()) / (np.ptp(self.padded) or 1)
        coloured = np.full((*shades.shape, 3), to_rgb(FRAME))
        inside = slice(self.top, self.top + height), slice(self.left, self.left + width)
        coloured[inside] = shades[inside][..., None]
        axes.imshow(coloured, interpolation="nearest")
        _edge(axes, row, column, down, across)
        for k, m in np.ndindex(self.kernel.shape):
            text = axes.text(column + m, row + k, _short(float(self.kernel[k, m])), zorder=4, weight="bold")
            text.set(ha="center", va="center", fontsize=8, color=WINDOW)
            text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        _lines(axes, self.padded.shape)
        axes.set_title("the padded image, and the window", fontsize=10.5)

    def draw_output(self, axes: Axes, row: int, column: int) -> None:
        """The output up to (row, column), which is where the window is."""
        output = self.output.astype(float).copy()
        output.reshape(-1)[row * output.shape[1] + column + 1 :] = np.nan
        most = np.abs(self.output).max() or 1
        axes.imshow(output, cmap="PuOr_r", vmin=-most, vmax=most, interpolation="nearest")
        _edge(axes, row, column, 1, 1)
        _lines(axes, self.output.shape)
        axes.set_title(self.value_at(row, column), fontsize=10.5)

    def value_at(self, row: int, column: int) -> str:
        """What the output is at a place."""
        return f"y[{row}, {column}] = {self.output[row, column]:.3g}".replace("-", "−")


def _edge(axes: Axes, row: int, column: int, down: int, across: int) -> None:
    """The edge of the window, whole at the border of the picture, too."""
    shape = Rectangle((column - 0.5, row - 0.5), across, down, fill=False, ec=WINDOW, lw=2.6, zorder=3, clip_on=False)
    axes.add_patch(shape)


def _lines(axes: Axes, shape: tuple[int, ...]) -> None:
    """White lines between pixels, and no numbers."""
    axes.set_xticks(np.arange(shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(shape[0] + 1) - 0.5, minor=True)
    axes.grid(False, which="major")
    axes.grid(True, which="minor", color="white", lw=0.6)
    axes.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    axes.spines[:].set_visible(False)


def _static(scene: _Scene) -> plotting.Figure:
    height, width = scene.output.shape
    places = [(0, 0), (height // 2, width // 2), (height - 1, width - 1)]
    with plotting.style():
        drawn = plotting.Figure(figsize=(10, 5.2), layout="constrained")
        for (before, after), place in zip(drawn.subplots(2, 3).T, places, strict=True):
            scene.draw_window(before, *place)
            scene.draw_output(after, *place)
    return drawn


def _slider(scenes: dict[str, _Scene]) -> object:
    import ipywidgets  # here: only who looks needs it

    from fixmelab.pictures.picture import Picture

    height, width = next(iter(scenes.values())).output.shape
    layout, narrow = ipywidgets.Layout(width="300px", max_width="100%"), {"description_width": "5em"}
    which = ipywidgets.Dropdown(options=list(scenes), description="kernel", layout=layout, style=narrow)
    row = ipywidgets.IntSlider(0, 0, height - 1, description="row i", layout=layout, style=narrow)
    column = ipywidgets.IntSlider(0, 0, width - 1, description="column j", layout=layout, style=narrow)
    play = ipywidgets.Play(value=0, min=0, max=height * width - 1, interval=400)
    # Without a margin of its own: on a phone that would stand out of the page.
    shape = ipywidgets.Layout(width=f"{SIZE[0]}px", max_width="100%", margin="0")
    pictures = [Picture(width=SIZE[0], layout=shape) for _ in range(2)]
    moving = False

    def show() -> None:
        scene, place = scenes[which.value], (row.value, column.value)
        pictures[0].value = _png(scene.draw_window, *place)
        pictures[1].value = _png(scene.draw_output, *place)
        pictures[0].text = f"the padded image, and the window at row {place[0]}, column {place[1]}"
        pictures[1].text = f"the output up to there; {scene.value_at(*place)}"

    def move(place: int) -> None:
        """Set what else says where the window is, and draw once."""
        nonlocal moving
        if moving:  # told by a control that is just set below
            return
        moving = True
        try:
            play.value = place
            row.value, column.value = divmod(place, width)
        finally:
            moving = False
        show()

    which.observe(lambda _: show(), "value")
    for slider in (row, column):
        slider.observe(lambda _: move(row.value * width + column.value), "value")
    play.observe(lambda change: move(change["new"]), "value")
    show()
    wrapped = ipywidgets.Layout(flex_flow="row wrap", max_width="100%")
    controls = ipywidgets.HBox([which, row, column, play], layout=wrapped)
    return ipywidgets.VBox([controls, ipywidgets.HBox(pictures, layout=wrapped)])


def _png(draw: Callable[[Axes, int, int], None], row: int, column: int) -> bytes:
    with plotting.style():
        drawn = plotting.Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100)
        # Fixed places: a layout that adapts costs as much again as the drawing.
        draw(drawn.add_axes((0.01, 0.01, 0.98, 0.9)), row, column)
        buffer = io.BytesIO()
        drawn.savefig(buffer, format="png", pil_kwargs={"compress_level": 1})  # packed well, it would take longer
    return buffer.getvalue()


def _short(value: float) -> str:
    """A number in few characters: 1/12 is .08."""
    text = f"{value:.2f}".rstrip("0").rstrip(".").replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3g}"
    return (text or "0").replace("-0", "0").replace("-", "−")
