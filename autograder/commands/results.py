"""`autograder export`, `record`, `policy` and `diff`: what is done with results once they are there."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.options import Results
from autograder.commands.terminal import console, errors, progress
from autograder.errors import InputError, UsageError


class ExportForm(str, Enum):
    """What `autograder export` makes of results."""

    junit = "junit"
    csv = "csv"
    canvas = "canvas"
    moodle = "moodle"
    blackboard = "blackboard"
    markdown = "markdown"
    html = "html"


def export(
    results: Results,
    to: Annotated[ExportForm, typer.Option("--to", help="The form.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to; else it is printed. For html a folder, else RESULTS/feedback."),
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The CSV file that Canvas, Moodle or Blackboard exported.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(metavar="TITLE", help="The assignment's column there, by title, ID or both.")
    ] = None,
    marks: Annotated[
        bool, typer.Option("--marks", help="With points and comments by people, from the gradebook.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also where that excuses a student, or lowers a grade.")
    ] = False,
    group: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only the students of this group in course.toml.")
    ] = None,
    db: Annotated[str | None, typer.Option(metavar="URL", help="--marks: the gradebook, as for record.")] = None,
    course_folder: Annotated[
        Path | None, typer.Option("--course", metavar="DIR", help="--marks: nbgrader's course folder, as for record.")
    ] = None,
) -> None:
    """Bring results into the form that CI, a spreadsheet, a learning platform or a student reads; no hidden thing is in
    it."""
    from autograder.exports.export import Marks
    from autograder.exports.export import export as export_results

    is_platform = to in (ExportForm.canvas, ExportForm.moodle, ExportForm.blackboard)
    if not is_platform and (roster or column or overwrite):
        raise UsageError("--roster, --column and --overwrite belong to --to canvas, moodle and blackboard")
    if to in (ExportForm.moodle, ExportForm.blackboard) and not roster:
        raise UsageError(f"--to {to.value} fills in a file: give the one that it exported with --roster")
    if marks and to is ExportForm.junit:
        raise UsageError("--marks does not belong to --to junit, which holds verdicts")
    if not marks and (db or course_folder):
        raise UsageError("--db and --course belong to --marks")
    done = export_results(
        results,
        to.value,
        out=out,
        roster=roster,
        column=column,
        marks=Marks(db, course_folder) if marks else None,
        group=group,
        overwrite=overwrite,
    )
    for note in done.notes:
        errors.print(note, markup=False, highlight=False, soft_wrap=True)
    if done.text is not None:
        # As it would stand in a file, whatever the terminal's encoding.
        sys.stdout.flush()
        sys.stdout.buffer.write(done.text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    else:
        console.print(f"{to.value:9} {done.written}", markup=False, highlight=False, soft_wrap=True)


def record(
    results: Annotated[Path, typer.Argument(help="results.json, or the folder that grade wrote it to.")],
    db: Annotated[
        str | None, typer.Option(metavar="URL", help="Gradebook, as postgresql+psycopg://HOST/NAME; else the course's.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse students who are not in the gradebook.")] = False,
    course_folder: Annotated[
        Path | None, typer.Option("--course", metavar="DIR", help="nbgrader's course folder; else this repository.")
    ] = None,
) -> None:
    """Write results to nbgrader's gradebook, where formgrader shows them for grading by hand.

    Recording again after a regrade keeps all marks and comments that people gave, and says who changed and why.
    """
    from autograder.gradebook.lines import report_lines
    from autograder.gradebook.record import record as record_results

    with progress("recording") as show:
        recorded = record_results(results, db=db, dry_run=dry_run, strict=strict, root=course_folder, on_step=show)
    for line in report_lines(recorded):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def policy(
    results: Results,
    fail: Annotated[
        str,
        typer.Option(metavar="never|any|under=N", help="any: an exercise is not right. under: points, or under=60%."),
    ],
) -> None:
    """Say by the exit code whether CI is to pass: 1 if the policy does not let a submission pass."""
    from autograder.points.adjusting import adjusted
    from autograder.reports.policy import Policy
    from autograder.results.reading import read_results

    chosen = Policy.parse(fail)
    run, notes = adjusted(read_results(results).run)
    for line in notes:
        errors.print(line, markup=False, highlight=False, soft_wrap=True)
    violations = chosen.violations(run)
    for line in violations:
        errors.print(line, markup=False, highlight=False, soft_wrap=True)
    if violations:
        raise typer.Exit(1)
    console.print(f"{fail} lets all pass: {len(run.submissions)}", markup=False, highlight=False, soft_wrap=True)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A results.json, or the folder that holds one.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another, of the same assignment.")],
) -> None:
    """Say who has another result in NEW than in OLD, exercise by exercise, and because of what."""
    from autograder.results.comparing import compare
    from autograder.results.reading import read_results

    before, after = read_results(old).run, read_results(new).run
    if before.assignment != after.assignment:
        raise InputError(
            f"{old} is of {before.assignment}, {new} of {after.assignment}; give two runs of one assignment"
        )
    for line in compare(before, after).lines(together=False):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
