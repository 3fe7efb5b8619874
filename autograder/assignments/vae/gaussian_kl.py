"""KL(N(μ, diag σ²) ‖ N(0, I)) in closed form, one number for each image.

Σ_j [−log σ_j + (σ_j² + μ_j² − 1)/2] is compared in value, for a tiny σ too, and in its gradients. Usually the ½ or the
−1 is lost, σ is taken for a variance or for its logarithm, or the sum runs over the batch as well.
"""

import torch

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.gaussian_kl")
def gaussian_kl(student: Remote, draw: Draw) -> None:
    shapes = ((5, 3), torch.float32), ((5, 3), torch.float32), ((1, 4), torch.float32), ((7, 2), torch.float64)
    for shape, dtype in shapes:
        mu, sigma = draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        expect(student(mu, sigma)).close(reference.gaussian_kl(mu, sigma))
    mu, sigma, weight = draw.normal(4, 6), draw.positive(4, 6), draw.normal(4)
    leaves = [mu.clone().requires_grad_(), sigma.clone().requires_grad_()]
    wanted = torch.autograd.grad((weight * reference.gaussian_kl(*leaves)).sum(), leaves)
    common.expect_gradients(student.gradient(mu, sigma, wrt=[0, 1], weights=[weight]), wanted, ("mu", "sigma"))
    tiny = torch.full((2, 3), 1e-4)
    expect(student(tiny, tiny), "the result for a small sigma").close(reference.gaussian_kl(tiny, tiny))


@mistake("Only the latents are summed over; the batch must stay: one number for each image.")
def sums_over_the_batch(mu, sigma):
    return reference.gaussian_kl(mu, sigma).sum()


@mistake("The sum runs over the wrong dimension: add up latents, not images.")
def sums_over_the_wrong_dimension(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=0)


@mistake("The divergences of independent latents add up; here they are averaged.")
def averages_the_latents(mu, sigma):
    return reference.gaussian_kl(mu, sigma) / mu.shape[1]


@mistake("The term with squares has a factor that is missing here: derive the expectation of z² once more.")
def forgets_the_half(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2 - 1)).sum(dim=1)


@mistake("At mu = 0, sigma = 1 both distributions are equal, so the result must be 0 there; yours is not.")
def forgets_the_minus_one(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2) / 2).sum(dim=1)


@mistake("The logarithm has the wrong sign: the divergence must grow when sigma shrinks towards 0.")
def logarithm_with_the_wrong_sign(mu, sigma):
    return (sigma.log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@mistake("sigma is treated as a variance; it is the standard deviation.")
def variance_for_sigma(mu, sigma):
    return (-sigma.log() / 2 + (sigma + mu**2 - 1) / 2).sum(dim=1)


@mistake("sigma is treated as the logarithm of the variance; it is the standard deviation itself.")
def log_var_as_sigma(mu, sigma):
    return ((sigma.exp() + mu**2 - 1 - sigma) / 2).sum(dim=1)


@mistake("The logarithm counts twice: mind which power of sigma stands inside it and which factor before it.")
def logarithm_of_the_variance(mu, sigma):
    return (-2 * sigma.log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@mistake("sigma stands where its square belongs: E[(z − μ)²] is the variance.")
def sigma_not_squared(mu, sigma):
    return (-sigma.log() + (sigma + mu**2 - 1) / 2).sum(dim=1)


@mistake("mu enters without its square: the divergence must not depend on the sign of mu.")
def mu_not_squared(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu - 1) / 2).sum(dim=1)


@mistake("This is KL(p ‖ q). The divergence is not symmetric: q comes first.")
def reversed_divergence(mu, sigma):
    return (sigma.log() + (1 + mu**2) / (2 * sigma**2) - 0.5).sum(dim=1)


@mistake("This is minus the divergence: a divergence is never negative.")
def negative_divergence(mu, sigma):
    return -reference.gaussian_kl(mu, sigma)


@mistake("No gradient reaches mu or sigma: the graph is cut (detach, no_grad, item or numpy).")
def detached(mu, sigma):
    return reference.gaussian_kl(mu.detach(), sigma.detach())


@mistake("It changes an argument in place; the decoder still needs that tensor. Write x = x + …, not x += ….")
def changes_its_argument(mu, sigma):
    log = sigma.log()
    return (-log + (sigma.pow_(2) + mu**2 - 1) / 2).sum(dim=1)


@mistake("The numbers are rounded to single precision on the way: keep the dtype of the arguments.")
def float32_inside(mu, sigma):
    return reference.gaussian_kl(mu.float(), sigma.float())


@mistake("A small constant inside the logarithm shifts the result: sigma is positive as it is.")
def constant_inside_the_logarithm(mu, sigma):
    return (-(sigma + 1e-3).log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@mistake("Every value is twice what it should be: a factor in front of the whole is missing.")
def twice_the_divergence(mu, sigma):
    return 2 * reference.gaussian_kl(mu, sigma)


@mistake("The factor of the squares does not belong to the logarithm of sigma as well.")
def halves_the_logarithm_too(mu, sigma):
    return ((-sigma.log() + sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@mistake("The constant is counted once; it belongs to every latent.")
def constant_counted_once(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2) / 2).sum(dim=1) - 0.5


@mistake("All images get the same number: add up latents only, and let the images stay apart.")
def the_same_for_all_images(mu, sigma):
    return reference.gaussian_kl(mu, sigma).mean().expand(len(mu))


@equivalent
def divergence_by_formula(mu, sigma):
    return (-sigma.log() + (sigma**2 + mu**2 - 1) / 2).sum(dim=1)


@equivalent
def divergence_with_log_variance(mu, sigma):
    log_variance = 2 * torch.log(sigma)
    return -0.5 * torch.sum(1 + log_variance - mu.pow(2) - log_variance.exp(), dim=-1)


@equivalent
def divergence_datum_by_datum(mu, sigma):
    return torch.stack([(0.5 * (m @ m + s @ s - len(m)) - s.log().sum()) for m, s in zip(mu, sigma, strict=True)])
