"""k draws with replacement from p(j | i) = a_ij / N(i) for each node, -1 for an isolated one.

Thousands of draws are tested for their frequencies and independence. Wrong draws come without replacement or once for
all, never from an end of the row, unevenly from its entries, or as places in indices instead of nodes.
"""

import torch

from autograder.assignments.gcn import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.graphs import Graph


@exercise("gcn.sample_neighbors")
def sample_neighbors(student: Remote, draw: Draw) -> None:
    graph = common.random_directed_graph(draw, 12, 4)
    remote = common.remote_graph(student, graph)
    every = torch.arange(12)
    for nodes, k in ((every.flip(0), 3), (torch.tensor([0, 0, 1, 5]), 7), (torch.tensor([11]), 1)):
        got = expect(student(remote, nodes, k), "the draws").shape(len(nodes), k).dtype(torch.long).value
        for node, drawn in zip(nodes.tolist(), got.tolist(), strict=True):
            allowed = set(common.neighbors_of(graph, node)) or {-1}
            isolated = graph.degrees[node] == 0
            expect(drawn).holds(
                set(drawn) <= allowed,
                "An isolated node must have -1 for each draw."
                if isolated
                else "A draw is not among the neighbours that the node listens to.",
                "isolated_nodes_draw_somebody" if isolated else None,
            )
    k = 4
    common.expect_chance(*(student(remote, torch.zeros(20, dtype=torch.long), 20) for _ in range(2)))
    for node in (0, 2):
        row = graph.indices[graph.indptr[node] : graph.indptr[node + 1]]
        ends = torch.ones(len(row), dtype=torch.float64)
        ends[[0, -1]] = 0.5
        others = {
            "never_the_last": common.shares(row[:-1]),
            "never_the_first": common.shares(row[1:]),
            "each_neighbor_once": common.shares(row.unique()),
            "ends_half_as_often": common.shares(row, ends),
        }
        calls = []
        # Long calls and short ones in any order, so that none of them can be dealt from a deck.
        for count in common.lengths_of_calls(draw):
            drawn = student(remote, torch.full((count,), node), k)
            calls.append(expect(drawn, "the draws").shape(count, k).dtype(torch.long).value)
            if count >= 1000:
                common.expect_draws(calls[-1], common.shares(row), (count, k), others)
        common.expect_scatter(calls, common.shares(row))
    # Nodes of all degrees in one call, so that none is drawn as another is.
    drawn = student(remote, every.repeat(600), k)
    mixed = expect(drawn, "the draws").shape(600 * len(every), k).dtype(torch.long).value
    for node in every.tolist():
        row = graph.indices[graph.indptr[node] : graph.indptr[node + 1]]
        if len(row):
            common.expect_draws(mixed[node :: len(every)], common.shares(row), (600, k), {})
    # A node with many neighbours; that one of 90 is never drawn in 4,500 draws has a probability below 1e-19.
    hub = Graph(torch.tensor([0, 90, *[90] * 90]), torch.arange(1, 91))
    got = expect(student(common.remote_graph(student, hub), torch.zeros(3, dtype=torch.long), 1500), "the draws")
    drawn = got.shape(3, 1500).value
    expect(drawn).holds(len(drawn.unique()) == 90, "Some neighbours of a node with many are never drawn.")
    lone = common.remote_graph(student, Graph(torch.tensor([0, 1, 1]), torch.tensor([1])))
    drawn = expect(student(lone, torch.tensor([0, 1]), 2), "the draws").shape(2, 2).dtype(torch.long).value
    expect(drawn).holds(drawn.tolist() == [[1, 1], [-1, -1]], "In a graph with a single edge a draw is wrong.")
    expect_any_device(student, remote, every, 3, mistake="made_on_the_cpu")


def _pick(graph, nodes, offsets):
    """The entries at `offsets` (n, k) of the rows of nodes; -1 for isolated ones."""
    entries = (graph.indptr[nodes][:, None] + offsets).clamp(0, graph.num_edges - 1)
    return torch.where(graph.degrees[nodes][:, None] > 0, graph.indices[entries], -1)


def _degrees(graph, nodes):
    return graph.degrees[nodes][:, None]


@mistake("The draws of a node never coincide: draw with replacement, so that the same neighbour may come twice.")
def without_replacement(graph, nodes, k):
    start = (torch.rand(len(nodes), 1) * _degrees(graph, nodes)).long()
    return _pick(graph, nodes, (start + torch.arange(k)) % _degrees(graph, nodes).clamp(min=1))


@mistake("It raises for a row that is empty, or shorter than k: draw with replacement, and give isolated nodes -1.")
def raises_for_short_rows(graph, nodes, k):
    rows = [torch.tensor(common.neighbors_of(graph, i)) for i in nodes.tolist()]
    return torch.stack([row[torch.randperm(len(row))[:k]] for row in rows])


@mistake("A node has one draw, k times over: draw k times.")
def one_draw_used_k_times(graph, nodes, k):
    return reference.sample_neighbors(graph, nodes, 1).expand(-1, k).contiguous()


@mistake("All nodes share their random numbers: draw (n, k) of them, so that each node has its own.")
def one_draw_for_all(graph, nodes, k):
    return _pick(graph, nodes, (torch.rand(1, k) * _degrees(graph, nodes)).long())


@mistake("Nothing is drawn at random: every call gives the same neighbours.")
def nothing_is_drawn(graph, nodes, k):
    return _pick(graph, nodes, torch.arange(k) % _degrees(graph, nodes).clamp(min=1))


@mistake("The last entry of a row is never drawn: a row of N(i) entries has the offsets 0, …, N(i) − 1, all of them.")
def never_the_last(graph, nodes, k):
    return _pick(graph, nodes, (torch.rand(len(nodes), k) * (_degrees(graph, nodes) - 1)).long())


@mistake("The first entry of a row is never drawn: offsets begin with 0.")
def never_the_first(graph, nodes, k):
    most = (_degrees(graph, nodes) - 1).clamp(min=0)
    return _pick(graph, nodes, torch.minimum(1 + (torch.rand(len(nodes), k) * most).long(), most))


@mistake("The offsets are one too large, and run into the next row: they begin with 0.")
def offsets_begin_with_one(graph, nodes, k):
    return _pick(graph, nodes, 1 + (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long())


@mistake(
    "The offsets are rounded, so that the ends of a row are drawn half as often: cut them off with .long() or floor."
)
def ends_half_as_often(graph, nodes, k):
    return _pick(graph, nodes, (torch.rand(len(nodes), k) * (_degrees(graph, nodes) - 1)).round().long())


@mistake("Offsets are drawn below the largest degree and taken modulo N(i): the first entries of a row come too often.")
def offsets_modulo(graph, nodes, k):
    offsets = torch.randint(int(graph.degrees.max()), (len(nodes), k))
    return _pick(graph, nodes, offsets % _degrees(graph, nodes).clamp(min=1))


@mistake("Offsets are drawn below the largest degree and cut at N(i) − 1: the last entry of a row comes too often.")
def offsets_cut(graph, nodes, k):
    offsets = torch.randint(int(graph.degrees.max()), (len(nodes), k))
    return _pick(graph, nodes, torch.minimum(offsets, (_degrees(graph, nodes) - 1).clamp(min=0)))


@mistake(
    "Offsets are drawn below the largest degree of the nodes asked for, so that a node is drawn otherwise among others."
)
def offsets_modulo_among_others(graph, nodes, k):
    offsets = torch.randint(max(int(graph.degrees[nodes].max()), 1), (len(nodes), k))
    return _pick(graph, nodes, offsets % _degrees(graph, nodes).clamp(min=1))


@mistake("A neighbour that stands in the row twice is drawn as often as others: each *entry* has the same probability.")
def each_neighbor_once(graph, nodes, k):
    edges = torch.stack([graph.receivers, graph.indices]).unique(dim=1)
    return reference.sample_neighbors(Graph.from_edges(edges[0], edges[1], graph.num_nodes), nodes, k)


@mistake("Neighbours are drawn from all nodes: draw from the row of each node.")
def from_all_nodes(graph, nodes, k):
    drawn = torch.randint(graph.num_nodes, (len(nodes), k))
    return torch.where(_degrees(graph, nodes) > 0, drawn, -1)


@mistake("Neighbours are drawn from all edges: those of node i begin at graph.indptr[i].")
def from_all_edges(graph, nodes, k):
    drawn = graph.indices[torch.randint(graph.num_edges, (len(nodes), k))]
    return torch.where(_degrees(graph, nodes) > 0, drawn, -1)


@mistake("These are places in graph.indices; return the nodes that stand there.")
def entries_for_nodes(graph, nodes, k):
    entries = graph.indptr[nodes][:, None] + (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long()
    return torch.where(_degrees(graph, nodes) > 0, entries, -1)


@mistake("These are offsets in the row; return the nodes that stand there.")
def offsets_for_nodes(graph, nodes, k):
    offsets = (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long()
    return torch.where(_degrees(graph, nodes) > 0, offsets, -1)


@mistake("The rows are those of 0, 1, …, n − 1: use indptr and degrees of the nodes that are given.")
def ignores_the_nodes(graph, nodes, k):
    return reference.sample_neighbors(graph, torch.arange(len(nodes)), k)


@mistake("The draws are nodes that listen to the node; draw from those that it listens to, in its row.")
def draws_those_who_listen(graph, nodes, k):
    return reference.sample_neighbors(common.turned_graph(graph), nodes, k)


@mistake("An isolated node draws a node; it has none, so its draws are -1.")
def isolated_nodes_draw_somebody(graph, nodes, k):
    return graph.indices[graph.indptr[nodes][:, None] + (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long()]


@mistake("The result is (k, n): return one row for each node and one column for each draw.")
def one_column_a_node(graph, nodes, k):
    return reference.sample_neighbors(graph, nodes, k).T


@mistake("The result holds floats: neighbours are long.")
def floats_for_neighbors(graph, nodes, k):
    return reference.sample_neighbors(graph, nodes, k).float()


@mistake(SENTENCE)
def made_on_the_cpu(graph, nodes, k):
    return _pick(graph, nodes, (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long())


@equivalent
def with_large_numbers(graph, nodes, k):
    large = torch.randint(2**62, (len(nodes), k), device=nodes.device)
    return _pick(graph, nodes, large % _degrees(graph, nodes).clamp(min=1))


@equivalent
def with_floor(graph, nodes, k):
    degrees = graph.indptr[nodes + 1] - graph.indptr[nodes]
    offsets = torch.floor(
        torch.rand((len(nodes), k), dtype=torch.float64, device=nodes.device) * degrees.view(-1, 1)
    ).to(torch.int64)
    padded = torch.cat([graph.indices, nodes.new_tensor([-1])])
    places = torch.where(degrees.view(-1, 1) == 0, len(graph.indices), graph.indptr[nodes].view(-1, 1) + offsets)
    return padded[places]


@equivalent
def with_multinomial(graph, nodes, k):
    counts = graph.adjacency().to_dense()[nodes]
    isolated = counts.sum(dim=1) == 0
    counts[isolated] = 1.0
    drawn = torch.multinomial(counts, k, replacement=True)
    drawn[isolated] = -1
    return drawn


@equivalent
def among_candidates(graph, nodes, k):
    table = graph.candidates(nodes, int(graph.degrees.max()))
    return table.gather(1, (torch.rand(len(nodes), k, device=nodes.device) * _degrees(graph, nodes)).long())


HARMLESS = {
    "graph": "Neighbours are whole numbers, which have no gradient.",
    "(degrees == 0).expand(-1, k) → degrees == 0": "Broadcasting does the same.",
    "entries.masked_fill(isolated, 0) → entries.masked_fill(isolated, -1)": "What stands there is not used.",
}
