"""q(x_{t−1} | x_t, x_0) as a density on a grid in one dimension, by Bayes' rule.

The product q(x_t | x_{t−1}) q(x_{t−1} | x_0) may be normalised by any usual rule. Answers that fail leave it as it is,
give probabilities for a density or one factor alone, or take β for a standard deviation.
"""

import math

import torch
from torch.distributions import Normal

from autograder.assignments.diffusion import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.bayes_on_grid")
def bayes_on_grid(student: Remote, draw: Draw) -> None:
    # With a small β the smallest of the densities is nothing beside the largest, in any precision.
    cases = (1001, 6.0, (0.05, 0.5), torch.float64), (1600, 8.0, (0.02, 0.04), torch.float32)
    for count, half, betas, dtype in draw.again(*cases):
        grid = torch.linspace(-half, half + 1.5, count, dtype=dtype)
        x_0, x_t = (float(value) for value in draw.uniform(-1.5, 1.5, 2))
        beta, before = float(draw.uniform(*betas, 1)[0]), float(draw.uniform(0.2, 0.9, 1)[0])
        got = student(grid, x_0, x_t, beta, before)
        expect(got, "the density").shape(count).dtype(dtype).finite()
        wanted = reference.bayes_on_grid(grid, x_0, x_t, beta, before)
        expect(got, "the density").close(wanted, rtol=1e-3, atol=1e-4)


def _log_factors(grid, x_0, x_t, beta, alpha_bar_before):
    """log q(x_t | x_{t−1}) and log q(x_{t−1} | x_0) at each x_{t−1} of the grid."""
    at = torch.tensor(x_t, dtype=grid.dtype)
    step = Normal(math.sqrt(1 - beta) * grid, math.sqrt(beta)).log_prob(at)
    prior = Normal(math.sqrt(alpha_bar_before) * x_0, math.sqrt(1 - alpha_bar_before)).log_prob(grid)
    return step, prior


@mistake("The product is not normalised: a density sums to 1, times the grid's spacing.")
def not_normalised(grid, x_0, x_t, beta, alpha_bar_before):
    step, prior = _log_factors(grid, x_0, x_t, beta, alpha_bar_before)
    return (step + prior).exp()


@mistake("These are probabilities of the grid's cells: divide by the spacing to get a density.")
def probabilities_for_a_density(grid, x_0, x_t, beta, alpha_bar_before):
    return reference.bayes_on_grid(grid, x_0, x_t, beta, alpha_bar_before) * (grid[1] - grid[0])


@mistake("This is q(x_t | x_{t−1}) alone: Bayes' rule multiplies it with q(x_{t−1} | x_0).")
def likelihood_alone(grid, x_0, x_t, beta, alpha_bar_before):
    step, _ = _log_factors(grid, x_0, x_t, beta, alpha_bar_before)
    return torch.softmax(step, dim=0) / (grid[1] - grid[0])


@mistake("This is q(x_{t−1} | x_0) alone: Bayes' rule multiplies it with q(x_t | x_{t−1}).")
def prior_alone(grid, x_0, x_t, beta, alpha_bar_before):
    _, prior = _log_factors(grid, x_0, x_t, beta, alpha_bar_before)
    return torch.softmax(prior, dim=0) / (grid[1] - grid[0])


@mistake("β is a variance: the standard deviation of a step is its root.")
def beta_as_a_deviation(grid, x_0, x_t, beta, alpha_bar_before):
    step = Normal(math.sqrt(1 - beta) * grid, beta).log_prob(torch.tensor(x_t, dtype=grid.dtype))
    _, prior = _log_factors(grid, x_0, x_t, beta, alpha_bar_before)
    return torch.softmax(step + prior, dim=0) / (grid[1] - grid[0])


@mistake("The step's mean is √(1 − β) times x_{t−1}, the point of the grid: here it is not scaled.")
def step_without_its_factor(grid, x_0, x_t, beta, alpha_bar_before):
    step = Normal(grid, math.sqrt(beta)).log_prob(torch.tensor(x_t, dtype=grid.dtype))
    _, prior = _log_factors(grid, x_0, x_t, beta, alpha_bar_before)
    return torch.softmax(step + prior, dim=0) / (grid[1] - grid[0])


@equivalent
def product_of_densities(grid, x_0, x_t, beta, alpha_bar_before):
    step, prior = _log_factors(grid, x_0, x_t, beta, alpha_bar_before)
    product = step.exp() * prior.exp()
    return product / (product.sum() * (grid[1] - grid[0]))


@equivalent
def by_the_trapezoid_rule(grid, x_0, x_t, beta, alpha_bar_before):
    step, prior = _log_factors(grid, x_0, x_t, beta, alpha_bar_before)
    product = (step + prior - (step + prior).max()).exp()
    return product / torch.trapezoid(product, grid)


HARMLESS = {
    "graph": "A density on a grid is looked at, and nothing is trained through it.",
    "torch.as_tensor(x_t, dtype=grid.dtype) → torch.as_tensor(x_t)": "A number may come in single precision.",
    "log_product - log_product.max() → log_product + log_product.max()": "What all points have in common is divided out again.",
    "log_product - log_product.max() → log_product": "What all points have in common is divided out again.",
    "return density / (density.sum() * (grid[1] - grid[0])) → return (density / (density.sum() * (grid[1] - grid[0]))).squeeze()": "A grid has two points at least.",
}
