"""Ẇ_p = −∂J/∂W_p = F_12 − W_p F_1.

Compared with automatic differentiation. The sign, the side on which F_1 stands, and X' where it belongs or does not
belong are what goes wrong.
"""

import torch

from autograder.assignments.simsiam import common, reference
from autograder.assignments.simsiam.common import correlations
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("simsiam.predictor_velocity")
def predictor_velocity(student: Remote, draw: Draw) -> None:
    for n_2, n_1, dtype in draw.again(*common.SIZES):
        given = common.linear_network(draw, n_2, n_1, dtype)
        expect(student(*given)).close(reference.predictor_velocity(*given))
    expect_any_device(student, *given, mistake="made_on_the_cpu")


@mistake("This is the gradient; the flow goes downhill, against it.")
def gradient_itself(W, W_p, X, X_prime):
    return -reference.predictor_velocity(W, W_p, X, X_prime)


@mistake("W_p stands on the wrong side of F_1: derive tr(W_pᵀ W_p F_1) by W_p once more.")
def predictor_on_the_right(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return F_12 - F_1 @ W_p


@mistake("The derivative is transposed: it has the rows and columns of W_p.")
def transposed(W, W_p, X, X_prime):
    return reference.predictor_velocity(W, W_p, X, X_prime).T


@mistake("W_p is transposed where it multiplies F_1.")
def predictor_transposed(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return F_12 - W_p.T @ F_1


@mistake("X' is left out of F_1: f_1 is made from a view, which holds noise.")
def view_without_noise(W, W_p, X, X_prime):
    _, F_12 = correlations(W, X, X_prime)
    return F_12 - W_p @ F_12


@mistake("F_12 holds noise: the noises of two views are independent and cancel in it.")
def noise_between_the_views(W, W_p, X, X_prime):
    F_1, _ = correlations(W, X, X_prime)
    return F_1 - W_p @ F_1


@mistake("F_12 is made from X', but it is X that two views share.")
def noise_shared_by_the_views(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return F_1 - F_12 - W_p @ F_1


@mistake("W stands transposed: the code is f = W x, so that E[f fᵀ] = W E[x xᵀ] Wᵀ.")
def encoder_transposed(W, W_p, X, X_prime):
    return reference.predictor_velocity(W.T, W_p, X, X_prime)


@mistake("The noise is in the wrong one of the two: F_1 is of one view, F_12 of two.")
def noise_in_the_wrong_one(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return F_1 - W_p @ F_12


@mistake("F_12, which W_p is drawn towards, is missing.")
def without_the_target(W, W_p, X, X_prime):
    return -W_p @ correlations(W, X, X_prime)[0]


@mistake("Every value is twice what it should be: the half in front of J cancels the 2 of the squares.")
def twice_the_velocity(W, W_p, X, X_prime):
    return 2 * reference.predictor_velocity(W, W_p, X, X_prime)


@mistake("Every value is half of what it should be: the half in front of J cancels the 2 of the squares.")
def half_the_velocity(W, W_p, X, X_prime):
    return reference.predictor_velocity(W, W_p, X, X_prime) / 2


@mistake("A factor stands before W_p F_1 alone: the square and the product both bring a 2, which the half cancels.")
def half_kept_in_one_term(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return F_12 - W_p @ F_1 / 2


@mistake("A factor stands before F_12 alone: the square and the product both bring a 2, which the half cancels.")
def product_counted_twice(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return 2 * F_12 - W_p @ F_1


@mistake("F_12 is halved: it stands in two of the traces, and both of them hold W_p.")
def one_of_the_middle_traces(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return F_12 / 2 - W_p @ F_1


@mistake("The product of the branches is multiplied by W_p as well: its derivative by W_p holds no W_p any more.")
def predictor_left_in_the_product(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return W_p @ F_12 - W_p @ F_1


@mistake(SENTENCE)
def made_on_the_cpu(W, W_p, X, X_prime):
    return (common.eye_on_the_cpu(W_p) - W_p) @ W @ X @ W.T - W_p @ W @ X_prime @ W.T


@equivalent
def velocity_by_correlations(W, W_p, X, X_prime):
    return W @ X @ W.T - W_p @ W @ (X + X_prime) @ W.T


@equivalent
def velocity_of_the_predictor_by_autograd(W, W_p, X, X_prime):
    with torch.enable_grad():
        leaf = W_p.detach().clone().requires_grad_()
        (found,) = torch.autograd.grad(reference.objective(W, leaf, X, X_prime), leaf)
    return -found


@equivalent
def velocity_from_the_error(W, W_p, X, X_prime):
    error = torch.addmm(W @ X, W_p, W @ (X + X_prime), alpha=-1)
    return error @ W.mT


HARMLESS = {
    "graph": "A velocity is what moves: nothing is differentiated through it.",
    "W @ X → W @ X.T": "X, X' and what is made of them are symmetric.",
    "W_p @ F_1 → W_p @ F_1.T": "X, X' and what is made of them are symmetric.",
}
