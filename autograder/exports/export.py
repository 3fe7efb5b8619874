"""What `autograder export` does, whatever the form."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from autograder.errors import InputError
from autograder.exports.canvas import canvas, canvas_with_roster
from autograder.exports.junit import junit
from autograder.exports.markdown import markdown
from autograder.exports.roster import read_roster
from autograder.exports.spreadsheet import spreadsheet
from autograder.exports.student_pages import PAGES, write_pages
from autograder.results import files
from autograder.results.adjusting import adjusted
from autograder.results.model import RunResult
from autograder.results.reading import NAME, Results, read_results
from autograder.results.text import name_line

Form = Literal["junit", "csv", "canvas", "markdown", "html"]


@dataclass(frozen=True)
class Export:
    """What came of an export: the `text` to print, or else where it was `written`; and lines for a person."""

    text: str | None = None
    written: Path | None = None
    notes: list[str] = field(default_factory=list)


def _require_place(found: Results, form: Form, out: Path | None) -> None:
    if out is None:
        return
    if out.exists() and out.samefile(found.folder / NAME):
        raise InputError(f"{out}: holds the results themselves; give another file with --out")
    if form != "html" and out.is_dir():
        raise InputError(f"{out}: is a folder; give a file with --out")
    if form == "html" and out.is_file() and out.suffix.lower() not in PAGES:
        raise InputError(f"{out}: is a file; give a folder with --out")


def export(
    results: Path,
    form: Form,
    *,
    out: Path | None = None,
    roster: Path | None = None,
    column: str | None = None,
    marks: bool = False,
    db: str | None = None,
    root: Path | None = None,
    overwrite: bool = False,
) -> Export:
    """Bring a results.json, or the one in a folder, into a form. `roster`, `column` and `overwrite` are for Canvas, and
    `marks`: the totals of the gradebook `db`, or of the course in `root`, in the place of the automatic points.

    The course's adjustments are applied to all of them.

    Without `out` the text is returned, and HTML pages go to a folder beside the results. Raises InputError if what
    is read is wrong or what is asked for cannot be written.
    """
    found = read_results(results)
    _require_place(found, form, out)
    judged = found.run
    run, notes = adjusted(judged)
    found = replace(found, run=run)
    if form == "html":
        where, lines = write_pages(found, out)
        return Export(written=where, notes=[*notes, *lines])
    if form == "junit":
        text = junit(found.run, written=found.written, seconds=found.seconds)
    elif form == "csv":
        text = spreadsheet(found.run)
    elif form == "markdown":
        text = markdown(found.run)
    else:
        if marks:
            from autograder.gradebook.totals import with_marks  # nbgrader, which nothing else here needs

            marked, notes = with_marks(judged, db=db, root=root)
            run, lines = adjusted(marked, people=True)
        else:
            run, lines = _without_faults(run)
        notes = [*notes, *lines]
        if roster:
            book = canvas_with_roster(run, read_roster(roster), column=column, overwrite=overwrite)
        else:
            book = canvas(run, column=column)
        text, notes = book.text, [*notes, *book.notes]
    if out is None:
        return Export(text=text, notes=notes)
    return Export(written=files.write(out, text), notes=notes)


def _without_faults(run: RunResult) -> tuple[RunResult, list[str]]:
    """The run without those for whom a check failed, and a line on each: their points are not known."""
    notes = [
        f"{name_line(item.student, 80)!r} is left out: a check failed; mend it and grade again"
        for item in run.submissions
        if item.has_fault
    ]
    left = [item for item in run.submissions if not item.has_fault]
    return run.model_copy(update={"submissions": left}), notes
