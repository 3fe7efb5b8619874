"""Inputs for checks: fresh for each submission, the same at a regrade."""

import hashlib
import hmac
from typing import TypeVar

import torch
from torch import Tensor

Case = TypeVar("Case")


def seed_for(key: bytes, submission_digest: str, exercise_id: str) -> bytes:
    """Seed of one exercise of one submission: HMAC-SHA256 under the course's secret key, 32 bytes."""
    return hmac.new(key, f"{submission_digest}\n{exercise_id}".encode(), hashlib.sha256).digest()


class Draw:
    """Random inputs from a seed of at least 8 bytes. Shapes are given as separate sizes."""

    def __init__(self, seed: bytes) -> None:
        self._generator = torch.Generator().manual_seed(int.from_bytes(seed[:8], "big") >> 1)

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self._generator, dtype=dtype)

    def uniform(self, low: float, high: float, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Numbers that are uniform in [low, high)."""
        return low + (high - low) * torch.rand(shape, generator=self._generator, dtype=dtype)

    def positive(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Positive numbers away from 0 and from 1: log-uniform in [0.2, 0.8] or in [1.25, 3], half of each."""
        small = torch.exp(self.uniform(-1.609, -0.223, *shape, dtype=dtype))
        large = torch.exp(self.uniform(0.223, 1.099, *shape, dtype=dtype))
        # Alternating, so that two neighbours are never both on one side of 1.
        side = torch.arange(small.numel()).view(shape) % 2 == self.integer(0, 2)
        return torch.where(side, small, large)

    def again(self, *cases: Case) -> tuple[Case, ...]:
        """The cases, then the first of them again: its shapes with other numbers, for which no answer may give what it
        gave before."""
        return *cases, cases[0]

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high)."""
        return int(torch.randint(low, high, (), generator=self._generator))

    def seed(self) -> int:
        """A seed for a generator of its own."""
        return self.integer(0, 2**62)
