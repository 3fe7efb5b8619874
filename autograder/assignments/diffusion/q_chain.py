"""x_t from x_0 step by step, one step for each noise that is given.

There may be more betas than noises, and running through all of them is a common mistake; others use one noise for all
steps, start each step from x_0 again, go backward, or return all states.
"""

import torch

from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.q_chain")
def q_chain(student: Remote, draw: Draw) -> None:
    for steps, used, shape, dtype in draw.again(
        (6, 4, (5, 3), torch.float32),
        (3, 3, (2, 3, 4, 5), torch.float64),
        (4, 1, (1, 2), torch.float32),
    ):
        x, betas = 2 * draw.normal(*shape, dtype=dtype), common.random_betas(draw, steps, dtype)
        noises = draw.normal(used, *shape, dtype=dtype)
        expect(student(x, betas, noises)).close(reference.q_chain(x, betas, noises))


@mistake("The noise of the first step is used at every step: each step has its own.")
def same_noise_at_every_step(x_0, betas, noises):
    x = x_0
    for k in range(len(noises)):
        x = reference.q_step(x, betas[k], noises[0])
    return x


@mistake("All of betas are run through: t is the number of noises that are given.")
def runs_all_betas(x_0, betas, noises):
    x = x_0
    for k in range(len(betas)):
        x = reference.q_step(x, betas[k], noises[min(k, len(noises) - 1)])
    return x


@mistake("The steps are taken in the wrong order: first betas[0] with noises[0].")
def chain_backward(x_0, betas, noises):
    x = x_0
    for k in reversed(range(len(noises))):
        x = reference.q_step(x, betas[k], noises[k])
    return x


@mistake("The betas are taken from the end of the schedule: step k has betas[k].")
def betas_from_the_end(x_0, betas, noises):
    return reference.q_chain(x_0, betas.flip(0), noises)


@mistake("Every step starts from x_0 again: it must start from what the step before gave.")
def always_from_x_0(x_0, betas, noises):
    x = x_0
    for k in range(len(noises)):
        x = reference.q_step(x_0, betas[k], noises[k])
    return x


@mistake("One step is missing: with t noises there are t steps.")
def one_step_less(x_0, betas, noises):
    return reference.q_chain(x_0, betas, noises[:-1])


@mistake("All states are returned; return only the last one, x_t.")
def all_states(x_0, betas, noises):
    states = []
    for beta, noise in zip(betas, noises, strict=False):
        states.append(reference.q_step(states[-1] if states else x_0, beta, noise))
    return torch.stack(states)


@equivalent
def written_out(x_0, betas, noises):
    x = x_0.clone()
    for beta, noise in zip(betas[: len(noises)], noises, strict=True):
        x = (1 - beta).sqrt() * x + beta.sqrt() * noise
    return x


HARMLESS = {
    "graph": "The forward chain has no parameters: nothing is trained through it.",
}
