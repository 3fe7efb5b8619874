"""The nodes and edges that a node hears from, hop by hop."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.graphs import Graph
from fixmelab.pictures import plotting
from fixmelab.pictures.graph_drawing import (
    bent_arrows,
    check_positions,
    draw_arrows,
    draw_nodes,
    frame,
    node_radius,
)

HOPS = ("#bd1f01", "#e76300", "#ffa90e", "#c9b458", "#94a4a2")  # the node, and the nodes 1, 2, … hops away
NODE, EDGE = "#d3d6db", "#e3e5e8"  # what no message comes from


def plot_neighborhood(
    graph: Graph,
    positions: Tensor | ArrayLike,
    node: int,
    *,
    depth: int = 2,
    sampled: Sequence[tuple[Tensor, Tensor]] | None = None,
    title: str | None = None,
) -> plotting.Figure:
    """The nodes and edges that `node` hears from through `depth` layers, coloured by hop, and the rest faint.

    positions: (N, 2). sampled: what a sampler drew, hop by hop from the node on, for each of the `depth` hops a pair
    (receivers, sources) of long tensors of one length; it gets a panel of its own, beside that of all neighbours.
    Each panel says how many nodes are touched, `node` among them. Raises ValueError if something does not fit.
    """
    places = check_positions(graph, positions)
    count = graph.num_nodes
    if not 0 <= node < count:
        raise ValueError(f"the node is {node}: give one between 0 and {count - 1}")
    if depth < 1:
        raise ValueError(f"depth is {depth}: give a whole number of at least 1")
    panels = {"all neighbours": _all_hops(graph, node, depth)}
    if sampled is not None:
        if len(sampled) != depth:
            raise ValueError(f"there are {len(sampled)} hops in `sampled` and depth is {depth}: give one pair a hop")
        panels["drawn neighbours"] = [_pair(pair, hop, count) for hop, pair in enumerate(sampled, 1)]
    with plotting.style():
        drawn = plotting.Figure(figsize=(5.4 * len(panels), 5.6 + (0.3 if title else 0)), layout="constrained")
        axes = drawn.subplots(1, len(panels), squeeze=False)[0]
        for panel, (name, hops) in zip(axes, panels.items(), strict=True):
            touched = _draw_hops(panel, graph, places, node, hops)
            panel.set_title(f"{name}: {touched} of {count} nodes touched", fontsize=11)
        handles = [_dot(_hop_colour(0), f"node {node}", 11)]
        handles += [_dot(_hop_colour(hop), f"{hop} hop{'s' * (hop > 1)}") for hop in range(1, depth + 1)]
        handles.append(_dot(NODE, "not touched"))
        drawn.legend(handles=handles, loc="outside lower center", ncols=len(handles), handletextpad=0.2, fontsize=10)
        if title:
            drawn.suptitle(title, fontsize=12)
    return drawn


def _pair(pair: tuple[Tensor, Tensor], hop: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    receivers, sources = (plotting.as_array(part) for part in pair)
    if receivers.ndim != 1 or receivers.shape != sources.shape:
        shapes = f"{receivers.shape} receivers and {sources.shape} sources"
        raise ValueError(f"hop {hop} of `sampled` has {shapes}: give two of the same (n,)")
    for part in (receivers, sources):
        if len(part) and (part.dtype.kind not in "iu" or part.min() < 0 or part.max() >= count):
            raise ValueError(f"hop {hop} of `sampled` must hold nodes, whole numbers between 0 and {count - 1}")
    return receivers.astype(np.int64), sources.astype(np.int64)


def _all_hops(graph: Graph, node: int, depth: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The entries (receivers, sources) of each hop: the whole rows of the nodes that the hop before reached first."""
    receivers, sources = graph.receivers.cpu().numpy(), graph.indices.cpu().numpy()
    reached = np.zeros(graph.num_nodes, bool)
    frontier = np.array([node])
    hops = []
    for _ in range(depth):
        reached[frontier] = True
        here = np.isin(receivers, frontier)
        hops.append((receivers[here], sources[here]))
        frontier = np.unique(sources[here][~reached[sources[here]]])
    return hops


def _draw_hops(
    axes: Axes, graph: Graph, places: np.ndarray, node: int, hops: list[tuple[np.ndarray, np.ndarray]]
) -> int:
    """Draw the graph and its hops; how many nodes are touched."""
    count = graph.num_nodes
    distance = np.full(count, -1)
    distance[node] = 0
    for hop, (_, sources) in enumerate(hops, 1):
        distance[sources[distance[sources] < 0]] = hop
    touched = distance >= 0
    size = max(node_radius(count), 0.014)  # of what is touched, which is to be seen among thousands
    radii = np.where(distance == 0, 1.7 * size, np.where(touched, size, 0.75 * node_radius(count)))
    receivers, sources = graph.receivers.cpu().numpy(), graph.indices.cpu().numpy()
    silent = np.setdiff1d(_keys(receivers, sources, count), np.concatenate([_keys(*pair, count) for pair in hops]))
    lines = places[np.stack([silent // count, silent % count], 1)]
    axes.add_collection(LineCollection(lines, colors=EDGE, lw=1 if count <= 200 else 0.3, zorder=0))
    for hop in range(len(hops), 0, -1):  # the nearest on top
        to, from_ = hops[hop - 1]
        arrows = bent_arrows(places, to, from_, radii, 0.75 * size)
        width = (2.2 if hop == 1 else 1.4) * (1 if count <= 200 else 0.7)
        draw_arrows(axes, arrows, np.arange(len(to)), _hop_colour(hop), width, 10 - hop)
    colours = np.array([_hop_colour(hop) if hop >= 0 else NODE for hop in distance])
    draw_nodes(axes, places[~touched], radii[~touched], colours[~touched], 1)
    draw_nodes(axes, places[touched], radii[touched], colours[touched], 11)
    frame(axes, places, radii)
    return int(touched.sum())


def _keys(receivers: np.ndarray, sources: np.ndarray, count: int) -> np.ndarray:
    """One number for each pair of nodes, whichever receives."""
    return np.minimum(receivers, sources) * count + np.maximum(receivers, sources)


def _dot(colour: str, label: str, size: float = 8) -> Line2D:
    return Line2D([], [], ls="", marker="o", ms=size, mfc=colour, mec="white", label=label)


def _hop_colour(hop: int) -> str:
    return HOPS[min(hop, len(HOPS) - 1)]
