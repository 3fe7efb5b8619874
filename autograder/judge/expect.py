"""Expectations on what a student's code gave. Messages never hold expected values or inputs."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import numpy
import torch
from torch import Tensor

from autograder.judge.parts import note_comparison
from autograder.judge.student import Remote
from autograder.judge.verdict import AnswerRaised, ExpectationFailed, WrongNumbers

# Room for another order of operations and, in float64, for a constant that went through float32.
TOLERANCE = {torch.float32: (1e-4, 1e-5), torch.float64: (1e-6, 1e-7)}

_OF_SEVERAL = {"is": "are", "has": "have", "holds": "hold", "leaves": "leave"}
_AFTER_THE_HEAD = re.compile(r" (?:after|around|at|by|for|from|if|in|of|on|over|that|through|which|with|without) ")


def kind_of(value: Any) -> str:
    """What a student would call the value's type."""
    if isinstance(value, Remote):
        return _with_article(value.kind)
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, numpy.ndarray):
        return "a numpy array"
    return {type(None): "None", list: "a list or tuple"}.get(type(value), _with_article(type(value).__name__))


OnCompared = Callable[[ExpectationFailed | None], None]

_on_compared: ContextVar[OnCompared | None] = ContextVar("on_compared", default=None)


@contextmanager
def told_of_numbers(on_compared: OnCompared | None) -> Iterator[None]:
    """Inside, `on_compared` is told how each comparison of numbers ended, and wrong ones do not end the check, so that
    an answer is seen on more inputs; with None, they do."""
    before = _on_compared.set(on_compared)
    try:
        yield
    finally:
        _on_compared.reset(before)


def on_compared() -> OnCompared | None:
    """Who is told of numbers here, if anybody is."""
    return _on_compared.get()


def _told(otherwise: Callable[[], str | None]) -> str | None:
    """What it names; nothing if the answer raises where it is asked more."""
    try:
        with told_of_numbers(None):
            return otherwise()
    except AnswerRaised:
        return None


@lru_cache(1000)  # asked for each expectation, also for one that holds
def _are_several(label: str) -> bool:
    """Whether a label, such as "with stop-gradient, the eigenvalues at the first time", names several things."""
    named = label.rstrip(",").rpartition(", ")[2]
    head = _AFTER_THE_HEAD.split(named)[0]
    return head.endswith("s") and not head.endswith(("ss", "canvas")) and not head.startswith("what ")


def _with_article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


class expect:
    """Expectations on one value, chained; the first that does not hold raises ExpectationFailed.

    `label` names the value in messages. Where an expectation alone tells a known mistake, `mistake` names it.
    """

    def __init__(self, value: Any, label: str = "the result") -> None:
        self._value = value
        self._label = label
        self._is_looked_at = not isinstance(value, Tensor | numpy.ndarray)

    @property
    def value(self) -> Any:
        """The value. A tensor is given out only after `shape` or `items`: a small one of another shape can blow up
        whatever it meets to gigabytes."""
        if not self._is_looked_at:
            raise RuntimeError("a check wants to compute with a tensor before it has looked at its shape")
        return self._value

    def holds(self, condition: bool, message: str, mistake: str | None = None) -> "expect":
        """Whatever the check has found out itself; `message` is what the student reads if it is not so."""
        note_comparison()
        if not condition:
            raise ExpectationFailed(message, mistake)
        return self

    def tensor(self) -> "expect":
        """A torch tensor."""
        return self.holds(
            isinstance(self._value, Tensor),
            f"{self._sentence('is')} {kind_of(self._value)}; return a torch tensor.",
        )

    def items(self, count: int) -> list[Any]:
        """A tuple or list of `count` items, or a tensor that is unpacked into them; returns them."""
        if isinstance(self._value, Tensor) and self._value.ndim and len(self._value) == count:
            self._value = list(self._value)
        is_right = isinstance(self._value, list) and len(self._value) == count
        found = f"{len(self._value)} items" if isinstance(self._value, list) else kind_of(self._value)
        self.holds(is_right, f"{self._sentence('is')} {found}; return a tuple of {count}.")
        self._is_looked_at = True
        items: list[Any] = self._value
        return items

    def kind(self, name: str) -> "expect":
        """An object that stayed in the student's process and whose type has this name."""
        is_right = isinstance(self._value, Remote) and self._value.kind == name
        return self.holds(is_right, f"{self._sentence('is')} {kind_of(self._value)}; return {_with_article(name)}.")

    def shape(self, *shape: int, mistake: str | None = None) -> "expect":
        """A tensor of this shape, one argument a size."""
        self.tensor()
        self._is_looked_at = True
        return self.holds(
            tuple(self._value.shape) == shape,
            f"{self._sentence('has')} shape {tuple(self._value.shape)}; for these arguments it must be {shape}.",
            mistake,
        )

    def dtype(self, dtype: torch.dtype) -> "expect":
        """A tensor of this dtype."""
        self.tensor()
        found, wanted = (str(item).removeprefix("torch.") for item in (self._value.dtype, dtype))
        return self.holds(
            self._value.dtype == dtype,
            f"{self._sentence('is')} {found} for {wanted} arguments: keep the dtype that comes in.",
        )

    def finite(self, mistake: str | None = None) -> "expect":
        """A tensor without NaN and infinity."""
        self.tensor()
        return self.holds(
            bool(torch.isfinite(self._value).all()), f"{self._sentence('holds')} NaN or infinity.", mistake
        )

    def within(self, low: float, high: float, mistake: str | None = None) -> "expect":
        """A tensor whose numbers all lie in [low, high]."""
        self.finite(mistake)
        is_within = bool(((self._value >= low) & (self._value <= high)).all())
        return self.holds(is_within, f"{self._sentence('leaves')} the interval from {low:g} to {high:g}.", mistake)

    def close(
        self,
        wanted: Tensor,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        mistake: str | None = None,
        otherwise: Callable[[], str | None] | None = None,
    ) -> "expect":
        """The same shape, dtype and numbers as `wanted`, within a tolerance that follows the dtype.

        A Python number passes for a tensor without dimensions. If the numbers differ, `otherwise` may ask the answer
        more, to tell which part of it is wrong: it names a broad mistake, or none.
        """
        told = on_compared()
        try:
            self._close(wanted, rtol, atol, mistake, otherwise)
        except ExpectationFailed as failure:
            failure.got, failure.wanted = self._value, wanted
            if told is None or not isinstance(failure, WrongNumbers):
                raise
            told(failure)
        else:
            if told is not None:
                told(None)
        return self

    def _close(
        self,
        wanted: Tensor,
        rtol: float | None,
        atol: float | None,
        mistake: str | None,
        otherwise: Callable[[], str | None] | None,
    ) -> None:
        if isinstance(self._value, int | float) and not isinstance(self._value, bool) and wanted.ndim == 0:
            self._value = torch.tensor(self._value, dtype=wanted.dtype)
        self.shape(*wanted.shape).dtype(wanted.dtype).finite(mistake)
        default = TOLERANCE[wanted.dtype]
        rtol, atol = rtol if rtol is not None else default[0], atol if atol is not None else default[1]
        # The scale of the whole tensor: an entry near 0 may be a difference of large ones.
        scale = float(wanted.abs().max()) if wanted.numel() else 0.0
        if not math.isfinite(scale):  # everything would be close to that
            raise RuntimeError("a check wants numbers that are not finite")
        is_close = torch.allclose(self._value.double(), wanted.double(), rtol=rtol, atol=atol + rtol * scale)
        if not is_close:
            whose = "their" if _are_several(self._label) else "its"
            message = f"{self._sentence('has')} the right shape, but {whose} numbers are wrong."
            raise WrongNumbers(message, mistake or (_told(otherwise) if otherwise else None))

    def _sentence(self, verb: str) -> str:
        """The label and its verb: "The draws are"."""
        subject = self._label[0].upper() + self._label[1:]
        return f"{subject} {_OF_SEVERAL[verb] if _are_several(self._label) else verb}"
