"""The layer h_i' = α((1/N(i)) Σ_j a_ij h_j W), for a dense and for a sparse adjacency.

The weights are uneven, one node is isolated, and one activation is 0 nowhere. Common mistakes sum instead of averaging,
count neighbours for N(i), transpose, add self loops, divide by 0, or apply the activation too early.
"""

import torch
from torch.nn import functional

from autograder.assignments.gcn import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.judged.toys import Curve


@exercise("gcn.gcn_layer")
def gcn_layer(student: Remote, draw: Draw) -> None:
    for nodes, width, out, dtype in ((6, 3, 5, torch.float32), (7, 4, 1, torch.float64), (5, 1, 3, torch.float32)):
        adjacency, h = common.random_adjacency(draw, nodes, dtype), draw.normal(nodes, width, dtype=dtype)
        weight = draw.normal(width, out, dtype=dtype)
        curve = Curve()
        for label, form in common.dense_and_sparse(student, adjacency):
            got, curved = student(h, form, weight), student(h, form, weight, curve)
            expect(got, f"{label}the row of an isolated node" if label else "the result").shape(nodes, out)
            common.expect_a_number_for_nobody(got, 2, f"{label}the row of an isolated node")
            expect(got, f"{label}the result").close(reference.gcn_layer(h, adjacency, weight))
            wanted = reference.gcn_layer(h, adjacency, weight, lambda x: torch.cos(x) + 2)
            expect(curved, f"{label}the result with another activation").close(wanted)
    adjacency = common.random_adjacency(draw, 6, torch.float64)
    h, weight, upstream = draw.positive(6, 3).double(), draw.positive(3, 2).double(), draw.normal(6, 2).double()
    leaves = [h.clone().requires_grad_(), weight.clone().requires_grad_()]
    right = torch.autograd.grad((reference.gcn_layer(leaves[0], adjacency, leaves[1]) * upstream).sum(), leaves)
    for _, form in common.dense_and_sparse(student, adjacency):
        found = student.gradient(h, form, weight, wrt=[0, 2], weights=[upstream])
        common.expect_gradients(found, right, "h W", "gradient_not_a_number")


@mistake("This is the sum over the neighbourhood; return the mean: divide by N(i).")
def sum_for_mean(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h @ weight)


@mistake("N(i) is the sum of the entries of the row, not their number: where entries are not 1, the two differ.")
def counts_for_sizes(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense @ h / (dense > 0).sum(dim=1, keepdim=True).clamp(min=1) @ weight)


@mistake("The weights a_ij are lost: every neighbour counts alike, however large its entry.")
def weights_lost(h, adjacency, weight, activation=torch.relu):
    return reference.gcn_layer(h, (adjacency.to_dense() > 0).to(h.dtype), weight, activation)


@mistake("N(i) is raised to 1 where it is smaller; entries may be fractions, so only N(i) = 0 needs another divisor.")
def sizes_of_at_least_one(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / (adjacency @ torch.ones_like(h[:, :1])).clamp(min=1) @ weight)


@mistake("The divisor is N(i) + 1; divide by N(i), and take care of N(i) = 0 otherwise.")
def divides_by_one_more(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / (adjacency @ torch.ones_like(h[:, :1]) + 1) @ weight)


@mistake("The sum is divided by the number of all nodes; divide by N(i), the sum of the node's own row.")
def divides_by_all_nodes(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / len(h) @ weight)


@mistake("Row i is divided by the sum of column i: N(i) sums the row, over j.")
def sums_of_columns(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense @ h / common.or_one(dense.sum(dim=0)[:, None]) @ weight)


@mistake("Each column is divided by its own sum; it is the rows that must sum to 1.")
def normalizes_columns(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense / common.or_one(dense.sum(dim=0, keepdim=True)) @ h @ weight)


@mistake("The adjacency is transposed: node i receives from j with a_ij, along its row.")
def transposed_adjacency(h, adjacency, weight, activation=torch.relu):
    return reference.gcn_layer(h, adjacency.to_dense().T, weight, activation)


@mistake("The sum runs along columns, Σ_j a_ji h_j: node i receives along its row, Σ_j a_ij h_j.")
def transposed_sum(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense.T @ h / common.or_one(dense.sum(dim=1, keepdim=True)) @ weight)


@mistake("Self loops are added: here a node is its own neighbour only where a_ii > 0.")
def adds_self_loops(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return reference.gcn_layer(h, dense + torch.eye(len(h), dtype=h.dtype), weight, activation)


@mistake(
    "This is D^-1/2 A D^-1/2 h W with added self loops, as Kipf & Welling have it; here it is the mean over the row."
)
def as_kipf_and_welling(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense() + torch.eye(len(h), dtype=h.dtype)
    root = dense.sum(dim=1).rsqrt()
    return activation(root[:, None] * dense * root @ h @ weight)


@mistake("The rows are divided symmetrically, D^-1/2 A D^-1/2; here each row is divided by N(i).")
def symmetric_normalization(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    root = common.or_one(dense.sum(dim=1)).rsqrt()
    return activation(root[:, None] * dense * root @ h @ weight)


@mistake("The sum is divided by the root of N(i); divide by N(i) itself.")
def root_of_the_size(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation(dense @ h / common.or_one(dense.sum(dim=1, keepdim=True)).sqrt() @ weight)


@mistake("NaN or infinity for isolated nodes: with N(i) = 0 it divides by 0; their mean is 0.")
def not_a_number_for_isolated_nodes(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / (adjacency @ torch.ones_like(h[:, :1])) @ weight)


@mistake("An isolated node keeps its own features; its mean is 0.")
def isolated_nodes_keep_their_features(h, adjacency, weight, activation=torch.relu):
    isolated = adjacency.to_dense().sum(dim=1, keepdim=True) == 0
    return activation(torch.where(isolated, h, common.neighborhood_means(h, adjacency)) @ weight)


@mistake("An isolated node gets 0; it is its mean that is 0, so it gets activation(0).")
def isolated_nodes_without_activation(h, adjacency, weight, activation=torch.relu):
    found = adjacency.to_dense().sum(dim=1, keepdim=True) > 0
    return torch.where(found, reference.gcn_layer(h, adjacency, weight, activation), 0.0)


@mistake("The activation comes before W; it comes last, after W.")
def layer_activates_before_weight(h, adjacency, weight, activation=torch.relu):
    return activation(common.neighborhood_means(h, adjacency)) @ weight


@mistake("The activation comes before the mean; it comes last, after mean and W.")
def layer_activates_before_mean(h, adjacency, weight, activation=torch.relu):
    return common.neighborhood_means(activation(h @ weight), adjacency)


@mistake("The features themselves are activated; the activation comes last, after mean and W.")
def layer_activates_features(h, adjacency, weight, activation=torch.relu):
    return common.neighborhood_means(activation(h), adjacency) @ weight


@mistake("The activation is missing.")
def layer_without_activation(h, adjacency, weight, activation=torch.relu):
    return common.neighborhood_means(h, adjacency) @ weight


@mistake("The argument activation is ignored: use it, not relu.")
def layer_always_relu(h, adjacency, weight, activation=torch.relu):
    return torch.relu(common.neighborhood_means(h, adjacency) @ weight)


@mistake("W is left out.")
def layer_without_weight(h, adjacency, weight, activation=torch.relu):
    return activation(common.neighborhood_means(h, adjacency))


@mistake(
    "It raises: look at the order of the factors and their shapes, (N, N) @ (N, F) @ (F, D); nothing is transposed."
)
def layer_weight_transposed(h, adjacency, weight, activation=torch.relu):
    return activation(common.neighborhood_means(h, adjacency) @ weight.T)


@mistake(
    "It works only for a dense adjacency: `adjacency @ h` works for a sparse one too, adjacency * h or / sizes do not."
)
def layer_for_dense_only(h, adjacency, weight, activation=torch.relu):
    sizes = adjacency.sum(dim=1, keepdim=True)
    return activation(adjacency @ h / torch.where(sizes > 0, sizes, 1) @ weight)


@layer_for_dense_only.also
def layer_that_clamps_dense_sizes(h, adjacency, weight, activation=torch.relu):
    return activation(adjacency @ h / adjacency.sum(dim=1, keepdim=True).clamp(min=1e-12) @ weight)


@mistake("It works only for float32: make new tensors with the dtype of h, as torch.ones_like(h) does.")
def layer_for_float32_only(h, adjacency, weight, activation=torch.relu):
    sizes = adjacency @ torch.ones(len(h), 1)
    return activation(adjacency @ h / torch.where(sizes > 0, sizes, 1) @ weight)


@mistake("The result is always float32: it keeps the dtype of h.")
def layer_returns_float32(h, adjacency, weight, activation=torch.relu):
    return reference.gcn_layer(h, adjacency, weight, activation).float()


@mistake("No gradient reaches h or W: look for detach, no_grad, item or data.")
def detached(h, adjacency, weight, activation=torch.relu):
    return reference.gcn_layer(h, adjacency, weight.detach(), activation)


@detached.also
def detached_if_sparse(h, adjacency, weight, activation=torch.relu):
    if adjacency.is_sparse:
        h, weight = h.detach(), weight.detach()
    return reference.gcn_layer(h, adjacency.to_dense(), weight, activation)


@mistake("It changes an argument in place; the caller still needs it. Write a = a / …, not a /= ….")
def changes_its_argument(h, adjacency, weight, activation=torch.relu):
    if adjacency.layout == torch.strided:
        adjacency /= common.or_one(adjacency.sum(dim=1, keepdim=True))
    return reference.gcn_layer(h, adjacency, weight, activation)


@mistake(
    "N(i) = 0 is hidden from the result, but the gradient of W is NaN: divide by 1 there, before torch.where chooses."
)
def gradient_not_a_number(h, adjacency, weight, activation=torch.relu):
    sums, sizes = adjacency @ (h @ weight), adjacency @ h.new_ones(len(h), 1)
    return activation(torch.where(sizes > 0, sums / sizes, 0.0))


@equivalent
def layer_row_by_row(h, adjacency, weight, activation=torch.relu):
    rows = []
    for row in adjacency.to_dense():
        size = row.sum()
        rows.append((row[:, None] * h).sum(dim=0) / size if size > 0 else torch.zeros_like(h[0]))
    return activation(torch.stack(rows) @ weight)


@equivalent
def layer_with_nan_to_num(h, adjacency, weight, activation=torch.relu):
    dense = adjacency.to_dense()
    return activation((dense / dense.sum(1, keepdim=True)).nan_to_num(0.0) @ h @ weight)


@equivalent
def layer_with_a_clamp(h, adjacency, weight, activation=torch.relu):
    sizes = (adjacency @ torch.ones(len(h), 1, dtype=h.dtype)).clamp_min(1e-12)
    return activation((adjacency @ (h @ weight)) / sizes)


@equivalent
def layer_with_an_epsilon(h, adjacency, weight, activation=torch.relu):
    return activation(torch.mm(adjacency @ h / (adjacency @ torch.ones_like(h[:, :1]) + 1e-10), weight))


@equivalent
def layer_with_einsum(h, adjacency, weight, activation=torch.relu):
    a = adjacency.to_dense()
    return activation(torch.einsum("ij,jf,fd->id", functional.normalize(a, p=1, dim=1), h, weight))


@equivalent
def layer_with_reciprocals(h, adjacency, weight, activation=torch.relu):
    if adjacency.layout == torch.strided:
        adjacency = adjacency.to_sparse()
    sizes = torch.sparse.sum(adjacency.to_sparse_coo(), dim=1).to_dense()
    inverse = sizes.pow(-1)
    inverse[sizes == 0] = 0
    return activation(inverse[:, None] * torch.sparse.mm(adjacency, h) @ weight)


HARMLESS = {
    "adjacency @ torch.ones_like(h[:, :1]) → adjacency.detach() @ torch.ones_like(h[:, :1])": "No gradient of the adjacency is asked for.",
    "adjacency @ h → adjacency.detach() @ h": "No gradient of the adjacency is asked for.",
}
