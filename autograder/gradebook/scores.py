"""The scores of one submission in nbgrader's gradebook: automatic ones are ours, marks by people stay theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbgrader.api import Grade, SubmittedNotebook

from autograder import cells
from autograder.gradebook import safe
from autograder.gradebook.layout import is_plot
from autograder.results.model import ExerciseResult, SubmissionResult

NO_RESPONSE = "No response."  # as nbgrader says


@dataclass(frozen=True)
class Change:
    """An exercise whose automatic score is another than was recorded before; None stands for none."""

    exercise: str
    old: float | None
    new: float | None
    max_score: float
    verdict: str
    message: str


@dataclass(frozen=True)
class Mark:
    """A mark that a person gave, for an answer or an automatic score that is another by now."""

    exercise: str
    score: float
    max_score: float


@dataclass
class Entry:
    """What was recorded of one submission. `before` is its score in the gradebook up to now, None at the first time.

    Scores are automatic and manual points with extra credit, before any penalty; `to_grade` counts cells that wait
    for a person. `late` is in seconds; `lacks_time` says that nobody can know, though there is a due date; `is_by_name`
    that nothing but the name that somebody shows in Canvas says who they are in the gradebook. `adjustments` says what
    the rules of the course change of the points, which the gradebook keeps apart.
    """

    student: str
    before: float | None
    score: float = 0.0
    max_score: float = 0.0
    to_grade: int = 0
    extra: float = 0.0
    late: float = 0.0
    penalty: float = 0.0
    lacks_time: bool = False
    is_added: bool = False
    is_by_name: bool = False
    adjustments: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


def write_scores(
    entry: Entry,
    submitted: SubmittedNotebook,
    result: SubmissionResult,
    notebook: NotebookNode,
    changed: Mapping[str, bool],
) -> None:
    """Write the automatic scores and comments of a result, and note in `entry` what is new.

    Args:
        entry: what is known of the submission.
        submitted: the gradebook's row of the notebook, with a grade for each graded cell.
        result: the result of grading.
        notebook: the notebook as it is laid out.
        changed: for each graded cell whether its answer differs from the one that was there before.
    """
    found = {item.id.partition(".")[2]: item for item in result.exercises}
    by_cell = {
        cells.grade_id(cell): found[cells.exercise_name(cell)]
        for cell in notebook.cells
        if cells.is_tests(cell) or cells.is_written(cell)
    }
    written = {cells.grade_id(cell) for cell in notebook.cells if cells.is_written(cell)}
    for grade in sorted(submitted.grades, key=lambda grade: list(by_cell).index(grade.name)):
        item = by_cell[grade.name]
        _write_grade(entry, grade, item, is_written=grade.name in written, changed=changed[grade.name])
    comments = _comments(notebook, found)
    for comment in submitted.comments:
        comment.auto_comment = comments.get(comment.name)


def _write_grade(entry: Entry, grade: Grade, item: ExerciseResult, *, is_written: bool, changed: bool) -> None:
    name = item.id.partition(".")[2]
    is_fault = item.verdict == "fault"
    score = None if is_fault or (is_written and item.verdict != "missing") else item.score
    is_new_score = grade.auto_score != score
    if entry.before is not None and is_new_score:
        entry.changes.append(Change(name, grade.auto_score, score, item.max_score, item.verdict, item.message))
    waits = bool(grade.needs_manual_grade)  # True in a new row
    if grade.manual_score is not None:
        if changed or is_new_score:
            entry.marks.append(Mark(name, grade.manual_score, item.max_score))
        waits = waits or changed or is_new_score
    elif is_written or is_fault:
        waits = score is None
    else:
        waits = is_plot(name) and item.verdict != "missing" and (waits or changed or is_new_score)
    # What is the same is not written: marks may be given meanwhile.
    if is_new_score:
        grade.auto_score = score
    if grade.needs_manual_grade != waits:
        grade.needs_manual_grade = waits
    entry.to_grade += waits
    counted = grade.manual_score if grade.manual_score is not None else score
    entry.extra += grade.extra_credit or 0.0
    entry.score += (counted or 0.0) + (grade.extra_credit or 0.0)
    entry.max_score += item.max_score


def _comments(notebook: NotebookNode, found: Mapping[str, ExerciseResult]) -> dict[str, str]:
    """The comment below each answer, by nbgrader's id: what the student should read about it."""
    comments = {}
    for cell in notebook.cells:
        if cells.is_written(cell) and found[cells.exercise_name(cell)].verdict == "missing":
            comments[cells.grade_id(cell)] = NO_RESPONSE
        elif cells.is_fixme(cell):
            items = [found[name] for name in cells.anchors(cell) if name in found]
            messages = [(item.id.partition(".")[2], item.message) for item in items if item.message]
            text = "\n\n".join(f"{name}: {message}" if len(items) > 1 else message for name, message in messages)
            if text:
                comments[cells.grade_id(cell)] = safe.markdown(text)
    return comments
