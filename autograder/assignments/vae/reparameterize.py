"""The sample z = μ + σ ε, made of the noise that is given.

Values are compared for small and large σ, and the gradients must be 1 and ε. The commonest mistakes scale by σ² or √σ,
draw noise of their own, or cut the graph.
"""

import torch

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.reparameterize")
def reparameterize(student: Remote, draw: Draw) -> None:
    cases = ((5, 3), torch.float32), ((2, 4, 3), torch.float32), ((1, 6), torch.float64)
    for shape, dtype in draw.again(*cases):
        mu, sigma = draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        eps = draw.normal(*shape, dtype=dtype)
        expect(student(mu, sigma, eps)).close(reference.reparameterize(mu, sigma, eps))
    for spread in (1e-3, 20.0):
        mu, sigma, eps = draw.normal(3, 2), torch.full((3, 2), spread), draw.normal(3, 2)
        expect(student(mu, sigma, eps), "the sample for a very small or large sigma").close(mu + sigma * eps)
    eps, weight = draw.normal(4, 6), draw.normal(4, 6)
    found = student.gradient(draw.normal(4, 6), draw.positive(4, 6), eps, wrt=[0, 1], weights=[weight])
    common.expect_gradients(found, (weight, weight * eps), ("mu", "sigma"))


@mistake("The noise is scaled by the variance; eps must be scaled by the standard deviation.")
def scales_by_the_variance(mu, sigma, eps):
    return mu + sigma**2 * eps


@mistake("sigma is taken for a variance: its root scales the noise. It is the standard deviation already.")
def scales_by_the_root(mu, sigma, eps):
    return mu + sigma.sqrt() * eps


@mistake("sigma is taken for a logarithm; it is the standard deviation already.")
def scales_by_the_exponential(mu, sigma, eps):
    return mu + torch.exp(sigma / 2) * eps


@mistake("Fresh noise is drawn, and the eps that was given goes unused.")
def draws_its_own_noise(mu, sigma, eps):
    return mu + sigma * torch.randn_like(mu)


@mistake("The sample depends on one draw of eps for the whole batch; every image has noise of its own.")
def one_draw_for_the_batch(mu, sigma, eps):
    return mu + sigma * eps[:1]


@mistake("mu and sigma have changed places: which of them shifts, and which one scales?")
def shift_and_scale_swapped(mu, sigma, eps):
    return sigma + mu * eps


@mistake("The noise is subtracted. The distribution is the same, but g(ε, x) is defined with the other sign.")
def subtracts_the_noise(mu, sigma, eps):
    return mu - sigma * eps


@mistake("No gradient reaches mu or sigma: the sample is cut from the graph.")
def detached(mu, sigma, eps):
    return (mu + sigma * eps).detach()


@mistake("It changes an argument in place; the loss still needs that tensor.")
def changes_its_argument(mu, sigma, eps):
    return eps.mul_(sigma).add_(mu)


@mistake("sigma has no influence on the sample.")
def sigma_unused(mu, sigma, eps):
    return mu + eps


@mistake("The noise has no influence on the sample: this is its mean.")
def noise_unused(mu, sigma, eps):
    return 1.0 * mu


@equivalent
def sample_by_formula(mu, sigma, eps):
    return mu + sigma * eps


@equivalent
def sample_by_root_of_variance(mu, sigma, eps):
    return eps * torch.sqrt(sigma**2) + mu


HARMLESS = {
    "sigma * eps → sigma * eps.detach()": "Gradients reach mu and sigma; none is asked for of the noise.",
}
