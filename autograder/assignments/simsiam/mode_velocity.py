"""ṗ = α s [1 − (1 + σ²) p] − η p and ṡ = 2 p s [1 − (1 + σ²) p] − 2 η s, of one eigenmode for X = I, X' = σ² I.

Compared with the chain rule from 1 × 1 matrices, for grids as well. ṡ loses its 2 or its p, the decay or the rate goes
to the wrong one, or σ stands for σ².
"""

import torch

from autograder.assignments.simsiam import reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("simsiam.mode_velocity")
def mode_velocity(student: Remote, draw: Draw) -> None:
    for shape, dtype in draw.again(((6,), torch.float64), ((4, 5), torch.float32), ((), torch.float64)):
        p, s = draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        sigma, weight_decay, rate = (float(draw.positive(1)[0]) for _ in range(3))
        p_dot, s_dot = expect(student(p, s, sigma, weight_decay, rate)).items(2)
        wanted_p, wanted_s = reference.mode_velocity(p, s, sigma, weight_decay, rate)
        expect(p_dot, "the velocity of p").close(wanted_p)
        expect(s_dot, "the velocity of s").close(wanted_s)
    p, s = draw.normal(3), draw.positive(3)
    expect_any_device(student, p, s, 0.5, 0.1, 2.0, mistake="made_on_the_cpu")


def _velocities(p, s, weight_decay, rate, noise, *, of_p=None, of_s=None):
    """By formula; with another velocity of p or s if it is given."""
    rest = 1 - (1 + noise) * p
    by_p, by_s = rate * s * rest - weight_decay * p, 2 * p * s * rest - 2 * weight_decay * s
    return (by_p if of_p is None else of_p(rest)), (by_s if of_s is None else of_s(rest))


@mistake("ṡ lacks its factor: s is a square, and the chain rule brings a 2.")
def square_without_the_two(p, s, sigma, weight_decay, predictor_rate):
    p_dot, s_dot = reference.mode_velocity(p, s, sigma, weight_decay, predictor_rate)
    return p_dot, s_dot / 2


@mistake("In ṡ only the decay has its 2; the chain rule brings it to both terms.")
def two_at_the_decay_alone(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(
        p, s, weight_decay, predictor_rate, sigma**2, of_s=lambda rest: p * s * rest - 2 * weight_decay * s
    )


@mistake("In ṡ the decay lacks its 2: s is a square, whose rate is twice that of w.")
def decay_of_the_square(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(
        p, s, weight_decay, predictor_rate, sigma**2, of_s=lambda rest: 2 * p * s * rest - weight_decay * s
    )


@mistake("ṡ lacks p: the gradient of the encoder comes back through the predictor.")
def not_through_the_predictor(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(
        p, s, weight_decay, predictor_rate, sigma**2, of_s=lambda rest: 2 * s * rest - 2 * weight_decay * s
    )


@mistake("ṗ holds p where s belongs: the predictor's gradient is an error times what it is shown.")
def predictor_shown_itself(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(
        p, s, weight_decay, predictor_rate, sigma**2, of_p=lambda rest: predictor_rate * p * s * rest - weight_decay * p
    )


@mistake("ṗ lacks s in its gradient: an error counts as much as the code that the predictor is shown.")
def predictor_shown_nothing(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(
        p, s, weight_decay, predictor_rate, sigma**2, of_p=lambda rest: predictor_rate * rest - weight_decay * p
    )


@mistake("ṗ is multiplied by w, the root of s; the gradient of the predictor holds the whole s = w².")
def predictor_shown_a_root(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(
        p,
        s,
        weight_decay,
        predictor_rate,
        sigma**2,
        of_p=lambda rest: predictor_rate * s.sqrt() * rest - weight_decay * p,
    )


@mistake("sigma is taken for a variance; it is the standard deviation of the noise.")
def variance_for_sigma(p, s, sigma, weight_decay, predictor_rate):
    return reference.mode_velocity(p, s, sigma**0.5, weight_decay, predictor_rate)


@mistake("The noise of the view is left out: W x_1 has the second moment (1 + σ²) s.")
def without_noise(p, s, sigma, weight_decay, predictor_rate):
    return reference.mode_velocity(p, s, 0.0, weight_decay, predictor_rate)


@mistake("The second moment of a view is X + X': the 1 of the signal is missing beside σ².")
def noise_alone(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(p, s, weight_decay, predictor_rate, sigma**2 - 1)


@mistake("predictor_rate is left out of ṗ.")
def rate_ignored(p, s, sigma, weight_decay, predictor_rate):
    return reference.mode_velocity(p, s, sigma, weight_decay, 1.0)


@mistake("predictor_rate multiplies the weight decay as well; it belongs to the gradient alone.")
def rate_of_the_decay(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(
        p,
        s,
        weight_decay,
        predictor_rate,
        sigma**2,
        of_p=lambda rest: predictor_rate * (s * rest - weight_decay * p),
    )


@mistake("predictor_rate stands in ṡ, too; it belongs to the predictor.")
def rate_of_both(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(
        p,
        s,
        weight_decay,
        predictor_rate,
        sigma**2,
        of_s=lambda rest: 2 * predictor_rate * p * s * rest - 2 * weight_decay * s,
    )


@mistake("Weight decay is left out: it shrinks p and s.")
def without_weight_decay(p, s, sigma, weight_decay, predictor_rate):
    return reference.mode_velocity(p, s, sigma, 0.0, predictor_rate)


@mistake("Weight decay has the wrong sign: it shrinks p and s.")
def decay_that_grows(p, s, sigma, weight_decay, predictor_rate):
    return reference.mode_velocity(p, s, sigma, -weight_decay, predictor_rate)


@mistake("The flow goes uphill: both velocities point along the gradient of the objective.")
def uphill(p, s, sigma, weight_decay, predictor_rate):
    p_dot, s_dot = reference.mode_velocity(p, s, sigma, 0.0, predictor_rate)
    return -p_dot - weight_decay * p, -s_dot - 2 * weight_decay * s


@mistake("The velocities are in the other order: that of p first.")
def in_the_other_order(p, s, sigma, weight_decay, predictor_rate):
    return reference.mode_velocity(p, s, sigma, weight_decay, predictor_rate)[::-1]


@mistake(SENTENCE)
def made_on_the_cpu(p, s, sigma, weight_decay, predictor_rate):
    ones = torch.ones(p.shape, dtype=p.dtype)
    rest = ones - (1 + sigma**2) * p
    return predictor_rate * s * rest - weight_decay * p, 2 * p * s * rest - 2 * weight_decay * s


@equivalent
def velocities_by_formula(p, s, sigma, weight_decay, predictor_rate):
    return _velocities(p, s, weight_decay, predictor_rate, sigma**2)


@equivalent
def velocities_multiplied_out(p, s, sigma, weight_decay, predictor_rate):
    a = 1 + sigma * sigma
    s_dot = 2 * (p * s - a * p**2 * s - weight_decay * s)
    return torch.stack([predictor_rate * s - predictor_rate * a * p * s - weight_decay * p, s_dot])


@equivalent
def velocities_through_the_matrices(p, s, sigma, weight_decay, predictor_rate):
    w = s.sqrt()
    w_dot = p * (w - p * w * (1 + sigma**2)) - weight_decay * w
    return predictor_rate * (w * w - p * w * w * (1 + sigma**2)) - weight_decay * p, 2 * w * w_dot


HARMLESS = {
    "graph": "A velocity is what moves: nothing is differentiated through it.",
}
