"""Ẇ = −∂J/∂W with stop-gradient, W_pᵀ (W X − W_p W (X + X')), and without, −[(W_pᵀW_p + I) W X' + W̃_pᵀW̃_p W X].

Compared with automatic differentiation, both ways in turn. Answers ignore the flag, turn it round, lose the transpose
of the predictor, or W̃_p, or the identity.
"""

import torch

from autograder.assignments.simsiam import common, reference
from autograder.assignments.simsiam.common import eye_like, full_velocity, stopped_velocity
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote

WAYS = {"the velocity with stop-gradient": True, "the velocity without stop-gradient": False}


@exercise(
    "simsiam.encoder_velocity",
    parts={"the velocity with stop-gradient": 1, "the velocity without stop-gradient": 2},
)
def encoder_velocity(student: Remote, draw: Draw) -> None:
    for n_2, n_1, dtype in draw.again(*common.SIZES):
        given = common.linear_network(draw, n_2, n_1, dtype)
        for name, stop_gradient in WAYS.items():
            with part(name):
                wanted = reference.encoder_velocity(*given, stop_gradient)
                expect(student(*given, stop_gradient), name).close(wanted)
    for stop_gradient in WAYS.values():
        expect_any_device(student, *given, stop_gradient, mistake="made_on_the_cpu")


def _with(stopped=stopped_velocity, full=full_velocity):
    """Another velocity for one of the two ways."""
    return lambda W, W_p, X, X_prime, stop_gradient: (stopped if stop_gradient else full)(W, W_p, X, X_prime)


@mistake("stop_gradient is ignored: without it the gradient goes through the second branch as well.", earns=1)
def always_stops(W, W_p, X, X_prime, stop_gradient):
    return stopped_velocity(W, W_p, X, X_prime)


@mistake("stop_gradient is ignored: with it no gradient goes through the second branch.", earns=2)
def never_stops(W, W_p, X, X_prime, stop_gradient):
    return full_velocity(W, W_p, X, X_prime)


@mistake("stop_gradient does the opposite: if it is True, the second branch counts as a constant.")
def flag_turned_round(W, W_p, X, X_prime, stop_gradient):
    return (full_velocity if stop_gradient else stopped_velocity)(W, W_p, X, X_prime)


@mistake(
    "The gradient is stopped in the branch of the predictor; it is the other one that counts as a constant.", earns=2
)
def stops_the_wrong_branch(W, W_p, X, X_prime, stop_gradient):
    full, stopped = full_velocity(W, W_p, X, X_prime), stopped_velocity(W, W_p, X, X_prime)
    return full - stopped if stop_gradient else full


@mistake("These are the gradients; the flow goes downhill, against them.")
def gradients_themselves(W, W_p, X, X_prime, stop_gradient):
    return -reference.encoder_velocity(W, W_p, X, X_prime, stop_gradient)


@mistake(
    "With stop-gradient, the error comes back through W_p without being transposed: W_pᵀ belongs in front.", earns=2
)
def predictor_not_transposed(W, W_p, X, X_prime, stop_gradient):
    return _with(stopped=lambda W, W_p, X, X_prime: W_p @ (W @ X - W_p @ W @ (X + X_prime)))(
        W, W_p, X, X_prime, stop_gradient
    )


@mistake(
    "With stop-gradient, the error does not come back through the predictor: a factor is missing in front.", earns=2
)
def not_through_the_predictor(W, W_p, X, X_prime, stop_gradient):
    return _with(stopped=lambda W, W_p, X, X_prime: W @ X - W_p @ W @ (X + X_prime))(W, W_p, X, X_prime, stop_gradient)


@mistake("With stop-gradient, X' is missing: what W_p W does to the noise of the first view costs something.", earns=2)
def stopped_without_noise(W, W_p, X, X_prime, stop_gradient):
    return _with(stopped=lambda W, W_p, X, _: W_p.T @ (W @ X - W_p @ W @ X))(W, W_p, X, X_prime, stop_gradient)


@mistake(
    "With stop-gradient, the target holds noise that the first view cannot know: the views share X alone.", earns=2
)
def noise_in_the_target(W, W_p, X, X_prime, stop_gradient):
    return _with(stopped=lambda W, W_p, X, X_prime: W_p.T @ (W - W_p @ W) @ (X + X_prime))(
        W, W_p, X, X_prime, stop_gradient
    )


@mistake("Without stop-gradient, the part of X holds W_p in the place of W̃_p = W_p − I.", earns=1)
def without_the_shift(W, W_p, X, X_prime, stop_gradient):
    def full(W, W_p, X, X_prime):
        square = W_p.T @ W_p
        return -((square + eye_like(W_p)) @ W @ X_prime + square @ W @ X)

    return _with(full=full)(W, W_p, X, X_prime, stop_gradient)


@mistake(
    "Without stop-gradient, the part of X' lacks the identity: the noise of the second view is shrunk as well.", earns=1
)
def without_the_identity(W, W_p, X, X_prime, stop_gradient):
    return _with(full=lambda *given: full_velocity(*given) + given[0] @ given[3])(W, W_p, X, X_prime, stop_gradient)


@mistake(
    "Without stop-gradient, the part of X is missing: the two branches differ in what they make of the signal.", earns=1
)
def noise_part_alone(W, W_p, X, X_prime, stop_gradient):
    return _with(full=lambda W, W_p, X, X_prime: full_velocity(W, W_p, 0 * X, X_prime))(
        W, W_p, X, X_prime, stop_gradient
    )


@mistake("Without stop-gradient, the part of X' is missing: noise can only be shrunk.", earns=1)
def signal_part_alone(W, W_p, X, X_prime, stop_gradient):
    return _with(full=lambda W, W_p, X, X_prime: full_velocity(W, W_p, X, 0 * X_prime))(
        W, W_p, X, X_prime, stop_gradient
    )


@mistake("Without stop-gradient, X and X' are exchanged.", earns=1)
def moments_exchanged(W, W_p, X, X_prime, stop_gradient):
    return _with(full=lambda W, W_p, X, X_prime: full_velocity(W, W_p, X_prime, X))(W, W_p, X, X_prime, stop_gradient)


@mistake("Without stop-gradient, W_p and its transpose stand in the other order in the products.", earns=1)
def products_turned_round(W, W_p, X, X_prime, stop_gradient):
    return _with(full=lambda W, W_p, X, X_prime: full_velocity(W, W_p.T, X, X_prime))(W, W_p, X, X_prime, stop_gradient)


@mistake(
    "Without stop-gradient, the sum of the two gradients is halved: J depends on W through both, and they add up.",
    earns=1,
)
def mean_of_the_branches(W, W_p, X, X_prime, stop_gradient):
    return _with(full=lambda *given: full_velocity(*given) / 2)(W, W_p, X, X_prime, stop_gradient)


@mistake("Every value is twice what it should be: the half in front of J cancels the 2 of the squares.")
def twice_the_velocities(W, W_p, X, X_prime, stop_gradient):
    return 2 * reference.encoder_velocity(W, W_p, X, X_prime, stop_gradient)


@mistake("W_p and its transpose stand in the other order in W̃_pᵀ W̃_p, without stop-gradient.", earns=1)
def shift_turned_round(W, W_p, X, X_prime, stop_gradient):
    def full(W, W_p, X, X_prime):
        shifted = W_p - eye_like(W_p)
        return full_velocity(W, W_p, X, X_prime) + (shifted.T @ shifted - shifted @ shifted.T) @ W @ X

    return _with(full=full)(W, W_p, X, X_prime, stop_gradient)


@mistake("With stop-gradient, X and X' are exchanged: the views share X, and X + X' is that of one view.", earns=2)
def stopped_with_moments_exchanged(W, W_p, X, X_prime, stop_gradient):
    return _with(stopped=lambda W, W_p, X, X_prime: stopped_velocity(W, W_p, X_prime, X))(
        W, W_p, X, X_prime, stop_gradient
    )


@mistake(
    "The identity has as many rows as x has entries; it belongs beside W_p, (n_2, n_2). So only n_1 = n_2 works.",
    earns=1,
)
def identity_of_the_wrong_size(W, W_p, X, X_prime, stop_gradient):
    def full(W, W_p, X, X_prime):
        identity = eye_like(X)
        shifted = W_p - identity
        return -((W_p.T @ W_p + identity) @ W @ X_prime + shifted.T @ shifted @ W @ X)

    return _with(full=full)(W, W_p, X, X_prime, stop_gradient)


@mistake(SENTENCE)
def made_on_the_cpu(W, W_p, X, X_prime, stop_gradient):
    shifted = W_p - common.eye_on_the_cpu(W_p)
    full = -((W_p.T @ W_p + eye_like(W_p)) @ W @ X_prime + shifted.T @ shifted @ W @ X)
    return stopped_velocity(W, W_p, X, X_prime) if stop_gradient else full


@mistake("The predictor is left out: both velocities are those of W_p = I.")
def without_the_predictor(W, W_p, X, X_prime, stop_gradient):
    return reference.encoder_velocity(W, eye_like(W_p), X, X_prime, stop_gradient)


@equivalent
def velocities_by_formula(W, W_p, X, X_prime, stop_gradient):
    return (stopped_velocity if stop_gradient else full_velocity)(W, W_p, X, X_prime)


@equivalent
def velocities_by_branches(W, W_p, X, X_prime, stop_gradient):
    total = X + X_prime
    of_the_first = W_p.T @ (W @ X - W_p @ W @ total)
    return of_the_first if stop_gradient else of_the_first + W_p @ W @ X - W @ total


@equivalent
def velocities_by_autograd(W, W_p, X, X_prime, stop_gradient):
    with torch.enable_grad():
        leaf = W.detach().clone().requires_grad_()
        target = leaf.detach() if stop_gradient else leaf
        product = W_p @ leaf
        value = 0.5 * (
            torch.trace(product @ (X + X_prime) @ product.T)
            - 2 * torch.trace(product @ X @ target.T)
            + torch.trace(target @ (X + X_prime) @ target.T)
        )
        (found,) = torch.autograd.grad(value, leaf)
    return -found


HARMLESS = {
    "graph": "A velocity is what moves: nothing is differentiated through it.",
    "W @ X → W @ X.T": "X, X' and what is made of them are symmetric.",
    "len(W_p) → len(W)": "Both are n_2.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), device=W_p.device)": "The identity is exact in any precision, and takes that of what it is added to.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=W.dtype, device=W_p.device)": "All arguments have one dtype.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=X.dtype, device=W_p.device)": "All arguments have one dtype.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=X_prime.dtype, device=W_p.device)": "All arguments have one dtype.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=W_p.dtype, device=W.device)": "All arguments lie on one device.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=W_p.dtype, device=X.device)": "All arguments lie on one device.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=W_p.dtype, device=X_prime.device)": "All arguments lie on one device.",
    "W_p - identity → identity - W_p": "It enters twice, so that its sign does not.",
    "W_p - identity → W_p - identity ** 2": "0 and 1 are their own squares and roots.",
    "W_p - identity → W_p - identity ** 0.5": "0 and 1 are their own squares and roots.",
    "W_p.T @ W_p + identity → W_p.T @ W_p + identity ** 2": "0 and 1 are their own squares and roots.",
    "W_p.T @ W_p + identity → W_p.T @ W_p + identity ** 0.5": "0 and 1 are their own squares and roots.",
    "(W_p.T @ W_p + identity) @ W @ X_prime → (W_p.T @ W_p + identity) @ W @ X_prime.T": "X, X' and what is made of them are symmetric.",
    "shifted.T @ shifted @ W @ X → shifted.T @ shifted @ W @ X.T": "X, X' and what is made of them are symmetric.",
}
