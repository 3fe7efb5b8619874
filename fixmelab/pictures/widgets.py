"""Widgets that decode live: a map of the encoder's means to click on, two sliders and the decoded image."""

import html
import io
import math
from collections.abc import Callable, Sequence

import anywidget
import ipywidgets
import numpy as np
import torch
import traitlets
from numpy.typing import ArrayLike
from PIL import Image
from torch import Tensor

from fixmelab.environment import is_watched
from fixmelab.pictures import plotting
from fixmelab.pictures.picture import Picture
from fixmelab.pictures.scripts import script

Decode = Callable[[Tensor], Tensor]

SIDE = 28  # pixels of a decoded image
ENLARGED = 9  # screen pixels for one of its pixels
MOST_POINTS = 4000  # on the map of a widget


class LatentMap(anywidget.AnyWidget):
    """The map of the means. `position` is (z_i, z_j), set from here or by a click, a drag or the arrow keys."""

    _esm = script("widgets.js")
    position = traitlets.List(traitlets.Float(), [0.0, 0.0], minlen=2, maxlen=2).tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)  # float32, x and y in turn
    classes = traitlets.Bytes().tag(sync=True)  # one byte a point
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)
    class_labels = traitlets.List(traitlets.Dict()).tag(sync=True)  # text, x, y, colour
    axis_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    radius = traitlets.Float(3.0).tag(sync=True)
    step = traitlets.Float(0.01).tag(sync=True)


class LatentExplorer(ipywidgets.HBox):
    """What `latent_explorer` shows: `map`, `sliders` for z_i and z_j, `picture` and `caption`, kept in step."""

    def __init__(self, latents: "_Latents") -> None:
        radius = latents.radius
        step = 10.0 ** math.floor(math.log10(radius / 100))
        self._latents = latents
        self._moving = False
        self.map = LatentMap(
            points=latents.points[latents.shown].tobytes(),
            classes=(latents.classes[latents.shown] % 256).astype(np.uint8).tobytes(),
            colours=list(plotting.COLOURS),
            class_labels=latents.class_labels(),
            axis_names=latents.axis_names,
            radius=radius,
            step=step,
            layout=ipywidgets.Layout(flex="1 1 280px", min_width="240px", max_width="440px"),
        )
        self.sliders = tuple(
            ipywidgets.FloatSlider(
                0,
                min=-radius,
                max=radius,
                step=step,
                description=name,
                style={"description_width": "2em"},
                layout=ipywidgets.Layout(width="100%"),
            )
            for name in latents.axis_names
        )
        self.picture = Picture(width=SIDE * ENLARGED, layout=ipywidgets.Layout(align_self="center"))
        self.caption = ipywidgets.HTML(layout=ipywidgets.Layout(align_self="center"))
        side = ipywidgets.VBox(
            [self.picture, self.caption, *self.sliders],
            layout=ipywidgets.Layout(flex="0 1 auto", width="280px", max_width="100%"),
        )
        super().__init__(
            [self.map, side],
            layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="8px 24px", max_width="100%"),
        )
        self._show()
        self.map.observe(lambda change: self._move(change.new), "position")
        for slider in self.sliders:
            slider.observe(lambda _: self._move([slider.value for slider in self.sliders]), "value")

    def _move(self, position: list[float]) -> None:
        if self._moving:  # told by a part that was just set below
            return
        self._moving = True
        try:
            for slider, value in zip(self.sliders, position, strict=True):
                slider.value = value
            self.map.position = [slider.value for slider in self.sliders]
        finally:
            self._moving = False
        self._show()

    def _show(self) -> None:
        position = self.map.position
        self.picture.value = _png(self._latents.decoded(*position))
        named = zip(self._latents.axis_names, position, strict=True)
        text = ", ".join(f"{name} = {value:.2f}" for name, value in named)
        self.picture.text = f"decoded at {text}".replace("-", "−")
        self.caption.value = html.escape(self.picture.text)


def latent_explorer(
    decode: Decode,
    means: Tensor | ArrayLike,
    labels: Tensor | ArrayLike,
    class_names: Sequence[str],
    *,
    i: int = 0,
    j: int = 1,
    latent_dim: int | None = None,
) -> LatentExplorer | plotting.Figure:
    """Explore a decoder by hand: sliders for (z_i, z_j), and a map of the means to click and drag on.

    `decode` maps z (1, K) to an image (1, 1, 28, 28) in [0, 1]; latents other than i and j are 0. `means`
    (N, K) are the encoder's, `labels` (N,) indices into `class_names`. `latent_dim` is K; it is needed only
    where `means` (N, 2) holds nothing but z_i and z_j. z lies on the device of `means`.

    Where nobody can move a slider, that is, in grading (FIXMELAB_JUDGE is set) and on the smoke budget,
    what comes back is the figure of `latent_explorer_static`.

    Raises ValueError if shapes, labels, i or j do not fit.
    """
    if not is_watched():
        return latent_explorer_static(decode, means, labels, class_names, i=i, j=j, latent_dim=latent_dim)
    return LatentExplorer(_Latents(decode, means, labels, class_names, i, j, latent_dim))


def latent_explorer_static(
    decode: Decode,
    means: Tensor | ArrayLike,
    labels: Tensor | ArrayLike,
    class_names: Sequence[str],
    *,
    i: int = 0,
    j: int = 1,
    latent_dim: int | None = None,
) -> plotting.Figure:
    """The printed twin of `latent_explorer`, which explains the arguments: nine numbered points on the map
    of the means, and beside it what they decode to, arranged alike."""
    latents = _Latents(decode, means, labels, class_names, i, j, latent_dim)
    levels = (-latents.radius / 2, 0.0, latents.radius / 2)
    marks = [(z_i, z_j) for z_j in levels for z_i in levels]
    with plotting.style():
        drawn = plotting.Figure(figsize=(10, 5), layout="constrained")
        left, right = drawn.subfigures(1, 2, squeeze=False, width_ratios=(1.08, 1))[0]
        axes = left.add_subplot()
        plotting.draw_latent_map(axes, latents.points, latents.classes, class_names, marks)
        axes.set(xlabel=f"$z_{{{i}}}$", ylabel=f"$z_{{{j}}}$", title="The encoder's means")
        for number, (panel, mark) in enumerate(zip(right.subplots(3, 3).flat, marks, strict=True), 1):
            panel.set_axis_off()
            panel.imshow(latents.decoded(*mark), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            panel.set_title("{}:  ({:g}, {:g})".format(number, *mark).replace("-", "−"), fontsize=10)
        right.suptitle("What the numbered points decode to", fontsize=12)
    return drawn


class _Latents:
    """The data behind both explorers, checked."""

    def __init__(
        self,
        decode: Decode,
        means: Tensor | ArrayLike,
        labels: Tensor | ArrayLike,
        class_names: Sequence[str],
        i: int,
        j: int,
        latent_dim: int | None,
    ) -> None:
        if not isinstance(means, Tensor):
            means = torch.as_tensor(np.asarray(means), dtype=torch.get_default_dtype())
        means = means.detach()
        if means.ndim != 2:
            raise ValueError(f"the means have shape {tuple(means.shape)}: give (N, K)")
        size = means.shape[1] if latent_dim is None else latent_dim
        if i == j or not (0 <= i < size and 0 <= j < size):
            raise ValueError(f"i = {i} and j = {j}: give two different numbers from 0 to {size - 1}")
        if means.shape[1] not in (2, size):
            raise ValueError(f"the means have {means.shape[1]} columns: give {size}, one a latent, or 2")
        pair = means[:, [i, j]] if means.shape[1] == size else means
        self.points, self.classes = plotting.check_latent_map(pair, labels, class_names)
        self.class_names = [str(name) for name in class_names]
        self.radius = plotting.map_radius(self.points)
        self.axis_names = [plotting.latent_name(i), plotting.latent_name(j)]
        self.shown = np.random.default_rng(0).permutation(len(self.points))[:MOST_POINTS]
        self._decode, self._i, self._j = decode, i, j
        self._zero = means.new_zeros(1, size)

    def class_labels(self) -> list[dict[str, str | float]]:
        places = plotting.label_places(self.points, self.classes, self.class_names, self.radius)
        return [
            {"text": self.class_names[index], "x": x, "y": y, "colour": plotting.label_colour(index)}
            for index, (x, y) in places.items()
        ]

    def decoded(self, z_i: float, z_j: float) -> np.ndarray:
        """The image (28, 28) in [0, 1] that the decoder makes of (z_i, z_j), all other latents 0."""
        z = self._zero.clone()
        z[0, self._i], z[0, self._j] = z_i, z_j
        with torch.no_grad():
            image = self._decode(z)
        if tuple(image.shape) != (1, 1, SIDE, SIDE):
            raise ValueError(
                f"decode gave shape {tuple(image.shape)} for z {tuple(z.shape)}: it must be (1, 1, {SIDE}, {SIDE})"
            )
        if not image.isfinite().all():
            raise ValueError(f"decode gave nan or infinity at ({z_i:g}, {z_j:g})")
        return image[0, 0].clamp(0, 1).float().cpu().numpy()


def _png(image: np.ndarray) -> bytes:
    """The image, enlarged without smoothing, as a PNG."""
    pixels = np.kron((image * 255).round().astype(np.uint8), np.ones((ENLARGED, ENLARGED), np.uint8))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
