"""Which known mistake an answer is: the one that says what the answer said, where either of the two is wrong."""

from typing import Any

import numpy
import torch

from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.running import Run, run
from autograder.judge.student import Remote, in_this_process

ENOUGH = 0.5  # a mistake shares more of what is wrong with an answer that has a slip more


class _Differs(BaseException):
    """Not an Exception, so that no check can catch it."""


def with_the_same_numbers(exercise: Exercise, seed: bytes, answered: Run) -> Mistake | None:
    """The mistake that says, to the same questions, just what the answer said.

    It must say so up to what was found first, and wherever either of the two is wrong from there on. An answer with a
    second slip does not, and is taken for the mistake if more than half of what is wrong is the same. If two
    mistakes fit alike, neither is named.
    """
    fits: dict[str, tuple[float, Mistake]] = {}
    for mistake in exercise.mistakes:
        other = None if mistake.broad else alike(exercise, mistake.answer, seed, answered)
        if other is not None and (share := _share(answered, other)) > fits.get(mistake.name, (0.0,))[0]:
            fits[mistake.name] = share, mistake
    best = max((share for share, _ in fits.values()), default=0.0)
    found = [mistake for share, mistake in fits.values() if share == best]
    return found[0] if len(found) == 1 else None


def alike(exercise: Exercise, answer: Any, seed: bytes, answered: Run) -> Run | None:
    """The run of another answer, if it comes to the same finding by saying the same."""

    def require_same(number: int, line: Any) -> None:
        if number < answered.decided and not same(answered.transcript[number], line):
            raise _Differs

    try:
        other = run(exercise, in_this_process(answer), seed, goes_on=True, on_reply=require_same)
    except _Differs:
        return None
    is_same = other.finding.verdict == answered.finding.verdict and other.decided == answered.decided
    return other if is_same else None


def agrees_throughout(exercise: Exercise, answer: Any, seed: bytes, answered: Run) -> bool:
    """Whether another answer is as wrong as this one is, on all inputs, and these tell enough."""
    other = alike(exercise, answer, seed, answered)
    return other is not None and _share(answered, other) == 1.0


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
