"""The class `Diffusion`, tried around a toy network: what several of its exercises share."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.assignments.diffusion import reference
from autograder.judge.chance import are_shuffled, is_repetitive, is_too_even
from autograder.judge.draw import Draw
from autograder.judge.expect import expect
from autograder.judge.student import Remote, Target
from fixmelab.judged.toys import Recorder

# Standard errors: a false alarm in 4e11 looks at a normal number, and, for the variances and correlations of a thousand
# draws, whose tails are heavier, in 1e10.
SIGMAS = 7.0


@dataclass(frozen=True)
class Trial:
    """A student's Diffusion around a toy network, and the schedule that it should have."""

    diffusion: Remote
    toy: Recorder
    alpha_bars: Tensor
    betas: Tensor

    def calls(self, shape: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """x and t of all calls of the network since the last look: of this shape, and (B,) long within 0 … T − 1."""
        pairs = list(zip(self.toy.inputs, self.toy.times, strict=True))
        self.toy.inputs.clear()
        self.toy.times.clear()
        expect(pairs).holds(bool(pairs), "The network is not called at all.", "network_not_called")
        return [(self._images(x, shape), self._steps(t, shape[0])) for x, t in pairs]

    def last_call(self, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
        return self.calls(shape)[-1]

    def _images(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        given: Tensor = expect(x, "what the network is shown").shape(*shape).finite().value
        return given

    def _steps(self, t: Tensor, batch: int) -> Tensor:
        given = expect(t, "the t that the network is given").shape(batch, mistake="one_step_for_the_batch")
        given.holds(t.dtype == torch.long, "The t that the network is given is no long tensor.")
        is_inside = bool(((t >= 0) & (t < len(self.betas))).all())
        given.holds(is_inside, "Some step lies outside 0 … T − 1.", "steps_outside")
        return t

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
    """Around a network that answers scale[t] x + shift[t]; with `const`, just so that x̂_0 is this number everywhere,
    but for the last step, where it follows x."""
    betas = reference.cosine_schedule(steps)
    alpha_bars = reference.alpha_bars_of(betas)
    scale, shift = 0.5 * draw.normal(steps), draw.normal(steps)
    if const is not None:
        scale = (1 - alpha_bars).rsqrt()
        shift = -alpha_bars.sqrt() * const * scale
        scale[0] = shift[0] = 0.0
    toy = Recorder(scale, shift, channels)
    diffusion = student.kept(toy, image_size=size, channels=channels, timesteps=steps)
    return Trial(diffusion, toy, alpha_bars, betas)


def expect_white_noise(noises: Sequence[Tensor], what: str) -> None:
    """Standard normal and independent, from entry to entry, image to image and draw to draw.

    noises: at least one of shape (B, …), all of one B, from calls that differ. Means, variances and correlations within
    SIGMAS standard errors, the fourth moment within 10: together at most 1e-6 false alarms, for up to 50,000 numbers
    looked at.
    """
    flat = [noise.double().flatten(1) for noise in noises]
    count = len(flat[0])
    for noise in flat:
        expect(noise).holds(float(noise.abs().max()) > 0.1, f"No noise is drawn in {what}.", "no_noise")
        expect(noise).holds(
            not torch.allclose(noise[0], noise[1], atol=1e-3),
            f"The images of a batch share one noise in {what}: each must have its own.",
            "one_noise_for_the_batch",
        )
        expect(noise).holds(
            not torch.allclose(noise[:, :1].expand_as(noise), noise, atol=1e-3),
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
    # All numbers of all draws in one row: what is used again, anywhere later, shows as a correlation at that distance;
    # what is used in another order shows when it is sorted.
    again = is_repetitive(torch.cat([noise.flatten() for noise in flat])) or are_shuffled(columns.T)
    sizes = {noise.shape[1] for noise in flat}
    again = again or any(are_shuffled(torch.stack([n.flatten() for n in flat if n.shape[1] == size])) for size in sizes)
    expect(flat).holds(
        not again,
        f"In {what}, the noise of one entry, image, step or call tells that of another: it is used again.",
        "noise_used_again",
    )
    # Draws scatter; what was balanced, such as pairs of opposite signs, does not.
    is_balanced = is_too_even((columns.mean(dim=0) / error) ** 2)
    expect(flat).holds(not is_balanced, f"The noise in {what} is not drawn independently: its mean is too exact.")


def expect_noise_apart_from_steps(noise: Tensor, t: Tensor, steps: int) -> None:
    """Neither size nor sign of the noise (N, …) goes with the steps t (N,): its means and mean squares over the images
    of a step lie within SIGMAS standard errors, 10 for squares, whose tails are heavier."""
    flat, one_hot = noise.double().flatten(1), torch.nn.functional.one_hot(t, steps).double()
    shares = one_hot.sum(dim=0).clamp(min=1).sqrt()[:, None]
    means, squares = one_hot.T @ flat / shares, one_hot.T @ ((flat**2 - 1) / 2**0.5) / shares
    expect(noise).holds(
        float(means.abs().max()) < SIGMAS and float(squares.abs().max()) < 10,
        "The noise of an image goes with its step t: draw them independently.",
    )


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
    x_t, t = trial.last_call(args[0].shape)
    alpha_bars = trial.alpha_bars[t].view(-1, 1, 1, 1)
    noise = (x_t - alpha_bars.sqrt() * args[0]) / (1 - alpha_bars).sqrt()
    predicted = trial.predicted_eps(x_t, t).requires_grad_()
    (wanted,) = torch.autograd.grad(reference.eps_loss(noise, predicted, kind), predicted)
    expect(trial.toy.gradients[0], "the gradient of the loss by what the network answers").close(
        wanted, rtol=2e-2, mistake="loss_without_a_gradient"
    )


@dataclass(frozen=True)
class Chain:
    """A reverse chain as the network saw it: the noise of each step, the state before the last step, and what that
    must give, each (B, …)."""

    start: Tensor
    noises: list[Tensor]
    before: Tensor
    end: Tensor


def expect_chain(trial: Trial, shape: Sequence[int], start: Tensor | None = None) -> Chain:
    """Since the last look, the network saw a chain of this shape: steps T − 1 … 0, each made from the one before with
    fresh noise, from `start`, if that is given, or from noise."""
    steps = len(trial.betas)
    calls = trial.calls(shape)
    inputs, order = [x for x, _ in calls], [int(t[0]) for _, t in calls]
    expect(order).holds(order != list(range(steps)), "The steps do not go from index T − 1 down to 0.", "runs_forward")
    expect(order).holds(
        order != list(range(steps - 2, -1, -1)) and order != list(range(steps - 1, 0, -1)),
        "One step is left out: the indices go from T − 1 down to 0, both included.",
        "leaves_a_step_out",
    )
    is_right = order == list(range(steps - 1, -1, -1)) and all(bool((t == t[0]).all()) for _, t in calls)
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
    return Chain(inputs[0], noises, inputs[-1], trial.posterior_mean(inputs[-1], 0))
