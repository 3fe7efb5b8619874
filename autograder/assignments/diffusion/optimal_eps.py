"""E[ε | x_t] for data N(mean, std²) in one dimension, the best answer that a network could give.

It is √(1 − ᾱ)(x_t − √ᾱ mean)/(ᾱ std² + 1 − ᾱ). Part of the variance of x_t is forgotten most often, or the factor of
the mean; some answers are E[x_0 | x_t] or the score.
"""

import math

import torch

from autograder.assignments.diffusion import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.optimal_eps")
def optimal_eps(student: Remote, draw: Draw) -> None:
    for shape, dtype in draw.again(((9,), torch.float64), ((4, 3), torch.float32), ((1,), torch.float32)):
        x_t = 2 * draw.normal(*shape, dtype=dtype)
        alpha_bar = draw.uniform(0.1, 0.9, 1, dtype=dtype)[0]
        mean, std = 2 * float(draw.normal(1)[0]), float(draw.positive(1)[0])
        for value in (float(alpha_bar), alpha_bar):
            expect(student(x_t, value, mean, std)).close(reference.optimal_eps(x_t, value, mean, std))


@mistake("The mean of x_t is √ᾱ times the data's mean: here the data's mean is taken away as it is.")
def mean_not_scaled(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - a).sqrt() * (x_t - mean) / (a * std**2 + 1 - a)


@mistake("std is squared in the variance of x_t; here it is not.")
def std_not_squared(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - a).sqrt() * (x_t - a.sqrt() * mean) / (a * std + 1 - a)


@mistake("The variance of x_t is ᾱ std² + 1 − ᾱ: the noise is part of it.")
def variance_without_the_noise(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - a).sqrt() * (x_t - a.sqrt() * mean) / (a * std**2)


@mistake("This is the noise if x_0 were the data's mean; the data have a spread as well.")
def as_if_the_data_were_their_mean(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (x_t - a.sqrt() * mean) / (1 - a).sqrt()


@mistake("This is E[x_0 | x_t]; return the noise.")
def expected_data(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (x_t - (1 - a).sqrt() * reference.optimal_eps(x_t, a, mean, std)) / a.sqrt()


@mistake("The covariance of ε and x_t is √(1 − ᾱ), not 1 − ᾱ.")
def covariance_without_the_root(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - a) * (x_t - a.sqrt() * mean) / (a * std**2 + 1 - a)


@mistake("This is x_t standardised: the covariance of ε and x_t is missing, and the variance of x_t has a root.")
def standardised(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (x_t - a.sqrt() * mean) / (a * std**2 + 1 - a).sqrt()


@mistake("This is the score, ∇ log q(x_t); the noise is −√(1 − ᾱ) times it.")
def score_for_noise(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return -(x_t - a.sqrt() * mean) / (a * std**2 + 1 - a)


@equivalent
def by_way_of_the_score(x_t, alpha_bar, mean, std):
    a = float(alpha_bar)
    score = -(x_t - math.sqrt(a) * mean) / (a * std**2 + 1 - a)
    return -math.sqrt(1 - a) * score


@equivalent
def by_way_of_the_data(x_t, alpha_bar, mean, std):
    a = float(alpha_bar)
    x_0 = mean + math.sqrt(a) * std**2 / (a * std**2 + 1 - a) * (x_t - math.sqrt(a) * mean)
    return (x_t - math.sqrt(a) * x_0) / math.sqrt(1 - a)


HARMLESS = {
    "graph": "It has no parameters: nothing is trained through it.",
    "torch.as_tensor(alpha_bar, dtype=x_t.dtype) → torch.as_tensor(alpha_bar)": "A number may come in single precision.",
}
