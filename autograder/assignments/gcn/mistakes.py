"""Known wrong answers to the GCN notebook, each with the sentence for the student, and other right answers."""

import torch
from torch.distributions import Categorical
from torch.nn import functional

from autograder.assignments.gcn import reference
from autograder.assignments.gcn.reference import TINY
from autograder.judge.exercise import equivalent, mistake
from fixmelab.graphs import Graph

# nodes_touched


def _hops(graph, nodes, depth):
    """The nodes that are reached in exactly 0, 1, …, depth hops, as sets, whether or not they were reached before."""
    found = [set(nodes.tolist())]
    for _ in range(depth):
        found.append({j for i in found[-1] for j in _row(graph, i)})
    return found


def _row(graph, node):
    return graph.indices[graph.indptr[node] : graph.indptr[node + 1]].tolist()


def _turned(graph):
    """The graph with each edge the other way round."""
    return Graph.from_edges(graph.indices, graph.receivers, graph.num_nodes)


@mistake("nodes_touched", "These are the nodes found at each hop and not before; count all within so many hops.")
def only_the_new_ones(graph, nodes, depth):
    counts = reference.nodes_touched(graph, nodes, depth)
    return counts.diff(prepend=counts.new_zeros(1))


@mistake(
    "nodes_touched",
    "Nodes that were found earlier are forgotten: keep them, and add to them those that are found in the next hop.",
)
def forgets_earlier_hops(graph, nodes, depth):
    return torch.tensor([len(found) for found in _hops(graph, nodes, depth)])


@mistake("nodes_touched", "The nodes themselves are left out: they are within 0 hops, and count.")
def without_the_nodes_themselves(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth) - len(nodes.unique())


@mistake("nodes_touched", "A node that is found in several ways counts several times: count each node once.")
def counts_nodes_again(graph, nodes, depth):
    level, counts = nodes.unique().tolist(), []
    for _ in range(depth + 1):
        counts.append(len(level) + (counts[-1] if counts else 0))
        level = [j for i in level for j in _row(graph, i)]
    return torch.tensor(counts)


@mistake("nodes_touched", "Nodes that come several times in `nodes` count several times: count each node once.")
def counts_repeated_nodes(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth) + len(nodes) - len(nodes.unique())


@mistake(
    "nodes_touched",
    "The edges are followed the wrong way: whom does a node listen to? To the `indices` in its row, not to those in "
    "whose rows it stands.",
)
def to_those_who_listen(graph, nodes, depth):
    return reference.nodes_touched(_turned(graph), nodes, depth)


@mistake("nodes_touched", "The edges are followed both ways: follow them only to the nodes that a node listens to.")
def both_ways(graph, nodes, depth):
    receivers, sources = torch.cat([graph.receivers, graph.indices]), torch.cat([graph.indices, graph.receivers])
    return reference.nodes_touched(Graph.from_edges(receivers, sources, graph.num_nodes), nodes, depth)


@mistake("nodes_touched", "A count is missing: depth + 1 of them are wanted, the first of 0 hops.")
def without_zero_hops(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth)[1:]


@mistake("nodes_touched", "There is one hop too many: the counts end with that of `depth` hops.")
def one_hop_too_many(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth + 1)


@mistake("nodes_touched", "The counts begin with 1 hop: the first is that of 0 hops, the nodes themselves.")
def one_hop_early(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth + 1)[1:]


@mistake("nodes_touched", "This is the last count alone; a count for each of 0, 1, …, depth hops is wanted.")
def last_count_alone(graph, nodes, depth):
    return reference.nodes_touched(graph, nodes, depth)[-1]


@equivalent("nodes_touched")
def with_sets(graph, nodes, depth):
    hops = _hops(graph, nodes, depth)
    return torch.tensor([len(set().union(*hops[: hop + 1])) for hop in range(depth + 1)])


@equivalent("nodes_touched")
def with_a_matrix(graph, nodes, depth):
    listens = graph.adjacency().to_dense() + torch.eye(graph.num_nodes)
    within = torch.zeros(graph.num_nodes)
    within[nodes] = 1.0
    counts = [(within > 0).sum()]
    for _ in range(depth):
        within = ((within @ listens) > 0).float()
        counts.append((within > 0).sum())
    return torch.stack(counts)


@equivalent("nodes_touched")
def with_unique(graph, nodes, depth):
    within = torch.unique(nodes)
    counts = [len(within)]
    for _ in range(depth):
        within = torch.unique(torch.cat([within, graph.indices[torch.isin(graph.receivers, within)]]))
        counts.append(within.numel())
    return torch.as_tensor(counts)


# gcn_layer


def _or_one(sizes):
    return torch.where(sizes > 0, sizes, 1.0)


def _means(h, adjacency):
    dense = adjacency.to_dense()
    return dense @ h / _or_one(dense.sum(dim=1, keepdim=True))


@mistake("gcn_layer", "This is the sum over the neighbourhood; the mean is wanted: divide by N(i).")
def sum_for_mean(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h @ weight)


@mistake(
    "gcn_layer",
    "N(i) is the sum of the entries of the row, not their number: where entries are not 1, the two differ.",
)
def counts_for_sizes(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense @ h / (dense > 0).sum(dim=1, keepdim=True).clamp(min=1) @ weight)


@mistake("gcn_layer", "The weights a_ij are lost: every neighbour counts alike, however large its entry.")
def weights_lost(h, adjacency, weight, activation=torch.relu):
    return reference.gcn_layer(h, (adjacency.to_dense() > 0).to(h.dtype), weight, activation)


@mistake(
    "gcn_layer",
    "N(i) is raised to 1 where it is smaller; entries may be fractions, so only N(i) = 0 needs another divisor.",
)
def sizes_of_at_least_one(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / (adjacency @ torch.ones_like(h[:, :1])).clamp(min=1) @ weight)


@mistake("gcn_layer", "The divisor is N(i) + 1; divide by N(i), and take care of N(i) = 0 otherwise.")
def divides_by_one_more(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / (adjacency @ torch.ones_like(h[:, :1]) + 1) @ weight)


@mistake("gcn_layer", "The sum is divided by the number of all nodes; divide by N(i), the sum of the node's own row.")
def divides_by_all_nodes(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / len(h) @ weight)


@mistake("gcn_layer", "Row i is divided by the sum of column i: N(i) sums the row, over j.")
def sums_of_columns(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense @ h / _or_one(dense.sum(dim=0)[:, None]) @ weight)


@mistake("gcn_layer", "Each column is divided by its own sum; it is the rows that must sum to 1.")
def normalizes_columns(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense / _or_one(dense.sum(dim=0, keepdim=True)) @ h @ weight)


@mistake("gcn_layer", "The adjacency is transposed: node i receives from j with a_ij, along its row.")
def transposed_adjacency(h, adjacency, weight, activation=torch.relu):
    return reference.gcn_layer(h, adjacency.to_dense().T, weight, activation)


@mistake("gcn_layer", "The sum runs along columns, Σ_j a_ji h_j: node i receives along its row, Σ_j a_ij h_j.")
def transposed_sum(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense.T @ h / _or_one(dense.sum(dim=1, keepdim=True)) @ weight)


@mistake("gcn_layer", "Self loops are added: here a node is its own neighbour only where a_ii > 0.")
def adds_self_loops(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return reference.gcn_layer(h, dense + torch.eye(len(h), dtype=h.dtype), weight, activation)


@mistake(
    "gcn_layer",
    "This is D^-1/2 A D^-1/2 h W with added self loops, as Kipf & Welling have it; here it is the mean over the row.",
)
def as_kipf_and_welling(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense() + torch.eye(len(h), dtype=h.dtype)
    root = dense.sum(dim=1).rsqrt()
    return activation(root[:, None] * dense * root @ h @ weight)


@mistake("gcn_layer", "The rows are divided symmetrically, D^-1/2 A D^-1/2; here each row is divided by N(i).")
def symmetric_normalization(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    root = _or_one(dense.sum(dim=1)).rsqrt()
    return activation(root[:, None] * dense * root @ h @ weight)


@mistake("gcn_layer", "The sum is divided by the root of N(i); divide by N(i) itself.")
def root_of_the_size(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense @ h / _or_one(dense.sum(dim=1, keepdim=True)).sqrt() @ weight)


@mistake(
    "gcn_layer",
    "NaN or infinity for isolated nodes: with N(i) = 0 it divides by 0; their mean is 0.",
    "not_a_number_for_isolated_nodes",
)
def layer_divides_by_zero(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / (adjacency @ torch.ones_like(h[:, :1])) @ weight)


@mistake("gcn_layer", "An isolated node keeps its own features; its mean is 0.")
def isolated_nodes_keep_their_features(h, adjacency, weight, activation=torch.relu):
    isolated = adjacency.to_dense().sum(dim=1, keepdim=True) == 0
    return activation(torch.where(isolated, h, _means(h, adjacency)) @ weight)


@mistake("gcn_layer", "An isolated node gets 0; it is its mean that is 0, so it gets activation(0).")
def isolated_nodes_without_activation(h, adjacency, weight, activation=torch.relu):
    found = adjacency.to_dense().sum(dim=1, keepdim=True) > 0
    return torch.where(found, reference.gcn_layer(h, adjacency, weight, activation), 0.0)


@mistake("gcn_layer", "The activation comes before W; it comes last, after W.")
def layer_activates_before_weight(h, adjacency, weight, activation=torch.relu):
    return activation(_means(h, adjacency)) @ weight


@mistake("gcn_layer", "The activation comes before the mean; it comes last, after mean and W.")
def layer_activates_before_mean(h, adjacency, weight, activation=torch.relu):
    return _means(activation(h @ weight), adjacency)


@mistake("gcn_layer", "The features themselves are activated; the activation comes last, after mean and W.")
def layer_activates_features(h, adjacency, weight, activation=torch.relu):
    return _means(activation(h), adjacency) @ weight


@mistake("gcn_layer", "The activation is missing.")
def layer_without_activation(h, adjacency, weight, activation=torch.relu):
    return _means(h, adjacency) @ weight


@mistake("gcn_layer", "The argument activation is ignored: use it, not relu.")
def layer_always_relu(h, adjacency, weight, activation=torch.relu):
    return torch.relu(_means(h, adjacency) @ weight)


@mistake("gcn_layer", "W is left out.")
def layer_without_weight(h, adjacency, weight, activation=torch.relu):
    return activation(_means(h, adjacency))


@mistake(
    "gcn_layer",
    "It raises: look at the order of the factors and their shapes, (N, N) @ (N, F) @ (F, D); nothing is transposed.",
)
def layer_weight_transposed(h, adjacency, weight, activation=torch.relu):
    return activation(_means(h, adjacency) @ weight.T)


@mistake(
    "gcn_layer",
    "It works only for a dense adjacency: `adjacency @ h` works for a sparse one too, adjacency * h or / sizes do not.",
)
def layer_for_dense_only(h, adjacency, weight, activation=torch.relu):
    if adjacency.layout != torch.strided:
        raise RuntimeError("not implemented for a sparse tensor")
    return reference.gcn_layer(h, adjacency, weight, activation)


@mistake("gcn_layer", "It works only for float32: make new tensors with the dtype of h, as torch.ones_like(h) does.")
def layer_for_float32_only(h, adjacency, weight, activation=torch.relu):
    if h.dtype != torch.float32:
        raise RuntimeError("expected m1 and m2 to have the same dtype")
    return reference.gcn_layer(h, adjacency, weight, activation)


@mistake("gcn_layer", "The result is always float32: it keeps the dtype of h.")
def layer_returns_float32(h, adjacency, weight, activation=torch.relu):
    return reference.gcn_layer(h, adjacency, weight, activation).float()


@mistake("gcn_layer", "No gradient reaches h or W: look for detach, no_grad, item or data.", "detached")
def layer_detached(h, adjacency, weight, activation=torch.relu):
    return reference.gcn_layer(h, adjacency, weight.detach(), activation)


@mistake(
    "gcn_layer",
    "It changes an argument in place; the caller still needs it. Write a = a / …, not a /= ….",
    "changes_its_argument",
)
def layer_in_place(h, adjacency, weight, activation=torch.relu):
    if adjacency.layout == torch.strided:
        adjacency /= _or_one(adjacency.sum(dim=1, keepdim=True))
    return reference.gcn_layer(h, adjacency, weight, activation)


@equivalent("gcn_layer")
def layer_row_by_row(h, adjacency, weight, activation=torch.relu):
    rows = []
    for row in adjacency.to_dense():
        size = row.sum()
        rows.append((row[:, None] * h).sum(dim=0) / size if size > 0 else torch.zeros_like(h[0]))
    return activation(torch.stack(rows) @ weight)


@equivalent("gcn_layer")
def layer_with_nan_to_num(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation((dense / dense.sum(1, keepdim=True)).nan_to_num(0.0) @ h @ weight)


@equivalent("gcn_layer")
def layer_with_a_clamp(h, adjacency, weight, activation=torch.relu):
    sizes = (adjacency @ torch.ones(len(h), 1, dtype=h.dtype)).clamp_min(1e-12)
    return activation((adjacency @ (h @ weight)) / sizes)


@equivalent("gcn_layer")
def layer_with_an_epsilon(h, adjacency, weight, activation=torch.relu):
    return activation(torch.mm(adjacency @ h / (adjacency @ torch.ones_like(h[:, :1]) + 1e-10), weight))


@equivalent("gcn_layer")
def layer_with_einsum(h, adjacency, weight, activation=torch.relu):
    a = adjacency.to_dense()
    return activation(torch.einsum("ij,jf,fd->id", functional.normalize(a, p=1, dim=1), h, weight))


@equivalent("gcn_layer")
def layer_with_reciprocals(h, adjacency, weight, activation=torch.relu):
    if adjacency.layout == torch.strided:
        adjacency = adjacency.to_sparse()
    sizes = torch.sparse.sum(adjacency.to_sparse_coo(), dim=1).to_dense()
    inverse = sizes.pow(-1)
    inverse[sizes == 0] = 0
    return activation(inverse[:, None] * torch.sparse.mm(adjacency, h) @ weight)


# sample_neighbors


def _pick(graph, nodes, offsets):
    """The entries at `offsets` (n, k) of the rows of nodes; -1 for isolated ones."""
    entries = (graph.indptr[nodes][:, None] + offsets).clamp(0, graph.num_edges - 1)
    return torch.where(graph.degrees[nodes][:, None] > 0, graph.indices[entries], -1)


def _degrees(graph, nodes):
    return graph.degrees[nodes][:, None]


@mistake(
    "sample_neighbors",
    "The draws of a node never coincide: draw with replacement, so that the same neighbour may come twice.",
    "without_replacement",
)
def one_after_the_other(graph, nodes, k):
    start = (torch.rand(len(nodes), 1) * _degrees(graph, nodes)).long()
    return _pick(graph, nodes, (start + torch.arange(k)) % _degrees(graph, nodes).clamp(min=1))


@mistake(
    "sample_neighbors",
    "It raises for a row that is empty, or shorter than k: draw with replacement, and give isolated nodes -1.",
)
def raises_for_short_rows(graph, nodes, k):
    return torch.stack([torch.tensor(_row(graph, i))[torch.randperm(len(_row(graph, i)))[:k]] for i in nodes.tolist()])


@mistake("sample_neighbors", "A node has one draw, k times over: draw k times.", "one_draw_used_k_times")
def neighbor_used_k_times(graph, nodes, k):
    return reference.sample_neighbors(graph, nodes, 1).expand(-1, k).contiguous()


@mistake(
    "sample_neighbors",
    "All nodes share their random numbers: draw (n, k) of them, so that each node has its own.",
    "one_draw_for_all",
)
def random_numbers_shared(graph, nodes, k):
    return _pick(graph, nodes, (torch.rand(1, k) * _degrees(graph, nodes)).long())


@mistake(
    "sample_neighbors",
    "Nothing is drawn by chance: every call gives the same neighbours.",
    "nothing_is_drawn",
)
def first_neighbors(graph, nodes, k):
    return _pick(graph, nodes, torch.arange(k) % _degrees(graph, nodes).clamp(min=1))


@mistake(
    "sample_neighbors",
    "The last entry of a row is never drawn: a row of N(i) entries has the offsets 0, …, N(i) − 1, all of them.",
    "never_the_last",
)
def last_entry_left_out(graph, nodes, k):
    return _pick(graph, nodes, (torch.rand(len(nodes), k) * (_degrees(graph, nodes) - 1)).long())


@mistake("sample_neighbors", "The first entry of a row is never drawn: offsets begin with 0.", "never_the_first")
def first_entry_left_out(graph, nodes, k):
    most = (_degrees(graph, nodes) - 1).clamp(min=0)
    return _pick(graph, nodes, torch.minimum(1 + (torch.rand(len(nodes), k) * most).long(), most))


@mistake("sample_neighbors", "The offsets are one too large, and run into the next row: they begin with 0.")
def offsets_begin_with_one(graph, nodes, k):
    return _pick(graph, nodes, 1 + (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long())


@mistake(
    "sample_neighbors",
    "The offsets are rounded, so that the ends of a row are drawn half as often: cut them off with .long() or floor.",
    "ends_half_as_often",
)
def offsets_rounded(graph, nodes, k):
    return _pick(graph, nodes, (torch.rand(len(nodes), k) * (_degrees(graph, nodes) - 1)).round().long())


@mistake(
    "sample_neighbors",
    "Offsets are drawn below the largest degree and taken modulo N(i): the first entries of a row come too often.",
)
def offsets_modulo(graph, nodes, k):
    offsets = torch.randint(int(graph.degrees.max()), (len(nodes), k))
    return _pick(graph, nodes, offsets % _degrees(graph, nodes).clamp(min=1))


@mistake(
    "sample_neighbors",
    "Offsets are drawn below the largest degree and cut at N(i) − 1: the last entry of a row comes too often.",
)
def offsets_cut(graph, nodes, k):
    offsets = torch.randint(int(graph.degrees.max()), (len(nodes), k))
    return _pick(graph, nodes, torch.minimum(offsets, (_degrees(graph, nodes) - 1).clamp(min=0)))


@mistake(
    "sample_neighbors",
    "A neighbour that stands in the row twice is drawn as often as others: each *entry* has the same probability.",
    "each_neighbor_once",
)
def without_repetitions(graph, nodes, k):
    edges = torch.stack([graph.receivers, graph.indices]).unique(dim=1)
    return reference.sample_neighbors(Graph.from_edges(edges[0], edges[1], graph.num_nodes), nodes, k)


@mistake("sample_neighbors", "Neighbours are drawn from all nodes: draw from the row of each node.")
def from_all_nodes(graph, nodes, k):
    drawn = torch.randint(graph.num_nodes, (len(nodes), k))
    return torch.where(_degrees(graph, nodes) > 0, drawn, -1)


@mistake("sample_neighbors", "Neighbours are drawn from all edges: those of node i begin at graph.indptr[i].")
def from_all_edges(graph, nodes, k):
    drawn = graph.indices[torch.randint(graph.num_edges, (len(nodes), k))]
    return torch.where(_degrees(graph, nodes) > 0, drawn, -1)


@mistake(
    "sample_neighbors",
    "These are places in graph.indices; return the nodes that stand there.",
)
def entries_for_nodes(graph, nodes, k):
    entries = graph.indptr[nodes][:, None] + (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long()
    return torch.where(_degrees(graph, nodes) > 0, entries, -1)


@mistake("sample_neighbors", "These are offsets in the row; return the nodes that stand there.")
def offsets_for_nodes(graph, nodes, k):
    offsets = (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long()
    return torch.where(_degrees(graph, nodes) > 0, offsets, -1)


@mistake(
    "sample_neighbors",
    "The rows are those of 0, 1, …, n − 1: use indptr and degrees of the nodes that are given.",
)
def ignores_the_nodes(graph, nodes, k):
    return reference.sample_neighbors(graph, torch.arange(len(nodes)), k)


@mistake(
    "sample_neighbors",
    "The draws are nodes that listen to the node; draw from those that it listens to, in its row.",
)
def draws_those_who_listen(graph, nodes, k):
    return reference.sample_neighbors(_turned(graph), nodes, k)


@mistake(
    "sample_neighbors",
    "An isolated node draws a node; it has none, so its draws are -1.",
    "isolated_nodes_draw_somebody",
)
def next_row_for_isolated_nodes(graph, nodes, k):
    return graph.indices[graph.indptr[nodes][:, None] + (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long()]


@mistake("sample_neighbors", "The result is (k, n): one row a node, one column a draw is wanted.")
def one_column_a_node(graph, nodes, k):
    return reference.sample_neighbors(graph, nodes, k).T


@mistake("sample_neighbors", "The result holds floats: neighbours are long.")
def floats_for_neighbors(graph, nodes, k):
    return reference.sample_neighbors(graph, nodes, k).float()


@equivalent("sample_neighbors")
def with_large_numbers(graph, nodes, k):
    large = torch.randint(2**62, (len(nodes), k))
    return _pick(graph, nodes, large % _degrees(graph, nodes).clamp(min=1))


@equivalent("sample_neighbors")
def with_floor(graph, nodes, k):
    degrees = graph.indptr[nodes + 1] - graph.indptr[nodes]
    offsets = torch.floor(torch.rand((len(nodes), k), dtype=torch.float64) * degrees.view(-1, 1)).to(torch.int64)
    padded = torch.cat([graph.indices, torch.tensor([-1])])
    places = torch.where(degrees.view(-1, 1) == 0, len(graph.indices), graph.indptr[nodes].view(-1, 1) + offsets)
    return padded[places]


@equivalent("sample_neighbors")
def with_multinomial(graph, nodes, k):
    counts = graph.adjacency().to_dense()[nodes]
    isolated = counts.sum(dim=1) == 0
    counts[isolated] = 1.0
    drawn = torch.multinomial(counts, k, replacement=True)
    drawn[isolated] = -1
    return drawn


@equivalent("sample_neighbors")
def among_candidates(graph, nodes, k):
    table = graph.candidates(nodes, int(graph.degrees.max()))
    return table.gather(1, (torch.rand(len(nodes), k) * _degrees(graph, nodes)).long())


# mc_gcn_layer


def _drawn(h, neighbors):
    return h[neighbors.clamp(min=0)] * (neighbors >= 0)[..., None]


@mistake(
    "mc_gcn_layer", "-1 is taken for the last row of h, as Python counts; it is nobody, and adds 0.", "last_for_nobody"
)
def last_for_nobody(h, neighbors, weight, activation=torch.relu):
    return activation(h[neighbors].mean(dim=1) @ weight)


@mistake("mc_gcn_layer", "-1 is taken for row 0 of h; it is nobody, and adds 0.")
def first_for_nobody(h, neighbors, weight, activation=torch.relu):
    return activation(h[neighbors.clamp(min=0)].mean(dim=1) @ weight)


@mistake("mc_gcn_layer", "Row 0 of h is taken for nobody; only -1 is.")
def nobody_for_first(h, neighbors, weight, activation=torch.relu):
    return activation((_drawn(h, neighbors) * (neighbors > 0)[..., None]).mean(dim=1) @ weight)


@mistake(
    "mc_gcn_layer",
    "The sum is divided by the number of draws that are somebody; it is divided by k, and nobody adds 0.",
)
def divides_by_those_found(h, neighbors, weight, activation=torch.relu):
    found = (neighbors >= 0).sum(dim=1, keepdim=True).clamp(min=1)
    return activation(_drawn(h, neighbors).sum(dim=1) / found @ weight)


@mistake(
    "mc_gcn_layer",
    "The sum is divided by the number of draws that are somebody, which may be 0: divide by k.",
    "not_a_number_for_isolated_nodes",
)
def divides_by_nobody(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).sum(dim=1) / (neighbors >= 0).sum(dim=1, keepdim=True) @ weight)


@mistake("mc_gcn_layer", "This is the sum over the draws; divide by k.")
def sum_of_draws(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).sum(dim=1) @ weight)


@mistake("mc_gcn_layer", "The sum is divided by the number of rows of h; divide by k.")
def divides_by_rows(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).sum(dim=1) / len(h) @ weight)


@mistake("mc_gcn_layer", "A neighbour that is drawn several times counts once; it counts each time.")
def counts_draws_once(h, neighbors, weight, activation=torch.relu):
    rows = [_drawn(h, torch.tensor(sorted(set(row)))).mean(dim=0) for row in neighbors.tolist()]
    return activation(torch.stack(rows) @ weight)


@mistake("mc_gcn_layer", "This is the largest of the draws, entry by entry; take their mean.")
def largest_draw(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).amax(dim=1) @ weight)


@mistake("mc_gcn_layer", "The mean runs over the nodes; it runs over the k draws of each, dimension 1.")
def mean_over_nodes(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).mean(dim=0) @ weight)


@mistake("mc_gcn_layer", "Only the first draw is used.")
def first_draw_only(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors[:, :1]).mean(dim=1) @ weight)


@mistake("mc_gcn_layer", "The activation comes before the mean; it comes last, after mean and W.")
def mc_activates_before_mean(h, neighbors, weight, activation=torch.relu):
    return _drawn(activation(h @ weight), neighbors).mean(dim=1)


@mistake("mc_gcn_layer", "The activation comes before W; it comes last, after W.")
def mc_activates_before_weight(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).mean(dim=1)) @ weight


@mistake("mc_gcn_layer", "The activation is missing.")
def mc_without_activation(h, neighbors, weight, activation=torch.relu):
    return _drawn(h, neighbors).mean(dim=1) @ weight


@mistake("mc_gcn_layer", "The argument activation is ignored: use it, not relu.")
def mc_always_relu(h, neighbors, weight, activation=torch.relu):
    return torch.relu(_drawn(h, neighbors).mean(dim=1) @ weight)


@mistake("mc_gcn_layer", "A node all of whose draws are -1 gets 0; it is its mean that is 0, so it gets activation(0).")
def nobody_without_activation(h, neighbors, weight, activation=torch.relu):
    somebody = (neighbors >= 0).any(dim=1, keepdim=True)
    return torch.where(somebody, reference.mc_gcn_layer(h, neighbors, weight, activation), 0.0)


@mistake("mc_gcn_layer", "It raises: look at the shapes, (n, F) @ (F, D); nothing is transposed.")
def mc_weight_transposed(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).mean(dim=1) @ weight.T)


@mistake("mc_gcn_layer", "No gradient reaches h or W: look for detach, no_grad, item or data.", "detached")
def mc_detached(h, neighbors, weight, activation=torch.relu):
    return reference.mc_gcn_layer(h.detach(), neighbors, weight, activation)


@mistake(
    "mc_gcn_layer",
    "It changes an argument in place; the caller still needs it: work on a new tensor.",
    "changes_its_argument",
)
def mc_in_place(h, neighbors, weight, activation=torch.relu):
    nobody = neighbors < 0
    neighbors[nobody] = 0
    return activation((h[neighbors] * ~nobody[..., None]).mean(dim=1) @ weight)


@equivalent("mc_gcn_layer")
def with_a_row_of_zeros(h, neighbors, weight, activation=torch.relu):
    return activation(torch.cat([h, torch.zeros_like(h[:1])])[neighbors].mean(dim=1) @ weight)


@equivalent("mc_gcn_layer")
def draw_by_draw(h, neighbors, weight, activation=torch.relu):
    total = torch.zeros(len(neighbors), h.shape[1], dtype=h.dtype)
    for column in neighbors.T:
        total = total + h[column] * (column != -1).to(h.dtype).unsqueeze(1)
    return activation(total / neighbors.shape[1] @ weight)


@equivalent("mc_gcn_layer")
def with_one_hot(h, neighbors, weight, activation=torch.relu):
    counts = functional.one_hot(neighbors + 1, len(h) + 1)[..., 1:].sum(dim=1).to(h.dtype)
    return activation(counts @ h @ weight / neighbors.size(1))


@equivalent("mc_gcn_layer")
def mc_masked_fill(h, neighbors, weight, activation=torch.relu):
    messages = (h @ weight)[neighbors].masked_fill((neighbors < 0).unsqueeze(-1), 0)
    return activation(torch.mean(messages, dim=-2))


# sampling_variance


def _of_squares(h, adjacency):
    return _means((h**2).sum(dim=1, keepdim=True), adjacency)[:, 0]


@mistake("sampling_variance", "The variance of a single draw is divided by k²; a mean of k draws has 1/k of it.")
def divided_by_k_squared(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, k) / k


@mistake("sampling_variance", "This is the variance of a single draw; a mean of k draws has 1/k of it.")
def of_a_single_draw(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, 1)


@mistake("sampling_variance", "The variance is multiplied by k; a mean of k draws has 1/k of it.")
def multiplied_by_k(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, 1) * k


@mistake(
    "sampling_variance", "It is divided by the root of k: that is for standard deviations; a variance falls as 1/k."
)
def divided_by_root_of_k(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, 1) / k**0.5


@mistake("sampling_variance", "This is the standard deviation; its square is wanted.")
def standard_deviation(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, k).clamp(min=0).sqrt()


@mistake(
    "sampling_variance",
    "This is the estimate of a variance from a sample, with n − 1; p(j | i) is known here, so nothing is corrected.",
)
def corrected_as_a_sample(h, adjacency, k):
    n = (adjacency.to_dense() > 0).sum(dim=1)
    return reference.sampling_variance(h, adjacency, k) * n / (n - 1).clamp(min=1)


@mistake("sampling_variance", "The squared mean is not taken off: E‖h − mean‖² = E‖h‖² − ‖mean‖².")
def without_the_mean(h, adjacency, k):
    return _of_squares(h, adjacency) / k


@mistake("sampling_variance", "The mean is taken off without its square: E‖h − mean‖² = E‖h‖² − ‖mean‖².")
def mean_not_squared(h, adjacency, k):
    return (_of_squares(h, adjacency) - _means(h, adjacency).norm(dim=1)) / k


@mistake(
    "sampling_variance", "The signs are swapped: the mean of the squares comes first, less the square of the mean."
)
def variance_below_zero(h, adjacency, k):
    return -reference.sampling_variance(h, adjacency, k)


@mistake("sampling_variance", "1/k stands at the mean of the squares alone; all of the difference is divided by k.")
def only_squares_divided(h, adjacency, k):
    return _of_squares(h, adjacency) / k - (_means(h, adjacency) ** 2).sum(dim=1)


@mistake("sampling_variance", "It is the mean over the features; a squared length sums over them.")
def mean_over_features(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, k) / h.shape[1]


@mistake("sampling_variance", "There is a variance for each feature; sum over the features: one number a node.")
def for_each_feature(h, adjacency, k):
    return (_means(h**2, adjacency) - _means(h, adjacency) ** 2) / k


@mistake("sampling_variance", "The features are summed before they are squared: square each, then sum.")
def sums_before_squares(h, adjacency, k):
    return reference.sampling_variance(h.sum(dim=1, keepdim=True), adjacency, k)


@mistake(
    "sampling_variance", "The weights a_ij are lost: p(j | i) = a_ij / N(i), not one over the number of neighbours."
)
def variance_without_weights(h, adjacency, k):
    return reference.sampling_variance(h, (adjacency.to_dense() > 0).to(h.dtype), k)


@mistake("sampling_variance", "The sums are not divided by N(i): p(j | i) = a_ij / N(i).")
def variance_of_sums(h, adjacency, k):
    return (adjacency @ (h**2).sum(dim=1) - ((adjacency @ h) ** 2).sum(dim=1)) / k


@mistake("sampling_variance", "N(i) is raised to 1 where it is smaller; only N(i) = 0 needs another divisor.")
def variance_with_clamped_sizes(h, adjacency, k):
    p = adjacency.to_dense()
    p = p / p.sum(dim=1, keepdim=True).clamp(min=1)
    return (p @ (h**2).sum(dim=1) - ((p @ h) ** 2).sum(dim=1)) / k


@mistake("sampling_variance", "The distance is taken from h_i, the node's own features; take it from the mean.")
def distance_from_itself(h, adjacency, k):
    return _means(torch.eye(len(h), dtype=h.dtype), adjacency).mul(torch.cdist(h, h) ** 2).sum(dim=1) / k


@mistake("sampling_variance", "The adjacency is transposed: node i draws j with a_ij, from its row.")
def variance_of_columns(h, adjacency, k):
    return reference.sampling_variance(h, adjacency.to_dense().T, k)


@mistake(
    "sampling_variance",
    "NaN for isolated nodes: with N(i) = 0 it divides by 0; their variance is 0.",
    "not_a_number_for_isolated_nodes",
)
def variance_divides_by_zero(h, adjacency, k):
    p = adjacency.to_dense()
    p = p / p.sum(dim=1, keepdim=True)
    return (p @ (h**2).sum(dim=1) - ((p @ h) ** 2).sum(dim=1)) / k


@mistake(
    "sampling_variance",
    "It works only for a dense adjacency: `adjacency @ h` works for a sparse one too, adjacency * h does not.",
)
def variance_for_dense_only(h, adjacency, k):
    if adjacency.layout != torch.strided:
        raise RuntimeError("not implemented for a sparse tensor")
    return reference.sampling_variance(h, adjacency, k)


@mistake("sampling_variance", "It is the mean over the nodes; one number for each node is wanted.")
def mean_variance(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, k).mean()


@equivalent("sampling_variance")
def from_distances(h, adjacency, k):
    p = _means(torch.eye(len(h), dtype=h.dtype), adjacency)
    return (p * ((h[None] - (p @ h)[:, None]) ** 2).sum(dim=2)).sum(dim=1) / k


@equivalent("sampling_variance")
def from_pairs(h, adjacency, k):
    p = _means(torch.eye(len(h), dtype=h.dtype), adjacency)
    return torch.einsum("ij,il,jl->i", p, p, torch.cdist(h, h) ** 2) / (2 * k)


@equivalent("sampling_variance")
def variance_node_by_node(h, adjacency, k):
    found = []
    for row in adjacency.to_dense():
        p = row / row.sum() if row.sum() > 0 else row
        found.append(sum(p[j] * (h[j] - p @ h).square().sum() for j in range(len(h))) / k)
    return torch.stack(found)


@equivalent("sampling_variance")
def variance_by_feature(h, adjacency, k):
    return ((_means(h**2, adjacency) - _means(h, adjacency) ** 2) / k).sum(dim=-1)


# exact_sampler_gradient


def _given(logits, h, weight, upstream):
    return logits.softmax(dim=1), reference._rewards(h, weight, upstream)


def _average(q, rewards):
    return (q * rewards).sum(dim=1, keepdim=True)


@mistake("exact_sampler_gradient", "The factor q is missing: ∇ q(s) = q(s) ∇ log q(s).")
def without_q(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return rewards - _average(q, rewards)


@mistake(
    "exact_sampler_gradient",
    "This is Σ_s r_s ∇ log q(s), without the q(s) before it: an expectation weighs each neighbour with its q.",
)
def sum_for_expectation(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return rewards - q * rewards.sum(dim=1, keepdim=True)


@mistake(
    "exact_sampler_gradient",
    "This is E_q[r ∇ q], with q twice: inside the expectation stands ∇ log q, or the sum Σ r ∇ q has no further q.",
)
def q_twice(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return q * (q * rewards - _average(q, q * rewards))


@mistake("exact_sampler_gradient", "The factor q stands twice: it is q (r − E_q[r]).")
def q_squared(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return q**2 * (rewards - _average(q, rewards))


@mistake(
    "exact_sampler_gradient", "The softmax is taken for q(s) ∝ θ_s alone: − q is missing in ∇ log q = one-hot − q."
)
def exact_without_minus_q(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return q * rewards


@mistake(
    "exact_sampler_gradient", "The rewards are centred at their plain mean; it is their mean under q, Σ_s q(s) r_s."
)
def plain_mean(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return q * (rewards - rewards.mean(dim=1, keepdim=True))


@mistake("exact_sampler_gradient", "q(s) (1 − q(s)) r_s is the diagonal of the softmax's Jacobian alone.")
def diagonal_alone(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return q * (1 - q) * rewards


@mistake("exact_sampler_gradient", "These are the rewards upstream · h W; their gradient by θ is wanted.")
def rewards_alone(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return rewards.where(q > 0, 0.0)


@mistake("exact_sampler_gradient", "The sign is wrong: the gradient points to where the sum grows.")
def exact_downhill(logits, h, weight, upstream):
    return -reference.exact_sampler_gradient(logits, h, weight, upstream)


@mistake("exact_sampler_gradient", "The gradient is divided by the number of rows; the sum over i is no mean.")
def mean_over_rows(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight, upstream) / len(logits)


@mistake("exact_sampler_gradient", "upstream is left out: a neighbour is worth upstream_i · h_is W.")
def exact_without_upstream(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight, torch.ones_like(upstream))


@mistake("exact_sampler_gradient", "All rows get the same upstream; each has its own, upstream[:, None].")
def upstream_of_all_rows(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight, upstream.sum(dim=0).expand_as(upstream))


@mistake("exact_sampler_gradient", "A reward is the mean over the D outputs; a product of vectors is the sum.")
def mean_over_outputs(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight, upstream) / upstream.shape[1]


@mistake("exact_sampler_gradient", "The softmax runs over the rows; it runs over the neighbours of each, dim=1.")
def softmax_over_rows(logits, h, weight, upstream):
    q, rewards = logits.softmax(dim=0), reference._rewards(h, weight, upstream)
    return q * (rewards - _average(q, rewards))


@mistake(
    "exact_sampler_gradient",
    "It raises: the shapes are h (n, S, F), weight (F, D) and upstream (n, D), so that h @ weight is (n, S, D).",
)
def exact_raises(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight.T, upstream)


@mistake(
    "exact_sampler_gradient",
    "NaN where θ is -inf: the logarithm of q = 0 has no derivative. Work with q itself; there the gradient is 0.",
    "not_a_number_for_nobody",
)
def exact_not_a_number(logits, h, weight, upstream):
    theta = logits.detach().clone().requires_grad_()
    q, rewards = _given(theta, h, weight, upstream)
    return torch.autograd.grad((q.detach() * rewards * q.log()).sum(), theta)[0]


@mistake(
    "exact_sampler_gradient",
    "It changes an argument in place; the caller still needs it. Look for [] = or a method with an underscore.",
    "changes_its_argument",
)
def exact_in_place(logits, h, weight, upstream):
    logits[logits.isinf()] = -1e9
    return reference.exact_sampler_gradient(logits, h, weight, upstream)


@equivalent("exact_sampler_gradient")
def exact_by_autograd(logits, h, weight, upstream):
    theta = logits.detach().clone().requires_grad_()
    out = (torch.softmax(theta, dim=1)[..., None] * h).sum(dim=1) @ weight
    return torch.autograd.grad(out, theta, upstream)[0]


@equivalent("exact_sampler_gradient")
def exact_by_jacobian(logits, h, weight, upstream):
    q, rewards = _given(logits, h, weight, upstream)
    return torch.bmm(torch.diag_embed(q) - q[:, :, None] * q[:, None, :], rewards[:, :, None])[..., 0]


@equivalent("exact_sampler_gradient")
def exact_by_log_derivative(logits, h, weight, upstream):
    q = torch.softmax(logits, dim=1)
    score = torch.eye(q.shape[1], dtype=q.dtype) - q[:, None]
    expected = torch.einsum("ns,nst,nsf->ntf", q, score, h)
    return torch.einsum("ntd,nd->nt", expected @ weight, upstream)


# sampler_gradient


def _estimate(logits, h, weight, upstream, drawn, rewards=None):
    """From draws (n, k), with their own rewards or with those given, (n, k)."""
    q = logits.softmax(dim=1)
    rewards = reference._rewards(h, weight, upstream).gather(1, drawn) if rewards is None else rewards
    return (rewards[..., None] * (functional.one_hot(drawn, q.shape[1]) - q[:, None])).mean(dim=1)


def _multinomial(logits, k):
    return torch.multinomial(logits.softmax(dim=1), k, replacement=True)


@mistake(
    "sampler_gradient",
    "Nothing is drawn: this is the exact gradient; estimate it from k draws.",
    "nothing_is_drawn",
)
def exact_for_estimate(logits, h, weight, upstream, k):
    return reference.exact_sampler_gradient(logits, h, weight, upstream)


@mistake(
    "sampler_gradient",
    "All rows share their draws: each row draws from its own q.",
    "one_draw_for_all",
)
def rows_share_draws(logits, h, weight, upstream, k):
    return _estimate(logits, h, weight, upstream, _multinomial(logits[:1], k).expand(len(logits), -1))


@mistake("sampler_gradient", "One draw is used k times: draw k times, independently.", "one_draw_used_k_times")
def draw_used_k_times(logits, h, weight, upstream, k):
    return _estimate(logits, h, weight, upstream, _multinomial(logits, 1).expand(-1, k))


@mistake(
    "sampler_gradient",
    "It raises where k is larger than the number of neighbours: draw with replacement (replacement=True).",
)
def estimate_without_replacement(logits, h, weight, upstream, k):
    return _estimate(logits, h, weight, upstream, torch.multinomial(logits.softmax(dim=1), k))


@mistake("sampler_gradient", "The draws are uniform; they come from q.")
def uniform_draws(logits, h, weight, upstream, k):
    drawn = torch.multinomial(torch.isfinite(logits).double(), k, replacement=True)
    return _estimate(logits, h, weight, upstream, drawn)


@mistake("sampler_gradient", "It multiplies by q once more: the draws come from q, and that is all of its weight.")
def weighted_again(logits, h, weight, upstream, k):
    drawn, (q, rewards) = _multinomial(logits, k), _given(logits, h, weight, upstream)
    return _estimate(logits, h, weight, upstream, drawn, (q * rewards).gather(1, drawn))


@mistake("sampler_gradient", "This is the sum over the draws; divide by k.")
def sum_of_estimates(logits, h, weight, upstream, k):
    return k * reference.sampler_gradient(logits, h, weight, upstream, k)


@mistake("sampler_gradient", "− q is missing: ∇_θ log q(j) is the one-hot vector of j less q.")
def estimate_without_minus_q(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    rewards = reference._rewards(h, weight, upstream).gather(1, drawn)
    return (rewards[..., None] * functional.one_hot(drawn, logits.shape[1])).mean(dim=1)


@mistake("sampler_gradient", "The sign is wrong: it is one-hot − q, times the reward.")
def estimate_downhill(logits, h, weight, upstream, k):
    return -reference.sampler_gradient(logits, h, weight, upstream, k)


@mistake(
    "sampler_gradient",
    "The mean of all k rewards is taken off: it knows the draw, so the estimate is (k − 1)/k of what it should be.",
)
def baseline_of_all_draws(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    rewards = reference._rewards(h, weight, upstream).gather(1, drawn)
    return _estimate(logits, h, weight, upstream, drawn, rewards - rewards.mean(dim=1, keepdim=True))


@mistake(
    "sampler_gradient",
    "The mean reward meets the mean ∇ log q: each draw's reward belongs to its own ∇ log q; take the mean afterwards.",
)
def product_of_means(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    rewards = reference._rewards(h, weight, upstream).gather(1, drawn)
    return _estimate(logits, h, weight, upstream, drawn, rewards.mean(dim=1, keepdim=True).expand_as(rewards))


@mistake("sampler_gradient", "Rewards and ∇ log q come from different draws: draw once, and use the draws for both.")
def rewards_of_other_draws(logits, h, weight, upstream, k):
    drawn, others = _multinomial(logits, k), _multinomial(logits, k)
    rewards = reference._rewards(h, weight, upstream).gather(1, others)
    return _estimate(logits, h, weight, upstream, drawn, rewards)


@mistake("sampler_gradient", "upstream is left out: a draw is worth upstream_i · h_j W.")
def estimate_without_upstream(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight, torch.ones_like(upstream), k)


@mistake("sampler_gradient", "The rewards are left out: this is the mean ∇ log q of the draws, whose expectation is 0.")
def estimate_without_rewards(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    return _estimate(logits, h, weight, upstream, drawn, torch.ones_like(drawn, dtype=logits.dtype))


@mistake("sampler_gradient", "A reward is the mean over the D outputs; a product of vectors is the sum.")
def estimate_of_mean_outputs(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight, upstream, k) / upstream.shape[1]


@mistake("sampler_gradient", "It is divided by the number of rows too; the mean runs over the k draws alone.")
def estimate_over_rows(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight, upstream, k) / len(logits)


@mistake(
    "sampler_gradient",
    "The derivative goes through the values that were drawn, which do not depend on θ: use ∇ log q of the draws.",
    "no_gradient",
)
def derivative_of_the_draws(logits, h, weight, upstream, k):
    theta = logits.detach().clone().requires_grad_()
    drawn = _multinomial(theta.detach(), k)
    total = reference._rewards(h, weight, upstream).gather(1, drawn).sum() / k
    return torch.autograd.grad(total + 0 * theta.nan_to_num(neginf=0).sum(), theta)[0]


@mistake("sampler_gradient", "This is the mean reward times ∇ q; it is ∇ log q that belongs to a draw from q.")
def gradient_of_q(logits, h, weight, upstream, k):
    drawn, q = _multinomial(logits, k), logits.softmax(dim=1)
    chosen = q.gather(1, drawn)
    rewards = reference._rewards(h, weight, upstream).gather(1, drawn)
    return (rewards[..., None] * chosen[..., None] * (functional.one_hot(drawn, q.shape[1]) - q[:, None])).sum(dim=1)


@mistake(
    "sampler_gradient",
    "It raises: the shapes are h (n, S, F), weight (F, D) and upstream (n, D), so that h @ weight is (n, S, D).",
)
def estimate_raises(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight.T, upstream, k)


@equivalent("sampler_gradient")
def estimate_by_autograd(logits, h, weight, upstream, k):
    theta = logits.detach().clone().requires_grad_()
    drawn = _multinomial(logits, k)
    rewards = reference._rewards(h, weight, upstream).gather(1, drawn)
    loss = (theta.log_softmax(dim=1).gather(1, drawn) * rewards).sum() / k
    return torch.autograd.grad(loss, theta)[0]


@equivalent("sampler_gradient")
def estimate_with_categorical(logits, h, weight, upstream, k):
    theta = logits.detach().clone().requires_grad_()
    distribution = Categorical(logits=theta, validate_args=False)
    drawn = distribution.sample((k,))
    features = h[torch.arange(len(h)), drawn]
    rewards = (features @ weight * upstream).sum(dim=-1)
    (distribution.log_prob(drawn) * rewards).mean(dim=0).sum().backward()
    return theta.grad


@equivalent("sampler_gradient")
def estimate_draw_by_draw(logits, h, weight, upstream, k):
    q, total = torch.softmax(logits, dim=-1), torch.zeros_like(logits)
    rows = torch.arange(len(q))
    for _ in range(k):
        drawn = torch.multinomial(q, 1)[:, 0]
        score = -q
        score[rows, drawn] += 1
        total += ((h[rows, drawn] @ weight) * upstream).sum(dim=1, keepdim=True) * score
    return total / k


# leave_one_out


@mistake("leave_one_out", "This is the mean of all rewards of the row; the draw's own must be left out.")
def mean_of_all(rewards):
    return rewards.mean(dim=1, keepdim=True).expand_as(rewards)


@mistake("leave_one_out", "The sum of the others is divided by k; there are k − 1 others.")
def others_over_k(rewards):
    return (rewards.sum(dim=1, keepdim=True) - rewards) / rewards.shape[1]


@mistake("leave_one_out", "This is the sum of the others; divide by k − 1.")
def sum_of_others(rewards):
    return rewards.sum(dim=1, keepdim=True) - rewards


@mistake("leave_one_out", "The sum of all is divided by k − 1; the draw's own reward must be taken off first.")
def all_over_one_less(rewards):
    return rewards.sum(dim=1, keepdim=True).expand_as(rewards) / max(rewards.shape[1] - 1, 1)


@mistake(
    "leave_one_out",
    "NaN for k = 1, where it divides by 0: there is no other, and the baseline is 0.",
    "not_a_number_for_one_draw",
)
def one_draw_divides_by_zero(rewards):
    return (rewards.sum(dim=1, keepdim=True) - rewards) / (rewards.shape[1] - 1)


@mistake("leave_one_out", "It raises for k = 1, where it divides by 0: there is no other, and the baseline is 0.")
def one_draw_raises(rewards):
    return (rewards.sum(dim=1, keepdim=True) - rewards) * (1 / (rewards.shape[1] - 1))


@mistake("leave_one_out", "For k = 1 the reward is its own baseline; there is no other, so the baseline is 0.")
def one_draw_is_its_own_baseline(rewards):
    return rewards.clone() if rewards.shape[1] == 1 else reference.leave_one_out(rewards)


@mistake("leave_one_out", "The others are those of the column, of other nodes; they are the other draws of the row.")
def across_rows(rewards):
    return reference.leave_one_out(rewards.T).T


@mistake("leave_one_out", "This is the reward less its baseline; return the baseline.")
def advantages(rewards):
    return rewards - reference.leave_one_out(rewards)


@mistake("leave_one_out", "This is the next reward of the row alone; take the mean of all the others.")
def next_reward(rewards):
    return rewards.roll(-1, dims=1) if rewards.shape[1] > 1 else torch.zeros_like(rewards)


@mistake("leave_one_out", "There is one baseline a row; each reward has its own.")
def one_baseline_a_row(rewards):
    return rewards.mean(dim=1)


@mistake(
    "leave_one_out", "It raises: the sum over a row has shape (n,) and meets (n, k); keep the dimension (keepdim)."
)
def without_keepdim(rewards):
    return (rewards.sum(dim=1) - rewards) / max(rewards.shape[1] - 1, 1)


@equivalent("leave_one_out")
def from_the_mean(rewards):
    k = rewards.size(1)
    return (k * rewards.mean(dim=1, keepdim=True) - rewards) / (k - 1) if k > 1 else rewards * 0


@equivalent("leave_one_out")
def with_a_mask(rewards):
    k = rewards.shape[1]
    return rewards @ (1 - torch.eye(k, dtype=rewards.dtype)) / max(1, k - 1)


@equivalent("leave_one_out")
def one_by_one(rewards):
    k = rewards.shape[1]
    if k == 1:
        return torch.zeros_like(rewards)
    others = [torch.cat([rewards[:, :i], rewards[:, i + 1 :]], dim=1).mean(dim=1) for i in range(k)]
    return torch.stack(others, dim=1)


# normalize_scores


def _shared_out(positive, found):
    """positive over its sum in the row, among those found; 0 where the sum is 0."""
    positive = positive * found
    return positive / _or_one(positive.sum(dim=1, keepdim=True))


@mistake("normalize_scores", "This is a softmax; here scores are cut at 0 and divided by their sum.")
def softmax_of_scores(scores, found):
    return scores.masked_fill(~found, -torch.inf).softmax(dim=1).nan_to_num(0.0)


@mistake("normalize_scores", "This is a softmax, over all columns; scores are cut at 0 and divided by their sum.")
def softmax_of_all_columns(scores, found):
    return scores.softmax(dim=1) * found


@mistake("normalize_scores", "Negative scores count with their size; they count as 0.")
def sizes_of_scores(scores, found):
    return _shared_out(scores.abs() + TINY, found)


@mistake("normalize_scores", "Negative scores stay negative; they count as 0.")
def negative_scores_stay(scores, found):
    return _shared_out(scores + TINY, found)


@mistake("normalize_scores", "Scores are squeezed by a sigmoid or softplus; they are cut at 0 and otherwise stay.")
def sigmoid_of_scores(scores, found):
    return _shared_out(scores.sigmoid() + TINY, found)


@mistake("normalize_scores", "Scores are squared; negative ones count as 0, and others stay.")
def squares_of_scores(scores, found):
    return _shared_out(scores**2 + TINY, found)


@mistake("normalize_scores", "The row's smallest score is taken off; scores are cut at 0.")
def less_the_smallest(scores, found):
    return _shared_out(scores - scores.amin(dim=1, keepdim=True) + TINY, found)


@mistake(
    "normalize_scores",
    "Where no score is positive, all of q is 0: add 1e-9 to each score, after it is cut at 0, not to the sum alone.",
)
def without_the_epsilon(scores, found):
    return _shared_out(scores.relu(), found)


@mistake("normalize_scores", "1e-9 is not added to each score: where no score is positive, it divides by 0.")
def zero_over_zero(scores, found):
    q = scores.relu() * found
    return torch.where(found, q / q.sum(dim=1, keepdim=True), 0.0)


@mistake("normalize_scores", "Scores are raised to at least 1e-9; 1e-9 is added to them after they are cut at 0.")
def raised_to_the_epsilon(scores, found):
    return _shared_out(scores.clamp(min=TINY), found)


@mistake("normalize_scores", "What is added is larger than 1e-9.")
def larger_epsilon(scores, found):
    return _shared_out(scores.relu() + 1e-3, found)


@mistake("normalize_scores", "What is added is not 1e-9, but some other small number.")
def other_epsilon(scores, found):
    return _shared_out(scores.relu() + 1e-8, found)


@mistake(
    "normalize_scores",
    "1e-9 is added after the mask, so that it is added to what is not found, too: there q must be 0.",
)
def epsilon_for_the_missing(scores, found):
    positive = scores.relu() * found + TINY
    return positive / positive.sum(dim=1, keepdim=True)


@mistake("normalize_scores", "`found` is ignored: where it is false, q is 0 and nothing counts in the sum.")
def ignores_found(scores, found):
    return _shared_out(scores.relu() + TINY, torch.ones_like(found))


@mistake("normalize_scores", "The sum holds columns that are not found: mask before you divide, so that rows sum to 1.")
def masked_too_late(scores, found):
    return _shared_out(scores.relu() + TINY, torch.ones_like(found)) * found


@mistake("normalize_scores", "`found` is taken for its opposite.")
def found_for_missing(scores, found):
    return reference.normalize_scores(scores, ~found)


@mistake("normalize_scores", "The columns sum to 1; the rows should: sum with dim=1.")
def columns_sum_to_one(scores, found):
    positive = (scores.relu() + TINY) * found
    return positive / _or_one(positive.sum(dim=0, keepdim=True))


@mistake("normalize_scores", "The whole matrix sums to 1; each row should: sum with dim=1, keepdim=True.")
def matrix_sums_to_one(scores, found):
    positive = (scores.relu() + TINY) * found
    return positive / positive.sum()


@mistake("normalize_scores", "It is not divided by the sum of the row.")
def without_the_sum(scores, found):
    return (scores.relu() + TINY) * found


@mistake("normalize_scores", "It is divided by the largest of the row; divide by the sum.")
def over_the_largest(scores, found):
    positive = (scores.relu() + TINY) * found
    return positive / _or_one(positive.amax(dim=1, keepdim=True))


@mistake(
    "normalize_scores",
    "NaN in rows where nothing is found: their sum is 0; let q be 0 there.",
    "not_a_number_for_isolated_nodes",
)
def empty_rows_divide_by_zero(scores, found):
    positive = (scores.relu() + TINY) * found
    return positive / positive.sum(dim=1, keepdim=True)


@mistake("normalize_scores", "No gradient reaches the scores: look for detach, no_grad, item or data.", "detached")
def scores_detached(scores, found):
    return reference.normalize_scores(scores.detach(), found)


@mistake(
    "normalize_scores",
    "It changes the scores in place; the caller still needs them: use torch.where or masked_fill.",
    "changes_its_argument",
)
def scores_in_place(scores, found):
    scores[~found] = -1.0
    return reference.normalize_scores(scores, found)


@equivalent("normalize_scores")
def with_normalize(scores, found):
    return functional.normalize((functional.relu(scores) + 1e-9).masked_fill(~found, 0), p=1, dim=1, eps=1e-30)


@equivalent("normalize_scores")
def without_the_empty_rows(scores, found):
    q = torch.zeros_like(scores)
    for i in range(len(scores)):
        if found[i].any():
            kept = scores[i, found[i]].clamp(min=0) + 1e-9
            q[i, found[i]] = kept / kept.sum()
    return q


@equivalent("normalize_scores")
def normalized_with_nan_to_num(scores, found):
    positive = torch.where(found, torch.maximum(scores, torch.tensor(0.0, dtype=scores.dtype)) + 1e-9, 0)
    return torch.nan_to_num(positive / positive.sum(-1, keepdim=True))


# draw_candidates


def _columns(q, k):
    """Draws from q (n, S), and from row 0 … of all columns where q is 0 everywhere."""
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    return torch.multinomial(torch.where(empty, 1.0, q.detach()), k, replacement=True)


def _with_logs(candidates, q, columns, chosen=None):
    """Neighbours in those columns and log of `chosen` (n, k), their q; -1 and 0 where q is 0 everywhere."""
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    chosen = q.gather(1, columns) if chosen is None else chosen
    return torch.where(empty, -1, candidates.gather(1, columns)), torch.where(empty, 1.0, chosen).log()


@mistake(
    "draw_candidates",
    "These are the columns that were drawn; return the candidates that stand in them (candidates.gather(1, columns)).",
    "columns_for_candidates",
)
def columns_for_candidates(candidates, q, k):
    columns = _columns(q, k)
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    return torch.where(empty, -1, columns), _with_logs(candidates, q, columns)[1]


@mistake(
    "draw_candidates",
    "Nothing is drawn by chance: every call gives the same neighbours. Use torch.multinomial.",
    "nothing_is_drawn",
)
def most_probable(candidates, q, k):
    return _with_logs(candidates, q, q.detach().argmax(dim=1, keepdim=True).expand(-1, k))


@mistake(
    "draw_candidates",
    "It raises for a row with fewer candidates than k, or none: draw with replacement, and give multinomial something "
    "positive where q is 0 everywhere.",
)
def draws_without_replacement(candidates, q, k):
    return _with_logs(candidates, q, torch.multinomial(q.detach(), k))


@mistake(
    "draw_candidates",
    "It raises for a row of which q is 0 everywhere: that is no distribution; give Categorical something else there.",
)
def refused_by_categorical(candidates, q, k):
    return _with_logs(candidates, q, Categorical(probs=q).sample((k,)).T)


@mistake(
    "draw_candidates",
    "Every candidate is drawn as often as the others: draw with the probabilities q.",
    "uniform_candidates",
)
def uniform_candidates(candidates, q, k):
    return _with_logs(candidates, q, _columns((q.detach() > 0).float(), k))


@mistake("draw_candidates", "All columns are drawn alike, and -1 with them: draw with the probabilities q.")
def uniform_columns(candidates, q, k):
    columns = torch.randint(q.shape[1], (len(q), k))
    return _with_logs(candidates, q, columns, q.gather(1, columns).where(candidates.gather(1, columns) >= 0, 1.0))


@mistake(
    "draw_candidates",
    "q is taken for logits, so that exp(q) is drawn from: Categorical(probs=…), or torch.multinomial(q, …).",
)
def q_for_logits(candidates, q, k):
    columns = Categorical(logits=q.detach()).sample((k,)).T
    return _with_logs(candidates, q, columns, q.gather(1, columns).where(candidates.gather(1, columns) >= 0, 1.0))


@mistake("draw_candidates", "One draw is used k times: ask torch.multinomial for k of them.", "one_draw_used_k_times")
def candidate_used_k_times(candidates, q, k):
    return _with_logs(candidates, q, _columns(q, 1).expand(-1, k))


@mistake("draw_candidates", "All rows share their draws: each row draws from its own q.", "one_draw_for_all")
def rows_share_columns(candidates, q, k):
    cumulative = q.detach().cumsum(dim=1)
    columns = torch.searchsorted(cumulative, torch.rand(1, k) * cumulative[:, -1:], right=True)
    return _with_logs(candidates, q, columns.clamp(max=q.shape[1] - 1))


@mistake("draw_candidates", "The logarithm is missing: this is q of the draws.")
def without_the_logarithm(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, log_q.exp() * (neighbors >= 0)


@mistake(
    "draw_candidates", "The logarithm is missing: this is q of the draws, and 1 in rows of which q is 0 everywhere."
)
def without_the_logarithm_and_one(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, log_q.exp()


@mistake("draw_candidates", "log_q is −log q: probabilities are below 1, so their logarithms are negative.")
def minus_the_logarithm(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, -log_q


@mistake("draw_candidates", "This is the logarithm to the base 2 or 10; torch.log is wanted.")
def another_base(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, log_q / torch.log(torch.tensor(2.0))


@mistake(
    "draw_candidates", "log_q is that of the draws in other rows, or of other draws: gather it with the same columns."
)
def logs_of_other_draws(candidates, q, k):
    neighbors, _ = reference.draw_candidates(candidates, q, k)
    return neighbors, reference.draw_candidates(candidates, q, k)[1]


@mistake("draw_candidates", "log_q stands for the first columns; gather it in the columns that were drawn.")
def logs_of_the_first_columns(candidates, q, k):
    neighbors, _ = reference.draw_candidates(candidates, q, k)
    return neighbors, q[:, :k].where(q[:, :k] > 0, 1.0).log()


@mistake("draw_candidates", "There is one log_q a row; there is one a draw.")
def one_log_a_row(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors, log_q.sum(dim=1)


@mistake("draw_candidates", "log_q is that of all candidates, (n, S); gather those of the draws, (n, k).")
def logs_of_all_candidates(candidates, q, k):
    neighbors, _ = reference.draw_candidates(candidates, q, k)
    return neighbors, q.where(q > 0, 1.0).log()


@mistake(
    "draw_candidates",
    "log_q carries no gradient of q: take its logarithm from q itself, not from q.detach(), and outside no_grad.",
    "detached",
)
def logs_detached(candidates, q, k):
    return reference.draw_candidates(candidates, q.detach(), k)


@mistake(
    "draw_candidates",
    "log_q is infinite or NaN where q is 0 everywhere: it is 0 there.",
    "not_a_number_for_isolated_nodes",
)
def logarithm_of_zero(candidates, q, k):
    columns = _columns(q, k)
    return candidates.gather(1, columns), q.gather(1, columns).log()


@mistake(
    "draw_candidates",
    "Where q is 0 everywhere, log_q is the logarithm of a small number; it is 0 there.",
)
def logarithm_of_a_small_number(candidates, q, k):
    columns = _columns(q, k)
    return candidates.gather(1, columns), (q.gather(1, columns) + 1e-9).log()


@mistake(
    "draw_candidates",
    "The gradient is NaN where q is 0 everywhere: choose with torch.where before the logarithm, not after.",
    "gradient_not_a_number",
)
def chosen_after_the_logarithm(candidates, q, k):
    columns = _columns(q, k)
    empty = q.detach().sum(dim=1, keepdim=True) == 0
    return candidates.gather(1, columns), torch.where(empty, 0.0, q.gather(1, columns).log())


@mistake("draw_candidates", "Where q is 0 everywhere, a node is drawn; it is -1, nobody.", "isolated_nodes")
def first_node_of_empty_rows(candidates, q, k):
    neighbors, log_q = reference.draw_candidates(candidates, q, k)
    return neighbors.clamp(min=0), log_q


@mistake("draw_candidates", "The results are swapped: neighbours come first, then log_q.")
def results_swapped(candidates, q, k):
    return reference.draw_candidates(candidates, q, k)[::-1]


@mistake("draw_candidates", "Only the neighbours are returned: return (neighbors, log_q).")
def neighbors_alone(candidates, q, k):
    return reference.draw_candidates(candidates, q, k)[0].unsqueeze(0)


@mistake("draw_candidates", "Both are (k, n): one row a node, one column a draw is wanted.")
def a_row_for_each_draw(candidates, q, k):
    return tuple(part.T for part in reference.draw_candidates(candidates, q, k))


@equivalent("draw_candidates")
def with_categorical(candidates, q, k):
    empty = (q == 0).all(dim=1)
    safe = torch.where(empty[:, None], torch.ones_like(q), q)
    distribution = Categorical(probs=safe)
    columns = distribution.sample((k,))
    log_q = torch.where(empty, 0.0, distribution.log_prob(columns)).T
    return candidates.gather(1, columns.T).masked_fill(empty[:, None], -1), log_q


@equivalent("draw_candidates")
def with_gumbel_noise(candidates, q, k):
    noise = -torch.log(torch.empty(len(q), k, q.shape[1]).exponential_())
    columns = (q.detach().log()[:, None] + noise).argmax(dim=2)
    return _with_logs(candidates, q, columns)


@equivalent("draw_candidates")
def nonempty_rows_alone(candidates, q, k):
    neighbors, log_q = torch.full((len(q), k), -1), q.new_zeros(len(q), k)
    rows = torch.nonzero(q.detach().sum(dim=1) > 0)[:, 0]
    columns = torch.multinomial(q[rows], k, True)
    neighbors[rows] = torch.gather(candidates[rows], 1, columns)
    return neighbors, log_q.index_put((rows,), torch.gather(q[rows], 1, columns).log())


@equivalent("draw_candidates")
def with_a_small_number(candidates, q, k):
    columns = torch.multinomial(q.detach() + 1e-30, k, replacement=True)
    chosen = q.gather(1, columns)
    neighbors = candidates.gather(1, columns)
    return neighbors, torch.where(neighbors >= 0, chosen + 1e-12, torch.ones_like(chosen)).log()


# PerformanceAdaptiveSampler


class _Parts(reference.PerformanceAdaptiveSampler):
    """The same in parts, each of which may be another."""

    def shares(self):
        return self.mixture.softmax(dim=0)

    def keys(self, x):
        return x @ self.weight

    def products(self, ours, theirs):
        """ours (n, 1, H), theirs (n, S, H)."""
        return (ours * theirs).sum(dim=2)

    def importance(self, x, nodes, candidates):
        keys = self.keys(x)
        return self.products(keys[nodes][:, None], keys[candidates.clamp(min=0)])

    def uniform(self, x, found):
        return 1 / found.sum(dim=1, keepdim=True).clamp(min=1)

    def scores(self, x, nodes, candidates):
        first, second = self.shares()
        return first * self.importance(x, nodes, candidates) + second * self.uniform(x, candidates >= 0)

    def normalize(self, scores, found):
        return reference.normalize_scores(scores, found)

    def probabilities(self, x, nodes, candidates):
        return self.normalize(self.scores(x, nodes, candidates), candidates >= 0)


@mistake("PerformanceAdaptiveSampler", "The mixture is used without its softmax.")
class MixtureWithoutSoftmax(_Parts):
    def shares(self):
        return self.mixture


@mistake("PerformanceAdaptiveSampler", "The mixture goes through a sigmoid; it is a softmax over the two.")
class MixtureThroughSigmoid(_Parts):
    def shares(self):
        return self.mixture.sigmoid()


@mistake("PerformanceAdaptiveSampler", "The two parts are swapped: the first of the mixture belongs to the importance.")
class MixtureSwapped(_Parts):
    def shares(self):
        return self.mixture.softmax(dim=0).flip(0)


@mistake("PerformanceAdaptiveSampler", "The mixture is left out: importance and 1/N(i) are added with equal shares.")
class WithoutMixture(_Parts):
    def shares(self):
        return 1.0, 1.0


@mistake("PerformanceAdaptiveSampler", "1/N(i) is missing: only the importance is normalised.")
class WithoutUniform(_Parts):
    def uniform(self, x, found):
        return 0.0


@mistake("PerformanceAdaptiveSampler", "The importance is missing: only 1/N(i) is normalised, so that q is uniform.")
class WithoutImportance(_Parts):
    def importance(self, x, nodes, candidates):
        return torch.zeros(candidates.shape)


@mistake("PerformanceAdaptiveSampler", "1/S, of all columns, stands for 1/N(i); N(i) counts the candidates that exist.")
class UniformOverColumns(_Parts):
    def uniform(self, x, found):
        return 1 / found.shape[1]


@mistake("PerformanceAdaptiveSampler", "One over the number of all nodes stands for 1/N(i), of the candidates of i.")
class UniformOverNodes(_Parts):
    def uniform(self, x, found):
        return 1 / len(x)


@mistake("PerformanceAdaptiveSampler", "1 stands for 1/N(i): divide by the number of candidates.")
class OneForUniform(_Parts):
    def uniform(self, x, found):
        return 1.0


@mistake("PerformanceAdaptiveSampler", "N(i) stands for 1/N(i).")
class SizesForUniform(_Parts):
    def uniform(self, x, found):
        return found.sum(dim=1, keepdim=True)


@mistake("PerformanceAdaptiveSampler", "N(i) is summed over all nodes; each row has its own (dim=1, keepdim=True).")
class OneSizeForAll(_Parts):
    def uniform(self, x, found):
        return 1 / found.sum()


@mistake("PerformanceAdaptiveSampler", "The importance is h_i · h_j, without W_s.")
class ImportanceWithoutWeight(_Parts):
    def keys(self, x):
        return x


@mistake(
    "PerformanceAdaptiveSampler",
    "It raises: W_s h_i is x[i] @ weight, (F,) @ (F, H), for node and candidates both; then the shapes fit.",
)
class WeightOnOneSide(_Parts):
    def importance(self, x, nodes, candidates):
        return self.products(self.keys(x)[nodes][:, None], x[candidates.clamp(min=0)])


@mistake(
    "PerformanceAdaptiveSampler", "The importance compares candidates with themselves: it is (W_s h_i) · (W_s h_j)."
)
class CandidatesAlone(_Parts):
    def products(self, ours, theirs):
        return (theirs * theirs).sum(dim=2)


@mistake("PerformanceAdaptiveSampler", "The importance compares the node with itself: it is (W_s h_i) · (W_s h_j).")
class NodesAlone(_Parts):
    def products(self, ours, theirs):
        return (ours * ours).sum(dim=2).expand(theirs.shape[:2])


@mistake("PerformanceAdaptiveSampler", "The rows of x are taken to be the nodes in their order: take x[nodes].")
class IgnoresNodes(_Parts):
    def importance(self, x, nodes, candidates):
        return super().importance(x, torch.arange(len(nodes)), candidates)


@mistake("PerformanceAdaptiveSampler", "The importance is the cosine; the plain product is wanted, lengths and all.")
class CosineForProduct(_Parts):
    def products(self, ours, theirs):
        return functional.cosine_similarity(ours, theirs, dim=2)


@mistake(
    "PerformanceAdaptiveSampler",
    "The product is divided by the root of H, as in attention; the plain product is wanted.",
)
class ScaledProduct(_Parts):
    def products(self, ours, theirs):
        return (ours * theirs).sum(dim=2) / ours.shape[2] ** 0.5


@mistake("PerformanceAdaptiveSampler", "It is the mean over the H numbers; a product of vectors is the sum.")
class MeanForProduct(_Parts):
    def products(self, ours, theirs):
        return (ours * theirs).mean(dim=2)


@mistake("PerformanceAdaptiveSampler", "The importance goes through a sigmoid; the plain product is wanted.")
class SigmoidOfImportance(_Parts):
    def products(self, ours, theirs):
        return super().products(ours, theirs).sigmoid()


@mistake("PerformanceAdaptiveSampler", "The importance goes through a tanh; the plain product is wanted.")
class TanhOfImportance(_Parts):
    def products(self, ours, theirs):
        return super().products(ours, theirs).tanh()


@mistake("PerformanceAdaptiveSampler", "The importance is cut at 0 before it is mixed; it is the mixture that is cut.")
class CutBeforeMixing(_Parts):
    def products(self, ours, theirs):
        return super().products(ours, theirs).relu()


@mistake(
    "PerformanceAdaptiveSampler",
    "The importance is normalised before it is mixed; mix first, and normalise the mixture.",
)
class NormalizedBeforeMixing(_Parts):
    def importance(self, x, nodes, candidates):
        return reference.normalize_scores(super().importance(x, nodes, candidates), candidates >= 0)


@mistake("PerformanceAdaptiveSampler", "A squared distance stands for the product (W_s h_i) · (W_s h_j).")
class DistanceForProduct(_Parts):
    def products(self, ours, theirs):
        return -((ours - theirs) ** 2).sum(dim=2)


@mistake("PerformanceAdaptiveSampler", "The keys go through a relu; W_s h is linear.")
class ReluOfKeys(_Parts):
    def keys(self, x):
        return (x @ self.weight).relu()


@mistake("PerformanceAdaptiveSampler", "The scores go through a softmax; use normalize_scores.")
class SoftmaxOfScores(_Parts):
    def normalize(self, scores, found):
        return scores.masked_fill(~found, -torch.inf).softmax(dim=1).nan_to_num(0.0)


@mistake(
    "PerformanceAdaptiveSampler",
    "The scores go through a softmax over all columns, -1 and all; use normalize_scores.",
)
class SoftmaxOfAllColumns(_Parts):
    def normalize(self, scores, found):
        return scores.softmax(dim=1)


@mistake("PerformanceAdaptiveSampler", "These are the scores; make probabilities of them with normalize_scores.")
class ScoresForProbabilities(_Parts):
    def normalize(self, scores, found):
        return scores * found


@mistake(
    "PerformanceAdaptiveSampler",
    "-1 is taken for a candidate: tell normalize_scores which are found (candidates >= 0).",
)
class PaddingTakesPart(_Parts):
    def normalize(self, scores, found):
        return reference.normalize_scores(scores, torch.ones_like(found))


@mistake("PerformanceAdaptiveSampler", "Node 0 is taken for nobody; only -1 is: candidates >= 0.")
class NodeZeroIsNobody(_Parts):
    def probabilities(self, x, nodes, candidates):
        return self.normalize(self.scores(x, nodes, candidates), candidates > 0)


@mistake(
    "PerformanceAdaptiveSampler",
    "NaN where a node has no candidates: 1/N(i) is infinite there; divide by at least 1.",
    "not_a_number_for_isolated_nodes",
)
class DividesByNoCandidates(_Parts):
    def uniform(self, x, found):
        return 1 / found.sum(dim=1, keepdim=True)


@mistake(
    "PerformanceAdaptiveSampler",
    "No gradient reaches one of the parameters: look for detach, no_grad, item or data.",
    "detached",
)
class MixtureDetached(_Parts):
    def shares(self):
        return self.mixture.detach().softmax(dim=0)


@equivalent("PerformanceAdaptiveSampler")
class KeysOfPadding(_Parts):
    def importance(self, x, nodes, candidates):
        keys = self.keys(x)
        return torch.bmm(keys[candidates], keys[nodes].unsqueeze(2)).squeeze(2)


@mistake(
    "PerformanceAdaptiveSampler",
    "1 / N(i) is infinite for a node without candidates. q hides it, but the gradient of the mixture is NaN: use at least 1.",
    "gradient_not_a_number",
)
class InfinityThatIsMasked(_Parts):
    def uniform(self, x, found):
        return 1 / found.sum(dim=1, keepdim=True)

    def normalize(self, scores, found):
        return _shared_out(torch.where(found, scores.relu() + TINY, 0.0), found)


@equivalent("PerformanceAdaptiveSampler")
class UniformByEntry(_Parts):
    def uniform(self, x, found):
        return found / torch.maximum(found.sum(dim=1), torch.tensor(1))[:, None]


@equivalent("PerformanceAdaptiveSampler")
class FromAllPairs(_Parts):
    def importance(self, x, nodes, candidates):
        products = x @ self.weight @ self.weight.T @ x.T
        return products[nodes[:, None], candidates.clamp(min=0)]


@equivalent("PerformanceAdaptiveSampler")
class MixtureByHand(_Parts):
    def shares(self):
        return self.mixture.exp() / self.mixture.exp().sum()


# sampler_loss


def _rewards(messages, upstream):
    return (messages * upstream[:, None]).sum(dim=2).detach()


def _advantages(messages, upstream):
    rewards = _rewards(messages, upstream)
    return rewards - reference.leave_one_out(rewards)


@mistake("sampler_loss", "The sign is wrong: a loss is minimised, so it is log q · (r − b), without a minus.")
def loss_upside_down(log_q, messages, upstream):
    return -reference.sampler_loss(log_q, messages, upstream)


@mistake("sampler_loss", "The baseline is forgotten: take leave_one_out(rewards) off.")
def loss_without_baseline(log_q, messages, upstream):
    return (log_q * _rewards(messages, upstream)).mean(dim=1).sum()


@mistake(
    "sampler_loss", "The baseline is the mean of all k rewards; use leave_one_out, which leaves the draw's own out."
)
def loss_with_mean_of_all(log_q, messages, upstream):
    rewards = _rewards(messages, upstream)
    return (log_q * (rewards - rewards.mean(dim=1, keepdim=True))).mean(dim=1).sum()


@mistake("sampler_loss", "The baseline is added; take it off.")
def loss_with_baseline_added(log_q, messages, upstream):
    rewards = _rewards(messages, upstream)
    return (log_q * (rewards + reference.leave_one_out(rewards))).mean(dim=1).sum()


@mistake("sampler_loss", "These are the baselines alone: the weight of log q is r − b.")
def loss_of_baselines(log_q, messages, upstream):
    return (log_q * reference.leave_one_out(_rewards(messages, upstream))).mean(dim=1).sum()


@mistake("sampler_loss", "The baseline is taken over the nodes; it is the mean of the other draws of the same node.")
def loss_with_baseline_of_other_nodes(log_q, messages, upstream):
    rewards = _rewards(messages, upstream)
    return (log_q * (rewards - reference.leave_one_out(rewards.T).T)).mean(dim=1).sum()


@mistake("sampler_loss", "The rewards are divided by their spread too; only the baseline is taken off.")
def loss_of_standardized_rewards(log_q, messages, upstream):
    weights = _advantages(messages, upstream)
    return (log_q * weights / (weights.std(dim=1, keepdim=True, correction=0) + 1e-8)).mean(dim=1).sum()


@mistake("sampler_loss", "It is summed over the k draws of a node; take their mean.")
def loss_summed_over_draws(log_q, messages, upstream):
    return (log_q * _advantages(messages, upstream)).sum()


@mistake("sampler_loss", "It is the mean over the nodes; sum over them (upstream holds the batch's 1/B already).")
def loss_averaged_over_nodes(log_q, messages, upstream):
    return (log_q * _advantages(messages, upstream)).mean()


@mistake("sampler_loss", "It is the mean over the nodes and the sum over the draws; it is the other way round.")
def loss_averaged_the_other_way(log_q, messages, upstream):
    return (log_q * _advantages(messages, upstream)).sum(dim=1).mean()


@mistake("sampler_loss", "There is one number for each node; sum over the nodes.")
def loss_for_each_node(log_q, messages, upstream):
    return (log_q * _advantages(messages, upstream)).mean(dim=1)


@mistake("sampler_loss", "q stands where log q belongs: use log_q as it is given, without exp.")
def loss_of_probabilities(log_q, messages, upstream):
    return (log_q.exp() * _advantages(messages, upstream)).mean(dim=1).sum()


@mistake("sampler_loss", "upstream is left out: a reward is upstream_i · m_iκ.")
def loss_without_upstream(log_q, messages, upstream):
    return reference.sampler_loss(log_q, messages, torch.ones_like(upstream))


@mistake("sampler_loss", "A reward is the mean over the D numbers; a product of vectors is the sum.")
def loss_of_mean_rewards(log_q, messages, upstream):
    return reference.sampler_loss(log_q, messages, upstream) / upstream.shape[1]


@mistake("sampler_loss", "The size of upstream is used without its sign, which says whether a message helps or harms.")
def loss_of_sizes(log_q, messages, upstream):
    return reference.sampler_loss(log_q, messages, upstream.abs())


@mistake(
    "sampler_loss",
    "Mean log q meets mean reward; each draw's log q belongs to its own reward: multiply, then take the mean.",
)
def loss_of_products_of_means(log_q, messages, upstream):
    return (log_q.mean(dim=1) * _advantages(messages, upstream).mean(dim=1)).sum()


@mistake("sampler_loss", "log q is missing: these are the rewards alone, and the sampler gets no gradient.", "detached")
def loss_of_rewards_alone(log_q, messages, upstream):
    return _rewards(messages, upstream).mean(dim=1).sum()


@mistake(
    "sampler_loss",
    "A gradient reaches the messages or upstream: rewards and baselines are numbers here, so detach them.",
    "gradient_reaches_the_messages",
)
def loss_through_the_messages(log_q, messages, upstream):
    rewards = (messages * upstream[:, None]).sum(dim=2)
    return (log_q * (rewards - reference.leave_one_out(rewards))).mean(dim=1).sum()


@equivalent("sampler_loss")
def loss_with_no_grad(log_q, messages, upstream):
    with torch.no_grad():
        weights = _advantages(messages, upstream)
    return torch.sum(weights * log_q) / log_q.size(1)


@equivalent("sampler_loss")
def loss_draw_by_draw(log_q, messages, upstream):
    total, k = 0.0, log_q.shape[1]
    rewards = torch.einsum("nkd,nd->nk", messages.detach(), upstream.detach())
    for i in range(len(log_q)):
        for j in range(k):
            others = [rewards[i, other] for other in range(k) if other != j]
            baseline = sum(others) / len(others) if others else 0.0
            total = total + log_q[i, j] * (rewards[i, j] - baseline) / k
    return total


@equivalent("sampler_loss")
def loss_of_ratios(log_q, messages, upstream):
    return ((log_q - log_q.detach()).exp() * _advantages(messages, upstream)).mean(dim=1).sum()


# joint_step


def _passed(network, x, labels, hops, optimizer):
    """The cross-entropy, after the network's gradients were zeroed and filled anew."""
    optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels)
    loss.backward()
    return loss


def _surrogate(network, hops):
    return reference.sampler_loss(hops.log_q, network.messages, network.aggregate.grad)


def _finish(network_optimizer, sampler_optimizer, surrogate):
    """The sampler's gradient, and a step of both."""
    sampler_optimizer.zero_grad()
    surrogate.backward()
    network_optimizer.step()
    sampler_optimizer.step()


@mistake("joint_step", "The network's old gradients are not zeroed: each step follows those of the steps before, too.")
def network_not_zeroed(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = functional.cross_entropy(network(x, hops), labels)
    loss.backward()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("joint_step", "The sampler's old gradients are not zeroed: each step follows those of the steps before, too.")
def sampler_not_zeroed(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _surrogate(network, hops).backward()
    network_optimizer.step()
    sampler_optimizer.step()
    return loss.item()


@mistake("joint_step", "No old gradients are zeroed: call zero_grad of both optimizers.")
def neither_zeroed(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = functional.cross_entropy(network(x, hops), labels)
    loss.backward()
    _surrogate(network, hops).backward()
    network_optimizer.step()
    sampler_optimizer.step()
    return loss.item()


@mistake(
    "joint_step",
    "The network does not learn: network_optimizer.step() is missing, or comes before backward or after zero_grad.",
    "lower_stays",
)
def network_stays(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    sampler_optimizer.zero_grad()
    _surrogate(network, hops).backward()
    sampler_optimizer.step()
    return loss.item()


@mistake(
    "joint_step",
    "The sampler does not learn: sampler_loss(…).backward() and then sampler_optimizer.step() are wanted.",
    "theta_stays",
)
def sampler_stays(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    network_optimizer.step()
    return loss.item()


@mistake("joint_step", "The sampler steps before its gradient is there: first sampler_loss(…).backward(), then step().")
def sampler_steps_too_early(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    sampler_optimizer.step()
    sampler_optimizer.zero_grad()
    _surrogate(network, hops).backward()
    network_optimizer.step()
    return loss.item()


@mistake("joint_step", "It raises: the network steps between forward and backward; first loss.backward(), then step().")
def network_steps_too_early(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = functional.cross_entropy(network(x, hops), labels)
    network_optimizer.step()
    network_optimizer.zero_grad()
    loss.backward()
    sampler_optimizer.zero_grad()
    _surrogate(network, hops).backward()
    sampler_optimizer.step()
    return loss.item()


@mistake(
    "joint_step",
    "It raises: network.aggregate.grad is there only after loss.backward(), so sampler_loss comes after it.",
)
def upstream_before_backward(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels)
    _finish(network_optimizer, sampler_optimizer, loss + _surrogate(network, hops))
    return loss.item()


@mistake("joint_step", "upstream is network.aggregate itself; it is its gradient, network.aggregate.grad.")
def aggregate_for_its_gradient(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    surrogate = reference.sampler_loss(hops.log_q, network.messages, network.aggregate)
    _finish(network_optimizer, sampler_optimizer, surrogate)
    return loss.item()


@mistake("joint_step", "The sampler climbs: sampler_loss is minimised as it is, without a minus.")
def sampler_climbs(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, -_surrogate(network, hops))
    return loss.item()


@mistake("joint_step", "The network climbs: it is the cross-entropy itself that is minimised, without a minus.")
def network_climbs(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels)
    (-loss).backward()
    _finish(network_optimizer, sampler_optimizer, -_surrogate(network, hops))
    return loss.item()


@mistake(
    "joint_step", "The draws are rewarded with the cross-entropy as a whole; use sampler_loss, which tells them apart."
)
def loss_for_reward(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, (hops.log_q * loss.detach()).mean())
    return loss.item()


@mistake("joint_step", "The network makes two steps, the sampler one: one step of each is wanted.")
def two_steps_of_the_network(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    network_optimizer.step()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("joint_step", "The sampler makes two steps, the network one: one step of each is wanted.")
def two_steps_of_the_sampler(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    sampler_optimizer.step()
    return loss.item()


@mistake(
    "joint_step", "The sampler learns from a second pass, after the network's step; both learn from the same pass."
)
def second_pass_for_the_sampler(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    network_optimizer.step()
    _passed(network, x, labels, hops, network_optimizer)
    sampler_optimizer.zero_grad()
    _surrogate(network, hops).backward()
    sampler_optimizer.step()
    return loss.item()


@mistake("joint_step", "The loss is that after the step; return the cross-entropy from which the step was made.")
def loss_after_the_step(network, x, labels, hops, network_optimizer, sampler_optimizer):
    reference.joint_step(network, x, labels, hops, network_optimizer, sampler_optimizer)
    with torch.no_grad():
        return functional.cross_entropy(network(x, hops), labels).item()


@mistake("joint_step", "It returns the sampler's loss; return the cross-entropy.")
def returns_the_surrogate(network, x, labels, hops, network_optimizer, sampler_optimizer):
    _passed(network, x, labels, hops, network_optimizer)
    surrogate = _surrogate(network, hops)
    _finish(network_optimizer, sampler_optimizer, surrogate)
    return surrogate.item()


@mistake("joint_step", "It returns the sum of both losses; return the cross-entropy.")
def returns_both_losses(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    surrogate = _surrogate(network, hops)
    _finish(network_optimizer, sampler_optimizer, surrogate)
    return loss.item() + surrogate.item()


@mistake("joint_step", "It returns nothing: return loss.item().")
def returns_nothing(network, x, labels, hops, network_optimizer, sampler_optimizer):
    reference.joint_step(network, x, labels, hops, network_optimizer, sampler_optimizer)


@mistake("joint_step", "The cross-entropy is summed over the batch; its mean is wanted.")
def sum_of_cross_entropies(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels, reduction="sum")
    loss.backward()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("joint_step", "The logits go through a softmax before cross_entropy, which takes one itself.")
def softmax_before_cross_entropy(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops).softmax(dim=1), labels)
    loss.backward()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("joint_step", "nll_loss wants logarithms of probabilities, the network gives logits: use cross_entropy.")
def logits_for_logarithms(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.nll_loss(network(x, hops), labels)
    loss.backward()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@equivalent("joint_step")
def zeroes_first(network, x, labels, hops, network_optimizer, sampler_optimizer):
    for optimizer in (network_optimizer, sampler_optimizer):
        optimizer.zero_grad(set_to_none=False)
    loss = -network(x, hops).log_softmax(dim=1)[torch.arange(len(labels)), labels].mean()
    loss.backward()
    network_optimizer.step()
    _surrogate(network, hops).backward()
    sampler_optimizer.step()
    return float(loss.detach())


@equivalent("joint_step")
def both_in_one_backward(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels)
    (upstream,) = torch.autograd.grad(loss, network.aggregate, retain_graph=True)
    surrogate = reference.sampler_loss(hops.log_q, network.messages, upstream)
    _finish(network_optimizer, sampler_optimizer, loss + surrogate)
    return loss.item()


@equivalent("joint_step")
def returns_a_tensor(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.detach()


# same_class_share


def _others(candidates, nodes):
    return (candidates >= 0) & (candidates != nodes[:, None])


def _same(candidates, nodes, labels):
    return labels[candidates.clamp(min=0)] == labels[nodes][:, None]


@mistake("same_class_share", "The node itself counts: leave out the pairs in which candidate and node are the same.")
def self_loops_count(q, candidates, nodes, labels):
    return (q * _same(candidates, nodes, labels)).sum() / q.sum()


@mistake("same_class_share", "The node itself counts in the divisor; leave it out there, too.")
def self_loops_below(q, candidates, nodes, labels):
    return (q * (_others(candidates, nodes) & _same(candidates, nodes, labels))).sum() / q.sum()


@mistake("same_class_share", "The node itself counts above the line; leave it out there, too.")
def self_loops_above(q, candidates, nodes, labels):
    return (q * _same(candidates, nodes, labels)).sum() / (q * _others(candidates, nodes)).sum()


@mistake("same_class_share", "This is the mean of the shares of the nodes; sum over all pairs first, then divide once.")
def mean_of_shares(q, candidates, nodes, labels):
    others = _others(candidates, nodes)
    return ((q * (others & _same(candidates, nodes, labels))).sum(dim=1) / (q * others).sum(dim=1)).nanmean()


@mistake("same_class_share", "There is a share for each node; sum over all pairs: one number.")
def share_of_each_node(q, candidates, nodes, labels):
    others = _others(candidates, nodes)
    return (q * (others & _same(candidates, nodes, labels))).sum(dim=1) / (q * others).sum(dim=1)


@mistake("same_class_share", "It is not divided by the probability that goes to other nodes.")
def share_not_divided(q, candidates, nodes, labels):
    return (q * (_others(candidates, nodes) & _same(candidates, nodes, labels))).sum()


@mistake(
    "same_class_share", "It is divided by the number of nodes; divide by the probability that goes to other nodes."
)
def share_by_nodes(q, candidates, nodes, labels):
    return (q * (_others(candidates, nodes) & _same(candidates, nodes, labels))).sum() / len(nodes)


@mistake(
    "same_class_share", "It is divided by the number of pairs; divide by the probability that goes to other nodes."
)
def share_by_pairs(q, candidates, nodes, labels):
    others = _others(candidates, nodes)
    return (q * (others & _same(candidates, nodes, labels))).sum() / others.sum()


@mistake("same_class_share", "The pairs are counted; sum their q.")
def share_of_pairs(q, candidates, nodes, labels):
    others = _others(candidates, nodes)
    return (others & _same(candidates, nodes, labels)).sum().double() / others.sum()


@mistake("same_class_share", "This is the share of the other classes.")
def share_of_other_classes(q, candidates, nodes, labels):
    return 1 - reference.same_class_share(q, candidates, nodes, labels)


@mistake(
    "same_class_share",
    "The probability of the same class is divided by that of the other classes; divide it by that of both.",
)
def ratio_of_classes(q, candidates, nodes, labels):
    share = reference.same_class_share(q, candidates, nodes, labels)
    return share / (1 - share)


@mistake("same_class_share", "The rows are taken to be the nodes 0, 1, …: row i belongs to nodes[i].")
def rows_for_nodes(q, candidates, nodes, labels):
    return reference.same_class_share(q, candidates, torch.arange(len(nodes)), labels)


@mistake("same_class_share", "The classes of nodes are those of the rows 0, 1, …: use labels[nodes].")
def labels_of_rows(q, candidates, nodes, labels):
    others, same = _others(candidates, nodes), _same(candidates, torch.arange(len(nodes)), labels)
    return (q * (others & same)).sum() / (q * others).sum()


@mistake("same_class_share", "Node 0 is taken for nobody; only -1 is: candidates >= 0.")
def node_zero_left_out(q, candidates, nodes, labels):
    return reference.same_class_share(q * (candidates > 0), candidates, nodes, labels)


@equivalent("same_class_share")
def share_by_loop(q, candidates, nodes, labels):
    same = total = 0.0
    for i, node in enumerate(nodes.tolist()):
        for probability, j in zip(q[i].tolist(), candidates[i].tolist(), strict=True):
            if j >= 0 and j != node:
                total += probability
                same += probability * bool(labels[j] == labels[node])
    return same / total


@equivalent("same_class_share")
def share_of_padding_too(q, candidates, nodes, labels):
    other = candidates != nodes[:, None]  # q is 0 where there is none
    return (q * other * (labels[candidates] == labels[nodes].unsqueeze(1))).sum() / (q * other).sum()


@equivalent("same_class_share")
def share_by_selection(q, candidates, nodes, labels):
    other = _others(candidates, nodes)
    chosen = q[other]
    return torch.sum(chosen[_same(candidates, nodes, labels)[other]]) / torch.sum(chosen)
