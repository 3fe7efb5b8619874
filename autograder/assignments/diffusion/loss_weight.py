"""The weight λ_t = β_t²/(2σ_t² α_t (1 − ᾱ_t)) of the squared error of ε, for each t.

Often the 2 or a square goes missing, σ_t² is squared once more, or α_t and ᾱ_t are confused.
"""

import torch

from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.loss_weight")
def loss_weight(student: Remote, draw: Draw) -> None:
    for steps, dtype in draw.again((7, torch.float64), (12, torch.float32), (1, torch.float64)):
        betas, variances = common.random_betas(draw, steps, dtype), draw.positive(steps, dtype=dtype)
        expect(student(betas, variances)).close(reference.loss_weight(betas, variances))


@mistake("The 2 is missing in the denominator.")
def weight_without_the_half(betas, variances):
    return 2 * reference.loss_weight(betas, variances)


@mistake("variances are σ_t² already; here they are squared once more.")
def squares_the_variance(betas, variances):
    return reference.loss_weight(betas, variances**2)


@mistake("β_t is not squared: the factor of ε in the mean is, since the distance is.")
def beta_not_squared(betas, variances):
    return reference.loss_weight(betas, variances) / betas


@mistake("ᾱ_t stands where α_t belongs.")
def alpha_bar_for_alpha_in_the_weight(betas, variances):
    alpha_bars = reference.alpha_bars_of(betas)
    return betas**2 / (2 * variances * alpha_bars * (1 - alpha_bars))


@mistake("1 − α_t stands where 1 − ᾱ_t belongs.")
def alpha_for_alpha_bar_in_the_weight(betas, variances):
    return betas**2 / (2 * variances * (1 - betas) * betas)


@mistake("This is the factor of ε in the mean; the weight is its square over 2 σ_t².")
def factor_for_weight(betas, variances):
    return betas / ((1 - betas) * (1 - reference.alpha_bars_of(betas))).sqrt()


@equivalent
def factor_squared(betas, variances):
    alphas = 1 - betas
    factor = betas / (alphas.sqrt() * (1 - alphas.cumprod(0)).sqrt())
    return factor.square() / (2 * variances)


HARMLESS = {
    "graph": "A schedule has no gradient.",
    "torch.cumprod(alphas, dim=0) → torch.cumprod(alphas, dim=-1)": "The tensor has one dimension.",
}
