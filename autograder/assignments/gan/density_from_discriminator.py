"""log f_1 = log f_0 + logit, the density that a discriminator believes in.

It is judged at logits of ±300 and log-densities of −1000 too, where probabilities round. The commonest mistakes go by
the probability, turn the sign, or return D's logarithm added to log f_0, the density itself, or one that is normalised.
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
from autograder.judge.student import Remote


@exercise("gan.density_from_discriminator")
def density_from_discriminator(student: Remote, draw: Draw) -> None:
    for count, dtype in ((6, torch.float32), (1, torch.float32), (4, torch.float64)):
        log_f0, logits = -1 - draw.positive(count, dtype=dtype), common.logits(draw, count, dtype)
        wanted = reference.density_from_discriminator(log_f0, logits)
        expect(student(log_f0, logits), "log f_1").close(wanted, otherwise=lambda: _told(student, log_f0, logits))  # noqa: B023
    log_f0, logits = -1000 + draw.uniform(-9, 9, 5), common.logits(draw, 5, torch.float32)
    got = expect(student(log_f0, logits), "log f_1 for log-densities near −1000").shape(5).dtype(torch.float32)
    got.finite("leaves_the_logarithms").close(reference.density_from_discriminator(log_f0, logits))
    expect_any_device(student, log_f0, logits, mistake="made_on_the_cpu")
    for sign in (-1.0, 1.0):
        log_f0 = -1000 + draw.uniform(-9, 9, 3)
        logits = sign * common.FAR + draw.uniform(-9, 9, 3)
        label = f"log f_1 for log-densities near −1000 and logits near {sign * common.FAR:+.0f}"
        got = expect(student(log_f0, logits), label).shape(3).dtype(torch.float32).finite("goes_by_the_probability")
        got.close(reference.density_from_discriminator(log_f0, logits), mistake="probabilities_clamped")


def _told(student: Remote, log_f0: Tensor, logits: Tensor) -> str:
    """Which part of the sum is wrong."""
    found, moved = student(log_f0, logits), student(log_f0 + 0.5, logits)
    if not common.same(student(log_f0[:1], logits[:1]), found[:1]):
        return "points_mixed"
    if not common.same(moved, found + 0.5):
        return "another_share_of_f_0"
    rest = found - log_f0 - logits
    return "constant_added" if common.same(rest, rest.mean().expand_as(rest)) else "another_term_for_the_logit"


@mistake("What it says of a point depends on the other points; the density is computed point by point.", broad=True)
def points_mixed(log_f0, logits):
    return log_f0 + logits - logits.mean()


@mistake("If f_0 is twice as large, f_1 must be, too: log f_0 is added, once and as it is.", broad=True)
def another_share_of_f_0(log_f0, logits):
    return 2 * log_f0 + logits


@mistake(
    "It is right but for a constant: D compares f_1 with f_0 itself, not with their mixture, so there is none.",
    broad=True,
)
def constant_added(log_f0, logits):
    return log_f0 + logits - math.log(2)


@mistake("log f_0 is added, as it should be; what is added to it is not the logit.", broad=True)
def another_term_for_the_logit(log_f0, logits):
    return log_f0 + logits / 2


@mistake(
    "Infinite or NaN for a discriminator that is very sure: a probability or an exponential on the way is rounded. "
    "Use the logit as it is."
)
def goes_by_the_probability(log_f0, logits):
    d = logits.sigmoid()
    return log_f0 + (d / (1 - d)).log()


@goes_by_the_probability.also
def goes_by_the_ratio(log_f0, logits):
    return log_f0 + logits.exp().log()


@mistake("A density of e^−1000 is rounded to 0: stay with the logarithms.")
def leaves_the_logarithms(log_f0, logits):
    return (log_f0.exp() * logits.exp()).log()


@mistake(
    "Probabilities or logits are clamped: finite, but wrong for a discriminator that is very sure. Use the logit as it is."
)
def probabilities_clamped(log_f0, logits):
    d = logits.sigmoid().clamp(1e-6, 1 - 1e-6)
    return log_f0 + d.log() - (1 - d).log()


@mistake("The ratio is upside down: where D is large, f_1 is larger than f_0.")
def ratio_upside_down(log_f0, logits):
    return log_f0 - logits


@mistake("log f_0 is subtracted: the ratio is divided by f_0. It is multiplied by f_0.")
def divided_by_f_0(log_f0, logits):
    return logits - log_f0


@mistake("The ratio itself is added to log f_0; it is its logarithm that is.")
def ratio_for_its_logarithm(log_f0, logits):
    return log_f0 + logits.exp()


@mistake("f_0 is multiplied by D; it is multiplied by D / (1 − D).")
def multiplied_by_d(log_f0, logits):
    return log_f0 + functional.logsigmoid(logits)


@mistake("f_0 is divided by 1 − D alone; the numerator D is missing.")
def without_the_numerator(log_f0, logits):
    return log_f0 + functional.softplus(logits)


@mistake("This is the density; its logarithm is asked for.")
def density_for_logarithm(log_f0, logits):
    return (log_f0 + logits).exp()


@mistake("This is log f_1 − log f_0, the ratio alone: multiply it by f_0.")
def ratio_alone(log_f0, logits):
    return logits.clone()


@mistake("The logarithm of f_0 is multiplied by the ratio; it is the density that is.")
def logarithm_multiplied(log_f0, logits):
    return log_f0 * logits.exp()


@mistake("The logits are taken for probabilities: D is their sigmoid.")
def logits_for_probabilities(log_f0, logits):
    return log_f0 + logits.log() - (1 - logits).log()


@mistake("The density is normalised over the points that are given; they are no grid, and nothing has to add up to 1.")
def normalised_over_points(log_f0, logits):
    return (log_f0 + logits).log_softmax(dim=0)


@mistake("The probability is added to log f_0; it is the logit, the logarithm of D / (1 − D).")
def probability_added(log_f0, logits):
    return log_f0 + logits.sigmoid()


@mistake("The mean over the points is returned; each point has its own log-density.")
def mean_over_points(log_f0, logits):
    return (log_f0 + logits).mean()


@mistake(SENTENCE)
def made_on_the_cpu(log_f0, logits):
    found = torch.zeros(len(log_f0), dtype=log_f0.dtype)
    found[:] = log_f0 + logits
    return found


@equivalent
def by_two_log_sigmoids(log_f0, logits):
    return log_f0 + functional.logsigmoid(logits) - functional.logsigmoid(-logits)


@equivalent
def by_adding(log_f0, logits):
    return torch.add(logits, log_f0)


HARMLESS = {
    "graph": "The density is looked at, and no gradient of it is asked for.",
}
