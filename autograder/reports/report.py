"""Writes the report on a run: OUT/report.html on the class, and in OUT/report/ a page for each student and one on what
the class tells about the exam.

One student is looked at after the other, so that a class of thousands takes no more memory than its results; a page is
made only if what it shows has changed.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from autograder.reports import work
from autograder.reports.answers import answers_in
from autograder.reports.exam import exam_page
from autograder.reports.html import HERE, instructors_page
from autograder.reports.index import EXAM, FOLDER, STUDENTS, index_page, page_name
from autograder.reports.statistics import SameCode
from autograder.results import files
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.reading import Executed, notebook_in, plain_notebook_in
from fixmelab.files import remove_leftovers

NAME = "report.html"
_MARK = '<meta name="fixmelab-page" content="'
_HEAD = 400  # bytes of a page that hold its mark


def write_report(
    out: Path,
    run: RunResult,
    source: NotebookNode,
    *,
    numbers: Mapping[tuple[str, str], str] | None = None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write or renew the report on a run whose executed notebooks lie in `out`; returns the path of report.html.

    Pages of students who are not in the run are removed. `numbers` is as in `unknown_groups`. Each file appears
    complete or not at all. Raises InputError if `out` cannot be written to.
    """
    notebooks, outline = Executed(out, run), work.outline(source)
    folder = out / FOLDER / STUDENTS
    same_code = SameCode()
    shown = _digest_of_all(run, source)
    for done, submission in enumerate(run.submissions):
        on_step(done, len(run.submissions))
        data = notebooks.file(submission.student)
        path, digest = folder / page_name(submission.student), _digest(shown, submission, data)
        if _digest_in(path) != digest:
            files.write(path, instructors_page(run, submission, notebook_in(data), outline, digest=digest))
        if plain := plain_notebook_in(data):
            same_code.note_all(submission, answers_in(plain, outline))
    _remove_others(folder, run)
    files.write(folder.parent / EXAM, exam_page(run, source, notebooks, same_code, numbers=numbers))
    index = files.write(out / NAME, index_page(run, source))
    on_step(len(run.submissions), len(run.submissions))
    return index


def _digest_of_all(run: RunResult, source: NotebookNode) -> bytes:
    """Of what all pages of students show."""
    said = json.dumps([run.assignment, run.sandbox, source], sort_keys=True)
    return hashlib.sha256(_form() + said.encode("utf-8", "replace")).digest()


@functools.cache
def _form() -> bytes:
    """A digest of all that decides what a page looks like."""
    parts = [path for path in sorted(HERE.iterdir()) if path.suffix in (".py", ".jinja", ".css")]
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in parts)).digest()


def _digest(shown: bytes, submission: SubmissionResult, notebook: bytes) -> str:
    """Of what the page of one student shows."""
    result = json.dumps([submission.model_dump(mode="json"), submission.adjustments])
    return hashlib.sha256(shown + hashlib.sha256(notebook).digest() + result.encode("utf-8", "replace")).hexdigest()


def _digest_in(path: Path) -> str:
    """The digest that stands in a page; "" if it is none of ours."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return ""
    return head.partition(_MARK)[2].partition('"')[0]


def _remove_others(folder: Path, run: RunResult) -> None:
    """Remove the pages of those who are not in the run, and nothing that is no page of a report."""
    if not folder.is_dir():
        return
    remove_leftovers(folder)
    names = {page_name(submission.student) for submission in run.submissions}
    for path in folder.glob("*.html"):
        if path.name not in names and _digest_in(path):
            files.remove(path)
