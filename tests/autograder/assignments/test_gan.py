"""The references of the notebook on adversarial training against quadrature, enumeration and autograd."""

import itertools
import math

import pytest
import torch
from torch import nn

from autograder.assignments import exercises_of
from autograder.assignments.gan import reference
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process
from fixmelab.judged.players import Batches, InpaintingProblem, TrainingProblem, Warp

F_0, F_1 = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(1.5, 0.6)
X = torch.linspace(-12, 12, 4801, dtype=torch.float64)


def quadrature(values):
    return float(torch.trapezoid(values, X))


def divergence():
    """JSD of the two Gaussians by its definition."""
    log_f0, log_f1 = F_0.log_prob(X), F_1.log_prob(X)
    log_mixture = torch.logaddexp(log_f0, log_f1) - math.log(2)
    return quadrature(log_f0.exp() * (log_f0 - log_mixture) + log_f1.exp() * (log_f1 - log_mixture)) / 2


def test_the_best_discriminator_sees_the_divergence_and_others_see_less():
    torch.manual_seed(0)
    draws_1, draws_0 = F_1.sample((200_000,)), F_0.sample((200_000,))
    true = divergence()
    for factor in (1.0, 0.3, 3.0, -1.0):
        logits = [factor * (F_1.log_prob(draws) - F_0.log_prob(draws)) for draws in (draws_1, draws_0)]
        seen = float(reference.jsd_from_discriminator(*logits))
        assert abs(seen - true) < 0.01 if factor == 1 else seen < true - 0.01


def test_the_density_comes_back():
    log_f0, log_f1 = F_0.log_prob(X), F_1.log_prob(X)
    best = reference.optimal_discriminator(log_f0, log_f1)
    middle = (best > 1e-6) & (best < 1 - 1e-6)
    found = reference.density_from_discriminator(log_f0, torch.logit(best))
    assert torch.allclose(found[middle], log_f1[middle])


def test_the_value_grows_when_a_discriminator_is_trained():
    torch.manual_seed(0)
    problem = TrainingProblem(torch.zeros(1), torch.zeros(()), 5.0)
    batches = [torch.randn(64, 1) for _ in range(60)]
    samplers = Batches([batch + 1 for batch in batches[:30]]), Batches([batch - 1 for batch in batches[30:]])
    history = reference.train_discriminator(problem.discriminator, *samplers, 30, problem.optimizer)
    assert history[0] == pytest.approx(-2 * math.log(2)) and history[-1] > history[0] + 0.3
    with pytest.raises(ValueError, match="no batches left"):
        samplers[0]()


@pytest.mark.parametrize("numbers", [(0.6, 1.2, 2.5, 0.8), (2.0, 0.3, 1.0, -1.0)])
def test_the_density_of_a_warp_integrates_to_one(numbers):
    z = torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    x, log_density = reference.pushforward_log_density(z, Warp(*numbers))
    assert (x.diff() > 0).all() and not log_density.requires_grad
    assert float(torch.trapezoid(log_density.exp(), x)) == pytest.approx(1, abs=1e-5)


def test_the_cheapest_of_all_plans():
    torch.manual_seed(0)
    x_1, x_0 = torch.randn(5), 2 * torch.randn(5)
    plans = [float((x_1 - x_0[list(order)]).abs().mean()) for order in itertools.permutations(range(5))]
    assert float(reference.wasserstein_distance(x_1, x_0)) == pytest.approx(min(plans), abs=1e-5)


def test_what_is_hidden_has_no_influence():
    torch.manual_seed(0)
    m = torch.zeros(2, 1, 3, 3)
    m[0, 0, 0, :2], m[1, 0, 2, 1] = 1, 1
    network = nn.Conv2d(2, 2, 3, padding=1)
    x = torch.rand(2, 2, 3, 3)
    answers = []
    for hidden in (x, x + m):
        reference.masked_squared_error(lambda visible, m: answers.append(network(visible)) or answers[-1], hidden, m)
    assert torch.equal(*answers)
    loss = reference.masked_squared_error(lambda visible, m: network(visible), x, m)
    by_hand = [(answers[0] - x)[n, c, i, j] ** 2 for n, i, j in ((0, 0, 0), (0, 0, 1), (1, 2, 1)) for c in range(2)]
    assert loss.item() == pytest.approx(sum(by_hand).item() / 6, rel=1e-5)


def test_each_loss_reaches_its_player():
    torch.manual_seed(0)
    problem = InpaintingProblem(torch.randn(8, 4), torch.randn(4), 0.0)
    x, m = torch.rand(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    m[:, :, 0] = 1
    losses = reference.inpainting_losses(problem.generator, problem.discriminator, x, m, 0.5)
    assert torch.autograd.grad(losses[0], problem.matrix, retain_graph=True, allow_unused=True) == (None,)
    assert torch.autograd.grad(losses[1], problem.matrix)[0].any()


def test_a_step_moves_both_and_the_second_against_the_first():
    torch.manual_seed(0)
    given = torch.randn(8, 4), torch.randn(4)
    x, m = torch.rand(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    m[:, :, 0] = 1
    one, other = InpaintingProblem(*given, 0.0), InpaintingProblem(*given, 9.0)
    losses = [
        reference.inpainting_step(
            problem.generator,
            problem.discriminator,
            x,
            m,
            0.5,
            problem.generator_optimizer,
            problem.discriminator_optimizer,
        )
        for problem in (one, other)
    ]
    assert losses[0] == losses[1] and torch.equal(one.matrix, other.matrix)  # what was left does not count
    assert not torch.equal(one.pattern, given[1]) and not torch.equal(one.matrix, given[0])
    fresh = InpaintingProblem(*given, 0.0)
    _, new = reference.inpainting_losses(fresh.generator, one.discriminator, x, m, 0.5)
    assert losses[0][1] == pytest.approx(float(new.detach()))


def v(logits_1, logits_0):
    return reference.discriminator_objective(logits_1, logits_0)


def losses_with(real=lambda logits: nn.functional.softplus(-logits), share=1.0, shown=lambda x, m: x):
    def answer(generator, discriminator, x, m, weight):
        x_hat = generator((1 - m) * x, m)
        filled = m * x_hat + (1 - m) * x
        loss = real(discriminator(shown(x, m))).mean() + nn.functional.softplus(discriminator(filled.detach())).mean()
        fooled = nn.functional.softplus(-discriminator(filled)).mean()
        return loss, share * (((x_hat - x) * m) ** 2).sum() / (m.sum() * x.shape[1]).clamp(min=1) + weight * fooled

    return answer


def after_old_gradients(discriminator, sample_1, sample_0, steps, optimizer):
    """Clears behind each step, and keeps the loss."""
    history = []
    for _ in range(steps):
        loss = -v(discriminator(sample_1()), discriminator(sample_0()))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        history.append(loss.item())
    return history


def clipped(discriminator, sample_1, sample_0, steps, optimizer):
    history = []
    for _ in range(steps):
        value = v(discriminator(sample_1()), discriminator(sample_0()))
        optimizer.zero_grad()
        (-value).backward()
        nn.utils.clip_grad_norm_(discriminator.parameters(), 0.01)
        optimizer.step()
        history.append(value.item())
    return history


def error_of(loss):
    def answer(network, x, m):
        hidden = m.bool().expand_as(x)
        return loss(network((1 - m) * x, m) * hidden, x * hidden) / hidden.sum().clamp(min=1)

    return answer


def density_with(term):
    def answer(z, warp):
        leaf = z.clone().requires_grad_()
        x = warp(leaf)
        (slope,) = torch.autograd.grad(x.sum(), leaf)
        return x.detach(), torch.distributions.Normal(0.0, 1.0).log_prob(z) + term(z, slope)

    return answer


# None has the numbers of a known mistake: which part is wrong is found by asking more.
UNKNOWN = [
    ("optimal_discriminator", lambda a, b: torch.sigmoid((b - a) / 3), "another_function_of_the_ratio"),
    ("optimal_discriminator", lambda a, b: torch.sigmoid(b - 2 * a), "not_of_the_ratio"),
    ("optimal_discriminator", lambda a, b: torch.sigmoid(b.log_softmax(0) - a.log_softmax(0)), "points_mixed"),
    ("discriminator_objective", lambda a, b: v(a[:1], b), "another_first_term"),
    ("discriminator_objective", lambda a, b: v(a, b[-1:]), "another_second_term"),
    ("discriminator_objective", lambda a, b: 3 * v(a, b), "multiple_of_the_value"),
    ("discriminator_objective", lambda a, b: v(a / 2, b / 2), "both_terms_wrong"),
    ("jsd_from_discriminator", lambda a, b: v(a, b) / 2 + 0.1, "another_constant"),
    ("jsd_from_discriminator", lambda a, b: math.log(2) + 0.7 * v(a, b), "another_share_of_the_value"),
    ("jsd_from_discriminator", lambda a, b: math.log(2) + v(a[:1], b) / 2, "not_made_of_the_value"),
    ("density_from_discriminator", lambda a, b: a + b + 1, "constant_added"),
    ("density_from_discriminator", lambda a, b: a + b.abs(), "another_term_for_the_logit"),
    ("density_from_discriminator", lambda a, b: a / 3 + b, "another_share_of_f_0"),
    ("train_discriminator", clipped, "another_length"),
    ("train_discriminator", after_old_gradients, "old_gradients_followed"),
    ("pushforward_log_density", density_with(lambda z, slope: -slope.log2()), "another_share_of_the_slope"),
    ("pushforward_log_density", density_with(lambda z, slope: z - slope.log()), "another_gaussian"),
    ("pushforward_log_density", density_with(lambda z, slope: -slope.max().log()), "one_slope_for_points"),
    ("wasserstein_distance", lambda a, b: (a.flip(0) - b).abs().mean(), "follows_the_order"),
    (
        "wasserstein_distance",
        lambda a, b: (a.sort().values - b.sort().values).abs().sqrt().mean(),
        "not_in_the_units_of_x",
    ),
    ("wasserstein_distance", lambda a, b: (a.std() - b.std()).abs(), "another_average"),
    ("masked_squared_error", error_of(lambda one, two: ((one - two) ** 4).sum()), "another_error"),
    ("masked_squared_error", error_of(lambda one, two: (one - two).abs().sum() ** 2), "several_pixels"),
    ("inpainting_losses", losses_with(real=lambda logits: (1 - logits).relu()), "another_real_term"),
    ("inpainting_losses", losses_with(share=0.7), "another_squared_error"),
    ("inpainting_losses", losses_with(real=lambda a: -a.sigmoid().mean().log()), "another_discriminators_loss"),
    ("inpainting_losses", losses_with(shown=lambda x, m: x * (1 - m / 2)), "other_pictures_shown"),
]


@pytest.mark.parametrize(("name", "answer", "mistake"), UNKNOWN, ids=lambda item: item if isinstance(item, str) else "")
def test_of_an_unknown_answer_the_wrong_part_is_named(name, answer, mistake):
    finding = judge(exercises_of("gan")[f"gan.{name}"], in_this_process(answer), b"a seed of the tests")
    assert finding.verdict == "fail" and finding.mistake == mistake
