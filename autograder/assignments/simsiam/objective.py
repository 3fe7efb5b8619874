"""J = ½ [tr(W_pᵀ W_p F_1) − tr(W_p F_12) − tr(F_12 W_p) + tr F_2], with F_1 = F_2 = W (X + X') Wᵀ and F_12 = W X Wᵀ.

Compared with the expectation of ½‖W_p W x_1 − W x_2‖², in value and in its gradients by W and W_p, since the notebook
holds the velocities against them. Noise is left out of F_1 or put into F_12, and the half, tr F_2 or one of the two
middle terms is lost.
"""

import torch

from autograder.assignments.simsiam import common, reference
from autograder.assignments.simsiam.common import correlations, objective_of
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("simsiam.objective")
def objective(student: Remote, draw: Draw) -> None:
    for n_2, n_1, dtype in draw.again(*common.SIZES):
        given = common.linear_network(draw, n_2, n_1, dtype)
        expect(student(*given)).close(reference.objective(*given))
    given = common.linear_network(draw, 3, 4, torch.float64)
    W, W_p = (item.clone().requires_grad_() for item in given[:2])
    wanted = torch.autograd.grad(reference.objective(W, W_p, *given[2:]), (W, W_p))
    found = student.gradient(*given, wrt=[0, 1])
    for gradient, right, name in zip(found, wanted, ("W", "W_p"), strict=True):
        expect(gradient).holds(gradient is not None, f"No gradient reaches {name}.", "detached")
        expect(gradient, f"the gradient with respect to {name}").close(right)
    expect_any_device(student, *given, mistake="made_on_the_cpu")


@mistake("The half in front is missing.")
def without_the_half(W, W_p, X, X_prime):
    return 2 * reference.objective(W, W_p, X, X_prime)


@mistake("F_12 holds noise: the noises of two views are independent, so that only what they share is left in it.")
def noise_between_the_views(W, W_p, X, X_prime):
    F_1, _ = correlations(W, X, X_prime)
    return objective_of(W_p, F_1, F_1, F_1)


@mistake("X' is left out of F_1 and F_2: a view holds its own noise as well.")
def views_without_noise(W, W_p, X, X_prime):
    _, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_12, F_12, F_12)


@mistake("X' is left out of F_1: f_1 is made from a view, which holds noise.")
def first_view_without_noise(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_12, F_12, F_1)


@mistake("X' is left out of F_2: f_2 is made from a view as well.")
def second_view_without_noise(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_1, F_12, F_12)


@mistake("F_1 is made from X' alone: a view holds its datum and noise.")
def noise_alone(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_1 - F_12, F_12, F_1)


@mistake("F_12 is made from X', but it is X that two views share.")
def noise_shared_by_the_views(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_1, F_1 - F_12, F_1)


@mistake("W stands transposed: the code is f = W x, so that E[f fᵀ] = W E[x xᵀ] Wᵀ.")
def encoder_transposed(W, W_p, X, X_prime):
    return reference.objective(W.T, W_p, X, X_prime)


@mistake("tr F_2 is missing: the square of the second branch belongs to J even where no gradient goes through it.")
def without_the_second_branch(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_1, F_12, 0 * F_1)


@mistake("The product of the two branches is counted once; expanding the square gives it twice.")
def product_counted_once(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_1, F_12 / 2, F_1)


@mistake("The product of the two branches has the wrong sign: it is the square of a difference.")
def square_of_a_sum(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_1, -F_12, F_1)


@mistake("The product of the two branches is missing.")
def without_the_product(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p, F_1, 0 * F_12, F_1)


@mistake("W_p and its transpose stand in the other order in the first term: E‖W_p f_1‖² = E[f_1ᵀ W_pᵀ W_p f_1].")
def transpose_on_the_right(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return objective_of(W_p.T, F_1, F_12, F_1)


@mistake("W_p stands once in the first term; E‖W_p f_1‖² is quadratic in it.")
def predictor_not_squared(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return 0.5 * (torch.trace(W_p @ F_1) - 2 * torch.trace(W_p @ F_12) + torch.trace(F_1))


@mistake("The predictor is left out: J would then be that of W_p = I.")
def without_the_predictor(W, W_p, X, X_prime):
    return reference.objective(W, common.eye_like(W_p), X, X_prime)


@mistake("Predictor and target are the other way round: W_p acts on the first branch, not on both.")
def predictor_on_both_branches(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return torch.trace(W_p @ (F_1 - F_12) @ W_p.T)


@mistake("The result is divided by the number of outputs: a squared length is a sum.")
def mean_over_the_outputs(W, W_p, X, X_prime):
    return reference.objective(W, W_p, X, X_prime) / len(W)


@mistake("A matrix comes back; J is one number, a sum of traces.")
def matrix_without_a_trace(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return 0.5 * (W_p.T @ W_p @ F_1 - W_p @ F_12 - F_12 @ W_p + F_1)


@mistake("The value is right, but W is held fixed in the second branch: J itself stops no gradient, W moves in both.")
def stops_the_second_branch(W, W_p, X, X_prime):
    target = W.detach()
    S = X + X_prime
    return objective_of(W_p, W @ S @ W.T, W @ X @ target.T, target @ S @ target.T)


@mistake(SENTENCE)
def made_on_the_cpu(W, W_p, X, X_prime):
    shifted, noisy = (W_p - common.eye_on_the_cpu(W_p)) @ W, W_p @ W
    return 0.5 * torch.trace(shifted @ X @ shifted.T + noisy @ X_prime @ noisy.T + W @ X_prime @ W.T)


@mistake("No gradient reaches W or W_p: the graph is cut (detach, no_grad, item or numpy).")
def detached(W, W_p, X, X_prime):
    return reference.objective(W.detach(), W_p.detach(), X, X_prime)


@equivalent
def objective_by_traces(W, W_p, X, X_prime):
    F_1 = W @ (X + X_prime) @ W.T
    F_12 = W @ X @ W.T
    return (torch.trace(W_p.T @ W_p @ F_1) - torch.trace(W_p @ F_12) - torch.trace(F_12 @ W_p) + torch.trace(F_1)) / 2


@equivalent
def objective_from_signal_and_noise(W, W_p, X, X_prime):
    shifted = (W_p - common.eye_like(W_p)) @ W
    noise = torch.einsum("ia,ab,ib->", W_p @ W, X_prime, W_p @ W) + torch.einsum("ia,ab,ib->", W, X_prime, W)
    return 0.5 * (noise + ((shifted @ X) * shifted).sum())


@equivalent
def objective_by_frobenius_products(W, W_p, X, X_prime):
    F_1, F_12 = correlations(W, X, X_prime)
    return 0.5 * ((W_p.T @ W_p * F_1).sum() - 2 * (W_p.T * F_12).sum() + F_1.diagonal().sum())


HARMLESS = {
    "X + X_prime → X.detach() + X_prime": "The moments are of data, through which nothing is trained.",
    "X + X_prime → X + X_prime.detach()": "The moments are of data, through which nothing is trained.",
    "W @ X → W @ X.detach()": "The moments are of data, through which nothing is trained.",
    "W @ X → W @ X.T": "X, X' and what is made of them are symmetric.",
    "W_p @ F_12 → F_12 @ W_p": "Factors under a trace may be moved round.",
    "W_p @ F_12 → W_p.T @ F_12": "F_12 is symmetric, and a product has the trace of its transpose.",
    "W_p @ F_12 → W_p @ F_12.T": "X, X' and what is made of them are symmetric.",
    "F_12 @ W_p → W_p @ F_12": "Factors under a trace may be moved round.",
    "F_12 @ W_p → F_12.T @ W_p": "X, X' and what is made of them are symmetric.",
    "F_12 @ W_p → F_12 @ W_p.T": "F_12 is symmetric, and a product has the trace of its transpose.",
    "return 0.5 * (torch.trace(W_p.T @ W_p @ F_1) - products + torch.trace(F_1)) → return (0.5 * (torch.trace(W_p.T @ W_p @ F_1) - products + torch.trace(F_1))).squeeze()": "A number has no side to lose.",
    "W_p.T @ W_p @ F_1 → F_1 @ (W_p.T @ W_p)": "Factors under a trace may be moved round.",
    "W_p.T @ W_p @ F_1 → W_p.T @ W_p @ F_1.T": "X, X' and what is made of them are symmetric.",
}
