"""The pictures of the course, in one style. Each function returns a figure for the cell's last line to show.

The figures are made without pyplot, so nothing is shown twice and no global setting is touched.
"""

import io
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
import numpy as np
from matplotlib import figure
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import AutoLocator
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.training import History

# Told apart with any common colour vision: Petroff, "Accessible color sequences for data visualization"
# (arXiv:2107.02270), ten colours.
COLOURS = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
LINES = ("#3f90da", "#bd1f01", "#832db6", "#e76300", "#717581")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D")
INK, FAINT = "#222222", "#e3e5e8"
# Any: matplotlib names the keys one by one, and newer versions name more.
STYLE: dict[Any, Any] = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "axes.edgecolor": "#8a8f98",
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


class Figure(figure.Figure):
    """A figure that a notebook shows as a PNG, whether pyplot is at hand or not."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()


def style() -> AbstractContextManager[None]:
    """The course's style as a context: `with style(): ...`."""
    return matplotlib.rc_context(STYLE)


def show_images(
    images: Tensor | ArrayLike,
    *,
    columns: int = 10,
    titles: Sequence[object] | None = None,
    title: str | None = None,
    scale: float = 0.8,
) -> Figure:
    """Images (N, H, W), (N, 1, H, W) or (N, 3, H, W) in [0, 1], row by row; what lies outside is clipped.

    `titles`: one short text an image. `scale`: the width of an image in inches.
    Raises ValueError on another shape, or where there are not as many titles as images.
    """
    tiles = _tiles(images)
    count, height, width, _ = tiles.shape
    if columns < 1:
        raise ValueError(f"columns is {columns}: give a whole number of at least 1")
    if titles is not None and len(titles) != count:
        raise ValueError(f"there are {len(titles)} titles for {count} images: give one title an image")
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    gap_x = 0.06 * width
    gap_y = gap_x if titles is None else 0.25 * width / scale  # room for a line of text
    total_width, total_height = columns * (width + gap_x) - gap_x, rows * (height + gap_y)
    inches = scale / width
    with style():
        drawn = Figure(figsize=(total_width * inches, total_height * inches + (0.3 if title else 0)))
        axes = drawn.add_axes((0, 0, 1, total_height * inches / drawn.get_figheight()))
        axes.set_axis_off()
        axes.set(xlim=(0, total_width), ylim=(total_height, 0))  # else each image would set them anew
        for index, tile in enumerate(tiles):
            left = (index % columns) * (width + gap_x)
            top = (index // columns) * (height + gap_y) + gap_y
            axes.imshow(
                tile.squeeze(-1) if tile.shape[-1] == 1 else tile,
                cmap="gray",
                vmin=0,
                vmax=1,
                interpolation="nearest",
                extent=(left, left + width, top + height, top),
            )
            if titles is not None:
                text = axes.text(left + width / 2, top - 0.2 * gap_y, str(titles[index]), ha="center")
                text.set(va="bottom", fontsize=9, parse_math=False)
        if title:
            drawn.suptitle(title, y=1, va="top", fontsize=12)
    return drawn


def plot_history(
    history: History, *, ylabel: str = "loss (nats per image)", expected: tuple[float, float] | None = None
) -> Figure:
    """The mean loss of each epoch, drawn at the epoch's middle, over the loss of each step.

    `expected` is the range, low and high, in which the last epoch of a right solution ends: it is drawn as a band.

    Raises ValueError if the history is empty.
    """
    count = len(history.epochs)
    if not count:
        raise ValueError("the history is empty: train for at least one epoch")
    steps = np.asarray(history.steps, dtype=float)
    with style():
        drawn = Figure(figsize=(6.5, 3.6), layout="constrained")
        axes = drawn.add_subplot()
        axes.plot(
            np.arange(1, len(steps) + 1) * count / len(steps),
            steps,
            color="#b5d3f0",
            lw=0.8,
            label="one step",
        )
        axes.plot(np.arange(count) + 0.5, history.epochs, "o-", ms=5, color=LINES[0], label="mean of an epoch")
        # The first steps are many times higher and would flatten the rest.
        low, high = np.quantile(steps, [0, 0.98])
        high = max(high, max(history.epochs))
        if expected:
            axes.axhspan(*expected, color="#e6f4ea", zorder=0, label="expected at the end")
            low, high = min(low, expected[0]), max(high, expected[1])
        margin = 0.08 * (high - low) or 1
        axes.set(xlabel="epochs of training", ylabel=ylabel, ylim=(low - margin, high + margin), xlim=(0, count * 1.03))
        whole = AutoLocator()
        whole.set_params(integer=True)
        axes.xaxis.set_major_locator(whole)
        axes.legend()
    return drawn


def plot_losses(steps: ArrayLike, losses: ArrayLike, *, ylabel: str = "loss") -> Figure:
    """The loss of each step, and over it a running mean. steps, losses: (N,), N ≥ 1.

    Raises ValueError if there is none, or not one loss a step.
    """
    across, up = np.asarray(steps), np.asarray(losses, dtype=float)
    if not len(up) or across.shape != up.shape or up.ndim != 1:
        raise ValueError(f"there are {across.shape} steps and {up.shape} losses: give (N,) of both, N ≥ 1")
    window = max(1, min(200, len(up) // 10))
    sums = np.cumsum(np.concatenate([[0.0], up]))
    means = (sums[window:] - sums[:-window]) / window
    with style():
        drawn = Figure(figsize=(6.5, 3.6), layout="constrained")
        axes = drawn.add_subplot()
        axes.plot(across, up, color="#b5d3f0", lw=0.8, label="one step")
        if window > 1:
            axes.plot(across[window // 2 :][: len(means)], means, color=LINES[0], label=f"mean of {window} steps")
        # The first steps are many times higher and would flatten the rest.
        low, high = np.quantile(up, [0, 0.98])
        high = max(high, means[-1])
        margin = 0.08 * (high - low) or 1
        axes.set(xlabel="steps of training", ylabel=ylabel, ylim=(low - margin, high + margin))
        axes.legend()
    return drawn


def plot_fid(steps: ArrayLike, values: ArrayLike, title: str) -> Figure:
    """The Fréchet inception distance after some steps; `title` says of what features. steps, values: (N,)."""
    with style():
        drawn = Figure(figsize=(6.5, 3.6), layout="constrained")
        axes = drawn.add_subplot()
        axes.plot(np.asarray(steps), np.asarray(values, dtype=float), "o-", ms=5, color=LINES[1])
        axes.set(xlabel="steps of training", ylabel="FID (lower is better)")
        axes.set_ylim(bottom=0)
        axes.set_title(title, loc="left", fontsize=9.5)
    return drawn


def plot_curves(
    x: Tensor | ArrayLike,
    curves: Mapping[str, Tensor | ArrayLike],
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    *,
    log: str = "",
) -> Figure:
    """Curves over one axis: `curves` maps a label to values, as many as `x` has. Put units into the labels.

    `log` names the axes, "x", "y" or "xy", that are logarithmic: give the numbers themselves, not their logarithms.

    Raises ValueError if a curve has another length than `x`.
    """
    across = as_array(x).ravel()
    with style():
        drawn = Figure(figsize=(6.5, 3.8), layout="constrained")
        axes = drawn.add_subplot()
        for index, (label, values) in enumerate(curves.items()):
            up = as_array(values).ravel()
            if len(up) != len(across):
                raise ValueError(f"the curve {label!r} has {len(up)} values for {len(across)} of x")
            axes.plot(across, up, color=LINES[index % len(LINES)], ls=DASHES[index % len(DASHES)], label=label)
        axes.set(xlabel=xlabel, ylabel=ylabel, xscale=_scale("x", log), yscale=_scale("y", log))
        axes.set_title(title or "", loc="left")
        axes.legend()
    return drawn


def _scale(axis: str, log: str) -> str:
    return "log" if axis in log else "linear"


def show_latent_map(means: Tensor | ArrayLike, labels: Tensor | ArrayLike, class_names: Sequence[str]) -> Figure:
    """The encoder's means (N, 2), coloured by class, each class named where its median lies. $z_1$ grows downwards.

    `labels` (N,) are indices into `class_names`. Raises ValueError if the shapes or labels do not fit.
    """
    with style():
        drawn = Figure(figsize=(6.2, 6), layout="constrained")
        axes = drawn.add_subplot()
        draw_latent_map(axes, means, labels, class_names)
        axes.set(xlabel="$z_0$", ylabel="$z_1$")
    return drawn


def draw_latent_map(
    axes: Axes,
    means: Tensor | ArrayLike,
    labels: Tensor | ArrayLike,
    class_names: Sequence[str],
    marks: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw what `show_latent_map` shows into `axes`, and `marks` numbered from 1."""
    points, classes = check_latent_map(means, labels, class_names)
    radius = map_radius(points)
    places = label_places(points, classes, class_names, radius, marks)
    size = float(np.clip(20000 / len(points), 6, 20))
    # All points in one call and in mixed order, so that no class hides the others.
    order = np.random.default_rng(0).permutation(len(points))
    colours = np.array(COLOURS)[classes % len(COLOURS)][order]
    across, up = points[order].T
    axes.scatter(across, up, s=size, c=colours, alpha=0.75, lw=0)
    for index, (x, y) in places.items():
        text = axes.text(x, y, class_names[index], ha="center", va="center", fontsize=9.5, weight="bold")
        text.set(
            color=label_colour(index),
            parse_math=False,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
    for number, (x, y) in enumerate(marks, 1):
        axes.plot(x, y, "o", ms=17, mfc="white", mec=INK, mew=1.5)
        axes.text(x, y, str(number), ha="center", va="center_baseline", weight="bold")
    # Downwards, as the rows of the grid that `plot_latents` draws.
    axes.set(xlim=(-radius, radius), ylim=(radius, -radius), aspect="equal")


def check_latent_map(
    means: Tensor | ArrayLike, labels: Tensor | ArrayLike, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Means (N, 2) as float32 and labels (N,) as integers. Raises ValueError if they do not fit."""
    points, classes = as_array(means), as_array(labels)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"the means have shape {points.shape}: give (N, 2), N ≥ 1")
    if classes.shape != points.shape[:1]:
        raise ValueError(f"the labels have shape {classes.shape}: give ({len(points)},), one label a mean")
    if not np.isfinite(points).all():
        raise ValueError("some means are nan or infinite: look at the encoder and at the loss")
    if classes.min() < 0 or classes.max() >= len(class_names):
        raise ValueError(
            f"labels run from {classes.min()} to {classes.max()} and there are {len(class_names)} class names"
        )
    return points.astype(np.float32), classes.astype(np.int64)


def map_radius(points: np.ndarray) -> float:
    """r, such that [−r, r]² holds nearly all points (N, 2), and the prior's 3 σ at least."""
    return float(max(3.0, math.ceil(2 * np.quantile(np.abs(points), 0.998)) / 2))


def label_places(
    points: np.ndarray,
    classes: np.ndarray,
    class_names: Sequence[str],
    radius: float,
    marks: Sequence[tuple[float, float]] = (),
) -> dict[int, tuple[float, float]]:
    """Where to write the name of each class that occurs: at its median, or above or below, clear of the
    other names and of the `marks`, which are discs of a line's height."""
    present = [index for index in range(len(class_names)) if (classes == index).any()]
    places = np.array([np.median(points[classes == index], axis=0) for index in present] + list(marks), float)
    line = 0.085 * radius
    widths = [0.042 * radius * max(len(class_names[index]), 2) for index in present] + [line] * len(marks)
    for _ in range(200):
        moved = False
        for a in range(len(present)):
            for b in range(a + 1, len(places)):
                across, up = places[a] - places[b]
                # Two names share the way; a mark stays where it is, and is a little higher than a name.
                share, apart = (0.5, line) if b < len(present) else (1.0, 1.15 * line)
                if abs(across) < (widths[a] + widths[b]) / 2 and abs(up) < apart - 1e-6:
                    push = math.copysign(apart - abs(up), up)
                    places[a, 1] += share * push
                    places[b, 1] -= (1 - share) * push
                    moved = True
        if not moved:
            break
    reach = [(max(radius - width / 2, 0), radius - line) for width in widths]
    places = np.clip(places, -np.array(reach), reach)
    return {index: (float(x), float(y)) for index, (x, y) in zip(present, places, strict=False)}


def label_colour(index: int) -> str:
    """The colour of a class, darkened until it can be read on white."""
    red, green, blue = matplotlib.colors.to_rgb(COLOURS[index % len(COLOURS)])
    bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    darker = min(1, 0.36 / bright)
    return matplotlib.colors.to_hex((red * darker, green * darker, blue * darker))


def latent_name(index: int) -> str:
    """z with a subscript, in plain text: `z₁₂`."""
    return "z" + str(index).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def as_array(values: Tensor | ArrayLike) -> np.ndarray:
    """A tensor as an array on the CPU, without its graph; anything else as numpy takes it."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _tiles(images: Tensor | ArrayLike) -> np.ndarray:
    """The images as (N, H, W, C), C = 1 or 3, in [0, 1]."""
    found = as_array(images)
    tiles = found[:, None] if found.ndim == 3 else found
    if tiles.ndim != 4 or tiles.shape[1] not in (1, 3) or not tiles.size:
        raise ValueError(f"the images have shape {found.shape}: give (N, H, W), (N, 1, H, W) or (N, 3, H, W)")
    return np.clip(tiles.astype(float), 0, 1).transpose(0, 2, 3, 1)
