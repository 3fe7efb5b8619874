"""One run of a check on an answer: what was found, what was said, and which numbers were wrong."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.judge.borrowing import Borrowing
from autograder.judge.draw import Draw
from autograder.judge.exercise import Exercise
from autograder.judge.expect import told_of_numbers
from autograder.judge.parts import Failure, Parts
from autograder.judge.student import Channel, StudentSession, Transcript, student_of
from autograder.judge.verdict import AnswerRaised, ExpectationFailed, Finding, WrongNumbers
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
    """The first thing that was found, the transcript, how many lines of it led to that, what was compared, and the
    lines at which parts of the exercise were lost to anything but numbers."""

    finding: Finding = Finding("pass")
    transcript: Transcript = field(default_factory=list)
    decided: int = 0
    compared: list[Compared] = field(default_factory=list)
    lost: set[range] = field(default_factory=set)

    @property
    def is_wrong(self) -> bool:
        """Whether any numbers are."""
        return any(one.failure is not None for one in self.compared)

    @property
    def wrong_lines(self) -> set[range]:
        """The lines of the transcript that led to wrong numbers, together for each, and those at which parts were lost;
        or the one that ended the check."""
        wrong = {one.lines for one in self.compared if one.failure is not None} | self.lost
        return wrong or {_last_line(self.transcript)}


def run(
    exercise: Exercise,
    channel: Channel,
    seed: bytes,
    *,
    goes_on: bool = False,
    on_reply: Callable[[int, tuple[str, Any]], None] = lambda number, line: None,
    borrowing: Borrowing | None = None,
) -> Run:
    """Run a check on the answer behind `channel`; nothing that the answer sends raises here.

    If it `goes_on`, the first wrong numbers are noted and do not end the check; whatever comes after them is no part
    of the finding. Nor does a part that is lost end it, and those that are right earn their points if the check comes
    to its end. `on_reply` is told each line of the transcript, and may raise what is no Exception. What is lent by
    `borrowing` takes the place of other answers of the student's.
    """
    draw = Draw(seed)
    student, session = student_of(channel, draw)
    session.on_reply = on_reply
    found = Run(transcript=session.transcript)

    asked: list[dict[str, Any]] = [{}]
    session.on_ask = lambda request, label: asked.append(request)

    def decide(finding: Finding) -> None:
        """The first thing that is wrong decides."""
        if found.finding.verdict == "pass":
            found.finding, found.decided = finding, len(session.transcript)

    def on_lost(failure: Failure) -> None:
        decide(_found_by(failure, session))
        if not isinstance(failure, WrongNumbers):
            found.lost.add(_last_line(session.transcript))

    parts = Parts(exercise.parts, on_lost)

    def note(failure: ExpectationFailed | None) -> None:
        if failure is not None:
            decide(_found_by(failure, session))
            parts.lose()
        lines = found.compared[-1].lines if found.compared else range(0)
        if len(session.transcript) > lines.stop:
            lines = range(lines.stop, len(session.transcript))
        found.compared.append(Compared(failure, asked[-1], lines))
        if failure is not None and sum(one.failure is not None for one in found.compared) >= MOST_WRONG:
            raise failure

    try:
        if borrowing is not None:
            session.borrow(borrowing)
        with told_of_numbers(note if goes_on else None), parts.running():
            exercise.check(student, draw)
        parts.require_all()
        if found.finding.verdict == "pass":
            found.decided = len(session.transcript)
        else:
            earned, credit = parts.earned()
            found.finding = replace(found.finding, earned=earned, credit=credit)
    except (ExpectationFailed, AnswerRaised) as failure:
        decide(_found_by(failure, session))
    except WireError as error:
        decide(Finding("error", f"Its answer could not be read: {error}."))
    except (Exception, SystemExit):
        # Never a pass, and never the grader's end.
        decide(Finding("fault", FAULT, traceback=traceback.format_exc()))
    session.give_back()
    return found


def _found_by(failure: Failure, session: StudentSession) -> Finding:
    """The finding on an answer that fails an expectation, or that raises, which is noted."""
    if isinstance(failure, ExpectationFailed):
        return Finding("fail", str(failure), failure.mistake)
    session.note("raised", failure.likeness)
    if failure.is_unfilled:
        return Finding("missing", UNFILLED)
    return Finding("oom" if failure.is_out_of_memory else "error", f"It raised {failure}")


def _last_line(transcript: Transcript) -> range:
    return range(max(len(transcript) - 1, 0), len(transcript))
