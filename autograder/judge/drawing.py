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
    """An empty Figure(**options) that `draw` fills when a judge first looks at it, who sees no ticks."""
    figure = new_figure(**options)

    def first(renderer: Any) -> None:
        from fixmelab.judged.rendered import without_ticks

        del figure.draw  # the class's own from here on
        draw(figure)
        with without_ticks(figure):
            figure.draw(renderer)

    figure.draw = first  # type: ignore[method-assign]  # of this one figure
    return figure
