"""The checks of the VAE notebook. Batch, latent and data sizes differ from each other in every check."""

import numpy
import torch
from torch import Tensor

from autograder.assignments.vae import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import exercise
from autograder.judge.expect import expect
from autograder.judge.student import Remote

SIDE = reference.SIDE


def _linear_gaussian(draw: Draw, batch: int, data: int, latent: int, dtype: torch.dtype) -> tuple:
    """x (B, D), W (D, K), b (D,), s of a linear-Gaussian model."""
    W, b = draw.normal(data, latent, dtype=dtype), draw.normal(data, dtype=dtype)
    s = float(draw.uniform(0.5, 0.9, 1, dtype=torch.float64)) + draw.integer(0, 2)
    return draw.normal(batch, data, dtype=dtype) * 2, W, b, s


@exercise("vae.gaussian_kl")
def gaussian_kl(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((5, 3), torch.float32), ((1, 4), torch.float32), ((7, 2), torch.float64)):
        mu, sigma = draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        got = student(mu, sigma)
        expect(got).close(reference.gaussian_kl(mu, sigma)).dtype(dtype)
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
        expect(student(mu, sigma, eps)).close(reference.reparameterize(mu, sigma, eps)).dtype(dtype)
    eps, weight = draw.normal(4, 6), draw.normal(4, 6)
    found = student.gradient(draw.normal(4, 6), draw.positive(4, 6), eps, wrt=[0, 1], weights=[weight])
    _expect_gradients(found, (weight, weight * eps), ("mu", "sigma"))


def _per_sample(student: Remote, draw: Draw, right: object) -> None:
    for count, dtype in ((9, torch.float32), (1, torch.float32), (4, torch.float64)):
        theta, eps = 1.5 * draw.positive(1, dtype=dtype)[0], draw.normal(count, dtype=dtype)
        expect(student(theta, eps)).close(right(theta, eps)).dtype(dtype)
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
            expect(found, f"the gradient with respect to {name}").close(right).dtype(dtype)


def _on_linear_gaussian(student: Remote, draw: Draw, right: object) -> None:
    for (batch, data, latent), dtype in (((5, 4, 3), torch.float64), ((1, 3, 2), torch.float32)):
        x, W, b, s = _linear_gaussian(draw, batch, data, latent, dtype)
        mu, sigma = draw.normal(batch, latent, dtype=dtype), draw.positive(batch, latent, dtype=dtype)
        expect(student(x, mu, sigma, W, b, s)).close(right(x, mu, sigma, W, b, s)).dtype(dtype)


@exercise("vae.elbo_from_joint")
def elbo_from_joint(student: Remote, draw: Draw) -> None:
    _on_linear_gaussian(student, draw, reference.elbo_from_joint)


@exercise("vae.elbo_from_kl")
def elbo_from_kl(student: Remote, draw: Draw) -> None:
    _on_linear_gaussian(student, draw, reference.elbo_from_kl)


@exercise("vae.log_evidence")
def log_evidence(student: Remote, draw: Draw) -> None:
    for (batch, data, latent), dtype in (((5, 4, 2), torch.float64), ((1, 2, 3), torch.float32)):
        x, W, b, s = _linear_gaussian(draw, batch, data, latent, dtype)
        expect(student(x, W, b, s)).close(reference.log_evidence(x, W, b, s)).dtype(dtype)


@exercise("vae.posterior")
def posterior(student: Remote, draw: Draw) -> None:
    for (batch, data, latent), dtype in (((5, 4, 2), torch.float64), ((1, 2, 3), torch.float32)):
        x, W, b, s = _linear_gaussian(draw, batch, data, latent, dtype)
        mean, covariance = expect(student(x, W, b, s)).items(2)
        wanted = reference.posterior(x, W, b, s)
        expect(mean, "the posterior mean").close(wanted[0]).dtype(dtype)
        expect(covariance, "the posterior covariance").close(wanted[1]).dtype(dtype)


@exercise("vae.kl_to_posterior")
def kl_to_posterior(student: Remote, draw: Draw) -> None:
    for (batch, data, latent), dtype in (((5, 4, 3), torch.float64), ((1, 4, 2), torch.float32)):
        x, W, b, s = _linear_gaussian(draw, batch, data, latent, dtype)
        mean, covariance = reference.posterior(x, W, b, s)
        covariance = (covariance + covariance.T) / 2
        mu, sigma = draw.normal(batch, latent, dtype=dtype), draw.positive(batch, latent, dtype=dtype)
        wanted = reference.kl_to_posterior(mu, sigma, mean, covariance)
        expect(student(mu, sigma, mean, covariance)).close(wanted, rtol=1e-4).dtype(dtype)


@exercise("vae.sweep_phi")
def sweep_phi(student: Remote, draw: Draw) -> None:
    x, W, b, s = _linear_gaussian(draw, 1, 4, 1, torch.float64)
    sigma = float(draw.positive(1)[0])
    phis = torch.linspace(-3, 3, 41, dtype=torch.float64) + draw.normal(1, dtype=torch.float64)
    elbos, divergences = expect(student(phis, sigma, x, W, b, s)).items(2)
    wanted = reference.sweep_phi(phis, sigma, x, W, b, s)
    expect(elbos, "the ELBO over phi").close(wanted[0], rtol=1e-6)
    expect(divergences, "the divergence over phi").close(wanted[1], rtol=1e-6)


@exercise("vae.amortization_gap")
def amortization_gap(student: Remote, draw: Draw) -> None:
    batch, latent = 6, 3
    height, mean, std = draw.normal(batch), draw.normal(batch, latent), draw.positive(batch, latent)
    curvature = draw.uniform(0.5, 2.0, batch, latent)
    elbo = student.toy("Bowl", height, mean, std, curvature)
    mu, sigma = mean + draw.uniform(-1.0, 1.0, batch, latent), std * torch.exp(draw.normal(batch, latent) / 2)
    distance = (mu - mean) ** 2 + (sigma / std).log() ** 2
    wanted = (curvature * distance).sum(dim=1)
    got = student(elbo, mu, sigma, steps=120, lr=0.1)
    expect(got).close(wanted, rtol=0.02, atol=0.02)
    got = student(elbo, mu, sigma, steps=0, lr=0.1)
    expect(got, "the gap after 0 steps").close(torch.zeros(batch), atol=1e-5)
    # A learning rate that leaps over the optimum: what counts is the best that was seen.
    near = mean + 1e-3
    got = student(elbo, near, std, steps=2, lr=1.0)
    expect(got, "the gap").shape(batch).finite()
    expect(got).holds(
        bool((got >= -1e-5).all()),
        "With a large learning rate the gap is negative: a step that made the ELBO worse was counted.",
        "last_step_instead_of_best",
    )


@exercise("vae.aggregate_moments")
def aggregate_moments(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((9, 3), torch.float64), ((4, 2), torch.float32)):
        mu, sigma = 1 + draw.normal(*shape, dtype=dtype), draw.positive(*shape, dtype=dtype)
        mean, variance = expect(student(mu, sigma)).items(2)
        wanted = reference.aggregate_moments(mu, sigma)
        expect(mean, "the mean").close(wanted[0]).dtype(dtype)
        expect(variance, "the variance").close(wanted[1], rtol=1e-3 if dtype == torch.float32 else None).dtype(dtype)


def _images(draw: Draw, count: int) -> Tensor:
    return draw.uniform(0, 1, count, 1, SIDE, SIDE)


def _model(student: Remote, latent_dim: int, draw: Draw) -> Remote:
    """The student's VAE in evaluation mode, so that batch normalisation and dropout are welcome, with matrices
    drawn anew, so that no verdict hangs on how they were initialised."""
    model = student.kept(latent_dim)
    model.eval.kept()
    state = {}
    for name, value in _items(model.state_dict()):
        is_matrix = isinstance(value, Tensor) and value.is_floating_point() and value.ndim >= 2
        state[name] = 1.5 * draw.normal(*value.shape) / max(value[0].numel(), 1) ** 0.5 if is_matrix else value
    model.load_state_dict.kept(state)
    return model


def _items(state: object) -> list[tuple[str, object]]:
    expect(state).holds(isinstance(state, dict), "The model's state_dict is not a dictionary of tensors.")
    return list(state.items())


@exercise("vae.VAE")
def whole_model(student: Remote, draw: Draw) -> None:
    for latent_dim in (3, 2):
        model = _model(student, latent_dim, draw)
        x, eps = _images(draw, 5), draw.normal(5, latent_dim)
        x_hat, mu, sigma = expect(model(x, eps=eps), "what forward returns").items(3)
        expect(x_hat, "the reconstruction").shape(5, 1, SIDE, SIDE)
        expect(mu, "mu").shape(5, latent_dim, mistake="two_latents_only")
        expect(sigma, "sigma").shape(5, latent_dim)
        twin = _model(student, latent_dim, draw)
        twin.load_state_dict.kept(model.state_dict.kept())
        copy = expect(twin(x, eps=eps), "what forward returns").items(3)[0]
        expect(copy, "the reconstruction of a copy").holds(
            _same(copy, x_hat),
            "A copy made by load_state_dict reconstructs differently: a layer is not registered with the module.",
            "layers_in_a_list",
        )
        gradients = model.gradient(x, wrt=model, weights=[draw.normal(*x.shape), None, None], eps=eps)
        expect(gradients).holds(len(gradients) > 0, "The model has no parameters.")
        expect(gradients).holds(
            all(gradient is not None and bool(torch.isfinite(gradient).all()) for gradient in gradients)
            and any(bool(gradient.any()) for gradient in gradients),
            "The reconstruction does not send a gradient to every parameter of the model: some would never learn.",
            "detached",
        )


def _same(one: object, other: Tensor) -> bool:
    return isinstance(one, Tensor) and one.shape == other.shape and torch.allclose(one, other, atol=1e-5)


@exercise("vae.encode")
def encode(student: Remote, draw: Draw) -> None:
    for batch, latent_dim in ((6, 24), (1, 2), (64, 25)):
        model, x = _model(student, latent_dim, draw), _images(draw, batch)
        mu, sigma = expect(model.encode(x), "what encode returns").items(2)
        expect(mu, "mu").shape(batch, latent_dim).finite()
        expect(sigma, "sigma").shape(batch, latent_dim).finite()
        expect(sigma).holds(
            bool((sigma > 0).all()),
            "Some entries of sigma are not positive; a standard deviation is.",
            "log_variance_for_sigma" if bool((mu < 0).any()) else "sigma_first",
        )
        again = expect(model.encode(x), "what encode returns").items(2)
        expect(again).holds(
            _same(again[0], mu) and _same(again[1], sigma),
            "Two calls of encode on the same images differ: it must not draw noise.",
            "encode_draws_noise",
        )
    expect(mu).holds(bool((mu < 0).any()), "mu is never negative: the last layer cuts it off.", "mu_through_relu")
    one = expect(model.encode(x[2:3]), "what encode returns for one image").items(2)
    expect(one).holds(
        _same(one[0], mu[2:3]) and _same(one[1], sigma[2:3]),
        "An image's code changes with the other images in its batch.",
        "mixes_the_batch",
    )
    for value, name in ((mu, "mu"), (sigma, "sigma")):
        expect(value).holds(
            float(value.std(dim=0).min()) > 1e-6,
            f"{name} is the same for every image: it must be computed from x.",
            f"{name}_ignores_x",
        )
    gradients = model.encode.gradient(x, wrt=[0], weights=[torch.ones(64, 25), torch.ones(64, 25)])
    expect(gradients).holds(
        gradients[0] is not None,
        "No gradient passes through encode: training could not improve it.",
        "detached",
    )


@exercise("vae.decode")
def decode(student: Remote, draw: Draw) -> None:
    for batch, latent_dim in ((6, 3), (1, 2), (40, 4)):
        model, z = _model(student, latent_dim, draw), 10 * draw.normal(batch, latent_dim)
        x_hat = model.decode(z)
        expect(x_hat, "the decoded images").shape(batch, 1, SIDE, SIDE, mistake="flat_images")
        leaves = float(x_hat.abs().max()) <= 1 and "no_sigmoid_but_tanh" or "no_sigmoid"
        expect(x_hat, "the decoded images").finite().within(0, 1, mistake=leaves)
        expect(model.decode(z), "the images decoded again").close(x_hat, atol=1e-5, mistake="decode_draws_noise")
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
    one = model.decode(z[7:8])
    expect(one, "one decoded image").shape(1, 1, SIDE, SIDE).holds(
        _same(one, x_hat[7:8]), "An image changes with the other codes in its batch.", "mixes_the_codes"
    )
    for j in range(latent_dim):
        moved = z.clone()
        moved[:, j] += 5
        expect(model.decode(moved)).holds(
            not _same(model.decode(moved), x_hat),
            "The image does not depend on every entry of z.",
            "ignores_a_latent",
        )
    gradients = model.decode.gradient(z / 10, wrt=[0], weights=[draw.normal(40, 1, SIDE, SIDE)])
    expect(gradients).holds(
        gradients[0] is not None and bool(gradients[0].any()),
        "No gradient passes through decode: training could not improve it.",
        "detached",
    )


def _pixels_are_not_a_distribution(x_hat: Tensor) -> bool:
    return not torch.allclose(x_hat.flatten(1).sum(dim=1), torch.ones(len(x_hat)), atol=1e-3)


@exercise("vae.forward")
def forward(student: Remote, draw: Draw) -> None:
    for batch, latent_dim in ((5, 3), (1, 2)):
        model, x, eps = _model(student, latent_dim, draw), _images(draw, batch), 3 * draw.normal(batch, latent_dim)
        x_hat, mu, sigma = expect(model(x, eps=eps), "what forward returns").items(3)
        encoded = expect(model.encode(x), "what encode returns").items(2)
        expect(mu, "mu of forward").shape(batch, latent_dim)
        expect(x_hat, "the reconstruction").shape(batch, 1, SIDE, SIDE, mistake="parameters_first")
        expect(sigma, "sigma of forward").shape(batch, latent_dim).holds(
            _same(encoded[0], mu) and _same(encoded[1], sigma),
            "mu and sigma of forward are not those of encode, in this order.",
            "returns_z_for_mu",
        )
        at_mean = model.decode(mu)
        wanted = model.decode(reference.reparameterize(mu, sigma, eps))
        if not _same(x_hat, wanted):
            expect(x_hat).holds(not _same(x_hat, at_mean), "forward ignores eps: it decodes mu.", "decodes_the_mean")
            expect(x_hat).holds(
                not _same(x_hat, model.decode(reference.reparameterize(mu, sigma.square(), eps))),
                "The noise is scaled wrongly.",
                "noise_scaled_by_the_variance",
            )
            again = expect(model(x, eps=eps), "what forward returns").items(3)[0]
            expect(x_hat).holds(_same(again, x_hat), "forward ignores the eps that it is given.", "ignores_eps")
            expect(x_hat).holds(False, "The reconstruction is not decode(z) for z made of mu, sigma and eps.")
    first, second = (expect(model(x), "what forward returns").items(3)[0] for _ in range(2))
    expect(first, "the reconstruction").shape(1, 1, SIDE, SIDE).holds(
        not torch.equal(first, second),
        "Without eps, forward gives the same reconstruction twice: it must draw fresh noise at each call.",
        "same_noise_every_time",
    )
    model, x = _model(student, 4, draw), _images(draw, 1).expand(7, -1, -1, -1)
    repeated = expect(model(x), "what forward returns").items(3)[0]
    expect(repeated, "the reconstruction").shape(7, 1, SIDE, SIDE).holds(
        not torch.equal(repeated[0], repeated[1]),
        "Without eps, all images of a batch share one noise: each must have its own.",
        "one_noise_for_the_batch",
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
        expect(got, "the loss").close(reference.elbo_loss(x_hat, x, mu, sigma), rtol=1e-4 / 2, atol=1e-3).dtype(dtype)
    leaves = [item.clone().requires_grad_() for item in (x_hat, mu, sigma)]
    wanted = torch.autograd.grad(reference.elbo_loss(leaves[0], x, leaves[1], leaves[2]), leaves)
    _expect_gradients(student.gradient(x_hat, x, mu, sigma, wrt=[0, 2, 3]), wanted, ("x_hat", "mu", "sigma"))
    black, white = torch.zeros(2, 1, SIDE, SIDE), torch.ones(2, 1, SIDE, SIDE)
    code, one = torch.zeros(2, 3), torch.ones(2, 3)
    expect(student(white, white, code, one), "the loss of a perfect white image").close(
        torch.tensor(0.0), atol=1e-2, mistake="log_of_zero"
    )
    expect(student(black, black, code, one), "the loss of a perfect black image").close(
        torch.tensor(0.0), atol=1e-2, mistake="log_of_zero"
    )


@exercise("vae.plot_latents")
def plot_latents(student: Remote, draw: Draw) -> None:
    latent_dim = 4
    weight, bias = draw.normal(SIDE * SIDE, latent_dim), draw.normal(SIDE * SIDE)
    model = student.toy("LinearDecoder", weight, bias)
    for i, j in ((2, 1), (0, 3), (None, None)):
        where = {} if i is None else {"i": i, "j": j}
        figure, canvas = expect(student(model, **where), "what plot_latents returns").items(2)
        if isinstance(canvas, numpy.ndarray):
            canvas = torch.from_numpy(canvas).float()
        expect(canvas, "the canvas").shape(10 * SIDE, 10 * SIDE)
        wanted = reference.latent_canvas(weight, bias, i or 0, 1 if j is None else j)
        expect(canvas, "the canvas").close(wanted, atol=1e-4)
        expect(figure, "the figure").kind("Figure")
        axes = figure.attribute("axes")
        drawn = [image for axis in axes if isinstance(axis, Remote) for image in axis.get_images()]
        expect(drawn).holds(len(drawn) > 0, "The figure is empty: draw the canvas with imshow.", "empty_figure")
