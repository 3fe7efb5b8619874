"""Graphs as rows of neighbours: compressed sparse rows (CSR), on which sampling needs no loop over nodes."""

from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """A directed graph of N nodes and E edges. Node i receives from `indices[indptr[i] : indptr[i + 1]]`.

    A node may stand among its own neighbours (a self loop); one that stands there twice counts twice (a_ij = 2); a row
    may be empty (an isolated node). In an undirected graph each edge stands in two rows.

    indptr: (N + 1,) long, from 0 to E, never falling; indices: (E,) long in [0, N). Raises ValueError if they are
    not.
    """

    indptr: Tensor
    indices: Tensor
    degrees: Tensor = field(init=False, repr=False)  # N(i), (N,) long

    def __post_init__(self) -> None:
        for name, value in (("indptr", self.indptr), ("indices", self.indices)):
            if not isinstance(value, Tensor) or value.ndim != 1 or value.dtype != torch.long:
                raise ValueError(f"{name} must be a one-dimensional long tensor")
        degrees = self.indptr.diff()
        if not len(self.indptr) or self.indptr[0] != 0 or self.indptr[-1] != len(self.indices) or (degrees < 0).any():
            raise ValueError(f"indptr must rise from 0 to the number of edges, {len(self.indices)}")
        if len(self.indices) and not (self.indices.min() >= 0 and self.indices.max() < len(degrees)):
            raise ValueError(f"indices must lie between 0 and {len(degrees) - 1}, the last node")
        object.__setattr__(self, "degrees", degrees)

    @classmethod
    def from_edges(cls, receivers: Tensor, sources: Tensor, num_nodes: int) -> "Graph":
        """The graph in which receivers[e] receives from sources[e]; both (E,) long. Within a row, sources ascend.

        Raises ValueError if they differ in length or hold what is no node.
        """
        if receivers.shape != sources.shape:
            raise ValueError(f"{len(receivers)} receivers, but {len(sources)} sources, must be equally many")
        if len(receivers) and not (receivers.min() >= 0 and receivers.max() < num_nodes):
            raise ValueError(f"receivers must lie between 0 and {num_nodes - 1}, the last node")
        order = (receivers * num_nodes + sources).argsort()
        counts = torch.bincount(receivers, minlength=num_nodes)
        return cls(torch.cat([counts.new_zeros(1), counts.cumsum(0)]), sources[order])

    @property
    def num_nodes(self) -> int:
        return len(self.degrees)

    @property
    def num_edges(self) -> int:
        return len(self.indices)

    @property
    def receivers(self) -> Tensor:
        """The node i in whose row each entry of `indices` stands: (E,) long."""
        return torch.repeat_interleave(torch.arange(self.num_nodes, device=self.indices.device), self.degrees)

    def adjacency(self) -> Tensor:
        """(a_ij), a sparse (N, N) float tensor in COO form."""
        places = torch.stack([self.receivers, self.indices])
        ones = torch.ones(self.num_edges, device=self.indices.device)
        shape = (self.num_nodes, self.num_nodes)
        with torch.sparse.check_sparse_tensor_invariants(False):  # else torch warns that it checks nothing
            return torch.sparse_coo_tensor(places, ones, shape).coalesce()

    def with_self_loops(self) -> "Graph":
        """The graph in which each node is its own neighbour too, once."""
        receivers, every = self.receivers, torch.arange(self.num_nodes, device=self.indices.device)
        others = self.indices != receivers
        return Graph.from_edges(
            torch.cat([receivers[others], every]), torch.cat([self.indices[others], every]), self.num_nodes
        )

    def to(self, device: torch.device | str) -> "Graph":
        return Graph(self.indptr.to(device), self.indices.to(device))

    def candidates(self, nodes: Tensor, scope: int) -> Tensor:
        """At most `scope` neighbours of each of the nodes (n,): (n, S) long, padded with -1, S ≤ scope.

        All neighbours of a node that has no more than `scope`; of others a random choice without repetition, in which
        each has the same probability (systematic sampling: one random start, then equal strides; in whole numbers,
        since rounding would repeat neighbours of large degrees). Raises ValueError if scope is below 1.
        """
        if scope < 1:
            raise ValueError(f"scope is {scope}, must be 1 or more")
        degrees = self.degrees[nodes]
        width = min(scope, int(degrees.max())) if len(nodes) else 0
        columns = torch.arange(width, device=nodes.device)
        start = torch.randint(2**62, (len(nodes), 1), device=nodes.device) % degrees[:, None].clamp(min=1)
        strides = (columns * degrees[:, None] + start) // scope
        places = torch.where(degrees[:, None] > scope, strides, columns)
        found = columns < degrees[:, None]
        entries = self.indptr[nodes][:, None] + places
        return (
            torch.where(found, self.indices[torch.where(found, entries, 0)], -1) if self.num_edges else entries[:, :0]
        )


@dataclass(frozen=True, eq=False)
class GraphData:
    """A graph whose nodes have features (N, F) and labels (N,), indices into `classes`.

    train, validation, test: the nodes of each part, long. is_noise: (E,) bool, the edges known to carry no signal, in
    the order of `graph.indices`; None where nobody knows.
    """

    name: str
    graph: Graph
    features: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    train: Tensor
    validation: Tensor
    test: Tensor
    is_noise: Tensor | None = None

    def with_self_loops(self) -> "GraphData":
        """The data on `Graph.with_self_loops`; a self loop is no noise."""
        graph = self.graph.with_self_loops()
        if self.is_noise is None:
            return replace(self, graph=graph)
        others = self.graph.indices != self.graph.receivers
        is_noise = torch.zeros(graph.num_edges, dtype=torch.bool, device=self.is_noise.device)
        is_noise[graph.indices != graph.receivers] = self.is_noise[others]
        return replace(self, graph=graph, is_noise=is_noise)

    def to(self, device: torch.device | str) -> "GraphData":
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return replace(self, **{name: part.to(device) for name, part in parts.items() if hasattr(part, "to")})
