"""A graph whose arrows are coloured by how probable a sampler makes them: the scene, and one picture of it.

`q` holds q(j | i) for each entry of `graph.indices`, in its order, and sums to 1 over each row; 1 / N(i) is uniform.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.graphs import Graph
from fixmelab.pictures import plotting
from fixmelab.pictures.graph_drawing import (
    Arrows,
    bent_arrows,
    check_positions,
    draw_arrows,
    draw_nodes,
    frame,
    node_radius,
)

# None of the first classes' colours; grey where a neighbour is as probable as any other.
FAVOUR = LinearSegmentedColormap.from_list("favour", ["#0b7a6f", "#74bdb3", "#bfc3c9", "#b07fd0", "#5b1790"])
LEAST, MOST = 1 / 4, 4.0  # of q(j | i) · N(i); beyond, the colour stays the same
SCALE = "q(j given i) · N(i)"  # 1 where q is uniform
DASHED = (0, (2.2, 1.6))


def plot_edge_probabilities(
    graph: Graph,
    positions: Tensor | ArrayLike,
    labels: Tensor | ArrayLike,
    q: Tensor | ArrayLike,
    *,
    is_noise: Tensor | ArrayLike | None = None,
    drawn: Tensor | ArrayLike | None = None,
    title: str | None = None,
) -> plotting.Figure:
    """Each entry of the graph as an arrow from j to i, coloured by q(j | i) · N(i): 1 where q is uniform.

    positions: (N, 2); labels: (N,) integers, by which nodes have a colour and a white centre, small, large or none;
    q: (E,). is_noise: (E,) bool, those entries are dashed; drawn: the places in `graph.indices` of entries that a
    sampler drew, which are thick.
    Raises ValueError if something does not fit, or q is no probability over each row.
    """
    scene = Scene(graph, positions, labels, is_noise)
    with plotting.style():
        figure = plotting.Figure(figsize=(7, 6 + (0.3 if title else 0)), layout="constrained")
        axes = figure.add_subplot()
        scene.draw(axes, scene.check_q(q), None if drawn is None else _entries(drawn, graph.num_edges))
        colour_bar(figure, [axes])
        handles = line_handles(is_noise is not None, drawn is not None)
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=10)
        if title:
            figure.suptitle(title, fontsize=12)
    return figure


def _entries(drawn: Tensor | ArrayLike, count: int) -> np.ndarray:
    found = plotting.as_array(drawn).ravel()
    if len(found) and (found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= count):
        raise ValueError(f"`drawn` must hold places of entries, whole numbers between 0 and {count - 1}")
    return found.astype(np.int64)


class Scene:
    """A graph that has its place on the page, so that only what changes is drawn anew."""

    def __init__(
        self,
        graph: Graph,
        positions: Tensor | ArrayLike,
        labels: Tensor | ArrayLike,
        is_noise: Tensor | ArrayLike | None,
    ) -> None:
        self.graph = graph.to("cpu")
        self.places = check_positions(graph, positions)
        classes = plotting.as_array(labels)
        if classes.shape != (graph.num_nodes,) or classes.dtype.kind not in "iu" or (classes < 0).any():
            raise ValueError(f"the labels have shape {classes.shape}: give ({graph.num_nodes},) integers from 0 on")
        self.colours = np.array(plotting.COLOURS)[classes % len(plotting.COLOURS)]
        self.holes = 0.25 * (classes % 3)  # of each node's radius, white: classes are told apart without colour, too
        self.noise = None if is_noise is None else plotting.as_array(is_noise)
        if self.noise is not None and (self.noise.shape != (graph.num_edges,) or self.noise.dtype != bool):
            raise ValueError(f"is_noise has shape {self.noise.shape}: give ({graph.num_edges},) bool, one an entry")
        self.receivers, self.sources = self.graph.receivers.numpy(), self.graph.indices.numpy()
        self.degrees = self.graph.degrees.numpy()
        radius = node_radius(graph.num_nodes)
        self.radii = np.full(graph.num_nodes, radius)
        self.thin = bent_arrows(self.places, self.receivers, self.sources, self.radii, 0.6 * radius)
        self.thick = bent_arrows(self.places, self.receivers, self.sources, self.radii, 0.95 * radius)

    def check_q(self, q: Tensor | ArrayLike, name: str = "q") -> np.ndarray:
        """q (E,) as float64. Raises ValueError if it is no probability over each row."""
        values = plotting.as_array(q).astype(float)
        if values.shape != self.receivers.shape:
            raise ValueError(f"{name} has shape {values.shape}: give ({len(self.receivers)},), one value an entry")
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise ValueError(f"{name} has values that are nan, infinite or below 0: give probabilities")
        sums = np.bincount(self.receivers, values, len(self.degrees))
        wrong = np.flatnonzero((np.abs(sums - 1) > 1e-3) & (self.degrees > 0))
        if len(wrong):
            raise ValueError(f"{name} sums to {sums[wrong[0]]:.4g} over the neighbours of node {wrong[0]}: must be 1")
        return values

    def draw(self, axes: Axes, q: np.ndarray, drawn: np.ndarray | None = None, scale: float = 1.0) -> None:
        """Draw the arrows by q (E,) and over them the nodes. `drawn`: the entries whose arrows are thick.

        scale: of the lines' widths, for panels that are smaller.
        """
        scale *= min(1.0, (150 / len(self.radii)) ** 0.5)
        relative = np.clip(q * self.degrees[self.receivers], LEAST, MOST)
        chosen = np.zeros(len(q), bool)
        if drawn is not None:
            chosen[drawn] = True
        # What is favoured lies over what is not.
        order = relative.argsort(kind="stable")
        thin, thick = order[~chosen[order]], order[chosen[order]]
        self._draw_arrows(axes, self.thin, thin, relative, (1.3 if drawn is None else 0.8) * scale, 1)
        self._draw_arrows(axes, self.thick, thick, relative, 3 * scale, 2)
        draw_nodes(axes, self.places, self.radii, self.colours, 3)
        holed = self.holes > 0
        white = np.full(holed.sum(), "white")
        draw_nodes(axes, self.places[holed], (self.holes * self.radii)[holed], white, 4)
        frame(axes, self.places, self.radii)

    def _draw_arrows(
        self,
        axes: Axes,
        arrows: Arrows,
        entries: np.ndarray,
        relative: np.ndarray,
        width: float,
        zorder: int,
    ) -> None:
        colours = FAVOUR(LogNorm(LEAST, MOST)(relative[entries]))
        dashed = self.noise is not None and self.noise[entries]
        dashes = [DASHED if here else "-" for here in np.broadcast_to(dashed, len(entries))]
        draw_arrows(axes, arrows, entries, colours, width, zorder, dashes)

    def draws(self, q: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """The entry that each of the numbers (N, k) in [0, 1) picks of its node's row by q: (R, k), R rows not empty.

        The inverse of the cumulated q, for all rows at once: row i covers [i, i + 1).
        """
        starts = self.graph.indptr.numpy()
        full = np.flatnonzero(self.degrees)
        sums = np.bincount(self.receivers, q, len(self.degrees))
        cumulated = np.cumsum(q / sums[self.receivers])
        before = np.concatenate([[0.0], cumulated])[starts[:-1]]
        ends = cumulated - before[self.receivers] + self.receivers
        found = np.searchsorted(ends, full[:, None] + numbers[full], side="right")
        return np.clip(found, starts[full, None], starts[full + 1, None] - 1)


def colour_bar(figure: plotting.Figure, axes: list[Axes], own: bool = False) -> None:
    """Show what the colours of arrows say.

    `own`: the bar fills the axes that are given; otherwise it stands beside them.
    """
    scale = ScalarMappable(LogNorm(LEAST, MOST), FAVOUR)
    where = {"cax": axes[0]} if own else {"ax": axes, "shrink": 0.8, "aspect": 30, "pad": 0.01}
    bar = figure.colorbar(scale, extend="both", **where)
    bar.set_ticks([1 / 4, 1 / 2, 1, 2, 4], labels=["¼", "½", "1", "2", "4"], minor=False)
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label(f"{SCALE}    (1: uniform)")
    bar.outline.set_visible(False)


def line_handles(noise: bool, drawn: bool) -> list[Line2D]:
    """For the legend: what dashed and what thick arrows are, if the picture has such."""
    handles = []
    if noise:
        handles.append(Line2D([], [], color=plotting.INK, lw=1.3, label="signal"))
        handles.append(Line2D([], [], color=plotting.INK, lw=1.3, ls=DASHED, label="noise"))
    if drawn:
        handles.append(Line2D([], [], color=plotting.INK, lw=3, label="drawn"))
    return handles
