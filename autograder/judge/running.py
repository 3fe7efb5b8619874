"""One run of a check on an answer: what was found, what was said, and which numbers were wrong."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograder.judge.draw import Draw
from autograder.judge.exercise import Exercise
from autograder.judge.expect import told_of_numbers
from autograder.judge.student import Channel, Transcript, student_of
from autograder.judge.verdict import AnswerRaised, ExpectationFailed, Finding, Verdict
from fixmelab.judged.wire import WireError

UNFILLED = "This FIXME is not filled in yet."
FAULT = "The check of this exercise failed. That is no fault of your answer: your instructor mends it and grades again."
MOST_WRONG = 4  # numbers that are looked at: they tell one mistake from another


@dataclass(frozen=True)
class Compared:
    """Numbers that were compared: what is wrong with them, if anything is, the request before that, and the lines of
    the transcript that have come since numbers were compared before."""

    failure: ExpectationFailed | None
    request: dict[str, Any]
    lines: range


@dataclass
class Run:
    """The first thing that was found, the transcript, how many lines of it led to that, and what was compared."""

    finding: Finding = Finding("pass")
    transcript: Transcript = field(default_factory=list)
    decided: int = 0
    compared: list[Compared] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        """Whether any numbers are."""
        return any(one.failure is not None for one in self.compared)

    @property
    def wrong_lines(self) -> set[range]:
        """The lines of the transcript that led to wrong numbers, together for each; or the one that ended the check."""
        end = len(self.transcript)
        return {one.lines for one in self.compared if one.failure is not None} or {range(max(end - 1, 0), end)}


def run(
    exercise: Exercise,
    channel: Channel,
    seed: bytes,
    *,
    goes_on: bool = False,
    on_reply: Callable[[int, tuple[str, Any]], None] = lambda number, line: None,
) -> Run:
    """Run a check on the answer behind `channel`; nothing that the answer sends raises here.

    If it `goes_on`, the first wrong numbers are noted and do not end the check; whatever comes after them is no part
    of the finding. `on_reply` is told each line of the transcript, and may raise what is no Exception.
    """
    draw = Draw(seed)
    student, session = student_of(channel, draw)
    session.on_reply = on_reply
    found = Run(transcript=session.transcript)

    asked: list[dict[str, Any]] = [{}]
    session.on_ask = lambda request, label: asked.append(request)

    def note(failure: ExpectationFailed | None) -> None:
        if failure is not None and not found.is_wrong:
            found.finding = Finding("fail", str(failure), failure.mistake)
            found.decided = len(session.transcript)
        lines = found.compared[-1].lines if found.compared else range(0)
        if len(session.transcript) > lines.stop:
            lines = range(lines.stop, len(session.transcript))
        found.compared.append(Compared(failure, asked[-1], lines))
        if failure is not None and sum(one.failure is not None for one in found.compared) == MOST_WRONG:
            raise failure

    try:
        with told_of_numbers(note if goes_on else None):
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
    if not found.is_wrong:
        found.finding, found.decided = finding, len(session.transcript)
    return found
