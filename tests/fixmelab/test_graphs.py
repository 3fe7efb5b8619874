"""`Graph`: rows of neighbours, and the choice of candidates."""

import math

import pytest
import torch

from fixmelab.graphs import Graph


def long(*numbers):
    return torch.tensor(numbers, dtype=torch.long)


@pytest.fixture
def graph():
    """Five nodes: 0 receives from 1 twice and from 3, 1 from itself, 2 from nobody, 3 from all, 4 from 0."""
    receivers = long(3, 0, 3, 1, 0, 3, 4, 3, 0, 3)
    sources = long(4, 1, 0, 1, 3, 2, 0, 1, 1, 3)
    return Graph.from_edges(receivers, sources, 5)


def test_from_edges_sorts_into_rows(graph):
    assert graph.indptr.tolist() == [0, 3, 4, 4, 9, 10]
    assert graph.indices.tolist() == [1, 1, 3, 1, 0, 1, 2, 3, 4, 0]
    assert graph.degrees.tolist() == [3, 1, 0, 5, 1]
    assert graph.receivers.tolist() == [0, 0, 0, 1, 3, 3, 3, 3, 3, 4]
    assert (graph.num_nodes, graph.num_edges) == (5, 10)


def test_adjacency_counts_how_often_a_neighbour_stands_in_a_row(graph):
    adjacency = graph.adjacency()
    assert adjacency.is_sparse and adjacency.dtype == torch.float32
    expected = torch.zeros(5, 5).index_put((graph.receivers, graph.indices), torch.ones(10), accumulate=True)
    assert torch.equal(adjacency.to_dense(), expected) and expected[0, 1] == 2
    assert torch.equal(adjacency.to_dense().sum(dim=1).long(), graph.degrees)


def test_self_loops_stand_once_in_every_row(graph):
    before, after = graph.adjacency().to_dense(), graph.with_self_loops().adjacency().to_dense()
    assert torch.equal(after.diagonal(), torch.ones(5))
    assert torch.equal(after.fill_diagonal_(0), before.fill_diagonal_(0))
    again = graph.with_self_loops().with_self_loops()
    assert torch.equal(again.indices, graph.with_self_loops().indices)


def test_to_another_device(graph):
    moved = graph.to("cpu")
    assert torch.equal(moved.indptr, graph.indptr) and torch.equal(moved.indices, graph.indices)


@pytest.mark.parametrize("nodes", [0, 3])
def test_a_graph_without_edges(nodes):
    empty = Graph.from_edges(long(), long(), nodes)
    assert (empty.num_nodes, empty.num_edges) == (nodes, 0)
    assert empty.adjacency().shape == (nodes, nodes) and empty.adjacency().to_dense().sum() == 0
    assert empty.with_self_loops().indices.tolist() == list(range(nodes))
    assert empty.receivers.shape == (0,)
    every = empty.candidates(torch.arange(nodes), 4)
    assert every.shape == (nodes, 0) and every.dtype == torch.long


def test_candidates_are_all_neighbours_where_the_scope_suffices(graph):
    assert graph.candidates(long(3, 2, 0, 4), 9).tolist() == [
        [0, 1, 2, 3, 4],
        [-1, -1, -1, -1, -1],
        [1, 1, 3, -1, -1],
        [0, -1, -1, -1, -1],
    ]
    assert graph.candidates(long(3), 5).tolist() == [[0, 1, 2, 3, 4]]
    assert graph.candidates(long(2, 2), 5).shape == (2, 0)
    assert graph.candidates(long(), 5).shape == (0, 0)
    isolated_last = Graph.from_edges(long(0), long(1), 2)
    assert isolated_last.candidates(long(1, 0), 3).tolist() == [[-1], [1]]


def star(degree):
    """Node 0 receives from all others, which are isolated."""
    return Graph.from_edges(torch.zeros(degree, dtype=torch.long), torch.arange(1, degree + 1), degree + 1)


@pytest.mark.parametrize(("degree", "scope"), [(7, 6), (7, 3), (7, 1), (33, 32), (100, 32)])
def test_candidates_of_a_smaller_scope_are_a_fair_choice(degree, scope):
    rows = 20_000
    torch.manual_seed(0)
    chosen = star(degree).candidates(torch.zeros(rows, dtype=torch.long), scope)
    assert chosen.shape == (rows, scope) and chosen.min() >= 1 and chosen.max() <= degree
    assert (chosen.sort(dim=1).values.diff(dim=1) > 0).all()

    # Each neighbour is in a row with probability p = scope / degree, rows are independent. Hoeffding:
    # P(|frequency - p| >= t) <= 2 exp(-2 rows t²); for all neighbours together at most 1e-6
    frequency = torch.bincount(chosen.flatten(), minlength=degree + 1)[1:] / rows
    limit = math.sqrt(math.log(2 * degree / 1e-6) / (2 * rows))
    assert (frequency - scope / degree).abs().max() < limit < 0.025


def test_candidates_of_a_huge_degree_are_distinct():
    degree, scope = 300_001, 300_000
    chosen = star(degree).candidates(long(0, 1, 0), scope)
    assert all(len(row.unique()) == scope and row.min() >= 1 for row in chosen[::2])
    assert (chosen[1] == -1).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Graph(torch.tensor([0.0, 1.0]), long(0)), "indptr must be a one-dimensional long"),
        (lambda: Graph(long(0, 1), torch.tensor([0], dtype=torch.int32)), "indices must be a one-dimensional long"),
        (lambda: Graph(long(0, 1), long(0).view(1, 1)), "indices must be a one-dimensional long"),
        (lambda: Graph(long(), long()), "indptr must rise from 0 to the number of edges, 0"),
        (lambda: Graph(long(1, 1), long(0)), "indptr must rise"),
        (lambda: Graph(long(0, 2), long(0)), "indptr must rise"),
        (lambda: Graph(long(0, 2, 1), long(0)), "indptr must rise"),
        (lambda: Graph(long(0, 1, 2), long(0, 2)), "indices must lie between 0 and 1"),
        (lambda: Graph(long(0, 1), long(-1)), "indices must lie between"),
        (lambda: Graph.from_edges(long(2), long(0), 2), "receivers must lie between 0 and 1"),
        (lambda: Graph.from_edges(long(-1), long(0), 2), "receivers must lie between"),
        (lambda: Graph.from_edges(long(0), long(2), 2), "indices must lie between"),
        (lambda: Graph.from_edges(long(0, 1), long(0), 2), "2 receivers, but 1 sources"),
        (lambda: star(3).candidates(long(0), 0), "scope is 0"),
    ],
)
def test_what_is_no_graph(make, message):
    with pytest.raises(ValueError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)
