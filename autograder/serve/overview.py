"""The class as it works: by exercise who passed and who is stuck, frequent mistakes, the queue, and each student."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from autograder.points.course_file import Serve
from autograder.results.text import exercise_label
from autograder.serve.arrivals import Arrivals, arrivals
from autograder.serve.doors import are_closed
from autograder.serve.sources import unlocked
from autograder.serve.tables import FAULT, QUEUED, RUNNING, Grading, Student, Submission, Verdict
from autograder.serve.telling import JUDGED, Hints

if TYPE_CHECKING:
    from autograder.serve.service import Service

HOUR = 3600.0
STUCK_AFTER = 3  # graded tries without a pass
MOST_MISTAKES = 10


class ExerciseNow(BaseModel):
    """How many students have passed an exercise in some try, are trying, or are stuck: did not pass in three or more
    tries that answered it. `hints` counts those that were told, each once for each student, and `hinted` the students
    who were told any."""

    exercise: str
    passed: int
    trying: int
    stuck: int
    hints: int
    hinted: int


class MistakeNow(BaseModel):
    """What so many students were told of an exercise in the last hour."""

    exercise: str
    message: str
    students: int


class StudentNow(BaseModel):
    """A student: how many tries, the points of the last that was graded, when they last handed in, and its state."""

    account: str
    name: str
    tries: int
    score: float | None
    max_score: float | None
    received_at: float
    state: str


class Overview(BaseModel):
    """The class now. `waiting` and `running` count submissions, `waited` is how many seconds the oldest has waited,
    `latency` the median of the last hour from receipt to verdict; `hints_after` how many wrong
    answers unlock a hint, None if there are none; `trouble` are lines on what is wrong."""

    assignment: str
    is_closed: bool
    waiting: int
    running: int
    faults: int
    waited: float
    latency: float | None
    hints_after: int | None
    arrivals: Arrivals
    exercises: list[ExerciseNow]
    mistakes: list[MistakeNow]
    students: list[StudentNow]
    enrolled: int
    trouble: list[str]


def overview(service: "Service", assignment: str) -> Overview:
    """What there is to see of one assignment now."""
    now, rules = service.clock(), service.rules
    own = rules.of(assignment).file.serve_of(assignment)
    with service.database.reading() as session:
        states = _states(session, assignment)
        oldest = session.scalar(
            select(func.min(Submission.received_at)).where(
                Submission.assignment == assignment, Submission.state == QUEUED
            )
        )
        return Overview(
            assignment=assignment,
            is_closed=are_closed(session, assignment),
            waiting=states[QUEUED],
            running=states[RUNNING],
            faults=states[FAULT],
            waited=max(now - oldest, 0.0) if oldest else 0.0,
            latency=_latency(session, assignment, now),
            arrivals=arrivals(session, assignment, now, service.zone),
            hints_after=own.hint_after if own.told == "hint" else None,
            exercises=_exercises(session, assignment, _hinted(session, assignment, own, service.hints(assignment))),
            mistakes=_mistakes(session, assignment, now),
            students=_students(session, assignment),
            enrolled=session.scalar(select(func.count()).select_from(Student)) or 0,
            trouble=[*service.trouble.splitlines(), *rules.problem.splitlines()],
        )


def _states(session: Session, assignment: str) -> Counter[str]:
    counted = select(Submission.state, func.count()).where(Submission.assignment == assignment)
    return Counter(dict(session.execute(counted.group_by(Submission.state)).all()))


def _latency(session: Session, assignment: str, now: float) -> float | None:
    waits = session.scalars(
        select(Grading.graded_at - Submission.received_at)
        .join(Submission, Submission.id == Grading.submission_id)
        .where(Submission.assignment == assignment, Grading.graded_at > now - HOUR)
    ).all()
    return median(waits) if waits else None


def _hinted(session: Session, assignment: str, own: Serve, hints: Hints) -> Mapping[str, list[int]]:
    """By the exercise's id, how many hints were told to each student who was told any."""
    found: dict[str, list[int]] = defaultdict(list)
    if own.told == "hint":
        wrong = (
            select(Submission.student_id, Verdict.exercise, Verdict.answer, Verdict.verdict, Verdict.message)
            .join(Submission, Submission.id == Verdict.submission_id)
            .where(Submission.assignment == assignment, Verdict.verdict.in_(JUDGED), Verdict.verdict != "pass")
            .distinct()
            .subquery()
        )
        counted = select(wrong.c.exercise, func.count()).group_by(wrong.c.student_id, wrong.c.exercise)
        for exercise, count in session.execute(counted):
            if told := unlocked(own, count, hints.get(exercise.partition(".")[2], ())):
                found[exercise].append(len(told))
    return found


def _exercises(session: Session, assignment: str, hinted: Mapping[str, list[int]]) -> list[ExerciseNow]:
    """By exercise, in the order of the notebook."""
    rows = session.execute(
        select(Submission.student_id, Verdict.exercise, Verdict.verdict, func.count(), func.min(Verdict.place))
        .join(Submission, Submission.id == Verdict.submission_id)
        .where(Submission.assignment == assignment, Verdict.verdict.not_in(("manual", "fault")))
        .group_by(Submission.student_id, Verdict.exercise, Verdict.verdict)
    )
    places: dict[str, int] = {}
    tries: dict[str, dict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for student, exercise, verdict, count, place in rows:
        places[exercise] = place
        tries[exercise][student][verdict] += count
    return [
        _exercise(exercise_label(exercise, assignment), tries[exercise].values(), hinted.get(exercise, []))
        for exercise in sorted(places, key=lambda name: places[name])
    ]


def _exercise(label: str, students: Iterable[Counter[str]], hinted: list[int]) -> ExerciseNow:
    passed = trying = stuck = 0
    for verdicts in students:
        failed = verdicts.total() - verdicts["missing"] - verdicts["pass"]
        if verdicts["pass"]:
            passed += 1
        elif failed >= STUCK_AFTER:
            stuck += 1
        elif failed:
            trying += 1
    return ExerciseNow(exercise=label, passed=passed, trying=trying, stuck=stuck, hints=sum(hinted), hinted=len(hinted))


def _mistakes(session: Session, assignment: str, now: float) -> list[MistakeNow]:
    students = func.count(Submission.student_id.distinct())
    rows = session.execute(
        select(Verdict.exercise, Verdict.message, students)
        .join(Grading, Grading.submission_id == Verdict.submission_id)
        .join(Submission, Submission.id == Verdict.submission_id)
        .where(
            Submission.assignment == assignment,
            Grading.graded_at > now - HOUR,
            Verdict.message != "",
            Verdict.verdict.not_in(("pass", "missing", "manual", "fault")),
        )
        .group_by(Verdict.exercise, Verdict.message)
        .order_by(students.desc(), Verdict.exercise)
        .limit(MOST_MISTAKES)
    )
    return [
        MistakeNow(exercise=exercise_label(exercise, assignment), message=message, students=count)
        for exercise, message, count in rows
    ]


def _students(session: Session, assignment: str) -> list[StudentNow]:
    """Who has handed in, whoever did so last comes first."""
    rows: Sequence[tuple[Submission, float | None, float | None]] = session.execute(
        select(Submission, Grading.score, Grading.max_score)
        .outerjoin(Grading, Grading.submission_id == Submission.id)
        .where(Submission.assignment == assignment)
        .order_by(Submission.id)
    ).all()
    found: dict[int, StudentNow] = {}
    for submission, score, most in rows:
        before = found.pop(submission.student_id, None)
        found[submission.student_id] = StudentNow(
            account=submission.student.account,
            name=submission.student.name,
            tries=(before.tries if before else 0) + 1,
            score=score if score is not None or before is None else before.score,
            max_score=most if most is not None or before is None else before.max_score,
            received_at=submission.received_at,
            state=submission.state,
        )
    return list(found.values())[::-1]
