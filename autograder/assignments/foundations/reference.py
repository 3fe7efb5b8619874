"""Reference answers of the foundations notebook, by other ways than the notebook's own, so that the two check each other.

Symbols: image x (C, N_h, N_w), kernel θ (C, K_h, K_w), bias θ_0 (); log-scores log s_n[v] (N, V) and log a[u, v] (V, V).
"""

import functools
import itertools

import torch
from torch import Tensor
from torch.nn import functional

Arcs = set[tuple[int, int]]
Factors = set[frozenset[str]]


def padding(kernel_height: int, kernel_width: int) -> tuple[int, int, int, int]:
    """(left, right, top, bottom), from the columns and rows that a window reads at the first and last pixel."""
    sides: list[int] = []
    for size in (kernel_width, kernel_height):
        reads = [place - size // 2 for place in range(size)]  # relative to the pixel itself
        sides += [-min(reads), max(reads)]
    left, right, top, bottom = sides
    return left, right, top, bottom


def convolve(x: Tensor, theta: Tensor, theta_0: Tensor) -> Tensor:
    """The layer with stride 1 by a library's convolution of the padded image, (1, N_h, N_w)."""
    padded = functional.pad(x, padding(*theta.shape[1:]))
    return functional.conv2d(padded[None], theta[None], theta_0.reshape(1))[0]


def language_model_edges(n: int) -> Arcs:
    """All pairs (parent, child) of 0 … n − 1 with parent < child."""
    return set(itertools.combinations(range(n), 2))


def log_partition(log_scores: Tensor) -> Tensor:
    """log Π_n Σ_v s_n[v], shape (), by adding one tag after the other."""
    return functools.reduce(torch.logaddexp, log_scores.unbind(dim=1)).sum()


def tag_log_probability(log_scores: Tensor, tags: Tensor) -> Tensor:
    """log p(tags given w), shape (): every word by itself, since the distribution factorises."""
    return torch.distributions.Categorical(logits=log_scores, validate_args=False).log_prob(tags).sum()


def factor_graph(n: int) -> Factors:
    """For each word its tag with all words up to it."""
    words = [f"w{k}" for k in range(1, n + 1)]
    return {frozenset([f"t{k}", *words[:k]]) for k in range(1, n + 1)}


def chain_log_partition(log_scores: Tensor, transitions: Tensor) -> Tensor:
    """log Z of the linear chain, shape (), from the last word to the first (β of the backward algorithm)."""
    log_beta = torch.zeros_like(log_scores[0])
    for scores in log_scores[1:].flip(0):
        log_beta = functools.reduce(torch.logaddexp, (transitions + scores + log_beta).unbind(dim=1))
    return functools.reduce(torch.logaddexp, (log_scores[0] + log_beta).unbind(dim=0))
