"""What students have in nbgrader's gradebook, points of checks and of people together."""

from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import Grade, MissingEntry, SubmittedAssignment

from autograder import cells, course
from autograder.errors import InputError
from autograder.gradebook.database import one_transaction, parse_url, shown
from autograder.gradebook.penalty import nbgraders_penalty
from autograder.gradebook.settings import Course, read_course
from autograder.points.rules import Rules
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult
from autograder.results.text import listed, name_line

MOST_NAMED = 8


def with_marks(
    run: RunResult, *, rules: Rules, db: str | None = None, root: Path | None = None
) -> tuple[RunResult, list[str]]:
    """The run with the gradebook's totals as scores, after extra credit, and comments by people; and a line on who
    waits for a person still. `db` and `root` are as for `record`.

    nbgrader's own penalty for late work is off, unless the `rules` of the course say when this is due: then theirs goes
    off later.

    Raises InputError where the gradebook cannot be read, or holds another result of a submission or none.
    """
    target = read_course(root)
    url = parse_url(db or target.directory.db_url)
    source = course.read_source(run.assignment)
    try:
        with one_transaction(url, target.directory.course_id, dry_run=True) as gradebook:
            recorded = {item.student_id: item for item in gradebook.assignment_submissions(run.assignment)}
            found = {
                result.student: marked(result, item, source, target, rules)
                for result in run.submissions
                if (item := recorded.get(result.student)) and _is_of(result, item, run.assignment)
            }
            waiting = [student for student in found if recorded[student].needs_manual_grade]
    except MissingEntry:
        found, waiting = {}, []
    if unknown := [item.student for item in run.submissions if item.student not in found]:
        raise InputError(
            f"{shown(url)}: {_named(unknown)}: these results are not recorded there; run autograder record first"
        )
    submissions = [found[item.student] for item in run.submissions]
    notes = [f"{len(waiting)} of {len(submissions)} wait for a person still: {_named(waiting)}"] if waiting else []
    return run.model_copy(update={"submissions": submissions}), notes


def marked(
    result: SubmissionResult, recorded: SubmittedAssignment, source: NotebookNode, target: Course, rules: Rules
) -> SubmissionResult:
    """A result with the points and comments of the gradebook, and nbgrader's penalty off if the course has none. If
    nothing else says when it was handed in, the gradebook does."""
    (notebook,) = (item for item in recorded.notebooks if item.name == rules.assignment)
    grades = {grade.name.removeprefix(cells.TEST_PREFIX): grade for grade in notebook.grades}
    places = _exercises_of_cells(source)
    written = [(comment.name, comment.manual_comment) for comment in notebook.comments if comment.manual_comment]
    comments = {places[name]: text for name, text in written if name in places}
    exercises = [_marked(item, grades, comments) for item in result.exercises]
    late = 0.0 if rules.has_due_date else nbgraders_penalty(recorded, target) or 0.0
    update = {
        "score": max(float(notebook.score) - late, 0.0),
        "max_score": float(notebook.max_score),
        "manual_max_score": 0.0,
        "exercises": exercises,
        "has_marks": True,
    }
    if recorded.timestamp is not None and rules.handed_in(result.student, result.submitted) is None:
        update["submitted"] = f"{recorded.timestamp}+00:00"
    return result.model_copy(update=update)


def _exercises_of_cells(source: NotebookNode) -> dict[str, str]:
    """The exercise that a comment below an answer belongs to, by the id of the answer's cell: of several, the one that
    the cell is called by, or else the first."""
    places = {}
    for cell in source.cells:
        names = [cells.exercise_name(cell)] if cells.is_written(cell) else cells.anchors(cell)
        if cells.is_answer(cell) and names:
            own = cells.grade_id(cell)
            places[own] = own if own in names else names[0]
    return places


def _marked(item: ExerciseResult, grades: Mapping[str, Grade], comments: Mapping[str, str]) -> ExerciseResult:
    name = item.id.partition(".")[2]
    grade = grades.get(name)
    if grade is None:
        return item
    # Who grades leaves a cell that does not wait; an automatic score is no mark, unless a person wrote one.
    is_marked = grade.manual_score is not None or bool(grade.extra_credit)
    update = {"score": float(grade.score), "is_marked": is_marked, "comment": comments.get(name, "")}
    return item.model_copy(update=update)


def _is_of(result: SubmissionResult, recorded: SubmittedAssignment, assignment: str) -> bool:
    """Whether the automatic points in the gradebook are those of the result, and the student is the same."""
    known = recorded.student.lms_user_id
    number = result.number_in("canvas")
    if number and known and known != number:
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
