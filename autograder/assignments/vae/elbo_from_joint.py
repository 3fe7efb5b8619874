"""The ELBO as E_q[log p(x, z)] + H(q), exactly, on a linear-Gaussian model.

Terms are easily lost (entropy, prior, a constant with 2π) or given the wrong sign; and what is evaluated at z = μ alone
lacks a part that grows with σ.
"""

import math

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.student import Remote


@exercise("vae.elbo_from_joint")
def elbo_from_joint(student: Remote, draw: Draw) -> None:
    common.expect_elbo(student, draw, reference.elbo_from_joint)


def _entropy(sigma):
    return (sigma.log() + (1 + math.log(2 * math.pi)) / 2).sum(dim=1)


def _log_prior(mu, sigma):
    return -(mu**2 + sigma**2 + math.log(2 * math.pi)).sum(dim=1) / 2


@mistake("The entropy of q is missing.")
def without_entropy(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) - _entropy(sigma)


@mistake("The entropy of q is subtracted: −E_q[log q] is the entropy itself.")
def entropy_subtracted(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) - 2 * _entropy(sigma)


@mistake("log p(x given z) is taken at z = μ; its mean over q also has a part that grows with sigma.")
def joint_at_the_mean(x, mu, sigma, W, b, s):
    return common.log_likelihood_at_mean(x, mu, W, b, s) + _log_prior(mu, sigma) + _entropy(sigma)


@mistake("log p(z) is taken at z = μ; E_q[z²] is more than μ².")
def prior_at_the_mean(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) + (sigma**2).sum(dim=1) / 2


@mistake("The noise of x enters with its standard deviation where its variance belongs.")
def joint_with_s_for_its_square(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, math.sqrt(s))


@mistake("A normalising constant with 2π is missing.")
def joint_without_two_pi(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) + x.shape[1] / 2 * math.log(2 * math.pi)


@mistake("The offset b is missing from the mean of x.")
def joint_without_b(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, 0 * b, s)


@mistake("log p(z) is missing: the joint has two factors.")
def joint_without_prior(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) - _log_prior(mu, sigma)


@mistake("This is log p(x): the ELBO depends on q and lies below it.")
def evidence_for_elbo(x, mu, sigma, W, b, s):
    return reference.log_evidence(x, W, b, s)


@equivalent
def joint_by_formula(x, mu, sigma, W, b, s):
    likelihood = common.log_likelihood_at_mean(x, mu, W, b, s) - common.trace_term(sigma, W, s)
    return likelihood + _log_prior(mu, sigma) + _entropy(sigma)


@equivalent
def joint_from_the_other_form(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, b, s)


HARMLESS = {
    "graph": "The bound is looked at, and no gradient of it is asked for.",
    "x - b - mu @ W.T → mu @ W.T - (x - b)": "It is squared.",
}
