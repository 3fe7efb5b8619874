"""A figure as pixels, and where in it pictures were drawn: what a judge is shown of a plot.

Where pictures lie is told to the judge, what they show is not: that is looked at in the pixels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import AxesImage, BboxImage, FigureImage, PcolorImage

MOST_PLACES = 2_000
# An image or a mesh: left, top, right and bottom in pixels, then rows and columns of what was drawn. For axes, and for
# the rectangle of all data in them, 0 and 0: contours and points may show a picture there.
Place = list[float]


def render(figure: Any, pixels: int) -> dict[str, Any]:
    """The figure with `pixels` on its longer side: `pixels` (H, W, 3) uint8 and `places`, a list of Place.

    Raises TypeError for what is no figure.
    """
    if not isinstance(figure, Figure):
        raise TypeError(f"a {type(figure).__name__} is no matplotlib figure")
    dpi, canvas = figure.dpi, figure.canvas
    try:
        figure.dpi = pixels / max(*figure.get_size_inches(), 1e-3)
        drawn = FigureCanvasAgg(figure)
        with without_ticks(figure):
            drawn.draw()
        shown = numpy.asarray(drawn.buffer_rgba())[..., :3].copy()
        height = shown.shape[0]
        shown_artists = (item for item in _artists(figure) if _may_show_a_picture(item) and item.get_visible())
        artists = list(islice(shown_artists, MOST_PLACES))
        boxes = (box for item in artists for box in _boxes(item, drawn.get_renderer()))
        places = [place for box in boxes if (place := _place(*box, height)) is not None]
    finally:
        figure.dpi = dpi
        figure.set_canvas(canvas)
    return {"pixels": shown, "places": places}


@contextmanager
def without_ticks(figure: Figure) -> Iterator[None]:
    """Inside, axes have no ticks and labels: they show no picture, and take longer to lay out than all else to draw."""
    hidden = [item for item in _artists(figure) if isinstance(item, Axis) and item.get_visible()]
    for axis in hidden:
        axis.set_visible(False)
    try:
        yield
    finally:
        for axis in hidden:
            axis.set_visible(True)


def _artists(item: Artist) -> Iterator[Artist]:
    """All that a figure holds and shows, but for the ticks of its axes: to look for them would make them."""
    if not isinstance(item, Axis):
        for inside in item.get_children():
            yield from _artists(inside)
    yield item


def _may_show_a_picture(item: Artist) -> bool:
    return isinstance(item, AxesImage | BboxImage | FigureImage | PcolorImage | QuadMesh | Axes)


def _boxes(item: Any, renderer: Any) -> Iterator[tuple[Any, int, int]]:
    """Opposite corners (2, 2) in pixels, y upwards, and the rows and columns between them."""
    if isinstance(item, QuadMesh):
        yield _mesh(item)
    elif isinstance(item, FigureImage):
        rows, columns = numpy.asarray(item.get_array()).shape[:2]
        yield [(item.ox, item.oy), (item.ox + columns, item.oy + rows)], rows, columns
    elif isinstance(item, Axes):
        if item.has_data():  # else labels of their neighbours may lie in them, and nothing else
            yield item.get_window_extent(renderer).get_points(), 0, 0
            yield item.transData.transform(item.dataLim.get_points()), 0, 0
    else:
        array = item.get_array()
        rows, columns = (0, 0) if array is None else numpy.shape(array)[:2]
        yield item.get_window_extent(renderer).get_points(), rows, columns


def _mesh(item: QuadMesh) -> tuple[Any, int, int]:
    """Of cells; of a mesh whose values stand at its corners, as of curves and points, 0 rows and columns."""
    corners = numpy.asarray(item.get_coordinates())
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    points = item.get_transform().transform(corners.reshape(-1, 2))
    array = item.get_array()
    has_cells = array is None or numpy.size(array) != (rows + 1) * (columns + 1)
    return [points.min(axis=0), points.max(axis=0)], rows * has_cells, columns * has_cells


def _place(corners: Any, rows: int, columns: int, height: int) -> Place | None:
    if not numpy.isfinite(corners).all():
        return None
    (left, low), (right, high) = numpy.sort(numpy.asarray(corners, dtype=float), axis=0)
    return [float(left), float(height - high), float(right), float(height - low), int(rows), int(columns)]
