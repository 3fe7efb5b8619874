"""∂ℓ/∂μ = ∂ℓ_recon/∂h + μ and ∂ℓ/∂σ = ∂ℓ_recon/∂h · ε + σ − 1/σ, for h = μ + σ ε.

Both are compared with autograd. The noise that the chain rule brings is forgotten most often (one circulating answer
has e^{−σ} for it), then a part of the divergence; or the derivative is that by the variance or the logarithm of σ.
"""

import torch

from autograder.assignments.vae import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.grad_mu_sigma")
def grad_mu_sigma(student: Remote, draw: Draw) -> None:
    for shape, dtype in draw.again(((5, 3), torch.float32), ((1, 4), torch.float64)):
        dl_dz, mu, eps = (draw.normal(*shape, dtype=dtype) for _ in range(3))
        sigma = draw.positive(*shape, dtype=dtype)
        got = expect(student(dl_dz, mu, sigma, eps)).items(2)
        wanted = reference.grad_mu_sigma(dl_dz, mu, sigma, eps)
        for name, found, right in zip(("mu", "sigma"), got, wanted, strict=True):
            expect(found, f"the gradient with respect to {name}").close(right)


@mistake("The gradient by sigma lacks the noise that the chain rule brings: h = μ + σ ε.")
def forgets_the_noise(dl_dz, mu, sigma, eps):
    return dl_dz + mu, dl_dz + sigma - 1 / sigma


@mistake("Only the reconstruction is differentiated; the divergence depends on mu and sigma as well.")
def reconstruction_alone(dl_dz, mu, sigma, eps):
    return 1.0 * dl_dz, dl_dz * eps


@mistake("The derivative of the logarithm has the wrong sign.")
def reciprocal_with_the_wrong_sign(dl_dz, mu, sigma, eps):
    return dl_dz + mu, dl_dz * eps + sigma + 1 / sigma


@mistake("The noise is replaced by an exponential of sigma: h = μ + σ ε has the derivative that ε gives.")
def exponential_for_the_noise(dl_dz, mu, sigma, eps):
    return dl_dz + mu, dl_dz * torch.exp(-sigma) + sigma - 1 / sigma


@mistake("Derivatives by the variance are returned; return those by the standard deviation.")
def gradient_by_the_variance(dl_dz, mu, sigma, eps):
    return dl_dz + mu, (dl_dz * eps + sigma - 1 / sigma) / (2 * sigma)


@mistake("The two gradients are returned in the other order: mu first.")
def sigma_gradient_first(dl_dz, mu, sigma, eps):
    return dl_dz * eps + sigma - 1 / sigma, dl_dz + mu


@mistake("The divergence pulls mu towards the prior; here it pushes it away.")
def pushes_mu_away(dl_dz, mu, sigma, eps):
    return dl_dz - mu, dl_dz * eps + sigma - 1 / sigma


@mistake("The divergence is missing from the gradient by mu.")
def mu_without_the_divergence(dl_dz, mu, sigma, eps):
    return 1.0 * dl_dz, dl_dz * eps + sigma - 1 / sigma


@mistake("The divergence is missing from the gradient by sigma.")
def sigma_without_the_divergence(dl_dz, mu, sigma, eps):
    return dl_dz + mu, dl_dz * eps


@mistake("A factor is wrong where a square is differentiated.")
def factor_of_the_square(dl_dz, mu, sigma, eps):
    return dl_dz + 2 * mu, dl_dz * eps + 2 * sigma - 1 / sigma


@mistake("h moves by 1, not by ε, when μ moves by 1.")
def noise_in_both(dl_dz, mu, sigma, eps):
    return dl_dz * eps + mu, dl_dz * eps + sigma - 1 / sigma


@mistake("The gradients are averaged over the batch; every image keeps its own.")
def averaged_over_the_batch(dl_dz, mu, sigma, eps):
    return (dl_dz + mu) / len(mu), (dl_dz * eps + sigma - 1 / sigma) / len(mu)


@mistake("This is the derivative by the logarithm of sigma; return the one by sigma.")
def gradient_by_the_logarithm(dl_dz, mu, sigma, eps):
    return dl_dz + mu, (dl_dz * eps + sigma - 1 / sigma) * sigma


@equivalent
def gradients_by_formula(dl_dz, mu, sigma, eps):
    return [dl_dz + mu, dl_dz * eps + sigma - sigma.reciprocal()]


@equivalent
def gradients_in_one_tensor(dl_dz, mu, sigma, eps):
    return torch.stack([dl_dz + mu, dl_dz * eps + sigma - 1 / sigma])


HARMLESS = {
    "graph": "It gives gradients, and no gradient of them is asked for.",
}
