"""∇_θ Σ_i upstream_i · Σ_j q(j | i) h_j W by enumeration, for q(· | i) = softmax(θ_i).

It is q (r − E_q[r]) with rewards r_j = upstream · h_j W, also where a row has fewer neighbours. Mistakes have one q too
few or too many, centre rewards at their plain mean, keep the Jacobian's diagonal alone, or give NaN at θ = −∞.
"""

import torch

from autograder.assignments.gcn import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.exact_sampler_gradient")
def exact_sampler_gradient(student: Remote, draw: Draw) -> None:
    f32, f64 = torch.float32, torch.float64
    for sizes in draw.again((4, 5, 3, 2, f64), (1, 2, 4, 3, f64), (6, 3, 1, 5, f32)):
        given = common.random_neighborhoods(draw, *sizes)
        expect(student(*given), "the gradient").close(reference.exact_sampler_gradient(*given))


def _average(q, rewards):
    """E_q[r] in each row, (n, 1)."""
    return (q * rewards).sum(dim=1, keepdim=True)


@mistake("The factor q is missing: ∇ q(s) = q(s) ∇ log q(s).")
def without_q(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return rewards - _average(q, rewards)


@mistake("This is Σ_s r_s ∇ log q(s), without the q(s) before it: an expectation weighs each neighbour with its q.")
def sum_for_expectation(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return rewards - q * rewards.sum(dim=1, keepdim=True)


@mistake(
    "This is E_q[r ∇ q], with q twice: inside the expectation stands ∇ log q, or the sum Σ r ∇ q has no further q."
)
def q_twice(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return q * (q * rewards - _average(q, q * rewards))


@mistake("The factor q stands twice: it is q (r − E_q[r]).")
def q_squared(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return q**2 * (rewards - _average(q, rewards))


@mistake("The softmax is taken for q(s) ∝ θ_s alone: − q is missing in ∇ log q = one-hot − q.")
def exact_without_minus_q(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return q * rewards


@mistake("The rewards are centred at their plain mean; it is their mean under q, Σ_s q(s) r_s.")
def plain_mean(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return q * (rewards - rewards.mean(dim=1, keepdim=True))


@mistake("q(s) (1 − q(s)) r_s is the diagonal of the softmax's Jacobian alone.")
def diagonal_alone(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return q * (1 - q) * rewards


@mistake("These are the rewards upstream · h W; return their gradient by θ.")
def rewards_alone(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return rewards.where(q > 0, 0.0)


@mistake("The sign is wrong: the gradient points to where the sum grows.")
def exact_downhill(logits, h, weight, upstream):
    return -reference.exact_sampler_gradient(logits, h, weight, upstream)


@mistake("The gradient is divided by the number of rows; the sum over i is no mean.")
def mean_over_rows(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight, upstream) / len(logits)


@mistake("upstream is left out: a neighbour is worth upstream_i · h_is W.")
def exact_without_upstream(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight, torch.ones_like(upstream))


@mistake("All rows get the same upstream; each has its own, upstream[:, None].")
def upstream_of_all_rows(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight, upstream.sum(dim=0).expand_as(upstream))


@mistake("A reward is the mean over the D outputs; a product of vectors is the sum.")
def mean_over_outputs(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight, upstream) / upstream.shape[1]


@mistake("The softmax runs over the rows; it runs over the neighbours of each, dim=1.")
def softmax_over_rows(logits, h, weight, upstream):
    q, rewards = logits.softmax(dim=0), reference.neighbor_rewards(h, weight, upstream)
    return q * (rewards - _average(q, rewards))


@mistake("It raises: the shapes are h (n, S, F), weight (F, D) and upstream (n, D), so that h @ weight is (n, S, D).")
def exact_raises(logits, h, weight, upstream):
    return reference.exact_sampler_gradient(logits, h, weight.T, upstream)


@mistake("NaN where θ is -inf: the logarithm of q = 0 has no derivative. Work with q itself; there the gradient is 0.")
def not_a_number_for_nobody(logits, h, weight, upstream):
    theta = logits.detach().clone().requires_grad_()
    q, rewards = common.q_and_rewards(theta, h, weight, upstream)
    return torch.autograd.grad((q.detach() * rewards * q.log()).sum(), theta)[0]


@mistake("It changes an argument in place; the caller still needs it. Look for [] = or a method with an underscore.")
def changes_its_argument(logits, h, weight, upstream):
    logits[logits.isinf()] = -1e9
    return reference.exact_sampler_gradient(logits, h, weight, upstream)


@equivalent
def exact_by_autograd(logits, h, weight, upstream):
    theta = logits.detach().clone().requires_grad_()
    out = (torch.softmax(theta, dim=1)[..., None] * h).sum(dim=1) @ weight
    return torch.autograd.grad(out, theta, upstream)[0]


@equivalent
def exact_by_jacobian(logits, h, weight, upstream):
    q, rewards = common.q_and_rewards(logits, h, weight, upstream)
    return torch.bmm(torch.diag_embed(q) - q[:, :, None] * q[:, None, :], rewards[:, :, None])[..., 0]


@equivalent
def exact_by_log_derivative(logits, h, weight, upstream):
    q = torch.softmax(logits, dim=1)
    score = torch.eye(q.shape[1], dtype=q.dtype) - q[:, None]
    expected = torch.einsum("ns,nst,nsf->ntf", q, score, h)
    return torch.einsum("ntd,nd->nt", expected @ weight, upstream)


HARMLESS = {
    "graph": "It is a gradient, and no gradient of it is asked for.",
}
