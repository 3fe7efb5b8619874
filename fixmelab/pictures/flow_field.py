"""A velocity field in a plane, followed: where points of a grid end up, arrows, and the path of one point."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# (p, s, weight decay, rate) → (ṗ, ṡ), each of the shape of p.
Velocity = Callable[[Tensor, Tensor, float, float], tuple[Tensor, Tensor]]

LIMITS = (-0.3, 1.1, 0.0, 1.5)  # p from, to; s from, to
COLUMNS, ROWS = 56, 48  # of the grid whose points are followed
LONG = 150.0  # how long they are followed
LONGEST_STEP, FASTEST = 1.0, 1.3  # steps are shorter for a fast predictor, else they overshoot
PATH_STEPS, FIRST_STEP, GROWTH, LAST_STEP = 300, 0.02, 1.03, 0.3  # of a path: short where it is quick
ARROWS = (15, 11)
ALIVE = 0.1  # of p in the end


@dataclass(frozen=True)
class FlowField:
    """The field of `velocity` for one weight decay and one rate of the predictor."""

    velocity: Velocity
    weight_decay: float
    rate: float

    def basin(self) -> tuple[np.ndarray, tuple[float, float] | None]:
        """Which points of the grid do not collapse, (ROWS, COLUMNS) from below, and where these end, or None."""
        p, s = _grid(COLUMNS, ROWS)
        step = min(LONGEST_STEP, FASTEST / self.rate)
        for _ in range(round(LONG / step)):
            p, s = self._moved(p, s, step)
        alive = torch.isfinite(p) & (p > ALIVE)
        end = (float(p[alive].median()), float(s[alive].median())) if alive.any() else None
        return alive.view(ROWS, COLUMNS).numpy(), end

    def arrows(self) -> np.ndarray:
        """Place and direction of arrows, (N, 4): p, s, and a vector of length 1 at most, as it looks in the plane."""
        p, s = _grid(*ARROWS)
        p_dot, s_dot = self._velocities(p, s)
        across, up = p_dot / (LIMITS[1] - LIMITS[0]), s_dot / (LIMITS[3] - LIMITS[2])
        size = torch.hypot(across, up)
        length = (size / (size + 0.05)) / size.clamp(min=1e-12)
        return torch.stack([p, s, across * length, up * length], dim=1).float().numpy()

    def path(self, p: float, s: float) -> np.ndarray:
        """The path of a point, (N, 2)."""
        return self.paths([(p, s)])[0]

    def paths(self, starts: Sequence[tuple[float, float]]) -> list[np.ndarray]:
        """The paths of several points, which are followed together, (N, 2) each."""
        p, s = torch.tensor(starts).unbind(1)
        places = [(p, s)]
        for number in range(PATH_STEPS):
            p, s = self._moved(p, s, min(FIRST_STEP * GROWTH**number, LAST_STEP, FASTEST / self.rate))
            places.append((p, s))
        found = torch.stack([torch.stack(place, dim=1) for place in places], dim=1)
        return [one[torch.isfinite(one).all(dim=1)].float().numpy() for one in found]

    def parabola(self) -> np.ndarray:
        """s = p² / rate, which all paths approach, (N, 2)."""
        p = np.linspace(LIMITS[0], LIMITS[1], 80)
        return np.stack([p, p**2 / self.rate], axis=1).astype(np.float32)

    def _velocities(self, p: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            found = self.velocity(p, s, self.weight_decay, self.rate)
        if len(found) != 2 or any(item.shape != p.shape for item in found):
            raise ValueError("the velocity must give two tensors of the shape of p")
        return found[0], found[1]

    def _moved(self, p: Tensor, s: Tensor, step: float) -> tuple[Tensor, Tensor]:
        """After a step of Runge and Kutta's rule of fourth order."""
        a = self._velocities(p, s)
        b = self._velocities(p + step / 2 * a[0], s + step / 2 * a[1])
        c = self._velocities(p + step / 2 * b[0], s + step / 2 * b[1])
        d = self._velocities(p + step * c[0], s + step * c[1])
        sums = [a[k] + 2 * b[k] + 2 * c[k] + d[k] for k in (0, 1)]
        return p + step / 6 * sums[0], s + step / 6 * sums[1]


def _grid(columns: int, rows: int) -> tuple[Tensor, Tensor]:
    """p and s in the middle of the cells of a grid, row by row from below, (rows · columns,) each."""
    left, right, low, high = LIMITS
    p = left + (right - left) * (torch.arange(columns) + 0.5) / columns
    s = low + (high - low) * (torch.arange(rows) + 0.5) / rows
    return p.repeat(rows), s.repeat_interleave(columns)
