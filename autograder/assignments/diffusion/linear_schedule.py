"""The linear schedule: β_t evenly spaced from beta_start to beta_end, both included.

An end is easily left out; other answers scale both by 1000/T, as some libraries do, run backward, or space roots or
logarithms evenly.
"""

import math

import torch

from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.linear_schedule")
def linear_schedule(student: Remote, draw: Draw) -> None:
    for steps in (draw.integer(4, 10), draw.integer(250, 400)):
        start, end = 1e-3 * float(draw.positive(1)[0]), 0.1 * float(draw.positive(1)[0])
        got = common.checked_betas(student(steps, beta_start=start, beta_end=end), steps)
        expect(got).close(torch.linspace(start, end, steps, dtype=torch.float64), rtol=1e-5, atol=1e-7)
    for steps in (1000, draw.integer(30, 80)):
        got = common.checked_betas(student(steps), steps)
        wanted = reference.linear_schedule(steps).double()
        expect(got, "the schedule with the default ends").close(wanted, rtol=1e-5, atol=1e-7)


@mistake(
    "The ends are scaled with 1000 / T. Some libraries do that; here β runs from beta_start to beta_end whatever T is."
)
def scaled_with_the_number_of_steps(timesteps, beta_start=1e-4, beta_end=0.02):
    scale = 1000 / timesteps
    return torch.linspace(scale * beta_start, scale * beta_end, timesteps)


@mistake("The last step must have beta_end itself: both ends are included.")
def without_the_end(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(beta_start, beta_end, timesteps + 1)[:-1]


@mistake("The first step must have beta_start itself: index 0 is the first step, not one before it.")
def without_the_start(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(beta_start, beta_end, timesteps + 1)[1:]


@mistake("The schedule runs backward: noise grows with t.")
def runs_backward(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(beta_end, beta_start, timesteps)


@mistake("The roots are evenly spaced, not the β: that is the scaled-linear schedule of latent diffusion.")
def evenly_spaced_roots(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(beta_start**0.5, beta_end**0.5, timesteps) ** 2


@mistake("The β are evenly spaced in their logarithm; they should be evenly spaced themselves.")
def evenly_spaced_logarithms(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.logspace(math.log10(beta_start), math.log10(beta_end), timesteps)


@mistake("The arguments beta_start and beta_end are ignored: use them, not their defaults.")
def ignores_the_ends(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(1e-4, 0.02, timesteps)


@equivalent
def by_hand(timesteps, beta_start=1e-4, beta_end=0.02):
    return beta_start + (beta_end - beta_start) * torch.arange(timesteps, dtype=torch.float64) / (timesteps - 1)


HARMLESS = {
    "graph": "A schedule has no gradient.",
    "return torch.linspace(beta_start, beta_end, timesteps) → return torch.linspace(beta_start, beta_end, timesteps).float()": "Betas of either precision will do.",
    "return torch.linspace(beta_start, beta_end, timesteps) → return torch.linspace(beta_start, beta_end, timesteps).double()": "Betas of either precision will do.",
    "return torch.linspace(beta_start, beta_end, timesteps) → return torch.linspace(beta_start, beta_end, timesteps).squeeze()": "A single step cannot begin at one β and end at another.",
}
