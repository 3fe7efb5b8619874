"""Pictures of message passing on graphs, and a slider over the training of a sampler.

Node i receives from its row of `graph.indices`: an arrow runs from j to i. `q` holds q(j | i) for each entry of
`graph.indices`, in its order, and sums to 1 over each row; 1 / N(i) is uniform.
"""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.environment import is_watched
from fixmelab.graphs import Graph
from fixmelab.pictures import plotting

HOPS = ("#bd1f01", "#e76300", "#ffa90e", "#c9b458", "#94a4a2")  # the node, and the nodes 1, 2, … hops away
NODE, EDGE = "#d3d6db", "#e3e5e8"  # what no message comes from
# None of the first classes' colours; grey where a neighbour is as probable as any other.
FAVOUR = LinearSegmentedColormap.from_list("favour", ["#0b7a6f", "#74bdb3", "#bfc3c9", "#b07fd0", "#5b1790"])
LEAST, MOST = 1 / 4, 4.0  # of q(j | i) · N(i); beyond, the colour stays the same
SCALE = "q(j given i) · N(i)"  # 1 where q is uniform
DASHED = (0, (2.2, 1.6))
MOST_DRAWS = 10  # a node, on the slider
WIDTH, HEIGHT = 700, 600  # pixels of the slider's picture


def graph_layout(graph: Graph, seed: int = 0) -> Tensor:
    """A place for each node, neighbours close to each other: (N, 2) float32 in [-1, 1].

    Fruchterman and Reingold, "Graph drawing by force-directed placement" (1991), with a pull to the middle that keeps
    what is not connected in the picture. Of some starts for a small graph the one is taken whose edges keep clear of
    the other nodes. The memory grows as N²: for some thousands of nodes at most.
    """
    count = graph.num_nodes
    receivers, sources = graph.receivers.cpu(), graph.indices.cpu()
    tied = torch.zeros(count, count)
    tied[receivers, sources] = tied[sources, receivers] = 1
    tied.fill_diagonal_(0)
    random = torch.Generator().manual_seed(seed)
    starts = 8 if count <= 100 else 1
    found = [_settled(torch.rand(count, 2, generator=random) * 2 - 1, tied) for _ in range(starts)]
    return min(found, key=lambda places: _crowding(places, tied)) if starts > 1 else found[0]


def _settled(places: Tensor, tied: Tensor) -> Tensor:
    """Where the forces lead from `places`; tied: (N, N), 1 between neighbours."""
    count = len(places)
    ideal = 2 / max(count, 1) ** 0.5
    steps = 200 if count <= 200 else 100
    for step in range(steps):
        apart = torch.cdist(places, places).clamp(min=0.01 * ideal)
        # Each force over the distance, so that two products give all the displacements. The pull of 4 holds the pushes
        # of all N in a disc of radius 1.
        pushes = (ideal / apart) ** 2 - tied * apart / ideal
        moves = places * pushes.sum(1, keepdim=True) - pushes @ places - 4 * places
        furthest = 0.2 * (1 - step / steps)
        lengths = moves.norm(dim=1, keepdim=True).clamp(min=1e-9)
        places = places + moves / lengths * lengths.clamp(max=furthest)
    if not count:
        return places
    places = places - (places.amax(0) + places.amin(0)) / 2
    return (places / places.abs().amax(0).clamp(min=1e-9)).clamp(-1, 1)


def _crowding(places: Tensor, tied: Tensor) -> float:
    """How close edges come to nodes that they do not join: the sum over pairs of 1 / distance²."""
    a, b = tied.triu().nonzero(as_tuple=True)
    start, way = places[a], places[b] - places[a]
    from_start = places[:, None] - start
    along = ((from_start * way).sum(2) / way.square().sum(1).clamp(min=1e-9)).clamp(0, 1)
    gaps = (from_start - along[..., None] * way).square().sum(2).clamp(min=1e-4)
    every = torch.arange(len(places))[:, None]
    return float((1 / gaps)[(every != a) & (every != b)].sum())


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
    Each panel says how many nodes are touched, `node` among them. Raises ValueError where something does not fit.
    """
    places = _places(graph, positions)
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

    positions: (N, 2); labels: (N,) integers, which colour the nodes; q: (E,). is_noise: (E,) bool, those entries are
    dashed; drawn: the places in `graph.indices` of entries that a sampler drew, which are thick.
    Raises ValueError where something does not fit, or q is no probability over each row.
    """
    scene = _Scene(graph, positions, labels, is_noise)
    with plotting.style():
        figure = plotting.Figure(figsize=(7, 6 + (0.3 if title else 0)), layout="constrained")
        axes = figure.add_subplot()
        scene.draw(axes, scene.check_q(q), None if drawn is None else _entries(drawn, graph.num_edges))
        _colour_bar(figure, [axes])
        handles = _line_handles(is_noise is not None, drawn is not None)
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=10)
        if title:
            figure.suptitle(title, fontsize=12)
    return figure


def sampler_slider(
    graph: Graph,
    positions: Tensor | ArrayLike,
    labels: Tensor | ArrayLike,
    history: Mapping[int, Tensor | ArrayLike],
    *,
    is_noise: Tensor | ArrayLike | None = None,
    seed: int = 0,
) -> object:
    """`plot_edge_probabilities` under a slider over epochs, one over k, and a button that draws again.

    history: an epoch, and its q (E,). For each node k neighbours are drawn from q with replacement. The random numbers
    stay the same until the button is pressed, so that a slider shows its own effect alone.
    Where nobody can move a slider (in grading, and on the smoke budget), what comes back is a figure of the first, the
    middle and the last epoch. Raises ValueError where something does not fit.
    """
    scene = _Scene(graph, positions, labels, is_noise)
    if not history:
        raise ValueError("the history is empty: give at least one epoch and its q")
    epochs = {epoch: scene.check_q(history[epoch], f"q of epoch {epoch}") for epoch in sorted(history)}
    return _slider(scene, epochs, seed) if is_watched() else _static(scene, epochs)


def plot_accuracies(
    accuracies: Mapping[str, Mapping[int, Tensor | ArrayLike]],
    *,
    ylabel: str = "accuracy on the test nodes",
    title: str | None = None,
) -> plotting.Figure:
    """For each k the accuracy of each seed as a point, with the mean and its standard error, name beside name.

    accuracies: a name, and for each k the accuracies (seeds,). Of exactly two names the second's mean minus the
    first's stands above each k that both have, with its standard error.
    Raises ValueError where there is nothing to draw or a shape is another.
    """
    found = {name: {k: _accuracies(name, k, given[k]) for k in sorted(given)} for name, given in accuracies.items()}
    ks = sorted({k for given in found.values() for k in given})
    if not ks:
        raise ValueError("there are no accuracies: give a mapping of a name to a mapping of k to (seeds,) accuracies")
    every = np.concatenate([values for given in found.values() for values in given.values()])
    decimals = 3 if np.abs(every).max() <= 1.5 else 1
    apart = min(0.3, 0.7 / len(found))
    with plotting.style():
        drawn = plotting.Figure(figsize=(max(5.0, 2.2 + 1.25 * len(ks)), 4.2), layout="constrained")
        axes = drawn.add_subplot()
        for index, (name, given) in enumerate(found.items()):
            colour = plotting.LINES[index % len(plotting.LINES)]
            shift = (index - (len(found) - 1) / 2) * apart
            for k, values in given.items():
                x = ks.index(k) + shift
                spread = np.linspace(-0.28, 0.28, len(values)) * apart if len(values) > 1 else np.zeros(1)
                axes.plot(x + spread, values, "o", ms=4.5, color=colour, alpha=0.45, mew=0)
                axes.errorbar(x, values.mean(), _error(values), fmt="none", color=colour, lw=2, capsize=4, zorder=4)
                axes.plot([x - 0.42 * apart, x + 0.42 * apart], [values.mean()] * 2, color=colour, lw=2.5, zorder=4)
            axes.plot([], [], "o-", color=colour, ms=5, label=name)
        low, high = float(every.min()), float(every.max())
        height = (high - low) or 0.1 * abs(high) or 1.0
        if len(found) == 2:
            (first, ours), (second, theirs) = found.items()
            for place, k in enumerate(ks):
                if k in ours and k in theirs:
                    text = _difference(ours[k], theirs[k], decimals)
                    axes.text(place, high + 0.08 * height, text, ha="center", va="bottom", fontsize=9)
            axes.plot([], [], " ", label=f"numbers: {second} − {first}")
        axes.set(xticks=range(len(ks)), xlim=(-0.6, len(ks) - 0.4), xlabel="k, neighbours drawn for a node")
        axes.set_xticklabels([str(k) for k in ks])
        axes.set(ylabel=ylabel, ylim=(low - 0.08 * height, high + (0.3 if len(found) == 2 else 0.08) * height))
        axes.xaxis.grid(False)
        drawn.legend(loc="outside lower center", ncols=len(found) + 1, fontsize=10)
        axes.set_title(title or "", loc="left")
    return drawn


def plot_convergence(
    ks: Tensor | ArrayLike,
    error: Tensor | ArrayLike,
    line: Tensor | ArrayLike,
    *,
    labels: tuple[str, str] = ("measured", "theory"),
    xlabel: str = "k, neighbours drawn for a node",
    ylabel: str = "mean squared error",
    title: str | None = None,
) -> plotting.Figure:
    """Errors measured at each k as points, and what theory says as a line, both axes logarithmic.

    ks, error, line: (K,), all positive. Raises ValueError where they are not.
    """
    across, points, theory = (_array(values).astype(float) for values in (ks, error, line))
    if across.ndim != 1 or not len(across) or not across.shape == points.shape == theory.shape:
        shapes = f"{across.shape} ks, {points.shape} errors and {theory.shape} of the line"
        raise ValueError(f"there are {shapes}: give (K,) of each, K ≥ 1")
    if not all((values > 0).all() and np.isfinite(values).all() for values in (across, points, theory)):
        raise ValueError("ks, errors and the line must be finite and above 0: the axes are logarithmic")
    with plotting.style():
        drawn = plotting.Figure(figsize=(6, 4), layout="constrained")
        axes = drawn.add_subplot()
        order = across.argsort()
        axes.plot(across[order], theory[order], color=plotting.LINES[1], label=labels[1])
        axes.plot(across, points, "o", ms=7, color=plotting.LINES[0], mec="white", mew=1, label=labels[0])
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        axes.set_xticks(across, [f"{k:g}" for k in across])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.legend()
        axes.set_title(title or "", loc="left")
    return drawn


class _Scene:
    """A graph that has its place on the page, so that only what changes is drawn anew."""

    def __init__(
        self,
        graph: Graph,
        positions: Tensor | ArrayLike,
        labels: Tensor | ArrayLike,
        is_noise: Tensor | ArrayLike | None,
    ) -> None:
        self.graph = graph.to("cpu")
        self.places = _places(graph, positions)
        classes = _array(labels)
        if classes.shape != (graph.num_nodes,) or classes.dtype.kind not in "iu" or (classes < 0).any():
            raise ValueError(f"the labels have shape {classes.shape}: give ({graph.num_nodes},) integers from 0 on")
        self.colours = np.array(plotting.COLOURS)[classes % len(plotting.COLOURS)]
        self.noise = None if is_noise is None else _array(is_noise)
        if self.noise is not None and (self.noise.shape != (graph.num_edges,) or self.noise.dtype != bool):
            raise ValueError(f"is_noise has shape {self.noise.shape}: give ({graph.num_edges},) bool, one an entry")
        self.receivers, self.sources = self.graph.receivers.numpy(), self.graph.indices.numpy()
        self.degrees = self.graph.degrees.numpy()
        radius = _radius(graph.num_nodes)
        self.radii = np.full(graph.num_nodes, radius)
        self.thin = _arrows(self.places, self.receivers, self.sources, self.radii, 0.6 * radius)
        self.thick = _arrows(self.places, self.receivers, self.sources, self.radii, 0.95 * radius)

    def check_q(self, q: Tensor | ArrayLike, name: str = "q") -> np.ndarray:
        """q (E,) as float64. Raises ValueError where it is no probability over each row."""
        values = _array(q).astype(float)
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
        """scale: of the lines' widths, for panels that are smaller."""
        scale *= min(1.0, (150 / len(self.radii)) ** 0.5)
        relative = np.clip(q * self.degrees[self.receivers], LEAST, MOST)
        chosen = np.zeros(len(q), bool)
        if drawn is not None:
            chosen[drawn] = True
        # What is favoured lies over what is not.
        order = relative.argsort(kind="stable")
        thin, thick = order[~chosen[order]], order[chosen[order]]
        self._strokes(axes, self.thin, thin, relative, (1.3 if drawn is None else 0.8) * scale, 1)
        self._strokes(axes, self.thick, thick, relative, 3 * scale, 2)
        _nodes(axes, self.places, self.radii, self.colours, 3)
        _frame(axes, self.places, self.radii)

    def _strokes(
        self,
        axes: Axes,
        arrows: tuple[np.ndarray, np.ndarray],
        entries: np.ndarray,
        relative: np.ndarray,
        width: float,
        zorder: int,
    ) -> None:
        colours = FAVOUR(LogNorm(LEAST, MOST)(relative[entries]))
        dashed = self.noise is not None and self.noise[entries]
        dashes = [DASHED if here else "-" for here in np.broadcast_to(dashed, len(entries))]
        _strokes(axes, arrows, entries, colours, width, zorder, dashes)

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


def _static(scene: _Scene, epochs: dict[int, np.ndarray]) -> plotting.Figure:
    names = list(epochs)
    shown = [names[k] for k in np.unique([0, len(names) // 2, len(names) - 1])]
    with plotting.style():
        figure = plotting.Figure(figsize=(4.4 * len(shown) + 0.8, 4.8), layout="constrained")
        axes = figure.subplots(1, len(shown), squeeze=False)[0]
        for panel, epoch in zip(axes, shown, strict=True):
            scene.draw(panel, epochs[epoch], scale=0.8)
            panel.set_title(_epoch_text(scene, epoch, epochs[epoch]), fontsize=11)
        _colour_bar(figure, list(axes))
        handles = _line_handles(scene.noise is not None, False)
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=10)
    return figure


def _slider(scene: _Scene, epochs: dict[int, np.ndarray], seed: int) -> object:
    import ipywidgets  # here: only who looks needs it

    picture = ipywidgets.Image(format="png", width=WIDTH, height=HEIGHT)
    caption = ipywidgets.HTML()
    layout, narrow = ipywidgets.Layout(width="330px"), {"description_width": "4em"}
    which = ipywidgets.SelectionSlider(
        options=[(str(epoch), epoch) for epoch in epochs], description="epoch", layout=layout, style=narrow
    )
    draws = ipywidgets.IntSlider(1, 1, MOST_DRAWS, description="k", layout=layout, style=narrow)
    again = ipywidgets.Button(description="draw again")
    random = np.random.default_rng(seed)
    numbers = random.random((scene.graph.num_nodes, MOST_DRAWS))

    def show(_: object = None) -> None:
        q = epochs[which.value]
        entries = scene.draws(q, numbers[:, : draws.value])
        picture.value = _png(scene, q, np.unique(entries))
        text = f"{_epoch_text(scene, which.value, q)}; {entries.size} draws"
        if scene.noise is not None and entries.size:
            text += f", {scene.noise[entries].mean():.0%} of them noise"
        caption.value = text

    def redraw(_: object) -> None:
        random.random(out=numbers)
        show()

    which.observe(show, "value")
    draws.observe(show, "value")
    again.on_click(redraw)
    show()
    return ipywidgets.VBox([ipywidgets.HBox([which, draws, again]), picture, caption])


def _png(scene: _Scene, q: np.ndarray, drawn: np.ndarray) -> bytes:
    with plotting.style():
        figure = plotting.Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
        # Fixed places: a layout that adapts costs as much again as the drawing.
        axes = figure.add_axes((0.01, 0.06, 0.83, 0.93))
        scene.draw(axes, q, drawn)
        _colour_bar(figure, [figure.add_axes((0.87, 0.16, 0.025, 0.72))], own=True)
        handles = _line_handles(scene.noise is not None, True)
        figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=10)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _epoch_text(scene: _Scene, epoch: int, q: np.ndarray) -> str:
    """The epoch, and the share of q that falls on noise, on average over the nodes."""
    if scene.noise is None or not scene.degrees.any():
        return f"epoch {epoch}"
    return f"epoch {epoch}: {q[scene.noise].sum() / (scene.degrees > 0).sum():.0%} of q on noise"


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
    size = max(_radius(count), 0.014)  # of what is touched, which is to be seen among thousands
    radii = np.where(distance == 0, 1.7 * size, np.where(touched, size, 0.75 * _radius(count)))
    receivers, sources = graph.receivers.cpu().numpy(), graph.indices.cpu().numpy()
    silent = np.setdiff1d(_keys(receivers, sources, count), np.concatenate([_keys(*pair, count) for pair in hops]))
    lines = places[np.stack([silent // count, silent % count], 1)]
    axes.add_collection(LineCollection(lines, colors=EDGE, lw=1 if count <= 200 else 0.3, zorder=0))
    for hop in range(len(hops), 0, -1):  # the nearest on top
        to, from_ = hops[hop - 1]
        arrows = _arrows(places, to, from_, radii, 0.75 * size)
        width = (2.2 if hop == 1 else 1.4) * (1 if count <= 200 else 0.7)
        _strokes(axes, arrows, np.arange(len(to)), _hop_colour(hop), width, 10 - hop)
    colours = np.array([_hop_colour(hop) if hop >= 0 else NODE for hop in distance])
    _nodes(axes, places[~touched], radii[~touched], colours[~touched], 1)
    _nodes(axes, places[touched], radii[touched], colours[touched], 11)
    _frame(axes, places, radii)
    return int(touched.sum())


def _keys(receivers: np.ndarray, sources: np.ndarray, count: int) -> np.ndarray:
    """One number for each pair of nodes, whichever receives."""
    return np.minimum(receivers, sources) * count + np.maximum(receivers, sources)


def _arrows(
    places: np.ndarray, receivers: np.ndarray, sources: np.ndarray, radii: np.ndarray, head: float
) -> tuple[np.ndarray, np.ndarray]:
    """Arrows from sources to receivers, bent to one side so that two directions lie apart; between a node and itself
    a loop. The lines (E, 16, 2) and the heads (E, 3, 2), which are `head` long."""
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


def _strokes(
    axes: Axes,
    arrows: tuple[np.ndarray, np.ndarray],
    entries: np.ndarray,
    colours: object,
    width: float,
    zorder: int,
    dashes: object = "-",
) -> None:
    lines, heads = arrows
    axes.add_collection(
        LineCollection(lines[entries], colors=colours, lw=width, linestyles=dashes, capstyle="butt", zorder=zorder)
    )
    axes.add_collection(PolyCollection(heads[entries], facecolors=colours, lw=0, zorder=zorder))


def _nodes(axes: Axes, places: np.ndarray, radii: np.ndarray, colours: np.ndarray, zorder: int) -> None:
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


def _frame(axes: Axes, places: np.ndarray, radii: np.ndarray) -> None:
    margin = 3.2 * _radius(len(radii))  # room for loops
    low, high = places.min(0) - margin, places.max(0) + margin
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.set_axis_off()


def _colour_bar(figure: plotting.Figure, axes: list[Axes], own: bool = False) -> None:
    """`own`: the bar fills the axes that are given; otherwise it stands beside them."""
    scale = ScalarMappable(LogNorm(LEAST, MOST), FAVOUR)
    where = {"cax": axes[0]} if own else {"ax": axes, "shrink": 0.8, "aspect": 30, "pad": 0.01}
    bar = figure.colorbar(scale, extend="both", **where)
    bar.set_ticks([1 / 4, 1 / 2, 1, 2, 4], labels=["¼", "½", "1", "2", "4"], minor=False)
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label(f"{SCALE}    (1: uniform)")
    bar.outline.set_visible(False)


def _line_handles(noise: bool, drawn: bool) -> list[Line2D]:
    handles = []
    if noise:
        handles.append(Line2D([], [], color=plotting.INK, lw=1.3, label="signal"))
        handles.append(Line2D([], [], color=plotting.INK, lw=1.3, ls=DASHED, label="noise"))
    if drawn:
        handles.append(Line2D([], [], color=plotting.INK, lw=3, label="drawn"))
    return handles


def _dot(colour: str, label: str, size: float = 8) -> Line2D:
    return Line2D([], [], ls="", marker="o", ms=size, mfc=colour, mec="white", label=label)


def _hop_colour(hop: int) -> str:
    return HOPS[min(hop, len(HOPS) - 1)]


def _radius(count: int) -> float:
    """Of a node, in the units of positions: nodes cover about the same share of the page however many there are."""
    return 0.24 / max(count, 30) ** 0.5


def _difference(first: np.ndarray, second: np.ndarray, decimals: int) -> str:
    text = f"{second.mean() - first.mean():+.{decimals}f}".replace("-", "−")
    if min(len(first), len(second)) > 1:
        text += f"\n± {float(np.hypot(_error(first), _error(second))):.{decimals}f}"
    return text


def _error(values: np.ndarray) -> float:
    """The standard error of the mean; 0 where one value says nothing about it."""
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0


def _accuracies(name: str, k: int, values: Tensor | ArrayLike) -> np.ndarray:
    found = _array(values).astype(float)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise ValueError(f"the accuracies of {name!r} at k = {k} have shape {found.shape}: give (seeds,), all finite")
    return found


def _pair(pair: tuple[Tensor, Tensor], hop: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    receivers, sources = (_array(part) for part in pair)
    if receivers.ndim != 1 or receivers.shape != sources.shape:
        shapes = f"{receivers.shape} receivers and {sources.shape} sources"
        raise ValueError(f"hop {hop} of `sampled` has {shapes}: give two of the same (n,)")
    for part in (receivers, sources):
        if len(part) and (part.dtype.kind not in "iu" or part.min() < 0 or part.max() >= count):
            raise ValueError(f"hop {hop} of `sampled` must hold nodes, whole numbers between 0 and {count - 1}")
    return receivers.astype(np.int64), sources.astype(np.int64)


def _entries(drawn: Tensor | ArrayLike, count: int) -> np.ndarray:
    found = _array(drawn).ravel()
    if len(found) and (found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= count):
        raise ValueError(f"`drawn` must hold places of entries, whole numbers between 0 and {count - 1}")
    return found.astype(np.int64)


def _places(graph: Graph, positions: Tensor | ArrayLike) -> np.ndarray:
    found = _array(positions)
    if found.shape != (graph.num_nodes, 2) or not len(found):
        raise ValueError(f"the positions have shape {found.shape}: give ({graph.num_nodes}, 2), one place a node")
    if not np.isfinite(found).all():
        raise ValueError("some positions are nan or infinite")
    return found.astype(float)


def _array(values: Tensor | ArrayLike) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
