"""The checks of the diffusion notebook. Batch, channels, size and number of steps differ from each other."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor

from autograder.assignments.diffusion import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import exercise
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from autograder.judge.verdict import AnswerRaised
from fixmelab.toys import Drift

# Standard errors: a false alarm in 4e11 looks at a normal number, and, for the variances and correlations of a thousand
# draws, whose tails are heavier, in 1e10.
SIGMAS = 7.0


# Schedules


def _float(betas: object, steps: int) -> Tensor:
    """A schedule of either precision, as float64."""
    found = expect(betas, "betas").shape(steps).finite().value
    is_precise = found.dtype in (torch.float32, torch.float64)
    expect(found).holds(is_precise, f"betas are {str(found.dtype).removeprefix('torch.')}; return a float tensor.")
    return found.double()


@exercise("diffusion.constant_schedule")
def constant_schedule(student: Remote, draw: Draw) -> None:
    for steps in (7, 40):
        beta = float(draw.uniform(0.01, 0.4, 1)[0])
        got = _float(student(steps, beta=beta), steps)
        expect(got).close(torch.full((steps,), beta, dtype=torch.float64), rtol=1e-5)
    got = _float(student(3), 3)
    expect(got, "the schedule with the default beta").close(torch.full((3,), 0.02, dtype=torch.float64), rtol=1e-5)


@exercise("diffusion.linear_schedule")
def linear_schedule(student: Remote, draw: Draw) -> None:
    for steps in (5, 300):
        start, end = 1e-3 * float(draw.positive(1)[0]), 0.1 * float(draw.positive(1)[0])
        got = _float(student(steps, beta_start=start, beta_end=end), steps)
        expect(got).close(torch.linspace(start, end, steps, dtype=torch.float64), rtol=1e-5, atol=1e-7)
    for steps in (1000, 50):
        got = _float(student(steps), steps)
        wanted = reference.linear_schedule(steps).double()
        expect(got, "the schedule with the default ends").close(wanted, rtol=1e-5, atol=1e-7)


@exercise("diffusion.cosine_schedule")
def cosine_schedule(student: Remote, draw: Draw) -> None:
    """ᾱ without its last entry to 1e-3, the last one between 1e-12 and 1e-4: room for another clip at the stated
    bound, none for s = 0 or a shifted index."""
    for steps, options in ((200, {}), (1000, {}), (37, {}), (60, {"s": float(draw.uniform(0.02, 0.05, 1)[0])})):
        betas = _float(student(steps, **options), steps)
        expect(betas, "betas").holds(
            bool((betas <= 0.9999).all()),
            "Some β is (almost) 1, so α is 0 and what is divided by it infinite: clip α to at least 0.001.",
            "forgets_the_clip",
        )
        expect(betas, "betas").holds(bool((betas >= 0).all()), "Some β is negative.")
        got = torch.cumprod(1 - betas, dim=0)
        wanted = reference.alpha_bars_of(reference.cosine_schedule(steps, **options).double())
        is_close = torch.allclose(got[:-1], wanted[:-1], rtol=0, atol=1e-3)
        # Where little is left, what counts is the ratio: 1e-3 of the whole is more than all that is left there.
        tail = torch.allclose(got[-6:-1], wanted[-6:-1], rtol=0.02, atol=0)
        expect(got).holds(is_close and tail, "ᾱ, the cumulative product of 1 − betas, has wrong numbers.")
        is_small = 1e-12 < float(got[-1]) < 1e-4 and 5e-5 < float(1 - betas[-1]) < 1.5e-3
        expect(got).holds(is_small, "The last step is not what the clipped schedule leaves: α falls to 0.001 there.")


# Forward


def _schedule(draw: Draw, steps: int, dtype: torch.dtype) -> Tensor:
    """β between 0.05 and 0.6, in no order."""
    return draw.uniform(0.05, 0.6, steps, dtype=dtype)


@exercise("diffusion.q_step")
def q_step(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((5, 3), torch.float32), ((2, 3, 4, 5), torch.float64), ((1, 6), torch.float32)):
        x, noise = 2 * draw.normal(*shape, dtype=dtype), draw.normal(*shape, dtype=dtype)
        beta = draw.uniform(0.05, 0.6, 1, dtype=dtype)[0]
        for value in (float(beta), beta):
            expect(student(x, value, noise)).close(reference.q_step(x, beta, noise))


@exercise("diffusion.q_chain")
def q_chain(student: Remote, draw: Draw) -> None:
    for steps, used, shape, dtype in (
        (6, 4, (5, 3), torch.float32),
        (3, 3, (2, 3, 4, 5), torch.float64),
        (4, 1, (3, 2), torch.float32),
    ):
        x, betas = 2 * draw.normal(*shape, dtype=dtype), _schedule(draw, steps, dtype)
        noises = draw.normal(used, *shape, dtype=dtype)
        expect(student(x, betas, noises)).close(reference.q_chain(x, betas, noises))


@exercise("diffusion.chain_moments")
def chain_moments(student: Remote, draw: Draw) -> None:
    for steps, dtype in ((7, torch.float64), (1, torch.float32), (30, torch.float32)):
        betas = _schedule(draw, steps, dtype)
        m, v = expect(student(betas)).items(2)
        wanted = reference.chain_moments(betas)
        expect(m, "m, the factor of x_0").close(wanted[0])
        expect(v, "v, the variance").close(wanted[1])


@exercise("diffusion.kl_to_prior")
def kl_to_prior(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((5, 3), torch.float32), ((2, 3, 4, 5), torch.float64), ((1, 7), torch.float32)):
        x_0 = 2 * draw.normal(*shape, dtype=dtype)
        alpha_bar = draw.uniform(0.05, 0.9, 1, dtype=dtype)[0]
        for value in (float(alpha_bar), alpha_bar):
            expect(student(x_0, value)).close(reference.kl_to_prior(x_0, value))


# Backward


@exercise("diffusion.bayes_on_grid")
def bayes_on_grid(student: Remote, draw: Draw) -> None:
    for count, half in ((1001, 6.0), (1600, 8.0)):
        grid = torch.linspace(-half, half + 1.5, count, dtype=torch.float64)
        x_0, x_t = (float(value) for value in draw.uniform(-1.5, 1.5, 2))
        beta, before = float(draw.uniform(0.05, 0.5, 1)[0]), float(draw.uniform(0.2, 0.9, 1)[0])
        got = student(grid, x_0, x_t, beta, before)
        expect(got, "the density").shape(count).dtype(torch.float64).finite()
        wanted = reference.bayes_on_grid(grid, x_0, x_t, beta, before)
        expect(got, "the density").close(wanted, rtol=1e-3, atol=1e-4)


@dataclass(frozen=True)
class _Steps:
    """A batch of x_0, x_t, ε and 0-based steps on a schedule."""

    betas: Tensor
    x_0: Tensor
    x_t: Tensor
    eps: Tensor
    t: Tensor


def _steps(draw: Draw, shape: tuple[int, ...], steps: int, dtype: torch.dtype) -> _Steps:
    t = torch.tensor([draw.integer(1, steps) for _ in range(shape[0])])
    betas = _schedule(draw, steps, dtype)
    return _Steps(betas, *(draw.normal(*shape, dtype=dtype) for _ in range(3)), t)


SHAPES = ((5, 3), 7, torch.float64), ((4, 3, 2, 5), 9, torch.float32), ((2, 6), 5, torch.float64)


@exercise("diffusion.q_posterior")
def q_posterior(student: Remote, draw: Draw) -> None:
    for shape, steps, dtype in SHAPES:
        given = _steps(draw, shape, steps, dtype)
        mixed = torch.cat([torch.zeros(1, dtype=torch.long), given.t[1:]])
        for t in (given.t, mixed, torch.full((shape[0],), steps - 1), torch.zeros_like(given.t)):
            mean, variance = expect(student(given.x_0, given.x_t, t, given.betas)).items(2)
            wanted = reference.q_posterior(given.x_0, given.x_t, t, given.betas)
            label = "at the first step, index 0, " if not t.any() else ""
            expect(mean, f"{label}the mean").close(wanted[0])
            is_spread = isinstance(variance, Tensor) and variance.shape == given.x_t.shape
            expect(variance, f"{label}the variance").close(
                wanted[1].expand_as(given.x_t) if is_spread else wanted[1], atol=1e-6
            )


@exercise("diffusion.posterior_mean_from_eps")
def posterior_mean_from_eps(student: Remote, draw: Draw) -> None:
    for shape, steps, dtype in SHAPES:
        given = _steps(draw, shape, steps, dtype)
        for t in (given.t, torch.full((shape[0],), steps - 1), torch.zeros(shape[0], dtype=torch.long)):
            wanted = reference.posterior_mean_from_eps(given.x_t, given.eps, t, given.betas)
            expect(student(given.x_t, given.eps, t, given.betas)).close(wanted)


@exercise("diffusion.loss_weight")
def loss_weight(student: Remote, draw: Draw) -> None:
    for steps, dtype in ((7, torch.float64), (12, torch.float32), (1, torch.float64)):
        betas, variances = _schedule(draw, steps, dtype), draw.positive(steps, dtype=dtype)
        expect(student(betas, variances)).close(reference.loss_weight(betas, variances))


@exercise("diffusion.optimal_eps")
def optimal_eps(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((9,), torch.float64), ((4, 3), torch.float32), ((1,), torch.float32)):
        x_t = 2 * draw.normal(*shape, dtype=dtype)
        alpha_bar = draw.uniform(0.1, 0.9, 1, dtype=dtype)[0]
        mean, std = 2 * float(draw.normal(1)[0]), float(draw.positive(1)[0])
        for value in (float(alpha_bar), alpha_bar):
            expect(student(x_t, value, mean, std)).close(reference.optimal_eps(x_t, value, mean, std))


@exercise("diffusion.elbo_terms")
def elbo_terms(student: Remote, draw: Draw) -> None:
    for steps, factor in ((6, 1.0), (11, 0.02), (2, 1.0)):
        betas = factor * _schedule(draw, steps, torch.float64)
        mean, std = 2 * float(draw.normal(1)[0]), float(draw.positive(1)[0])
        l_0, between, l_T = expect(student(mean, std, betas)).items(3)
        wanted = reference.elbo_terms(mean, std, betas)
        expect(l_0, "L_0").close(wanted[0])
        expect(between, "L_1 … L_{T−1}").close(wanted[1])
        expect(l_T, "L_T").close(wanted[2])


# The class


@exercise("diffusion.eps_loss")
def eps_loss(student: Remote, draw: Draw) -> None:
    for shape, dtype in (((5, 3), torch.float32), ((2, 3, 4, 5), torch.float64)):
        eps, eps_hat = draw.normal(*shape, dtype=dtype), 2 * draw.normal(*shape, dtype=dtype)
        expect(student(eps, eps_hat), "the loss without a kind").close(reference.eps_loss(eps, eps_hat))
        for kind in ("l2", "l1"):
            wanted = reference.eps_loss(eps, eps_hat, kind)
            expect(student(eps, eps_hat, kind), f"the loss of kind {kind!r}").close(wanted)
    for kind in ("l2", "l1"):
        (gradient,) = student.gradient(eps, eps_hat, kind, wrt=[1])
        expect(gradient).holds(
            gradient is not None, "No gradient reaches eps_hat: training could not improve it.", "detached"
        )
    for kind in ("l3", "smooth_l1"):
        try:
            student(eps, eps_hat, kind)
        except AnswerRaised as raised:
            is_right = raised.kind == "ValueError"
            expect(raised).holds(is_right, f"For an unknown kind it raises {raised.kind}, not ValueError.")
        else:
            expect(None).holds(False, f"An unknown kind, {kind!r}, is accepted: raise ValueError.", "accepts_any_kind")


@dataclass(frozen=True)
class _Made:
    """A student's Diffusion around a toy network."""

    diffusion: Remote
    toy: Remote
    alpha_bars: Tensor
    betas: Tensor


def _made(student: Remote, draw: Draw, *, size: int, channels: int, steps: int, const: float | None = None) -> _Made:
    """Around a network that answers scale[t] x + shift[t]; with `const`, just so that x̂_0 is this number everywhere."""
    betas = reference.cosine_schedule(steps)
    alpha_bars = reference.alpha_bars_of(betas)
    scale, shift = 0.5 * draw.normal(steps), draw.normal(steps)
    if const is not None:
        scale = (1 - alpha_bars).rsqrt()
        shift = -alpha_bars.sqrt() * const * scale
    toy = student.toy("Recorder", scale, shift)
    diffusion = student.kept(toy, image_size=size, channels=channels, timesteps=steps)
    return _Made(diffusion, toy, alpha_bars, betas)


def _seen(made: _Made) -> tuple[list, list]:
    """x and t of the network's calls so far."""
    inputs, times = made.toy.attribute("inputs"), made.toy.attribute("times")
    return (inputs if isinstance(inputs, list) else [inputs]), (times if isinstance(times, list) else [times])


def _image(draw: Draw, *shape: int) -> Tensor:
    return draw.uniform(-1, 1, *shape)


@exercise("diffusion.Diffusion")
def whole_class(student: Remote, draw: Draw) -> None:
    for steps, size, channels in ((40, 4, 2), (13, 6, 3)):
        made = _made(student, draw, size=size, channels=channels, steps=steps)
        for name, wanted in (("image_size", size), ("channels", channels), ("timesteps", steps)):
            found = made.diffusion.attribute(name)
            expect(found).holds(found == wanted, f"The attribute {name} is not what was asked for.")
        wanted = {"betas": made.betas, "alphas": 1 - made.betas, "alpha_bars": made.alpha_bars}
        for name, right in wanted.items():
            found = expect(made.diffusion.attribute(name), name).shape(steps).finite().value.double()
            is_close = torch.allclose(found[:-1], right[:-1].double(), rtol=0, atol=1e-3)
            last = abs(float(found[-1] - right[-1])) < (1e-4 if name == "alpha_bars" else 2e-3)
            expect(found).holds(is_close and last, f"{name} has the right shape, but its numbers are wrong.")
            expect(found).holds(
                not _is_parameter(made.diffusion, name),
                f"{name} is a parameter, so training would change it: register a buffer.",
                "parameters_for_buffers",
            )
        made.diffusion.half.kept()  # as .to(device) would, it moves what is registered, and nothing else
        for name in wanted:
            found = made.diffusion.attribute(name)
            expect(found).holds(
                isinstance(found, Tensor) and found.dtype == torch.float16,
                f"{name} does not move with the module: register it as a buffer.",
                "plain_attributes",
            )


def _is_parameter(diffusion: Remote, name: str) -> bool:
    try:
        diffusion.get_parameter.kept(name)
    except AnswerRaised:
        return False
    return True


@exercise("diffusion.q_sample")
def q_sample(student: Remote, draw: Draw) -> None:
    made = _made(student, draw, size=4, channels=2, steps=30)
    x_0, noise = _image(draw, 5, 2, 4, 4), draw.normal(5, 2, 4, 4)
    t = torch.tensor([0, 29, *(draw.integer(3, 28) for _ in range(3))])
    wanted = _noised(x_0, made.alpha_bars[t], noise)
    expect(made.diffusion.q_sample(x_0, t, noise)).close(wanted, atol=2e-3)
    expect(made.diffusion.q_sample(x_0, t, noise=torch.zeros_like(noise)), "x_t for noise 0").close(
        _noised(x_0, made.alpha_bars[t], 0 * noise), atol=2e-3
    )
    count, k = 3000, 17
    many = _image(draw, 1, 2, 2, 2).expand(count, -1, -1, -1).contiguous()
    steps = torch.full((count,), k)
    noises = []
    for _ in range(2):
        got = expect(made.diffusion.q_sample(many, steps), "x_t without noise given").shape(*many.shape).finite().value
        noises.append((got - made.alpha_bars[k].sqrt() * many) / (1 - made.alpha_bars[k]).sqrt())
    _expect_white(noises, "q_sample, where no noise is given")


def _noised(x_0: Tensor, alpha_bars: Tensor, noise: Tensor) -> Tensor:
    alpha_bars = alpha_bars.view(-1, 1, 1, 1)
    return alpha_bars.sqrt() * x_0 + (1 - alpha_bars).sqrt() * noise


def _expect_white(noises: Sequence[Tensor], what: str) -> None:
    """Standard normal and independent, from entry to entry, image to image and draw to draw.

    Means, variances and correlations within SIGMAS standard errors, the fourth moment within 10: together at most 1e-6
    false alarms, for up to 5,000 numbers looked at.
    """
    flat = [noise.double().flatten(1) for noise in noises]
    count = len(flat[0])
    expect(flat).holds(float(flat[0].abs().max()) > 0.1, f"No noise is drawn in {what}.", "no_noise")
    expect(flat).holds(
        not torch.allclose(flat[0][0], flat[0][1], atol=1e-3),
        f"The images of a batch share one noise in {what}: each must have its own.",
        "one_noise_for_the_batch",
    )
    expect(flat).holds(
        not torch.allclose(flat[0][:, :1].expand_as(flat[0]), flat[0], atol=1e-3),
        f"All entries of an image share one number in {what}: each must have its own.",
        "one_number_for_an_image",
    )
    error = 1 / count**0.5
    columns = torch.cat(flat, dim=1)
    centred = columns - columns.mean(dim=0)
    deviation = centred.square().mean(dim=0).sqrt()
    expect(flat).holds(bool((deviation > 0.05).all()), f"The noise in {what} is not standard normal.", "other_noise")
    correlations = (centred / deviation).T @ (centred / deviation) / count - torch.eye(columns.shape[1])
    neighbours = (centred[1:] * centred[:-1]).mean(dim=0) / deviation**2
    is_independent = max(float(correlations.abs().max()), float(neighbours.abs().max())) < SIGMAS * error
    expect(flat).holds(
        is_independent,
        f"In {what}, the noise of one entry, image, step or call tells that of another: it is used again.",
        "noise_used_again",
    )
    is_standard = (
        float(columns.mean(dim=0).abs().max()) < SIGMAS * error
        and float((centred.square().mean(dim=0) - 1).abs().max()) < SIGMAS * 2**0.5 * error
        and abs(float((columns**4).mean()) - 3) < 10 * (96 / columns.numel()) ** 0.5
    )
    expect(flat).holds(is_standard, f"The noise in {what} is not standard normal.", "other_noise")


@exercise("diffusion.p_losses")
def p_losses(student: Remote, draw: Draw) -> None:
    made = _made(student, draw, size=3, channels=2, steps=25)
    x_0, noise = _image(draw, 4, 2, 3, 3), draw.normal(4, 2, 3, 3)
    t = torch.tensor([0, 24, draw.integer(3, 12), draw.integer(13, 23)])
    for kind in ("l2", "l1"):
        made.diffusion.assign("loss_kind", kind)
        got = made.diffusion.p_losses(x_0, t, noise)
        x_t, predicted = _prediction(made, t)
        expect(x_t, "what the network is shown").close(_noised(x_0, made.alpha_bars[t], noise), atol=2e-3)
        expect(got, f"the loss of kind {kind!r}").close(reference.eps_loss(noise, predicted, kind), rtol=1e-3)
    _expect_trained(made, made.diffusion.p_losses.gradient(x_0, t, noise, wrt=made.toy))
    _expect_training_mode(made)
    made.diffusion.assign("loss_kind", "l2")
    found = []
    count = 1500
    many, steps = _image(draw, 1, 2, 3, 3).expand(count, -1, -1, -1).contiguous(), torch.full((count,), 11)
    for _ in range(2):
        got = made.diffusion.p_losses(many, steps)
        x_t, predicted = _prediction(made, steps)
        noises = (x_t - made.alpha_bars[11].sqrt() * many) / (1 - made.alpha_bars[11]).sqrt()
        expect(got, "the loss without noise given").close(reference.eps_loss(noises, predicted), rtol=1e-2)
        found.append(noises)
    _expect_white(found, "p_losses, where no noise is given")


def _prediction(made: _Made, t: Tensor) -> tuple[Tensor, Tensor]:
    """What the network was shown in its last call, and what it answered."""
    inputs, times = _seen(made)
    expect(inputs).holds(bool(inputs), "The network is not called at all.", "network_not_called")
    _expect_steps(times[-1], len(t))
    expect(times[-1], "the t that the network is given").holds(
        torch.equal(times[-1].long(), t),
        "The network is given other steps t than those that x_t was made with.",
        "other_steps",
    )
    return inputs[-1], _answer(made, inputs[-1], times[-1])


def _answer(made: _Made, x: Tensor, t: Tensor) -> Tensor:
    scale, shift = made.toy.attribute("scale"), made.toy.attribute("shift")
    return scale[t].view(-1, 1, 1, 1) * x + shift[t].view(-1, 1, 1, 1)


def _expect_steps(t: object, batch: int) -> None:
    given = expect(t, "the t that the network is given").shape(batch, mistake="one_step_for_the_batch")
    given.holds(given.value.dtype == torch.long, "The t that the network is given is no long tensor.")


def _expect_training_mode(made: _Made) -> None:
    modes = made.toy.attribute("modes")
    expect(modes).holds(
        all(modes),
        "The network is put into evaluation mode for the loss, so that dropout would not train.",
        "trains_in_evaluation_mode",
    )


def _expect_trained(made: _Made, sizes: list[float | None]) -> None:
    expect(sizes).holds(
        all(size is not None and size > 0 and math.isfinite(size) for size in sizes),
        "The loss sends no gradient to the network: look for detach, no_grad or item.",
        "loss_without_a_gradient",
    )


@exercise("diffusion.forward")
def forward(student: Remote, draw: Draw) -> None:
    steps, count = 12, 4000
    made = _made(student, draw, size=2, channels=2, steps=steps)
    x_0 = _image(draw, 1, 2, 2, 2).expand(count, -1, -1, -1).contiguous()
    noise = draw.normal(count, 2, 2, 2)
    calls = []
    for given, kind in ((noise, "l2"), (None, "l1"), (None, "l2")):
        made.diffusion.assign("loss_kind", kind)
        got = made.diffusion(x_0) if given is None else made.diffusion(x_0, noise=given)
        inputs, times = _seen(made)
        expect(inputs).holds(bool(inputs), "The network is not called at all.", "network_not_called")
        t, x_t = times[-1], inputs[-1]
        _expect_steps(t, count)
        t = t.long()
        expect(t).holds(bool(((t >= 0) & (t < steps)).all()), "Some step lies outside 0 … T − 1.", "steps_outside")
        expect(t).holds(
            len(t.unique()) > 1,
            "The whole batch has one step t: every example needs a step of its own.",
            "one_step_for_the_batch",
        )
        expect(x_t, "what the network is shown").dtype(torch.float32)
        alpha_bars = made.alpha_bars[t].view(-1, 1, 1, 1)
        found = (x_t - alpha_bars.sqrt() * x_0) / (1 - alpha_bars).sqrt()
        if given is not None:
            for factor, mistake in ((0.0, "no_noise"), (2.0, "doubles_the_noise")):
                expect(found).holds(
                    not torch.allclose(found, factor * given, atol=2e-2),
                    "The noise does not enter as it is given.",
                    mistake,
                )
            expect(found).holds(
                torch.allclose(found, given, atol=2e-2),
                "The noise that is given is not the noise in x_t: it is ignored or changed.",
                "ignores_its_noise",
            )
        expect(got, "the loss").close(reference.eps_loss(found, _answer(made, x_t, t), kind), rtol=2e-2)
        calls.append((t, found))
    _expect_uniform(torch.cat([t for t, _ in calls]), steps)
    expect(calls).holds(
        not torch.equal(calls[1][0], calls[2][0]),
        "Two calls use the same steps t: draw them at every call.",
        "steps_drawn_once",
    )
    _expect_white([found for _, found in calls[1:]], "forward, where no noise is given")
    _expect_trained(made, made.diffusion.gradient(x_0[:5], wrt=made.toy))
    _expect_training_mode(made)


def _expect_uniform(t: Tensor, steps: int) -> None:
    """Each step as often as any other: counts within SIGMAS standard errors (false alarms: 1e-9 for 12 steps)."""
    counts = torch.bincount(t, minlength=steps).double()
    expect(t).holds(
        counts[0] > 0,
        "The first step, index 0, is never drawn: t must come from all of 0 … T − 1.",
        "never_the_first_step",
    )
    expect(t).holds(
        counts[-1] > 0,
        "The last step, index T − 1, is never drawn: t must come from all of 0 … T − 1.",
        "never_the_last_step",
    )
    expected = len(t) / steps
    centred = (t - t.double().mean()) / t.double().std()
    is_apart = abs(float((centred[1:] * centred[:-1]).mean())) < SIGMAS / len(t) ** 0.5
    expect(t).holds(is_apart, "Neighbouring examples have the same or similar steps: draw each by itself.")
    is_even = float((counts - expected).abs().max()) < SIGMAS * (expected * (1 - 1 / steps)) ** 0.5
    expect(t).holds(is_even, "The steps are not drawn uniformly.", "steps_not_uniform")


@exercise("diffusion.p_sample")
def p_sample(student: Remote, draw: Draw) -> None:
    made = _made(student, draw, size=4, channels=3, steps=20)
    x, last = draw.normal(2, 3, 4, 4), torch.zeros(2, dtype=torch.long)
    got = made.diffusion.p_sample(x, last, 0)
    expect(got, "the state after the last step").shape(2, 3, 4, 4).finite()
    again = made.diffusion.p_sample(x, last, 0)
    expect(got).holds(torch.equal(got, again), "The last step, index 0, adds noise.", "noise_at_the_last_step")
    wanted = _posterior_mean(made, x, 0)
    expect(got, "the state after the last step").close(wanted, rtol=1e-3, atol=2e-3)
    # At the late steps, where 1 / √ᾱ is large, most is clamped, but for the network that knows x_0.
    count = 1500
    knowing = _made(student, draw, size=4, channels=3, steps=20, const=float(draw.uniform(0.2, 0.6, 1)[0]))
    for tried, k in ((made, 19), (made, 12), (made, 1), (knowing, 19)):
        one = draw.normal(1, 3, 2, 2)
        many, t = one.expand(count, -1, -1, -1).contiguous(), torch.full((count,), k)
        found = []
        mean, std = _posterior_mean(tried, one, k), _posterior_std(tried, k)
        for _ in range(2):
            value = (
                expect(tried.diffusion.p_sample(many, t, k), "the state after a step")
                .shape(count, 3, 2, 2)
                .finite()
                .value
            )
            found.append(value)
        _, times = _seen(tried)
        _expect_steps(times[-1], count)
        expect(times).holds(
            torch.equal(times[-1].long(), t), "The network is given other steps t than p_sample was.", "other_steps"
        )
        expect(found).holds(
            float(found[0].std(dim=0).max()) > 0 or not torch.equal(*found),
            "At a step other than the last no noise is added.",
            "never_any_noise",
        )
        centre = torch.cat(found).double().mean(dim=0)
        off = float((centre - mean[0].double()).abs().max())
        # The mean of 3000 draws, within SIGMAS standard errors, and room for float32.
        expect(found).holds(
            off < SIGMAS * std / (2 * count) ** 0.5 + 2e-3,
            "The mean of p_sample over many draws is wrong.",
            _which_mean(tried, one, k, centre),
        )
        noise = torch.cat(found).double() - centre
        spread = float(noise.square().mean().sqrt()) / std
        is_right = abs(spread - 1) < SIGMAS / (2 * noise.numel()) ** 0.5 + 2e-3
        expect(found).holds(
            is_right,
            "The noise of p_sample has a wrong standard deviation.",
            _which_std(tried, k, spread * std),
        )
        _expect_white([(value - mean) / std for value in found], "p_sample")
    kept = knowing.diffusion.p_sample.kept(x, last + 3, 3)
    expect(kept).holds(
        kept.attribute("requires_grad") is False,
        "The result carries a graph, which fills the memory over T steps: use no_grad.",
        "keeps_a_graph",
    )


def _posterior_mean(made: _Made, x: Tensor, k: int, betas: Tensor | None = None) -> Tensor:
    """The mean of q(x_{t−1} | x_t, x̂_0), x̂_0 clamped. x: (B, C, H, W)."""
    t = torch.full((len(x),), k)
    alpha_bar = made.alpha_bars[k]
    x_0 = ((x - (1 - alpha_bar).sqrt() * _answer(made, x, t)) / alpha_bar.sqrt()).clamp(-1, 1)
    return reference.q_posterior(x_0, x, t, made.betas)[0]


def _posterior_std(made: _Made, k: int) -> float:
    return float(reference.posterior_coefficients(made.betas)[2][k].sqrt())


def _which_mean(made: _Made, x: Tensor, k: int, centre: Tensor) -> str | None:
    """The name of a known wrong mean that explains what was found."""
    t, alpha_bars, betas = torch.full((1,), k), made.alpha_bars, made.betas
    eps = _answer(made, x, t)
    free = (x - (1 - alpha_bars[k]).sqrt() * eps) / alpha_bars[k].sqrt()
    x_0, before = free.clamp(-1, 1), reference.alpha_bars_before(betas)[k]
    of_x_0 = before.sqrt() * betas[k] / (1 - alpha_bars[k])
    candidates = {
        "forgets_the_clamp": reference.posterior_mean_from_eps(x, eps, t, betas),
        "root_of_alpha_bar": of_x_0 * x_0 + alpha_bars[k].sqrt() * (1 - before) / (1 - alpha_bars[k]) * x,
        "root_over_the_product": of_x_0 * x_0 + ((1 - betas[k]) * (1 - before)).sqrt() / (1 - alpha_bars[k]) * x,
        "jumps_to_x_0": x_0,
        "clamps_to_zero_and_one": of_x_0 * free.clamp(0, 1)
        + (1 - betas[k]).sqrt() * (1 - before) / (1 - alpha_bars[k]) * x,
    }
    for name, value in candidates.items():
        if float((value[0].double() - centre).abs().max()) < SIGMAS * _posterior_std(made, k) / 3000**0.5 + 2e-3:
            return name
    return None


def _which_std(made: _Made, k: int, found: float) -> str | None:
    betas, right = made.betas, _posterior_std(made, k)
    candidates = {
        "variance_for_the_standard_deviation": right**2,
        "noise_of_the_forward_step": float(betas[k].sqrt()),
        "beta_for_the_standard_deviation": float(betas[k]),
        "unit_noise": 1.0,
    }
    return next((name for name, value in candidates.items() if abs(found / value - 1) < 0.02), None)


@exercise("diffusion.p_sample_loop")
def p_sample_loop(student: Remote, draw: Draw) -> None:
    steps, batch, const = 9, 900, float(draw.uniform(0.2, 0.6, 1)[0])
    made = _made(student, draw, size=2, channels=2, steps=steps, const=const)
    made.diffusion.train.kept()
    start = draw.normal(batch, 2, 2, 2)
    got = expect(made.diffusion.p_sample_loop(start), "x_0").shape(batch, 2, 2, 2).finite().value
    _expect_chain(made, start, steps)
    expect(got, "x_0").close(torch.full_like(start, const), rtol=1e-2, atol=1e-2, mistake="returns_another_state")
    _expect_evaluation_mode(made)
    made.diffusion.p_sample_loop(start)
    inputs, _ = _seen(made)
    expect(inputs).holds(
        not torch.equal(inputs[steps - 1], inputs[-1]), "Two chains use the same noise.", "noise_used_again"
    )
    kept = made.diffusion.p_sample_loop.kept(start[:3])
    expect(kept).holds(
        kept.attribute("requires_grad") is False,
        "The result carries a graph, which fills the memory over T steps: use no_grad.",
        "keeps_a_graph",
    )


def _expect_evaluation_mode(made: _Made) -> None:
    modes = made.toy.attribute("modes")
    expect(modes).holds(
        not any(modes),
        "The network samples in training mode, where dropout and batch normalisation behave otherwise.",
        "samples_in_training_mode",
    )


def _expect_chain(made: _Made, start: Tensor | None, steps: int) -> Tensor:
    """The network saw a reverse chain: steps T − 1 … 0, each made from the one before with fresh noise. Returns x_T."""
    inputs, times = _seen(made)
    batch = len(inputs[0]) if inputs else 0
    for t in times:
        _expect_steps(t, batch)
    order = [int(t[0]) for t in times]
    for wanted, mistake in ((list(range(steps)), "runs_forward"), (order[:0], "network_not_called")):
        expect(order).holds(order != wanted, "The steps do not go from index T − 1 down to 0.", mistake)
    expect(order).holds(
        order != list(range(steps - 2, -1, -1)) and order != list(range(steps - 1, 0, -1)),
        "One step is left out: the indices go from T − 1 down to 0, both included.",
        "leaves_a_step_out",
    )
    is_right = order == list(range(steps - 1, -1, -1)) and all((t == t[0]).all() for t in times)
    expect(order).holds(is_right, "The steps do not go from index T − 1 down to 0, each once.")
    if start is not None:
        expect(inputs[0]).holds(
            torch.allclose(inputs[0], start, atol=1e-5),
            "The chain does not start from the images that are given.",
            "starts_elsewhere",
        )
    expect(inputs).holds(
        not all(torch.equal(x, inputs[0]) for x in inputs),
        "Every step starts from the first state: it must start from what the step before gave.",
        "always_from_the_start",
    )
    noises = []
    for k, x, following in zip(order, inputs, inputs[1:], strict=False):
        residual = (following - _posterior_mean(made, x, k)) / _posterior_std(made, k)
        noises.append(residual)
    _expect_white(noises, "the chain")
    return inputs[0]


@exercise("diffusion.sample")
def sample(student: Remote, draw: Draw) -> None:
    steps, batch, const = 8, 700, float(draw.uniform(0.2, 0.6, 1)[0])
    made = _made(student, draw, size=3, channels=2, steps=steps, const=const)
    made.diffusion.train.kept()
    images = expect(made.diffusion.sample(batch), "the images").shape(batch, 2, 3, 3)
    got = images.dtype(torch.float32).finite().value
    expect(got).holds(
        not torch.allclose(got, torch.full_like(got, const), atol=1e-2),
        "The images lie in [−1, 1]: map them to [0, 1].",
        "images_in_minus_one_to_one",
    )
    start = _expect_chain(made, None, steps)
    _expect_white([start], "the start of sample")
    expect(got, "the images").close(torch.full_like(got, (const + 1) / 2), rtol=1e-2, atol=1e-2)
    _expect_evaluation_mode(made)
    expect(made.diffusion.sample(batch), "another batch").shape(batch, 2, 3, 3).within(-1e-3, 1 + 1e-3)
    _expect_white([start, _seen(made)[0][-steps]], "the starts of two calls of sample")
    expect(made.diffusion.sample(1), "a single image").shape(1, 2, 3, 3).within(-1e-3, 1 + 1e-3)


# Figures


def _figure(student: Remote, found: object, right: Tensor, mistakes: dict[str, Callable[[], Tensor]]) -> None:
    figure, states = expect(found, "what it returns").items(2)
    expect(figure, "the figure").kind("Figure")
    if isinstance(states, numpy.ndarray):
        states = torch.from_numpy(states)
    if isinstance(states, list) and all(isinstance(state, Tensor) for state in states) and len(states):
        expect(states).holds(False, "The states are a list; stack them into one tensor with torch.stack.")
    expect(states, "the states").shape(*right.shape).finite()
    for name, wrong in mistakes.items():
        other = wrong()
        is_it = other.shape == states.shape and torch.allclose(states.float(), other.float(), atol=1e-4)
        expect(states).holds(not is_it, "The states have the right shape, but their numbers are wrong.", name)
    expect(states, "the states").close(right, rtol=1e-3, atol=1e-3)


def _drift(student: Remote, draw: Draw, steps: int) -> tuple[Remote, Drift]:
    shift = draw.positive(steps)
    return student.toy("Drift", shift), Drift(shift)


@exercise("diffusion.plot_forward")
def plot_forward(student: Remote, draw: Draw) -> None:
    for steps, shape in ((120, (2, 3, 4, 4)), (57, (3, 1, 5, 5))):
        toy, own = _drift(student, draw, steps)
        x_0 = 3 * draw.normal(*shape)
        right = reference.forward_states(own, x_0)
        whole = torch.stack([own.q_sample(x_0, torch.full((len(x_0),), p * steps // 100)) for p in (0, 25, 50, 75, 99)])
        mistakes = {
            "counts_from_the_index": lambda whole=whole: whole,
            "rescales_the_states": lambda right=right: (right + 1) / 2,
            "clips_the_states": lambda right=right: right.clamp(-1, 1),
            "clips_and_rescales_the_states": lambda right=right: (right.clamp(-1, 1) + 1) / 2,
        }
        _figure(student, student(toy, x_0), right, mistakes)


@exercise("diffusion.plot_backward")
def plot_backward(student: Remote, draw: Draw) -> None:
    for steps, shape in ((120, (2, 3, 4, 4)), (57, (3, 1, 5, 5))):
        toy, own = _drift(student, draw, steps)
        x = 3 * draw.normal(*shape)
        times = reference.steps_at(steps, (99, 75, 50, 25, 0))
        right = reference.states_on_the_way(own, x, times[0], times)
        mistakes = {
            "starts_from_a_rescaled_image": lambda own=own, x=x, t=times: reference.states_on_the_way(
                own, (x + 1) / 2, t[0], t
            ),
            "starts_from_a_clipped_image": lambda own=own, x=x, t=times: reference.states_on_the_way(
                own, x.clamp(-1, 1), t[0], t
            ),
            "starts_at_the_very_end": lambda own=own, x=x, t=times: _from_the_end(own, x, t),
            "rescales_the_states": lambda right=right: (right + 1) / 2,
            "in_the_other_order": lambda right=right: right.flip(0),
            "one_step_late": lambda own=own, x=x, t=times: _one_step_late(own, x, t),
        }
        _figure(student, student(toy, x), right, mistakes)
        _expect_one_chain(toy, times[0])


def _from_the_end(own: object, x: Tensor, times: list[int]) -> Tensor:
    states = reference.states_on_the_way(own, x, own.timesteps, [own.timesteps, *times[1:]])
    return states


def _one_step_late(own: object, x: Tensor, times: list[int]) -> Tensor:
    return reference.states_on_the_way(own, x, times[0], [times[0] - 1, *(max(t - 1, 0) for t in times[1:])])


@exercise("diffusion.plot_denoising")
def plot_denoising(student: Remote, draw: Draw) -> None:
    toy, own = _drift(student, draw, 200)
    x_T = 3 * draw.normal(2, 3, 4, 4)
    times = [200, 100, 50, 20, 10, 0]
    right = reference.states_on_the_way(own, x_T, 200, times)
    late = reference.states_on_the_way(own, x_T, 200, [199, 99, 49, 19, 9, 0])
    mistakes = {
        "drops_the_panel_of_pure_noise": lambda: late,
        "rescales_the_states": lambda: (right + 1) / 2,
        "in_the_other_order": lambda: right.flip(0),
    }
    found = student(toy, x_T)
    _, states = expect(found, "what it returns").items(2)
    expect(states).holds(
        not (isinstance(states, Tensor) and states.ndim == 5 and len(states) == 5),
        "There are five states, and six panels: the panel t = T, pure noise, is missing.",
        "drops_the_panel_of_pure_noise",
    )
    _figure(student, found, right, mistakes)
    for steps, chosen in ((31, [31, 30, 7, 1]), (23, [20, 5, 0])):
        toy, own = _drift(student, draw, steps)
        x_T = draw.normal(3, 1, 2, 2)
        right = reference.states_on_the_way(own, x_T, steps, chosen)
        _figure(student, student(toy, x_T, times=chosen), right, {})
        _expect_one_chain(toy, steps)


def _expect_one_chain(toy: Remote, steps: int) -> None:
    taken = toy.attribute("steps_back")
    expect(taken).holds(
        isinstance(taken, int) and taken <= steps,
        "More steps back are taken than one chain has: all panels show the same chain.",
        "a_chain_for_each_panel",
    )
