"""Where an answer is wrong: in one row or entry of its results alone, or for one kind of input alone."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from autograder.judge.running import Compared, Run

LEAST_RIGHT = 2  # comparisons that hold, so that what parts them from the others is no chance
LEAST_SIZE = 3  # of a dimension of which a first or last place means something
LARGER = 2  # how many times as large a number must be to be called large

Given = dict[str, Any]  # the arguments of a call, by what they are called in a sentence


def where_wrong(answered: Run, parameters: Sequence[str] = ()) -> str:
    """One sentence on where the numbers are wrong, if that is the same in all that was compared; else nothing.

    `parameters` are the names of the arguments of the function that is judged.
    """
    wrong = [one for one in answered.compared if one.failure is not None]
    right = [one for one in answered.compared if one.failure is None]
    if places := _common([set(_places(one)) for one in wrong]):
        return f"Only {min(places, key=len)} is wrong."
    return _kind_of_input(*([dict(_given(one.request, parameters)) for one in some] for some in (wrong, right)))


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


def _kind_of_input(wrong: list[Given], right: list[Given]) -> str:
    """The one kind of input that all wrong results have, and no right one, or else the one thing that is larger or
    smaller in them than in all right ones; nothing if there are none or several."""
    if len(right) < LEAST_RIGHT:
        return ""
    kinds = _common([_kinds(given) for given in wrong]).difference(*map(_kinds, right))
    kinds = kinds or set(_extremes(list(map(_sizes, wrong)), list(map(_sizes, right))))
    return f"It is wrong only {kinds.pop()}; all else that was tried is right." if len(kinds) == 1 else ""


def _given(request: dict[str, Any], parameters: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The arguments of a call, and what they are called in a sentence."""
    known = () if request.get("name") else parameters  # those of a method are others
    for number, item in enumerate(request.get("args", ())):
        yield known[number] if number < len(known) else f"argument {number + 1}", item
    yield from request.get("kwargs", {}).items()


def _kinds(given: Given) -> set[str]:
    """What an input is like, in words."""
    found = set()
    for name, item in given.items():
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


def _sizes(given: Given) -> dict[tuple[str, str], float]:
    """How large what an input is made of is, by the words for large and small."""
    found: dict[tuple[str, str], float] = {}
    for name, item in given.items():
        match item:
            case bool():
                pass
            case int():
                found[f"if {name} is large", f"if {name} is small"] = item
            case Tensor():
                for size, places in zip(item.shape, ("rows", "columns"), strict=False):
                    found[f"if {name} has many {places}", f"if {name} has few {places}"] = size
    return found


def _extremes(wrong: list[dict[Any, float]], right: list[dict[Any, float]]) -> Iterator[str]:
    """What is larger, or smaller, in all that is wrong than in all that is right, of what all have."""
    for words in set.intersection(*map(set, [*wrong, *right])):
        large, small = words
        of_wrong, of_right = [one[words] for one in wrong], [one[words] for one in right]
        if min(of_wrong) >= LARGER * max(of_right) > 0:
            yield large
        elif min(of_right) >= LARGER * max(of_wrong) > 0:
            yield small
