"""Expectations on what a student's code gave. Messages never hold expected values or inputs."""

from typing import Any

import numpy
import torch
from torch import Tensor

from autograder.judge.student import Remote
from autograder.judge.verdict import ExpectationFailed

# Room for another order of operations and, in float64, for a constant that went through float32.
TOLERANCE = {torch.float32: (1e-4, 1e-5), torch.float64: (1e-6, 1e-7)}


def kind_of(value: Any) -> str:
    """What a student would call the value's type."""
    if isinstance(value, Remote):
        return _with_article(value.kind)
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, numpy.ndarray):
        return "a numpy array"
    return {type(None): "None", list: "a list or tuple"}.get(type(value), _with_article(type(value).__name__))


def _with_article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


class expect:
    """Expectations on one value, chained; the first that does not hold raises ExpectationFailed.

    `label` names the value in messages. Where an expectation alone tells a known mistake, `mistake` names it.
    """

    def __init__(self, value: Any, label: str = "the result") -> None:
        self.value = value
        self._label = label

    def holds(self, condition: bool, message: str, mistake: str | None = None) -> "expect":
        if not condition:
            raise ExpectationFailed(message, mistake)
        return self

    def tensor(self) -> "expect":
        """A torch tensor."""
        return self.holds(
            isinstance(self.value, Tensor),
            f"{self._sentence()} is {kind_of(self.value)}; return a torch tensor.",
        )

    def items(self, count: int) -> list[Any]:
        """A tuple or list of `count` items, or a tensor that is unpacked into them; returns them."""
        if isinstance(self.value, Tensor) and self.value.ndim and len(self.value) == count:
            self.value = list(self.value)
        is_right = isinstance(self.value, list) and len(self.value) == count
        found = f"{len(self.value)} items" if isinstance(self.value, list) else kind_of(self.value)
        self.holds(is_right, f"{self._sentence()} is {found}; return a tuple of {count}.")
        items: list[Any] = self.value
        return items

    def kind(self, name: str) -> "expect":
        """An object that stayed in the student's process and whose type has this name."""
        is_right = isinstance(self.value, Remote) and self.value.kind == name
        return self.holds(is_right, f"{self._sentence()} is {kind_of(self.value)}; {_with_article(name)} is wanted.")

    def shape(self, *shape: int, mistake: str | None = None) -> "expect":
        self.tensor()
        return self.holds(
            tuple(self.value.shape) == shape,
            f"{self._sentence()} has shape {tuple(self.value.shape)}; {shape} is wanted for these arguments.",
            mistake,
        )

    def dtype(self, dtype: torch.dtype) -> "expect":
        self.tensor()
        found, wanted = (str(item).removeprefix("torch.") for item in (self.value.dtype, dtype))
        return self.holds(
            self.value.dtype == dtype,
            f"{self._sentence()} is {found} for {wanted} arguments: keep the dtype that comes in.",
        )

    def finite(self, mistake: str | None = None) -> "expect":
        self.tensor()
        return self.holds(bool(torch.isfinite(self.value).all()), f"{self._sentence()} holds NaN or infinity.", mistake)

    def within(self, low: float, high: float, mistake: str | None = None) -> "expect":
        self.finite(mistake)
        is_within = bool(((self.value >= low) & (self.value <= high)).all())
        return self.holds(is_within, f"{self._sentence()} leaves the interval from {low:g} to {high:g}.", mistake)

    def close(
        self,
        wanted: Tensor,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        mistake: str | None = None,
    ) -> "expect":
        """The same shape, dtype and numbers as `wanted`, within a tolerance that follows the dtype.

        A Python number passes for a tensor without dimensions.
        """
        if isinstance(self.value, int | float) and not isinstance(self.value, bool) and wanted.ndim == 0:
            self.value = torch.tensor(self.value, dtype=wanted.dtype)
        self.shape(*wanted.shape).dtype(wanted.dtype).finite(mistake)
        default = TOLERANCE[wanted.dtype]
        rtol, atol = rtol if rtol is not None else default[0], atol if atol is not None else default[1]
        # The scale of the whole tensor: an entry near 0 may be a difference of large ones.
        scale = float(wanted.abs().max()) if wanted.numel() else 0.0
        is_close = torch.allclose(self.value.double(), wanted.double(), rtol=rtol, atol=atol + rtol * scale)
        return self.holds(is_close, f"{self._sentence()} has the right shape, but its numbers are wrong.", mistake)

    def _sentence(self) -> str:
        return self._label[0].upper() + self._label[1:]
