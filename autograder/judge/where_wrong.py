"""Where an answer is wrong: in one row or entry of its results alone, or for one kind of input alone."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from autograder.judge.running import Compared, Run

LEAST_RIGHT = 2  # comparisons that hold, so that what parts them from the others is no chance
LEAST_SIZE = 3  # of a dimension of which a first or last place means something


def where_wrong(answered: Run) -> str:
    """One sentence on where the numbers are wrong, if that is the same in all that was compared; else nothing."""
    wrong = [one for one in answered.compared if one.failure is not None]
    right = [one for one in answered.compared if one.failure is None]
    if places := _common([set(_places(one)) for one in wrong]):
        return f"Only {min(places, key=len)} is wrong."
    return _kind_of_input([one.request for one in wrong], [one.request for one in right])


def _common(sets: list[set[str]]) -> set[str]:
    return set.intersection(*sets) if sets else set()


def _places(compared: Compared) -> Iterator[str]:
    """The first or last places, along any dimension, that hold all that is wrong in one result."""
    failure = compared.failure
    if failure is None or not isinstance(failure.got, Tensor) or failure.got.shape != failure.wanted.shape:
        return
    wanted = failure.wanted.double()
    scale = float(wanted.abs().max()) if wanted.numel() else 0.0
    is_wrong = ~torch.isclose(failure.got.double(), wanted, rtol=1e-3, atol=1e-3 * scale)
    for dim, size in enumerate(is_wrong.shape):
        if size < LEAST_SIZE or not is_wrong.any():
            continue
        rows = is_wrong.movedim(dim, 0).flatten(1).any(dim=1) if is_wrong.ndim > 1 else is_wrong
        name = "entry" if is_wrong.ndim == 1 else "row" if dim == 0 else "column" if is_wrong.ndim == 2 else ""
        what = name or f"place along dimension {dim}"
        for place, word in ((0, "first"), (-1, "last")):
            if rows[place] and int(rows.sum()) == 1:
                yield f"the {word} {what}"


def _kind_of_input(wrong: list[dict[str, Any]], right: list[dict[str, Any]]) -> str:
    """The one kind of input that all wrong results have, and no right one; nothing if there are none or several."""
    if len(right) < LEAST_RIGHT:
        return ""
    kinds = _common([_kinds(request) for request in wrong]).difference(*map(_kinds, right))
    return f"It is wrong only {kinds.pop()}; all else that was tried is right." if len(kinds) == 1 else ""


def _kinds(request: dict[str, Any]) -> set[str]:
    """What an input is like, in words."""
    found = set()
    for number, item in enumerate(request.get("args", ()), 1):
        name = f"argument {number}"
        match item:
            case bool():
                found.add(f"if {name} is {item}")
            case int() | float():
                found.add(f"if {name} is 1" if item == 1 else f"if {name} is not 1")
            case Tensor():
                if item.dtype == torch.float64:
                    found.add("in double precision")
                if item.ndim:
                    found.add(f"if {name} has {'one row' if len(item) == 1 else 'more than one row'}")
                if item.ndim > 1:
                    found.add(f"if {name} has {'one column' if item.shape[1] == 1 else 'more than one column'}")
                if item.ndim == 2 and item.shape[0] != item.shape[1]:
                    found.add(f"if {name} is not square")
    return found
