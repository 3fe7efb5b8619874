"""One submission as it will be recorded: its result, and its notebook as formgrader shows it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder import cells
from autograder.errors import InputError
from autograder.gradebook.layout import laid_out, read_laid_out, works
from autograder.gradebook.settings import Course
from autograder.grading.submitted.timestamps import NAME as TIMESTAMP
from autograder.grading.submitted.timestamps import is_in_clone, read_timestamp
from autograder.results import files
from autograder.results.model import SubmissionResult

MOST_NAME = 128  # characters, in nbgrader's tables
MOST_BYTES = 255  # of a folder's name


@dataclass(frozen=True)
class Prepared:
    """One submission to be recorded, with its notebook as it will lie in the course.

    `changed` says by graded cell whether the answer is another than was recorded before.
    """

    result: SubmissionResult
    notebook: NotebookNode
    path: Path
    changed: dict[str, bool]
    timestamp: datetime | None


def prepare(assignment: str, result: SubmissionResult, folder: Path, target: Course, saved: NotebookNode) -> Prepared:
    """Prepare one submission of the results in `folder`, for an assignment whose graded cells are those of `saved`.

    Raises InputError if its executed notebook is missing or damaged, or its student's name cannot be one.
    """
    _require_name(result.student)
    executed = files.notebook_path(folder, result.student)
    notebook = _read_executed(executed, result.student)
    notebook = laid_out(notebook, saved, rubrics=target.hides_rubrics)
    graded = [cells.grade_id(cell) for cell in saved.cells if cells.is_tests(cell) or cells.is_written(cell)]
    there = {cells.grade_id(cell) for cell in notebook.cells}
    if lost := [name for name in graded if name not in there]:
        raise InputError(f"{executed}: the cell {lost[0]!r} is not in it; grade {result.student} again")
    path = target.folder("autograded_directory", result.student, assignment) / f"{assignment}.ipynb"
    before = read_laid_out(path)
    old, new = works(before) if before else {}, works(notebook)
    changed = {name: old.get(name) != new[name] for name in graded}
    return Prepared(result, notebook, path, changed, _timestamp(assignment, result.student, target))


def _require_name(student: str) -> None:
    """Students' names become folders, and keys of the gradebook."""
    if (
        not student.strip(". ")
        or student != student.strip()
        or len(student) > MOST_NAME
        or len(student.encode("utf-8", "replace")) > MOST_BYTES
        or not student.isprintable()
        or set(student) & set('/\\*?[]"<>|')
    ):
        raise InputError(
            f"{student[:40]!r} cannot be a student's name in the gradebook; rename the submission and grade it again"
        )


def _read_executed(path: Path, student: str) -> NotebookNode:
    """A notebook of our own writing: it may be larger than what students may hand in."""
    try:
        notebook = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        nbformat.validate(notebook)
    except FileNotFoundError:
        raise InputError(
            f"{path}: the executed notebook of {student} is missing; give the whole folder that autograder grade wrote"
        ) from None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); allow reading, or grade {student} again"
        ) from None
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError, nbformat.ValidationError):
        raise InputError(f"{path}: is no sound notebook; grade {student} again") from None
    return notebook


def _timestamp(assignment: str, student: str, target: Course) -> datetime | None:
    """When it was submitted, by the timestamp.txt in the course's folder of submissions; one in a clone is a student's
    own and says nothing. Another that lies beside what was graded, grading has read."""
    submitted = target.folder("submitted_directory", student, assignment)
    return None if is_in_clone(submitted) else read_timestamp(submitted / TIMESTAMP)
