"""Runs made by hand, and what a run leaves in a folder."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from autograder.results.model import ExerciseResult, RunResult, SubmissionResult

VERDICTS = ("pass", "fail", "error", "timeout", "oom", "crashed", "missing", "manual", "fault")


@pytest.fixture(scope="session")
def make_submission() -> Callable[..., SubmissionResult]:
    """A function that returns one student's result, with an exercise of two points for each verdict and message."""

    def make(student: str, *found: tuple[str, str], manual: float = 0.0) -> SubmissionResult:
        exercises = [
            ExerciseResult(
                id=f"little.part_{index}",
                verdict=verdict,
                score=2.0 if verdict == "pass" else 0.0,
                max_score=2.0,
                message=message,
                mistake="name_of_a_mistake" if verdict == "fail" else None,
            )
            for index, (verdict, message) in enumerate(found or [("pass", "")])
        ]
        automatic = [item for item in exercises if item.verdict != "manual"]
        return SubmissionResult(
            student=student,
            path=f"in/{student}.ipynb",
            digest="0123456789abcdef",
            score=sum(item.score for item in automatic),
            max_score=sum(item.max_score for item in automatic),
            manual_max_score=manual,
            exercises=exercises,
            repairs=[],
        )

    return make


@pytest.fixture(scope="session")
def make_run() -> Callable[..., RunResult]:
    """A function that returns the run of some submissions."""

    def make(*submissions: SubmissionResult, sandbox: bool = True) -> RunResult:
        return RunResult(
            assignment="little", digest="feedbeef", budget="smoke", sandbox=sandbox, submissions=list(submissions)
        )

    return make


@pytest.fixture
def write_graded(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes what `autograder grade` leaves: results.json, timings.json and executed notebooks."""

    def write(run: RunResult, notebooks: dict[str, nbformat.NotebookNode] | None = None) -> Path:
        folder = tmp_path / "graded"
        (folder / "executed").mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(run.model_dump_json(), encoding="utf-8")
        (folder / "timings.json").write_text(json.dumps({item.path: 1.25 for item in run.submissions}))
        for student, notebook in (notebooks or {}).items():
            nbformat.write(notebook, folder / "executed" / f"{student}.ipynb")
        return folder

    return write


@pytest.fixture(scope="session")
def every_verdict() -> list[tuple[str, str]]:
    return [(verdict, "" if verdict in ("pass", "manual") else f"said of {verdict}") for verdict in VERDICTS]
