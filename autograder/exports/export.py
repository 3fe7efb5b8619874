"""What `autograder export` does, whatever the form."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from autograder.errors import InputError
from autograder.exports.canvas import canvas
from autograder.exports.filling import fill_in
from autograder.exports.junit import junit
from autograder.exports.markdown import markdown
from autograder.exports.platform import PLATFORMS
from autograder.exports.roster import read_roster
from autograder.exports.spreadsheet import spreadsheet
from autograder.exports.student_pages import PAGES, write_pages
from autograder.points.adjusting import adjusted, excused_without_result
from autograder.points.course_file import did_you_mean
from autograder.points.rules import Rules, read_rules
from autograder.results import files
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.reading import NAME, Results, read_results
from autograder.results.text import name_line

Form = Literal["junit", "csv", "canvas", "moodle", "blackboard", "markdown", "html"]


@dataclass(frozen=True)
class Export:
    """What came of an export: the `text` to print, or else where it was `written`; and lines for a person."""

    text: str | None = None
    written: Path | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Marks:
    """The gradebook with the points that people gave: `db` and the course in `root` are as for `record`."""

    db: str | None = None
    root: Path | None = None


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
    marks: Marks | None = None,
    group: str | None = None,
    overwrite: bool = False,
) -> Export:
    """Bring a results.json, or the one in a folder, into a form. `roster`, `column` and `overwrite` are for the files
    of learning platforms. With `marks` the points and comments that people gave are in it, too; with `group` only its
    students are.

    What course.toml and adjustments.csv say is applied to all of them.

    Without `out` the text is returned, and HTML pages go to a folder beside the results. Raises InputError if what
    is read is wrong or what is asked for cannot be written.
    """
    found = read_results(results)
    _require_place(found, form, out)
    rules = read_rules(found.run.assignment)
    run, notes = found.run, list[str]()
    if marks:
        from autograder.gradebook.totals import with_marks  # nbgrader, which nothing else here needs

        run, notes = with_marks(run, rules=rules, db=marks.db, root=marks.root)
    run, lines = adjusted(run, rules=rules, people=marks is not None)
    notes += lines
    run = _of_group(run, rules, group) if group else run
    if form == "html":
        where, lines = write_pages(replace(found, run=run), out)
        return Export(written=where, notes=[*notes, *lines])
    if form == "junit":
        text = junit(run, written=found.written, seconds=found.seconds)
    elif form == "csv":
        text = spreadsheet(run)
    elif form == "markdown":
        text = markdown(run)
    else:
        excused = excused_without_result(found.run, rules)
        excused = [item for item in excused if not group or item.student in rules.file.groups[group]]
        text, lines = _for_platform(run, form, excused, roster, column, overwrite=overwrite)
        notes += lines
    if out is None:
        return Export(text=text, notes=notes)
    return Export(written=files.write(out, text), notes=notes)


def _for_platform(
    run: RunResult,
    form: str,
    excused: list[SubmissionResult],
    roster: Path | None,
    column: str | None,
    *,
    overwrite: bool,
) -> tuple[str, list[str]]:
    run, notes = _without_faults(run)
    if roster:
        filled = read_roster(roster, PLATFORMS[form])
        book = fill_in(run, filled, excused=excused, column=column, overwrite=overwrite)
    else:
        book = canvas(run, excused=excused, column=column)
    return book.text, [*notes, *book.notes]


def _of_group(run: RunResult, rules: Rules, group: str) -> RunResult:
    """The run with the students of a group alone. Raises InputError if there is no such group."""
    groups = rules.file.groups
    if group not in groups:
        raise InputError(f"course.toml has no group {group!r}{did_you_mean(group, groups)}")
    return run.model_copy(update={"submissions": [item for item in run.submissions if item.student in groups[group]]})


def _without_faults(run: RunResult) -> tuple[RunResult, list[str]]:
    """The run without those for whom a check failed, and a line on each: their points are not known."""
    notes = [
        f"{name_line(item.student, 80)!r} is left out: a check failed; mend it and grade again"
        for item in run.submissions
        if item.has_fault and not item.excused
    ]
    left = [item for item in run.submissions if not item.has_fault or item.excused]
    return run.model_copy(update={"submissions": left}), notes
