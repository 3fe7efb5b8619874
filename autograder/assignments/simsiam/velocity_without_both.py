"""Ẇ = −2 W X' with neither stop-gradient nor predictor.

Compared with automatic differentiation of ½ E‖W x_1 − W x_2‖². Only one of the two branches is counted, X stands for
X', or the sign is lost.
"""

import torch

from autograder.assignments.simsiam import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("simsiam.velocity_without_both")
def velocity_without_both(student: Remote, draw: Draw) -> None:
    for n_2, n_1, dtype in draw.again(*common.SIZES):
        W, _, _, X_prime = common.linear_network(draw, n_2, n_1, dtype)
        expect(student(W, X_prime)).close(reference.velocity_without_both(W, X_prime))
    expect_any_device(student, W, X_prime, mistake="made_on_the_cpu")


@mistake("Only one branch is counted: without stop-gradient both of them push W.")
def one_branch(W, X_prime):
    return -W @ X_prime


@mistake("W would grow: the flow goes downhill, against the gradient.")
def uphill(W, X_prime):
    return 2 * W @ X_prime


@mistake("The branches cancel here; their gradients have the same sign, since each shrinks its own noise.")
def branches_that_cancel(W, X_prime):
    return torch.zeros_like(W)


@mistake("The half in front of J is counted once more: ½ of a square gives a factor of 1, and there are two branches.")
def half_of_one_branch(W, X_prime):
    return -0.5 * W @ X_prime


@mistake("The half in front of J is missing: its factor is cancelled by the 2 of the square.")
def without_the_half(W, X_prime):
    return -4 * W @ X_prime


@mistake("X' is missing: how fast a direction shrinks depends on its noise.")
def without_the_noise(W, X_prime):
    return -2 * W


@mistake("W enters twice: J is quadratic in W, its derivative linear.")
def quadratic_in_W(W, X_prime):
    return -2 * W @ X_prime @ W.T @ W


@mistake(
    "X' stands on the left: W acts on what X' is the moment of, so that X' stands on its right, (n_2, n_1)(n_1, n_1)."
)
def noise_on_the_left(W, X_prime):
    return -2 * X_prime @ W


@mistake("The result is transposed: Ẇ has the shape of W, (n_2, n_1).")
def transposed(W, X_prime):
    return -2 * X_prime @ W.T


@mistake("W and X' are multiplied entry by entry; a product of matrices (@) belongs there.")
def product_by_entries(W, X_prime):
    return -2 * W * X_prime


@mistake("X' enters by its diagonal alone: noises of different features may be correlated.")
def diagonal_of_the_noise(W, X_prime):
    return -2 * W * X_prime.diagonal()


@mistake("X' enters squared; J is linear in it.")
def noise_squared(W, X_prime):
    return -2 * W @ X_prime @ X_prime


@mistake("This is J's change with time or its value, one number; Ẇ has the shape of W.")
def value_of_the_objective(W, X_prime):
    return torch.trace(W @ X_prime @ W.T)


@mistake(SENTENCE)
def made_on_the_cpu(W, X_prime):
    return -2 * common.eye_on_the_cpu(W) @ W @ X_prime


@equivalent
def twice_the_noise(W, X_prime):
    return -2 * (W @ X_prime)


@equivalent
def from_the_general_velocity(W, X_prime):
    identity = common.eye_like(W)
    return common.full_velocity(W, identity, torch.zeros_like(X_prime), X_prime)


@equivalent
def by_autograd(W, X_prime):
    with torch.enable_grad():
        leaf = W.detach().clone().requires_grad_()
        (found,) = torch.autograd.grad(-(leaf @ X_prime * leaf).sum(), leaf)
    return found


HARMLESS = {
    "graph": "A velocity is what moves: nothing is differentiated through it.",
    "-2 * W @ X_prime → -2 * W @ X_prime.T": "X, X' and what is made of them are symmetric.",
}
