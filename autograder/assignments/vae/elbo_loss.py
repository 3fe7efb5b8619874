"""The negative ELBO with Bernoulli pixels, in nats an image, averaged over the batch.

Value and gradients are compared, and perfect black and white images probe the logarithm of 0. The commonest mistakes
average over pixels, so that the divergence drowns them, sum over the batch, or get its sign wrong.
"""

import torch
from torch.nn import functional

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.elbo_loss")
def elbo_loss(student: Remote, draw: Draw) -> None:
    for batch, latent_dim, dtype in draw.again((6, 3, torch.float32), (1, 2, torch.float32), (3, 5, torch.float64)):
        x_hat = draw.uniform(0.02, 0.98, batch, 1, reference.SIDE, reference.SIDE, dtype=dtype)
        x = draw.uniform(0, 1, batch, 1, reference.SIDE, reference.SIDE, dtype=dtype)
        mu = 4 * draw.normal(batch, latent_dim, dtype=dtype)
        sigma = 3 * draw.positive(batch, latent_dim, dtype=dtype)
        got = student(x_hat, x, mu, sigma)
        expect(got, "the loss").close(reference.elbo_loss(x_hat, x, mu, sigma), rtol=5e-5, atol=1e-3)
    leaves = [item.clone().requires_grad_() for item in (x_hat, mu, sigma)]
    wanted = torch.autograd.grad(reference.elbo_loss(leaves[0], x, leaves[1], leaves[2]), leaves)
    common.expect_gradients(student.gradient(x_hat, x, mu, sigma, wrt=[0, 2, 3]), wanted, ("x_hat", "mu", "sigma"))
    black, white = torch.zeros(2, 1, reference.SIDE, reference.SIDE), torch.ones(2, 1, reference.SIDE, reference.SIDE)
    code, one = torch.zeros(2, 3), torch.ones(2, 3)
    for image, name in ((white, "white"), (black, "black")):
        got = expect(student(image, image, code, one), f"the loss of a perfect {name} image").shape()
        got.finite("log_of_zero").close(torch.tensor(0.0), atol=1e-2)


def _cross_entropy(x_hat, x):
    return functional.binary_cross_entropy(x_hat, x, reduction="none").flatten(1).sum(dim=1)


@mistake("The reconstruction is averaged over pixels: the divergence then weighs hundreds of times too much.")
def averages_over_pixels(x_hat, x, mu, sigma):
    return functional.binary_cross_entropy(x_hat, x) + reference.gaussian_kl(mu, sigma).mean()


@mistake("The loss is added up over the batch; it should be the mean over the images.")
def sum_over_the_batch(x_hat, x, mu, sigma):
    return (_cross_entropy(x_hat, x) + reference.gaussian_kl(mu, sigma)).sum()


@mistake("One loss an image is returned; training needs one number, their mean.")
def one_loss_an_image(x_hat, x, mu, sigma):
    return _cross_entropy(x_hat, x) + reference.gaussian_kl(mu, sigma)


@mistake("The divergence is missing: this trains a plain autoencoder.")
def without_divergence(x_hat, x, mu, sigma):
    return _cross_entropy(x_hat, x).mean()


@mistake("The divergence is subtracted: the loss is the negative ELBO, in which it is a penalty.")
def divergence_with_the_wrong_sign(x_hat, x, mu, sigma):
    return (_cross_entropy(x_hat, x) - reference.gaussian_kl(mu, sigma)).mean()


@mistake("The divergence is averaged over the latents; the divergences of independent latents add up.")
def divergence_averaged(x_hat, x, mu, sigma):
    return (_cross_entropy(x_hat, x) + reference.gaussian_kl(mu, sigma) / mu.shape[1]).mean()


@mistake("This is the ELBO itself; a loss is made smaller, so its sign must be turned.")
def elbo_for_loss(x_hat, x, mu, sigma):
    return -reference.elbo_loss(x_hat, x, mu, sigma)


@mistake("Squared errors are used; for pixels in [0, 1] the notebook asks for the Bernoulli likelihood.")
def squared_error(x_hat, x, mu, sigma):
    error = ((x_hat - x) ** 2).flatten(1).sum(dim=1)
    return (error + reference.gaussian_kl(mu, sigma)).mean()


@mistake(
    "Data and reconstruction have changed places in the cross-entropy: the logarithm belongs to the reconstruction."
)
def data_and_reconstruction_swapped(x_hat, x, mu, sigma):
    return (_cross_entropy(x, x_hat) + reference.gaussian_kl(mu, sigma)).mean()


@mistake("A pixel that is exactly 0 or 1 makes the loss infinite or NaN: guard the logarithm.")
def log_of_zero(x_hat, x, mu, sigma):
    likelihood = x * x_hat.log() + (1 - x) * (1 - x_hat).log()
    return (reference.gaussian_kl(mu, sigma) - likelihood.flatten(1).sum(dim=1)).mean()


@mistake("Half of the cross-entropy is missing: a pixel may be dark as well as bright.")
def bright_pixels_only(x_hat, x, mu, sigma):
    likelihood = (x * x_hat.clamp_min(1e-9).log()).flatten(1).sum(dim=1)
    return (reference.gaussian_kl(mu, sigma) - likelihood).mean()


@mistake("No gradient reaches at least one of the reconstruction, mu and sigma: the loss is cut from its graph.")
def detached(x_hat, x, mu, sigma):
    return reference.elbo_loss(x_hat, x, mu, sigma).detach()


@mistake("It changes an argument in place; guard the logarithm with a new tensor.")
def changes_its_argument(x_hat, x, mu, sigma):
    x_hat.clamp_(1e-6, 1 - 1e-6)
    return reference.elbo_loss(x_hat, x, mu, sigma)


@mistake("It is right for one batch size only: a size is written into the code.")
def one_batch_size(x_hat, x, mu, sigma):
    return reference.elbo_loss(x_hat, x, mu, sigma) * len(x) / 6


@mistake("The reconstruction is averaged over the images, but the divergence is added up, or the other way round.")
def only_one_term_averaged(x_hat, x, mu, sigma):
    return _cross_entropy(x_hat, x).mean() + reference.gaussian_kl(mu, sigma).sum()


@mistake("x_hat holds probabilities already; here they are treated as logits.")
def probabilities_as_logits(x_hat, x, mu, sigma):
    likelihood = functional.binary_cross_entropy_with_logits(x_hat, x, reduction="none").flatten(1).sum(dim=1)
    return (likelihood + reference.gaussian_kl(mu, sigma)).mean()


@mistake("sigma is taken for a logarithm in the divergence; it is the standard deviation itself.")
def divergence_of_the_logarithm(x_hat, x, mu, sigma):
    return _cross_entropy(x_hat, x).mean() + ((sigma.exp() + mu**2 - 1 - sigma) / 2).sum(dim=1).mean()


@equivalent
def loss_by_library(x_hat, x, mu, sigma):
    reconstruction = functional.binary_cross_entropy(x_hat, x, reduction="sum") / x.shape[0]
    return reconstruction + reference.gaussian_kl(mu, sigma).mean()


@equivalent
def loss_by_formula(x_hat, x, mu, sigma):
    tiny = 1e-7
    likelihood = x * torch.log(x_hat + tiny) + (1 - x) * torch.log(1 - x_hat + tiny)
    divergence = 0.5 * (mu**2 + sigma**2 - 1 - torch.log(sigma**2)).sum()
    return (-likelihood.sum() + divergence) / len(x)


HARMLESS = {
    "F.binary_cross_entropy(x_hat, x, reduction='sum') → F.binary_cross_entropy(x_hat, x.detach(), reduction='sum')": "Images are given; no gradient of them is asked for.",
    "len(x) → len(x_hat)": "Both are the number of images.",
    "len(x) → len(mu)": "Both are the number of images.",
    "len(x) → len(sigma)": "Both are the number of images.",
    "return reconstruction + gaussian_kl(mu, sigma).mean() → return (reconstruction + gaussian_kl(mu, sigma).mean()).squeeze()": "A number has no side to lose.",
}
