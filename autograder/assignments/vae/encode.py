"""The encoder: images to μ and σ > 0, by layers of the student's choice.

Behaviour is judged, with matrices drawn anew: codes follow the image, but neither chance nor the rest of the batch, and
gradients pass. The commonest mistakes return a log-variance for σ, let σ reach 0, draw noise already, or end in a relu.
"""

from functools import partial

import torch
from torch import Tensor, nn

from autograder.assignments.vae import common
from autograder.assignments.vae.reference import VAE
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.encode")
def encode(student: Remote, draw: Draw) -> None:
    count, latent_dim = 24, 25
    model, x = common.redrawn_model(student, latent_dim, registered=True), common.images(draw, count)
    one, (mu, sigma) = _codes(model, x[7:8], latent_dim), _codes(model, x, latent_dim)
    again = expect(model.encode(x), "what encode returns").items(2)
    expect(again).holds(
        common.almost_equal(again[0], mu) and common.almost_equal(again[1], sigma),
        "Two calls of encode on the same images differ: it must not depend on chance.",
        "encode_draws_noise",
    )
    expect(mu).holds(bool((mu < 0).any()), "mu is never negative: the last layer cuts it off.", "mu_through_relu")
    expect(one).holds(
        common.almost_equal(one[0], mu[7:8]) and common.almost_equal(one[1], sigma[7:8]),
        "An image's code changes with the other images in its batch.",
        "mixes_the_batch",
    )
    noise = common.images(draw, count)
    others = _codes(model, noise, latent_dim)
    for value, other, name in ((mu, others[0], "mu"), (sigma, others[1], "sigma")):
        expect(value).holds(
            float((value.std(dim=0) / value.abs().mean()).max()) > 1e-6 and not torch.equal(value, other),
            f"{name} is the same for every image: it must be computed from x.",
            f"{name}_ignores_x",
        )
    varied = common.directions(mu - mu.mean(dim=0))
    expect(mu).holds(
        float(varied[1]) > 0.02, "All images have codes on one line: mu follows one number of x.", "mu_ignores_x"
    )
    for mixed in common.halves_of(x, noise):
        expect(mu).holds(
            not common.almost_equal(_codes(model, mixed, latent_dim)[0], mu, within=0),
            "Half of the pixels have no influence on mu: it must follow the whole image.",
            "ignores_pixels",
        )
    weight = draw.normal(count, latent_dim)
    for weights in ([weight, None], [None, weight]):
        (gradient,) = model.encode.gradient(x, wrt=[0], weights=weights)
        expect(gradient).holds(
            isinstance(gradient, Tensor) and bool(gradient.any()),
            "No gradient passes through encode to mu or to sigma: training could not improve it.",
            "detached",
        )
        common.expect_slope(partial(_weighted, model, weights), x, gradient, "encode")
        sizes = model.encode.gradient(x, wrt=model, weights=weights)
        common.expect_parameters(model, lambda: _shaped_codes(model, x, latent_dim), sizes, draw, 3)


def _weighted(model: Remote, weights: list[Tensor | None], x: Tensor) -> float:
    """What the gradient is asked of: the sum of mu's or sigma's entries, each times its weight."""
    total = 0.0
    for result, weight in zip(expect(model.encode(x), "what encode returns").items(2), weights, strict=True):
        if weight is not None:
            total += float((expect(result, "the code").shape(*weight.shape).value.double() * weight).sum())
    return total


def _shaped_codes(model: Remote, x: Tensor, latent_dim: int) -> list[Tensor]:
    mu, sigma = expect(model.encode(x), "what encode returns").items(2)
    expect(mu, "mu").shape(len(x), latent_dim)
    expect(sigma, "sigma").shape(len(x), latent_dim)
    return [mu, sigma]


def _codes(model: Remote, x: Tensor, latent_dim: int) -> list[Tensor]:
    """mu and sigma, of the right shapes, and sigma positive."""
    mu, sigma = _shaped_codes(model, x, latent_dim)
    expect(mu, "mu").finite()
    expect(sigma, "sigma").finite()
    expect(sigma).holds(
        bool((sigma >= 0).all()),
        "Some entries of sigma are negative; a standard deviation is positive.",
        "log_variance_for_sigma" if bool((mu < 0).any()) else "sigma_first",
    )
    expect(sigma).holds(
        bool((sigma > 0).all()), "Some entries of sigma are exactly 0: it must stay positive.", "sigma_can_be_zero"
    )
    return [mu, sigma]


@mistake("sigma can be negative: a raw output or a logarithm is returned instead of the standard deviation.")
class log_variance_for_sigma(VAE):
    def encode(self, x):
        return tuple(self.head(self.encoder(x)).chunk(2, dim=1))


@mistake("mu and sigma come in the wrong order: mu first.")
class sigma_first(VAE):
    def encode(self, x):
        return super().encode(x)[::-1]


@mistake("encode draws noise; it returns the parameters of q, and sampling comes later.")
class encode_draws_noise(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return mu + sigma * torch.randn_like(mu), sigma


@mistake("mu is never negative: an activation cuts it off. A mean may be any number.")
class mu_through_relu(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return torch.relu(mu), sigma


@mistake("An image's code changes with the other images in its batch: an operation runs over the batch dimension.")
class mixes_the_batch(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return mu - mu.mean(dim=0, keepdim=True), sigma


@mistake("sigma is the same for every image; the encoder must say for each image how sure it is.")
class sigma_ignores_x(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return mu, torch.ones_like(sigma)


@mistake("mu is the same for every image, or follows one number of it: it must be computed from the whole of x.")
class mu_ignores_x(VAE):
    def encode(self, x):
        return super().encode(torch.zeros_like(x))[0], super().encode(x)[1]


@mu_ignores_x.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class mu_follows_the_brightness(VAE):
    def encode(self, x):
        brightness = x.flatten(1).mean(dim=1).view(-1, 1, 1, 1).expand_as(x)
        return super().encode(brightness)[0], super().encode(x)[1]


@mistake("Some pixels have no influence on mu: it must follow the whole image.")
class ignores_pixels(VAE):
    def encode(self, x):
        return super().encode(torch.cat([x[:, :, :14], torch.zeros_like(x[:, :, 14:])], dim=2))


@mistake("No gradient passes through encode: the graph is cut, and the encoder would never learn.")
class detached(VAE):
    def encode(self, x):
        return super().encode(x.detach())


@mistake("sigma can be exactly 0: what keeps it from being negative must also keep it above 0.")
class sigma_can_be_zero(VAE):
    def encode(self, x):
        mu, sigma = super().encode(x)
        return mu, torch.relu(sigma - 0.7)


@equivalent
class started_at_the_prior(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def encode(self, x):
        mu, log_sigma = self.head(self.encoder(x)).split(self.latent_dim, dim=1)
        return mu, log_sigma.exp()


@equivalent
class with_lazy_layers(common.LazyLayers):
    pass


@equivalent
class with_batch_normalisation(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2))


@equivalent
class with_spectral_norm(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        norm = nn.utils.parametrizations.spectral_norm
        self.encoder = nn.Sequential(nn.Flatten(), norm(nn.Linear(784, 64)), nn.ReLU(), norm(nn.Linear(64, 64)))
