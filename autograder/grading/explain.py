"""Grades one submission again, to tell an instructor how its verdicts come about; nothing is written."""

import difflib
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder import cells, course
from autograder.errors import InputError, SandboxError
from autograder.grading.answered import OtherSources, answered_in
from autograder.grading.execute import execute
from autograder.grading.grading import Grading
from autograder.grading.named import unknown
from autograder.grading.restoring import restore
from autograder.grading.submissions import Submission, find_submissions
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise
from autograder.judge.explaining import explain
from autograder.judge.judging import judge
from autograder.judge.server import JudgeServer
from autograder.judge.student import Channel
from autograder.judge.verdict import Finding
from autograder.points.course_file import CourseFile
from autograder.points.rules import Rules
from autograder.results.model import RunResult
from autograder.results.text import name_line
from autograder.sandbox.limits import Limits

# What parts the path of a zip from that of a member.
_IN_ZIP = re.compile(r"(?<=\.zip):", re.IGNORECASE)

if TYPE_CHECKING:
    from autograder.grading.workers import Crew
    from autograder.sandbox.zygote import Address


def explained(grading: Grading, name: str | None, crew: "Crew", submission: Submission) -> dict[str, str]:
    """How the verdict on each exercise of a submission that is not right comes about, by the exercise's name; or on the
    one exercise that is named, whatever its verdict.

    Raises InputError if there is no such exercise or the submission is none of this assignment, SandboxError if it
    cannot be executed.
    """
    names = list(grading.checks())
    if name is not None and name not in names:
        raise InputError(unknown(grading.assignment, name, names))
    work: Any = partial(_explanations, grading, name)  # a crew hands on whatever its work gives
    ((_, outcome),) = crew.outcomes(work, [submission], grading.limits.submission)
    if isinstance(outcome, InputError | SandboxError):
        raise outcome
    told: Any = outcome
    return dict(told)


def _explanations(grading: Grading, name: str | None, submission: Submission, zygote: "Address") -> dict[str, str]:
    """In a worker: restore, execute and judge, and tell."""
    exercises = grading.checks()
    restored = restore(
        grading.source,
        submission.notebook(),
        assignment=grading.assignment,
        where=submission.path,
        others=grading.others,
    )
    heard: dict[str, str] = {}
    seeds = partial(seed_for, grading.key, submission.digest)

    def decide(exercise: Exercise, channel: Channel, seed: bytes) -> Finding:
        if name not in (None, exercise.name):
            return judge(exercise, channel, seed)
        finding, told = explain(exercise, channel, seed)
        lent = f"--- with the course's {' and '.join(exercise.borrows)}\n" if exercise.borrows else ""
        before = f"{heard[exercise.name]}\n" if exercise.name in heard else ""  # what was heard the first time
        heard[exercise.name] = f"{before}{lent}{told}"
        return finding

    execution = execute(
        restored.notebook,
        source=grading.source,
        exercises=exercises,
        seed=seeds,
        budget=grading.budget,
        zygote=zygote,
        limits=grading.limits,
        server=partial(JudgeServer, decide=decide),
        numbers=restored.numbers,
    )
    calls = {cells.exercise_name(cell): cell.source for cell in grading.source.cells if cells.is_tests(cell)}
    answers = {anchor: cell.source for cell in restored.notebook.cells for anchor in cells.anchors(cell)}
    told = {}
    for found, finding in execution.findings.items():
        if found != name and (name is not None or finding.verdict in ("pass", "missing")):
            continue
        told[found] = "\n".join(
            [
                f"=== {found}: {finding.verdict}: {finding.message}",
                answers.get(found, "(no answer is found)"),
                "--- how it was judged",
                heard.get(found, "it did not come to that: its cell, or one before it, ended early"),
                "--- a cell that judges it again, below the answer in the solved notebook",
                _again(exercises[found], seeds(exercises[found].id), calls),
            ]
        )
    return told


def _again(exercise: Exercise, seed: bytes, tests: Mapping[str, str]) -> str:
    """Code that judges the answer above it with the very inputs of this verdict, in an instructor's notebook."""
    call = next((line for line in tests.get(exercise.name, "").split("\n") if line.startswith("check(")), "")
    answer = call.partition(",")[2].strip().removesuffix(")") or exercise.name
    return "\n".join(
        [
            "from autograder.assignments import exercises_of",
            "from autograder.judge.explaining import explain",
            "from autograder.judge.student import in_this_process",
            "",
            f"exercise = exercises_of({exercise.id.partition('.')[0]!r})[{exercise.id!r}]",
            f"print(explain(exercise, in_this_process({answer}), bytes.fromhex({seed.hex()!r}))[1])",
        ]
    )


def graded_submission(run: RunResult, student: str, handed_in: Path | None = None) -> Submission:
    """The very submission that a student's result is of: in `handed_in`, or where it was when it was graded.

    Raises InputError if there is no such student, or the submission is not there any more as it was.
    """
    result = next((item for item in run.submissions if item.student == student), None)
    if result is None:
        near = difflib.get_close_matches(student, [item.student for item in run.submissions], n=1)
        hint = f"did you mean {name_line(near[0], 80)}?" if near else "the names are those in the report"
        raise InputError(f"there is no result of {name_line(student, 80)!r}; {hint}")
    path = Path(result.path)
    within = Path(_IN_ZIP.split(result.path, maxsplit=1)[0])
    places = [handed_in] if handed_in else [place for place in (path, within) if place.is_file()][:1]
    others = OtherSources(run.assignment)
    answered = answered_in(run.assignment, course.read_source(run.assignment), others)
    every = Rules(run.assignment, CourseFile(attempt="best"))  # which counts is decided already
    found, _ = find_submissions(run.assignment, places, answered, rules=every)
    for submission in found:
        if submission.digest == result.digest:
            return submission
    where = handed_in or result.path
    raise InputError(
        f"{where}: is not there, or not as it was graded for {name_line(student, 80)!r}; say with --submitted where it "
        "lies, or grade it anew"
    )


def grading_of(run: RunResult, key: bytes, limits: Limits) -> Grading:
    """The grading of a run, by the assignment as it lies in the course's folders now."""
    assignment = course.require_assignment(run.assignment)
    return Grading(assignment, course.read_source(assignment), key=key, budget=run.budget, limits=limits)
