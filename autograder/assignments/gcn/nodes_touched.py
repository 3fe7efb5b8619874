"""How many nodes a GCN of 0, 1, …, depth layers reads for its outputs at given nodes.

Random directed graphs hold repetitions, self loops and an isolated node. Usual mistakes: only the new nodes counted, or
one node twice; earlier hops forgotten; edges followed the wrong way; a hop too many or too few.
"""

import torch

from autograder.assignments.gcn import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.graphs import Graph


@exercise("gcn.nodes_touched")
def nodes_touched(student: Remote, draw: Draw) -> None:
    for nodes, most, depth in ((40, 2, 5), (9, 3, 3), (25, 4, 0)):
        graph = common.random_directed_graph(draw, nodes, most)
        remote = common.remote_graph(student, graph)
        starts = [torch.tensor(start) for start in ([0], [1], [2, 0, nodes - 1], [3, 4, 3])]
        for start, got in zip(starts, [student(remote, start, depth) for start in starts], strict=True):
            wanted = reference.nodes_touched(graph, start, depth)
            counts = expect(got, "the counts").shape(depth + 1).value
            expect(counts.double(), "the counts").close(wanted.double())
            expect(got, "the counts").holds(got.dtype == torch.long, "The counts are not long.", "counts_are_not_long")


def _hops(graph, nodes, depth):
    """The nodes that are reached in exactly 0, 1, …, depth hops, as sets, whether or not they were reached before."""
    found = [set(nodes.tolist())]
    for _ in range(depth):
        found.append({j for i in found[-1] for j in common.neighbors_of(graph, i)})
    return found


@mistake("These are the nodes found at each hop and not before; count all within so many hops.")
def only_the_new_ones(graph, nodes, depth):
    counts = reference.nodes_touched(graph, nodes, depth)
    return counts.diff(prepend=counts.new_zeros(1))


@mistake(
    "Nodes that were found earlier are forgotten: keep them, and add to them those that are found in the next hop."
)
def forgets_earlier_hops(graph, nodes, depth):
    return torch.tensor([len(found) for found in _hops(graph, nodes, depth)])


@mistake("The nodes themselves are left out: they are within 0 hops, and count.")
def without_the_nodes_themselves(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth) - len(nodes.unique())


@mistake("A node that is found in several ways counts several times: count each node once.")
def counts_nodes_again(graph, nodes, depth):
    level, counts = nodes.unique().tolist(), []
    for _ in range(depth + 1):
        counts.append(len(level) + (counts[-1] if counts else 0))
        level = [j for i in level for j in common.neighbors_of(graph, i)]
    return torch.tensor(counts)


@mistake("Nodes that come several times in `nodes` count several times: count each node once.")
def counts_repeated_nodes(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth) + len(nodes) - len(nodes.unique())


@mistake(
    "The edges are followed the wrong way: whom does a node listen to? To the `indices` in its row, not to those in "
    "whose rows it stands."
)
def to_those_who_listen(graph, nodes, depth):
    return reference.nodes_touched(common.turned_graph(graph), nodes, depth)


@mistake("The edges are followed both ways: follow them only to the nodes that a node listens to.")
def both_ways(graph, nodes, depth):
    receivers, sources = torch.cat([graph.receivers, graph.indices]), torch.cat([graph.indices, graph.receivers])
    return reference.nodes_touched(Graph.from_edges(receivers, sources, graph.num_nodes), nodes, depth)


@mistake("A count is missing: return depth + 1 of them, the first for 0 hops.")
def without_zero_hops(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth)[1:]


@mistake("There is one hop too many: the counts end with that of `depth` hops.")
def one_hop_too_many(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth + 1)


@mistake("The counts begin with 1 hop: the first is that of 0 hops, the nodes themselves.")
def one_hop_early(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth + 1)[1:]


@mistake("This is the last count alone; return a count for each of 0, 1, …, depth hops.")
def last_count_alone(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth)[-1]


@mistake("The counts are right, but not of the dtype long: they are whole numbers, torch.tensor([…]) of Python's int.")
def counts_are_not_long(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth).float()


@equivalent
def with_sets(graph, nodes, depth):
    hops = _hops(graph, nodes, depth)
    return torch.tensor([len(set().union(*hops[: hop + 1])) for hop in range(depth + 1)])


@equivalent
def with_a_matrix(graph, nodes, depth):
    listens = graph.adjacency().to_dense() + torch.eye(graph.num_nodes)
    within = torch.zeros(graph.num_nodes)
    within[nodes] = 1.0
    counts = [(within > 0).sum()]
    for _ in range(depth):
        within = ((within @ listens) > 0).float()
        counts.append((within > 0).sum())
    return torch.stack(counts)


@equivalent
def with_unique(graph, nodes, depth):
    within = torch.unique(nodes)
    counts = [len(within)]
    for _ in range(depth):
        within = torch.unique(torch.cat([within, graph.indices[torch.isin(graph.receivers, within)]]))
        counts.append(within.numel())
    return torch.as_tensor(counts)


HARMLESS = {
    "graph": "The counts are whole numbers, which have no gradient.",
    "for … in range(depth) → list(range(depth))[::-1]": "All hops are alike.",
}
