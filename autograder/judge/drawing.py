"""Figures of known mistakes, which are drawn only if a judge looks at them: most are told apart by their numbers."""

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure


def figure_when_shown(draw: Callable[[Figure], object], **options: Any) -> Figure:
    """An empty Figure(**options) that `draw` fills when it is first rendered."""
    figure = Figure(**options)

    def first(renderer: Any) -> None:
        del figure.draw  # the class's own from here on
        draw(figure)
        figure.draw(renderer)

    figure.draw = first  # type: ignore[method-assign]  # of this one figure
    return figure
