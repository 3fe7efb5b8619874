"""`autograder grade`: submissions in, results, table and report out."""

import contextlib
import json
import signal
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.options import CORES, Jobs, SandboxLimits
from autograder.commands.terminal import console, errors, progress
from autograder.errors import InputError, UsageError

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.grading.run import Tally
    from autograder.results.model import Record, RunResult


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
    only_list: Annotated[
        bool, typer.Option("--list", help="Say which file is whose and of which assignment, and grade nothing.")
    ] = False,
    unsafe_no_sandbox: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run submissions unconfined: only notebooks you trust.")
    ] = False,
) -> None:
    """Grade submissions: restore, execute in the sandbox, judge; then a table, results.json and a report.

    Each result is kept as it comes: a run that was ended goes on with the same command, and nothing is graded twice.
    """
    from autograder.grading.run import Tally, begin_run
    from autograder.sandbox.limits import Limits

    if only_list:
        _list(assignment, paths)
        return
    if not out.strip():
        raise UsageError("--out is empty: name a folder for the results")
    limits = Limits.parse(limit or [])
    tally = Tally()
    with (
        _ended_by_signals(tally),
        begin_run(
            assignment,
            tally=tally,
            out=Path(out),
            jobs=jobs,
            budget=budget.value,
            limits=limits,
            sandbox=not unsafe_no_sandbox,
        ) as run,
    ):
        submissions = run.find(paths)
        with progress(f"grading {assignment}") as show:
            result = run.grade(submissions, again=again, on_step=show)
        if tally.records:
            _show_run(Path(out), result, tally.records, run.grading.source)
        for line in tally.notes:
            console.print(f"note: {line}", highlight=False, soft_wrap=True, markup=False)
        run.finish()


def _list(assignment: str, paths: list[Path]) -> None:
    from autograder.grading.answered import list_submissions

    listed, notes, problems = list_submissions(assignment, paths)
    for item in listed:
        what = f"{item.assignment}, {item.answered} answered" if item.assignment == assignment else item.assignment
        line = f"{item.path} → {item.student} → {what or 'no assignment of this course'}"
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    for line in notes:
        console.print(f"note: {line}", highlight=False, soft_wrap=True, markup=False)
    if problems:
        raise InputError("\n".join(problems))


def _show_run(out: Path, run: "RunResult", records: "list[Record]", source: "NotebookNode") -> None:
    """Write the files of a run, and print its table and where they are."""
    from autograder.reports.html import html_report
    from autograder.reports.table import results_table
    from autograder.results.writing import write_report, write_run

    written = write_run(out, run, records)
    report = write_report(out, html_report(run, _Executed(records), source))
    console.print(results_table(run))
    known = sum(record.is_known for record in records)
    if known:
        console.print(f"{known} of {len(records)} were graded before (--again grades anew)", highlight=False)
    console.print(f"results   {written}\nreport    {report}", highlight=False, soft_wrap=True)


class _Executed(Mapping[str, "NotebookNode"]):
    """The executed notebooks by student, each read when it is asked for: all at once may be larger than memory."""

    def __init__(self, records: "list[Record]") -> None:
        self._texts = {record.result.student: record.executed for record in records}

    def __getitem__(self, student: str) -> "NotebookNode":
        from nbformat import from_dict

        return from_dict(json.loads(self._texts[student]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


@contextlib.contextmanager
def _ended_by_signals(tally: "Tally") -> Iterator[None]:
    """Ctrl-C and SIGTERM end a run with one line on what is kept, and the exit code that belongs to them."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise _Ended(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Ended as ended:
        kept = f"{len(tally.records)} results are kept, and the same command goes on from there"
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
