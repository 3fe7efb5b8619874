"""The pathwise estimator 2(θ + ε) of d/dθ E[x²] for x = θ + ε, one estimate a sample.

It must be right sample by sample, which makes it unbiased. Some return the mean of the estimates, lose the factor 2, or
give the exact gradient whatever the noise.
"""

import torch

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.student import Remote


@exercise("vae.pathwise_gradient")
def pathwise_gradient(student: Remote, draw: Draw) -> None:
    common.expect_estimator(student, draw, reference.pathwise_gradient)


@mistake("The mean over the samples is returned; return the estimates themselves, one for each sample.")
def mean_of_the_estimates(theta, eps):
    return (2 * (theta + eps)).mean()


@mistake("A factor is lost in differentiating the square.")
def forgets_the_factor(theta, eps):
    return theta + eps


@mistake("The exact gradient is returned for every sample: the estimator must use the noise it is given.")
def exact_gradient(theta, eps):
    return 2 * theta * torch.ones_like(eps)


@mistake("The square itself is returned, not its derivative.")
def square_itself(theta, eps):
    return (theta + eps) ** 2


@mistake("This is the score-function estimator: here x² itself is differentiated.")
def score_function_again(theta, eps):
    return (theta + eps) ** 2 * eps


@mistake("All samples get the same number, their mean; give each its own estimate.")
def the_same_for_all_samples(theta, eps):
    return (2 * (theta + eps)).mean().expand(len(eps))


@equivalent
def pathwise_by_autograd(theta, eps):
    theta = theta.clone().expand_as(eps).clone().requires_grad_()
    return torch.autograd.grad(((theta + eps) ** 2).sum(), theta)[0]


@equivalent
def pathwise_by_jacobian(theta, eps):
    return torch.autograd.functional.jacobian(lambda theta: (theta + eps) ** 2, theta)


@equivalent
def pathwise_from_all_pairs(theta, eps):
    jacobian = torch.autograd.functional.jacobian(lambda theta: (theta + eps) ** 2, theta.expand_as(eps).clone())
    return jacobian.diagonal()


HARMLESS = {
    "graph": "It is an estimate of a gradient, and no gradient of it is asked for.",
}
