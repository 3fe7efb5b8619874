"""Nodes and arrows on axes: what all pictures of message passing are drawn with.

Node i receives from its row of `graph.indices`: an arrow runs from j to i.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.graphs import Graph
from fixmelab.pictures import plotting

Arrows = tuple[np.ndarray, np.ndarray]  # lines (E, 16, 2) and heads (E, 3, 2)


def check_positions(graph: Graph, positions: Tensor | ArrayLike) -> np.ndarray:
    """The positions as float64 (N, 2). Raises ValueError if their shape is another or one is not finite."""
    found = plotting.as_array(positions)
    if found.shape != (graph.num_nodes, 2) or not len(found):
        raise ValueError(f"the positions have shape {found.shape}: give ({graph.num_nodes}, 2), one place a node")
    if not np.isfinite(found).all():
        raise ValueError("some positions are nan or infinite")
    return found.astype(float)


def node_radius(count: int) -> float:
    """Of a node, in the units of positions: nodes cover about the same share of the page however many there are."""
    return 0.24 / max(count, 30) ** 0.5


def bent_arrows(
    places: np.ndarray, receivers: np.ndarray, sources: np.ndarray, radii: np.ndarray, head: float
) -> Arrows:
    """Arrows from sources to receivers (E,), bent to one side so that two directions lie apart; between a node and
    itself a loop. places: (N, 2), radii: (N,); the heads are `head` long."""
    a, b = places[sources], places[receivers]
    way = b - a
    length = np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    bend = np.minimum(0.16, 2 * radii[receivers, None] / length)  # long arrows keep nearly straight
    middle = (a + b) / 2 + bend * np.stack([-way[:, 1], way[:, 0]], 1)
    start = np.minimum(radii[sources, None] / length, 0.4)
    tip = 1 - np.minimum(radii[receivers, None] / length, 0.4)
    stop = np.maximum(tip - head / length, start + 0.05)

    def bezier(t: np.ndarray) -> np.ndarray:
        t = t[..., None]
        return (1 - t) ** 2 * a[:, None] + 2 * t * (1 - t) * middle[:, None] + t**2 * b[:, None]

    lines = bezier(start + (stop - start) * np.linspace(0, 1, 16))
    tips = bezier(tip)[:, 0]
    loops = np.flatnonzero(receivers == sources)
    if len(loops):
        # A circle that leaves the node on the side away from the middle of the picture.
        outward = np.arctan2(*(a[loops] - places.mean(0)).T[::-1])
        radius = radii[sources[loops], None]
        angles = np.linspace(0.48, 2 * np.pi - 0.48 - head / (1.2 * radius[:, 0]), 16).T
        angles = np.concatenate([angles, np.full((len(loops), 1), 2 * np.pi - 0.48)], 1) + outward[:, None] + np.pi
        centre = a[loops] + 1.9 * radius * np.stack([np.cos(outward), np.sin(outward)], 1)
        circle = centre[:, None] + 1.2 * radius[..., None] * np.stack([np.cos(angles), np.sin(angles)], 2)
        lines[loops], tips[loops] = circle[:, :-1], circle[:, -1]
    back = lines[:, -1] - tips
    back = back / np.maximum(np.linalg.norm(back, axis=1, keepdims=True), 1e-9) * head
    side = 0.45 * np.stack([-back[:, 1], back[:, 0]], 1)
    return lines, np.stack([tips, tips + back + side, tips + back - side], 1)


def draw_arrows(
    axes: Axes,
    arrows: Arrows,
    entries: np.ndarray,
    colours: object,
    width: float,
    zorder: int,
    dashes: object = "-",
) -> None:
    """Draw those arrows that `entries` number, in one colour and pattern or one of each an entry."""
    lines, heads = arrows
    axes.add_collection(
        LineCollection(lines[entries], colors=colours, lw=width, linestyles=dashes, capstyle="butt", zorder=zorder)
    )
    axes.add_collection(PolyCollection(heads[entries], facecolors=colours, lw=0, zorder=zorder))


def draw_nodes(axes: Axes, places: np.ndarray, radii: np.ndarray, colours: np.ndarray, zorder: int) -> None:
    """Draw discs at places (N, 2) with radii (N,) in colours (N,)."""
    axes.add_collection(
        EllipseCollection(
            2 * radii,
            2 * radii,
            np.zeros(len(radii)),
            units="xy",
            offsets=places,
            offset_transform=axes.transData,
            facecolors=[to_rgb(colour) for colour in colours],
            edgecolors="white",
            lw=1 if radii.max(initial=0) > 0.02 else 0.3,
            zorder=zorder,
        )
    )


def frame(axes: Axes, places: np.ndarray, radii: np.ndarray) -> None:
    """Let the axes show all nodes and their loops, and nothing of themselves."""
    margin = 3.2 * node_radius(len(radii))
    low, high = places.min(0) - margin, places.max(0) + margin
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.set_axis_off()
