"""∇_θ Σ_i upstream_i · Σ_j q(j | i) h_j W, estimated from k draws a row by the log-derivative trick.

6,000 estimates must average to the exact gradient with 1/k of the variance of one draw, or what a baseline makes of it.
Many answers are biased (uniform draws, q once more, a baseline that knows the draw); some reuse a draw or draw nothing.
"""

import torch
from torch import Tensor
from torch.distributions import Categorical
from torch.nn import functional

from autograder.assignments.gcn import common, reference
from autograder.judge.chance import is_repetitive
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.sampler_gradient")
def sampler_gradient(student: Remote, draw: Draw) -> None:
    f32, f64 = torch.float32, torch.float64
    for n, columns, width, out, k, dtype in ((3, 4, 2, 3, 2, f64), (1, 3, 3, 1, 5, f64), (3, 4, 1, 2, 1, f32)):
        given = common.random_neighborhoods(draw, n, columns, width, out, dtype)
        expect(student(*given, k), "the gradient").shape(n, columns).dtype(dtype).finite()
    count = 6000
    logits, h, weight, upstream = common.random_neighborhoods(draw, 1, 4, 3, 2)
    # Probabilities of about 0.6, 0.3 and 0.1, and rewards of about 1, 0.5 and -0.2, each in any order.
    logits[0, :3] = torch.tensor([0.8, 0.0, -0.8]) + draw.uniform(-0.1, 0.1, 3)
    wanted = torch.tensor([1.0, 0.5, -0.2])[draw.normal(3).argsort()] + draw.uniform(-0.05, 0.05, 3)
    worth = weight @ upstream[0]  # of each feature
    h[0, :3] += (wanted - h[0, :3] @ worth)[:, None] * worth / (worth @ worth)
    exact = reference.exact_sampler_gradient(logits, h, weight, upstream)[0]
    q, rewards = logits[0].softmax(dim=0), reference.neighbor_rewards(h, weight, upstream)[0]
    score = torch.eye(4, dtype=torch.float64) - q  # row j: ∇ log q(j)
    single = (q[:, None] * (rewards[:, None] * score) ** 2).sum(dim=0) - exact**2
    # A baseline from the other draws may make it larger: half the products of differences, over all pairs of draws.
    pairs = 0.5 * (rewards[:, None] - rewards)[..., None] * (score[:, None] - score)
    of_one = (q[:, None] * (q[:, None] * pairs).sum(dim=1) ** 2).sum(dim=0) - exact**2
    of_two = (q[:, None, None] * q[:, None] * pairs**2).sum(dim=(0, 1)) - exact**2
    # No constant that is taken off the rewards makes the variances together smaller than this one does.
    sizes = q * score.square().sum(dim=1)
    best = (sizes * rewards).sum() / sizes.sum()
    least = float((sizes * (rewards - best) ** 2).sum() - exact.square().sum())
    repeated = (logits.repeat(count, 1), h.repeat(count, 1, 1), weight, upstream.repeat(count, 1))
    for k in (2, 1, 5):
        got = student(*repeated, k)
        found = expect(got, "the gradient").shape(count, 4).dtype(torch.float64).finite().value
        centred = found - found.mean(dim=0)
        variance = (centred**2).mean(dim=0)
        expect(found).holds(bool(found.any()), "The estimates are all 0.", "no_gradient")
        expect(found).holds(
            float(variance.max()) > 1e-12 * float(found.abs().max()) ** 2,
            "The estimates of all rows are the same: each row needs draws of its own.",
            "nothing_is_drawn" if torch.allclose(found[0], exact) else "one_draw_for_all",
        )
        if k == 1:
            _expect_draws_of_q(found, q)
        bias = (found.mean(dim=0) - exact).abs()
        expect(found).holds(
            bool((bias <= common.SIGMAS * (variance / count).sqrt() + 1e-12).all()),
            f"With k = {k} the mean over {count} estimates is not the exact gradient: the estimate is biased.",
        )
        spread = ((centred**4).mean(dim=0) / count).sqrt()
        most = single / k
        if k > 1:
            most = most.maximum((4 * (k - 2) * of_one + 2 * of_two) / (k * (k - 1)))
        expect(found).holds(
            bool((variance <= most + common.SIGMAS * spread + 1e-12).all()),
            f"With k = {k} the variance is larger than that of the mean over {k} independent draws.",
            "one_draw_used_k_times",
        )
        together = centred.square().sum(dim=1)
        room = common.SIGMAS * float(together.std()) / count**0.5
        expect(found).holds(
            float(together.mean()) >= least / k - room,
            f"With k = {k} the estimates scatter less than draws from q do: they know more than k draws tell.",
        )
        expect(found).holds(
            not is_repetitive(found[:, int(q.argmax())]),
            "Estimates of one row tell those of another.",
            "one_draw_for_all",
        )
    few = (logits.repeat(50, 1), h.repeat(50, 1, 1), weight, upstream.repeat(50, 1))
    common.expect_chance(student(*few, k), student(*few, k), "seed_fixed_inside")
    _expect_means_of_their_own(student, draw)


def _expect_means_of_their_own(student: Remote, draw: Draw) -> None:
    """Two rows with q, h and upstream of their own, turn by turn: the estimates of each average to its gradient."""
    count, k = 3000, 2
    logits, h, weight, upstream = common.random_neighborhoods(draw, 2, 4, 3, 2)
    logits = logits.clamp(-0.8, 0.8).where(logits.isfinite(), logits)
    exact = reference.exact_sampler_gradient(logits, h, weight, upstream)
    got = student(logits.repeat(count, 1), h.repeat(count, 1, 1), weight, upstream.repeat(count, 1), k)
    found = expect(got, "the gradient").shape(2 * count, 4).dtype(torch.float64).finite().value
    for place in range(2):
        mine = found[place::2]
        bias = (mine.mean(dim=0) - exact[place]).abs()
        expect(found).holds(
            bool((bias <= common.SIGMAS * mine.std(dim=0) / count**0.5 + 1e-12).all()),
            "In a batch of different rows the mean over estimates is not the exact gradient of each row.",
        )


def _expect_draws_of_q(found: Tensor, q: Tensor) -> None:
    """With k = 1 there is one estimate for each candidate, and each is as frequent as q says."""
    counts: list[int] = []
    left = found
    while len(left) and len(counts) < 5:
        is_same = ((left - left[0]).abs() <= 1e-6 * found.abs().max()).all(dim=1)
        counts.append(int(is_same.sum()))
        left = left[~is_same]
    chances = q[q > 0].sort().values
    is_drawn = len(counts) == len(chances) and bool(
        (
            (torch.tensor(sorted(counts)) - len(found) * chances).abs()
            <= common.SIGMAS * (len(found) * chances * (1 - chances)).sqrt()
        ).all()
    )
    expect(found).holds(
        is_drawn,
        "With k = 1 there are as many different estimates as candidates, as frequent as q says; yours are not so: they are not drawn from q.",
    )


def _estimate(logits, h, weight, upstream, drawn, rewards=None):
    """From draws (n, k), with their own rewards or with those given, (n, k)."""
    q = logits.softmax(dim=1)
    rewards = reference.neighbor_rewards(h, weight, upstream).gather(1, drawn) if rewards is None else rewards
    return (rewards[..., None] * (functional.one_hot(drawn, q.shape[1]) - q[:, None])).mean(dim=1)


def _multinomial(logits, k):
    return torch.multinomial(logits.softmax(dim=1), k, replacement=True)


@mistake("Nothing is drawn: this is the exact gradient; estimate it from k draws.")
def nothing_is_drawn(logits, h, weight, upstream, k):
    return reference.exact_sampler_gradient(logits, h, weight, upstream)


@mistake("Every call gives the same draws: fix no seed inside.")
def seed_fixed_inside(logits, h, weight, upstream, k):
    torch.manual_seed(0)
    return reference.sampler_gradient(logits, h, weight, upstream, k)


@mistake("All rows share their draws: each row draws from its own q.")
def one_draw_for_all(logits, h, weight, upstream, k):
    return _estimate(logits, h, weight, upstream, _multinomial(logits[:1], k).expand(len(logits), -1))


@mistake("upstream is averaged over the batch: each row has an upstream of its own.")
def upstream_of_the_batch(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight, upstream.mean(dim=0).expand_as(upstream), k)


@mistake("One draw is used k times: draw k times, independently.")
def one_draw_used_k_times(logits, h, weight, upstream, k):
    return _estimate(logits, h, weight, upstream, _multinomial(logits, 1).expand(-1, k))


@mistake("It raises where k is larger than the number of neighbours: draw with replacement (replacement=True).")
def estimate_without_replacement(logits, h, weight, upstream, k):
    return _estimate(logits, h, weight, upstream, torch.multinomial(logits.softmax(dim=1), k))


@mistake("The draws are uniform; they come from q.")
def uniform_draws(logits, h, weight, upstream, k):
    drawn = torch.multinomial(torch.isfinite(logits).double(), k, replacement=True)
    return _estimate(logits, h, weight, upstream, drawn)


@mistake("It multiplies by q once more: the draws come from q, and that is all of its weight.")
def weighted_again(logits, h, weight, upstream, k):
    drawn, (q, rewards) = _multinomial(logits, k), common.q_and_rewards(logits, h, weight, upstream)
    return _estimate(logits, h, weight, upstream, drawn, (q * rewards).gather(1, drawn))


@mistake("This is the sum over the draws; divide by k.")
def sum_of_estimates(logits, h, weight, upstream, k):
    return k * reference.sampler_gradient(logits, h, weight, upstream, k)


@mistake("− q is missing: ∇_θ log q(j) is the one-hot vector of j less q.")
def estimate_without_minus_q(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    rewards = reference.neighbor_rewards(h, weight, upstream).gather(1, drawn)
    return (rewards[..., None] * functional.one_hot(drawn, logits.shape[1])).mean(dim=1)


@mistake("The sign is wrong: it is one-hot − q, times the reward.")
def estimate_downhill(logits, h, weight, upstream, k):
    return -reference.sampler_gradient(logits, h, weight, upstream, k)


@mistake(
    "The mean of all k rewards is taken off: it knows the draw, so the estimate is (k − 1)/k of what it should be."
)
def baseline_of_all_draws(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    rewards = reference.neighbor_rewards(h, weight, upstream).gather(1, drawn)
    return _estimate(logits, h, weight, upstream, drawn, rewards - rewards.mean(dim=1, keepdim=True))


@mistake(
    "The mean reward meets the mean ∇ log q: each draw's reward belongs to its own ∇ log q; take the mean afterwards."
)
def product_of_means(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    rewards = reference.neighbor_rewards(h, weight, upstream).gather(1, drawn)
    return _estimate(logits, h, weight, upstream, drawn, rewards.mean(dim=1, keepdim=True).expand_as(rewards))


@mistake("Rewards and ∇ log q come from different draws: draw once, and use the draws for both.")
def rewards_of_other_draws(logits, h, weight, upstream, k):
    drawn, others = _multinomial(logits, k), _multinomial(logits, k)
    rewards = reference.neighbor_rewards(h, weight, upstream).gather(1, others)
    return _estimate(logits, h, weight, upstream, drawn, rewards)


@mistake("upstream is left out: a draw is worth upstream_i · h_j W.")
def estimate_without_upstream(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight, torch.ones_like(upstream), k)


@mistake("The rewards are left out: this is the mean ∇ log q of the draws, whose expectation is 0.")
def estimate_without_rewards(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    return _estimate(logits, h, weight, upstream, drawn, torch.ones_like(drawn, dtype=logits.dtype))


@mistake("A reward is the mean over the D outputs; a product of vectors is the sum.")
def estimate_of_mean_outputs(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight, upstream, k) / upstream.shape[1]


@mistake("It is divided by the number of rows too; the mean runs over the k draws alone.")
def estimate_over_rows(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight, upstream, k) / len(logits)


@mistake("The derivative goes through the values that were drawn, which do not depend on θ: use ∇ log q of the draws.")
def no_gradient(logits, h, weight, upstream, k):
    theta = logits.detach().clone().requires_grad_()
    drawn = _multinomial(theta.detach(), k)
    total = reference.neighbor_rewards(h, weight, upstream).gather(1, drawn).sum() / k
    return torch.autograd.grad(total + 0 * theta.nan_to_num(neginf=0).sum(), theta)[0]


@mistake("This is the mean reward times ∇ q; it is ∇ log q that belongs to a draw from q.")
def gradient_of_q(logits, h, weight, upstream, k):
    drawn, q = _multinomial(logits, k), logits.softmax(dim=1)
    chosen = q.gather(1, drawn)
    rewards = reference.neighbor_rewards(h, weight, upstream).gather(1, drawn)
    return (rewards[..., None] * chosen[..., None] * (functional.one_hot(drawn, q.shape[1]) - q[:, None])).sum(dim=1)


@mistake("It raises: the shapes are h (n, S, F), weight (F, D) and upstream (n, D), so that h @ weight is (n, S, D).")
def estimate_raises(logits, h, weight, upstream, k):
    return reference.sampler_gradient(logits, h, weight.T, upstream, k)


@equivalent
def estimate_by_autograd(logits, h, weight, upstream, k):
    theta = logits.detach().clone().requires_grad_()
    drawn = _multinomial(logits, k)
    rewards = reference.neighbor_rewards(h, weight, upstream).gather(1, drawn)
    loss = (theta.log_softmax(dim=1).gather(1, drawn) * rewards).sum() / k
    return torch.autograd.grad(loss, theta)[0]


@equivalent
def estimate_with_categorical(logits, h, weight, upstream, k):
    theta = logits.detach().clone().requires_grad_()
    distribution = Categorical(logits=theta, validate_args=False)
    drawn = distribution.sample((k,))
    features = h[torch.arange(len(h)), drawn]
    rewards = (features @ weight * upstream).sum(dim=-1)
    (distribution.log_prob(drawn) * rewards).mean(dim=0).sum().backward()
    return theta.grad


@equivalent
def estimate_draw_by_draw(logits, h, weight, upstream, k):
    q, total = torch.softmax(logits, dim=-1), torch.zeros_like(logits)
    rows = torch.arange(len(q))
    for _ in range(k):
        drawn = torch.multinomial(q, 1)[:, 0]
        score = -q
        score[rows, drawn] += 1
        total += ((h[rows, drawn] @ weight) * upstream).sum(dim=1, keepdim=True) * score
    return total / k


@equivalent
def estimate_with_leave_one_out(logits, h, weight, upstream, k):
    drawn = _multinomial(logits, k)
    rewards = reference.neighbor_rewards(h, weight, upstream).gather(1, drawn)
    return _estimate(logits, h, weight, upstream, drawn, rewards - reference.leave_one_out(rewards))


HARMLESS = {
    "graph": "It is a gradient, and no gradient of it is asked for.",
    "logits.shape[1] → h.shape[1]": "Both are the number of candidates.",
}
