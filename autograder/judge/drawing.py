"""Figures of known mistakes and equivalents.

A third of a second of imports waits until one is made, and drawing until a judge looks at it: most mistakes are told
apart by their numbers.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(**options: Any) -> "Figure":
    """Figure(**options)."""
    from matplotlib.figure import Figure

    return Figure(**options)


def figure_when_shown(draw: "Callable[[Figure], object]", **options: Any) -> "Figure":
    """An empty Figure(**options) that `draw` fills when it is first rendered."""
    figure = new_figure(**options)

    def first(renderer: Any) -> None:
        del figure.draw  # the class's own from here on
        draw(figure)
        figure.draw(renderer)

    figure.draw = first  # type: ignore[method-assign]  # of this one figure
    return figure
