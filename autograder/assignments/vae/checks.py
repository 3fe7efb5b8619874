"""The checks of the VAE notebook. Batch, latent and data sizes differ from each other in every check."""

import contextlib
import math

import numpy
import torch
from torch import Tensor

from autograder.assignments.vae import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import exercise
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from autograder.judge.verdict import AnswerRaised

SIDE = reference.SIDE


# Batch, data, latent sizes and dtype: tall, wide and square W.
SIZES = (5, 4, 3, torch.float64), (1, 2, 3, torch.float32), (4, 3, 3, torch.float32)


def _linear_gaussian(draw: Draw, batch: int, data: int, latent: int, dtype: torch.dtype) -> tuple:
    """x (B, D), W (D, K), b (D,), s of a linear-Gaussian model."""
    W, b = draw.normal(data, latent, dtype=dtype), draw.normal(data, dtype=dtype)
    s = float(draw.uniform(0.5, 0.9, 1, dtype=torch.float64)) + draw.integer(0, 2)
    return draw.normal(batch, data, dtype=dtype) * 2, W, b, s


@exercise("vae.gaussian_kl")
def gaussian_kl(student: Remote, draw: Draw) -> None:
    shapes = ((5, 3), torch.float32), ((5, 3), torch.float32), ((1, 4), torch.float32), ((7, 2), torch.float64)
    for shape, dtype in shapes:
        mu, sigma = draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        expect(student(mu, sigma)).close(reference.gaussian_kl(mu, sigma))
    mu, sigma, weight = draw.normal(4, 6), draw.positive(4, 6), draw.normal(4)
    leaves = [mu.clone().requires_grad_(), sigma.clone().requires_grad_()]
    wanted = torch.autograd.grad((weight * reference.gaussian_kl(*leaves)).sum(), leaves)
    _expect_gradients(student.gradient(mu, sigma, wrt=[0, 1], weights=[weight]), wanted, ("mu", "sigma"))
    tiny = torch.full((2, 3), 1e-4)
    expect(student(tiny, tiny), "the result for a small sigma").close(reference.gaussian_kl(tiny, tiny))


def _expect_gradients(found: list[Tensor | None], wanted: tuple[Tensor, ...], names: tuple[str, ...]) -> None:
    for gradient, right, name in zip(found, wanted, names, strict=True):
        expect(gradient).holds(
            gradient is not None, f"No gradient reaches {name}: training could not improve it.", "detached"
        )
        expect(gradient, f"the gradient with respect to {name}").close(right, rtol=1e-3, atol=1e-4)


@exercise("vae.reparameterize")
def reparameterize(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((5, 3), torch.float32), ((2, 4, 3), torch.float32), ((1, 6), torch.float64)):
        mu, sigma = draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        eps = draw.normal(*shape, dtype=dtype)
        expect(student(mu, sigma, eps)).close(reference.reparameterize(mu, sigma, eps))
    for spread in (1e-3, 20.0):
        mu, sigma, eps = draw.normal(3, 2), torch.full((3, 2), spread), draw.normal(3, 2)
        expect(student(mu, sigma, eps), "the sample for a very small or large sigma").close(mu + sigma * eps)
    eps, weight = draw.normal(4, 6), draw.normal(4, 6)
    found = student.gradient(draw.normal(4, 6), draw.positive(4, 6), eps, wrt=[0, 1], weights=[weight])
    _expect_gradients(found, (weight, weight * eps), ("mu", "sigma"))


def _per_sample(student: Remote, draw: Draw, right: object) -> None:
    for sign, count, dtype in ((1.5, 9, torch.float32), (-1.5, 1, torch.float32), (-1.5, 4, torch.float64)):
        theta, eps = sign * draw.positive(1, dtype=dtype)[0], draw.normal(count, dtype=dtype)
        expect(student(theta, eps)).close(right(theta, eps))
    # Unbiased: the mean over many samples lies within 6 standard errors (false alarms: 2e-9).
    theta, eps = draw.uniform(-2, 2, 1, dtype=torch.float64)[0], draw.normal(50_000, dtype=torch.float64)
    got = expect(student(theta, eps)).shape(50_000).finite().value
    error = abs(float(got.mean() - 2 * theta)) / float(got.std() / 50_000**0.5)
    expect(got).holds(error < 6, "Its mean over many samples is not the gradient of E[x²]: it is biased.")


@exercise("vae.pathwise_gradient")
def pathwise_gradient(student: Remote, draw: Draw) -> None:
    _per_sample(student, draw, reference.pathwise_gradient)


@exercise("vae.score_function_gradient")
def score_function_gradient(student: Remote, draw: Draw) -> None:
    _per_sample(student, draw, reference.score_function_gradient)


@exercise("vae.grad_mu_sigma")
def grad_mu_sigma(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((5, 3), torch.float32), ((1, 4), torch.float64)):
        dl_dh, mu, eps = (draw.normal(*shape, dtype=dtype) for _ in range(3))
        sigma = draw.positive(*shape, dtype=dtype)
        got = expect(student(dl_dh, mu, sigma, eps)).items(2)
        wanted = reference.grad_mu_sigma(dl_dh, mu, sigma, eps)
        for name, found, right in zip(("mu", "sigma"), got, wanted, strict=True):
            expect(found, f"the gradient with respect to {name}").close(right)


def _on_linear_gaussian(student: Remote, draw: Draw, right: object) -> None:
    for batch, data, latent, dtype in SIZES:
        x, W, b, s = _linear_gaussian(draw, batch, data, latent, dtype)
        mu, sigma = draw.normal(batch, latent, dtype=dtype), draw.positive(batch, latent, dtype=dtype)
        expect(student(x, mu, sigma, W, b, s)).close(right(x, mu, sigma, W, b, s))


@exercise("vae.elbo_from_joint")
def elbo_from_joint(student: Remote, draw: Draw) -> None:
    _on_linear_gaussian(student, draw, reference.elbo_from_joint)


@exercise("vae.elbo_from_kl")
def elbo_from_kl(student: Remote, draw: Draw) -> None:
    _on_linear_gaussian(student, draw, reference.elbo_from_kl)


@exercise("vae.log_evidence")
def log_evidence(student: Remote, draw: Draw) -> None:
    for batch, data, latent, dtype in SIZES:
        x, W, b, s = _linear_gaussian(draw, batch, data, latent, dtype)
        expect(student(x, W, b, s)).close(reference.log_evidence(x, W, b, s))


@exercise("vae.posterior")
def posterior(student: Remote, draw: Draw) -> None:
    for batch, data, latent, dtype in SIZES:
        x, W, b, s = _linear_gaussian(draw, batch, data, latent, dtype)
        mean, covariance = expect(student(x, W, b, s)).items(2)
        wanted = reference.posterior(x, W, b, s)
        expect(mean, "the posterior mean").close(wanted[0])
        expect(covariance, "the posterior covariance").close(wanted[1])


@exercise("vae.kl_to_posterior")
def kl_to_posterior(student: Remote, draw: Draw) -> None:
    for batch, data, latent, dtype in SIZES:
        x, W, b, s = _linear_gaussian(draw, batch, data, latent, dtype)
        mean, covariance = reference.posterior(x, W, b, s)
        covariance = (covariance + covariance.T) / 2
        for near in (False, True):
            mu, sigma = draw.normal(batch, latent, dtype=dtype), draw.positive(batch, latent, dtype=dtype)
            if near:
                mu, sigma = mean + 0.1 * mu, torch.diagonal(covariance).sqrt().expand(batch, -1).clone()
            wanted = reference.kl_to_posterior(mu, sigma, mean, covariance)
            expect(student(mu, sigma, mean, covariance)).close(wanted, rtol=1e-4)


@exercise("vae.sweep_phi")
def sweep_phi(student: Remote, draw: Draw) -> None:
    x, W, b, s = _linear_gaussian(draw, 1, 4, 1, torch.float64)
    sigma = float(draw.positive(1)[0])
    phis = 2 * draw.normal(41, dtype=torch.float64)
    elbos, divergences = expect(student(phis, sigma, x, W, b, s)).items(2)
    wanted = reference.sweep_phi(phis, sigma, x, W, b, s)
    expect(elbos, "the ELBO over phi").close(wanted[0], rtol=1e-6)
    expect(divergences, "the divergence over phi").close(wanted[1], rtol=1e-6)


@exercise("vae.amortization_gap")
def amortization_gap(student: Remote, draw: Draw) -> None:
    batch, latent = 6, 3
    height, mean, std = draw.normal(batch), draw.normal(batch, latent), draw.positive(batch, latent)
    curvature = draw.uniform(0.5, 2.0, batch, latent)

    def bowl(data: slice = slice(None)) -> Remote:
        return student.toy("Bowl", height[data], mean[data], std[data], curvature[data])

    mu = mean + draw.uniform(-1.0, 1.0, batch, latent)
    sigma = std * torch.exp(draw.uniform(-1.0, 1.0, batch, latent))
    # So short a way, with so few data, that any usual optimiser goes it in these steps.
    few = slice(2)
    wanted = (curvature * ((mu - mean) ** 2 + (sigma / std).log() ** 2)).sum(dim=1)[few]
    expect(student(bowl(few), mu[few], sigma[few], steps=25, lr=0.2)).close(wanted, rtol=0.05, atol=0.05)
    expect(student(bowl(), mu, sigma, steps=0, lr=0.1), "the gap after 0 steps").close(torch.zeros(batch), atol=1e-5)
    elbo = bowl()
    got = student(elbo, mu, sigma, steps=1, lr=1e-3)
    expect(got, "the gap after 1 step").shape(batch).finite().holds(
        bool((got > 0).all()), "After one small step the gap is still 0: the ELBO after the last step is not looked at."
    )
    reach = elbo.attribute("reach")
    expect(reach).holds(
        isinstance(reach, float) and reach < 0.1,
        "One small step leads far away: the search must start at the encoder's mu and sigma.",
        "starts_elsewhere",
    )
    # Learning rates that leap over the optimum: what counts is the best that was seen, datum by datum.
    for start, steps, lr in ((mean + 1e-3, 2, 1.0), (mean + draw.uniform(0.6, 1.4, batch, latent), 4, 1.0)):
        elbo = bowl()
        got = student(elbo, start, std, steps=steps, lr=lr)
        before = height - (curvature * (start - mean) ** 2).sum(dim=1)
        expect(got, "the gap").shape(batch).finite()
        expect(got).holds(
            torch.allclose(got.float(), elbo.attribute("best") - before, rtol=1e-3, atol=1e-4),
            "With a large learning rate the gap is not the distance from the start to the best ELBO that was seen.",
            "last_step_instead_of_best",
        )
    kept = student.kept(bowl(), mu, sigma, steps=2, lr=0.1)
    expect(kept).holds(kept.attribute("requires_grad") is False, "The result still carries a graph: detach it.")


@exercise("vae.aggregate_moments")
def aggregate_moments(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((9, 3), torch.float64), ((4, 2), torch.float32), ((5, 1), torch.float32)):
        mu, sigma = 1 + 3 * draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        mean, variance = expect(student(mu, sigma)).items(2)
        wanted = reference.aggregate_moments(mu, sigma)
        expect(mean, "the mean").close(wanted[0])
        expect(variance, "the variance").close(wanted[1], rtol=1e-3 if dtype == torch.float32 else None)


def _images(draw: Draw, count: int) -> Tensor:
    return draw.uniform(0, 1, count, 1, SIDE, SIDE)


def _model(student: Remote, latent_dim: int) -> Remote:
    """The student's VAE in evaluation mode, so that batch normalisation and dropout are welcome, with matrices
    drawn anew, so that no verdict hangs on how they were initialised."""
    model = student.kept(latent_dim)
    model.eval.kept()
    try:
        model.redraw()
    except AnswerRaised:  # lazy layers must come into being first
        _try_out(model, latent_dim)
        model.redraw()
    return model


def _try_out(model: Remote, latent_dim: int) -> None:
    for method, argument in ((model.encode, torch.zeros(2, 1, SIDE, SIDE)), (model.decode, torch.zeros(2, latent_dim))):
        with contextlib.suppress(AnswerRaised):  # what is not filled in may wait
            method.kept(argument)


@exercise("vae.VAE")
def whole_model(student: Remote, draw: Draw) -> None:
    latent_dim = 7  # no cell of the notebook asks for as many
    model, x, eps = _model(student, latent_dim), _images(draw, 5), draw.normal(5, latent_dim)
    x_hat, mu, sigma = expect(model(x, eps=eps), "what forward returns").items(3)
    expect(x_hat, "the reconstruction").shape(5, 1, SIDE, SIDE)
    expect(mu, "mu").shape(5, latent_dim, mistake="two_latents_only")
    expect(sigma, "sigma").shape(5, latent_dim)
    found = model.attribute("latent_dim")
    expect(found).holds(found == latent_dim, "The attribute latent_dim is not the number of latents asked for.")
    again = expect(model(x, eps=eps), "what forward returns").items(3)[0]
    expect(again).holds(_same(again, x_hat), "In evaluation mode, two calls of forward with the same x and eps differ.")
    twin = student.kept(latent_dim)
    twin.eval.kept()
    twin.load_state_dict.kept(model.state_dict.kept())
    copy = expect(twin(x, eps=eps), "what forward returns").items(3)[0]
    expect(copy).holds(
        _same(copy, x_hat),
        "A copy made by load_state_dict reconstructs differently: a layer is not registered with the module.",
        "layers_in_a_list",
    )
    for noise in ({"eps": eps}, {}):
        sizes = model.gradient(x, wrt=model, weights=[draw.normal(*x.shape), None, None], **noise)
        expect(sizes).holds(len(sizes) > 0, "The model has no parameters: assign its layers to self.")
        expect(sizes).holds(
            all(size is not None and math.isfinite(size) for size in sizes) and any(size > 0 for size in sizes),
            "The reconstruction does not send a gradient to every parameter: some would never learn.",
            "detached",
        )


def _same(one: object, other: Tensor, within: float = 1e-5) -> bool:
    if not isinstance(one, Tensor) or one.shape != other.shape or one.dtype != other.dtype:
        return False
    scale = float(other.abs().max()) if other.numel() else 0.0
    return torch.allclose(one, other, rtol=1e-4, atol=within * max(scale, 1.0))


@exercise("vae.encode")
def encode(student: Remote, draw: Draw) -> None:
    count, latent_dim = 24, 25
    model, x = _model(student, latent_dim), _images(draw, count)
    one, (mu, sigma) = _codes(model, x[7:8], latent_dim), _codes(model, x, latent_dim)
    again = expect(model.encode(x), "what encode returns").items(2)
    expect(again).holds(
        _same(again[0], mu) and _same(again[1], sigma),
        "Two calls of encode on the same images differ: it must not depend on chance.",
        "encode_draws_noise",
    )
    expect(mu).holds(bool((mu < 0).any()), "mu is never negative: the last layer cuts it off.", "mu_through_relu")
    expect(one).holds(
        _same(one[0], mu[7:8]) and _same(one[1], sigma[7:8]),
        "An image's code changes with the other images in its batch.",
        "mixes_the_batch",
    )
    others = expect(model.encode(_images(draw, count)), "what encode returns").items(2)
    for value, other, name in ((mu, others[0], "mu"), (sigma, others[1], "sigma")):
        expect(value).holds(
            float((value.std(dim=0) / value.abs().mean()).max()) > 1e-6 and not torch.equal(value, other),
            f"{name} is the same for every image: it must be computed from x.",
            f"{name}_ignores_x",
        )
    weight = draw.normal(count, latent_dim)
    for weights in ([weight, None], [None, weight]):
        (gradient,) = model.encode.gradient(x, wrt=[0], weights=weights)
        expect(gradient).holds(
            gradient is not None and bool(gradient.any()),
            "No gradient passes through encode to mu or to sigma: training could not improve it.",
            "detached",
        )


def _codes(model: Remote, x: Tensor, latent_dim: int) -> list[Tensor]:
    """mu and sigma, of the right shapes, and sigma positive."""
    mu, sigma = expect(model.encode(x), "what encode returns").items(2)
    expect(mu, "mu").shape(len(x), latent_dim).finite()
    expect(sigma, "sigma").shape(len(x), latent_dim).finite()
    expect(sigma).holds(
        bool((sigma >= 0).all()),
        "Some entries of sigma are negative; a standard deviation is positive.",
        "log_variance_for_sigma" if bool((mu < 0).any()) else "sigma_first",
    )
    expect(sigma).holds(
        bool((sigma > 0).all()), "Some entries of sigma are exactly 0: it must stay positive.", "sigma_can_be_zero"
    )
    return [mu, sigma]


@exercise("vae.decode")
def decode(student: Remote, draw: Draw) -> None:
    count, latent_dim = 16, 4
    model, z = _model(student, latent_dim), 10 * draw.normal(count, latent_dim)
    one, x_hat = _decoded(model, z[7:8]), _decoded(model, z)
    again = model.decode(z)
    expect(again).holds(_same(again, x_hat), "Two calls of decode on the same codes differ.", "decode_draws_noise")
    expect(x_hat).holds(
        _pixels_are_not_a_distribution(x_hat),
        "The pixels of every image add up to one: a softmax over pixels makes them compete.",
        "softmax_over_pixels",
    )
    expect(x_hat).holds(
        float(x_hat.min()) < 0.49,
        "Over many codes no pixel is ever darker than one half: the outputs cannot reach black.",
        "sigmoid_twice",
    )
    expect(x_hat).holds(float(x_hat.max()) > 0.51, "Over many codes no pixel is ever brighter than one half.")
    expect(one).holds(_same(one, x_hat[7:8]), "An image changes with the other codes in its batch.", "mixes_the_codes")
    for j in range(latent_dim):
        moved = z.clone()
        moved[:, j] += 5
        expect(x_hat).holds(
            not _same(model.decode(moved), x_hat),
            "The image does not depend on every entry of z.",
            "ignores_a_latent",
        )
    gradients = model.decode.gradient(z / 10, wrt=[0], weights=[draw.normal(*x_hat.shape)])
    expect(gradients).holds(
        gradients[0] is not None and bool(gradients[0].any()),
        "No gradient passes through decode: training could not improve it.",
        "detached",
    )


def _decoded(model: Remote, z: Tensor) -> Tensor:
    """Images of the right shape in [0, 1]."""
    x_hat = model.decode(z)
    expect(x_hat, "the decoded images").shape(len(z), 1, SIDE, SIDE, mistake="flat_images")
    leaves = "no_sigmoid_but_tanh" if float(x_hat.abs().max()) <= 1 else "no_sigmoid"
    expect(x_hat, "the decoded images").finite().within(0, 1, mistake=leaves)
    return x_hat


def _pixels_are_not_a_distribution(x_hat: Tensor) -> bool:
    return not torch.allclose(x_hat.flatten(1).sum(dim=1), torch.ones(len(x_hat)), atol=1e-3)


@exercise("vae.forward")
def forward(student: Remote, draw: Draw) -> None:
    latent_dim = 3
    model = _model(student, latent_dim)
    for batch in (5, 1):
        x, eps = _images(draw, batch), 3 * draw.normal(batch, latent_dim)
        x_hat, mu, sigma = expect(model(x, eps=eps), "what forward returns").items(3)
        encoded = expect(model.encode(x), "what encode returns").items(2)
        order = "parameters_first" if _shape(x_hat) == (batch, latent_dim) else None
        expect(x_hat, "the reconstruction").shape(batch, 1, SIDE, SIDE, mistake=order)
        expect(mu, "mu of forward").shape(batch, latent_dim).holds(
            _same(encoded[0], mu), "mu of forward is not that of encode.", "returns_z_for_mu"
        )
        expect(sigma, "sigma of forward").shape(batch, latent_dim).holds(
            _same(encoded[1], sigma), "sigma of forward is not that of encode, but something made of it."
        )
        # A decoder can turn the last bit of z into 1e-4 of a pixel; another z changes pixels by some tenths.
        if not _same(x_hat, model.decode(reference.reparameterize(mu, sigma, eps)), within=1e-3):
            _name_the_wrong_noise(model, x, x_hat, mu, sigma, eps)
    first, second = (expect(model(x), "what forward returns").items(3)[0] for _ in range(2))
    expect(first, "the reconstruction").shape(1, 1, SIDE, SIDE).finite().holds(
        not torch.equal(first, second),
        "Without eps, forward gives the same reconstruction twice: it must draw fresh noise at each call.",
        "same_noise_every_time",
    )
    if not _noise_of_forward(model, latent_dim, draw):
        _spread_of_forward(_model(student, latent_dim), draw)


def _shape(value: object) -> tuple | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None


def _name_the_wrong_noise(model: Remote, x: Tensor, x_hat: Tensor, mu: Tensor, sigma: Tensor, eps: Tensor) -> None:
    again = expect(model(x, eps=eps), "what forward returns").items(3)[0]
    expect(x_hat).holds(_same(again, x_hat, within=1e-3), "forward ignores the eps that it is given.", "ignores_eps")
    for z, mistake in (
        (mu, "decodes_the_mean"),
        (mu + sigma.square() * eps, "noise_scaled_by_the_variance"),
        (mu + sigma.sqrt() * eps, "noise_scaled_by_the_root"),
        (mu - sigma * eps, "noise_subtracted"),
        (mu + eps, "noise_without_sigma"),
        (sigma + mu * eps, "mu_and_sigma_swapped_in_the_sample"),
    ):
        expect(x_hat).holds(not _same(x_hat, model.decode(z), within=1e-3), "The noise enters in a wrong way.", mistake)
    expect(x_hat).holds(False, "The reconstruction is not decode(z) for z made of mu, sigma and eps.")


def _noise_of_forward(model: Remote, latent_dim: int, draw: Draw) -> bool:
    """Known codes in the place of encoder and decoder lay z open: its gradients and, without eps, its noise.

    Returns False for a forward that does not go through self.encode and self.decode: nothing is laid open then.
    """
    count = 12_000
    model.assign("encode", model.toy("Halves", latent_dim))
    model.assign("decode", model.toy("Identity"))
    model.train.kept()
    x, eps = draw.positive(8, 2 * latent_dim), draw.normal(8, latent_dim)
    try:
        laid_open = expect(model(x, eps=eps), "what forward returns").items(3)
    except AnswerRaised:
        return False
    if _shape(laid_open[0]) != (8, latent_dim) or not _same(laid_open[1], x[:, :latent_dim]):
        return False
    for given in (eps, torch.zeros_like(eps)):
        z = expect(model(x, eps=given), "what forward returns").items(3)[0]
        expect(z, "the code in training mode").close(x[:, :latent_dim] + x[:, latent_dim:] * given)
    weight = draw.normal(8, latent_dim)
    none = torch.zeros_like(weight)
    cases = ([weight, None, None], (weight, weight * eps)), ([None, weight, None], (weight, none))
    for weights, wanted in (*cases, ([None, None, weight], (none, weight))):
        (gradient,) = model.gradient(x, wrt=[0], weights=weights, eps=eps)
        expect(gradient).holds(
            gradient is not None and torch.allclose(gradient, torch.cat(wanted, dim=1), rtol=1e-3, atol=1e-4),
            "Some gradient from the results of forward to mu or sigma is cut off or wrong.",
            "cuts_a_gradient",
        )
    (gradient,) = model.gradient(x, wrt=[0], weights=[weight, None, None])
    expect(gradient).holds(
        gradient is not None and bool((gradient != 0).all()),
        "Without eps, no gradient reaches mu or sigma: training, which draws its noise here, would not improve them.",
        "draws_without_a_gradient",
    )
    many = torch.cat([torch.zeros(count, latent_dim), torch.ones(count, latent_dim)], dim=1)
    draws = [expect(model(many), "what forward returns").items(3)[0] for _ in range(2)]
    noise = expect(draws[0], "the code without eps").shape(count, latent_dim).finite().value.double()
    columns = torch.cat([noise, expect(draws[1]).shape(count, latent_dim).finite().value.double()], dim=1)
    expect(noise).holds(
        not torch.equal(noise[0], noise[1]),
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
    return True


def _spread_of_forward(model: Remote, draw: Draw) -> None:
    """Without eps, reconstructions of one image must spread as decoded draws from its posterior do.

    Two samples of a weighted sum of pixels: their means within 7 standard errors, their deviations within a quarter,
    which is more than 10 (false alarms: 1e-10).
    """
    count, image, weight = 1000, _images(draw, 1), draw.normal(SIDE * SIDE)
    got = expect(model(image.expand(count, -1, -1, -1)), "what forward returns").items(3)
    x_hat, mu, sigma = got[0], *expect(model.encode(image), "what encode returns").items(2)
    expect(x_hat, "the reconstruction").shape(count, 1, SIDE, SIDE).finite()
    right = model.decode(mu + sigma * draw.normal(count, 3))
    expect(right, "the decoded images").shape(count, 1, SIDE, SIDE).finite()
    one, other = (images.flatten(1).double() @ weight.double() for images in (x_hat, right))
    error = float(((one.var() + other.var()) / count).sqrt())
    expect(x_hat).holds(
        abs(float(one.mean() - other.mean())) <= 7 * error + 1e-4
        and abs(float(one.std() / other.std().clamp_min(1e-9)) - 1) < 0.25,
        "Without eps, the reconstructions do not spread as decoded draws from N(mu, diag sigma²) do.",
    )


@exercise("vae.elbo_loss")
def elbo_loss(student: Remote, draw: Draw) -> None:
    for batch, latent_dim, dtype in ((6, 3, torch.float32), (1, 2, torch.float32), (3, 5, torch.float64)):
        x_hat = draw.uniform(0.02, 0.98, batch, 1, SIDE, SIDE, dtype=dtype)
        x = draw.uniform(0, 1, batch, 1, SIDE, SIDE, dtype=dtype)
        mu, sigma = (
            4 * draw.normal(batch, latent_dim, dtype=dtype),
            draw.positive(batch, latent_dim, dtype=dtype),
        )
        sigma = sigma * 3
        got = student(x_hat, x, mu, sigma)
        expect(got, "the loss").close(reference.elbo_loss(x_hat, x, mu, sigma), rtol=5e-5, atol=1e-3)
    leaves = [item.clone().requires_grad_() for item in (x_hat, mu, sigma)]
    wanted = torch.autograd.grad(reference.elbo_loss(leaves[0], x, leaves[1], leaves[2]), leaves)
    _expect_gradients(student.gradient(x_hat, x, mu, sigma, wrt=[0, 2, 3]), wanted, ("x_hat", "mu", "sigma"))
    black, white = torch.zeros(2, 1, SIDE, SIDE), torch.ones(2, 1, SIDE, SIDE)
    code, one = torch.zeros(2, 3), torch.ones(2, 3)
    for image, name in ((white, "white"), (black, "black")):
        got = expect(student(image, image, code, one), f"the loss of a perfect {name} image").shape()
        got.finite("log_of_zero").close(torch.tensor(0.0), atol=1e-2)


@exercise("vae.plot_latents")
def plot_latents(student: Remote, draw: Draw) -> None:
    latent_dim = 4
    weight, bias = 0.3 * draw.normal(SIDE * SIDE, latent_dim), 0.3 * draw.normal(SIDE * SIDE)
    model = student.toy("LinearDecoder", weight, bias)
    # The notebook's own test looks at i = 0 and j = 1, the values that stand in the signature.
    figure, canvas = expect(student(model, i=2, j=1), "what plot_latents returns").items(2)
    if isinstance(canvas, numpy.ndarray):
        canvas = torch.from_numpy(canvas).float()
    expect(canvas, "the canvas").shape(10 * SIDE, 10 * SIDE)
    wanted = reference.latent_canvas(weight, bias, 2, 1)
    expect(canvas, "the canvas").close(wanted, atol=1e-4)
    expect(figure, "the figure").kind("Figure")
    axes = [axis for axis in figure.attribute("axes") if isinstance(axis, Remote)]
    artists = [item for axis in axes for item in axis.get_children() if isinstance(item, Remote)]
    drawn = [item.get_array() for item in artists if item.kind in ("AxesImage", "QuadMesh", "PcolorImage")]
    pictures = [torch.from_numpy(item).float() for item in drawn if isinstance(item, numpy.ndarray)]
    expect(pictures).holds(len(pictures) > 0, "The figure is empty: draw the canvas with imshow.", "empty_figure")
    tiles = wanted.view(10, SIDE, 10, SIDE).transpose(1, 2).reshape(100, SIDE, SIDE)
    expect(pictures).holds(
        any(_is_a_rendering(picture, wanted) for picture in pictures)
        or (len(pictures) == 100 and all(map(_is_a_rendering, pictures, tiles))),
        "The figure shows something else than the canvas.",
        "figure_of_something_else",
    )


def _is_a_rendering(shown: Tensor, wanted: Tensor) -> bool:
    """Whether a picture shows what is wanted, be it brighter, darker, in negative, or drawn from the bottom up."""
    if shown.numel() != wanted.numel():
        return False
    shown = shown.reshape(wanted.shape)
    return any(
        abs(float(torch.corrcoef(torch.stack([item.flatten(), wanted.flatten()]))[0, 1])) > 0.999
        for item in (shown, shown.flip(0))
    )
