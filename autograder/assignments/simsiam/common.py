"""What several exercises of the SimSiam notebook share."""

import torch
from torch import Tensor

from autograder.judge.draw import Draw

# n_2, n_1 and dtype of linear networks. The square W comes first: there a product in the wrong order still gives
# numbers, by which it is named. After it, only what takes one size for the other is left to raise.
SIZES = (3, 3, torch.float32), (3, 5, torch.float64), (4, 2, torch.float32), (1, 4, torch.float64)


def moments(draw: Draw, n_1: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """X and X', each (n_1, n_1), symmetric and positive definite."""
    roots = [draw.normal(n_1, n_1 + 2, dtype=dtype) for _ in range(2)]
    X, X_prime = (root @ root.T / (n_1 + 2) for root in roots)
    return X, X_prime


def linear_network(draw: Draw, n_2: int, n_1: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """W (n_2, n_1), W_p (n_2, n_2), X and X' (n_1, n_1)."""
    X, X_prime = moments(draw, n_1, dtype)
    return draw.normal(n_2, n_1, dtype=dtype), draw.normal(n_2, n_2, dtype=dtype), X, X_prime


# Parts of mistakes and equivalents


def eye_like(W_p):
    return torch.eye(len(W_p), dtype=W_p.dtype, device=W_p.device)


def eye_on_the_cpu(W_p):
    return torch.eye(len(W_p), dtype=W_p.dtype)


def correlations(W, X, X_prime):
    """F_1 = E[f_1 f_1ᵀ] and F_12 = E[f_1 f_2ᵀ] for f = W x, each (n_2, n_2)."""
    return W @ (X + X_prime) @ W.T, W @ X @ W.T


def objective_of(W_p, F_1, F_12, F_2):
    """½ [tr(W_pᵀ W_p F_1) − 2 tr(W_p F_12) + tr F_2], with any matrices in the place of the right ones."""
    return 0.5 * (torch.trace(W_p.T @ W_p @ F_1) - 2 * torch.trace(W_p @ F_12) + torch.trace(F_2))


def full_velocity(W, W_p, X, X_prime):
    """Ẇ without stop-gradient, written down."""
    shifted = W_p - eye_like(W_p)
    return -((W_p.T @ W_p + eye_like(W_p)) @ W @ X_prime + shifted.T @ shifted @ W @ X)


def stopped_velocity(W, W_p, X, X_prime):
    """Ẇ with stop-gradient, written down."""
    return W_p.T @ (W @ X - W_p @ W @ (X + X_prime))
