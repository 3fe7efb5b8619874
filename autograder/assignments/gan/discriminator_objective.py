"""V = E_1[log D] + E_0[log(1 − D)] from logits: value and gradients, finite where a sigmoid is rounded to 0 or 1.

The two samples differ in size. The commonest mistakes turn the sign, share one mean among both samples, take the
logarithm of a rounded sigmoid, or confuse the two samples.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from autograder.assignments.gan import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote


@exercise("gan.discriminator_objective", parts={"V and its gradients": 2, "logits at 0 and far from it": 1})
def discriminator_objective(student: Remote, draw: Draw) -> None:
    for n_1, n_0, dtype in ((5, 3, torch.float32), (1, 4, torch.float32), (2, 7, torch.float64)):
        logits_1, logits_0 = common.logits(draw, n_1, dtype), common.logits(draw, n_0, dtype)
        with part("V and its gradients"):
            _expect_value(student, logits_1, logits_0, "V")
            _expect_gradients(student, logits_1, logits_0)
    zeros = torch.zeros(2), torch.zeros(3)
    with part("logits at 0 and far from it"):
        _expect_value(student, *zeros, "V of a discriminator that always says ½")
        _expect_gradients(student, *zeros, "kinked_at_0")
    expect_any_device(student, *zeros, mistake="made_on_the_cpu")
    # Not 0 anywhere near: −100, at which a library's cross-entropy of probabilities is cut off, lies on the way.
    for sign in (1.0, -1.0):
        logits_1 = sign * common.FAR + draw.uniform(-9, 9, 3)
        logits_0 = -sign * common.FAR + draw.uniform(-9, 9, 2)
        label = "V of a discriminator that is very sure, and " + ("right" if sign > 0 else "wrong")
        with part("logits at 0 and far from it"):
            _expect_value(student, logits_1, logits_0, label, "logarithm_of_a_rounded_sigmoid", "probabilities_clamped")
            _expect_gradients(student, logits_1, logits_0)


def _expect_value(
    student: Remote,
    logits_1: Tensor,
    logits_0: Tensor,
    label: str,
    not_finite: str | None = None,
    not_close: str | None = None,
) -> None:
    got = expect(student(logits_1, logits_0), label).shape(mistake="values_draw_by_draw")
    wanted = reference.discriminator_objective(logits_1, logits_0)
    got.finite(not_finite).close(wanted, mistake=not_close, otherwise=lambda: _told(student, logits_1, logits_0))


def _told(student: Remote, logits_1: Tensor, logits_0: Tensor) -> str | None:
    """Which of the two terms is wrong: that of a sample about which the discriminator is sure and right vanishes."""
    sure_1, sure_0 = torch.full_like(logits_1, 40), torch.full_like(logits_0, -40)
    cases = [(logits_1, sure_0), (sure_1, logits_0), (logits_1, logits_0)]
    found, wanted = ([value(*case) for case in cases] for value in (student, reference.discriminator_objective))
    is_right = [common.same(one, other) for one, other in zip(found, wanted, strict=True)]
    if is_right[0] or is_right[1]:
        return None if all(is_right[:2]) else "another_second_term" if is_right[0] else "another_first_term"
    if all(isinstance(value, Tensor) and value.ndim == 0 for value in found):
        factors = [one / other for one, other in zip(found, wanted, strict=True)]
        if common.same(factors[0], factors[1]) and common.same(factors[0], factors[2]):
            return "multiple_of_the_value"
    return "both_terms_wrong"


@mistake("E_0[log(1 − D)] is right, but E_1[log D] is not.", broad=True)
def another_first_term(logits_1, logits_0):
    return logits_1.mean() - 40 + functional.logsigmoid(-logits_0).mean()


@mistake("E_1[log D] is right, but E_0[log(1 − D)] is not.", broad=True)
def another_second_term(logits_1, logits_0):
    return functional.logsigmoid(logits_1).mean() - logits_0.mean() - 40


@mistake("It is V times a constant: V is the plain sum of two means of natural logarithms.", broad=True)
def multiple_of_the_value(logits_1, logits_0):
    return reference.discriminator_objective(logits_1, logits_0) / math.log(2)


@mistake(
    "It is wrong whichever sample is looked at: try one logit in each, and compute both logarithms by hand.", broad=True
)
def both_terms_wrong(logits_1, logits_0):
    return reference.discriminator_objective(2 * logits_1, 2 * logits_0)


def _expect_gradients(student: Remote, logits_1: Tensor, logits_0: Tensor, mistake: str | None = None) -> None:
    leaves = [value.clone().requires_grad_() for value in (logits_1, logits_0)]
    wanted = torch.autograd.grad(reference.discriminator_objective(*leaves), leaves)
    found = student.gradient(logits_1, logits_0, wrt=[0, 1])
    for gradient, right, name in zip(found, wanted, ("logits_1", "logits_0"), strict=True):
        expect(gradient).holds(gradient is not None, f"No gradient reaches {name}: nothing can be trained.", "detached")
        expect(gradient, f"the gradient by {name}").close(right, rtol=1e-3, atol=1e-6, mistake=mistake)


@mistake("The sign is turned: V is what the discriminator climbs; a loss would be −V.")
def loss_for_value(logits_1, logits_0):
    return -reference.discriminator_objective(logits_1, logits_0)


@mistake("logits_1 and logits_0 have changed places: log D belongs to draws from f_1.")
def samples_swapped(logits_1, logits_0):
    return reference.discriminator_objective(logits_0, logits_1)


@mistake("The values are added up over the draws; each expectation is a mean over its own sample.")
def sums_for_means(logits_1, logits_0):
    return functional.logsigmoid(logits_1).sum() + functional.logsigmoid(-logits_0).sum()


@mistake("Both samples share one mean; each expectation is a mean over its own sample, whose sizes may differ.")
def one_mean_for_both(logits_1, logits_0):
    return torch.cat([functional.logsigmoid(logits_1), functional.logsigmoid(-logits_0)]).mean()


@one_mean_for_both.also
def twice_one_mean(logits_1, logits_0):
    return 2 * one_mean_for_both.answer(logits_1, logits_0)


@mistake("A sum is divided by the size of the other sample; each expectation is a mean over its own.")
def sizes_exchanged(logits_1, logits_0):
    of_1, of_0 = functional.logsigmoid(logits_1).sum(), functional.logsigmoid(-logits_0).sum()
    return of_1 / len(logits_0) + of_0 / len(logits_1)


@mistake("The second term is 1 − log D; it is log(1 − D), the logarithm of another probability.")
def one_minus_the_logarithm(logits_1, logits_0):
    return functional.logsigmoid(logits_1).mean() + (1 - functional.logsigmoid(logits_0)).mean()


@mistake("It is half of V: the two expectations are added, not averaged.")
def half_of_the_value(logits_1, logits_0):
    return reference.discriminator_objective(logits_1, logits_0) / 2


@mistake("A sigmoid that is rounded to 0 or 1 has an infinite logarithm: take log-sigmoids of the logits.", earns=2)
def logarithm_of_a_rounded_sigmoid(logits_1, logits_0):
    return logits_1.sigmoid().log().mean() + (1 - logits_0.sigmoid()).log().mean()


@mistake(
    "Finite, but wrong for a discriminator that is very sure: probabilities are clamped, a small number is added, or a "
    "cross-entropy of probabilities is cut off at −100. Use logits all the way.",
    earns=2,
)
def probabilities_clamped(logits_1, logits_0):
    d_1, d_0 = (value.sigmoid().clamp(1e-7, 1 - 1e-7) for value in (logits_1, logits_0))
    return d_1.log().mean() + (1 - d_0).log().mean()


@probabilities_clamped.also
def cross_entropy_of_probabilities(logits_1, logits_0):
    d_1, d_0 = logits_1.sigmoid(), logits_0.sigmoid()
    of_1 = functional.binary_cross_entropy(d_1, torch.ones_like(d_1))
    return -of_1 - functional.binary_cross_entropy(d_0, torch.zeros_like(d_0))


@mistake("The logits are taken for probabilities: D is their sigmoid.")
def logits_for_probabilities(logits_1, logits_0):
    return logits_1.log().mean() + (1 - logits_0).log().mean()


@mistake("The second term is E_0[log D]; it is E_0[log(1 − D)].")
def same_term_twice(logits_1, logits_0):
    return functional.logsigmoid(logits_1).mean() + functional.logsigmoid(logits_0).mean()


@mistake("The second term has the wrong sign: both expectations of logarithms are added.")
def terms_subtracted(logits_1, logits_0):
    return functional.logsigmoid(logits_1).mean() - functional.logsigmoid(-logits_0).mean()


@mistake("Only draws from f_1 count; E_0[log(1 − D)] is missing.")
def without_draws_from_f_0(logits_1, logits_0):
    return functional.logsigmoid(logits_1).mean() + 0 * logits_0.sum()


@mistake("The logarithm is left out: these are mean probabilities.")
def probabilities_for_logarithms(logits_1, logits_0):
    return logits_1.sigmoid().mean() + (-logits_0).sigmoid().mean()


@mistake("The logarithm is taken of the mean probability; V is the mean of the logarithms.")
def logarithm_of_the_mean(logits_1, logits_0):
    return logits_1.sigmoid().mean().log() + (-logits_0).sigmoid().mean().log()


@mistake("One value for each draw is returned; V is one number, made of two means.")
def values_draw_by_draw(logits_1, logits_0):
    return torch.cat([functional.logsigmoid(logits_1), functional.logsigmoid(-logits_0)])


@mistake("No gradient reaches at least one of the samples: look for detach, no_grad, item or data.")
def detached(logits_1, logits_0):
    return reference.discriminator_objective(logits_1, logits_0.detach())


@mistake(
    "The gradient is wrong at logits of exactly 0, where clamp, relu and abs have a kink: logsigmoid has none.", earns=2
)
def kinked_at_0(logits_1, logits_0):
    first, second = (t.clamp(max=0) - torch.log1p((-t.abs()).exp()) for t in (logits_1, -logits_0))
    return first.mean() + second.mean()


@kinked_at_0.also
def kinked_by_relu(logits_1, logits_0):
    first, second = (-functional.relu(-t) - torch.log1p((-t.abs()).exp()) for t in (logits_1, -logits_0))
    return first.mean() + second.mean()


@mistake(SENTENCE)
def made_on_the_cpu(logits_1, logits_0):
    entropy = functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones(len(logits_1), dtype=logits_1.dtype), torch.zeros(len(logits_0), dtype=logits_1.dtype)
    return -entropy(logits_1, ones) - entropy(logits_0, zeros)


@equivalent
def by_logsigmoid(logits_1, logits_0):
    return functional.logsigmoid(logits_1).mean() + functional.logsigmoid(-logits_0).mean()


@equivalent
def by_cross_entropy_with_logits(logits_1, logits_0):
    entropy = functional.binary_cross_entropy_with_logits
    return -(entropy(logits_1, torch.ones_like(logits_1)) + entropy(logits_0, torch.zeros_like(logits_0)))


@equivalent
def by_logaddexp(logits_1, logits_0):
    zero = logits_1.new_zeros(())
    return -torch.logaddexp(zero, -logits_1).mean() - torch.logaddexp(zero, logits_0).sum() / len(logits_0)


@equivalent
def by_the_smaller_of_two(logits_1, logits_0):
    first, second = (
        torch.minimum(t, torch.zeros_like(t)) - torch.log1p((-t.abs()).exp()) for t in (logits_1, -logits_0)
    )
    return first.mean() + second.mean()


@equivalent
def by_log_softmax(logits_1, logits_0):
    pairs = [torch.stack([t, torch.zeros_like(t)], dim=1).log_softmax(dim=1) for t in (logits_1, logits_0)]
    return pairs[0][:, 0].mean() + pairs[1][:, 1].mean()


HARMLESS = {
    "return F.logsigmoid(logits_1).mean() + F.logsigmoid(-logits_0).mean() → return (F.logsigmoid(logits_1).mean() + F.logsigmoid(-logits_0).mean()).squeeze()": "A number has no side to lose.",
}
