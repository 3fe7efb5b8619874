"""What several exercises of the foundations notebook share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy
import torch
from torch import Tensor

from autograder.judge.draw import Draw
from autograder.judge.expect import expect, kind_of
from autograder.judge.student import Remote
from autograder.judge.verdict import ExpectationFailed

MOST_ITEMS = 1_000  # of an answer that is a list


def listed(value: Any, label: str) -> list[Any]:
    """The items of a list, tuple or set, or the rows of a tensor."""
    if isinstance(value, Tensor) and value.ndim:
        value = list(value[: MOST_ITEMS + 1])
    expect(value).holds(isinstance(value, list), f"Return a list of {label}; yours is {kind_of(value)}.")
    expect(value).holds(len(value) <= MOST_ITEMS, f"There are far too many {label}.")
    items: list[Any] = value
    return items


def whole_number(value: Any) -> int | None:
    """A whole number, as a number or as a tensor or array without dimensions; None for anything else."""
    if isinstance(value, numpy.ndarray):
        value = torch.from_numpy(value)
    if isinstance(value, Tensor) and value.ndim == 0 and not value.is_floating_point() and value.dtype != torch.bool:
        value = value.item()
    return value if type(value) is int else None


def name_of(found: object, candidates: Mapping[str, object]) -> str | None:
    """The mistake that gives just this."""
    return next((name for name, other in candidates.items() if other == found), None)


def is_close(found: Any, wanted: Tensor) -> bool:
    try:
        expect(found).close(wanted)
    except ExpectationFailed:
        return False
    return True


def first_wrong(student: Remote, right: Callable[..., Tensor], cases: Mapping[str, Sequence[Tensor]]) -> str | None:
    """The name of the first case, a tuple of arguments, in which an answer is not right; None if it is in all."""
    return next((name for name, case in cases.items() if not is_close(student(*case), right(*case))), None)


def log_scores(draw: Draw, words: int, tags: int, dtype: torch.dtype) -> Tensor:
    """(N, V), of words whose largest scores differ, so that no word is like another."""
    return 1.5 * draw.normal(words, tags, dtype=dtype) + draw.normal(words, 1, dtype=dtype)


def expect_gradients(
    found: Sequence[Tensor | None], args: Sequence[Tensor], wanted: Callable[..., Tensor], names: str
) -> None:
    """Gradients by the first arguments, which `names` names, are those of `wanted`, a number, by the same."""
    leaves = [item.clone().requires_grad_() if item.is_floating_point() else item for item in args]
    right = torch.autograd.grad(wanted(*leaves), leaves[: len(found)])
    for name, gradient, other in zip(names.split(), found, right, strict=True):
        expect(gradient).holds(
            gradient is not None,
            f"No gradient reaches {name}: look for detach, no_grad, item, tolist, float or numpy.",
            "detached",
        )
        expect(gradient, f"the gradient by {name}").close(other, rtol=1e-3)
