"""The constant schedule: β_t = beta for each of T steps.

Either precision will do, but not a single number, T + 1 entries, or α_t or ᾱ_t for β_t.
"""

import torch

from autograder.assignments.diffusion import common
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.constant_schedule")
def constant_schedule(student: Remote, draw: Draw) -> None:
    for steps in (draw.integer(5, 12), draw.integer(30, 60), 1):
        beta = float(draw.uniform(0.01, 0.4, 1)[0])
        got = common.checked_betas(student(steps, beta=beta), steps)
        expect(got).close(torch.full((steps,), beta, dtype=torch.float64), rtol=1e-5)
    steps = draw.integer(2, 6)
    got = common.checked_betas(student(steps), steps)
    expect(got, "the schedule with the default beta").close(torch.full((steps,), 0.02, dtype=torch.float64), rtol=1e-5)


@mistake("beta is a number, one for all steps; return a tensor with an entry for each step.")
def one_number(timesteps, beta=0.02):
    return torch.tensor(beta)


@mistake("These are the ᾱ_t; a schedule is the β_t themselves.")
def alpha_bars_for_betas(timesteps, beta=0.02):
    return torch.cumprod(torch.full((timesteps,), 1 - beta), dim=0)


@mistake("These are the α_t = 1 − β_t; return the β_t.")
def alphas_for_betas(timesteps, beta=0.02):
    return torch.full((timesteps,), 1 - beta)


@mistake("There is one entry too many: ᾱ_0 = 1 is not a step, and index 0 belongs to t = 1.")
def one_too_many(timesteps, beta=0.02):
    return torch.full((timesteps + 1,), beta)


@mistake("The argument beta is ignored: use it, not its default.")
def ignores_beta(timesteps, beta=0.02):
    return torch.full((timesteps,), 0.02)


@equivalent
def ones_times_beta(timesteps, beta=0.02):
    return beta * torch.ones(timesteps)


@equivalent
def in_double_precision(timesteps, beta=0.02):
    return torch.tensor([beta] * timesteps, dtype=torch.float64)


HARMLESS = {
    "graph": "A schedule has no gradient.",
    "return torch.full((timesteps,), float(beta)) → return torch.full((timesteps,), float(beta)).float()": "Betas of either precision will do.",
    "return torch.full((timesteps,), float(beta)) → return torch.full((timesteps,), float(beta)).double()": "Betas of either precision will do.",
    "torch.full((timesteps,), float(beta)), its rows in reverse": "All entries are the same.",
    "torch.full((timesteps,), float(beta)), its first row for all": "All entries are the same.",
    "torch.full((timesteps,), float(beta)), the mean of its rows for all": "All entries are the same.",
}
