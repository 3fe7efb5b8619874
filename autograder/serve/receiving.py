"""How a submission is received: once, in time, not too often, and on disk before it is acknowledged."""

import zlib
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from autograder.grading.reading import submission_digest
from autograder.points.rules import Rules
from autograder.serve.doors import doors
from autograder.serve.tables import FAULT, REFUSED, Content, Student, Submission

HOUR = 3600.0


class RefusedError(Exception):
    """A request cannot be met: `status` is HTTP's, the text one line, `seconds` when to try again, if that helps."""

    def __init__(self, status: int, line: str, seconds: float | None = None) -> None:
        super().__init__(line)
        self.status = status
        self.seconds = seconds


@dataclass(frozen=True)
class Notebook:
    """A notebook as it was sent. It is compressed once it is graded: pictures take long, and nobody is to wait."""

    digest: str
    packed: bytes

    @classmethod
    def of(cls, data: bytes) -> "Notebook":
        return cls(submission_digest(data), zlib.compress(data, level=0))


def receive(session: Session, rules: Rules, student_id: int, sent: Notebook, now: float) -> tuple[Submission, bool]:
    """Put a submission into the queue, and say whether it is new: the same bytes are the same submission.

    Raises RefusedError if the doors are closed or there were too many tries.
    """
    # On PostgreSQL two requests of one student wait for each other here; SQLite has one writer.
    student = session.scalars(select(Student).where(Student.id == student_id).with_for_update()).one()
    if known := find(session, student_id, rules.assignment, sent.digest):
        return known, False
    found = doors(session, rules, student.account, now)
    if not found.is_open:
        raise RefusedError(403, found.why)
    turn = _require_a_try(session, rules, student_id, now)
    submission = Submission(
        student=student,
        assignment=rules.assignment,
        digest=sent.digest,
        received_at=now,
        turn=turn,
        grading=None,  # told of at once, which is not to ask the database
    )
    session.add(submission)
    session.flush()
    session.add(Content(submission_id=submission.id, notebook=sent.packed))
    return submission, True


def find(session: Session, student_id: int, assignment: str, digest: str) -> Submission | None:
    """A student's submission of these bytes."""
    return session.scalar(
        select(Submission).where(
            Submission.student_id == student_id, Submission.assignment == assignment, Submission.digest == digest
        )
    )


def _require_a_try(session: Session, rules: Rules, student_id: int, now: float) -> int:
    """How many tries a student has had in the last hour. Raises RefusedError if none is left.

    In the sum of all, neither the grader's own faults count nor what was no notebook of the assignment. In the hour all
    count: a notebook on which the grader fails takes it longest.
    """
    name, own = rules.assignment, rules.file.serve_of(rules.assignment)
    mine = select(Submission.received_at).where(Submission.student_id == student_id, Submission.assignment == name)
    if own.tries is not None:
        counting = mine.where(Submission.state.not_in((FAULT, REFUSED)))
        taken = session.scalar(select(func.count()).select_from(counting.subquery()))
        if (taken or 0) >= own.tries:
            raise RefusedError(403, f"all {own.tries} tries of {name} are used up")
    recent = session.scalars(mine.where(Submission.received_at > now - HOUR).order_by(Submission.received_at)).all()
    if len(recent) >= own.tries_per_hour:
        left = recent[-own.tries_per_hour] + HOUR - now
        often = f"{own.tries_per_hour} tries an hour" if own.tries_per_hour > 1 else "one try an hour"
        raise RefusedError(429, f"{name} has {often}; try again in {int(left // 60) + 1} min", left)
    return len(recent)
