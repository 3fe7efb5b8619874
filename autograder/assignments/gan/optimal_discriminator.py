"""D* = f_1 / (f_0 + f_1) from log-densities, right where the densities themselves overflow or vanish.

It is judged at moderate log-densities, near ±1000, and where D* is tiny, in both precisions. The commonest mistakes
take exponentials first, exchange f_0 and f_1, or return the ratio or the logit.
"""

import math

import torch
from torch import Tensor

from autograder.assignments.gan import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gan.optimal_discriminator")
def optimal_discriminator(student: Remote, draw: Draw) -> None:
    for count, dtype in ((7, torch.float32), (1, torch.float32), (4, torch.float64)):
        log_f0, log_f1 = -draw.positive(count, dtype=dtype), draw.normal(count, dtype=dtype)
        wanted = reference.optimal_discriminator(log_f0, log_f1)
        expect(student(log_f0, log_f1), "D*").close(wanted, otherwise=lambda: _told(student, log_f0, log_f1))  # noqa: B023
    for level in (-1000.0, 1000.0):
        log_f0 = level + draw.uniform(-1, 1, 6)
        log_f1 = log_f0 + draw.uniform(-2, 2, 6)
        label = f"D* for log-densities near {level:.0f}"
        got = expect(student(log_f0, log_f1), label).shape(6).dtype(torch.float32).finite("leaves_the_logarithms")
        got.close(reference.optimal_discriminator(log_f0, log_f1), mistake="densities_clamped")
    log_f0 = draw.normal(5, dtype=torch.float64)
    log_f1 = log_f0 - draw.uniform(11, 14, 5, dtype=torch.float64)
    got = expect(student(log_f0, log_f1), "D* far out, where f_1 is much thinner than f_0").shape(5)
    got.close(reference.optimal_discriminator(log_f0, log_f1), mistake="ratio_clamped")
    log_f0 = torch.tensor([1000.0, -1000.0, 0.0]) + draw.uniform(-1, 1, 3)
    log_f1 = log_f0 + draw.uniform(-2, 2, 3)
    got = expect(student(log_f0, log_f1), "D* for points of very different densities").shape(3).dtype(torch.float32)
    got.finite("one_maximum_for_all")
    got.close(reference.optimal_discriminator(log_f0, log_f1), mistake="one_maximum_for_all")
    log_f0 = torch.tensor([1000.0, -1000.0, 0.0])
    got = expect(student(log_f0, -log_f0), "D* for log-densities of +1000 and −1000").shape(3).dtype(torch.float32)
    got.finite("overflows").close(torch.tensor([0.0, 1.0, 0.5]))
    expect_any_device(student, log_f0, -log_f0, mistake="made_on_the_cpu")


def _told(student: Remote, log_f0: Tensor, log_f1: Tensor) -> str:
    """Whether the answer depends on the very point alone, and on the ratio alone."""
    if not common.same(student(log_f0[:1], log_f1[:1]), student(log_f0, log_f1)[:1]):
        return "points_mixed"
    is_of_the_ratio = common.same(student(log_f0, log_f1), student(log_f0 + 0.5, log_f1 + 0.5))
    return "another_function_of_the_ratio" if is_of_the_ratio else "not_of_the_ratio"


@mistake("What it says of a point depends on the other points; D* is computed point by point.", broad=True)
def points_mixed(log_f0, log_f1):
    return reference.optimal_discriminator(log_f0 - log_f0.mean(), log_f1 - log_f1.mean())


@mistake("It changes if both densities are multiplied by the same number; D* depends on their ratio alone.", broad=True)
def not_of_the_ratio(log_f0, log_f1):
    return log_f1.exp() / (1 + log_f0.exp() + log_f1.exp())


@mistake(
    "It depends on the ratio of the densities, as it should, but is another function of it than 1 / (1 + f_0 / f_1) "
    "with natural logarithms.",
    broad=True,
)
def another_function_of_the_ratio(log_f0, log_f1):
    return 1 / (1 + 10 ** (log_f0 - log_f1))


@mistake("Densities of e^−1000 are rounded to 0 and those of e^1000 to infinity: compute with the logarithms.")
def leaves_the_logarithms(log_f0, log_f1):
    f_0, f_1 = log_f0.exp(), log_f1.exp()
    return f_1 / (f_0 + f_1)


@mistake("f_0 and f_1 have changed places: D is the probability of f_1.")
def densities_swapped(log_f0, log_f1):
    return reference.optimal_discriminator(log_f1, log_f0)


@mistake("This is the ratio of the densities; D* is the share of f_1 in their sum.")
def ratio_of_densities(log_f0, log_f1):
    return torch.exp(log_f1 - log_f0)


@mistake("The log-densities themselves are put into the formula; it is made of densities.")
def logarithms_for_densities(log_f0, log_f1):
    return log_f1 / (log_f0 + log_f1)


@mistake("This is the logit of D*; the probability itself is asked for.")
def logit_for_probability(log_f0, log_f1):
    return log_f1 - log_f0


@mistake("This is the logarithm of D*; the probability itself is asked for.")
def logarithm_of_the_probability(log_f0, log_f1):
    return torch.nn.functional.logsigmoid(log_f1 - log_f0)


@mistake("f_1 is compared with the mixture ½ (f_0 + f_1); D* divides by the sum.")
def compared_with_the_mixture(log_f0, log_f1):
    return 2 * reference.optimal_discriminator(log_f0, log_f1)


@mistake("The softmax runs over the points; it must run over the two densities at each point.")
def softmax_over_points(log_f0, log_f1):
    return torch.stack([log_f0, log_f1]).softmax(dim=1)[1]


@mistake(
    "D* never comes near 0: the ratio, its logarithm or the result is clamped. Far out it is as small as the ratio."
)
def ratio_clamped(log_f0, log_f1):
    return torch.sigmoid((log_f1 - log_f0).clamp(-10, 10))


@mistake(
    "It is finite but wrong for very small or very large densities: clamping or a small number added to them hides the ratio."
)
def densities_clamped(log_f0, log_f1):
    f_0, f_1 = (value.clamp(-50, 50).exp() for value in (log_f0, log_f1))
    return f_1 / (f_0 + f_1 + 1e-12)


@mistake("f_0 is forgotten: D* is the share of f_1 in the sum of both densities.")
def without_f_0(log_f0, log_f1):
    return log_f1.sigmoid()


@without_f_0.also
def density_for_probability(log_f0, log_f1):
    return log_f1.exp()


@mistake(
    "NaN or 0 where points have very different densities: one maximum is taken off for all; each point has its own."
)
def one_maximum_for_all(log_f0, log_f1):
    top = torch.maximum(log_f0.max(), log_f1.max())
    f_0, f_1 = (log_f0 - top).exp(), (log_f1 - top).exp()
    return f_1 / (f_0 + f_1)


@mistake("The mean over the points is returned; each point has its own probability.")
def mean_over_points(log_f0, log_f1):
    return reference.optimal_discriminator(log_f0, log_f1).mean()


@mistake("It says 1 or 0, whichever density is larger; D* is a probability.")
def decides_at_once(log_f0, log_f1):
    return (log_f1 > log_f0).to(log_f0.dtype)


@mistake("NaN for log-densities that lie far apart: an exponential of their difference overflows.")
def overflows(log_f0, log_f1):
    ratio = torch.exp(log_f1 - log_f0)
    return ratio / (1 + ratio)


@mistake(SENTENCE)
def made_on_the_cpu(log_f0, log_f1):
    found = torch.zeros(len(log_f0), dtype=log_f0.dtype)
    found[:] = reference.optimal_discriminator(log_f0, log_f1)
    return found


@equivalent
def by_softmax(log_f0, log_f1):
    return torch.softmax(torch.stack([log_f0, log_f1], dim=-1), dim=-1)[..., 1]


@equivalent
def after_the_maximum_is_taken_off(log_f0, log_f1):
    top = torch.maximum(log_f0, log_f1)
    f_0, f_1 = (log_f0 - top).exp(), (log_f1 - top).exp()
    return f_1 / (f_0 + f_1)


@equivalent
def one_over_one_plus_the_ratio(log_f0, log_f1):
    return 1 / (1 + (log_f0 - log_f1).exp())


@equivalent
def by_the_hyperbolic_tangent(log_f0, log_f1):
    return 0.5 * (1 + torch.tanh((log_f1 - log_f0) / 2))


@equivalent
def number_by_number(log_f0, log_f1):
    odds = [math.exp(-abs(b - a)) for a, b in zip(log_f0.tolist(), log_f1.tolist(), strict=True)]
    found = [1 / (1 + e) if b >= a else e / (1 + e) for e, a, b in zip(odds, log_f0, log_f1, strict=True)]
    return torch.tensor(found, dtype=log_f0.dtype, device=log_f0.device)


HARMLESS = {
    "graph": "D* is looked at, and no gradient of it is asked for.",
}
