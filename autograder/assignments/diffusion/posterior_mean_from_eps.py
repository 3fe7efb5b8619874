"""The mean of q(x_{t−1} | x_t, x_0) in terms of the noise: (x_t − β_t/√(1 − ᾱ_t) ε)/√α_t.

One handout prints √(1 − α_t) here. Other wrong answers divide by √ᾱ_t or not at all, lose a root, or jump to x̂_0.
"""

import torch

from autograder.assignments.diffusion import common, reference
from autograder.assignments.diffusion.reference import extract
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.posterior_mean_from_eps")
def posterior_mean_from_eps(student: Remote, draw: Draw) -> None:
    for shape, steps, dtype in common.BATCHES:
        given = common.random_batch(draw, shape, steps, dtype)
        for t in (given.t, torch.full((shape[0],), steps - 1), torch.zeros(shape[0], dtype=torch.long)):
            wanted = reference.posterior_mean_from_eps(given.x_t, given.eps, t, given.betas)
            expect(student(given.x_t, given.eps, t, given.betas)).close(wanted)


def _from_eps(x_t, eps, t, factor, divisor):
    return (x_t - extract(factor, t, x_t.shape) * eps) / extract(divisor, t, x_t.shape)


@mistake("√(1 − α_t) stands where √(1 − ᾱ_t) belongs, a common misprint.")
def handout_alpha_for_alpha_bar(x_t, eps, t, betas):
    return _from_eps(x_t, eps, t, betas / betas.sqrt(), (1 - betas).sqrt())


@mistake("The whole is divided by √ᾱ_t; it is √α_t, of this one step.")
def divides_by_alpha_bar(x_t, eps, t, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    return _from_eps(x_t, eps, t, betas / (1 - alpha_bars).sqrt(), alpha_bars.sqrt())


@mistake("This is x̂_0, not the mean of x_{t−1}: one step takes away only part of the noise.")
def jumps_to_x_0(x_t, eps, t, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    return _from_eps(x_t, eps, t, (1 - alpha_bars).sqrt(), alpha_bars.sqrt())


@mistake("The root under β_t is missing: β_t is divided by √(1 − ᾱ_t).")
def noise_without_the_root(x_t, eps, t, betas):
    return _from_eps(x_t, eps, t, betas / (1 - reference.alpha_bars_of(betas)), (1 - betas).sqrt())


@mistake("The noise is added; it is taken away.")
def adds_the_noise(x_t, eps, t, betas):
    return reference.posterior_mean_from_eps(x_t, -eps, t, betas)


@mistake("The division by √α_t is missing.")
def forgets_to_rescale(x_t, eps, t, betas):
    return _from_eps(x_t, eps, t, betas / (1 - reference.alpha_bars_of(betas)).sqrt(), torch.ones_like(betas))


@equivalent
def by_way_of_x_0(x_t, eps, t, betas):
    alpha_bar = extract(reference.alpha_bars_of(betas), t, x_t.shape)
    return reference.q_posterior((x_t - (1 - alpha_bar).sqrt() * eps) / alpha_bar.sqrt(), x_t, t, betas)[0]


HARMLESS = {
    "graph": "The network is trained by the noise that it predicts, and not through the posterior.",
    "torch.cumprod(1 - betas, dim=0) → torch.cumprod(1 - betas, dim=-1)": "The tensor has one dimension.",
    "extract(factor, t, x_t.shape) → extract(factor, t, eps.shape)": "Both have one shape.",
    "extract((1 - betas).sqrt(), t, x_t.shape) → extract((1 - betas).sqrt(), t, eps.shape)": "Both have one shape.",
}
