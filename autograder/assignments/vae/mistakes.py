"""Known wrong answers to the VAE notebook, each with the sentence for the student, and other right answers."""

import math

import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional

from autograder.assignments.vae import reference
from autograder.assignments.vae.reference import VAE
from autograder.judge.exercise import equivalent, mistake

# gaussian_kl


@mistake("gaussian_kl", "Only the latents are summed over; the batch must stay: one number for each image.")
def sums_over_the_batch(mu, sigma):
    return reference.gaussian_kl(mu, sigma).sum()


@mistake("gaussian_kl", "The sum runs over the wrong dimension: add up latents, not images.")
def sums_over_the_wrong_dimension(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=0)


@mistake("gaussian_kl", "The divergences of independent latents add up; here they are averaged.")
def averages_the_latents(mu, sigma):
    return reference.gaussian_kl(mu, sigma) / mu.shape[1]


@mistake(
    "gaussian_kl", "The term with squares has a factor that is missing here: derive the expectation of z² once more."
)
def forgets_the_half(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2 - 1)).sum(dim=1)


@mistake(
    "gaussian_kl", "At mu = 0, sigma = 1 both distributions are equal, so the result must be 0 there; yours is not."
)
def forgets_the_minus_one(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2) / 2).sum(dim=1)


@mistake("gaussian_kl", "The logarithm has the wrong sign: the divergence must grow when sigma shrinks towards 0.")
def logarithm_with_the_wrong_sign(mu, sigma):
    return (sigma.log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@mistake("gaussian_kl", "sigma is treated as a variance; it is the standard deviation.")
def variance_for_sigma(mu, sigma):
    return (-sigma.log() / 2 + (sigma + mu**2 - 1) / 2).sum(dim=1)


@mistake("gaussian_kl", "sigma is treated as the logarithm of the variance; it is the standard deviation itself.")
def log_var_as_sigma(mu, sigma):
    return ((sigma.exp() + mu**2 - 1 - sigma) / 2).sum(dim=1)


@mistake(
    "gaussian_kl", "The logarithm counts twice: mind which power of sigma stands inside it and which factor before it."
)
def logarithm_of_the_variance(mu, sigma):
    return (-2 * sigma.log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@mistake("gaussian_kl", "sigma stands where its square belongs: E[(z − μ)²] is the variance.")
def sigma_not_squared(mu, sigma):
    return (-sigma.log() + (sigma + mu**2 - 1) / 2).sum(dim=1)


@mistake("gaussian_kl", "mu enters without its square: the divergence must not depend on the sign of mu.")
def mu_not_squared(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu - 1) / 2).sum(dim=1)


@mistake("gaussian_kl", "This is KL(p ‖ q). The divergence is not symmetric: q comes first.")
def reversed_divergence(mu, sigma):
    return (sigma.log() + (1 + mu**2) / (2 * sigma**2) - 0.5).sum(dim=1)


@mistake("gaussian_kl", "This is minus the divergence: a divergence is never negative.")
def negative_divergence(mu, sigma):
    return -reference.gaussian_kl(mu, sigma)


@mistake(
    "gaussian_kl", "No gradient reaches mu or sigma: the graph is cut (detach, no_grad, item or numpy).", "detached"
)
def detached_divergence(mu, sigma):
    return reference.gaussian_kl(mu.detach(), sigma.detach())


@mistake(
    "gaussian_kl",
    "It changes an argument in place; the decoder still needs that tensor. Write x = x + …, not x += ….",
    "changes_its_argument",
)
def divergence_in_place(mu, sigma):
    log = sigma.log()
    return (-log + (sigma.pow_(2) + mu**2 - 1) / 2).sum(dim=1)


@mistake("gaussian_kl", "The numbers are rounded to single precision on the way: keep the dtype of the arguments.")
def float32_inside(mu, sigma):
    return reference.gaussian_kl(mu.float(), sigma.float())


@mistake("gaussian_kl", "A small constant inside the logarithm shifts the result: sigma is positive as it is.")
def constant_inside_the_logarithm(mu, sigma):
    return (-(sigma + 1e-3).log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@mistake("gaussian_kl", "Every value is twice what it should be: a factor in front of the whole is missing.")
def twice_the_divergence(mu, sigma):
    return 2 * reference.gaussian_kl(mu, sigma)


@mistake("gaussian_kl", "The factor of the squares does not belong to the logarithm of sigma as well.")
def halves_the_logarithm_too(mu, sigma):
    return ((-sigma.log() + sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@mistake("gaussian_kl", "The constant is counted once; it belongs to every latent.")
def constant_counted_once(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2) / 2).sum(dim=1) - 0.5


@mistake("gaussian_kl", "All images get the same number: add up latents only, and let the images stay apart.")
def the_same_for_all_images(mu, sigma):
    return reference.gaussian_kl(mu, sigma).mean().expand(len(mu))


# reparameterize


@mistake("reparameterize", "The noise is scaled by the variance; eps must be scaled by the standard deviation.")
def scales_by_the_variance(mu, sigma, eps):
    return mu + sigma**2 * eps


@mistake(
    "reparameterize", "sigma is taken for a variance: its root scales the noise. It is the standard deviation already."
)
def scales_by_the_root(mu, sigma, eps):
    return mu + sigma.sqrt() * eps


@mistake("reparameterize", "sigma is taken for a logarithm; it is the standard deviation already.")
def scales_by_the_exponential(mu, sigma, eps):
    return mu + torch.exp(sigma / 2) * eps


@mistake("reparameterize", "Fresh noise is drawn, and the eps that was given goes unused.")
def draws_its_own_noise(mu, sigma, eps):
    return mu + sigma * torch.randn_like(mu)


@mistake(
    "reparameterize", "The sample depends on one draw of eps for the whole batch; every image has noise of its own."
)
def one_draw_for_the_batch(mu, sigma, eps):
    return mu + sigma * eps[:1]


@mistake("reparameterize", "mu and sigma have changed places: which of them shifts, and which one scales?")
def shift_and_scale_swapped(mu, sigma, eps):
    return sigma + mu * eps


@mistake(
    "reparameterize",
    "The noise is subtracted. The distribution is the same, but g(ε, x) is defined with the other sign.",
)
def subtracts_the_noise(mu, sigma, eps):
    return mu - sigma * eps


@mistake("reparameterize", "No gradient reaches mu or sigma: the sample is cut from the graph.", "detached")
def detached_sample(mu, sigma, eps):
    return (mu + sigma * eps).detach()


@mistake("reparameterize", "It changes an argument in place; the loss still needs that tensor.", "changes_its_argument")
def sample_in_place(mu, sigma, eps):
    return eps.mul_(sigma).add_(mu)


@mistake("reparameterize", "sigma has no influence on the sample.")
def sigma_unused(mu, sigma, eps):
    return mu + eps


@mistake("reparameterize", "The noise has no influence on the sample: this is its mean.")
def noise_unused(mu, sigma, eps):
    return 1.0 * mu


# pathwise_gradient, score_function_gradient


@mistake(
    "pathwise_gradient", "The mean over the samples is returned; the estimates themselves are wanted, one a sample."
)
def mean_of_the_estimates(theta, eps):
    return (2 * (theta + eps)).mean()


@mistake("pathwise_gradient", "A factor is lost in differentiating the square.")
def forgets_the_factor(theta, eps):
    return theta + eps


@mistake(
    "pathwise_gradient",
    "The exact gradient is returned for every sample: the estimator must use the noise it is given.",
)
def exact_gradient(theta, eps):
    return 2 * theta * torch.ones_like(eps)


@mistake("pathwise_gradient", "The square itself is returned, not its derivative.")
def square_itself(theta, eps):
    return (theta + eps) ** 2


@mistake(
    "score_function_gradient",
    "This is the pathwise estimator: here only the density of x is differentiated, x² is not.",
)
def pathwise_again(theta, eps):
    return 2 * (theta + eps)


@mistake("score_function_gradient", "The score has the wrong sign: log N(x; θ, 1) grows when θ moves towards x.")
def score_with_the_wrong_sign(theta, eps):
    return -((theta + eps) ** 2) * eps


@mistake(
    "score_function_gradient", "Only the score is returned: it must be weighted by the function whose mean is sought."
)
def score_alone(theta, eps):
    return 1.0 * eps


@mistake(
    "score_function_gradient", "The score of a unit Gaussian is taken for x: it depends on the distance of x from θ."
)
def score_without_the_mean(theta, eps):
    return (theta + eps) ** 3


@mistake("score_function_gradient", "The function under the mean is x², evaluated at the sample x = θ + ε, not at ε.")
def function_of_the_noise(theta, eps):
    return eps**2 * eps


@mistake("pathwise_gradient", "This is the score-function estimator: here x² itself is differentiated.")
def score_function_again(theta, eps):
    return (theta + eps) ** 2 * eps


@mistake("pathwise_gradient", "All samples get the same number, their mean; give each its own estimate.")
def the_same_for_all_samples(theta, eps):
    return (2 * (theta + eps)).mean().expand(len(eps))


@mistake("score_function_gradient", "The log-density itself is used as a weight; its derivative by θ is wanted.")
def log_density_for_score(theta, eps):
    return (theta + eps) ** 2 * (-(eps**2) / 2 - math.log(2 * math.pi) / 2)


@mistake(
    "score_function_gradient",
    "A baseline is subtracted: a good idea elsewhere, but not the estimator that is asked for.",
)
def with_a_baseline(theta, eps):
    return ((theta + eps) ** 2 - ((theta + eps) ** 2).mean()) * eps


# grad_mu_sigma


@mistake("grad_mu_sigma", "The gradient by sigma lacks the noise that the chain rule brings: h = μ + σ ε.")
def forgets_the_noise(dl_dh, mu, sigma, eps):
    return dl_dh + mu, dl_dh + sigma - 1 / sigma


@mistake("grad_mu_sigma", "Only the reconstruction is differentiated; the divergence depends on mu and sigma as well.")
def reconstruction_alone(dl_dh, mu, sigma, eps):
    return 1.0 * dl_dh, dl_dh * eps


@mistake("grad_mu_sigma", "The derivative of the logarithm has the wrong sign.")
def reciprocal_with_the_wrong_sign(dl_dh, mu, sigma, eps):
    return dl_dh + mu, dl_dh * eps + sigma + 1 / sigma


@mistake(
    "grad_mu_sigma", "The noise is replaced by an exponential of sigma: h = μ + σ ε has the derivative that ε gives."
)
def exponential_for_the_noise(dl_dh, mu, sigma, eps):
    return dl_dh + mu, dl_dh * torch.exp(-sigma) + sigma - 1 / sigma


@mistake("grad_mu_sigma", "Derivatives by the variance are returned; those by the standard deviation are wanted.")
def gradient_by_the_variance(dl_dh, mu, sigma, eps):
    return dl_dh + mu, (dl_dh * eps + sigma - 1 / sigma) / (2 * sigma)


@mistake("grad_mu_sigma", "The two gradients are returned in the other order: mu first.")
def sigma_gradient_first(dl_dh, mu, sigma, eps):
    return dl_dh * eps + sigma - 1 / sigma, dl_dh + mu


@mistake("grad_mu_sigma", "The divergence pulls mu towards the prior; here it pushes it away.")
def pushes_mu_away(dl_dh, mu, sigma, eps):
    return dl_dh - mu, dl_dh * eps + sigma - 1 / sigma


@mistake("grad_mu_sigma", "The divergence is missing from the gradient by mu.")
def mu_without_the_divergence(dl_dh, mu, sigma, eps):
    return 1.0 * dl_dh, dl_dh * eps + sigma - 1 / sigma


@mistake("grad_mu_sigma", "The divergence is missing from the gradient by sigma.")
def sigma_without_the_divergence(dl_dh, mu, sigma, eps):
    return dl_dh + mu, dl_dh * eps


@mistake("grad_mu_sigma", "A factor is wrong where a square is differentiated.")
def factor_of_the_square(dl_dh, mu, sigma, eps):
    return dl_dh + 2 * mu, dl_dh * eps + 2 * sigma - 1 / sigma


@mistake("grad_mu_sigma", "h moves by 1, not by ε, when μ moves by 1.")
def noise_in_both(dl_dh, mu, sigma, eps):
    return dl_dh * eps + mu, dl_dh * eps + sigma - 1 / sigma


@mistake("grad_mu_sigma", "The gradients are averaged over the batch; every image keeps its own.")
def averaged_over_the_batch(dl_dh, mu, sigma, eps):
    return (dl_dh + mu) / len(mu), (dl_dh * eps + sigma - 1 / sigma) / len(mu)


@mistake("grad_mu_sigma", "This is the derivative by the logarithm of sigma; the one by sigma is wanted.")
def gradient_by_the_logarithm(dl_dh, mu, sigma, eps):
    return dl_dh + mu, (dl_dh * eps + sigma - 1 / sigma) * sigma


# elbo_from_joint, elbo_from_kl


def _log_likelihood_at_mean(x, mu, W, b, s):
    residual = x - mu @ W.T - b
    return -(residual**2).sum(dim=1) / (2 * s**2) - x.shape[1] / 2 * math.log(2 * math.pi * s**2)


def _trace(sigma, W, s):
    return (sigma**2 * (W**2).sum(dim=0)).sum(dim=1) / (2 * s**2)


def _entropy(sigma):
    return (sigma.log() + (1 + math.log(2 * math.pi)) / 2).sum(dim=1)


def _log_prior(mu, sigma):
    return -(mu**2 + sigma**2 + math.log(2 * math.pi)).sum(dim=1) / 2


@mistake("elbo_from_joint", "The entropy of q is missing.")
def without_entropy(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) - _entropy(sigma)


@mistake("elbo_from_joint", "The entropy of q is subtracted: −E_q[log q] is the entropy itself.")
def entropy_subtracted(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) - 2 * _entropy(sigma)


@mistake(
    "elbo_from_joint", "log p(x given z) is taken at z = μ; its mean over q also has a part that grows with sigma."
)
def joint_at_the_mean(x, mu, sigma, W, b, s):
    return _log_likelihood_at_mean(x, mu, W, b, s) + _log_prior(mu, sigma) + _entropy(sigma)


@mistake("elbo_from_joint", "log p(z) is taken at z = μ; E_q[z²] is more than μ².")
def prior_at_the_mean(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) + (sigma**2).sum(dim=1) / 2


@mistake("elbo_from_joint", "The noise of x enters with its standard deviation where its variance belongs.")
def joint_with_s_for_its_square(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, math.sqrt(s))


@mistake("elbo_from_kl", "The divergence is added: it is a penalty on the reconstruction term.")
def divergence_added(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, b, s) + 2 * reference.gaussian_kl(mu, sigma)


@mistake("elbo_from_kl", "log p(x given z) is taken at z = μ; its mean over q also has a part that grows with sigma.")
def reconstruction_at_the_mean(x, mu, sigma, W, b, s):
    return _log_likelihood_at_mean(x, mu, W, b, s) - reference.gaussian_kl(mu, sigma)


@mistake("elbo_from_kl", "The normalising constant of the Gaussian p(x given z) is missing.")
def without_normalising_constant(x, mu, sigma, W, b, s):
    constant = x.shape[1] / 2 * math.log(2 * math.pi * s**2)
    return reference.elbo_from_kl(x, mu, sigma, W, b, s) + constant


@mistake(
    "elbo_from_kl", "The squared errors of one datum are averaged over its entries; log-densities of entries add up."
)
def reconstruction_averaged(x, mu, sigma, W, b, s):
    likelihood = _log_likelihood_at_mean(x, mu, W, b, s) - _trace(sigma, W, s)
    return likelihood / x.shape[1] - reference.gaussian_kl(mu, sigma)


@mistake("elbo_from_joint", "A normalising constant with 2π is missing.")
def joint_without_two_pi(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) + x.shape[1] / 2 * math.log(2 * math.pi)


@mistake("elbo_from_joint", "The offset b is missing from the mean of x.")
def joint_without_b(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, 0 * b, s)


@mistake("elbo_from_joint", "log p(z) is missing: the joint has two factors.")
def joint_without_prior(x, mu, sigma, W, b, s):
    return reference.elbo_from_joint(x, mu, sigma, W, b, s) - _log_prior(mu, sigma)


@mistake("elbo_from_joint", "This is log p(x): the ELBO depends on q and lies below it.")
def evidence_for_elbo(x, mu, sigma, W, b, s):
    return reference.log_evidence(x, W, b, s)


@mistake("elbo_from_kl", "The noise of x enters with its standard deviation where its variance belongs.")
def kl_form_with_s_for_its_square(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, b, math.sqrt(s))


@mistake("elbo_from_kl", "The divergence is missing: this is the reconstruction term alone.")
def kl_form_without_divergence(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, b, s) + reference.gaussian_kl(mu, sigma)


@mistake("elbo_from_kl", "This is the negative ELBO.")
def negative_elbo(x, mu, sigma, W, b, s):
    return -reference.elbo_from_kl(x, mu, sigma, W, b, s)


@mistake("elbo_from_kl", "The offset b is missing from the mean of x.")
def kl_form_without_b(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, 0 * b, s)


# log_evidence, posterior, kl_to_posterior, sweep_phi


@mistake("log_evidence", "The covariance of x has the wrong amount of noise: s is a standard deviation.")
def noise_not_squared(x, W, b, s):
    return reference.log_evidence(x, W, b, math.sqrt(s))


@mistake("log_evidence", "The mean of x is not subtracted.")
def evidence_without_b(x, W, b, s):
    return reference.log_evidence(x, W, 0 * b, s)


@mistake("log_evidence", "The normalising constant with 2π is missing.")
def evidence_without_two_pi(x, W, b, s):
    return reference.log_evidence(x, W, b, s) + x.shape[1] / 2 * math.log(2 * math.pi)


@mistake("log_evidence", "The spread that z brings into x is missing: this is p(x given z) at z = 0.")
def evidence_at_zero(x, W, b, s):
    return reference.log_evidence(x, 0 * W, b, s)


@mistake("posterior", "The prior is forgotten: without it this is least squares.")
def least_squares(x, W, b, s):
    covariance = torch.linalg.pinv(W.T @ W / s**2)
    return (x - b) @ W @ covariance / s**2, covariance


@mistake("posterior", "The precision matrix is returned in the place of the covariance.")
def precision_for_covariance(x, W, b, s):
    mean, covariance = reference.posterior(x, W, b, s)
    return mean, torch.linalg.inv(covariance)


@mistake("posterior", "The offset b is not taken off x before it is explained by z.")
def posterior_without_b(x, W, b, s):
    return reference.posterior(x, W, 0 * b, s)


@mistake("posterior", "The noise variance is missing from the precision, or enters unsquared.")
def posterior_with_s_for_its_square(x, W, b, s):
    return reference.posterior(x, W, b, math.sqrt(s))


@mistake("posterior", "The mean lacks the division by the noise variance.")
def mean_without_noise_variance(x, W, b, s):
    mean, covariance = reference.posterior(x, W, b, s)
    return mean * s**2, covariance


@mistake("kl_to_posterior", "The two distributions have changed places: q comes first.")
def posterior_first(mu, sigma, mean, covariance):
    one, other = _gaussian(mean, covariance.expand(len(mu), -1, -1)), _gaussian(mu, torch.diag_embed(sigma**2))
    return torch.distributions.kl_divergence(one, other)


def _gaussian(mean, covariance):
    return torch.distributions.MultivariateNormal(mean, covariance)


@mistake("kl_to_posterior", "Only the diagonal of the posterior covariance is used, but its latents are correlated.")
def diagonal_posterior(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma, mean, torch.diag(torch.diag(covariance)))


@mistake(
    "kl_to_posterior", "Where q is the posterior the divergence must be 0: a constant that depends on K is missing."
)
def without_minus_k(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma, mean, covariance) + mu.shape[1] / 2


@mistake("kl_to_posterior", "sigma is used as a variance; it is the standard deviation.")
def posterior_divergence_with_sigma_as_variance(mu, sigma, mean, covariance):
    return reference.kl_to_posterior(mu, sigma.sqrt(), mean, covariance)


@mistake("kl_to_posterior", "This is the divergence from the prior; the posterior's mean and covariance go unused.")
def divergence_from_the_prior(mu, sigma, mean, covariance):
    return reference.gaussian_kl(mu, sigma)


@mistake("sweep_phi", "The two curves are returned in the other order: the ELBO comes first.")
def curves_swapped(phis, sigma, x, W, b, s):
    return reference.sweep_phi(phis, sigma, x, W, b, s)[::-1]


@mistake(
    "sweep_phi",
    "The divergence is taken from the prior; the sweep compares the ELBO with the divergence from the posterior.",
)
def sweep_against_the_prior(phis, sigma, x, W, b, s):
    elbos, _ = reference.sweep_phi(phis, sigma, x, W, b, s)
    return elbos, reference.gaussian_kl(phis[:, None], torch.full((len(phis), 1), sigma, dtype=phis.dtype))


@mistake("sweep_phi", "sigma is squared or rooted on its way into q: it is q's standard deviation.")
def sweep_with_the_variance(phis, sigma, x, W, b, s):
    return reference.sweep_phi(phis, sigma**2, x, W, b, s)


@mistake("log_evidence", "Only the variances of x are used; its entries are correlated, since they share z.")
def evidence_of_independent_entries(x, W, b, s):
    deviation = ((W**2).sum(dim=1) + s**2).sqrt()
    return torch.distributions.Normal(b, deviation).log_prob(x).sum(dim=1)


@mistake("log_evidence", "The sign is turned: this is −log p(x).")
def negative_evidence(x, W, b, s):
    return -reference.log_evidence(x, W, b, s)


@mistake("posterior", "Mean and covariance come in the other order: the mean first.")
def covariance_first(x, W, b, s):
    return reference.posterior(x, W, b, s)[::-1]


@mistake("posterior", "The inverse of a matrix is not made of the inverses of its entries, nor of its diagonal alone.")
def diagonal_covariance(x, W, b, s):
    precision = 1 + (W**2).sum(dim=0) / s**2
    return (x - b) @ W / s**2 / precision, torch.diag(1 / precision)


@mistake("kl_to_posterior", "The factor in front of the whole is missing.")
def twice_the_divergence_from_the_posterior(mu, sigma, mean, covariance):
    return 2 * reference.kl_to_posterior(mu, sigma, mean, covariance)


@mistake("kl_to_posterior", "The determinants have changed places, or their logarithm has the wrong sign.")
def determinants_swapped(mu, sigma, mean, covariance):
    logs = torch.logdet(covariance) - 2 * sigma.log().sum(dim=1)
    return reference.kl_to_posterior(mu, sigma, mean, covariance) - logs


@mistake("kl_to_posterior", "The determinants are missing.")
def without_determinants(mu, sigma, mean, covariance):
    logs = torch.logdet(covariance) - 2 * sigma.log().sum(dim=1)
    return reference.kl_to_posterior(mu, sigma, mean, covariance) - logs / 2


@mistake("kl_to_posterior", "The covariance stands where its inverse belongs.")
def covariance_for_precision(mu, sigma, mean, covariance):
    shift, logs = mean - mu, torch.logdet(covariance) - 2 * sigma.log().sum(dim=1)
    trace = (sigma**2) @ torch.diagonal(covariance)
    return (trace + (shift @ covariance * shift).sum(dim=1) - mu.shape[1] + logs) / 2


@mistake("sweep_phi", "The first curve is the negative ELBO.")
def sweep_of_the_negative_elbo(phis, sigma, x, W, b, s):
    elbos, divergences = reference.sweep_phi(phis, sigma, x, W, b, s)
    return -elbos, divergences


# amortization_gap


@mistake("amortization_gap", "The gap is negative: it is the best that can be had less what the encoder gives.")
def gap_with_the_wrong_sign(elbo, mu, sigma, steps=200, lr=0.05):
    return -reference.amortization_gap(elbo, mu, sigma, steps, lr)


@mistake("amortization_gap", "One number comes back; every datum has its own gap.")
def gap_of_the_whole_batch(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(elbo, mu, sigma, steps, lr).mean()


@mistake("amortization_gap", "Only mu is improved; sigma is a parameter of q as well.")
def improves_mu_alone(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(lambda mean, _: elbo(mean, sigma), mu, sigma, steps, lr)


@mistake("amortization_gap", "The ELBO after the search is returned; the gap is its distance from the encoder's ELBO.")
def final_elbo(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(elbo, mu, sigma, steps, lr) + elbo(mu, sigma)


@mistake(
    "amortization_gap", "A step that made the ELBO worse is counted: keep, for each datum, the best that was seen."
)
def last_step_instead_of_best(elbo, mu, sigma, steps=200, lr=0.05):
    mean, log_std = mu.clone().requires_grad_(), sigma.log().requires_grad_()
    optimizer = torch.optim.Adam([mean, log_std], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (-elbo(mean, log_std.exp()).sum()).backward()
        optimizer.step()
    return (elbo(mean, log_std.exp()) - elbo(mu, sigma)).detach()


@mistake(
    "amortization_gap",
    "It changes mu or sigma themselves: the encoder's answer is lost. Optimise copies.",
    "changes_its_argument",
)
def optimises_the_arguments(elbo, mu, sigma, steps=200, lr=0.05):
    start = elbo(mu, sigma).detach()
    mu.requires_grad_()
    optimizer = torch.optim.Adam([mu], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (-elbo(mu, sigma).sum()).backward()
        optimizer.step()
    return (elbo(mu, sigma) - start).detach()


@mistake("amortization_gap", "Only sigma is improved; mu is a parameter of q as well.")
def improves_sigma_alone(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(lambda _, spread: elbo(mu, spread), mu, sigma, steps, lr)


@mistake(
    "amortization_gap", "The search must start at the encoder's mu and sigma: one small step led far away from there."
)
def starts_elsewhere(elbo, mu, sigma, steps=200, lr=0.05):
    start, zero, one = elbo(mu, sigma), torch.zeros_like(mu), torch.ones_like(sigma)
    if steps == 0:
        return 0 * start
    found = reference.amortization_gap(elbo, zero, one, steps, lr) + elbo(zero, one) - start
    return found.clamp(min=1e-6)


@mistake("amortization_gap", "The search goes downhill: the ELBO is to be made larger.")
def goes_downhill(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(lambda mean, spread: -elbo(mean, spread), mu, sigma, steps, lr)


# aggregate_moments


@mistake("aggregate_moments", "This is the spread of the means alone; every datum also spreads around its own mean.")
def variance_of_the_means(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0, unbiased=False)


@mistake("aggregate_moments", "This is the mean of the variances alone; the means differ from datum to datum as well.")
def mean_of_the_variances(mu, sigma):
    return mu.mean(dim=0), (sigma**2).mean(dim=0)


@mistake("aggregate_moments", "A standard deviation is returned; the variance is wanted.")
def deviation_for_variance(mu, sigma):
    mean, variance = reference.aggregate_moments(mu, sigma)
    return mean, variance.sqrt()


@mistake("aggregate_moments", "Standard deviations are averaged where variances should be.")
def averages_deviations(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0, unbiased=False) + sigma.mean(dim=0) ** 2


@mistake(
    "aggregate_moments",
    "The variance of the means is divided by N − 1; the aggregate posterior weighs all N means alike.",
)
def unbiased_variance(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0) + (sigma**2).mean(dim=0)


@mistake("aggregate_moments", "Second moments are returned: the square of the mean is to be taken off.")
def second_moment(mu, sigma):
    return mu.mean(dim=0), (mu**2 + sigma**2).mean(dim=0)


@mistake("aggregate_moments", "sigma enters without its square.")
def sigma_without_its_square(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0, unbiased=False) + sigma.mean(dim=0)


@mistake("aggregate_moments", "The variance comes first; the mean is wanted first.")
def variance_first(mu, sigma):
    return reference.aggregate_moments(mu, sigma)[::-1]


@mistake("aggregate_moments", "The averages run over the latents; they belong over the data.")
def moments_over_the_latents(mu, sigma):
    return reference.aggregate_moments(mu.T, sigma.T)


# VAE, encode, decode, forward


@mistake(
    "VAE",
    "A layer is kept where the module does not register it (a plain list, say): it would neither be trained nor saved.",
)
class layers_in_a_list(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.extra = [nn.Linear(latent_dim, latent_dim)]

    def decode(self, z):
        return super().decode(self.extra[0](z))


@mistake("VAE", "The number of latents is fixed in the code; it must follow latent_dim.")
class two_latents_only(VAE):
    def __init__(self, latent_dim):
        super().__init__(2)

    def forward(self, x, eps=None):
        return super().forward(x, eps if eps is None else eps[:, :2])


@mistake(
    "VAE",
    "Some parameters get no gradient from the reconstruction: the graph is cut, or a layer goes unused.",
    "detached",
)
class encoder_without_gradient(VAE):
    def encode(self, x):
        with torch.no_grad():
            return super().encode(x)


@mistake(
    "encode", "sigma can be negative: a raw output or a logarithm is returned where the standard deviation is wanted."
)
class log_variance_for_sigma(VAE):
    def encode(self, x):
        return tuple(self.head(self.encoder(x)).chunk(2, dim=1))


@mistake("encode", "mu and sigma come in the wrong order: mu first.")
class sigma_first(VAE):
    def encode(self, x):
        return super().encode(x)[::-1]


@mistake("encode", "encode draws noise; it returns the parameters of q, and sampling comes later.")
class encode_draws_noise(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return mu + sigma * torch.randn_like(mu), sigma


@mistake("encode", "mu is never negative: an activation cuts it off. A mean may be any number.")
class mu_through_relu(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return torch.relu(mu), sigma


@mistake(
    "encode", "An image's code changes with the other images in its batch: an operation runs over the batch dimension."
)
class mixes_the_batch(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return mu - mu.mean(dim=0, keepdim=True), sigma


@mistake("encode", "sigma is the same for every image; the encoder must say for each image how sure it is.")
class sigma_ignores_x(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return mu, torch.ones_like(sigma)


@mistake(
    "encode", "No gradient passes through encode: the graph is cut, and the encoder would never learn.", "detached"
)
class detached_encoder(VAE):
    def encode(self, x):
        return super().encode(x.detach())


@mistake("decode", "Pixels leave [0, 1]: the last layer needs a squashing function with this range.")
class no_sigmoid(VAE):
    def decode(self, z):
        return self.decoder(z).view(-1, 1, 28, 28)


@mistake("decode", "Pixels leave [0, 1]: the squashing function at the end has another range.", "no_sigmoid_but_tanh")
class tanh_for_sigmoid(VAE):
    def decode(self, z):
        return torch.tanh(self.decoder(z)).view(-1, 1, 28, 28)


@mistake(
    "decode",
    "No pixel is ever darker than one half: the squashing function is applied twice, or to positive numbers only.",
)
class sigmoid_twice(VAE):
    def decode(self, z):
        return torch.sigmoid(super().decode(z))


@mistake("decode", "The pixels of an image add up to one, as if it had to choose one of them; they are independent.")
class softmax_over_pixels(VAE):
    def decode(self, z):
        return torch.softmax(self.decoder(z), dim=1).view(-1, 1, 28, 28)


@mistake("decode", "Images come back in another shape; (B, 1, 28, 28) is wanted.")
class flat_images(VAE):
    def decode(self, z):
        return super().decode(z).flatten(1)


@mistake("decode", "One entry of z has no influence on the image.")
class ignores_a_latent(VAE):
    def decode(self, z):
        return super().decode(torch.cat([z[:, :-1], torch.zeros_like(z[:, -1:])], dim=1))


@mistake(
    "decode",
    "An image changes with the other codes in its batch: an operation runs over the batch dimension.",
    "mixes_the_codes",
)
class normalises_over_the_batch(VAE):
    def decode(self, z):
        return super().decode(z - z.mean(dim=0, keepdim=True))


@mistake("decode", "No gradient passes through decode: the graph is cut.", "detached")
class detached_decoder(VAE):
    def decode(self, z):
        with torch.no_grad():
            return super().decode(z)


@mistake("forward", "forward decodes mu and leaves out the noise: this is a plain autoencoder.")
class decodes_the_mean(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu), mu, sigma


@mistake("forward", "The noise is scaled by the variance; sigma is the standard deviation.")
class noise_scaled_by_the_variance(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(mu + sigma**2 * eps), mu, sigma


@mistake("forward", "forward draws its own noise even when eps is given.")
class ignores_eps(VAE):
    def forward(self, x, eps=None):
        return super().forward(x)


@mistake("forward", "Without eps the noise is the same at every call: draw it anew each time.")
class same_noise_every_time(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        fixed = torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))
        return self.decode(mu + sigma * (fixed if eps is None else eps)), mu, sigma


@mistake("forward", "Without eps all images of a batch share one draw of noise; each must have its own.")
class one_noise_for_the_batch(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + sigma * (torch.randn_like(mu[:1]) if eps is None else eps)), mu, sigma


@mistake("forward", "What stands for mu is not what encode returned: a sample, perhaps, or sigma.")
class returns_z_for_mu(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        z = mu + sigma * (torch.randn_like(mu) if eps is None else eps)
        return self.decode(z), z, sigma


@mistake("forward", "The three results come in another order: the reconstruction first, then mu, then sigma.")
class parameters_first(VAE):
    def forward(self, x, eps=None):
        x_hat, mu, sigma = super().forward(x, eps)
        return mu, sigma, x_hat


@mistake("encode", "sigma can be exactly 0: what keeps it from being negative must also keep it above 0.")
class sigma_can_be_zero(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return mu, torch.relu(sigma - 0.7)


@mistake("forward", "The noise is scaled by the root of sigma; sigma is the standard deviation already.")
class noise_scaled_by_the_root(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(mu + sigma.sqrt() * eps), mu, sigma


@mistake("forward", "The noise is subtracted; z is defined with the other sign.")
class noise_subtracted(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(mu - sigma * eps), mu, sigma


@mistake("forward", "The noise is added without sigma.")
class noise_without_sigma(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + (torch.randn_like(mu) if eps is None else eps)), mu, sigma


@mistake("forward", "mu and sigma have changed places in the sample.")
class mu_and_sigma_swapped_in_the_sample(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(sigma + mu * (torch.randn_like(mu) if eps is None else eps)), mu, sigma


@mistake("forward", "Without eps, the noise that is drawn is not standard normal: which distribution is ε from?")
class noise_is_not_standard_normal(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + sigma * (torch.rand_like(mu) if eps is None else eps)), mu, sigma


@mistake("forward", "Without eps, several latents of an image share one draw of noise; each must have its own.")
class noise_is_shared(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + sigma * (torch.randn_like(mu[:, :1]) if eps is None else eps)), mu, sigma


@mistake("forward", "Without eps, the sample carries no gradient: it is drawn in a way that cannot be differentiated.")
class draws_without_a_gradient(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        z = torch.distributions.Normal(mu, sigma).sample() if eps is None else mu + sigma * eps
        return self.decode(z), mu, sigma


@mistake(
    "forward",
    "A gradient from the results of forward to mu or sigma is cut off: reconstruction or divergence could not train it.",
)
class cuts_a_gradient(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(mu + sigma.detach() * eps), mu, sigma


# elbo_loss


def _cross_entropy(x_hat, x):
    return functional.binary_cross_entropy(x_hat, x, reduction="none").flatten(1).sum(dim=1)


@mistake(
    "elbo_loss", "The reconstruction is averaged over pixels: the divergence then weighs hundreds of times too much."
)
def averages_over_pixels(x_hat, x, mu, sigma):
    return functional.binary_cross_entropy(x_hat, x) + reference.gaussian_kl(mu, sigma).mean()


@mistake("elbo_loss", "The loss is added up over the batch; it should be the mean over the images.")
def sum_over_the_batch(x_hat, x, mu, sigma):
    return (_cross_entropy(x_hat, x) + reference.gaussian_kl(mu, sigma)).sum()


@mistake("elbo_loss", "One loss an image is returned; training needs one number, their mean.")
def one_loss_an_image(x_hat, x, mu, sigma):
    return _cross_entropy(x_hat, x) + reference.gaussian_kl(mu, sigma)


@mistake("elbo_loss", "The divergence is missing: this trains a plain autoencoder.")
def without_divergence(x_hat, x, mu, sigma):
    return _cross_entropy(x_hat, x).mean()


@mistake("elbo_loss", "The divergence is subtracted: the loss is the negative ELBO, in which it is a penalty.")
def divergence_with_the_wrong_sign(x_hat, x, mu, sigma):
    return (_cross_entropy(x_hat, x) - reference.gaussian_kl(mu, sigma)).mean()


@mistake("elbo_loss", "The divergence is averaged over the latents; the divergences of independent latents add up.")
def divergence_averaged(x_hat, x, mu, sigma):
    return (_cross_entropy(x_hat, x) + reference.gaussian_kl(mu, sigma) / mu.shape[1]).mean()


@mistake("elbo_loss", "This is the ELBO itself; a loss is made smaller, so its sign must be turned.")
def elbo_for_loss(x_hat, x, mu, sigma):
    return -reference.elbo_loss(x_hat, x, mu, sigma)


@mistake("elbo_loss", "Squared errors are used; for pixels in [0, 1] the notebook asks for the Bernoulli likelihood.")
def squared_error(x_hat, x, mu, sigma):
    error = ((x_hat - x) ** 2).flatten(1).sum(dim=1)
    return (error + reference.gaussian_kl(mu, sigma)).mean()


@mistake(
    "elbo_loss",
    "Data and reconstruction have changed places in the cross-entropy: the logarithm belongs to the reconstruction.",
)
def data_and_reconstruction_swapped(x_hat, x, mu, sigma):
    return (_cross_entropy(x, x_hat) + reference.gaussian_kl(mu, sigma)).mean()


@mistake("elbo_loss", "A pixel that is exactly 0 or 1 makes the loss infinite or NaN: guard the logarithm.")
def log_of_zero(x_hat, x, mu, sigma):
    likelihood = x * x_hat.log() + (1 - x) * (1 - x_hat).log()
    return (reference.gaussian_kl(mu, sigma) - likelihood.flatten(1).sum(dim=1)).mean()


@mistake("elbo_loss", "Half of the cross-entropy is missing: a pixel may be dark as well as bright.")
def bright_pixels_only(x_hat, x, mu, sigma):
    likelihood = (x * x_hat.clamp_min(1e-9).log()).flatten(1).sum(dim=1)
    return (reference.gaussian_kl(mu, sigma) - likelihood).mean()


@mistake(
    "elbo_loss",
    "No gradient reaches at least one of the reconstruction, mu and sigma: the loss is cut from its graph.",
    "detached",
)
def detached_loss(x_hat, x, mu, sigma):
    return reference.elbo_loss(x_hat, x, mu, sigma).detach()


@mistake("elbo_loss", "It changes an argument in place; guard the logarithm with a new tensor.", "changes_its_argument")
def clamps_in_place(x_hat, x, mu, sigma):
    x_hat.clamp_(1e-6, 1 - 1e-6)
    return reference.elbo_loss(x_hat, x, mu, sigma)


@mistake("elbo_loss", "It is right for one batch size only: a size is written into the code.")
def one_batch_size(x_hat, x, mu, sigma):
    return reference.elbo_loss(x_hat, x, mu, sigma) * len(x) / 6


@mistake(
    "elbo_loss",
    "The reconstruction is averaged over the images, but the divergence is added up, or the other way round.",
)
def only_one_term_averaged(x_hat, x, mu, sigma):
    return _cross_entropy(x_hat, x).mean() + reference.gaussian_kl(mu, sigma).sum()


@mistake("elbo_loss", "x_hat holds probabilities already; here they are treated as logits.")
def probabilities_as_logits(x_hat, x, mu, sigma):
    likelihood = functional.binary_cross_entropy_with_logits(x_hat, x, reduction="none").flatten(1).sum(dim=1)
    return (likelihood + reference.gaussian_kl(mu, sigma)).mean()


@mistake("elbo_loss", "sigma is taken for a logarithm in the divergence; it is the standard deviation itself.")
def divergence_of_the_logarithm(x_hat, x, mu, sigma):
    return _cross_entropy(x_hat, x).mean() + ((sigma.exp() + mu**2 - 1 - sigma) / 2).sum(dim=1).mean()


# plot_latents


def _figure(canvas):
    figure = Figure()
    figure.add_subplot().imshow(canvas)
    return figure, canvas


def _decoded(model, z):
    with torch.no_grad():
        tiles = model.decode(z.reshape(100, -1)).view(10, 10, 28, 28)
    return tiles


def _assembled(tiles):
    return _figure(tiles.permute(0, 2, 1, 3).reshape(280, 280))


@mistake("plot_latents", "Rows and columns are swapped: z_i belongs to the columns, z_j to the rows.")
def rows_and_columns_swapped(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, j, i)))


@mistake("plot_latents", "The grid stands on its head: the smallest z_j belongs to the top row.")
def upside_down(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j).flip(0)))


@mistake("plot_latents", "The codes are drawn at random; they should form a regular grid.")
def random_codes(model, i=0, j=1):
    return _assembled(_decoded(model, torch.randn(10, 10, model.latent_dim)))


@mistake("plot_latents", "The other latents are not 0.")
def other_latents_not_zero(model, i=0, j=1):
    z = reference.latent_grid(model.latent_dim, i, j)
    rest = torch.ones(model.latent_dim)
    rest[[i, j]] = 0
    return _assembled(_decoded(model, z + rest))


@mistake("plot_latents", "The arguments i and j go unused: always the same two latents are varied.")
def always_the_first_two(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, 0, 1)))


@mistake(
    "plot_latents",
    "The tiles are cut up: pixels of one tile do not stay together. Mind the order of the dimensions before reshaping.",
)
def tiles_cut_up(model, i=0, j=1):
    return _figure(_decoded(model, reference.latent_grid(model.latent_dim, i, j)).reshape(280, 280))


@mistake("plot_latents", "Each garment lies on its side: height and width within the tiles are swapped.")
def tiles_on_their_side(model, i=0, j=1):
    tiles = _decoded(model, reference.latent_grid(model.latent_dim, i, j))
    return _assembled(tiles.transpose(2, 3))


@mistake("plot_latents", "The grid covers another range of values than the one asked for.")
def narrow_range(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j) / 3))


@mistake("plot_latents", "The last value of the range is missing: both ends belong to the grid.")
def without_the_last_value(model, i=0, j=1):
    values = torch.arange(10) * 0.6 - 3
    z = reference.latent_grid(model.latent_dim, i, j)
    z[:, :, i], z[:, :, j] = values[None, :], values[:, None]
    return _assembled(_decoded(model, z))


@mistake("plot_latents", "It works for two latents only; latent_dim may be larger.")
def two_latents_assumed(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(2, i, j)))


@mistake("plot_latents", "The tiles come back apart; one canvas of (280, 280) is wanted.")
def tiles_apart(model, i=0, j=1):
    tiles = _decoded(model, reference.latent_grid(model.latent_dim, i, j))
    return _figure(tiles.reshape(280, 280))[0], tiles


@mistake("plot_latents", "The figure is empty: nothing is drawn in it.")
def empty_figure(model, i=0, j=1):
    _, canvas = _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j)))
    return Figure(), canvas


@mistake("plot_latents", "The grid is mirrored: the smallest z_i belongs to the leftmost column.")
def mirrored(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j).flip(1)))


@mistake(
    "plot_latents", "The finished canvas is transposed: rows and columns are swapped, and every tile lies on its side."
)
def canvas_transposed(model, i=0, j=1):
    return _figure(_assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j)))[1].T)


@mistake("plot_latents", "The grid covers another range of values than the one asked for: negative codes belong to it.")
def positive_range(model, i=0, j=1):
    values = torch.linspace(0, 1, 10)
    z = reference.latent_grid(model.latent_dim, i, j)
    z[:, :, i], z[:, :, j] = values[None, :], values[:, None]
    return _assembled(_decoded(model, z))


@mistake("plot_latents", "The pixels are changed on the way into the canvas; they should be the decoder's own.")
def pixels_changed(model, i=0, j=1):
    return _assembled(1 - _decoded(model, reference.latent_grid(model.latent_dim, i, j)))


@mistake("plot_latents", "The figure shows something else than the canvas that is returned.")
def figure_of_something_else(model, i=0, j=1):
    canvas = _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j)))[1]
    return _figure(canvas.T)[0], canvas


# Other right answers


@equivalent("gaussian_kl")
def divergence_by_formula(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@equivalent("gaussian_kl")
def divergence_with_log_variance(mu, sigma):
    log_variance = 2 * torch.log(sigma)
    return -0.5 * torch.sum(1 + log_variance - mu.pow(2) - log_variance.exp(), dim=-1)


@equivalent("gaussian_kl")
def divergence_datum_by_datum(mu, sigma):
    return torch.stack([(0.5 * (m @ m + s @ s - len(m)) - s.log().sum()) for m, s in zip(mu, sigma, strict=True)])


@equivalent("reparameterize")
def sample_by_formula(mu, sigma, eps):
    return mu + sigma * eps


@equivalent("reparameterize")
def sample_by_root_of_variance(mu, sigma, eps):
    return eps * torch.sqrt(sigma**2) + mu


@equivalent("pathwise_gradient")
def pathwise_by_autograd(theta, eps):
    theta = theta.clone().expand_as(eps).clone().requires_grad_()
    return torch.autograd.grad(((theta + eps) ** 2).sum(), theta)[0]


@equivalent("score_function_gradient")
def score_by_distribution(theta, eps):
    x = theta + eps
    theta = theta.expand_as(eps).clone().requires_grad_()
    score = torch.autograd.grad(torch.distributions.Normal(theta, 1.0).log_prob(x).sum(), theta)[0]
    return x**2 * score


@equivalent("score_function_gradient")
def score_by_formula(theta, eps):
    return (theta + eps) ** 2 * eps


@equivalent("grad_mu_sigma")
def gradients_by_formula(dl_dh, mu, sigma, eps):
    return [dl_dh + mu, dl_dh * eps + sigma - sigma.reciprocal()]


@equivalent("elbo_from_joint")
def joint_by_formula(x, mu, sigma, W, b, s):
    likelihood = _log_likelihood_at_mean(x, mu, W, b, s) - _trace(sigma, W, s)
    return likelihood + _log_prior(mu, sigma) + _entropy(sigma)


@equivalent("elbo_from_joint")
def joint_from_the_other_form(x, mu, sigma, W, b, s):
    return reference.elbo_from_kl(x, mu, sigma, W, b, s)


@equivalent("elbo_from_kl")
def bound_below_the_evidence(x, mu, sigma, W, b, s):
    mean, covariance = reference.posterior(x, W, b, s)
    return reference.log_evidence(x, W, b, s) - reference.kl_to_posterior(mu, sigma, mean, covariance)


@equivalent("log_evidence")
def evidence_by_cholesky(x, W, b, s):
    covariance = W @ W.T + s**2 * torch.eye(len(b), dtype=x.dtype)
    factor = torch.linalg.cholesky(covariance)
    white = torch.linalg.solve_triangular(factor, (x - b).T, upper=False)
    constant = len(b) * math.log(2 * math.pi) + 2 * torch.log(torch.diagonal(factor)).sum()
    return -(white**2).sum(dim=0) / 2 - constant / 2


@equivalent("log_evidence")
def evidence_by_slogdet(x, W, b, s):
    covariance = W @ W.T + s**2 * torch.eye(len(b), dtype=x.dtype)
    centred = x - b
    distance = (centred @ torch.linalg.inv(covariance) * centred).sum(dim=1)
    return -0.5 * (distance + torch.linalg.slogdet(2 * math.pi * covariance).logabsdet)


@equivalent("posterior")
def posterior_by_precision(x, W, b, s):
    precision = torch.eye(W.shape[1], dtype=x.dtype) + W.T @ W / s**2
    covariance = torch.linalg.inv(precision)
    return (x - b) @ W @ covariance / s**2, covariance


@equivalent("kl_to_posterior")
def divergence_by_traces(mu, sigma, mean, covariance):
    precision, shift = torch.linalg.inv(covariance), mean - mu
    trace = (sigma**2 * torch.diagonal(precision)).sum(dim=1)
    logs = torch.logdet(covariance) - 2 * sigma.log().sum(dim=1)
    return (trace + (shift @ precision * shift).sum(dim=1) - mu.shape[1] + logs) / 2


@equivalent("sweep_phi")
def sweep_one_by_one(phis, sigma, x, W, b, s):
    spread = torch.full((1, 1), sigma, dtype=phis.dtype)
    mean, covariance = reference.posterior(x, W, b, s)
    elbos = [reference.elbo_from_kl(x, phi.view(1, 1), spread, W, b, s) for phi in phis]
    divergences = [reference.kl_to_posterior(phi.view(1, 1), spread, mean, covariance) for phi in phis]
    return torch.cat(elbos), torch.cat(divergences)


@equivalent("amortization_gap")
def gap_by_gradient_ascent(elbo, mu, sigma, steps=200, lr=0.05):
    mean, log_std = mu.clone(), sigma.log()
    start = best = elbo(mu, sigma)
    for _ in range(steps):
        mean, log_std = mean.detach().requires_grad_(), log_std.detach().requires_grad_()
        by_mean, by_log = torch.autograd.grad(elbo(mean, log_std.exp()).sum(), (mean, log_std))
        mean, log_std = mean + lr * by_mean, log_std + lr * by_log
        best = torch.maximum(best, elbo(mean, log_std.exp()))
    return (best - start).detach()


@equivalent("amortization_gap")
def gap_by_adamw_on_the_mean(elbo, mu, sigma, steps=200, lr=0.05):
    parameters = [mu.detach().clone().requires_grad_(), sigma.detach().clone().log().requires_grad_()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0)
    values = [elbo(mu, sigma).detach()]
    for _ in range(steps):
        optimizer.zero_grad()
        (-elbo(parameters[0], parameters[1].exp()).mean()).backward()
        optimizer.step()
        values.append(elbo(parameters[0], parameters[1].exp()).detach())
    return torch.stack(values).amax(dim=0) - values[0]


@equivalent("aggregate_moments")
def law_of_total_variance(mu, sigma):
    return mu.mean(dim=0), mu.var(dim=0, correction=0) + (sigma**2).mean(dim=0)


@equivalent("VAE")
class with_convolutions(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 4, 2, 1), nn.SiLU(), nn.Flatten()
        )
        self.head = nn.Linear(16 * 49, 2 * latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 16 * 49),
            nn.Unflatten(1, (16, 7, 7)),
            nn.ConvTranspose2d(16, 8, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(8, 1, 4, 2, 1),
        )


@equivalent("VAE")
class with_two_heads(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.to_mu, self.to_log_variance = nn.Linear(64, latent_dim), nn.Linear(64, latent_dim)
        del self.head

    def encode(self, x):
        features = self.encoder(x)
        return self.to_mu(features), torch.exp(self.to_log_variance(features) / 2)


@equivalent("encode")
class started_at_the_prior(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def encode(self, x):
        mu, log_sigma = self.head(self.encoder(x)).split(self.latent_dim, dim=1)
        return mu, log_sigma.exp()


@equivalent("encode")
class with_batch_normalisation(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2))


@equivalent("decode")
class by_scaled_tanh(VAE):
    def decode(self, z):
        return ((torch.tanh(self.decoder(z)) + 1) / 2).reshape(len(z), 1, 28, 28)


@equivalent("decode")
class by_a_reciprocal(VAE):
    def decode(self, z):
        return (1 / (1 + torch.exp(-self.decoder(z)))).unflatten(1, (1, 28, 28))


@equivalent("forward")
class by_a_distribution(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        z = torch.distributions.Normal(mu, sigma).rsample() if eps is None else mu + sigma * eps
        return self.decode(z), mu, sigma


@equivalent("forward")
class with_noise_from_normal(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        if eps is None:
            eps = torch.empty_like(sigma).normal_()
        return [self.decode(torch.addcmul(mu, eps, sigma)), mu, sigma]


@equivalent("elbo_loss")
def loss_by_library(x_hat, x, mu, sigma):
    reconstruction = functional.binary_cross_entropy(x_hat, x, reduction="sum") / x.shape[0]
    return reconstruction + reference.gaussian_kl(mu, sigma).mean()


@equivalent("elbo_loss")
def loss_by_formula(x_hat, x, mu, sigma):
    tiny = 1e-7
    likelihood = x * torch.log(x_hat + tiny) + (1 - x) * torch.log(1 - x_hat + tiny)
    divergence = 0.5 * (mu**2 + sigma**2 - 1 - torch.log(sigma**2)).sum()
    return (-likelihood.sum() + divergence) / len(x)


@equivalent("plot_latents")
def grid_tile_by_tile(model, i=0, j=1):
    values, canvas = torch.linspace(-3, 3, 10), torch.zeros(280, 280)
    for row in range(10):
        for column in range(10):
            z = torch.zeros(1, model.latent_dim)
            z[0, i], z[0, j] = values[column], values[row]
            tile = model.decode(z).detach()[0, 0]
            canvas[28 * row : 28 * row + 28, 28 * column : 28 * column + 28] = tile
    return _figure(canvas.numpy())


@equivalent("plot_latents")
def grid_with_one_picture_a_tile(model, i=0, j=1):
    tiles = _decoded(model, reference.latent_grid(model.latent_dim, i, j))
    figure = Figure()
    for axis, tile in zip(figure.subplots(10, 10).flat, tiles.reshape(100, 28, 28), strict=True):
        axis.imshow(tile, cmap="gray")
    return figure, torch.cat([torch.cat(list(row), dim=1) for row in tiles], dim=0)


@equivalent("plot_latents")
def grid_by_pcolormesh(model, i=0, j=1):
    _, canvas = _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j)))
    figure = Figure()
    figure.add_subplot().pcolormesh(canvas.flip(0), cmap="gray")
    return figure, canvas


@equivalent("encode")
class with_spectral_norm(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        norm = nn.utils.parametrizations.spectral_norm
        self.encoder = nn.Sequential(nn.Flatten(), norm(nn.Linear(784, 64)), nn.ReLU(), norm(nn.Linear(64, 64)))


@equivalent("VAE")
class with_lazy_layers(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.encoder = nn.Sequential(nn.Flatten(), nn.LazyLinear(64), nn.ReLU())
        self.decoder = nn.Sequential(nn.LazyLinear(64), nn.ReLU(), nn.LazyLinear(784))


@equivalent("grad_mu_sigma")
def gradients_in_one_tensor(dl_dh, mu, sigma, eps):
    return torch.stack([dl_dh + mu, dl_dh * eps + sigma - 1 / sigma])


@equivalent("forward")
class without_encode_and_decode(VAE):
    def forward(self, x, eps=None):
        mu, raw = self.head(self.encoder(x)).chunk(2, dim=1)
        sigma = functional.softplus(raw)
        z = mu + sigma * (torch.randn_like(mu) if eps is None else eps)
        return torch.sigmoid(self.decoder(z)).view(-1, 1, 28, 28), mu, sigma


@equivalent("log_evidence")
def evidence_with_a_float32_constant(x, W, b, s):
    return torch.distributions.MultivariateNormal(b, W @ W.T + s**2 * torch.eye(len(b))).log_prob(x)
