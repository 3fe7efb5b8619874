"""The divergence that a discriminator sees, log 2 + V / 2 in nats, from its logits.

It is judged on samples of different sizes, on a discriminator that is worse than a coin, where the result is negative,
and on one that is very sure. The commonest mistakes lose the ½ or the log 2, or clamp the result at 0.
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


@exercise("gan.jsd_from_discriminator")
def jsd_from_discriminator(student: Remote, draw: Draw) -> None:
    for n_1, n_0, dtype in ((5, 3, torch.float32), (2, 6, torch.float64)):
        logits_1, logits_0 = common.logits(draw, n_1, dtype), common.logits(draw, n_0, dtype)
        wanted = reference.jsd_from_discriminator(logits_1, logits_0)
        got = expect(student(logits_1, logits_0), "the divergence")
        got.close(wanted, otherwise=lambda: _told(student, logits_1, logits_0))  # noqa: B023
    logits_1, logits_0 = -draw.positive(4), draw.positive(3)
    got = expect(student(logits_1, logits_0), "the divergence that a discriminator worse than a coin sees")
    got.close(reference.jsd_from_discriminator(logits_1, logits_0))
    logits_1, logits_0 = common.FAR + draw.uniform(-9, 9, 3), -common.FAR + draw.uniform(-9, 9, 2)
    for sign, word in ((1, "right"), (-1, "wrong")):
        got = expect(
            student(sign * logits_1, sign * logits_0), f"the divergence if the discriminator is sure and {word}"
        )
        wanted = reference.jsd_from_discriminator(sign * logits_1, sign * logits_0)
        got.close(wanted, mistake="logarithm_of_a_rounded_sigmoid")
    expect_any_device(student, logits_1, logits_0, mistake="made_on_the_cpu")


def _told(student: Remote, logits_1: Tensor, logits_0: Tensor) -> str:
    """Whether the answer is a constant and a share of V, and which of both is wrong."""
    cases = [(scale * logits_1, scale * logits_0) for scale in (0.0, 1.0, 0.5)]
    found = [torch.as_tensor(student(*case)).double() for case in cases]
    if any(value.ndim for value in found):
        return "not_made_of_the_value"
    values = [_value(*case).double() for case in cases]
    share = (found[1] - found[0]) / (values[1] - values[0])
    if not common.same(found[2], found[0] + share * (values[2] - values[0])):
        return "not_made_of_the_value"
    return "another_constant" if abs(share - 0.5) < 1e-3 else "another_share_of_the_value"


def _value(logits_1, logits_0):
    return reference.discriminator_objective(logits_1, logits_0)


@mistake("The divergence is not V itself: V(D*) also holds a constant and a factor.")
def value_itself(logits_1, logits_0):
    return _value(logits_1, logits_0)


@mistake("The factor is missing: V grows by twice the divergence.")
def without_the_half(logits_1, logits_0):
    return math.log(2) + _value(logits_1, logits_0)


@mistake("A constant is missing: a discriminator that always says ½ sees a divergence of 0.")
def without_the_constant(logits_1, logits_0):
    return _value(logits_1, logits_0) / 2


@mistake("The constant is log 4 for V, but log 2 for half of V.")
def constant_not_halved(logits_1, logits_0):
    return math.log(4) + _value(logits_1, logits_0) / 2


@mistake("This is twice the divergence: take half of V + log 4.")
def twice_the_divergence(logits_1, logits_0):
    return math.log(4) + _value(logits_1, logits_0)


@mistake("The constant is halved with V: it is the whole log 2.")
def constant_halved(logits_1, logits_0):
    return (math.log(2) + _value(logits_1, logits_0)) / 2


@mistake("Half of V is there, but not with the right constant: a discriminator that always says ½ sees 0.", broad=True)
def another_constant(logits_1, logits_0):
    return 1 + _value(logits_1, logits_0) / 2


@mistake("It is made of V and a constant, but not of half of V.", broad=True)
def another_share_of_the_value(logits_1, logits_0):
    return math.log(2) + _value(logits_1, logits_0) / 4


@mistake(
    "It does not follow V: both expectations count, each as a mean over its own sample and with the same weight.",
    broad=True,
)
def not_made_of_the_value(logits_1, logits_0):
    return math.log(2) + functional.logsigmoid(logits_1).mean()


@mistake("The result is in bits; nats are asked for.")
def in_bits(logits_1, logits_0):
    return reference.jsd_from_discriminator(logits_1, logits_0) / math.log(2)


@mistake("The constant has the wrong sign.")
def constant_subtracted(logits_1, logits_0):
    return _value(logits_1, logits_0) / 2 - math.log(2)


@mistake("V has the wrong sign: the better the discriminator, the larger V and the divergence.")
def value_subtracted(logits_1, logits_0):
    return math.log(2) - _value(logits_1, logits_0) / 2


@mistake("The result is clamped at 0; a discriminator worse than a coin gives a negative one, and that is to be seen.")
def clamped_at_zero(logits_1, logits_0):
    return reference.jsd_from_discriminator(logits_1, logits_0).clamp(min=0)


@mistake(
    "The absolute value is taken; a discriminator worse than a coin gives a negative result, and that is to be seen."
)
def absolute_value(logits_1, logits_0):
    return reference.jsd_from_discriminator(logits_1, logits_0).abs()


@mistake("logits_1 and logits_0 have changed places.")
def samples_swapped(logits_1, logits_0):
    return reference.jsd_from_discriminator(logits_0, logits_1)


@mistake("Both samples share one mean; each expectation is a mean over its own sample, whose sizes may differ.")
def one_mean_for_both(logits_1, logits_0):
    return math.log(2) + torch.cat([functional.logsigmoid(logits_1), functional.logsigmoid(-logits_0)]).mean()


@mistake(
    "Infinite or wrong for a discriminator that is very sure, and for no other: its probabilities are rounded or "
    "clamped. Build on discriminator_objective."
)
def logarithm_of_a_rounded_sigmoid(logits_1, logits_0):
    return math.log(2) + (logits_1.sigmoid().log().mean() + (1 - logits_0.sigmoid()).log().mean()) / 2


@logarithm_of_a_rounded_sigmoid.also
def probabilities_clamped(logits_1, logits_0):
    d_1, d_0 = (value.sigmoid().clamp(1e-7, 1 - 1e-7) for value in (logits_1, logits_0))
    return math.log(2) + (d_1.log().mean() + (1 - d_0).log().mean()) / 2


@mistake(SENTENCE)
def made_on_the_cpu(logits_1, logits_0):
    entropy = functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones(len(logits_1), dtype=logits_1.dtype), torch.zeros(len(logits_0), dtype=logits_1.dtype)
    return math.log(2) - (entropy(logits_1, ones) + entropy(logits_0, zeros)) / 2


@equivalent
def from_four_logarithms(logits_1, logits_0):
    from_f1 = (math.log(2) - functional.softplus(-logits_1)).mean()
    return 0.5 * from_f1 + 0.5 * (math.log(2) - functional.softplus(logits_0)).mean()


@equivalent
def half_of_value_and_log_four(logits_1, logits_0):
    value = functional.logsigmoid(logits_1).mean() + functional.logsigmoid(-logits_0).mean()
    return (value + math.log(4)) / 2


@equivalent
def as_a_python_number(logits_1, logits_0):
    return float(reference.jsd_from_discriminator(logits_1, logits_0))


HARMLESS = {
    "graph": "The divergence is looked at, and no gradient of it is asked for.",
    "return math.log(2) + discriminator_objective(logits_1, logits_0) / 2 → return (math.log(2) + discriminator_objective(logits_1, logits_0) / 2).squeeze()": "A number has no side to lose.",
}
