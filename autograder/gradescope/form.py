"""What Gradescope reads: results.json in its documented form (readthedocs: gradescope-autograders, "specs").

Everything is in the format "text", which Gradescope shows as it is: the default of the whole output would render HTML.
Text that students have a say in stands in one line, behind a word of ours.
"""

from collections.abc import Collection, Iterable
from typing import Any, Literal

from autograder.results.model import ExerciseResult, RunResult, SubmissionResult
from autograder.results.text import MEANINGS, and_more, exercise_label, number, one_line

Visibility = Literal["visible", "after_due_date", "after_published"]

MOST_MESSAGE = 600
MOST_REPAIRS = 10
MOST_LINE = 300
# What Gradescope is given at most, in characters, whatever a notebook brings about.
MOST_OUTPUT = 8_000

NOT_GRADED = (
    "The autograder did not come to its end, so nothing is known about this notebook. "
    "Submit it again; if that does not help, tell the course staff."
)


def graded(
    run: RunResult, *, by_hand: Collection[str], visibility: Visibility, seconds: float, walls: str
) -> dict[str, Any]:
    """The results of the one submission of a run, a test for each exercise that is judged automatically.

    `by_hand` are the ids of the exercises that a person grades, on Gradescope's own pages; `walls` says what held the
    student's code.
    """
    (submission,) = run.submissions
    judged = [exercise for exercise in submission.exercises if exercise.id not in by_hand]
    tests = [
        {
            "name": exercise_label(exercise.id, run.assignment),
            "name_format": "text",
            "number": str(place),
            "score": exercise.score,
            "max_score": exercise.max_score,
            "status": "passed" if exercise.verdict == "pass" else "failed",
            "output": _output(exercise),
            "output_format": "text",
            "tags": [exercise.verdict],
            "visibility": visibility,
        }
        for place, exercise in enumerate(judged, start=1)
    ]
    known = {"digest": run.digest, "submission": submission.digest, "walls": walls}
    return _form(submission.score, _summary(submission, run.assignment, by_hand), tests, seconds, known)


def refused(lines: Iterable[str], max_score: float, *, seconds: float | None = None) -> dict[str, Any]:
    """The results where there is nothing to judge: one failed test that says why. Students always see it."""
    why = "\n".join(one_line(line, MOST_LINE) for line in lines)[:MOST_OUTPUT]
    test = {
        "name": "The submitted notebook",
        "name_format": "text",
        "number": "1",
        "score": 0.0,
        "max_score": max_score,
        "status": "failed",
        "output": why,
        "output_format": "text",
        "visibility": "visible",
    }
    return _form(0.0, f"This was not graded.\n{why}", [test], seconds, {})


def _form(score: float, output: str, tests: list, seconds: float | None, known: dict) -> dict[str, Any]:
    timed = {} if seconds is None else {"execution_time": round(seconds, 1)}
    return {
        "score": score,
        **timed,
        "output": output[:MOST_OUTPUT],
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        # What the grader prints is for the course staff.
        "stdout_visibility": "hidden",
        "extra_data": known,
        "tests": tests,
    }


def _output(exercise: ExerciseResult) -> str:
    meaning = MEANINGS[exercise.verdict].capitalize()
    message = one_line(exercise.message, MOST_MESSAGE)
    return f"{meaning}: {message}" if message else f"{meaning}."


def _summary(submission: SubmissionResult, assignment: str, by_hand: Collection[str]) -> str:
    lines = [f"{number(submission.score)} of {number(submission.max_score)} points that are judged automatically."]
    written = [exercise for exercise in submission.exercises if exercise.verdict == "manual"]
    empty = [exercise for exercise in submission.exercises if exercise.id in by_hand and exercise.verdict == "missing"]
    if written:
        points = number(submission.waiting)
        lines.append(f"Up to {points} more points are given by a person: {_names(written, assignment)}.")
    if empty:
        lines.append(f"No answer is written yet: {_names(empty, assignment)}.")
    lines += [f"Adjusted: {one_line(line, MOST_LINE)}" for line in submission.adjustments]
    if submission.repairs:
        lines.append("Mended in your notebook before it was graded:")
        lines += [f"- {one_line(repair.what, MOST_LINE)}" for repair in submission.repairs[:MOST_REPAIRS]]
        if more := and_more(len(submission.repairs) - MOST_REPAIRS):
            lines.append(f"- {more}")
    return "\n".join(lines)


def _names(exercises: Iterable[ExerciseResult], assignment: str) -> str:
    return ", ".join(exercise_label(exercise.id, assignment) for exercise in exercises)
