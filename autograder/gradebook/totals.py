"""What students have in nbgrader's gradebook, points of checks and of people together."""

from pathlib import Path

from nbgrader.api import MissingEntry, SubmittedAssignment

from autograder import cells
from autograder.errors import InputError
from autograder.gradebook.database import one_transaction, parse_url, shown
from autograder.gradebook.settings import read_course
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult
from autograder.results.text import listed, name_line

MOST_NAMED = 8


def with_marks(run: RunResult, *, db: str | None = None, root: Path | None = None) -> tuple[RunResult, list[str]]:
    """The run with the gradebook's totals as scores, after extra credit and penalties; and a line on who waits for a
    person still. `db` and `root` are as for `record`.

    Raises InputError where the gradebook cannot be read, or holds another result of a submission or none.
    """
    target = read_course(root)
    url = parse_url(db or target.directory.db_url)
    try:
        with one_transaction(url, target.directory.course_id, dry_run=True) as gradebook:
            recorded = {item.student_id: item for item in gradebook.assignment_submissions(run.assignment)}
            totals = {
                result.student: (max(0.0, float(item.score - item.late_submission_penalty)), float(item.max_score))
                for result in run.submissions
                if (item := recorded.get(result.student)) and _is_of(result, item, run.assignment)
            }
            waiting = [student for student in totals if recorded[student].needs_manual_grade]
    except MissingEntry:
        totals, waiting = {}, []
    if unknown := [item.student for item in run.submissions if item.student not in totals]:
        raise InputError(
            f"{shown(url)}: {_named(unknown)}: these results are not recorded there; run autograder record first"
        )
    submissions = []
    for item in run.submissions:
        score, most = totals[item.student]
        exercises = _marked(item, recorded[item.student], run.assignment)
        update = {"score": score, "max_score": most, "manual_max_score": 0.0, "exercises": exercises}
        submissions.append(item.model_copy(update=update))
    notes = [f"{len(waiting)} of {len(submissions)} wait for a person still: {_named(waiting)}"] if waiting else []
    return run.model_copy(update={"submissions": submissions}), notes


def _marked(result: SubmissionResult, recorded: SubmittedAssignment, assignment: str) -> list[ExerciseResult]:
    """The exercises of a result with the points that people and checks gave in the gradebook."""
    grades = [grade for notebook in recorded.notebooks if notebook.name == assignment for grade in notebook.grades]
    there = {grade.name.removeprefix(cells.TEST_PREFIX): float(grade.score) for grade in grades}
    return [
        item.model_copy(update={"score": there.get(item.id.partition(".")[2], item.score)}) for item in result.exercises
    ]


def _is_of(result: SubmissionResult, recorded: SubmittedAssignment, assignment: str) -> bool:
    """Whether the automatic points in the gradebook are those of the result, and the student is the same."""
    known = recorded.student.lms_user_id
    if result.canvas_id and known and known != result.canvas_id:
        return False
    grades = [grade for notebook in recorded.notebooks if notebook.name == assignment for grade in notebook.grades]
    there = {grade.name: grade.auto_score for grade in grades}
    wanted = {
        name: None if exercise.verdict == "fault" else exercise.score
        for exercise in result.exercises
        if (name := cells.TEST_PREFIX + exercise.id.removeprefix(f"{assignment}.")) in there
    }
    return bool(wanted) and all(there[name] == score for name, score in wanted.items())


def _named(students: list[str]) -> str:
    return listed([name_line(student, 80) for student in students], MOST_NAMED)
