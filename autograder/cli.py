"""The instructors' command line. Exit codes: 0 done, 1 the input is wrong, 2 usage, 3 sandbox or worker failed."""

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from autograder.errors import InputError, SandboxError

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.grading.result import SubmissionResult

# Commands import what they need themselves, since torch takes seconds and `--help` should not.

app = typer.Typer(
    help="Build, prove and grade the course's notebooks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Assignments; all where none is named.")]
Jobs = Annotated[int, typer.Option(min=1, help="Processes side by side.")]
CORES = os.cpu_count() or 1


class BudgetChoice(str, Enum):
    """How much work the ordinary cells of a notebook may do."""

    smoke = "smoke"
    cpu = "cpu"
    gpu = "gpu"


@app.command()
def build(
    names: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if what is there is out of date.")
    ] = False,
) -> None:
    """Make source/ and release/ from the texts in notebooks/, after a scan for leaks."""
    from autograder.build.build import build as build_all

    for built in build_all(names or None, check=check):
        state = "built" if built.changed else "up to date"
        console.print(f"{built.name}: {built.exercises} exercises, {built.points:g} points, {state}", highlight=False)


@app.command()
def prove(
    names: Names = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds for the solution and the blank release.")] = 50,
    jobs: Jobs = CORES,
) -> None:
    """Show that the checks are right: solution, blank release, known mistakes and equivalents on many seeds."""
    from autograder import course
    from autograder.build.proof import prove as prove_one

    failed = False
    for name in [course.require_assignment(name) for name in names or course.assignment_names()]:
        source, release = course.read_source(name), course.read_release(name)
        with _progress(f"proving {name}") as show:
            proof = prove_one(name, source, release, seeds=seeds, jobs=jobs, on_trial=show)
        failed = failed or bool(proof.problems)
        for problem in proof.problems:
            errors.print(problem, markup=False, highlight=False, soft_wrap=True)
        console.print(
            f"{name}: {proof.exercises} exercises, {proof.mistakes} mistakes, {proof.equivalents} equivalents, "
            f"{proof.seeds} seeds: " + (f"{len(proof.problems)} failed" if proof.problems else "all as they must be"),
            highlight=False,
        )
    if failed:
        raise typer.Exit(1)


@app.command()
def grade(
    assignment: Annotated[str, typer.Argument(help="For example vae.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Notebooks, folders STUDENT/ASSIGNMENT/*.ipynb, or a zip.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for results.json, report.html and the executed notebooks.")] = Path(
        "graded"
    ),
    jobs: Jobs = CORES,
    budget: Annotated[BudgetChoice, typer.Option(help="Budget of the ordinary cells.")] = BudgetChoice.smoke,
    unsafe_no_sandbox: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run submissions unconfined: only notebooks you trust.")
    ] = False,
) -> None:
    """Grade submissions: restore, execute in the sandbox, judge; then a table, results.json and a report."""
    from autograder import course
    from autograder.grading.result import RunResult
    from autograder.grading.run import course_key, grade_all, prepare_output, run_digest, write_report, write_run
    from autograder.grading.submissions import find_submissions
    from autograder.reports.html import html_report
    from autograder.reports.table import results_table

    course.require_assignment(assignment)
    source = course.read_source(assignment)
    prepare_output(out)
    submissions, problems = find_submissions(assignment, paths)
    notebooks = {}
    with _progress(f"grading {assignment}") as show:
        done = itertools.count(1)

        def take(result: "SubmissionResult", notebook: "NotebookNode") -> None:
            notebooks[result.student] = notebook
            show(next(done), len(submissions))

        def note(problem: str) -> None:
            problems.append(problem)
            show(next(done), len(submissions))

        show(0, len(submissions))
        results = grade_all(
            assignment,
            submissions,
            key=course_key(),
            budget=budget.value,
            jobs=jobs,
            sandbox=not unsafe_no_sandbox,
            on_result=take,
            on_problem=note,
        )
    if results:
        run = RunResult(
            assignment=assignment,
            digest=run_digest(assignment),
            budget=budget.value,
            sandbox=not unsafe_no_sandbox,
            submissions=results,
        )
        written = write_run(out, run, notebooks)
        report = write_report(out, html_report(run, notebooks, source))
        console.print(results_table(run))
        console.print(f"results   {written}\nreport    {report}", highlight=False, soft_wrap=True)
    if problems:
        raise InputError("\n".join(problems))


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr; what it yields is told how many of how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def main() -> None:
    """Run a command; end with one clear line a problem and the exit code that belongs to it."""
    try:
        app()
    except (InputError, SandboxError) as error:
        for line in str(error).splitlines():
            errors.print(f"error: {line}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1 if isinstance(error, InputError) else 3)
