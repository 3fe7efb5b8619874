"""Clouds of codes in a grid of small panels: rows are settings, columns are times."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.pictures import plotting


def show_clouds(
    clouds: Tensor | ArrayLike,
    kinds: Tensor | ArrayLike,
    column_titles: Sequence[str],
    row_titles: Sequence[str],
) -> plotting.Figure:
    """Clouds (R, C, N, 2), a panel each, all on one scale; points have the colour of their kind, (N,) integers.

    Raises ValueError if shapes or the numbers of titles do not fit.
    """
    points, colours = plotting.as_array(clouds), np.asarray(kinds, dtype=np.int64)
    if points.ndim != 4 or points.shape[3] != 2 or colours.shape != points.shape[2:3]:
        raise ValueError(f"the clouds have shape {points.shape}, the kinds {colours.shape}: give (R, C, N, 2) and (N,)")
    rows, columns = points.shape[:2]
    if (rows, columns) != (len(row_titles), len(column_titles)):
        raise ValueError(f"there are {rows} × {columns} clouds: give a title for each row and each column")
    reach = 1.05 * max(float(np.quantile(np.abs(points), 0.999)), 1e-6)
    with plotting.style():
        figure = plotting.Figure(figsize=(2.1 * columns + 0.6, 2.1 * rows + 0.4), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for row, line in enumerate(axes):
            for column, panel in enumerate(line):
                across, up = points[row, column].T
                shades = np.array(plotting.COLOURS)[colours % len(plotting.COLOURS)]
                panel.scatter(across, up, s=5, c=shades, alpha=0.6, lw=0)
                panel.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[0], yticks=[0])
                panel.tick_params(length=0, labelbottom=False, labelleft=False)
                if row == 0:
                    panel.set_title(column_titles[column], fontsize=11)
                if column == 0:
                    panel.set_ylabel(row_titles[row])
    return figure
