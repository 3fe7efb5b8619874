"""KL(q ‖ posterior) for q = N(μ, diag σ²) and a posterior with a full covariance, one number for each datum.

It is judged at a random q, and at one so close that the divergence nearly vanishes. Wrong answers have the two
distributions the other way round, only the diagonal of the covariance, or no determinants or −K.
"""

import torch
from torch.distributions import MultivariateNormal, kl_divergence

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.kl_to_posterior")
def kl_to_posterior(student: Remote, draw: Draw) -> None:
    for batch, data, latent, dtype in common.MODEL_SIZES:
        x, W, b, s = common.linear_gaussian(draw, batch, data, latent, dtype)
        mean, covariance = reference.posterior(x, W, b, s)
        covariance = (covariance + covariance.T) / 2
        for near in (False, True):
            mu, sigma = draw.normal(batch, latent, dtype=dtype), draw.positive(batch, latent, dtype=dtype)
            if near:
                mu, sigma = mean + 0.1 * mu, torch.diagonal(covariance).sqrt().expand(batch, -1).clone()
            wanted = reference.kl_to_posterior(mu, sigma, mean, covariance)
            expect(student(mu, sigma, mean, covariance)).close(wanted, rtol=1e-4)


@mistake("The two distributions have changed places: q comes first.")
def posterior_first(mu, sigma, mean, covariance):
    q = MultivariateNormal(mu, torch.diag_embed(sigma**2))
    return kl_divergence(MultivariateNormal(mean, covariance.expand(len(mu), -1, -1)), q)


@mistake("Only the diagonal of the posterior covariance is used, but its latents are correlated.")
def diagonal_posterior(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma, mean, torch.diag(torch.diag(covariance)))


@mistake("Where q is the posterior the divergence must be 0: a constant that depends on K is missing.")
def without_minus_k(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma, mean, covariance) + mu.shape[1] / 2


@mistake("The constant in it is that of two latents; it depends on K, mu.shape[1].")
def constant_of_two_latents(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma, mean, covariance) + (mu.shape[1] - 2) / 2


@mistake("sigma is used as a variance; it is the standard deviation.")
def posterior_divergence_with_sigma_as_variance(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma.sqrt(), mean, covariance)


@mistake("This is the divergence from the prior; the posterior's mean and covariance go unused.")
def divergence_from_the_prior(mu, sigma, mean, covariance):
    return reference.gaussian_kl(mu, sigma)


@mistake("The factor in front of the whole is missing.")
def twice_the_divergence_from_the_posterior(mu, sigma, mean, covariance):
    return 2 * reference.kl_to_posterior(mu, sigma, mean, covariance)


@mistake("The determinants have changed places, or their logarithm has the wrong sign.")
def determinants_swapped(mu, sigma, mean, covariance):
    logs = torch.logdet(covariance) - 2 * sigma.log().sum(dim=1)
    return reference.kl_to_posterior(mu, sigma, mean, covariance) - logs


@mistake("The logarithm of one determinant has the wrong sign: what counts is that of their ratio.")
def one_determinant_turned_round(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma, mean, covariance) - torch.logdet(covariance)


@one_determinant_turned_round.also
def determinant_of_q_turned_round(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma, mean, covariance) + 2 * sigma.log().sum(dim=1)


@mistake("The determinants are missing.")
def without_determinants(mu, sigma, mean, covariance):
    logs = torch.logdet(covariance) - 2 * sigma.log().sum(dim=1)
    return reference.kl_to_posterior(mu, sigma, mean, covariance) - logs / 2


@mistake("The covariance stands where its inverse belongs.")
def covariance_for_precision(mu, sigma, mean, covariance):
    shift, logs = mean - mu, torch.logdet(covariance) - 2 * sigma.log().sum(dim=1)
    trace = (sigma**2) @ torch.diagonal(covariance)
    return (trace + (shift @ covariance * shift).sum(dim=1) - mu.shape[1] + logs) / 2


@equivalent
def divergence_by_traces(mu, sigma, mean, covariance):
    precision, shift = torch.linalg.inv(covariance), mean - mu
    trace = (sigma**2 * torch.diagonal(precision)).sum(dim=1)
    logs = torch.logdet(covariance) - 2 * sigma.log().sum(dim=1)
    return (trace + (shift @ precision * shift).sum(dim=1) - mu.shape[1] + logs) / 2


HARMLESS = {
    "graph": "The divergence is looked at, and no gradient of it is asked for.",
    "mean - mu → mu - mean": "It is squared.",
    "shift @ precision → shift @ precision.T": "A precision is symmetric.",
    "mu.shape[1] → sigma.shape[1]": "Both are K.",
    "mu.shape[1] → mean.shape[1]": "Both are K.",
    "mu.shape[1] → covariance.shape[1]": "Both are K.",
}
