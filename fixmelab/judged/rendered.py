"""A figure as pixels, and where in it pictures were drawn: what a judge is shown of a plot.

Where pictures lie is told to the judge, what they show is not: that is looked at in the pixels.
"""

from typing import Any

import numpy
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import AxesImage, FigureImage, PcolorImage

MOST_PLACES = 2_000
# An image, a mesh or axes: left, top, right and bottom in pixels, then rows and columns of what was drawn, or 0 and 0.
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
        drawn.draw()
        shown = numpy.asarray(drawn.buffer_rgba())[..., :3].copy()
        height = shown.shape[0]
        artists = [item for item in figure.findobj(_may_show_a_picture) if item.get_visible()]
        places = [place for item in artists[:MOST_PLACES] if (place := _place(item, height)) is not None]
    finally:
        figure.dpi = dpi
        figure.set_canvas(canvas)
    return {"pixels": shown, "places": places}


def _may_show_a_picture(item: Artist) -> bool:
    return isinstance(item, AxesImage | FigureImage | PcolorImage | QuadMesh | Axes)


def _place(item: Any, height: int) -> Place | None:
    if isinstance(item, QuadMesh):
        corners = numpy.asarray(item.get_coordinates())
        rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
        points = item.get_transform().transform(corners.reshape(-1, 2))
        (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
    elif isinstance(item, FigureImage):
        rows, columns = numpy.asarray(item.get_array()).shape[:2]
        left, low = item.ox, item.oy
        right, high = left + columns, low + rows
    else:
        box = item.get_window_extent()
        left, low, right, high = box.xmin, box.ymin, box.xmax, box.ymax
        array = None if isinstance(item, Axes) else item.get_array()
        rows, columns = (0, 0) if array is None else numpy.shape(array)[:2]
    edges = [float(left), float(height - high), float(right), float(height - low)]
    return [*edges, int(rows), int(columns)] if numpy.isfinite(edges).all() else None
