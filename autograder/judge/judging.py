"""Judge one answer to one exercise, and name the mistake where it is a known one."""

import traceback
from typing import Any

import numpy
import torch

from autograder.judge.draw import Draw
from autograder.judge.exercise import Equivalent, Exercise, Mistake
from autograder.judge.forms import is_known_from
from autograder.judge.student import Channel, Remote, Transcript, in_this_process, student_of
from autograder.judge.verdict import AnswerRaised, ExpectationFailed, Finding, Verdict
from fixmelab.judged.wire import WireError

UNFILLED = "This FIXME is not filled in yet."
FAULT = "The check of this exercise failed. That is no fault of your answer: your instructor mends it and grades again."


def judge(exercise: Exercise, channel: Channel, seed: bytes) -> Finding:
    """Run the exercise's check on the answer behind `channel`, with inputs drawn from `seed`.

    Whatever the answer does is a finding; nothing it sends raises here. What the check itself raises is a fault of the
    grader's, unless the answer is odder than any that its author could think of.
    """
    finding, transcript = _run(exercise, channel, seed)
    verdict = finding.verdict
    if verdict == "fault":
        if _is_to_blame(exercise, seed, transcript):
            return finding
        kind = finding.traceback.rstrip().rpartition("\n")[2].partition(":")[0]
        finding = Finding("error", f"Its answer is of a kind that cannot be judged ({kind}).")
    if finding.verdict not in ("fail", "error"):
        return finding
    known = {item.name: item for item in exercise.mistakes}
    found = known.get(finding.mistake or "")
    if found is None or found.broad:
        found = _same_numbers(exercise, seed, verdict, transcript) or found
    if found is None:
        return Finding(finding.verdict, finding.message)
    return Finding(finding.verdict, found.sentence, found.name)


def _run(
    exercise: Exercise, channel: Channel, seed: bytes, like: Transcript | None = None
) -> tuple[Finding, Transcript]:
    """Finding and transcript. Raises _Differs as soon as a reply differs from `like`, if that is given."""
    draw = Draw(seed)
    student, session = student_of(channel, draw)
    if like is not None:
        session.on_reply = lambda number, line: _require_same(like, number, line)
    try:
        exercise.check(student, draw)
        finding = Finding("pass")
    except ExpectationFailed as failure:
        finding = Finding("fail", str(failure), failure.mistake)
    except AnswerRaised as raised:
        session.note("raised", raised.likeness)
        verdict: Verdict = "oom" if raised.is_out_of_memory else "error"
        finding = Finding("missing", UNFILLED) if raised.is_unfilled else Finding(verdict, f"It raised {raised}")
    except WireError as error:
        finding = Finding("error", f"Its answer could not be read: {error}.")
    except (Exception, SystemExit):
        # Never a pass, and never the grader's end.
        finding = Finding("fault", FAULT, traceback=traceback.format_exc())
    return finding, session.transcript


def _is_to_blame(exercise: Exercise, seed: bytes, transcript: Transcript) -> bool:
    """Whether the check, which has raised, is to blame for it, and not an answer of a form that nobody foresees.

    It is if it raises for a right answer too, or if the answer said, to the same questions, what has the form of a
    right answer's replies or of a known mistake's: then it would have stumbled over other answers as well.
    """
    items: tuple[Equivalent | Mistake, ...] = (*exercise.equivalents, *exercise.mistakes)
    for item in items:
        finding, told = _run(exercise, in_this_process(item.answer), seed)
        if is_known_from(transcript, told) or (isinstance(item, Equivalent) and finding.verdict == "fault"):
            return True
    return not items


class _Differs(BaseException):
    """Not an Exception, so that no check can catch it."""


def _require_same(like: Transcript, number: int, line: Any) -> None:
    if number >= len(like) or not same(like[number], line):
        raise _Differs


def _same_numbers(exercise: Exercise, seed: bytes, verdict: Verdict, transcript: Transcript) -> Mistake | None:
    """The mistake that says, to the same questions, just what the student's answer said."""
    for mistake in exercise.mistakes:
        if mistake.broad:
            continue
        try:
            other, told = _run(exercise, in_this_process(mistake.answer), seed, like=transcript)
        except _Differs:
            continue
        if other.verdict == verdict and len(told) == len(transcript):
            return mistake
    return None


def same(one: Any, other: Any) -> bool:
    """Whether two replies, or lines of transcripts, say the same, within the rounding of single precision."""
    if isinstance(one, Remote) and isinstance(other, Remote):
        return one.kind == other.kind
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
