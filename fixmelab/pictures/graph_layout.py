"""Where to draw the nodes of a graph."""

import torch
from torch import Tensor

from fixmelab.graphs import Graph


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
