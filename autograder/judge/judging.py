"""Judge one answer to one exercise, and name the mistake where it is a known one."""

from typing import Any

import numpy
import torch

from autograder.judge.draw import Draw
from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.student import Channel, Remote, Transcript, in_this_process, student_of
from autograder.judge.verdict import AnswerRaised, ExpectationFailed, Finding, Verdict
from fixmelab.judged.wire import WireError

UNFILLED = "This FIXME is not filled in yet."


def judge(exercise: Exercise, channel: Channel, seed: bytes) -> Finding:
    """Run the exercise's check on the answer behind `channel`, with inputs drawn from `seed`.

    Whatever the answer does is a finding; nothing it sends raises here.
    """
    finding, transcript = _run(exercise, channel, seed)
    if finding.verdict not in ("fail", "error"):
        return finding
    known = {item.name: item for item in exercise.mistakes}
    found = known.get(finding.mistake or "")
    if found is None or found.broad:
        found = _same_numbers(exercise, seed, finding, transcript) or found
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
    except Exception as error:
        # An answer so odd that the check itself stumbled: never a pass, and never the grader's end.
        finding = Finding("error", f"Its answer is of a kind that cannot be judged ({type(error).__name__}).")
    return finding, session.transcript


class _Differs(BaseException):
    """Not an Exception, so that no check can catch it."""


def _require_same(like: Transcript, number: int, line: Any) -> None:
    if number >= len(like) or not _same(like[number], line):
        raise _Differs


def _same_numbers(exercise: Exercise, seed: bytes, finding: Finding, transcript: Transcript) -> Mistake | None:
    """The mistake that says, to the same questions, just what the student's answer said."""
    for mistake in exercise.mistakes:
        if mistake.broad:
            continue
        try:
            other, told = _run(exercise, in_this_process(mistake.answer), seed, like=transcript)
        except _Differs:
            continue
        if other.verdict == finding.verdict and len(told) == len(transcript):
            return mistake
    return None


def _same(one: Any, other: Any) -> bool:
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
        return _same(torch.tensor(one), torch.tensor(other))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other
