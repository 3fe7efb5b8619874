"""Which known mistake an answer is: the one that says what the answer said, where either of the two is wrong."""

from collections.abc import Mapping
from typing import Any

import numpy
import torch

from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.running import Run, run
from autograder.judge.student import Remote, in_this_process

ENOUGH = 0.5  # a mistake shares more of what is wrong with an answer that has a slip more


class _Differs(BaseException):
    """Not an Exception, so that no check can catch it."""


def with_the_same_numbers(exercise: Exercise, seed: bytes, answered: Run, known: Mapping[int, Run]) -> Mistake | None:
    """The mistake that says, to the same questions, just what the answer said.

    It must say so up to what was found first, and wherever either of the two is wrong from there on. An answer with a
    second slip does not, and is taken for the mistake if more than half of what is wrong is the same. If two
    mistakes fit alike, neither is named. Runs that are `known`, by the mistake's number, are not made again.
    """
    fits: dict[str, tuple[float, Mistake]] = {}
    for number, mistake in enumerate(exercise.mistakes):
        if mistake.broad:
            continue
        if number in known:
            share = _share(answered, known[number]) if _come_to_the_same(known[number], answered) else 0.0
        else:
            share = shared(exercise, mistake.answer, seed, answered)
        if share > fits.get(mistake.name, (0.0,))[0]:
            fits[mistake.name] = share, mistake
    best = max((share for share, _ in fits.values()), default=0.0)
    found = [mistake for share, mistake in fits.values() if share == best]
    return found[0] if len(found) == 1 else None


def shared(exercise: Exercise, answer: Any, seed: bytes, answered: Run) -> float:
    """How much of what is wrong another answer has in common with this one: 1 if it is as wrong on all inputs, 0 if it
    comes to another finding, says something else before, or shares too little to tell."""

    def require_same(number: int, line: Any) -> None:
        if number < answered.decided and not same(answered.transcript[number], line):
            raise _Differs

    try:
        other = run(exercise, in_this_process(answer), seed, goes_on=True, on_reply=require_same)
    except _Differs:
        return 0.0
    return _share(answered, other) if _end_alike(other, answered) else 0.0


def _end_alike(one: Run, other: Run) -> bool:
    return one.finding.verdict == other.finding.verdict and one.decided == other.decided


def _come_to_the_same(one: Run, other: Run) -> bool:
    """Whether two whole runs come to the same finding by saying the same."""
    return _end_alike(one, other) and all(map(same, one.transcript[: one.decided], other.transcript[: one.decided]))


def _share(one: Run, other: Run) -> float:
    """How much of what is wrong in two runs is the same; 0 if it is too little, or says too little, to tell."""
    wrong = one.wrong_lines | other.wrong_lines
    agree = [lines for lines in wrong if all(_are_same(one, other, line) for line in lines)]
    if len(agree) == len(wrong):
        return 1.0
    share = len(agree) / len(wrong)
    return share if share > ENOUGH else 0.0


def _are_same(one: Run, other: Run, line: int) -> bool:
    both = min(len(one.transcript), len(other.transcript))
    return line < both and same(one.transcript[line], other.transcript[line])


def same(one: Any, other: Any) -> bool:
    """Whether two replies, or lines of transcripts, say the same, within the rounding of single precision."""
    if isinstance(one, Remote) and isinstance(other, Remote):
        return True  # a class of a mistake has another name than a student's; what an object does tells more
    if isinstance(one, numpy.ndarray) and isinstance(other, numpy.ndarray):
        one, other = torch.from_numpy(one), torch.from_numpy(other)
    one, other = _in_the_form_of(other, one), _in_the_form_of(one, other)
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        if not one.is_floating_point():
            return torch.equal(one, other)
        return torch.allclose(one.double(), other.double(), rtol=1e-4, atol=1e-6, equal_nan=True)
    if isinstance(one, float) and isinstance(other, float):
        return same(torch.tensor(one), torch.tensor(other))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


def _in_the_form_of(other: Any, one: Any) -> Any:
    """A reply in the other's form, if checks make no difference between the two: a number for a tensor without
    dimensions, a tensor for the list of its rows."""
    match other:
        case torch.Tensor() if other.ndim == 0 and isinstance(one, int | float) and not isinstance(one, bool):
            return torch.tensor(one, dtype=other.dtype)
        case list() | tuple() if isinstance(one, torch.Tensor) and one.ndim and len(one) == len(other):
            return list(one)
    return one
