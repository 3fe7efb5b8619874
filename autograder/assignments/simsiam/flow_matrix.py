"""H = X' ⊗ (W_pᵀW_p + I) + X ⊗ (W̃_pᵀW̃_p), with vec(Ẇ) = −H vec(W); vec stacks columns.

Compared with the Jacobian of the velocity. Rows are stacked in the place of columns, so that the factors of ⊗ change
places; the sign, the identity or W̃_p is lost, or the flow is that with stop-gradient.
"""

import torch

from autograder.assignments.simsiam import common, reference
from autograder.assignments.simsiam.common import eye_like
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("simsiam.flow_matrix")
def flow_matrix(student: Remote, draw: Draw) -> None:
    for n_2, n_1, dtype in draw.again(*common.SIZES, (1, 1, torch.float32)):
        _, W_p, X, X_prime = common.linear_network(draw, n_2, n_1, dtype)
        expect(student(W_p, X, X_prime)).close(reference.flow_matrix(W_p, X, X_prime))
    expect_any_device(student, W_p, X, X_prime, mistake="made_on_the_cpu")


def _parts(W_p):
    """W_pᵀW_p + I and W̃_pᵀW̃_p."""
    shifted = W_p - eye_like(W_p)
    return W_p.T @ W_p + eye_like(W_p), shifted.T @ shifted


@mistake("The factors of ⊗ are in the order that belongs to stacked rows; here vec stacks columns.")
def rows_stacked(W_p, X, X_prime):
    noise, signal = _parts(W_p)
    return torch.kron(noise, X_prime) + torch.kron(signal, X)


@mistake(
    "In one of the two products the factors of ⊗ are exchanged: both have the moments first, since vec stacks columns."
)
def rows_stacked_in_the_part_of_X(W_p, X, X_prime):
    noise, signal = _parts(W_p)
    return torch.kron(X_prime, noise) + torch.kron(signal, X)


@rows_stacked_in_the_part_of_X.also
def rows_stacked_in_the_part_of_the_noise(W_p, X, X_prime):
    noise, signal = _parts(W_p)
    return torch.kron(noise, X_prime) + torch.kron(X, signal)


@mistake("The sign is wrong: vec(Ẇ) = −H vec(W), so that H has no negative eigenvalue.")
def negative(W_p, X, X_prime):
    return -reference.flow_matrix(W_p, X, X_prime)


@mistake("The identity is missing beside W_pᵀW_p: the second view has noise as well.")
def without_the_identity(W_p, X, X_prime):
    noise, signal = _parts(W_p)
    return torch.kron(X_prime, noise - eye_like(W_p)) + torch.kron(X, signal)


@mistake("In the part of X, W_p stands where W̃_p = W_p − I belongs.")
def without_the_shift(W_p, X, X_prime):
    return torch.kron(X_prime, _parts(W_p)[0]) + torch.kron(X, W_p.T @ W_p)


@mistake("In the part of X' the predictor is shifted, too: W̃_p belongs to X alone.")
def shifted_in_both(W_p, X, X_prime):
    _, signal = _parts(W_p)
    return torch.kron(X_prime, signal + eye_like(W_p)) + torch.kron(X, signal)


@mistake("W̃_p is W_p + I here; it is W_p − I, the difference of the two branches.")
def shifted_the_other_way(W_p, X, X_prime):
    shifted = W_p + eye_like(W_p)
    return torch.kron(X_prime, _parts(W_p)[0]) + torch.kron(X, shifted.T @ shifted)


@mistake("X and X' are exchanged.")
def moments_exchanged(W_p, X, X_prime):
    return reference.flow_matrix(W_p, X_prime, X)


@mistake("W_p and its transpose stand in the other order in the products.")
def products_turned_round(W_p, X, X_prime):
    return reference.flow_matrix(W_p.T, X, X_prime)


@mistake("In one of the products a matrix and its transpose stand in the other order: W_pᵀW_p and W̃_pᵀW̃_p.")
def shift_turned_round(W_p, X, X_prime):
    return torch.kron(X_prime, _parts(W_p)[0]) + torch.kron(X, _parts(W_p.T)[1])


@shift_turned_round.also
def square_turned_round(W_p, X, X_prime):
    return torch.kron(X_prime, _parts(W_p.T)[0]) + torch.kron(X, _parts(W_p)[1])


@mistake("The identity has as many rows as x has entries; it belongs beside W_p, (n_2, n_2). So only n_1 = n_2 works.")
def identity_of_the_wrong_size(W_p, X, X_prime):
    shifted = W_p - eye_like(X)
    return torch.kron(X_prime, W_p.T @ W_p + eye_like(X)) + torch.kron(X, shifted.T @ shifted)


@mistake(SENTENCE)
def made_on_the_cpu(W_p, X, X_prime):
    noise = W_p.T @ W_p + common.eye_on_the_cpu(W_p)
    return torch.kron(X_prime, noise) + torch.kron(X, _parts(W_p)[1])


@mistake("W̃_p stands without its transpose: the products are W_pᵀW_p and W̃_pᵀW̃_p.")
def shift_not_squared(W_p, X, X_prime):
    return torch.kron(X_prime, _parts(W_p)[0]) + torch.kron(X, W_p - eye_like(W_p))


@mistake("This is the matrix of the flow with stop-gradient; H belongs to the flow without it.")
def flow_with_stop_gradient(W_p, X, X_prime):
    return torch.kron(X + X_prime, W_p.T @ W_p) - torch.kron(X, W_p.T.contiguous())


@mistake("The part of X is missing.")
def noise_part_alone(W_p, X, X_prime):
    return torch.kron(X_prime, _parts(W_p)[0])


@mistake("The part of X' is missing.")
def signal_part_alone(W_p, X, X_prime):
    return torch.kron(X, _parts(W_p)[1])


@mistake("X + X' stands where X belongs: the noise has a part of its own.")
def noise_in_both_parts(W_p, X, X_prime):
    return reference.flow_matrix(W_p, X + X_prime, X_prime)


@mistake("Every value is half of what it should be: both branches push W, and their gradients add up.")
def half_the_matrix(W_p, X, X_prime):
    return reference.flow_matrix(W_p, X, X_prime) / 2


@equivalent
def matrix_by_kronecker_products(W_p, X, X_prime):
    noise, signal = _parts(W_p)
    return torch.kron(X_prime, noise) + torch.kron(X, signal)


@equivalent
def matrix_column_by_column(W_p, X, X_prime):
    n_2, n_1 = len(W_p), len(X)
    found = []
    for column in range(n_1):
        for row in range(n_2):
            W = torch.zeros(n_2, n_1, dtype=X.dtype, device=X.device)
            W[row, column] = 1
            found.append(-common.full_velocity(W, W_p, X, X_prime).T.reshape(-1))
    return torch.stack(found, dim=1)


@equivalent
def matrix_by_einsum(W_p, X, X_prime):
    noise, signal = _parts(W_p)
    blocks = torch.einsum("ij,ab->iajb", X_prime, noise) + torch.einsum("ij,ab->iajb", X, signal)
    return blocks.reshape(len(X) * len(W_p), -1)


HARMLESS = {
    "graph": "A flow is what moves: nothing is differentiated through it.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), device=W_p.device)": "The identity is exact in any precision, and takes that of what it is added to.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=X.dtype, device=W_p.device)": "All arguments have one dtype.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=X_prime.dtype, device=W_p.device)": "All arguments have one dtype.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=W_p.dtype, device=X.device)": "All arguments lie on one device.",
    "torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device) → torch.eye(len(W_p), dtype=W_p.dtype, device=X_prime.device)": "All arguments lie on one device.",
    "W_p - identity → identity - W_p": "It enters twice, so that its sign does not.",
    "W_p - identity → W_p - identity ** 2": "0 and 1 are their own squares and roots.",
    "W_p - identity → W_p - identity ** 0.5": "0 and 1 are their own squares and roots.",
    "W_p.T @ W_p + identity → W_p.T @ W_p + identity ** 2": "0 and 1 are their own squares and roots.",
    "W_p.T @ W_p + identity → W_p.T @ W_p + identity ** 0.5": "0 and 1 are their own squares and roots.",
}
