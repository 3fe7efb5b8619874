"""Grades one submission: what goes in decides what comes out."""

from collections.abc import Mapping
from functools import partial

from nbformat import NotebookNode

from autograder import cells
from autograder.grading.execute import Execution, execute
from autograder.grading.grading import Grading
from autograder.grading.restoring import Restored, restore
from autograder.grading.source_text import is_untouched
from autograder.grading.submissions import Submission
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise
from autograder.judge.judging import judge
from autograder.judge.server import JudgeServer
from autograder.judge.student import Channel
from autograder.judge.verdict import Finding
from autograder.results.model import ExerciseResult, SubmissionResult
from autograder.sandbox.zygote import Address


def grade(grading: Grading, submission: Submission, zygote: Address) -> tuple[SubmissionResult, NotebookNode]:
    """Restore, execute and judge a submission. Returns its result and the executed notebook.

    `zygote` is where kernels are had. Raises InputError if the submission is no notebook of this assignment,
    SandboxError if no kernel starts.
    """
    restored = restored_of(grading, submission)
    execution = executed(grading, submission, restored, zygote)
    return result_of(grading, submission, restored, execution), execution.notebook


def restored_of(grading: Grading, submission: Submission) -> Restored:
    """The notebook to execute for a submission. Raises InputError if it is none of this assignment."""
    notebook, where = submission.notebook(), submission.path
    return restore(grading.source, notebook, assignment=grading.assignment, where=where, others=grading.others)


def executed(
    grading: Grading,
    submission: Submission,
    restored: Restored,
    zygote: Address,
    kept: Mapping[str, Finding] | None = None,
    *,
    asks_all: bool = False,
) -> Execution:
    """Execute a restored submission, and judge what is not among the findings that are `kept`, by name of the exercise.

    The test cells of those run as well, since others may use what these define; the judge asks nothing of them, unless
    it `asks_all`. Raises SandboxError if no kernel starts, or the checks cannot be imported.
    """

    def decide(exercise: Exercise, channel: Channel, seed: bytes) -> Finding:
        is_asked = asks_all or not kept or exercise.name not in kept
        return judge(exercise, channel, seed) if is_asked else Finding("pass")

    return execute(
        restored.notebook,
        source=grading.source,
        exercises=grading.checks(),
        seed=lambda id: seed_for(grading.key, submission.digest, id),
        budget=grading.budget,
        zygote=zygote,
        limits=grading.limits,
        server=partial(JudgeServer, decide=decide),
        numbers=restored.numbers,
        kept=kept,
        tells_slips=grading.messages == "full",
    )


def result_of(grading: Grading, submission: Submission, restored: Restored, execution: Execution) -> SubmissionResult:
    """Verdicts, points and messages of a submission that has been executed; points are those of the source."""
    assignment, source = grading.assignment, grading.source
    automatic = [_automatic(assignment, cell, execution) for cell in source.cells if cells.is_tests(cell)]
    written = [_written(assignment, cell, restored.notebook) for cell in source.cells if cells.is_written(cell)]
    places = {f"{assignment}.{cells.exercise_name(cell)}": place for place, cell in enumerate(source.cells)}
    return SubmissionResult(
        student=submission.student,
        account=submission.account,
        submitted=submission.submitted,
        path=submission.path,
        digest=submission.digest,
        score=round(sum((item.score for item in automatic), 0.0), 9),
        max_score=sum((item.max_score for item in automatic), 0.0),
        manual_max_score=sum((item.max_score for item in written), 0.0),
        exercises=sorted(automatic + written, key=lambda item: places[item.id]),
        repairs=restored.repairs,
    )


def _automatic(assignment: str, cell: NotebookNode, execution: Execution) -> ExerciseResult:
    """The result of the exercise that a test cell of the source earns points for."""
    name, points = cells.exercise_name(cell), cells.points(cell)
    finding = execution.findings[name]
    return ExerciseResult(
        id=f"{assignment}.{name}",
        verdict=finding.verdict,
        score=points if finding.verdict == "pass" else min(finding.earned, points),
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
