"""Mean and variance of the aggregate posterior (1/N) Σ_n N(μ_n, diag σ_n²), latent by latent.

Its variance has two parts, and the commonest mistakes keep one: the spread of the means, or the mean of the variances.
Others average deviations, divide by N − 1, or return a standard deviation or a second moment.
"""

import torch

from autograder.assignments.vae import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.aggregate_moments")
def aggregate_moments(student: Remote, draw: Draw) -> None:
    cases = ((9, 3), torch.float64), ((4, 2), torch.float32), ((5, 1), torch.float32)
    for shape, dtype in draw.again(*cases):
        mu, sigma = 1 + 3 * draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        mean, variance = expect(student(mu, sigma)).items(2)
        wanted = reference.aggregate_moments(mu, sigma)
        expect(mean, "the mean").close(wanted[0])
        expect(variance, "the variance").close(wanted[1], rtol=1e-3 if dtype == torch.float32 else None)


@mistake("This is the spread of the means alone; every datum also spreads around its own mean.")
def variance_of_the_means(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0, unbiased=False)


@mistake("This is the mean of the variances alone; the means differ from datum to datum as well.")
def mean_of_the_variances(mu, sigma):
    return mu.mean(dim=0), (sigma**2).mean(dim=0)


@mistake("A standard deviation is returned; return the variance.")
def deviation_for_variance(mu, sigma):
    mean, variance = reference.aggregate_moments(mu, sigma)
    return mean, variance.sqrt()


@mistake("Standard deviations are averaged where variances should be.")
def averages_deviations(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0, unbiased=False) + sigma.mean(dim=0) ** 2


@mistake("The variance of the means is divided by N − 1; the aggregate posterior weighs all N means alike.")
def unbiased_variance(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0) + (sigma**2).mean(dim=0)


@mistake("Second moments are returned: the square of the mean is to be taken off.")
def second_moment(mu, sigma):
    return mu.mean(dim=0), (mu**2 + sigma**2).mean(dim=0)


@mistake("sigma enters without its square.")
def sigma_without_its_square(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0, unbiased=False) + sigma.mean(dim=0)


@mistake("The variance comes first; the mean should come first.")
def variance_first(mu, sigma):
    return reference.aggregate_moments(mu, sigma)[::-1]


@mistake("The averages run over the latents; they belong over the data.")
def moments_over_the_latents(mu, sigma):
    return reference.aggregate_moments(mu.T, sigma.T)


@equivalent
def law_of_total_variance(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0, correction=0) + (sigma**2).mean(dim=0)


HARMLESS = {
    "graph": "The moments are looked at, and no gradient of them is asked for.",
    "mu - mean → mean - mu": "It is squared.",
}
