"""E‖(1/k) Σ_κ h_{j_κ} − Σ_j p(j | i) h_j‖² for each node, exactly, without a draw.

It falls as 1/k, not as another power. Further mistakes correct as for a sample, forget the mean or its square, lose the
weights a_ij, or keep the features apart.
"""

import torch

from autograder.assignments.gcn import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.sampling_variance")
def sampling_variance(student: Remote, draw: Draw) -> None:
    for nodes, width, k, dtype in draw.again(
        (6, 3, 4, torch.float64), (9, 5, 1, torch.float32), (5, 1, 30, torch.float64)
    ):
        adjacency = common.random_adjacency(draw, nodes, dtype)
        h = 2 + draw.normal(nodes, width, dtype=dtype)
        wanted = reference.sampling_variance(h, adjacency, k)
        for label, form in common.dense_and_sparse(student, adjacency):
            expect(student(h, form, k), f"{label}the variance").close(wanted)
    alone = student(h[:1], adjacency[:1, :1], k)
    expect(alone, "for a single node that is its own neighbour, the variance").close(h.new_zeros(1))


def _mean_of_squares(h, adjacency):
    """E‖h_j‖² over j ~ p(· | i), (N,)."""
    return common.neighborhood_means((h**2).sum(dim=1, keepdim=True), adjacency)[:, 0]


@mistake("The variance of a single draw is divided by k²; a mean of k draws has 1/k of it.")
def divided_by_k_squared(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, k) / k


@mistake("This is the variance of a single draw; a mean of k draws has 1/k of it.")
def of_a_single_draw(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, 1)


@mistake("The variance is multiplied by k; a mean of k draws has 1/k of it.")
def multiplied_by_k(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, 1) * k


@mistake("It is divided by the root of k: that is for standard deviations; a variance falls as 1/k.")
def divided_by_root_of_k(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, 1) / k**0.5


@mistake("This is the standard deviation; return its square.")
def standard_deviation(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, k).clamp(min=0).sqrt()


@mistake(
    "This is the estimate of a variance from a sample, with n − 1; p(j | i) is known here, so nothing is corrected."
)
def corrected_as_a_sample(h, adjacency, k):
    n = (adjacency.to_dense() > 0).sum(dim=1)
    return reference.sampling_variance(h, adjacency, k) * n / (n - 1).clamp(min=1)


@mistake("The squared mean is not taken off: E‖h − mean‖² = E‖h‖² − ‖mean‖².")
def without_the_mean(h, adjacency, k):
    return _mean_of_squares(h, adjacency) / k


@mistake("The mean is taken off without its square: E‖h − mean‖² = E‖h‖² − ‖mean‖².")
def mean_not_squared(h, adjacency, k):
    return (_mean_of_squares(h, adjacency) - common.neighborhood_means(h, adjacency).norm(dim=1)) / k


@mistake("The signs are swapped: the mean of the squares comes first, less the square of the mean.")
def variance_below_zero(h, adjacency, k):
    return -reference.sampling_variance(h, adjacency, k)


@mistake("1/k stands at the mean of the squares alone; all of the difference is divided by k.")
def only_squares_divided(h, adjacency, k):
    return _mean_of_squares(h, adjacency) / k - (common.neighborhood_means(h, adjacency) ** 2).sum(dim=1)


@mistake("It is the mean over the features; a squared length sums over them.")
def mean_over_features(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, k) / h.shape[1]


@mistake("There is a variance for each feature; sum over the features: one number for each node.")
def for_each_feature(h, adjacency, k):
    return (common.neighborhood_means(h**2, adjacency) - common.neighborhood_means(h, adjacency) ** 2) / k


@mistake("The features are summed before they are squared: square each, then sum.")
def sums_before_squares(h, adjacency, k):
    return reference.sampling_variance(h.sum(dim=1, keepdim=True), adjacency, k)


@mistake("The weights a_ij are lost: p(j | i) = a_ij / N(i), not one over the number of neighbours.")
def variance_without_weights(h, adjacency, k):
    return reference.sampling_variance(h, (adjacency.to_dense() > 0).to(h.dtype), k)


@mistake("The sums are not divided by N(i): p(j | i) = a_ij / N(i).")
def variance_of_sums(h, adjacency, k):
    return (adjacency @ (h**2).sum(dim=1) - ((adjacency @ h) ** 2).sum(dim=1)) / k


@mistake("N(i) is raised to 1 where it is smaller; only N(i) = 0 needs another divisor.")
def variance_with_clamped_sizes(h, adjacency, k):
    p = adjacency.to_dense()
    p = p / p.sum(dim=1, keepdim=True).clamp(min=1)
    return (p @ (h**2).sum(dim=1) - ((p @ h) ** 2).sum(dim=1)) / k


@mistake("The distance is taken from h_i, the node's own features; take it from the mean.")
def distance_from_itself(h, adjacency, k):
    p = common.neighborhood_means(torch.eye(len(h), dtype=h.dtype), adjacency)
    return (p * torch.cdist(h, h) ** 2).sum(dim=1) / k


@mistake("The adjacency is transposed: node i draws j with a_ij, from its row.")
def variance_of_columns(h, adjacency, k):
    return reference.sampling_variance(h, adjacency.to_dense().T, k)


@mistake("NaN for isolated nodes: with N(i) = 0 it divides by 0; their variance is 0.")
def not_a_number_for_isolated_nodes(h, adjacency, k):
    p = adjacency.to_dense()
    p = p / p.sum(dim=1, keepdim=True)
    return (p @ (h**2).sum(dim=1) - ((p @ h) ** 2).sum(dim=1)) / k


@mistake("It works only for a dense adjacency: `adjacency @ h` works for a sparse one too, adjacency * h does not.")
def variance_for_dense_only(h, adjacency, k):
    sizes = adjacency.sum(dim=1, keepdim=True)
    return reference.sampling_variance(h, adjacency / torch.where(sizes > 0, sizes, 1), k)


@mistake("It is the mean over the nodes; return one number for each node.")
def mean_variance(h, adjacency, k):
    return reference.sampling_variance(h, adjacency, k).mean()


@equivalent
def from_distances(h, adjacency, k):
    p = common.neighborhood_means(torch.eye(len(h), dtype=h.dtype), adjacency)
    return (p * ((h[None] - (p @ h)[:, None]) ** 2).sum(dim=2)).sum(dim=1) / k


@equivalent
def from_pairs(h, adjacency, k):
    p = common.neighborhood_means(torch.eye(len(h), dtype=h.dtype), adjacency)
    return torch.einsum("ij,il,jl->i", p, p, torch.cdist(h, h) ** 2) / (2 * k)


@equivalent
def variance_node_by_node(h, adjacency, k):
    found = []
    for row in adjacency.to_dense():
        p = row / row.sum() if row.sum() > 0 else row
        found.append(sum(p[j] * (h[j] - p @ h).square().sum() for j in range(len(h))) / k)
    return torch.stack(found)


@equivalent
def variance_by_feature(h, adjacency, k):
    return ((common.neighborhood_means(h**2, adjacency) - common.neighborhood_means(h, adjacency) ** 2) / k).sum(dim=-1)


HARMLESS = {
    "graph": "The variance is looked at, and no gradient of it is asked for.",
}
