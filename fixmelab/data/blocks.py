"""Graphs drawn at random: blocks with a known share of noise edges, and large ones for benchmarks. No download."""

import math
from dataclasses import replace

import torch
from torch import Generator, Tensor

from fixmelab.graphs import Graph, GraphData


def noisy_blocks(
    nodes: int = 1000,
    *,
    classes: int = 4,
    degree: float = 8,
    noise: float = 0.5,
    features: int = 32,
    signal: float = 1.6,
    seed: int = 0,
) -> GraphData:
    """A stochastic block model (Holland, Laskey and Leinhardt, 1983) in which it is known which edges mislead.

    round(nodes · degree / 2) undirected edges, each in both rows, none twice and none from a node to itself. Of these,
    the share `noise` joins nodes chosen without regard to class (`is_noise`; by chance one in `classes` of them stays
    within a class), the others nodes of the same class. Degrees are close to Poisson, so a share e^(-degree) of the
    nodes is isolated. Nodes are in the order of their classes, which are equally large (up to one node).

    x_i = signal · m(class of i) + ε_i, ε_i standard normal, |m| = 1, the m of all classes orthogonal where `features`
    suffice. The mean over k neighbours of the same class is as good as √k times the signal. With the defaults,
    logistic regression is right on about 68 % of the test nodes given their own features, on 75 % given the mean over
    all neighbours, and on 92 % given the mean over those that are no noise. Split 50/10/40 by class, see `split`.

    The same seed gives the same graph; torch's global random state stays as it is.

    Raises ValueError if an argument is out of range or there are not enough pairs of nodes for the edges.
    """
    _whole("noisy_blocks", classes=(classes, 1), nodes=(nodes, max(2, classes)), features=(features, 1))
    for name, value, high in (("degree", degree, nodes - 1), ("noise", noise, 1), ("signal", signal, math.inf)):
        _within("noisy_blocks", name, value, high)
    generator = Generator().manual_seed(seed)
    labels = torch.arange(nodes) * classes // nodes
    count = round(nodes * degree / 2)
    noisy = round(count * noise)

    sizes = torch.bincount(labels, minlength=classes)
    own = sizes * (sizes - 1) // 2  # pairs within each class
    pairs = own.cumsum(0)
    if count - noisy > pairs[-1]:
        raise ValueError(
            f"noisy_blocks: {count - noisy} edges within classes, but only {pairs[-1]} pairs: "
            "lower degree or classes, or raise noise"
        )
    within = _distinct(count - noisy, int(pairs[-1]), generator)
    block = torch.searchsorted(pairs, within, right=True)
    start = (sizes.cumsum(0) - sizes)[block]
    clean = _number(*(start + end for end in _pair(within - (pairs - own)[block])))
    random = _distinct(noisy, nodes * (nodes - 1) // 2, generator, without=clean)
    graph, is_noise = _undirected(torch.cat([clean, random]), torch.arange(count) >= count - noisy, nodes)

    means = torch.randn(features, classes, generator=generator)
    means = torch.linalg.qr(means).Q if features >= classes else means / means.norm(dim=0)
    x = signal * means.T[labels] + torch.randn(nodes, features, generator=generator)
    parts = split(labels, seed)
    return GraphData("noisy_blocks", graph, x, labels, _names(classes), *parts, is_noise)


def with_random_edges(data: GraphData, share: float, seed: int = 0) -> GraphData:
    """The data with that share of the undirected edges, chosen at random, replaced by edges between random nodes.

    The new edges were not in the graph before, join no node to itself and are noise in `is_noise`; those that stay
    keep their mark, False where `data.is_noise` is None. All else is shared with `data`.

    Raises ValueError if the share is not in [0, 1], the graph is not undirected or has self loops or repeated
    edges, or too few pairs of nodes are free.
    """
    _within("with_random_edges", "share", share, 1)
    graph, generator = data.graph, Generator().manual_seed(seed)
    receivers, sources, total = graph.receivers, graph.indices, graph.num_nodes * (graph.num_nodes - 1) // 2
    upper = receivers < sources
    edges, mirrored = (_number(receivers[half], sources[half]) for half in (upper, receivers > sources))
    single = edges.unique()
    if 2 * len(single) != graph.num_edges or not torch.equal(single, mirrored.sort().values):
        raise ValueError("with_random_edges: the graph must be undirected, without self loops or repeated edges")
    count = round(share * len(edges))
    if count > total - len(edges):
        raise ValueError(f"with_random_edges: {count} new edges, but only {total - len(edges)} pairs of nodes are free")

    kept = torch.randperm(len(edges), generator=generator)[count:].sort().values
    marks = torch.ones(len(edges), dtype=torch.bool)
    marks[: len(kept)] = False if data.is_noise is None else data.is_noise[upper][kept]
    edges = torch.cat([edges[kept], _distinct(count, total, generator, without=edges)])
    changed, is_noise = _undirected(edges, marks, graph.num_nodes)
    return replace(data, graph=changed, is_noise=is_noise)


def random_graph(nodes: int, edges: int, features: int = 128, classes: int = 10, seed: int = 0) -> GraphData:
    """A directed graph without structure, to measure speed on: `edges` entries, each from any node to any other.

    Degrees are close to Poisson; a neighbour may stand twice in a row, and rows are in no order. Features are standard
    normal, labels uniform, so there is nothing to learn. Split 50/10/40 by class, see `split`. 1,000,000 nodes with
    10,000,000 edges take seconds, most of them for the features.

    Raises ValueError if a number is out of range.
    """
    _whole("random_graph", nodes=(nodes, 2), edges=(edges, 0), features=(features, 1), classes=(classes, 1))
    generator = Generator().manual_seed(seed)
    degrees = torch.bincount(torch.randint(nodes, (edges,), generator=generator), minlength=nodes)
    receivers = torch.repeat_interleave(torch.arange(nodes), degrees)
    sources = (receivers + torch.randint(1, nodes, (edges,), generator=generator)) % nodes  # never the receiver itself
    graph = Graph(torch.cat([degrees.new_zeros(1), degrees.cumsum(0)]), sources)
    x = torch.randn(nodes, features, generator=generator)
    labels = torch.randint(classes, (nodes,), generator=generator)
    return GraphData("random_graph", graph, x, labels, _names(classes), *split(labels, seed))


def split(labels: Tensor, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Nodes to train, to validate and to test on, ascending: 50, 10 and 40 % of each class, chosen at random.

    Of a class of n nodes, n // 2 train, n // 10 validate and the rest test. labels: (N,) long, not negative.
    """
    generator = Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    order = order[labels[order].argsort(stable=True)]
    sizes = torch.bincount(labels)
    place = torch.arange(len(labels)) - (sizes.cumsum(0) - sizes)[labels[order]]  # within the class
    size = sizes[labels[order]]
    train, later = place < size // 2, place >= size // 2 + size // 10
    parts = (order[part].sort().values for part in (train, ~train & ~later, later))
    to_train, to_validate, to_test = parts
    return to_train, to_validate, to_test


def _number(first: Tensor, second: Tensor) -> Tensor:
    """A number for each pair of different nodes, whichever comes first: that of i < j is j (j - 1) / 2 + i."""
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    return high * (high - 1) // 2 + low


def _pair(number: Tensor) -> tuple[Tensor, Tensor]:
    """The i < j that `_number` numbers."""
    high = ((1 + (8 * number.double() + 1).sqrt()) / 2).long()
    high -= (high * (high - 1) // 2 > number).long()  # the root may be off by rounding
    high += (high * (high + 1) // 2 <= number).long()
    return number - high * (high - 1) // 2, high


def _distinct(count: int, below: int, generator: Generator, without: Tensor | None = None) -> Tensor:
    """`count` different whole numbers in [0, below), each set of them equally likely, none of them in `without`."""
    without = torch.empty(0, dtype=torch.long) if without is None else without
    if below <= 4 * (count + len(without)):  # dense: shuffle all
        every = torch.randperm(below, generator=generator)
        return every[~torch.isin(every, without)][:count]
    found = without.new_empty(0)
    while len(found) < count:
        drawn = torch.randint(below, (2 * (count - len(found)),), generator=generator)
        found = torch.cat([found, drawn[~torch.isin(drawn, without)]]).unique()
    return found[torch.randperm(len(found), generator=generator)[:count]]


def _undirected(numbers: Tensor, marks: Tensor, nodes: int) -> tuple[Graph, Tensor]:
    """The graph of numbered pairs, and their marks in the order of its indices."""
    first, second = _pair(numbers)
    receivers, sources = torch.cat([first, second]), torch.cat([second, first])
    return Graph.from_edges(receivers, sources, nodes), marks.repeat(2)[(receivers * nodes + sources).argsort()]


def _names(classes: int) -> tuple[str, ...]:
    return tuple(f"class {k}" for k in range(classes))


def _whole(function: str, **ranges: tuple[int, int]) -> None:
    for name, (value, low) in ranges.items():
        if not isinstance(value, int) or value < low:
            raise ValueError(f"{function}: {name} is {value}, must be a whole number, {low} or more")


def _within(function: str, name: str, value: float, high: float) -> None:
    if not 0 <= value <= high or value == math.inf:
        limits = f"between 0 and {high}" if high < math.inf else "a number, 0 or more"
        raise ValueError(f"{function}: {name} is {value}, must be {limits}")
