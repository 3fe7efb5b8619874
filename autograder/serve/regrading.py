"""Everything graded again, for example with a mended check: who would have other points is seen before it counts."""

from collections.abc import Collection

from pydantic import BaseModel
from sqlalchemy import ScalarSelect, delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from autograder.points.rules import Rules
from autograder.results.comparing import compare
from autograder.serve import queue
from autograder.serve.counting import Try, counting, graded_tries, run_of
from autograder.serve.outcome import Outcome, pack_judged
from autograder.serve.receiving import RefusedError
from autograder.serve.tables import (
    COUNTS,
    DONE,
    FAULT,
    QUEUED,
    RUNNING,
    Event,
    Grading,
    Regrading,
    Submission,
    Verdict,
)

APPLIED = "graded again"
AT_ONCE = 2  # gradings that take their place in one transaction


class PointsChanged(BaseModel):
    """A student whose points would be others: those of the try that counts now, and of the one that would."""

    account: str
    name: str
    before: float
    after: float
    max_score: float


class RegradingNow(BaseModel):
    """What grading again has come to. `total` counts the tries of which it was asked, 0 if it was not, `done` those
    that are graded, `faults` those that could not be. `changes` says which verdicts that count would be others, and
    why; `points` whose sum."""

    assignment: str
    asked_at: float | None
    total: int
    done: int
    faults: int
    reasons: list[str]
    changes: list[str]
    points: list[PointsChanged]

    @property
    def is_over(self) -> bool:
        """Whether all is graded of which it was asked."""
        return self.total > 0 and self.done + self.faults == self.total


def ask(session: Session, assignment: str, now: float) -> None:
    """Put all that is graded into the queue once more, behind whatever is new. What was asked before is forgotten."""
    discard(session, assignment)
    all_graded = select(Submission.id, literal(now), literal(QUEUED), literal(0), literal("")).where(
        Submission.assignment == assignment, Submission.state == DONE
    )
    columns = ["submission_id", "asked_at", "state", "attempts", "reason"]
    session.execute(insert(Regrading).from_select(columns, all_graded))


def discard(session: Session, assignment: str) -> None:
    """Leave all gradings as they are, with what another has let count meanwhile."""
    while put_in_place(session, [assignment]):
        pass
    session.execute(delete(Regrading).where(Regrading.submission_id.in_(_of(assignment))))


def let_count(session: Session, assignment: str, now: float) -> None:
    """Have all that was graded again count from now on: `put_in_place` does it, whatever happens in between. What could
    not be graded again keeps what it has.

    Raises RefusedError if nothing was, or not all yet.
    """
    states = dict(
        session.execute(
            select(Regrading.submission_id, Regrading.state).where(Regrading.submission_id.in_(_of(assignment)))
        ).all()
    )
    if not states:
        raise RefusedError(409, "nothing was graded again; ask for it first")
    if {QUEUED, RUNNING} & set(states.values()):
        raise RefusedError(409, "not everything is graded again yet; wait for the rest")
    mine = Regrading.submission_id.in_(_of(assignment))
    session.execute(delete(Regrading).where(mine, Regrading.state == FAULT))
    session.execute(update(Regrading).where(mine, Regrading.state == DONE).values(state=COUNTS))
    session.add(Event(at=now, assignment=assignment, kind=APPLIED))


def put_in_place(session: Session, assignments: Collection[str]) -> bool:
    """Put some of what was let count in the place of what counted, and say whether there may be more. All at once would
    keep students waiting, who hand in meanwhile."""
    ids = session.scalars(
        select(Regrading.submission_id)
        .join(Submission, Submission.id == Regrading.submission_id)
        .where(Regrading.state == COUNTS, Submission.assignment.in_(assignments))
        .order_by(Regrading.submission_id)
        .limit(AT_ONCE)
        .with_for_update(of=Regrading)
    ).all()
    for id in ids:
        packed, executed = session.execute(
            select(Regrading.outcome, Regrading.executed).where(Regrading.submission_id == id)
        ).one()
        assert packed is not None
        for table in (Regrading, Verdict, Grading):
            session.execute(delete(table).where(table.submission_id == id))
        outcome = Outcome.unpacked(packed)
        queue.write(session, id, outcome, executed, pack_judged(outcome.record.judged))
        session.flush()
    return bool(ids)


def regrading(session: Session, rules: Rules) -> RegradingNow:
    """How far grading again has come, and who would have another result."""
    assignment = rules.assignment
    rows = session.execute(
        select(Regrading.state, Regrading.asked_at, Regrading.reason, func.count())
        .where(Regrading.submission_id.in_(_of(assignment)), Regrading.state != COUNTS)
        .group_by(Regrading.state, Regrading.asked_at, Regrading.reason)
    ).all()
    count = {state: sum(n for at, _, _, n in rows if at == state) for state in (QUEUED, RUNNING, DONE, FAULT)}
    found = RegradingNow(
        assignment=assignment,
        asked_at=max((at for _, at, _, _ in rows), default=None),
        total=sum(count.values()),
        done=count[DONE],
        faults=count[FAULT],
        reasons=sorted({reason for _, _, reason, _ in rows if reason})[:8],
        changes=[],
        points=[],
    )
    if not found.done:
        return found
    tries = graded_tries(session, assignment)
    both = tries, _with_outcomes(session, tries, assignment)
    old, new = (run_of(session, rules, counting(rules, each)) for each in both)
    names = {item.submission.student.account: item.submission.student.name for item in tries}
    found.changes = list(compare(old, new).lines(together=True))
    after = {item.student: item for item in new.submissions}
    found.points = [
        PointsChanged(
            account=item.student,
            name=names[item.student],
            before=item.score,
            after=after[item.student].score,
            max_score=after[item.student].max_score,
        )
        for item in old.submissions
        if round(item.score - after[item.student].score, 6)
    ]
    return found


def _with_outcomes(session: Session, tries: list[Try], assignment: str) -> list[Try]:
    """Each try with what grading it again has come to, if it has."""
    rows = session.execute(
        select(Regrading.submission_id, Regrading.outcome).where(
            Regrading.submission_id.in_(_of(assignment)), Regrading.state == DONE
        )
    )
    results = {id: Outcome.unpacked(packed).record.result for id, packed in rows if packed}
    return [Try(item.submission, results.get(item.submission.id, item.result)) for item in tries]


def _of(assignment: str) -> ScalarSelect[int]:
    return select(Submission.id).where(Submission.assignment == assignment).scalar_subquery()
