"""Made-up trajectories in the place of a simulation, on which a plot of them can be tried and judged."""

from typing import Any

import torch
from torch import Tensor


class Trajectories:
    """In the place of `simulate` of the SimSiam notebook: trajectories that are given, and remembered what was asked.

    Args:
        eigenvalues: (2, 2, T, n_2); with stop-gradient and without, each with predictor and without.
        encoders: (2, 2, T, n_2, n_1), the same for W.

    Attributes:
        asked: (stop_gradient, predictor, weight_decay, predictor_rate) of each call, in order.
        given: (W, W_p, X, X_prime, times) of each call, in order.
    """

    calls, shows = ("__call__",), ()

    def __init__(self, eigenvalues: Tensor, encoders: Tensor) -> None:
        self._eigenvalues, self._encoders = eigenvalues, encoders
        self.asked: list[tuple[bool, bool, float, float]] = []
        self.given: list[tuple[Tensor, ...]] = []

    def __call__(
        self,
        W: Tensor,
        W_p: Tensor,
        X: Tensor,
        X_prime: Tensor,
        times: Tensor,
        stop_gradient: Any = True,
        predictor: Any = True,
        weight_decay: float = 0.0,
        predictor_rate: float = 1.0,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Norms (T, 2), eigenvalues (T, n_2) and W (T, n_2, n_1). Raises ValueError for other times or sizes."""
        n_2, n_1 = self._encoders.shape[3:]
        sizes = (n_2, n_1), (n_2, n_2), (n_1, n_1), (n_1, n_1), self._eigenvalues.shape[2:3]
        names = "W", "W_p", "X", "X_prime", "times"
        for name, found, shape in zip(names, (W, W_p, X, X_prime, times), sizes, strict=True):
            if tuple(found.shape) != tuple(shape):
                raise ValueError(f"{name} has shape {tuple(found.shape)}; hand it on as it came, {tuple(shape)}")
        with_stop, with_predictor = bool(stop_gradient), bool(predictor)
        self.asked.append((with_stop, with_predictor, float(weight_decay), float(predictor_rate)))
        self.given.append(tuple(item.detach().clone() for item in (W, W_p, X, X_prime, times)))
        place = int(not with_stop), int(not with_predictor)
        eigenvalues, encoders = self._eigenvalues[place], self._encoders[place]
        norms = torch.stack([encoders.flatten(1).norm(dim=1), torch.ones(len(times), dtype=encoders.dtype)], dim=1)
        return norms, eigenvalues.clone(), encoders.clone()
