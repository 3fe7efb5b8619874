"""KL(q(x_T | x_0) ‖ N(0, I)) in nats, one number for each example.

½(ᾱ_T‖x_0‖² + d(1 − ᾱ_T) − d log(1 − ᾱ_T) − d), judged on flat data and on images. Wrong answers count d along one
dimension, average or sum too much, lose the ½ or a square, or turn the divergence round.
"""

import math

import torch

from autograder.assignments.diffusion import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.kl_to_prior")
def kl_to_prior(student: Remote, draw: Draw) -> None:
    shapes = ((5, 3), torch.float32), ((2, 3, 4, 5), torch.float64), ((1, 7), torch.float32)
    for shape, dtype in draw.again(*shapes):
        x_0 = 2 * draw.normal(*shape, dtype=dtype)
        alpha_bar = draw.uniform(0.05, 0.9, 1, dtype=dtype)[0]
        for value in (float(alpha_bar), alpha_bar):
            expect(student(x_0, value)).close(reference.kl_to_prior(x_0, value))


@mistake("The whole batch is summed; return one number for each example.")
def sums_the_batch(x_0, alpha_bar):
    return reference.kl_to_prior(x_0, alpha_bar).sum()


@mistake("Entries are averaged: the divergences of independent entries add up.")
def averages_the_entries(x_0, alpha_bar):
    return reference.kl_to_prior(x_0, alpha_bar) / x_0[0].numel()


@mistake("The factor ½ is missing.")
def forgets_the_half(x_0, alpha_bar):
    return 2 * reference.kl_to_prior(x_0, alpha_bar)


@mistake("d counts only one dimension of x_0; it is the number of all entries of an example.")
def d_of_one_dimension(x_0, alpha_bar):
    a, d = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.shape[1]
    return 0.5 * (a * (x_0.flatten(1) ** 2).sum(dim=1) + d * (1 - a) - d * torch.log(1 - a) - d)


@mistake("‖x_0‖² is the sum of squares; here it is the norm without its square.")
def norm_without_the_square(x_0, alpha_bar):
    a, flat = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (a * flat.norm(dim=1) + d * (1 - a) - d * torch.log(1 - a) - d)


@mistake("The mean is √ᾱ x_0, so its square has the factor ᾱ, not √ᾱ.")
def root_of_alpha_bar_in_the_mean(x_0, alpha_bar):
    a, flat = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (a.sqrt() * (flat**2).sum(dim=1) + d * (1 - a) - d * torch.log(1 - a) - d)


@mistake("The logarithm is of the variance 1 − ᾱ, and it has d as its factor.")
def logarithm_counts_once(x_0, alpha_bar):
    a, flat = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (a * (flat**2).sum(dim=1) + d * (1 - a) - torch.log(1 - a) - d)


@mistake("This is KL(N(0, I) ‖ q): the divergence is not symmetric, and q comes first.")
def reversed_divergence(x_0, alpha_bar):
    a, flat = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (((a * (flat**2).sum(dim=1)) + d) / (1 - a) - d + d * torch.log(1 - a))


@equivalent
def by_distributions(x_0, alpha_bar):
    a = torch.as_tensor(alpha_bar, dtype=x_0.dtype)
    q = torch.distributions.Normal(a.sqrt() * x_0, (1 - a).sqrt().expand_as(x_0))
    p = torch.distributions.Normal(torch.zeros_like(x_0), torch.ones_like(x_0))
    return torch.distributions.kl_divergence(q, p).flatten(1).sum(dim=1)


@equivalent
def by_one_mean(x_0, alpha_bar):
    per_entry = alpha_bar * x_0**2 + (1 - alpha_bar) - math.log(1 - alpha_bar) - 1
    return per_entry.reshape(len(x_0), -1).sum(dim=-1) / 2


HARMLESS = {
    "graph": "It has no parameters: nothing is trained through it.",
    "torch.as_tensor(alpha_bar, dtype=x_0.dtype) → torch.as_tensor(alpha_bar)": "A number may come in single precision.",
}
