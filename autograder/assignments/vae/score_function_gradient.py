"""The score-function estimator x² ∇_θ log N(x; θ, 1) of d/dθ E[x²] for x = θ + ε, one estimate a sample.

It is judged as pathwise_gradient is, sample by sample. Common slips turn the sign of the score,
forget the weight x² or the mean θ, or differentiate x², which is the pathwise estimator again.
"""

import math

import torch

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.student import Remote


@exercise("vae.score_function_gradient")
def score_function_gradient(student: Remote, draw: Draw) -> None:
    common.expect_estimator(student, draw, reference.score_function_gradient)


@mistake("This is the pathwise estimator: here only the density of x is differentiated, x² is not.")
def pathwise_again(theta, eps):
    return 2 * (theta + eps)


@mistake("The score has the wrong sign: log N(x; θ, 1) grows when θ moves towards x.")
def score_with_the_wrong_sign(theta, eps):
    return -((theta + eps) ** 2) * eps


@mistake("Only the score is returned: it must be weighted by the function whose mean is sought.")
def score_alone(theta, eps):
    return 1.0 * eps


@mistake("The score of a unit Gaussian is taken for x: it depends on the distance of x from θ.")
def score_without_the_mean(theta, eps):
    return (theta + eps) ** 3


@mistake("The function under the mean is x², evaluated at the sample x = θ + ε, not at ε.")
def function_of_the_noise(theta, eps):
    return eps**2 * eps


@mistake("The log-density itself is used as a weight; use its derivative by θ.")
def log_density_for_score(theta, eps):
    return (theta + eps) ** 2 * (-(eps**2) / 2 - math.log(2 * math.pi) / 2)


@mistake("A baseline is subtracted: a good idea elsewhere, but not the estimator that is asked for.")
def with_a_baseline(theta, eps):
    return ((theta + eps) ** 2 - ((theta + eps) ** 2).mean()) * eps


@equivalent
def score_by_distribution(theta, eps):
    x = theta + eps
    theta = theta.expand_as(eps).clone().requires_grad_()
    score = torch.autograd.grad(torch.distributions.Normal(theta, 1.0).log_prob(x).sum(), theta)[0]
    return x**2 * score


@equivalent
def score_by_formula(theta, eps):
    return (theta + eps) ** 2 * eps


HARMLESS = {
    "graph": "It is an estimate of a gradient, and no gradient of it is asked for.",
}
