"""What a student is told of their submissions, as much as course.toml lets them know; instructors are told all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from autograder.points.rules import Rules
from autograder.results.text import MEANINGS, exercise_label, one_line
from autograder.serve.queue import place_of
from autograder.serve.receipts import Receipt, receipt
from autograder.serve.sources import unlocked
from autograder.serve.submitted import submitted_text
from autograder.serve.tables import DONE, FAULT, QUEUED, REFUSED, Grading, Submission, Verdict

Hints: TypeAlias = Mapping[str, tuple[str, ...]]
UNTOLD = "untold"
JUDGED = ("pass", "fail", "error", "timeout", "oom", "crashed")  # verdicts on what was answered
GRADERS_FAULT = "the grader failed on it; nothing is lost, your instructor sees it, and it is graded again"


class ExerciseTold(BaseModel):
    """One exercise of a try. `was` is the verdict of the try before, if that was another; `hints` are those that wrong
    answers have unlocked; `mistake` is told to instructors alone. A verdict that is "untold" comes without a score."""

    exercise: str
    verdict: str
    meaning: str
    score: float | None
    max_score: float
    message: str = ""
    hints: tuple[str, ...] = ()
    was: str | None = None
    mistake: str | None = None


class SubmissionTold(BaseModel):
    """One submission. `state` is queued, running, done, refused or fault; `place` is that in the queue, 0 if it does
    not wait; `line` says in words where it stands. Scores are null until they are told; `waiting_for_a_person` counts
    the points that a person gives."""

    student: str
    assignment: str
    digest: str
    received: str
    state: str
    place: int
    line: str
    score: float | None = None
    max_score: float | None = None
    waiting_for_a_person: float = 0.0
    exercises: list[ExerciseTold] = []
    receipt: Receipt

    @property
    def is_settled(self) -> bool:
        return self.state in (DONE, REFUSED, FAULT)


def history(session: Session, student_id: int, assignment: str) -> list[Submission]:
    """A student's submissions of an assignment, from the first to the last, with what came of them."""
    return list(
        session.scalars(
            select(Submission)
            .where(Submission.student_id == student_id, Submission.assignment == assignment)
            .order_by(Submission.id)
            .options(selectinload(Submission.grading).selectinload(Grading.verdicts))
        )
    )


def told_history(
    session: Session, rules: Rules, key: bytes, submissions: Sequence[Submission], hints: Hints, *, all: bool = False
) -> list[SubmissionTold]:
    """What is told of each of a student's submissions, which stand from the first to the last; the last comes first.

    `hints` are those that there are, by name of the exercise. With `all` it is what instructors are told.
    """
    telling = _Telling(rules, hints, all=all)
    return [_told(session, key, submission, telling) for submission in submissions][::-1]


def _told(session: Session, key: bytes, submission: Submission, telling: "_Telling") -> SubmissionTold:
    """What is told of a submission, once all before it are."""
    exercises = telling.exercises(submission.grading) if submission.grading else None
    shown = told_of_queued(
        key,
        submission.student.account,
        submission.assignment,
        submission.digest,
        submission.received_at,
        place_of(session, submission.turn, submission.id) if submission.state == QUEUED else 0,
    )
    if submission.state != QUEUED:
        line = _line(submission, is_told=exercises is not None, all=telling.is_all)
        shown = shown.model_copy(update={"state": submission.state, "line": line})
    if submission.grading is None or exercises is None:
        return shown
    is_whole = all(item.score is not None for item in exercises)
    update = {
        "score": submission.grading.score if is_whole else sum(item.score or 0.0 for item in exercises),
        "max_score": submission.grading.max_score,
        "waiting_for_a_person": submission.grading.manual_max_score,
        "exercises": exercises,
    }
    return shown.model_copy(update=update)


def told_of_queued(
    key: bytes, account: str, assignment: str, digest: str, received_at: float, place: int
) -> SubmissionTold:
    """What is told of a submission that waits."""
    received = submitted_text(received_at)
    return SubmissionTold(
        student=account,
        assignment=assignment,
        digest=digest,
        received=received,
        state=QUEUED,
        place=place,
        line=f"waits, {place - 1} before it" if place > 1 else "is next",
        receipt=receipt(key, account, assignment, digest, received),
    )


class _Telling:
    """What is told of the exercises of one try after the other."""

    def __init__(self, rules: Rules, hints: Hints, *, all: bool) -> None:
        self._hints = hints
        self._assignment = rules.assignment
        self._own = rules.file.serve_of(rules.assignment)
        self.is_all = all
        self._before: dict[str, str] = {}  # verdicts
        self._wrong: dict[str, set[tuple[str, str, str]]] = defaultdict(set)

    def exercises(self, grading: Grading) -> list[ExerciseTold] | None:
        """What is told of a try; None if nothing is."""
        found = [self._exercise(item) for item in grading.verdicts]
        self._before |= {item.exercise: told.verdict for item, told in zip(grading.verdicts, found, strict=True)}
        return None if self._own.told == "nothing" and not self.is_all else found

    def _exercise(self, item: Verdict) -> ExerciseTold:
        label, most = exercise_label(item.exercise, self._assignment), self._own.tries_per_exercise
        wrong, this = self._wrong[item.exercise], (item.answer, item.verdict, item.message)
        if not self.is_all and most is not None and len(wrong) >= most and this not in wrong and item.verdict in JUDGED:
            meaning = f"not told: {most} wrong answers to it were told of"
            return ExerciseTold(exercise=label, verdict=UNTOLD, meaning=meaning, score=None, max_score=item.max_score)
        hints: tuple[str, ...] = ()
        if item.verdict in JUDGED and item.verdict != "pass":
            wrong.add(this)
            hints = unlocked(self._own, len(wrong), self._hints.get(item.exercise.partition(".")[2], ()))
        was = self._before.get(item.exercise, item.verdict)
        return ExerciseTold(
            exercise=label,
            verdict=item.verdict,
            meaning=MEANINGS[item.verdict],  # type: ignore[index]  # the database knows text
            score=item.score,
            max_score=item.max_score,
            message="" if self._own.told == "verdict" and not self.is_all else item.message,
            hints=hints,
            was=was if was not in (item.verdict, UNTOLD) else None,
            mistake=item.mistake if self.is_all else None,
        )


def _line(submission: Submission, *, is_told: bool, all: bool) -> str:
    match submission.state:
        case "running":
            return "is being graded"
        case "done":
            return "is graded" if is_told else "is graded; what came of it is told later"
        case "refused":
            return one_line(submission.reason, 500)
        case _:
            return one_line(submission.reason, 500) if all else GRADERS_FAULT
