"""Grades one submission: what goes in decides what comes out."""

from nbformat import NotebookNode

from autograder import cells
from autograder.assignments import exercises_of
from autograder.grading.execute import Execution, execute
from autograder.grading.grading import Grading
from autograder.grading.restoring import restore
from autograder.grading.source_text import is_untouched
from autograder.grading.submissions import Submission
from autograder.judge.draw import seed_for
from autograder.results.model import ExerciseResult, SubmissionResult
from autograder.sandbox.zygote import Address


def grade(grading: Grading, submission: Submission, zygote: Address) -> tuple[SubmissionResult, NotebookNode]:
    """Restore, execute and judge a submission. Returns its result and the executed notebook.

    `zygote` is where kernels are had. Raises InputError if the submission is no notebook of this assignment,
    SandboxError if no kernel starts.
    """
    assignment, source, digest = grading.assignment, grading.source, submission.digest
    restored = restore(
        source, submission.notebook(), assignment=assignment, where=submission.path, others=grading.others
    )
    execution = execute(
        restored.notebook,
        source=source,
        exercises={item.name: item for item in (grading.exercises or exercises_of(assignment)).values()},
        seed=lambda id: seed_for(grading.key, digest, id),
        budget=grading.budget,
        zygote=zygote,
        limits=grading.limits,
        numbers=restored.numbers,
    )
    automatic = [_automatic(assignment, cell, execution) for cell in source.cells if cells.is_tests(cell)]
    written = [_written(assignment, cell, restored.notebook) for cell in source.cells if cells.is_written(cell)]
    places = {f"{assignment}.{cells.exercise_name(cell)}": place for place, cell in enumerate(source.cells)}
    result = SubmissionResult(
        student=submission.student,
        account=submission.account,
        submitted=submission.submitted,
        path=submission.path,
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
        traceback=finding.traceback,
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
