"""What is graded: one folder an assignment, with reference.py, checks.py and mistakes.py."""

from functools import cache
from importlib import import_module
from typing import Any

from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise, collect
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process


@cache
def exercises_of(assignment: str) -> dict[str, Exercise]:
    """The automatically judged exercises of an assignment, by id, for example "vae.gaussian_kl"."""
    package = f"autograder.assignments.{assignment}"
    return collect(import_module(f"{package}.checks"), import_module(f"{package}.mistakes"))


def check_here(exercise_id: str, answer: Any) -> None:
    """Judge `answer` in this process: an instructor's Jupyter, or plain `nbgrader autograde`. Trusted code only.

    Raises AssertionError with the message for the student on any verdict but a pass.
    """
    exercise = exercises_of(exercise_id.partition(".")[0])[exercise_id]
    seed = seed_for(b"judged in an own process", "", exercise_id)
    finding = judge(exercise, in_this_process(answer), seed)
    if finding.verdict != "pass":
        raise AssertionError(f"{exercise.name}: {finding.message}")
