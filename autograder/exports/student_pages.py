"""A page for each student: one HTML file, readable on a phone, with the student's plots, verdicts and messages."""

from collections.abc import Iterable
from pathlib import Path

from autograder import course
from autograder.errors import InputError
from autograder.reports.html import student_page
from autograder.results import files
from autograder.results.reading import Results
from autograder.results.text import name_line

FOLDER = "feedback"
PAGES = (".html", ".htm")


def write_pages(results: Results, out: Path | None = None) -> tuple[Path, list[str]]:
    """Write OUT/STUDENT.html for each submission, by default in `feedback` beside results.json.

    Where `out` ends in .html and there is but one submission, that file is written. Returns where the pages are, and
    a line on each student whose executed notebook is not there: that page has neither plots nor written answers.

    Raises InputError if a file cannot be written, a notebook is damaged, the assignment is not here or not built,
    or `out` is one file for several students.
    """
    run = results.run
    source = course.read_source(course.require_assignment(run.assignment))
    is_file = out is not None and out.suffix.lower() in PAGES
    if is_file and len(run.submissions) != 1:
        raise InputError(f"{out}: is one file, and there are {len(run.submissions)} submissions; give a folder")
    where = out or results.folder / FOLDER
    notes = [] if run.submissions else ["there are no submissions, and so no pages"]
    for submission in run.submissions:
        notebook = results.executed(submission.student)
        if notebook is None:
            name = name_line(submission.student, 80)
            notes.append(f"{name!r} has no executed notebook: that page is without plots and written answers")
        path = where if is_file else page_path(where, submission.student)
        files.write(path, student_page(run, submission, notebook, source))
    return where, notes


def remove_pages(folder: Path, students: Iterable[str]) -> None:
    """Remove the pages of students beside the results in `folder`. Raises InputError if one cannot be removed."""
    for student in students:
        files.remove(page_path(folder / FOLDER, student))


def page_path(folder: Path, student: str) -> Path:
    """Where the page of a student is put: named like the executed notebook, never outside `folder`."""
    return folder / (files.notebook_path(folder, student).name.removesuffix(".ipynb") + ".html")
