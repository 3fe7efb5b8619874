"""The layer on draws, h_i' = α((1/k) Σ_κ h_{j_κ} W), in which -1 is nobody and adds nothing.

Most often -1 is read as the last row, as Python does. Others divide by the draws that are somebody or not at all,
average over the wrong dimension, or apply the activation too early.
"""

import torch
from torch.nn import functional

from autograder.assignments.gcn import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.judged.toys import Curve


@exercise("gcn.mc_gcn_layer")
def mc_gcn_layer(student: Remote, draw: Draw) -> None:
    for rows, n, k, width, out, dtype in draw.again(
        (7, 5, 3, 4, 2, torch.float32),
        (4, 9, 6, 2, 1, torch.float64),
        (3, 2, 1, 1, 4, torch.float32),
    ):
        h, weight = draw.normal(rows, width, dtype=dtype), draw.normal(width, out, dtype=dtype)
        neighbors = torch.tensor([[draw.integer(0, rows) for _ in range(k)] for _ in range(n)])
        neighbors[0] = -1
        neighbors[1, 0] = -1 if k > 1 else 0  # somebody and nobody in one row
        curve = Curve()
        got, curved = student(h, neighbors, weight), student(h, neighbors, weight, curve)
        expect(got).close(reference.mc_gcn_layer(h, neighbors, weight))
        wanted = reference.mc_gcn_layer(h, neighbors, weight, lambda x: torch.cos(x) + 2)
        expect(curved, "the result with another activation").close(wanted)
    neighbors = torch.tensor([[0, 3, 3], [1, 2, 0]])
    h, weight = 1 + draw.positive(4, 3).double(), draw.positive(3, 2).double()
    leaves = [h.clone().requires_grad_(), weight.clone().requires_grad_()]
    right = torch.autograd.grad(reference.mc_gcn_layer(leaves[0], neighbors, leaves[1]).sum(), leaves)
    common.expect_gradients(student.gradient(h, neighbors, weight, wrt=[0, 2]), right, "h W")
    expect_any_device(student, h, neighbors, weight, mistake="made_on_the_cpu")


def _drawn(h, neighbors):
    """The features of each draw, 0 for -1, (n, k, F)."""
    return h[neighbors.clamp(min=0)] * (neighbors >= 0)[..., None]


@mistake("-1 is taken for the last row of h, as Python counts; it is nobody, and adds 0.")
def last_for_nobody(h, neighbors, weight, activation=torch.relu):
    return activation(h[neighbors].mean(dim=1) @ weight)


@mistake("-1 is taken for row 0 of h; it is nobody, and adds 0.")
def first_for_nobody(h, neighbors, weight, activation=torch.relu):
    return activation(h[neighbors.clamp(min=0)].mean(dim=1) @ weight)


@mistake("Row 0 of h is taken for nobody; only -1 is.")
def nobody_for_first(h, neighbors, weight, activation=torch.relu):
    return activation((_drawn(h, neighbors) * (neighbors > 0)[..., None]).mean(dim=1) @ weight)


@mistake("The sum is divided by the number of draws that are somebody; it is divided by k, and nobody adds 0.")
def divides_by_those_found(h, neighbors, weight, activation=torch.relu):
    found = (neighbors >= 0).sum(dim=1, keepdim=True).clamp(min=1)
    return activation(_drawn(h, neighbors).sum(dim=1) / found @ weight)


@mistake("The sum is divided by the number of draws that are somebody, which may be 0: divide by k.")
def not_a_number_for_isolated_nodes(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).sum(dim=1) / (neighbors >= 0).sum(dim=1, keepdim=True) @ weight)


@mistake("This is the sum over the draws; divide by k.")
def sum_of_draws(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).sum(dim=1) @ weight)


@mistake("The sum is divided by the number of rows of h; divide by k.")
def divides_by_rows(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).sum(dim=1) / len(h) @ weight)


@mistake("A neighbour that is drawn several times counts once; it counts each time.")
def counts_draws_once(h, neighbors, weight, activation=torch.relu):
    rows = [_drawn(h, torch.tensor(sorted(set(row)))).mean(dim=0) for row in neighbors.tolist()]
    return activation(torch.stack(rows) @ weight)


@mistake("This is the largest of the draws, entry by entry; take their mean.")
def largest_draw(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).amax(dim=1) @ weight)


@mistake("The mean runs over the nodes; it runs over the k draws of each, dimension 1.")
def mean_over_nodes(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).mean(dim=0) @ weight)


@mistake("Only the first draw is used.")
def first_draw_only(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors[:, :1]).mean(dim=1) @ weight)


@mistake("The activation comes before the mean; it comes last, after mean and W.")
def mc_activates_before_mean(h, neighbors, weight, activation=torch.relu):
    return _drawn(activation(h @ weight), neighbors).mean(dim=1)


@mc_activates_before_mean.also
def mc_activates_each_draw(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors) @ weight).mean(dim=1)


@mistake("The activation comes before W; it comes last, after W.")
def mc_activates_before_weight(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).mean(dim=1)) @ weight


@mistake("The activation is missing.")
def mc_without_activation(h, neighbors, weight, activation=torch.relu):
    return _drawn(h, neighbors).mean(dim=1) @ weight


@mistake("The argument activation is ignored: use it, not relu.")
def mc_always_relu(h, neighbors, weight, activation=torch.relu):
    return torch.relu(_drawn(h, neighbors).mean(dim=1) @ weight)


@mistake("A node all of whose draws are -1 gets 0; it is its mean that is 0, so it gets activation(0).")
def nobody_without_activation(h, neighbors, weight, activation=torch.relu):
    somebody = (neighbors >= 0).any(dim=1, keepdim=True)
    return torch.where(somebody, reference.mc_gcn_layer(h, neighbors, weight, activation), 0.0)


@mistake("It raises: look at the shapes, (n, F) @ (F, D); nothing is transposed.")
def mc_weight_transposed(h, neighbors, weight, activation=torch.relu):
    return activation(_drawn(h, neighbors).mean(dim=1) @ weight.T)


@mistake("No gradient reaches h or W: look for detach, no_grad, item or data.")
def detached(h, neighbors, weight, activation=torch.relu):
    return reference.mc_gcn_layer(h.detach(), neighbors, weight, activation)


@mistake("It changes an argument in place; the caller still needs it: work on a new tensor.")
def changes_its_argument(h, neighbors, weight, activation=torch.relu):
    nobody = neighbors < 0
    neighbors[nobody] = 0
    return activation((h[neighbors] * ~nobody[..., None]).mean(dim=1) @ weight)


@mistake(SENTENCE)
def made_on_the_cpu(h, neighbors, weight, activation=torch.relu):
    padded = torch.cat([h, torch.zeros(1, h.shape[1], dtype=h.dtype)])
    return activation(padded[torch.where(neighbors < 0, len(h), neighbors)].mean(dim=1) @ weight)


@equivalent
def with_a_row_of_zeros(h, neighbors, weight, activation=torch.relu):
    return activation(torch.cat([h, torch.zeros_like(h[:1])])[neighbors].mean(dim=1) @ weight)


@equivalent
def draw_by_draw(h, neighbors, weight, activation=torch.relu):
    total = h.new_zeros(len(neighbors), h.shape[1])
    for column in neighbors.T:
        total = total + h[column] * (column != -1).to(h.dtype).unsqueeze(1)
    return activation(total / neighbors.shape[1] @ weight)


@equivalent
def with_one_hot(h, neighbors, weight, activation=torch.relu):
    counts = functional.one_hot(neighbors + 1, len(h) + 1)[..., 1:].sum(dim=1).to(h.dtype)
    return activation(counts @ h @ weight / neighbors.size(1))


@equivalent
def mc_masked_fill(h, neighbors, weight, activation=torch.relu):
    messages = (h @ weight)[neighbors].masked_fill((neighbors < 0).unsqueeze(-1), 0)
    return activation(torch.mean(messages, dim=-2))


HARMLESS = {
    "neighbors.clamp(min=0) → neighbors.clamp(min=-1)": "The last row is put aside as well as the first.",
}
