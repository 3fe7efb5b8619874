"""How a submission is received: once, in time, not too often, and on disk before it is acknowledged."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from autograder.grading.reading import submission_digest
from autograder.points.rules import Rules
from autograder.serve.doors import doors
from autograder.serve.queue import place_of
from autograder.serve.tables import FAULT, REFUSED, Content, Student, Submission, table_of
from autograder.serve.tokens import Person

HOUR = 3600.0
_STUDENTS, _SUBMISSIONS, _CONTENTS = table_of(Student), table_of(Submission), table_of(Content)


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


def receive(session: Session, rules: Rules, person: Person, sent: Notebook, now: float) -> int | None:
    """Put a student's submission into the queue, and return its place there; None if it came before: the same bytes are
    the same submission.

    Raises RefusedError if the doors are closed or there were too many tries. Students wait for this, many at the same
    moment, so it asks for columns: objects take four times as long.
    """
    # On PostgreSQL two requests of one student wait for each other here; SQLite has one writer.
    session.execute(select(_STUDENTS.c.id).where(_STUDENTS.c.id == person.student_id).with_for_update()).one()
    tries = session.execute(
        select(_SUBMISSIONS.c.digest, _SUBMISSIONS.c.received_at, _SUBMISSIONS.c.state)
        .where(_SUBMISSIONS.c.student_id == person.student_id, _SUBMISSIONS.c.assignment == rules.assignment)
        .order_by(_SUBMISSIONS.c.received_at)
    ).all()
    if any(digest == sent.digest for digest, _, _ in tries):
        return None
    found = doors(session, rules, person.account, now)
    if not found.is_open:
        raise RefusedError(403, found.why)
    turn = _require_a_try(rules, [(at, state) for _, at, state in tries], now)
    row = {"student_id": person.student_id, "assignment": rules.assignment, "digest": sent.digest}
    inserted = session.execute(insert(_SUBMISSIONS), row | {"received_at": now, "turn": turn})
    (id,) = inserted.inserted_primary_key  # type: ignore[attr-defined]  # of one row that Core inserts
    session.execute(insert(_CONTENTS), {"submission_id": id, "notebook": sent.packed})
    return place_of(session, turn, id)


def _require_a_try(rules: Rules, tries: Sequence[tuple[float, str]], now: float) -> int:
    """How many of a student's tries, the times and states of which stand in order, were in the last hour. Raises
    RefusedError if none is left.

    In the sum of all, neither the grader's own faults count nor what was no notebook of the assignment. In the hour all
    count: a notebook on which the grader fails takes it longest.
    """
    name, own = rules.assignment, rules.file.serve_of(rules.assignment)
    if own.tries is not None and sum(state not in (FAULT, REFUSED) for _, state in tries) >= own.tries:
        raise RefusedError(403, f"all {own.tries} tries of {name} are used up")
    recent = [at for at, _ in tries if at > now - HOUR]
    if len(recent) >= own.tries_per_hour:
        left = recent[-own.tries_per_hour] + HOUR - now
        often = f"{own.tries_per_hour} tries an hour" if own.tries_per_hour > 1 else "one try an hour"
        raise RefusedError(429, f"{name} has {often}; try again in {int(left // 60) + 1} min", left)
    return len(recent)
