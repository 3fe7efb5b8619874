"""The cosine schedule: ᾱ_t = f(t)/f(0) with f(t) = cos²(((t/T + s)/(1 + s))·π/2), and α_t clipped at 0.001.

What is compared is ᾱ, which leaves room for other ways of clipping. Often the clip, the square or the offset s is
forgotten, t is off by one, or α_t or ᾱ_t is returned for β_t.
"""

import math

import torch

from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.cosine_schedule")
def cosine_schedule(student: Remote, draw: Draw) -> None:
    """ᾱ without its last entry to 1e-3, and the last α to a tenth of the stated bound: room for betas that are clipped
    instead, none for s = 0 or a shifted index."""
    other = {"s": float(draw.uniform(0.02, 0.05, 1)[0])}
    some, few, several = draw.integer(150, 250), draw.integer(30, 45), draw.integer(50, 80)
    for steps, options in ((some, {}), (1000, {}), (few, {}), (1, {}), (several, other)):
        betas = common.checked_betas(student(steps, **options), steps)
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
        is_clipped = abs(float(1 - betas[-1]) - 0.001) < 1e-4
        expect(got).holds(is_clipped, "α is clipped at another bound than 0.001.", "another_bound")


def _cosine(timesteps, s, power=2, shift=0.0):
    t = torch.arange(timesteps + 1, dtype=torch.float64) + shift
    return torch.cos((t / timesteps + s) / (1 + s) * math.pi / 2) ** power


@mistake("The last α is 0, and whatever is divided by it infinite: clip α to at least 0.001.")
def forgets_the_clip(timesteps, s=0.008):
    f = _cosine(timesteps, s)
    return (1 - f[1:] / f[:-1]).float()


@mistake("The offset s is missing, so that the first steps hardly add any noise.")
def without_the_offset(timesteps, s=0.008):
    f = _cosine(timesteps, 0.0)
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake("The argument s is ignored: use it, not its default.")
def ignores_s(timesteps, s=0.008):
    return reference.cosine_schedule(timesteps)


@mistake("The cosine must be squared.")
def without_the_square(timesteps, s=0.008):
    f = _cosine(timesteps, s, power=1)
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake("These are the ᾱ_t = f(t) / f(0); return β_t = 1 − ᾱ_t / ᾱ_{t−1}.")
def returns_alpha_bars(timesteps, s=0.008):
    return reference.alpha_bars_of(reference.cosine_schedule(timesteps, s))


@mistake("These are the α_t; return β_t = 1 − α_t.")
def returns_alphas(timesteps, s=0.008):
    return 1 - reference.cosine_schedule(timesteps, s)


@mistake("The steps are off by one: index 0 belongs to t = 1, so its α is f(1) / f(0).")
def one_step_early(timesteps, s=0.008):
    f = _cosine(timesteps, s, shift=-1.0)
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake(
    "t runs over T numbers from 0 to 1, ends included; then t / T is wrong at every step: it takes T + 1 numbers, 0 … T."
)
def divides_by_one_less(timesteps, s=0.008):
    t = torch.linspace(0, 1, timesteps, dtype=torch.float64)
    f = torch.cos((t + s) / (1 + s) * math.pi / 2) ** 2
    f = torch.cat([f[:1], f])
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake("s stands in the numerator only; it is divided by 1 + s as a whole, so that f(T) = 0.")
def offset_not_divided(timesteps, s=0.008):
    t = torch.arange(timesteps + 1, dtype=torch.float64)
    f = torch.cos((t / timesteps + s) * math.pi / 2) ** 2
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake("β is clipped far too early: α may fall to 0.001.")
def clips_too_early(timesteps, s=0.008):
    return reference.cosine_schedule(timesteps, s).clamp(max=0.02)


@mistake("α is clipped at another bound than 0.001.")
def another_bound(timesteps, s=0.008):
    return reference.cosine_schedule(timesteps, s).clamp(max=0.99)


@another_bound.also
def another_bound_below(timesteps, s=0.008):
    f = _cosine(timesteps, s)
    return torch.clip(1 - f[1:] / f[:-1], 1e-4, 0.9999)


@another_bound.also
def another_bound_below_in_float32(timesteps, s=0.008):
    return another_bound_below(timesteps, s).float()


@equivalent
def clips_betas(timesteps, s=0.008):
    f = _cosine(timesteps, s)
    alpha_bars = f / f[0]
    return torch.clip(1 - alpha_bars[1:] / alpha_bars[:-1], 0, 0.999)


@equivalent
def clips_betas_below_too(timesteps, s=0.008):
    f = _cosine(timesteps, s)
    return torch.clip(1 - f[1:] / f[:-1], 1e-4, 0.999)


@equivalent
def in_a_loop(timesteps, s=0.008):
    def left(t):
        return math.cos((t / timesteps + s) / (1 + s) * math.pi / 2) ** 2

    return torch.tensor([min(1 - left(t) / left(t - 1), 0.999) for t in range(1, timesteps + 1)])


@equivalent
def in_single_precision(timesteps, s=0.008):
    t = torch.linspace(0, timesteps, timesteps + 1)
    f = torch.cos((t / timesteps + s) / (1 + s) * math.pi * 0.5) ** 2
    return 1 - torch.clip((f / f[0])[1:] / (f / f[0])[:-1], 0.001, 1)


HARMLESS = {
    "graph": "A schedule has no gradient.",
    "torch.arange(timesteps + 1, dtype=torch.float64) → torch.arange(timesteps + 1)": "Single precision will do.",
    "torch.clip(f[1:] / f[:-1], 0.001, 1) → torch.clip(f[1:] / f[:-1], 0.001, 2)": "f falls, so that no α is above 1.",
    "return (1 - alphas).float() → return (1 - alphas).float().float()": "It is float already.",
    "return (1 - alphas).float() → return (1 - alphas).float().double()": "Betas of either precision will do.",
    "(1 - alphas).float() → 1 - alphas": "Betas of either precision will do.",
}
