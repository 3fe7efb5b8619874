"""Grades one submission: what goes in decides what comes out."""

from collections.abc import Mapping

from nbformat import NotebookNode

from autograder import cells
from autograder.assignments import exercises_of
from autograder.grading.cell_text import is_untouched
from autograder.grading.execute import Execution, execute
from autograder.grading.reading import read_notebook, submission_digest
from autograder.grading.restoring import restore
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise
from autograder.results.model import Budget, ExerciseResult, SubmissionResult
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import Address


def grade(
    source: NotebookNode,
    submission: bytes,
    *,
    assignment: str,
    student: str,
    path: str,
    key: bytes,
    budget: Budget,
    zygote: Address,
    limits: Limits | None = None,
    exercises: Mapping[str, Exercise] | None = None,
    others: Mapping[str, NotebookNode] | None = None,
) -> tuple[SubmissionResult, NotebookNode]:
    """Restore, execute and judge a submission. Returns its result and the executed notebook.

    Exercises, their order and their points are those of `source`, the instructor's notebook. `key` is the course's
    secret, from which the inputs of the checks are drawn. `exercises` holds the checks by id, those of the
    assignment where they are not given; `others` the sources of other assignments, for a submission that belongs to
    one of them; `path` only labels the result; `zygote` is where kernels are had.

    Raises InputError where the submission is no notebook of this assignment, SandboxError where no kernel starts.
    """
    digest = submission_digest(submission)
    restored = restore(source, read_notebook(submission, path), assignment=assignment, where=path, others=others)
    execution = execute(
        restored.notebook,
        source=source,
        exercises={item.name: item for item in (exercises or exercises_of(assignment)).values()},
        seed=lambda id: seed_for(key, digest, id),
        budget=budget,
        zygote=zygote,
        limits=limits,
    )
    automatic = [_automatic(assignment, cell, execution) for cell in source.cells if cells.is_tests(cell)]
    written = [_written(assignment, cell, restored.notebook) for cell in source.cells if cells.is_written(cell)]
    places = {f"{assignment}.{cells.exercise_name(cell)}": place for place, cell in enumerate(source.cells)}
    result = SubmissionResult(
        student=student,
        path=path,
        digest=digest,
        score=sum((item.score for item in automatic), 0.0),
        max_score=sum((item.max_score for item in automatic), 0.0),
        manual_max_score=sum((item.max_score for item in written), 0.0),
        exercises=sorted(automatic + written, key=lambda item: places[item.id]),
        repairs=restored.repairs,
    )
    return result, execution.notebook


def _automatic(assignment: str, cell: NotebookNode, execution: Execution) -> ExerciseResult:
    """The result of the exercise that a test cell of the source earns points for."""
    name, points = cells.exercise_name(cell), cells.points(cell)
    finding = execution.findings[name]
    return ExerciseResult(
        id=f"{assignment}.{name}",
        verdict=finding.verdict,
        score=points if finding.verdict == "pass" else 0.0,
        max_score=points,
        message=finding.message,
        mistake=finding.mistake,
    )


def _written(assignment: str, cell: NotebookNode, restored: NotebookNode) -> ExerciseResult:
    """The result of a written exercise: a person gives its points, unless nothing is written."""
    name = cells.exercise_name(cell)
    untouched = all(is_untouched(cell, other) for other in restored.cells if cells.grade_id(other) == name)
    return ExerciseResult(
        id=f"{assignment}.{name}",
        verdict="missing" if untouched else "manual",
        score=0.0,
        max_score=cells.points(cell),
        message="No answer is written here yet." if untouched else "",
    )
