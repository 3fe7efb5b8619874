"""What counts, as `autograder grade` writes it: one try a student, chosen as course.toml says."""

import json
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from autograder.errors import InputError
from autograder.grading.best import best_of
from autograder.grading.submitted.attempts import counting_place
from autograder.points.rules import Rules
from autograder.results.model import (
    Conditions,
    ExerciseResult,
    Record,
    Repair,
    RunResult,
    SubmissionResult,
    package_version,
)
from autograder.results.writing import write_run
from autograder.serve.queue import path_of
from autograder.serve.submitted import submitted_text
from autograder.serve.tables import COUNTS, DONE, REFUSED, Condition, Content, Grading, Regrading, Student, Submission


def write_results(session: Session, rules: Rules, out: Path) -> RunResult:
    """Write OUT/results.json and the executed notebooks of what counts, for `export`, `record` and all that reads them.

    Whoever still waits is among its `ungraded`, so that nobody takes it for finished. Raises InputError if nothing was
    graded yet, what was graded again takes its place just now, or OUT cannot be written to.
    """
    graded = graded_tries(session, rules.assignment)
    if _is_changing(session, rules.assignment):
        raise InputError(
            f"{rules.assignment}: what was graded again takes its place just now; give the same command again in a "
            "moment, while the server runs"
        )
    if not graded:
        raise InputError(f"nothing of {rules.assignment} is graded yet, so there are no results to write")
    results = {result.path: result for result in counting(rules, graded)}
    records = [
        Record(result=result, seconds=item.submission.grading.seconds, executed=_executed(session, item.submission))
        for item in graded
        if item.submission.grading and (result := results.get(item.result.path))
    ]
    run = run_of(session, rules, [record.result for record in records])
    write_run(out, run, records)
    return run


@dataclass(frozen=True)
class Try:
    """A submission that is graded, and what came of it."""

    submission: Submission
    result: SubmissionResult


def graded_tries(session: Session, assignment: str) -> list[Try]:
    """All tries that are graded, from the first to the last."""
    found = session.scalars(
        select(Submission)
        .where(Submission.assignment == assignment, Submission.state == DONE)
        .order_by(Submission.id)
        .options(selectinload(Submission.grading).selectinload(Grading.verdicts))
    )
    return [Try(item, result_of(item)) for item in found if item.grading]


def counting(rules: Rules, tries: list[Try]) -> list[SubmissionResult]:
    """One result a student."""
    if rules.attempt == "best":
        return best_of(rules.assignment, [item.result for item in tries])
    by_student: dict[str, list[Try]] = defaultdict(list)
    for item in tries:
        by_student[item.result.student].append(item)
    times = {student: [item.result.submitted for item in own] for student, own in by_student.items()}
    return [own[counting_place(times[student], student, rules)].result for student, own in by_student.items()]


def result_of(submission: Submission) -> SubmissionResult:
    """What came of a graded submission, as results.json holds it."""
    grading = submission.grading
    assert grading is not None
    return SubmissionResult(
        student=submission.student.account,
        submitted=submitted_text(submission.received_at),
        path=path_of(submission),
        digest=submission.digest,
        score=grading.score,
        max_score=grading.max_score,
        manual_max_score=grading.manual_max_score,
        exercises=[
            ExerciseResult.model_validate(
                {
                    "id": item.exercise,
                    "verdict": item.verdict,
                    "score": item.score,
                    "max_score": item.max_score,
                    "message": item.message,
                    "mistake": item.mistake,
                }
            )
            for item in grading.verdicts
        ],
        repairs=[Repair.model_validate(repair) for repair in json.loads(grading.repairs)],
        conditions=grading.conditions,
    )


def _is_changing(session: Session, assignment: str) -> bool:
    changing = select(Regrading.submission_id).join(Submission, Submission.id == Regrading.submission_id)
    found = changing.where(Submission.assignment == assignment, Regrading.state == COUNTS)
    return session.scalar(found.limit(1)) is not None


def _executed(session: Session, submission: Submission) -> str:
    executed = session.get_one(Content, submission.id).executed
    return zlib.decompress(executed).decode("utf-8") if executed else ""


def run_of(session: Session, rules: Rules, results: list[SubmissionResult]) -> RunResult:
    """A run of these results, as results.json holds it."""
    used = sorted(set().union(*(result.all_conditions for result in results)))
    rows = session.execute(
        select(Student.account, Submission.digest, Submission.state)
        .join(Student, Student.id == Submission.student_id)
        .where(Submission.assignment == rules.assignment, Submission.state != DONE)
        .order_by(Submission.id)
    ).all()
    last = session.scalar(
        select(Grading.conditions)
        .join(Submission, Submission.id == Grading.submission_id)
        .where(Submission.assignment == rules.assignment)
        .order_by(Grading.graded_at.desc(), Grading.submission_id.desc())
        .limit(1)
    )
    has_result = {result.student for result in results}
    refused = {student: digest for student, digest, state in rows if state == REFUSED and student not in has_result}
    return RunResult(
        assignment=rules.assignment,
        version=package_version(),
        digest=last or "",
        budget="smoke",
        sandbox=True,
        submissions=sorted(results, key=lambda item: (item.student, item.path)),
        ungraded=sorted({student for student, _, state in rows if state != REFUSED}),
        refused=dict(sorted(refused.items())),
        conditions={
            digest: Conditions.model_validate_json(session.get_one(Condition, digest).content) for digest in used
        },
    )
