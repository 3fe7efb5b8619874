"""The reconstruction, μ and σ: encode, sample with the ε that is given or with fresh noise, decode.

Known codes in the place of encode and decode lay z open, for its gradients and for 12,000 draws that must be standard
normal and independent. The commonest mistakes decode μ, scale the noise wrongly, ignore ε, share noise or draw it once.
"""

import torch
from torch import Tensor
from torch.nn import functional

from autograder.assignments.vae import common, reference
from autograder.assignments.vae.reference import VAE
from autograder.judge.chance import are_shuffled, is_repetitive, is_too_even
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from autograder.judge.verdict import AnswerRaised
from fixmelab.judged.toys import Halves, Identity


@exercise("vae.forward")
def forward(student: Remote, draw: Draw) -> None:
    latent_dim = 3
    model = common.redrawn_model(student, latent_dim, registered=True)
    for batch in (5, 1):
        x, eps = common.images(draw, batch), 3 * draw.normal(batch, latent_dim)
        encoded = expect(model.encode(x), "what encode returns").items(2)
        for code, name in zip(encoded, ("mu", "sigma"), strict=True):
            expect(code, f"{name} of encode").shape(batch, latent_dim).finite()
        z = reference.reparameterize(encoded[0], encoded[1], eps)
        right = _decoded_among_others(model, z, draw)
        x_hat, mu, sigma = expect(model(x, eps=eps), "what forward returns").items(3)
        order = "parameters_first" if _shape(x_hat) == (batch, latent_dim) else None
        expect(x_hat, "the reconstruction").shape(batch, 1, reference.SIDE, reference.SIDE, mistake=order)
        expect(mu, "mu of forward").shape(batch, latent_dim).holds(
            common.almost_equal(encoded[0], mu), "mu of forward is not that of encode.", "returns_z_for_mu"
        )
        expect(sigma, "sigma of forward").shape(batch, latent_dim).holds(
            common.almost_equal(encoded[1], sigma), "sigma of forward is not that of encode, but something made of it."
        )
        # A decoder can turn the last bit of z into 1e-4 of a pixel; another z changes pixels by some tenths.
        if not common.almost_equal(x_hat, right, within=1e-3):
            _name_the_wrong_noise(model, x, x_hat, mu, sigma, eps)
        expect(right).holds(
            common.almost_equal(_decoded_among_others(model, z, draw), right, within=1e-3),
            "decode gives other images for the same codes after forward than before.",
        )
    first, second = (expect(model(x), "what forward returns").items(3)[0] for _ in range(2))
    expect(first, "the reconstruction").shape(1, 1, reference.SIDE, reference.SIDE).finite().holds(
        not torch.equal(first, second),
        "Without eps, forward gives the same reconstruction twice: it must draw fresh noise at each call.",
        "same_noise_every_time",
    )
    if not _expect_right_noise(model, latent_dim, draw):
        _expect_right_spread(common.redrawn_model(student, latent_dim, registered=True), draw)
    expect_any_device(model, x, mistake="made_on_the_cpu")


def _decoded_among_others(model: Remote, z: Tensor, draw: Draw) -> Tensor:
    """What decode makes of z, asked in another order and among other codes."""
    asked = torch.cat([z, 2 * draw.normal(3, z.shape[1])])
    order = draw.normal(len(asked)).argsort()
    images = expect(model.decode(asked[order]), "what decode returns")
    decoded: Tensor = images.shape(len(asked), 1, reference.SIDE, reference.SIDE).finite().value
    return decoded[order.argsort()][: len(z)]


def _shape(value: object) -> tuple | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None


def _name_the_wrong_noise(model: Remote, x: Tensor, x_hat: Tensor, mu: Tensor, sigma: Tensor, eps: Tensor) -> None:
    again = expect(model(x, eps=eps), "what forward returns").items(3)[0]
    expect(x_hat).holds(
        common.almost_equal(again, x_hat, within=1e-3), "forward ignores the eps that it is given.", "ignores_eps"
    )
    for z, name in (
        (mu, "decodes_the_mean"),
        (mu + sigma.square() * eps, "noise_scaled_by_the_variance"),
        (mu + sigma.sqrt() * eps, "noise_scaled_by_the_root"),
        (mu - sigma * eps, "noise_subtracted"),
        (mu + eps, "noise_without_sigma"),
        (sigma + mu * eps, "mu_and_sigma_swapped_in_the_sample"),
    ):
        expect(x_hat).holds(
            not common.almost_equal(x_hat, model.decode(z), within=1e-3), "The noise enters in a wrong way.", name
        )
    expect(x_hat).holds(False, "The reconstruction is not decode(z) for z made of mu, sigma and eps.")


def _expect_right_noise(model: Remote, latent_dim: int, draw: Draw) -> bool:
    """Known codes in the place of encoder and decoder lay z open: its gradients and, without eps, its noise.

    Returns False for a forward that does not go through self.encode and self.decode: nothing is laid open then.
    """
    count = 12_000
    model.assign("encode", Halves(latent_dim))
    model.assign("decode", Identity())
    model.train.kept()
    x, eps = draw.positive(8, 2 * latent_dim), draw.normal(8, latent_dim)
    try:
        laid_open = expect(model(x, eps=eps), "what forward returns").items(3)
    except AnswerRaised:
        return False
    if _shape(laid_open[0]) != (8, latent_dim) or not common.almost_equal(laid_open[1], x[:, :latent_dim]):
        return False
    for given in (eps, torch.zeros_like(eps)):
        z = expect(model(x, eps=given), "what forward returns").items(3)[0]
        expect(z, "the code in training mode").close(x[:, :latent_dim] + x[:, latent_dim:] * given)
    weight = draw.normal(8, latent_dim)
    none = torch.zeros_like(weight)
    for weights, wanted in (
        ([weight, None, None], (weight, weight * eps)),
        ([None, weight, None], (weight, none)),
        ([None, None, weight], (none, weight)),
    ):
        (gradient,) = model.gradient(x, wrt=[0], weights=weights, eps=eps)
        expect(gradient).holds(
            isinstance(gradient, Tensor) and torch.allclose(gradient, torch.cat(wanted, dim=1), rtol=1e-3, atol=1e-4),
            "Some gradient from the results of forward to mu or sigma is cut off or wrong.",
            "cuts_a_gradient",
        )
    (gradient,) = model.gradient(x, wrt=[0], weights=[weight, None, None])
    expect(gradient).holds(
        isinstance(gradient, Tensor)
        and torch.allclose(gradient[:, :latent_dim], weight, rtol=1e-3, atol=1e-4)
        and bool((gradient != 0).all()),
        "Without eps, no gradient reaches mu or sigma: training, which draws its noise here, would not improve them.",
        "draws_without_a_gradient",
    )
    means, stds = draw.normal(count, latent_dim), draw.uniform(0.5, 2, count, latent_dim)
    codes = [expect(model(torch.cat([means, stds], dim=1)), "what forward returns").items(3)[0] for _ in range(2)]
    draws = [expect(z, "the code without eps").shape(count, latent_dim).finite().value.double() for z in codes]
    noise, again = ((z - means) / stds for z in draws)
    columns = torch.cat([noise, again], dim=1)
    expect(noise).holds(
        not torch.allclose(noise[0], noise[1], atol=1e-4),
        "Without eps, all images of a batch share one noise: each must have its own.",
        "one_noise_for_the_batch",
    )
    # Six standard errors for each of 6 means, 6 variances and 15 correlations, ten for the fourth moments,
    # whose tails are heavier: together at most 1e-7 false alarms.
    error = 1 / count**0.5
    correlations = torch.corrcoef(columns.T) - torch.eye(2 * latent_dim)
    expect(noise).holds(
        float(correlations.abs().max()) < 6 * error,
        "Without eps, the noise of one latent, image or call tells that of another: it is drawn once and shared.",
        "noise_is_shared",
    )
    is_standard = (
        float(columns.mean(dim=0).abs().max()) < 6 * error
        and float((columns.var(dim=0) - 1).abs().max()) < 6 * 2**0.5 * error
        and float((columns.pow(4).mean(dim=0) - 3).abs().max()) < 10 * 96**0.5 * error
    )
    expect(noise).holds(is_standard, "Without eps, the noise is not standard normal.", "noise_is_not_standard_normal")
    is_again = is_repetitive(columns.T.flatten()) or are_shuffled(columns.T)
    expect(noise).holds(not is_again, "Without eps, noise is used again.", "noise_is_shared")
    is_balanced = is_too_even((columns.mean(dim=0) / error) ** 2)
    expect(noise).holds(not is_balanced, "Without eps, the noise is not drawn independently.", "noise_is_shared")
    return True


def _expect_right_spread(model: Remote, draw: Draw) -> None:
    """Without eps, reconstructions of one image must spread as decoded draws from its posterior do.

    Two samples of a weighted sum of pixels: their means within 7 standard errors, their deviations within a quarter,
    which is more than 10 (false alarms: 1e-10).
    """
    count, image, weight = 1000, common.images(draw, 1), draw.normal(reference.SIDE * reference.SIDE)
    calls = [expect(model(image.expand(count, -1, -1, -1)), "what forward returns").items(3)[0] for _ in range(2)]
    mu, sigma = expect(model.encode(image), "what encode returns").items(2)
    for code in (mu, sigma):
        expect(code, "the code of an image").shape(1, 3).finite()
    for x_hat in calls:
        expect(x_hat, "the reconstruction").shape(count, 1, reference.SIDE, reference.SIDE).finite()
    right = model.decode(mu + sigma * draw.normal(count, 3))
    expect(right, "the decoded images").shape(count, 1, reference.SIDE, reference.SIDE).finite()
    one, again, other = (images.flatten(1).double() @ weight.double() for images in (*calls, right))
    error = float(((one.var() + other.var()) / count).sqrt())
    expect(x_hat).holds(
        abs(float(one.mean() - other.mean())) <= 7 * error + 1e-4
        and abs(float(one.std() / other.std().clamp_min(1e-9)) - 1) < 0.25,
        "Without eps, the reconstructions do not spread as decoded draws from N(mu, diag sigma²) do.",
    )
    expect(x_hat).holds(
        not is_repetitive(torch.cat([one, again])),
        "Without eps, the noise of one image or call tells that of another: it is drawn once and shared.",
        "noise_is_shared",
    )


@mistake("forward decodes mu and leaves out the noise: this is a plain autoencoder.")
class decodes_the_mean(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu), mu, sigma


@mistake("The noise is scaled by the variance; sigma is the standard deviation.")
class noise_scaled_by_the_variance(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(mu + sigma**2 * eps), mu, sigma


@mistake("forward draws its own noise even when eps is given.")
class ignores_eps(VAE):
    def forward(self, x, eps=None):
        return super().forward(x)


@mistake("Without eps the noise is the same at every call: draw it anew each time.")
class same_noise_every_time(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        fixed = torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))
        return self.decode(mu + sigma * (fixed if eps is None else eps)), mu, sigma


@mistake("Without eps all images of a batch share one draw of noise; each must have its own.")
class one_noise_for_the_batch(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + sigma * (torch.randn_like(mu[:1]) if eps is None else eps)), mu, sigma


@mistake("What stands for mu is not what encode returned: a sample, perhaps, or sigma.")
class returns_z_for_mu(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        z = mu + sigma * (torch.randn_like(mu) if eps is None else eps)
        return self.decode(z), z, sigma


@mistake("The three results come in another order: the reconstruction first, then mu, then sigma.")
class parameters_first(VAE):
    def forward(self, x, eps=None):
        x_hat, mu, sigma = super().forward(x, eps)
        return mu, sigma, x_hat


@mistake("The noise is scaled by the root of sigma; sigma is the standard deviation already.")
class noise_scaled_by_the_root(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(mu + sigma.sqrt() * eps), mu, sigma


@mistake("The noise is subtracted; z is defined with the other sign.")
class noise_subtracted(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(mu - sigma * eps), mu, sigma


@mistake("The noise is added without sigma.")
class noise_without_sigma(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + (torch.randn_like(mu) if eps is None else eps)), mu, sigma


@mistake("mu and sigma have changed places in the sample.")
class mu_and_sigma_swapped_in_the_sample(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(sigma + mu * (torch.randn_like(mu) if eps is None else eps)), mu, sigma


@mistake("Without eps, the noise that is drawn is not standard normal: which distribution is ε from?")
class noise_is_not_standard_normal(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + sigma * (torch.rand_like(mu) if eps is None else eps)), mu, sigma


@noise_is_not_standard_normal.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class fresh_noise_scaled_by_the_variance(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        z = mu + (sigma**2 * torch.randn_like(mu) if eps is None else sigma * eps)
        return self.decode(z), mu, sigma


@mistake("Without eps, several latents of an image share one draw of noise; each must have its own.")
class noise_is_shared(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + sigma * (torch.randn_like(mu[:, :1]) if eps is None else eps)), mu, sigma


@mistake("Without eps, the sample carries no gradient: it is drawn in a way that cannot be differentiated.")
class draws_without_a_gradient(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        z = torch.distributions.Normal(mu, sigma).sample() if eps is None else mu + sigma * eps
        return self.decode(z), mu, sigma


@mistake(
    "A gradient from the results of forward to mu or sigma is cut off: reconstruction or divergence could not train it."
)
class cuts_a_gradient(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn_like(mu) if eps is None else eps
        return self.decode(mu + sigma.detach() * eps), mu, sigma


@mistake(SENTENCE)
class made_on_the_cpu(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        eps = torch.randn(mu.shape) if eps is None else eps
        return self.decode(reference.reparameterize(mu, sigma, eps)), mu, sigma


@equivalent
class by_a_distribution(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        z = torch.distributions.Normal(mu, sigma).rsample() if eps is None else mu + sigma * eps
        return self.decode(z), mu, sigma


@equivalent
class with_noise_from_normal(VAE):
    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        if eps is None:
            eps = torch.empty_like(sigma).normal_()
        return [self.decode(torch.addcmul(mu, eps, sigma)), mu, sigma]


@equivalent
class without_encode_and_decode(VAE):
    def forward(self, x, eps=None):
        mu, raw = self.head(self.encoder(x)).chunk(2, dim=1)
        sigma = functional.softplus(raw)
        z = mu + sigma * (torch.randn_like(mu) if eps is None else eps)
        return torch.sigmoid(self.decoder(z)).view(-1, 1, 28, 28), mu, sigma


HARMLESS = {
    "torch.randn_like(mu) if eps is None else eps → torch.randn_like(mu) if eps is None else eps.detach()": "No gradient of the noise is asked for.",
    "reparameterize(mu, sigma, eps) → reparameterize(mu, eps, sigma)": "The two are multiplied.",
    "reparameterize(mu, sigma, eps) → reparameterize(mu, sigma, eps.detach())": "No gradient of the noise is asked for.",
}
