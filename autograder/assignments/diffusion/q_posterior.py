"""Mean and variance β̃_t of q(x_{t−1} | x_t, x_0), for a batch of different steps.

Three mistakes are misprints of handouts: √ᾱ_t for √α_t, a root over the whole product, and (1 − α_t)/(1 − α_t) in the
variance. Others stumble at the first step, where ᾱ_0 = 1, or return β_t.
"""

import torch
from torch import Tensor

from autograder.assignments.diffusion import common, reference
from autograder.assignments.diffusion.reference import extract
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.q_posterior")
def q_posterior(student: Remote, draw: Draw) -> None:
    for shape, steps, dtype in common.BATCHES:
        given = common.random_batch(draw, shape, steps, dtype)
        mixed = torch.cat([torch.zeros(1, dtype=torch.long), given.t[1:]])
        for t in (given.t, mixed, torch.full((shape[0],), steps - 1), torch.zeros_like(given.t)):
            mean, variance = expect(student(given.x_0, given.x_t, t, given.betas)).items(2)
            right_mean, right_variance = reference.q_posterior(given.x_0, given.x_t, t, given.betas)
            label = "at the first step, index 0, " if not t.any() else ""
            expect(mean, f"{label}the mean").close(right_mean)
            if isinstance(variance, Tensor) and variance.shape == given.x_t.shape:
                right_variance = right_variance.expand_as(given.x_t)
            expect(variance, f"{label}the variance").close(right_variance, atol=1e-6)
    expect_any_device(student, given.x_0, given.x_t, given.t, given.betas, mistake="made_on_the_cpu")


@mistake("√ᾱ_t stands in the factor of x_t, a common misprint; right is √α_t, of this one step.")
def handout_root_of_alpha_bar(x_0, x_t, t, betas):
    return common.posterior_with_root_of_alpha_bar(x_0, x_t, t, betas)


@mistake("The root in the factor of x_t covers the whole product, a common misprint; it covers α_t only.")
def handout_root_over_the_product(x_0, x_t, t, betas):
    return common.posterior_with_root_over_the_product(x_0, x_t, t, betas)


@mistake("The variance is β_t, that of the forward step; knowing x_0 makes it smaller, by (1 − ᾱ_{t−1}) / (1 − ᾱ_t).")
def variance_of_the_forward_step(x_0, x_t, t, betas):
    return common.posterior_with(x_0, x_t, t, betas, variance=betas)


@mistake(
    "The quotient of the variance has 1 − α in it, a common misprint, and is 1; right is (1 − ᾱ_{t−1}) / (1 − ᾱ_t)."
)
def handout_quotient_of_alphas(x_0, x_t, t, betas):
    shifted = torch.cat([betas[:1], betas[:-1]])
    return common.posterior_with(x_0, x_t, t, betas, variance=betas * shifted / betas)


@mistake("A standard deviation is returned; return the variance.")
def posterior_deviation(x_0, x_t, t, betas):
    mean, variance = reference.q_posterior(x_0, x_t, t, betas)
    return mean, variance.sqrt()


@mistake("x_0 and x_t have each other's factors.")
def posterior_factors_swapped(x_0, x_t, t, betas):
    return reference.q_posterior(x_t, x_0, t, betas)


@mistake("ᾱ_{t−1} at the first step is taken from the end of the schedule (index −1); it is ᾱ_0 = 1.")
def before_wraps_around(x_0, x_t, t, betas):
    return common.posterior_with(x_0, x_t, t, betas, before=reference.alpha_bars_of(betas).roll(1))


@mistake("ᾱ_{t−1} at the first step is ᾱ_1 again; it is ᾱ_0 = 1, so that the mean is x_0 and the variance 0.")
def before_repeats_the_first(x_0, x_t, t, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    return common.posterior_with(x_0, x_t, t, betas, before=torch.cat([alpha_bars[:1], alpha_bars[:-1]]))


@mistake("ᾱ_t stands where ᾱ_{t−1} belongs.")
def alpha_bar_of_the_same_step(x_0, x_t, t, betas):
    return common.posterior_with(x_0, x_t, t, betas, before=reference.alpha_bars_of(betas))


@mistake("The factor of x_0 has ᾱ_{t−1} without its root.")
def alpha_bar_without_the_root(x_0, x_t, t, betas):
    alpha_bars, before = reference.alpha_bars_of(betas), reference.alpha_bars_before(betas)
    return common.posterior_with(x_0, x_t, t, betas, of_x_0=before * betas / (1 - alpha_bars))


@mistake("√ᾱ_t stands in the factor of x_0; right is √ᾱ_{t−1}, of the step before.")
def own_alpha_bar_with_x_0(x_0, x_t, t, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    return common.posterior_with(x_0, x_t, t, betas, of_x_0=alpha_bars.sqrt() * betas / (1 - alpha_bars))


@mistake("t is taken as 1-based: betas[0] belongs to t = 0 in code, the first step.")
def posterior_one_based(x_0, x_t, t, betas):
    return reference.q_posterior(x_0, x_t, (t - 1).clamp(min=0), betas)


@mistake(SENTENCE)
def made_on_the_cpu(x_0, x_t, t, betas):
    before = torch.cat([torch.ones(1, dtype=betas.dtype), reference.alpha_bars_of(betas)[:-1]])
    return common.posterior_with(x_0, x_t, t, betas, before=before)


@equivalent
def by_precisions(x_0, x_t, t, betas):
    alphas, before = 1 - betas, torch.nn.functional.pad(torch.cumprod(1 - betas, 0)[:-1], (1, 0), value=1.0)
    variance = betas * (1 - before) / (alphas * (1 - before) + betas)
    of_x_t, of_x_0 = alphas.sqrt() * variance / betas, before.sqrt() * betas / (alphas * (1 - before) + betas)
    return extract(of_x_0, t, x_t.shape) * x_0 + extract(of_x_t, t, x_t.shape) * x_t, extract(variance, t, x_t.shape)


@equivalent
def variance_spread_out(x_0, x_t, t, betas):
    mean, variance = reference.q_posterior(x_0, x_t, t, betas)
    return mean, variance.expand_as(x_t)


HARMLESS = {
    "graph": "The network is trained by the noise that it predicts, and not through the posterior.",
    "torch.cumprod(1 - betas, dim=0) → torch.cumprod(1 - betas, dim=-1)": "The tensor has one dimension.",
    "extract(of_x_0, t, x_t.shape) → extract(of_x_0, t, x_0.shape)": "Both have one shape.",
    "extract(of_x_t, t, x_t.shape) → extract(of_x_t, t, x_0.shape)": "Both have one shape.",
    "extract(variance, t, x_t.shape) → extract(variance, t, x_0.shape)": "Both have one shape.",
}
