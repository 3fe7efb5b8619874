"""The ELBO as E_q[log p(x given z)] − KL(q ‖ p(z)), exactly, on a linear-Gaussian model.

Mistakes add the divergence or leave it out, take log p(x given z) at z = μ alone, or treat its constant, its sum over
entries or its noise s² wrongly.
"""

import math

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.student import Remote


@exercise("vae.elbo_from_kl")
def elbo_from_kl(student: Remote, draw: Draw) -> None:
    common.expect_elbo(student, draw, reference.elbo_from_kl)


@mistake("The divergence is added: it is a penalty on the reconstruction term.")
def divergence_added(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, b, s) + 2 * reference.gaussian_kl(mu, sigma)


@mistake("log p(x given z) is taken at z = μ; its mean over q also has a part that grows with sigma.")
def reconstruction_at_the_mean(x, mu, sigma, W, b, s):
    return common.log_likelihood_at_mean(x, mu, W, b, s) - reference.gaussian_kl(mu, sigma)


@mistake("The normalising constant of the Gaussian p(x given z) is missing.")
def without_normalising_constant(x, mu, sigma, W, b, s):
    constant = x.shape[1] / 2 * math.log(2 * math.pi * s**2)
    return reference.elbo_from_kl(x, mu, sigma, W, b, s) + constant


@mistake("The squared errors of one datum are averaged over its entries; log-densities of entries add up.")
def reconstruction_averaged(x, mu, sigma, W, b, s):
    likelihood = common.log_likelihood_at_mean(x, mu, W, b, s) - common.trace_term(sigma, W, s)
    return likelihood / x.shape[1] - reference.gaussian_kl(mu, sigma)


@mistake("The noise of x enters with its standard deviation where its variance belongs.")
def kl_form_with_s_for_its_square(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, b, math.sqrt(s))


@mistake("The divergence is missing: this is the reconstruction term alone.")
def kl_form_without_divergence(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, b, s) + reference.gaussian_kl(mu, sigma)


@mistake("This is the negative ELBO.")
def negative_elbo(x, mu, sigma, W, b, s):
    return -reference.elbo_from_kl(x, mu, sigma, W, b, s)


@mistake("The offset b is missing from the mean of x.")
def kl_form_without_b(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, 0 * b, s)


@equivalent
def bound_below_the_evidence(x, mu, sigma, W, b, s):
    mean, covariance = reference.posterior(x, W, b, s)
    return reference.log_evidence(x, W, b, s) - reference.kl_to_posterior(mu, sigma, mean, covariance)


HARMLESS = {
    "graph": "The bound is looked at, and no gradient of it is asked for.",
    "x - b - mu @ W.T → mu @ W.T - (x - b)": "It is squared.",
    "W.shape[0] → b.shape[0]": "Both are D.",
}
