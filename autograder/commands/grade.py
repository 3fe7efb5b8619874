"""`autograder grade` and `forget`: submissions in, results, table and report out; and whom a folder no longer holds."""

import contextlib
import math
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import CORES, Jobs, SandboxLimits, Unconfined
from autograder.commands.terminal import console, errors, progress
from autograder.errors import InputError, UsageError

if TYPE_CHECKING:
    from autograder.grading.run import Run
    from autograder.grading.shares import Share
    from autograder.grading.tally import Tally
    from autograder.results.model import RunResult

MOST_NAMED = 12


class BudgetChoice(str, Enum):
    """How much work the ordinary cells of a notebook may do."""

    smoke = "smoke"
    cpu = "cpu"
    gpu = "gpu"


def grade(
    assignment: Annotated[str, typer.Argument(help="For example vae.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Notebooks, folders STUDENT/ASSIGNMENT/*.ipynb, or a zip.")
    ],
    out: Annotated[str, typer.Option(help="Folder for results.json, report.html and the executed notebooks.")] = (
        "graded"
    ),
    jobs: Jobs = CORES,
    budget: Annotated[BudgetChoice, typer.Option(help="Budget of the ordinary cells.")] = BudgetChoice.smoke,
    limit: SandboxLimits = None,
    again: Annotated[bool, typer.Option("--again", help="Grade anew what has been graded before.")] = False,
    exercise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Judge this exercise alone, if something has changed on which it rests, with --again in any case; the "
            "others keep their verdicts. May be given again. Whoever has no verdicts yet is graded whole.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say who would have another result, and write nothing.")
    ] = False,
    only_these: Annotated[
        bool, typer.Option("--only-these", help="Remove from OUT whoever is not graded now; else they stay there.")
    ] = False,
    only_list: Annotated[
        bool, typer.Option("--list", help="Say which file is whose and of which assignment, and grade nothing.")
    ] = False,
    minutes: Annotated[
        float,
        typer.Option(
            min=0, show_default="no end", help="Stop after so long, and name who is left; the same command goes on."
        ),
    ] = math.inf,
    shard: Annotated[
        str | None, typer.Option(metavar="K/N", help="Grade one of N shares of the class, and `merge` the folders.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Grade by the workers of the Dask scheduler there.")
    ] = None,
    unsafe_no_sandbox: Unconfined = False,
) -> None:
    """Grade submissions: restore, execute in the sandbox, judge; then a table, results.json and a report.

    Each result is kept as it comes: a run that was ended goes on with the same command, and nothing is graded twice.
    Whoever is in OUT already and not graded now stays there.
    """
    from autograder.grading.run import begin_run
    from autograder.grading.tally import Tally
    from autograder.sandbox.limits import Limits

    if only_list:
        _list(assignment, paths)
        return
    if not out.strip():
        raise UsageError("--out is empty: name a folder for the results")
    limits = Limits.parse(limit or [])
    share = _share(shard) if shard is not None else None
    if share and only_these:
        raise UsageError("--only-these would remove the other shares: give it without --shard")
    if not any(map(os.path.lexists, paths)):  # nothing to grade, and no folder to make for it
        raise InputError("\n".join(f"{path}: is not there; give a notebook, a folder or a zip" for path in paths))
    tally = Tally()
    with (
        _ended_by_signals(tally, is_dry=dry_run),
        begin_run(
            assignment,
            tally=tally,
            out=Path(out),
            jobs=jobs,
            budget=budget.value,
            limits=limits,
            sandbox=not unsafe_no_sandbox,
            only_these=only_these,
            dry_run=dry_run,
            share=share,
            exercises=exercise or (),
            dask=dask,
        ) as run,
    ):
        _require_rules(run)  # before the work, and not when its report is made
        submissions = run.find(paths)
        threading.Thread(target=_prepare_report, args=[run.wait], daemon=True).start()
        with progress(f"grading {assignment}") as show:
            result = run.grade(submissions, again=again, minutes=minutes, on_step=show)
        if dry_run:
            _show_dry_run(run, result)
        elif tally.records or run.elsewhere:
            _show_run(Path(out), result, run, only_these=only_these)
            _show_changes(run, result)
        for line in tally.notes:
            say(f"note: {line}")
        if removed := run.finish():
            _remove_pages(Path(out), removed)
            say(f"removed from {out}: {len(removed)}: {_named(removed)}")


def forget(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder that grade wrote.")],
    students: Annotated[list[str], typer.Argument(metavar="STUDENT...", help="Their names, as the report has them.")],
) -> None:
    """Remove students from the results of a folder: those who have withdrawn, or were graded under a wrong name."""
    from autograder.grading.forget import forget as forget_students
    from autograder.points.rules import read_rules
    from autograder.results.reading import read_results

    read_rules(read_results(out, unfinished=True).run.assignment)  # a row that is wrong would leave the old report
    left = forget_students(out, students)
    _remove_pages(out, students)
    say(f"removed from {out}: {len(students)}: {_named(students)}; {len(left.submissions)} left")
    write_report(out, left)


def _share(shard: str) -> "Share":
    from autograder.grading.shares import Share  # here: it imports notebooks, which the crew's start would wait for

    return Share.parse(shard)


def _list(assignment: str, paths: list[Path]) -> None:
    from autograder.grading.answered import list_submissions

    listed, notes, problems = list_submissions(assignment, paths)
    for item in listed:
        what = f"{item.assignment}, {item.answered} answered" if item.assignment == assignment else item.assignment
        line = f"{item.path} → {item.student} → {what or 'no assignment of this course'}"
        say(line)
    for line in notes:
        say(f"note: {line}")
    if problems:
        raise InputError("\n".join(problems))


def _show_run(out: Path, result: "RunResult", run: "Run", *, only_these: bool) -> None:
    """Write the files of a run, and print its table and where they are."""
    from autograder.reports.table import results_table
    from autograder.results.writing import write_run

    records = run.tally.records
    written = write_run(out, result, records)
    report = write_report(out, result)
    graded = {record.result.student for record in records}
    console.print(
        results_table(result.model_copy(update={"submissions": [s for s in result.submissions if s.student in graded]}))
    )
    if known := sum(record.is_known for record in records):
        say(f"{known} of {len(records)} were graded before (--again grades anew)")
    if run.elsewhere:
        say(f"{len(run.elsewhere)} more submissions are in other shares; `autograder merge` puts the folders together")
    if others := len(result.submissions) - len(graded):
        why = "not all could be graded, so nobody is removed" if only_these else "--only-these removes them"
        say(f"{others} more in {out} stay as they are ({why})")
    say(f"results   {written}\nreport    {report}")


def _show_dry_run(run: "Run", result: "RunResult") -> None:
    """Print what differs from the results that are there, or if there are none the table."""
    from autograder.reports.table import results_table

    if run.earlier.run is None:
        console.print(results_table(result))
    _show_changes(run, result)
    say("dry run: nothing was written")


def _remove_pages(out: Path, students: list[str]) -> None:
    """Remove the pages of students, and the list of those whose answers are alike, which names them with their code."""
    from autograder.exports.student_pages import remove_pages
    from autograder.reports import similarity
    from autograder.results import files

    remove_pages(out, students)
    files.remove(out / similarity.NAME)


def _require_rules(run: "Run") -> None:
    from autograder import cells
    from autograder.points.rules import read_rules

    grading = run.grading
    graded = [cell for cell in grading.source.cells if cells.is_tests(cell) or cells.is_written(cell)]
    read_rules(grading.assignment).require_exercises([*map(cells.exercise_name, graded)])


def _show_changes(run: "Run", result: "RunResult") -> None:
    """Print what was judged anew and what differs from the results that were there before, if there were any."""
    if run.earlier.run:
        say_changes(run.earlier.run, result, run.regraded.lines())


def say_changes(before: "RunResult", result: "RunResult", regraded: Iterable[str] = ()) -> None:
    """Print what differs from one run to the next."""
    from autograder.results.comparing import compare

    say("since the last run:")
    for line in (*regraded, *compare(before, result).lines(together=True)):
        say(f"  {line}")


def write_report(out: Path, result: "RunResult") -> Path:
    """Write the report with what people adjusted, and return the path of report.html."""
    from autograder import course
    from autograder.points.adjusting import adjusted
    from autograder.reports import report

    shown, notes = adjusted(result)
    for note in notes:
        say(note)
    with progress("writing the report") as show:
        return report.write_report(out, shown, course.read_source(result.assignment), on_step=show)


def _prepare_report(wait: Callable[[], None]) -> None:
    """Import and compile what shows the results while the crew is at work, so that nobody waits for it afterwards.

    Not while the crew starts, which has no core to spare: `wait` returns when it has.
    """
    wait()
    with contextlib.suppress(Exception):  # what is wrong is said when it is needed
        from autograder.reports import html, report, table  # noqa: F401

        html.prepare()


def _named(students: list[str]) -> str:
    from autograder.results.text import listed, name_line

    return listed([name_line(student, 80) for student in students], MOST_NAMED)


def say(line: str) -> None:
    """Print a line as it is."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def _ended_by_signals(tally: "Tally", *, is_dry: bool) -> Iterator[None]:
    """Ctrl-C and SIGTERM end a run with one line on what is kept, and the exit code that belongs to them."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise _Ended(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Ended as ended:
        kept = f"{len(tally.records)} results are kept, and the same command goes on from there"
        kept = "nothing was written" if is_dry else kept
        errors.print(f"ended by {signal.Signals(ended.number).name}: {kept}", highlight=False, soft_wrap=True)
        raise typer.Exit(128 + ended.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Ended(BaseException):
    """A signal has asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
