"""Mean and covariance of p(z given x) on a linear-Gaussian model.

The reference conditions the joint Gaussian, so students may go by the precision I + WᵀW/s². Without the prior it is
least squares; other answers return the precision, lose s² or b, or invert the diagonal alone.
"""

import math

import torch

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.posterior")
def posterior(student: Remote, draw: Draw) -> None:
    for batch, data, latent, dtype in draw.again(*common.MODEL_SIZES):
        x, W, b, s = common.linear_gaussian(draw, batch, data, latent, dtype)
        mean, covariance = expect(student(x, W, b, s)).items(2)
        wanted = reference.posterior(x, W, b, s)
        expect(mean, "the posterior mean").close(wanted[0])
        expect(covariance, "the posterior covariance").close(wanted[1])


@mistake("The prior is forgotten: without it this is least squares.")
def least_squares(x, W, b, s):
    covariance = torch.linalg.pinv(W.T @ W / s**2)
    return (x - b) @ W @ covariance / s**2, covariance


@mistake("The precision matrix is returned in the place of the covariance.")
def precision_for_covariance(x, W, b, s):
    mean, covariance = reference.posterior(x, W, b, s)
    return mean, torch.linalg.inv(covariance)


@mistake("The offset b is not taken off x before it is explained by z.")
def posterior_without_b(x, W, b, s):
    return reference.posterior(x, W, 0 * b, s)


@mistake("The noise variance is missing from the precision, or enters unsquared.")
def posterior_with_s_for_its_square(x, W, b, s):
    return reference.posterior(x, W, b, math.sqrt(s))


@mistake("The mean lacks the division by the noise variance.")
def mean_without_noise_variance(x, W, b, s):
    mean, covariance = reference.posterior(x, W, b, s)
    return mean * s**2, covariance


@mistake("Mean and covariance come in the other order: the mean first.")
def covariance_first(x, W, b, s):
    return reference.posterior(x, W, b, s)[::-1]


@mistake("The inverse of a matrix is not made of the inverses of its entries, nor of its diagonal alone.")
def diagonal_covariance(x, W, b, s):
    precision = 1 + (W**2).sum(dim=0) / s**2
    return (x - b) @ W / s**2 / precision, torch.diag(1 / precision)


@equivalent
def posterior_by_precision(x, W, b, s):
    precision = torch.eye(W.shape[1], dtype=x.dtype) + W.T @ W / s**2
    covariance = torch.linalg.inv(precision)
    return (x - b) @ W @ covariance / s**2, covariance


HARMLESS = {
    "graph": "The posterior is looked at, and no gradient of it is asked for.",
    "torch.eye(W.shape[1], dtype=x.dtype) → torch.eye(W.shape[1])": "A sum has the more precise dtype of the two.",
    "torch.eye(W.shape[1], dtype=x.dtype) → torch.eye(W.shape[1], dtype=W.dtype)": "All arguments have one dtype.",
    "torch.eye(W.shape[1], dtype=x.dtype) → torch.eye(W.shape[1], dtype=b.dtype)": "All arguments have one dtype.",
    "(x - b) @ W @ covariance → (x - b) @ W @ covariance.T": "A covariance is symmetric.",
}
