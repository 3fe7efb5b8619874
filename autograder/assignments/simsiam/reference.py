"""Reference answers of the SimSiam notebook: by automatic differentiation and matrix exponentials where it derives.

Linear SimSiam (Tian, Chen & Ganguli, "Understanding self-supervised learning dynamics without contrastive pairs",
2021, section 3): two views x_1, x_2 of a datum (n_1,), encoder W (n_2, n_1), predictor W_p (n_2, n_2), and
X = E[x_1 x_2ᵀ], X + X' = E[x_1 x_1ᵀ] = E[x_2 x_2ᵀ], both (n_1, n_1).
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def second_moments(x_1: Tensor, x_2: Tensor) -> tuple[Tensor, Tensor]:
    """X and X', each (n_1, n_1), from pairs of views (N, n_1): by half sums and half differences of the views."""
    mean, half = (x_1 + x_2) / 2, (x_1 - x_2) / 2
    of_means, of_halves = (torch.einsum("na,nb->ab", part, part) / len(x_1) for part in (mean, half))
    return of_means - of_halves, 2 * of_halves


def objective(W: Tensor, W_p: Tensor, X: Tensor, X_prime: Tensor) -> Tensor:
    """J = ½ E‖W_p W x_1 − W x_2‖², a tensor without dimensions."""
    return _objective_with_target(W, W_p, W, X, X_prime)


def _objective_with_target(W: Tensor, W_p: Tensor, target: Tensor, X: Tensor, X_prime: Tensor) -> Tensor:
    """½ E‖W_p W x_1 − target x_2‖², from the second moment of both views together."""
    both = torch.cat([torch.cat([X + X_prime, X], dim=1), torch.cat([X, X + X_prime], dim=1)])
    difference = torch.cat([W_p @ W, -target], dim=1)
    return 0.5 * torch.einsum("ia,ab,ib->", difference, both, difference)


def _downhill(value: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Minus the gradient of a function of one matrix."""
    with torch.enable_grad():
        leaf = at.detach().clone().requires_grad_()
        (found,) = torch.autograd.grad(value(leaf), leaf)
    return -found


def predictor_velocity(W: Tensor, W_p: Tensor, X: Tensor, X_prime: Tensor) -> Tensor:
    """−∂J/∂W_p, (n_2, n_2)."""
    return _downhill(lambda moved: objective(W, moved, X, X_prime), W_p)


def encoder_velocity(W: Tensor, W_p: Tensor, X: Tensor, X_prime: Tensor, stop_gradient: bool) -> Tensor:
    """−∂J/∂W, (n_2, n_1), through both branches or through that of the predictor alone."""

    def value(moved: Tensor) -> Tensor:
        return _objective_with_target(moved, W_p, W if stop_gradient else moved, X, X_prime)

    return _downhill(value, W)


def columns(matrix: Tensor) -> Tensor:
    """vec of a matrix: its columns, stacked."""
    return matrix.T.reshape(-1)


def linear_map(function: Callable[[Tensor], Tensor], n_2: int, n_1: int, dtype: torch.dtype) -> Tensor:
    """The matrix A with vec(function(W)) = A vec(W) for a linear function of matrices (n_2, n_1)."""

    units = torch.eye(n_1 * n_2, dtype=dtype).view(-1, n_1, n_2).mT
    return torch.stack([columns(function(unit)) for unit in units], dim=1)


def flow_matrix(W_p: Tensor, X: Tensor, X_prime: Tensor) -> Tensor:
    """H with vec(Ẇ) = −H vec(W) without stop-gradient, (n_1 n_2, n_1 n_2)."""
    return -linear_map(lambda W: encoder_velocity(W, W_p, X, X_prime, False), len(W_p), len(X), X.dtype)


def norm_bound(norm_0: float, H_smallest: float, times: Tensor) -> Tensor:
    """What ‖W(t)‖ cannot exceed if no eigenvalue of H falls below H_smallest, (T,)."""
    logarithm = math.log(norm_0) - H_smallest * times.double()
    return logarithm.exp().to(times.dtype)


def velocity_without_both(W: Tensor, X_prime: Tensor) -> Tensor:
    """Ẇ with neither stop-gradient nor predictor, (n_2, n_1)."""
    identity = torch.eye(len(W), dtype=W.dtype)
    return encoder_velocity(W, identity, torch.zeros_like(X_prime), X_prime, False)


class Options(NamedTuple):
    """What a simulation may be asked for besides its start, with what it does unless it is asked."""

    stop_gradient: bool = True
    predictor: bool = True
    weight_decay: float = 0.0
    predictor_rate: float = 1.0


def flow(X: Tensor, X_prime: Tensor, options: Options) -> Velocity:
    """Velocities of W and W_p, written down, since a simulation asks for thousands of them."""
    total = X + X_prime
    decay, rate = options.weight_decay, options.predictor_rate

    def velocity(W: Tensor, W_p: Tensor) -> tuple[Tensor, Tensor]:
        both = W_p @ W
        error_1 = torch.addmm(W @ X, both, total, beta=-1)  # E[(W_p f_1 − f_2) x_1ᵀ]
        by_encoder = torch.addmm(W, W_p.T, error_1, beta=-decay, alpha=-1)
        if not options.stop_gradient:
            by_encoder = by_encoder.addmm(both, X).addmm(W, total, alpha=-1)
        if not options.predictor:
            return by_encoder, torch.zeros_like(W_p)
        return by_encoder, torch.addmm(W_p, error_1, W.T, beta=-decay, alpha=-rate)

    return velocity


def runge_kutta(velocity: Velocity, W: Tensor, W_p: Tensor, h: float) -> tuple[Tensor, Tensor]:
    """W and W_p after a step of length h, by the rule of fourth order."""
    a, a_p = velocity(W, W_p)
    b, b_p = velocity(W.add(a, alpha=h / 2), W_p.add(a_p, alpha=h / 2))
    c, c_p = velocity(W.add(b, alpha=h / 2), W_p.add(b_p, alpha=h / 2))
    d, d_p = velocity(W.add(c, alpha=h), W_p.add(c_p, alpha=h))
    return (
        W.add(a.add(d).add(b.add(c), alpha=2), alpha=h / 6),
        W_p.add(a_p.add(d_p).add(b_p.add(c_p), alpha=2), alpha=h / 6),
    )


Rule = Callable[[Velocity, Tensor, Tensor, float], tuple[Tensor, Tensor]]


def integrate(
    velocity: Velocity, W: Tensor, W_p: Tensor, times: Tensor, step: float, rule: Rule = runge_kutta
) -> tuple[Tensor, Tensor]:
    """W (T, n_2, n_1) and W_p (T, n_2, n_2) at the times, in steps of this length at most."""
    kept = [(W, W_p)]
    for gap in times.diff().tolist():
        count = max(1, math.ceil(gap / step))
        for _ in range(count):
            W, W_p = rule(velocity, W, W_p, gap / count)
        kept.append((W, W_p))
    encoders, predictors = zip(*kept, strict=True)
    return torch.stack(encoders), torch.stack(predictors)


def simulate(
    W: Tensor, W_p: Tensor, X: Tensor, X_prime: Tensor, times: Tensor, *, step: float = 0.1, **options: Any
) -> tuple[Tensor, Tensor, Tensor]:
    """‖W‖ and ‖W_p‖ (T, 2), eigenvalues of W Wᵀ in rising order (T, n_2), and W itself (T, n_2, n_1).

    `options` are those of Options.
    """
    asked = Options(**options)
    W_p = W_p if asked.predictor else torch.eye(len(W_p), dtype=W_p.dtype)
    return observed(*integrate(flow(X, X_prime, asked), W, W_p, times, step))


def observed(encoders: Tensor, predictors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a simulation returns, of W (T, n_2, n_1) and W_p (T, n_2, n_2)."""
    norms = torch.stack([encoders.flatten(1).norm(dim=1), predictors.flatten(1).norm(dim=1)], dim=1)
    return norms, torch.linalg.eigvalsh(encoders @ encoders.mT), encoders


def encoders_by_exponential(velocity: Callable[[Tensor], Tensor], W: Tensor, times: Tensor) -> Tensor:
    """W (T, n_2, n_1) at the times, exactly, if Ẇ is a linear function of W."""
    n_2, n_1 = W.shape
    matrix = linear_map(velocity, n_2, n_1, W.dtype)
    moved = torch.linalg.matrix_exp(times.view(-1, 1, 1) * matrix) @ columns(W)
    return moved.view(len(times), n_1, n_2).mT


def mode_velocity(
    p: Tensor, s: Tensor, sigma: float, weight_decay: float, predictor_rate: float
) -> tuple[Tensor, Tensor]:
    """(ṗ, ṡ) of one eigenmode for X = I and X' = σ² I, by the chain rule from 1 × 1 matrices; the shape of p."""
    root = s.clamp(min=0).sqrt()
    error = (1 + sigma**2) * p * root - root
    w_dot = -p * error - weight_decay * root
    return -predictor_rate * error * root - weight_decay * p, 2 * root * w_dot


def simsiam_loss(p_1: Tensor, p_2: Tensor, z_1: Tensor, z_2: Tensor, stop_gradient: bool = True) -> Tensor:
    """−½ mean cos(p_1, z_2) − ½ mean cos(p_2, z_1) (Chen & He, 2021, equations 1 to 4), a tensor without dimensions."""
    targets = [z.detach() if stop_gradient else z for z in (z_2, z_1)]
    cosines = [torch.cosine_similarity(p, z, dim=1) for p, z in zip((p_1, p_2), targets, strict=True)]
    return -torch.cat(cosines).mean()


def output_deviation(z: Tensor) -> Tensor:
    """Mean over the channels of the standard deviation of z / ‖z‖ (N, d) over the batch, a tensor without dimensions."""
    unit = z / torch.linalg.vector_norm(z, dim=1, keepdim=True)
    return (unit.square().mean(dim=0) - unit.mean(dim=0).square()).clamp(min=0).sqrt().mean()
