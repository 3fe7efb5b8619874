"""A slider over the training of a sampler."""

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import ArrayLike
from PIL import Image
from torch import Tensor

from fixmelab.described import LEAST_SCALE
from fixmelab.environment import is_watched
from fixmelab.graphs import Graph
from fixmelab.pictures import plotting
from fixmelab.pictures.edge_probabilities import Scene, colour_bar, line_handles
from fixmelab.pictures.graph_drawing import frame

MOST_DRAWS = 10  # a node, on the slider
WIDTH, HEIGHT = 700, 600  # pixels of the slider's picture


def sampler_slider(
    graph: Graph,
    positions: Tensor | ArrayLike,
    labels: Tensor | ArrayLike,
    history: Mapping[int, Tensor | ArrayLike],
    *,
    is_noise: Tensor | ArrayLike | None = None,
    seed: int = 0,
) -> object:
    """`plot_edge_probabilities` under a slider over epochs, one over k, and a button that draws again.

    history: an epoch, and its q (E,). For each node k neighbours are drawn from q with replacement. The random numbers
    stay the same until the button is pressed, so that a slider shows its own effect alone.
    Where nobody can move a slider (in grading, and on the smoke budget), what comes back is a figure of the first, the
    middle and the last epoch. Raises ValueError if something does not fit.
    """
    scene = Scene(graph, positions, labels, is_noise)
    if not history:
        raise ValueError("the history is empty: give at least one epoch and its q")
    epochs = {epoch: scene.check_q(history[epoch], f"q of epoch {epoch}") for epoch in sorted(history)}
    return _slider(scene, epochs, seed) if is_watched() else _static(scene, epochs)


def _static(scene: Scene, epochs: dict[int, np.ndarray]) -> plotting.Figure:
    names = list(epochs)
    shown = [names[k] for k in np.unique([0, len(names) // 2, len(names) - 1])]
    with plotting.style():
        figure = plotting.Figure(figsize=(4.4 * len(shown) + 0.8, 4.8), layout="constrained")
        axes = figure.subplots(1, len(shown), squeeze=False)[0]
        for panel, epoch in zip(axes, shown, strict=True):
            scene.draw(panel, epochs[epoch], scale=0.8)
            panel.set_title(_epoch_text(scene, epoch, epochs[epoch]), fontsize=11)
        colour_bar(figure, list(axes))
        handles = line_handles(scene.noise is not None, False)
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=10)
    return figure


def _slider(scene: Scene, epochs: dict[int, np.ndarray], seed: int) -> object:
    import ipywidgets  # here: only who looks needs it

    from fixmelab.pictures.picture import Picture

    stage = _Stage(scene)
    picture = Picture(width=WIDTH, least_width=round(LEAST_SCALE * WIDTH), layout=ipywidgets.Layout(max_width="100%"))
    caption = ipywidgets.HTML()
    layout, narrow = ipywidgets.Layout(width="330px", max_width="100%"), {"description_width": "4em"}
    which = ipywidgets.SelectionSlider(
        options=[(str(epoch), epoch) for epoch in epochs], description="epoch", layout=layout, style=narrow
    )
    draws = ipywidgets.IntSlider(1, 1, MOST_DRAWS, description="k", layout=layout, style=narrow)
    again = ipywidgets.Button(description="draw again")
    random = np.random.default_rng(seed)
    numbers = random.random((scene.graph.num_nodes, MOST_DRAWS))

    def show(_: object = None) -> None:
        q = epochs[which.value]
        entries = scene.draws(q, numbers[:, : draws.value])
        picture.value = stage.png(q, np.unique(entries))
        text = f"{_epoch_text(scene, which.value, q)}; {entries.size} draws"
        if scene.noise is not None and entries.size:
            text += f", {scene.noise[entries].mean():.0%} of them noise"
        caption.value = picture.text = text

    def redraw(_: object) -> None:
        random.random(out=numbers)
        show()

    which.observe(show, "value")
    draws.observe(show, "value")
    again.on_click(redraw)
    show()
    wrapped = ipywidgets.Layout(flex_flow="row wrap", max_width="100%")
    return ipywidgets.VBox([ipywidgets.HBox([which, draws, again], layout=wrapped), picture, caption])


class _Stage:
    """The slider's picture: what never changes is drawn once, and the graph over it each time."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        with plotting.style():
            figure = plotting.Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
            self._canvas = FigureCanvasAgg(figure)
            # Fixed places: a layout that adapts costs as much again as the drawing.
            self._axes = figure.add_axes((0.01, 0.06, 0.83, 0.93))
            frame(self._axes, scene.places, scene.radii)
            colour_bar(figure, [figure.add_axes((0.87, 0.16, 0.025, 0.72))], own=True)
            handles = line_handles(scene.noise is not None, True)
            figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=10)
            self._canvas.draw()
        self._empty = self._canvas.copy_from_bbox(figure.bbox)

    def png(self, q: np.ndarray, drawn: np.ndarray) -> bytes:
        """The graph by q (E,), the entries `drawn` thick."""
        self._canvas.restore_region(self._empty)
        with plotting.style():
            self._scene.draw(self._axes, q, drawn)
            for artist in sorted(self._axes.collections, key=lambda artist: artist.get_zorder()):
                self._axes.draw_artist(artist)
                artist.remove()
        buffer = io.BytesIO()
        # Little compression: the picture travels once, and packing it well takes longer than drawing it.
        Image.fromarray(np.asarray(self._canvas.buffer_rgba())).save(buffer, format="png", compress_level=1)
        return buffer.getvalue()


def _epoch_text(scene: Scene, epoch: int, q: np.ndarray) -> str:
    """The epoch, and the share of q that falls on noise, on average over the nodes."""
    if scene.noise is None or not scene.degrees.any():
        return f"epoch {epoch}"
    return f"epoch {epoch}: {q[scene.noise].sum() / (scene.degrees > 0).sum():.0%} of q on noise"
