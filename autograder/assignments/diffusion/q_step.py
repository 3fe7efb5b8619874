"""One step of noise: x_t = √(1 − β_t) x_{t−1} + √β_t ε.

Often a root is lost, the signal keeps its size, the two factors are swapped, or the noise that is given goes unused.
"""

import torch

from autograder.assignments.diffusion import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.q_step")
def q_step(student: Remote, draw: Draw) -> None:
    shapes = ((5, 3), torch.float32), ((2, 3, 4, 5), torch.float64), ((1, 6), torch.float32)
    for shape, dtype in draw.again(*shapes):
        x, noise = 2 * draw.normal(*shape, dtype=dtype), draw.normal(*shape, dtype=dtype)
        beta = draw.uniform(0.05, 0.6, 1, dtype=dtype)[0]
        for value in (float(beta), beta):
            expect(student(x, value, noise)).close(reference.q_step(x, beta, noise))


@mistake("The noise enters with its variance: a Gaussian of variance β is √β times standard noise.")
def variance_for_deviation(x_prev, beta, noise):
    return (1 - beta) ** 0.5 * x_prev + beta * noise


@mistake("The signal must shrink by the root of 1 − β, so that a variance of 1 stays 1.")
def signal_without_the_root(x_prev, beta, noise):
    return (1 - beta) * x_prev + beta**0.5 * noise


@mistake("The signal does not shrink: with every step the variance would grow.")
def signal_does_not_shrink(x_prev, beta, noise):
    return x_prev + beta**0.5 * noise


@mistake("Signal and noise have each other's factors.")
def factors_swapped(x_prev, beta, noise):
    return beta**0.5 * x_prev + (1 - beta) ** 0.5 * noise


@mistake("The noise is subtracted: it is added.")
def step_subtracts_the_noise(x_prev, beta, noise):
    return (1 - beta) ** 0.5 * x_prev - beta**0.5 * noise


@mistake("Fresh noise is drawn: use the noise that is given.")
def draws_its_own_noise(x_prev, beta, noise):
    return (1 - beta) ** 0.5 * x_prev + beta**0.5 * torch.randn_like(x_prev)


@mistake("It changes an argument in place; the caller still needs it. Write x = x * …, not x *= ….")
def changes_its_argument(x_prev, beta, noise):
    return x_prev.mul_((1 - beta) ** 0.5) + beta**0.5 * noise


@equivalent
def with_tensor_roots(x_prev, beta, noise):
    beta = torch.as_tensor(beta, dtype=x_prev.dtype)
    return torch.sqrt(1 - beta) * x_prev + torch.sqrt(beta) * noise


HARMLESS = {
    "graph": "The forward chain has no parameters: nothing is trained through it.",
}
