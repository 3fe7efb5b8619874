"""What several exercises of the diffusion notebook share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional

import fixmelab
from autograder.assignments.diffusion import reference
from autograder.assignments.diffusion.reference import Diffusion, extract
from autograder.judge.chance import is_repetitive, is_too_even
from autograder.judge.draw import Draw
from autograder.judge.expect import expect
from autograder.judge.student import Remote, Target
from fixmelab.judged.toys import Drift, Recorder

# Standard errors: a false alarm in 4e11 looks at a normal number, and, for the variances and correlations of a thousand
# draws, whose tails are heavier, in 1e10.
SIGMAS = 7.0

# Shape, T and dtype of batches.
BATCHES = ((5, 3), 7, torch.float64), ((4, 3, 2, 5), 9, torch.float32), ((2, 6), 5, torch.float64)


def checked_betas(betas: object, steps: int) -> Tensor:
    """A schedule of either precision, as float64."""
    found = expect(betas, "betas").shape(steps).finite().value
    is_precise = found.dtype in (torch.float32, torch.float64)
    expect(found).holds(is_precise, f"betas are {str(found.dtype).removeprefix('torch.')}; return a float tensor.")
    return found.double()


def random_betas(draw: Draw, steps: int, dtype: torch.dtype) -> Tensor:
    """β between 0.05 and 0.6, in no order."""
    return draw.uniform(0.05, 0.6, steps, dtype=dtype)


@dataclass(frozen=True)
class Batch:
    """x_0, x_t, ε and 0-based steps on a schedule."""

    betas: Tensor
    x_0: Tensor
    x_t: Tensor
    eps: Tensor
    t: Tensor


def random_batch(draw: Draw, shape: tuple[int, ...], steps: int, dtype: torch.dtype) -> Batch:
    """Noise all of it; no t is the first step."""
    t = torch.tensor([draw.integer(1, steps) for _ in range(shape[0])])
    betas = random_betas(draw, steps, dtype)
    x_0, x_t, eps = (draw.normal(*shape, dtype=dtype) for _ in range(3))
    return Batch(betas, x_0, x_t, eps, t)


def images(draw: Draw, *shape: int) -> Tensor:
    """Noise in [−1, 1]."""
    return draw.uniform(-1, 1, *shape)


def noised(x_0: Tensor, alpha_bars: Tensor, noise: Tensor) -> Tensor:
    """x_t; alpha_bars holds one ᾱ an image."""
    alpha_bars = alpha_bars.view(-1, 1, 1, 1)
    return alpha_bars.sqrt() * x_0 + (1 - alpha_bars).sqrt() * noise


# The class, tried around a toy


@dataclass(frozen=True)
class Trial:
    """A student's Diffusion around a toy network, and the schedule that it should have."""

    diffusion: Remote
    toy: Recorder
    alpha_bars: Tensor
    betas: Tensor

    def calls(self) -> tuple[list[Tensor], list[Tensor]]:
        """x and t of the network's calls so far."""
        return self.toy.inputs, self.toy.times

    def predicted_eps(self, x: Tensor, t: Tensor) -> Tensor:
        """What the network answers. x: (B, C, H, W)."""
        return self.toy.scale[t].view(-1, 1, 1, 1) * x + self.toy.shift[t].view(-1, 1, 1, 1)

    def posterior_mean(self, x: Tensor, k: int) -> Tensor:
        """The mean of q(x_{t−1} | x_t, x̂_0), x̂_0 clamped. x: (B, C, H, W)."""
        t = torch.full((len(x),), k)
        alpha_bar = self.alpha_bars[k]
        x_0 = ((x - (1 - alpha_bar).sqrt() * self.predicted_eps(x, t)) / alpha_bar.sqrt()).clamp(-1, 1)
        return reference.q_posterior(x_0, x, t, self.betas)[0]

    def posterior_std(self, k: int) -> float:
        return float(reference.posterior_coefficients(self.betas)[2][k].sqrt())


def trial_on_toy(
    student: Remote, draw: Draw, *, size: int, channels: int, steps: int, const: float | None = None
) -> Trial:
    """Around a network that answers scale[t] x + shift[t]; with `const`, just so that x̂_0 is this number everywhere."""
    betas = reference.cosine_schedule(steps)
    alpha_bars = reference.alpha_bars_of(betas)
    scale, shift = 0.5 * draw.normal(steps), draw.normal(steps)
    if const is not None:
        scale = (1 - alpha_bars).rsqrt()
        shift = -alpha_bars.sqrt() * const * scale
    toy = Recorder(scale, shift, channels)
    diffusion = student.kept(toy, image_size=size, channels=channels, timesteps=steps)
    return Trial(diffusion, toy, alpha_bars, betas)


def expect_white_noise(noises: Sequence[Tensor], what: str) -> None:
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
    # All numbers of all draws in one row: what is used again, anywhere later, shows as a correlation at that distance.
    expect(flat).holds(
        not is_repetitive(torch.cat([noise.flatten() for noise in flat])),
        f"In {what}, the noise of one entry, image, step or call tells that of another: it is used again.",
        "noise_used_again",
    )
    # Draws scatter; what was balanced, such as pairs of opposite signs, does not.
    is_balanced = is_too_even((columns.mean(dim=0) / error) ** 2)
    expect(flat).holds(not is_balanced, f"The noise in {what} is not drawn independently: its mean is too exact.")


def expect_steps(t: object, batch: int) -> None:
    """A long tensor that holds a step for each image."""
    given = expect(t, "the t that the network is given").shape(batch, mistake="one_step_for_the_batch")
    given.holds(given.value.dtype == torch.long, "The t that the network is given is no long tensor.")


def expect_training_mode(trial: Trial) -> None:
    expect(trial.toy.modes).holds(
        all(trial.toy.modes),
        "The network is put into evaluation mode for the loss, so that dropout would not train.",
        "trains_in_evaluation_mode",
    )


def expect_evaluation_mode(trial: Trial) -> None:
    expect(trial.toy.modes).holds(
        not any(trial.toy.modes),
        "The network samples in training mode, where dropout and batch normalisation behave otherwise.",
        "samples_in_training_mode",
    )


def expect_trained(trial: Trial, loss: Target, *args: Tensor, kind: str) -> None:
    """The gradient of a loss by what the network answered, which the toy was sent, is that of the loss of this kind.

    The first of `args` is x_0.
    """
    trial.toy.gradients.clear()
    loss.gradient(*args, wrt=trial.toy)
    expect(trial.toy.gradients).holds(
        len(trial.toy.gradients) == 1 and bool(trial.toy.gradients[0].any()),
        "The loss sends no gradient to the network: look for detach, no_grad or item.",
        "loss_without_a_gradient",
    )
    x_t, t = trial.toy.inputs[-1], trial.toy.times[-1].long()
    alpha_bars = trial.alpha_bars[t].view(-1, 1, 1, 1)
    noise = (x_t - alpha_bars.sqrt() * args[0]) / (1 - alpha_bars).sqrt()
    predicted = trial.predicted_eps(x_t, t).requires_grad_()
    (wanted,) = torch.autograd.grad(reference.eps_loss(noise, predicted, kind), predicted)
    expect(trial.toy.gradients[0], "the gradient of the loss by what the network answers").close(
        wanted, rtol=2e-2, mistake="loss_without_a_gradient"
    )


def expect_chain(trial: Trial, start: Tensor | None, steps: int) -> Tensor:
    """The network saw a reverse chain: steps T − 1 … 0, each made from the one before with fresh noise. Returns x_T."""
    inputs, times = trial.calls()
    batch = len(inputs[0]) if inputs else 0
    for t in times:
        expect_steps(t, batch)
    order = [int(t[0]) for t in times]
    for wrong, mistake in ((list(range(steps)), "runs_forward"), ([], "network_not_called")):
        expect(order).holds(order != wrong, "The steps do not go from index T − 1 down to 0.", mistake)
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
    noises = [
        (following - trial.posterior_mean(x, k)) / trial.posterior_std(k)
        for k, x, following in zip(order, inputs, inputs[1:], strict=False)
    ]
    expect_white_noise(noises, "the chain")
    return inputs[0]


# Figures, drawn with a model whose steps are known


def two_drifts(draw: Draw, steps: int) -> tuple[Drift, Drift]:
    """One for the student, which counts its steps back, and one of our own that steps alike."""
    shift = draw.positive(steps)
    return Drift(shift), Drift(shift)


def expect_figure(found: object, right: Tensor, mistakes: Mapping[str, Tensor]) -> None:
    """A figure and the right states; `mistakes` holds those of known mistakes, by their names."""
    figure, states = expect(found, "what it returns").items(2)
    expect(figure, "the figure").kind("Figure")
    if isinstance(states, numpy.ndarray):
        states = torch.from_numpy(states)
    if isinstance(states, list) and all(isinstance(state, Tensor) for state in states) and len(states):
        expect(states).holds(False, "The states are a list; stack them into one tensor with torch.stack.")
    expect(states, "the states").shape(*right.shape).finite()
    for name, wrong in mistakes.items():
        is_it = wrong.shape == states.shape and torch.allclose(states.float(), wrong.float(), atol=1e-4)
        expect(states).holds(not is_it, "The states have the right shape, but their numbers are wrong.", name)
    expect(states, "the states").close(right, rtol=1e-3, atol=1e-3)


def expect_one_chain(toy: Drift, steps: int) -> None:
    """The student's Drift was asked for no more than `steps` steps back."""
    expect(toy.steps_back).holds(
        toy.steps_back <= steps,
        "More steps back are taken than one chain has: all panels show the same chain.",
        "a_chain_for_each_panel",
    )


def with_figure(states):
    """A figure and what it shows, as a plot function returns them."""
    return fixmelab.show_strip(states, range(len(states))), states


# Mistakes and equivalents of several exercises


def posterior_with(x_0, x_t, t, betas, of_x_t=None, of_x_0=None, variance=None, before=None):
    """q_posterior with another factor of x_t or x_0, another variance or another ᾱ_{t−1}, each (T,)."""
    alpha_bars = reference.alpha_bars_of(betas)
    before = reference.alpha_bars_before(betas) if before is None else before
    of_x_0 = before.sqrt() * betas / (1 - alpha_bars) if of_x_0 is None else of_x_0
    of_x_t = (1 - betas).sqrt() * (1 - before) / (1 - alpha_bars) if of_x_t is None else of_x_t
    variance = betas * (1 - before) / (1 - alpha_bars) if variance is None else variance
    mean = extract(of_x_0, t, x_t.shape) * x_0 + extract(of_x_t, t, x_t.shape) * x_t
    return mean, extract(variance, t, x_t.shape)


def posterior_with_root_of_alpha_bar(x_0, x_t, t, betas):
    """With √ᾱ_t for √α_t in the factor of x_t."""
    alpha_bars, before = reference.alpha_bars_of(betas), reference.alpha_bars_before(betas)
    return posterior_with(x_0, x_t, t, betas, of_x_t=alpha_bars.sqrt() * (1 - before) / (1 - alpha_bars))


def posterior_with_root_over_the_product(x_0, x_t, t, betas):
    """With √(α_t (1 − ᾱ_{t−1})) for √α_t (1 − ᾱ_{t−1}) in the factor of x_t."""
    alpha_bars, before = reference.alpha_bars_of(betas), reference.alpha_bars_before(betas)
    return posterior_with(x_0, x_t, t, betas, of_x_t=((1 - betas) * (1 - before)).sqrt() / (1 - alpha_bars))


class Precomputed(Diffusion):
    """As many course copies do it: all that is ever needed is precomputed, and none of it kept in checkpoints."""

    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        nn.Module.__init__(self)
        self.model, self.image_size, self.channels, self.timesteps = model, image_size, channels, timesteps
        self.loss_kind = "l2"
        betas = reference.cosine_schedule(timesteps)
        alpha_bars = torch.cumprod(1 - betas, dim=0)
        before = functional.pad(alpha_bars[:-1], (1, 0), value=1.0)
        for name, value in {
            "betas": betas,
            "alphas": 1 - betas,
            "alpha_bars": alpha_bars,
            "root_alpha_bars": alpha_bars.sqrt(),
            "root_of_the_rest": (1 - alpha_bars).sqrt(),
            "of_x_0": before.sqrt() * betas / (1 - alpha_bars),
            "of_x_t": (1 - betas).sqrt() * (1 - before) / (1 - alpha_bars),
            "log_variance": (betas * (1 - before) / (1 - alpha_bars)).clamp(min=1e-20).log(),
        }.items():
            self.register_buffer(name, value, persistent=False)


class SamplesInTrainingMode(Diffusion):
    """The chain without model.eval()."""

    @torch.no_grad()
    def p_sample_loop(self, img):
        for k in reversed(range(self.timesteps)):
            img = self.p_sample(img, torch.full((len(img),), k), k)
        return img
