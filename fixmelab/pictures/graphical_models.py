"""Drawings of graphical models: a directed one as arcs over a row of words, a factor graph as squares and circles."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from torch import Tensor

from fixmelab.pictures import plotting

WORD, TAG, FACTOR = "#d7e8f9", "#ffe3b0", plotting.INK  # fills of circles, and of squares
VARIABLE = re.compile(r"([wt])_?(\d+)")


def plot_arcs(panels: Mapping[str, Iterable[tuple[int, int]] | Tensor], words: Sequence[str]) -> plotting.Figure:
    """Directed graphical models over the same words, a panel each, under its title.

    panels: title → arcs (parent, child), numbers of words from 0 on. An arc is an arrow over the row of words; one that
    points back to an earlier word runs below it. Raises ValueError for an arc that joins no two different words.
    """
    count = len(words)
    found = {title: [_arc(arc, count) for arc in arcs] for title, arcs in panels.items()}
    backwards = any(parent > child for arcs in found.values() for parent, child in arcs)
    low, high = -1.0 - (0.27 * count if backwards else 0), 0.3 + 0.27 * count
    with plotting.style():
        size = (0.85 * count * len(found) + 0.6, 0.85 * (0.27 * count * (2 if backwards else 1) + 1.3) + 0.4)
        drawn = plotting.Figure(figsize=size, layout="constrained")
        for axes, (title, arcs) in zip(drawn.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
            for number, arc in enumerate(sorted(arcs, key=lambda arc: arc[0] - arc[1])):
                _draw_arc(axes, *arc, colour=plotting.LINES[arc[1] % len(plotting.LINES)], zorder=1 + number)
            for place, word in enumerate(words):
                _circle(axes, (place, 0), WORD, f"$w_{{{place + 1}}}$", 100)
                axes.text(place, -0.72, word, ha="center", va="center", fontsize=10, parse_math=False)
            axes.set(xlim=(-0.6, count - 0.4), ylim=(low, high), aspect="equal")
            axes.set_axis_off()
            axes.set_title(f"{title}: {len(arcs)} arcs", fontsize=11)
    return drawn


def plot_factor_graph(panels: Mapping[str, Iterable[Iterable[str]]]) -> plotting.Figure:
    """Factor graphs, a panel each, under its title. Circles are variables, squares are factors.

    panels: title → factors, each the names of the variables that it joins: `w1`, `w2`, … for words and `t1`, `t2`, …
    for tags. Raises ValueError for another name, or a factor without variables.
    """
    found = {title: [sorted(map(_variable, factor)) for factor in factors] for title, factors in panels.items()}
    for title, factors in found.items():
        if not factors or not all(factors):
            raise ValueError(f"{title!r} has no factors, or one without variables")
    everything = {variable for factors in found.values() for factor in factors for variable in factor}
    most = max(number for _, number in everything)
    low, high = -0.5 if any(kind == "w" for kind, _ in everything) else 0.8, 2.7
    with plotting.style():
        size = (0.95 * most * len(found) + 0.4, 0.95 * (high - low) + 0.4)
        drawn = plotting.Figure(figsize=size, layout="constrained")
        for axes, (title, factors) in zip(drawn.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
            _draw_factors(axes, factors)
            variables = {variable for factor in factors for variable in factor}
            axes.set_title(f"{title}: {len(variables)} variables, {len(factors)} factors", fontsize=11)
            axes.set(xlim=(0.5, most + 0.5), ylim=(low, high), aspect="equal")
            axes.set_axis_off()
    return drawn


def _arc(arc: Iterable[int] | Tensor, count: int) -> tuple[int, int]:
    ends = [int(end) for end in arc]
    if len(ends) != 2 or ends[0] == ends[1] or not all(0 <= end < count for end in ends):
        raise ValueError(f"{tuple(ends)} is no arc: give (parent, child), two different numbers from 0 to {count - 1}")
    return ends[0], ends[1]


def _draw_arc(axes: Axes, parent: int, child: int, colour: str, zorder: int) -> None:
    """An arch from one circle to the other; an arrow to the right-hand neighbour is straight."""
    arrow = FancyArrowPatch(
        (parent, 0),
        (child, 0),
        connectionstyle="arc3,rad=0" if child - parent == 1 else "arc3,rad=-0.5",
        arrowstyle="-|>",
        mutation_scale=12,
        shrinkA=11,
        shrinkB=12,
        color=colour,
        lw=1.4,
        zorder=zorder,
    )
    axes.add_patch(arrow)


def _variable(name: str) -> tuple[str, int]:
    match = VARIABLE.fullmatch(str(name))
    if match is None:
        raise ValueError(f"{name!r} is no variable: words are w1, w2, … and tags t1, t2, …")
    return match[1], int(match[2])


def _draw_factors(axes: Axes, factors: list[list[tuple[str, int]]]) -> None:
    """Tags in a row at the top, words in one at the bottom; a factor stands below its tags, or between them."""
    heights = {"t": 2.2, "w": 0.0}
    for number, factor in enumerate(factors):
        tags = [place for kind, place in factor if kind == "t"]
        across = float(np.mean(tags or [place for _, place in factor]))
        is_pair = len(factor) == 2 == len(tags)
        middle = (across, 2.2 if is_pair else 1.2)
        for kind, place in factor:
            ends = np.array([middle, (place, heights[kind])])
            colour = plotting.LINES[number % len(plotting.LINES)] if kind == "w" else plotting.INK
            axes.plot(*ends.T, color=colour, lw=1.3, zorder=1)
        axes.plot(*middle, "s", ms=11, color=FACTOR, zorder=3)
    for kind, place in {variable for factor in factors for variable in factor}:
        _circle(axes, (place, heights[kind]), TAG if kind == "t" else WORD, f"${kind}_{{{place}}}$", 2)


def _circle(axes: Axes, place: tuple[float, float], fill: str, label: str, zorder: int) -> None:
    axes.plot(*place, "o", ms=23, mfc=fill, mec=plotting.INK, mew=1.2, zorder=zorder)
    axes.text(*place, label, ha="center", va="center", fontsize=11, zorder=zorder + 1)
