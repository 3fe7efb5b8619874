"""The form of what an answer says: its type, and of numbers their dtype, shape and whether they are finite."""

import math
from collections.abc import Sequence
from typing import Any

import numpy
import torch

from autograder.judge.student import Remote

Lines = Sequence[tuple[str, Any]]  # what was asked, and what came back


def is_known_from(one: Lines, other: Lines) -> bool:
    """Whether the second transcript holds all questions of the first, in their order, with replies of the same forms.

    A conversation that ended earlier, or went another way, tells nothing of what came then.
    """
    return len(one) <= len(other) and all(
        asked == asked_other and form(said) == form(said_other)
        for (asked, said), (asked_other, said_other) in zip(one, other, strict=False)
    )


def form(value: Any) -> Any:
    """The form of what came back, which can be compared."""
    match value:
        case Remote():
            return "object", value.kind
        case torch.Tensor() | numpy.ndarray():
            return type(value).__name__, str(value.dtype), tuple(value.shape), _is_finite(value)
        case list() | tuple():
            return "list", tuple(map(form, value))
        case dict():
            return "map", tuple((repr(key), form(item)) for key, item in value.items())
        case float():
            return "float", math.isfinite(value)
    return type(value).__name__


def _is_finite(value: torch.Tensor | numpy.ndarray[Any, Any]) -> bool:
    if isinstance(value, torch.Tensor):
        return bool(torch.isfinite(value).all())
    return value.dtype.kind not in "fc" or bool(numpy.isfinite(value).all())
