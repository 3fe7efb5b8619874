"""A number whose gradient by log q estimates ∇_θ L: Σ_i (1/k) Σ_κ log q_iκ (r_iκ − b_iκ).

The gradient is judged, not the number, and must reach log q alone. Losses with the wrong sign, without the baseline or
with the mean of all, with sum and mean swapped, with q for log q, or with a gradient into the messages fail.
"""

import torch
from torch import Tensor

from autograder.assignments.gcn import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.sampler_loss")
def sampler_loss(student: Remote, draw: Draw) -> None:
    for n, k, width, dtype in ((4, 3, 2, torch.float64), (3, 1, 5, torch.float32), (2, 6, 1, torch.float64)):
        log_q = -draw.positive(n, k, dtype=dtype)
        messages, upstream = draw.normal(n, k, width, dtype=dtype), draw.normal(n, width, dtype=dtype)
        expect(student(log_q, messages, upstream), "the loss of the sampler").shape().dtype(dtype).finite()
        leaf = log_q.clone().requires_grad_()
        (wanted,) = torch.autograd.grad(reference.sampler_loss(leaf, messages, upstream), leaf)
        by_log_q, *others = student.gradient(log_q, messages, upstream, wrt=[0, 1, 2])
        expect(by_log_q).holds(by_log_q is not None, "No gradient reaches log_q.", "detached")
        expect(others).holds(
            not any(isinstance(other, Tensor) and other.any() for other in others),
            "A gradient reaches the messages or upstream: rewards and baselines are numbers here, so detach them.",
            "gradient_reaches_the_messages",
        )
        expect(by_log_q, "the gradient by log_q").close(wanted)


def _rewards(messages, upstream):
    return (messages * upstream[:, None]).sum(dim=2).detach()


def _advantages(messages, upstream):
    rewards = _rewards(messages, upstream)
    return rewards - reference.leave_one_out(rewards)


@mistake("The sign is wrong: a loss is minimised, so it is log q · (r − b), without a minus.")
def loss_upside_down(log_q, messages, upstream):
    return -reference.sampler_loss(log_q, messages, upstream)


@mistake("The baseline is forgotten: take leave_one_out(rewards) off.")
def loss_without_baseline(log_q, messages, upstream):
    return (log_q * _rewards(messages, upstream)).mean(dim=1).sum()


@mistake("The baseline is the mean of all k rewards; use leave_one_out, which leaves the draw's own out.")
def loss_with_mean_of_all(log_q, messages, upstream):
    rewards = _rewards(messages, upstream)
    return (log_q * (rewards - rewards.mean(dim=1, keepdim=True))).mean(dim=1).sum()


@mistake("The baseline is added; take it off.")
def loss_with_baseline_added(log_q, messages, upstream):
    rewards = _rewards(messages, upstream)
    return (log_q * (rewards + reference.leave_one_out(rewards))).mean(dim=1).sum()


@mistake("These are the baselines alone: the weight of log q is r − b.")
def loss_of_baselines(log_q, messages, upstream):
    return (log_q * reference.leave_one_out(_rewards(messages, upstream))).mean(dim=1).sum()


@mistake("The baseline is taken over the nodes; it is the mean of the other draws of the same node.")
def loss_with_baseline_of_other_nodes(log_q, messages, upstream):
    rewards = _rewards(messages, upstream)
    return (log_q * (rewards - reference.leave_one_out(rewards.T).T)).mean(dim=1).sum()


@mistake("The rewards are divided by their spread too; only the baseline is taken off.")
def loss_of_standardized_rewards(log_q, messages, upstream):
    weights = _advantages(messages, upstream)
    return (log_q * weights / (weights.std(dim=1, keepdim=True, correction=0) + 1e-8)).mean(dim=1).sum()


@mistake("It is summed over the k draws of a node; take their mean.")
def loss_summed_over_draws(log_q, messages, upstream):
    return (log_q * _advantages(messages, upstream)).sum()


@mistake("It is the mean over the nodes; sum over them (upstream holds the batch's 1/B already).")
def loss_averaged_over_nodes(log_q, messages, upstream):
    return (log_q * _advantages(messages, upstream)).mean()


@mistake("It is the mean over the nodes and the sum over the draws; it is the other way round.")
def loss_averaged_the_other_way(log_q, messages, upstream):
    return (log_q * _advantages(messages, upstream)).sum(dim=1).mean()


@mistake("There is one number for each node; sum over the nodes.")
def loss_for_each_node(log_q, messages, upstream):
    return (log_q * _advantages(messages, upstream)).mean(dim=1)


@mistake("q stands where log q belongs: use log_q as it is given, without exp.")
def loss_of_probabilities(log_q, messages, upstream):
    return (log_q.exp() * _advantages(messages, upstream)).mean(dim=1).sum()


@mistake("upstream is left out: a reward is upstream_i · m_iκ.")
def loss_without_upstream(log_q, messages, upstream):
    return reference.sampler_loss(log_q, messages, torch.ones_like(upstream))


@mistake("A reward is the mean over the D numbers; a product of vectors is the sum.")
def loss_of_mean_rewards(log_q, messages, upstream):
    return reference.sampler_loss(log_q, messages, upstream) / upstream.shape[1]


@mistake("The size of upstream is used without its sign, which says whether a message helps or harms.")
def loss_of_sizes(log_q, messages, upstream):
    return reference.sampler_loss(log_q, messages, upstream.abs())


@mistake("Mean log q meets mean reward; each draw's log q belongs to its own reward: multiply, then take the mean.")
def loss_of_products_of_means(log_q, messages, upstream):
    return (log_q.mean(dim=1) * _advantages(messages, upstream).mean(dim=1)).sum()


@mistake("log q is missing: these are the rewards alone, and the sampler gets no gradient.")
def detached(log_q, messages, upstream):
    return _rewards(messages, upstream).mean(dim=1).sum()


@mistake("A gradient reaches the messages or upstream: rewards and baselines are numbers here, so detach them.")
def gradient_reaches_the_messages(log_q, messages, upstream):
    rewards = (messages * upstream[:, None]).sum(dim=2)
    return (log_q * (rewards - reference.leave_one_out(rewards))).mean(dim=1).sum()


@equivalent
def loss_with_no_grad(log_q, messages, upstream):
    with torch.no_grad():
        weights = _advantages(messages, upstream)
    return torch.sum(weights * log_q) / log_q.size(1)


@equivalent
def loss_draw_by_draw(log_q, messages, upstream):
    total, k = 0.0, log_q.shape[1]
    rewards = torch.einsum("nkd,nd->nk", messages.detach(), upstream.detach())
    for i in range(len(log_q)):
        for j in range(k):
            others = [rewards[i, other] for other in range(k) if other != j]
            baseline = sum(others) / len(others) if others else 0.0
            total = total + log_q[i, j] * (rewards[i, j] - baseline) / k
    return total


@equivalent
def loss_of_ratios(log_q, messages, upstream):
    return ((log_q - log_q.detach()).exp() * _advantages(messages, upstream)).mean(dim=1).sum()


HARMLESS = {
    "return (log_q * (rewards - leave_one_out(rewards))).sum() / log_q.shape[1] → return ((log_q * (rewards - leave_one_out(rewards))).sum() / log_q.shape[1]).squeeze()": "A number has no side to lose.",
    "log_q.shape[1] → messages.shape[1]": "Both are the number of draws.",
}
