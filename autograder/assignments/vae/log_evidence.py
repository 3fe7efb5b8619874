"""log p(x) = log N(x; b, W Wᵀ + s² I) on a linear-Gaussian model, one number for each datum.

Wrong answers take s for the variance, forget b or 2π, or lose what z brings: the spread W Wᵀ, or only its correlations.
"""

import math

import torch

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.log_evidence")
def log_evidence(student: Remote, draw: Draw) -> None:
    for batch, data, latent, dtype in draw.again(*common.MODEL_SIZES):
        x, W, b, s = common.linear_gaussian(draw, batch, data, latent, dtype)
        expect(student(x, W, b, s)).close(reference.log_evidence(x, W, b, s))


@mistake("The covariance of x has the wrong amount of noise: s is a standard deviation.")
def noise_not_squared(x, W, b, s):
    return reference.log_evidence(x, W, b, math.sqrt(s))


@mistake("The mean of x is not subtracted.")
def evidence_without_b(x, W, b, s):
    return reference.log_evidence(x, W, 0 * b, s)


@mistake("The normalising constant with 2π is missing.")
def evidence_without_two_pi(x, W, b, s):
    return reference.log_evidence(x, W, b, s) + x.shape[1] / 2 * math.log(2 * math.pi)


@mistake("The spread that z brings into x is missing: this is p(x given z) at z = 0.")
def evidence_at_zero(x, W, b, s):
    return reference.log_evidence(x, 0 * W, b, s)


@mistake("Only the variances of x are used; its entries are correlated, since they share z.")
def evidence_of_independent_entries(x, W, b, s):
    deviation = ((W**2).sum(dim=1) + s**2).sqrt()
    return torch.distributions.Normal(b, deviation).log_prob(x).sum(dim=1)


@mistake("The sign is turned: this is −log p(x).")
def negative_evidence(x, W, b, s):
    return -reference.log_evidence(x, W, b, s)


@equivalent
def evidence_by_cholesky(x, W, b, s):
    covariance = W @ W.T + s**2 * torch.eye(len(b), dtype=x.dtype)
    factor = torch.linalg.cholesky(covariance)
    white = torch.linalg.solve_triangular(factor, (x - b).T, upper=False)
    constant = len(b) * math.log(2 * math.pi) + 2 * torch.log(torch.diagonal(factor)).sum()
    return -(white**2).sum(dim=0) / 2 - constant / 2


@equivalent
def evidence_by_slogdet(x, W, b, s):
    covariance = W @ W.T + s**2 * torch.eye(len(b), dtype=x.dtype)
    centred = x - b
    distance = (centred @ torch.linalg.inv(covariance) * centred).sum(dim=1)
    return -0.5 * (distance + torch.linalg.slogdet(2 * math.pi * covariance).logabsdet)


@equivalent
def evidence_with_a_float32_constant(x, W, b, s):
    return torch.distributions.MultivariateNormal(b, W @ W.T + s**2 * torch.eye(len(b))).log_prob(x)


HARMLESS = {
    "graph": "The evidence is looked at, and no gradient of it is asked for.",
    "len(b) → len(W)": "Both are D.",
    "torch.eye(len(b), dtype=x.dtype) → torch.eye(len(b))": "A sum has the more precise dtype of the two.",
    "torch.eye(len(b), dtype=x.dtype) → torch.eye(len(b), dtype=W.dtype)": "All arguments have one dtype.",
    "torch.eye(len(b), dtype=x.dtype) → torch.eye(len(b), dtype=b.dtype)": "All arguments have one dtype.",
}
