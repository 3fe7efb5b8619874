"""What several exercises of the diffusion notebook share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional

import fixmelab
from autograder.assignments.diffusion import reference
from autograder.assignments.diffusion.reference import Diffusion, extract
from autograder.judge.draw import Draw
from autograder.judge.expect import expect
from autograder.judge.pictures import expect_shown
from fixmelab.judged.toys import Drift

# Shape, T and dtype of batches.
BATCHES = ((5, 3), 7, torch.float64), ((4, 3, 2, 5), 9, torch.float32), ((1, 6), 5, torch.float64)


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


# Figures, drawn with a model whose steps are known


def two_drifts(draw: Draw, steps: int) -> tuple[Drift, Drift]:
    """One for the student, which counts its steps back, and one of our own that steps alike."""
    shift = draw.positive(steps)
    return Drift(shift), Drift(shift)


def pictured_drifts(draw: Draw, steps: int, start: int, *shape: int) -> tuple[Drift, Drift, Tensor]:
    """The same, and x at t = `start` (B, C, H, W), such that each state of the chain back is another picture in [−1, 1]."""
    patterns = draw.uniform(-0.6, 0.6, steps + 1, *shape[1:])
    shift = patterns[:-1] - patterns[1:]
    return Drift(shift), Drift(shift), patterns[start] + draw.uniform(-0.4, 0.4, *shape)


def expect_figure(found: object, right: Tensor, mistakes: Callable[[], Mapping[str, Tensor]] = dict) -> object:
    """A figure and the right states; `mistakes`, asked if they are not, gives those of known mistakes, by their names.
    Returns the figure."""
    figure, states = expect(found, "what it returns").items(2)
    expect(figure, "the figure").kind("Figure")
    if isinstance(states, numpy.ndarray):
        states = torch.from_numpy(states)
    if isinstance(states, list) and all(isinstance(state, Tensor) for state in states) and len(states):
        expect(states).holds(False, "The states are a list; stack them into one tensor with torch.stack.")
    expect(states, "the states").shape(*right.shape).finite()
    if not torch.allclose(states.double(), right.double(), rtol=1e-4, atol=1e-3):
        for name, wrong in mistakes().items():
            is_it = wrong.shape == states.shape and torch.allclose(states.float(), wrong.float(), atol=1e-4)
            expect(states).holds(not is_it, "The states have the right shape, but their numbers are wrong.", name)
    # A step of the toys is 0.2 at least, and the last of a hundred states may be 100.
    expect(states, "the states").close(right, rtol=1e-4, atol=1e-3)
    return figure


def expect_pictured(found: object, right: Tensor) -> None:
    """The right states, and a figure that shows them."""
    expect_shown(expect_figure(found, right), right)


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


class LoopOfOwnNoise(Diffusion):
    """The chain with noise of its own."""

    def noise(self, img):
        return torch.randn_like(img)

    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        for k in reversed(range(self.timesteps)):
            t = torch.full((len(img),), k)
            mean, variance = reference.q_posterior(self.predicted_x_0(img, t), img, t, self.betas)
            img = mean + variance.sqrt() * self.noise(img) if k else mean
        return img
