"""The queue of submissions: who is next, and what came of it, each in one transaction."""

import json
import zlib
from collections.abc import Collection, Iterable

from sqlalchemy import exists, func, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from autograder.results.model import Conditions
from autograder.serve.claimed import Claimed
from autograder.serve.graded import Graded
from autograder.serve.outcome import Outcome, storable, unpack_judged
from autograder.serve.submitted import submitted_text
from autograder.serve.tables import (
    DONE,
    FAULT,
    QUEUED,
    REFUSED,
    RUNNING,
    Condition,
    Content,
    Grading,
    Regrading,
    Submission,
    Verdict,
    table_of,
)

MOST_ATTEMPTS = 3  # that one submission may take, if each ends the server: then it is a fault, and the others go on


def path_of(submission: Submission) -> str:
    """What results call the notebook of a submission."""
    return f"{submission.assignment}/{submission.student.account}/{submission.digest[:12]}.ipynb"


def claim(session: Session, assignments: Collection[str]) -> Claimed | None:
    """Take what is next of these assignments, if anything waits: it is running from now on.

    Of one student no two run at once, and whoever has tried less in the last hour goes first: so nobody's tries,
    however long they take, keep more than one worker from the others. What is graded again waits for all that
    is graded for the first time.
    """
    running = aliased(Submission)
    is_served = exists().where(running.student_id == Submission.student_id, running.state == RUNNING)
    # Of several servers none waits for another, nor do two take the same.
    found = session.scalar(
        select(Submission)
        .where(Submission.state == QUEUED, Submission.assignment.in_(assignments), ~is_served)
        .order_by(Submission.turn, Submission.id)
        .limit(1)
        .with_for_update(of=Submission, skip_locked=True)
    )
    if found is not None:
        found.state, found.attempts = RUNNING, found.attempts + 1
        return _claimed(session, found, found.attempts)
    again = session.execute(
        select(Regrading, Submission)
        .join(Submission, Submission.id == Regrading.submission_id)
        .where(Regrading.state == QUEUED, Submission.assignment.in_(assignments))
        .order_by(Regrading.submission_id)
        .limit(1)
        .with_for_update(of=Regrading, skip_locked=True)
    ).first()
    if again is None:
        return None
    again[0].state, again[0].attempts = RUNNING, again[0].attempts + 1
    return _claimed(session, again[1], again[0].attempts, is_again=True)


def _claimed(session: Session, found: Submission, attempt: int, *, is_again: bool = False) -> Claimed:
    content = session.get_one(Content, found.id)
    return Claimed(
        student=found.student.account,
        path=path_of(found),
        held=zlib.decompress(content.notebook),
        submitted=submitted_text(found.received_at),
        kept=unpack_judged(content.judged) if is_again else {},
        executed=content.executed if is_again else None,
        id=found.id,
        assignment=found.assignment,
        attempt=attempt,
        is_again=is_again,
    )


def keep(
    session: Session,
    claimed: Claimed,
    graded: Graded,
    conditions: tuple[str, Conditions],
    now: float,
) -> bool:
    """Keep what grading came to, unless somebody else has done so. Returns whether it was kept. `conditions` come with
    their digest."""
    if not _end(session, claimed, DONE):
        return False
    digest, content = conditions
    if session.get(Condition, digest) is None:
        session.add(Condition(digest=digest, content=content.model_dump_json()))
        session.flush()
    result = graded.record.result.model_copy(update={"conditions": digest})
    record = graded.record.model_copy(update={"result": result})
    outcome = Outcome(record=record, answers=graded.answers, at=now)
    if claimed.is_again:
        row = update(Regrading).where(Regrading.submission_id == claimed.id)
        session.execute(row.values(outcome=outcome.packed(), executed=graded.executed))
    else:
        write(session, claimed.id, outcome, graded.executed, graded.judged)
        session.execute(update(Content).where(Content.submission_id == claimed.id).values(notebook=graded.sent))
    return True


def write(session: Session, id: int, outcome: Outcome, executed: bytes | None, judged: bytes) -> None:
    """Write the grading of a submission that has none; its notebook and what verdicts rest on come compressed."""
    record = outcome.record
    result = record.result
    grading = Grading(
        submission_id=id,
        graded_at=outcome.at,
        seconds=record.seconds,
        score=result.score,
        max_score=result.max_score,
        manual_max_score=result.manual_max_score,
        repairs=json.dumps([repair.model_dump() for repair in result.repairs]),
        conditions=result.conditions,
    )
    grading.verdicts = [
        Verdict(
            place=place,
            exercise=item.id,
            verdict=item.verdict,
            score=item.score,
            max_score=item.max_score,
            message=storable(item.message),
            mistake=item.mistake,
            answer=outcome.answers.get(item.id, ""),
        )
        for place, item in enumerate(result.exercises)
    ]
    session.add(grading)
    values = {"executed": executed, "judged": judged}
    session.execute(update(Content).where(Content.submission_id == id).values(**values))


def refuse(session: Session, claimed: Claimed, line: str) -> bool:
    """Keep why a submission cannot be graded, which its student is told."""
    return _end(session, claimed, REFUSED, line)


def fail(session: Session, claimed: Claimed, line: str) -> bool:
    """Keep that the grader failed, and why, which instructors are told."""
    return _end(session, claimed, FAULT, line)


def requeue_running(session: Session) -> None:
    """Let everything wait again that was running when a server ended; what was so that often is a fault."""
    line = f"the server ended {MOST_ATTEMPTS} times while this was graded"
    for table in (Submission, Regrading):
        was_running = update(table).where(table.state == RUNNING)
        session.execute(was_running.where(table.attempts >= MOST_ATTEMPTS).values(state=FAULT, reason=line))
        session.execute(was_running.values(state=QUEUED))


def give_back(session: Session) -> None:
    """Let everything that is running wait again: that it is not graded now is none of its doing."""
    for table in (Submission, Regrading):
        session.execute(update(table).where(table.state == RUNNING).values(state=QUEUED, attempts=table.attempts - 1))


def requeue_blameless(session: Session, claimed: Iterable[Claimed]) -> None:
    """Let these wait again that became faults when nothing could be graded at all. What this has met several times may
    be what brings it about, and stays a fault."""
    for item in claimed:
        table = Regrading if item.is_again else Submission
        number = Regrading.submission_id if item.is_again else Submission.id
        fault = update(table).where(number == item.id, table.state == FAULT, table.attempts < MOST_ATTEMPTS)
        session.execute(fault.values(state=QUEUED, reason=""))


def requeue_faults(session: Session, assignment: str) -> None:
    """Have all be graded again on which the grader failed."""
    session.execute(
        update(Submission)
        .where(Submission.state == FAULT, Submission.assignment == assignment)
        .values(state=QUEUED, attempts=0, reason="")
    )


def place_of(session: Session, turn: int, id: int) -> int:
    """How many stand in the queue up to and with a submission that waits."""
    columns = table_of(Submission).c
    before = select(func.count()).where(columns.state == QUEUED, tuple_(columns.turn, columns.id) <= (turn, id))
    return session.scalar(before) or 0


def _end(session: Session, claimed: Claimed, state: str, reason: str = "") -> bool:
    """Have a submission reach its end, if it is still this attempt that runs: nothing is graded twice."""
    table = Regrading if claimed.is_again else Submission
    number = Regrading.submission_id if claimed.is_again else Submission.id
    ended = session.execute(
        update(table)
        .where(number == claimed.id, table.state == RUNNING, table.attempts == claimed.attempt)
        .values(state=state, reason=storable(reason))
        .returning(number)
    )
    return ended.first() is not None
