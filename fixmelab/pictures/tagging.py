"""What a tagger believes, word by word, and what it costs to sum over all taggings."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.pictures import plotting

SHADES = "Blues"


def plot_tags(
    panels: Mapping[str, Tensor | ArrayLike], words: Sequence[str], tag_names: Sequence[str]
) -> plotting.Figure:
    """Probabilities of tags as shaded tables, a panel each, under its title.

    panels: title → probabilities (N, V) of the first N words and all V tags; each word's most probable tag is framed.
    Raises ValueError if a shape does not fit, or a word's probabilities do not sum to 1.
    """
    tables = {title: plotting.as_array(table).astype(float) for title, table in panels.items()}
    for title, table in tables.items():
        if table.ndim != 2 or not 1 <= len(table) <= len(words) or table.shape[1] != len(tag_names):
            raise ValueError(f"{title!r} has shape {table.shape}: give (N, {len(tag_names)}), N ≤ {len(words)} words")
        if not np.allclose(table.sum(axis=1), 1, atol=1e-3):
            raise ValueError(f"{title!r}: the probabilities of the tags of a word do not sum to 1")
    widths = [len(table) for table in tables.values()]
    with plotting.style():
        size = (0.78 * sum(widths) + 1.4, 0.5 * len(tag_names) + 1.1)
        drawn = plotting.Figure(figsize=size, layout="constrained")
        row = drawn.subplots(1, len(tables), squeeze=False, width_ratios=widths, sharey=True)[0]
        for axes, (title, table) in zip(row, tables.items(), strict=True):
            axes.imshow(table.T, cmap=SHADES, vmin=0, vmax=1.15, aspect="auto")
            for word, probabilities in enumerate(table):
                best = int(probabilities.argmax())
                corner = word - 0.46, best - 0.46
                axes.add_patch(Rectangle(corner, 0.92, 0.92, fill=False, ec=plotting.LINES[1], lw=2))
                for tag, share in enumerate(probabilities):
                    axes.text(word, tag, f"{share:.2f}", ha="center", va="center", fontsize=9, color=_ink(share))
            axes.set_xticks(range(len(table)), words[: len(table)])
            axes.set_yticks(range(len(tag_names)), tag_names)
            axes.tick_params(length=0)
            axes.grid(False)
            axes.spines[:].set_visible(False)
            axes.set_title(title, fontsize=10.5)
    return drawn


def plot_costs(sizes: Iterable[int], costs: Mapping[str, Sequence[float]], xlabel: str) -> plotting.Figure:
    """Seconds over the size of a problem, on a logarithmic axis: `costs` maps a label to a number for each size.

    Raises ValueError if there are not as many seconds as sizes, or some are not positive.
    """
    across = list(sizes)
    with plotting.style():
        drawn = plotting.Figure(figsize=(6.5, 3.8), layout="constrained")
        axes = drawn.add_subplot()
        for index, (label, seconds) in enumerate(costs.items()):
            if len(seconds) != len(across) or not all(second > 0 for second in seconds):
                raise ValueError(f"{label!r} has {len(seconds)} costs for {len(across)} sizes: as many, all positive")
            axes.semilogy(across, seconds, "o-", ms=5, color=plotting.LINES[index % len(plotting.LINES)], label=label)
        low, high = axes.get_ylim()
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        axes.yaxis.set_major_locator(FixedLocator([10.0**decade for decade in decades]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(lambda value, _: _seconds(value))
        axes.set(xlabel=xlabel, ylabel="time", ylim=(low, high))
        axes.set_xticks(across)
        axes.legend()
    return drawn


def _ink(share: float) -> str:
    return "white" if share > 0.6 else plotting.INK


def _seconds(value: float) -> str:
    """A power of ten as a time that one can read."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= 0.999 * size:
            return f"{value / size:g} {unit}"
    return f"{value / 1e-9:g} ns"
