"""The instructors' command line. Exit codes: 0 done, 1 the input is wrong, 2 usage, 3 sandbox or worker failed."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.errors import InputError, SandboxError, UsageError

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.attacks.prove import Outcome
    from autograder.results.model import Record, RunResult

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
    from autograder.authoring.build import build as build_all

    for built in build_all(names or None, check=check):
        state = "built" if built.changed else "up to date"
        console.print(f"{built.name}: {built.exercises} exercises, {built.points:g} points, {state}", highlight=False)


@app.command()
def prove(
    names: Names = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds for the solution and the blank release.")] = 50,
    jobs: Jobs = CORES,
    attacks: Annotated[
        bool, typer.Option("--attacks", help="Try the corpus of attacks instead, in the sandbox: a line each.")
    ] = False,
) -> None:
    """Show that the checks are right: solution, blank release, known mistakes and equivalents on many seeds.

    With --attacks, show that the grader cannot be cheated or harmed by the notebooks and archives in tests/attacks.
    """
    from autograder import course

    if attacks:
        _prove_attacks(jobs)
        return
    from autograder.authoring.proof import prove as prove_one

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


def _prove_attacks(jobs: int) -> None:
    from autograder.attacks.prove import prove_attacks

    outcomes = []

    def show(outcome: "Outcome") -> None:
        outcomes.append(outcome)
        held = outcome.verdict == "held"
        line = f"{outcome.name}: {outcome.tries}: " + ("held" if held else f"BROKEN: {outcome.reason}")
        (console if held else errors).print(line, markup=False, highlight=False, soft_wrap=True)

    prove_attacks(jobs=jobs, on_attack=show)
    broken = sum(outcome.verdict != "held" for outcome in outcomes)
    console.print(
        f"{len(outcomes)} attacks: " + (f"{broken} broke through" if broken else "none broke through"), highlight=False
    )
    if broken:
        raise typer.Exit(1)


@app.command()
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
    limit: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A limit of the sandbox, such as memory=4G.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Grade anew what has been graded before.")] = False,
    unsafe_no_sandbox: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run submissions unconfined: only notebooks you trust.")
    ] = False,
) -> None:
    """Grade submissions: restore, execute in the sandbox, judge; then a table, results.json and a report.

    Each result is kept as it comes: a run that was ended goes on with the same command, and nothing is graded twice.
    """
    from autograder import course
    from autograder.grading.workers import Crew
    from autograder.sandbox.limits import Limits

    if not out.strip():
        raise UsageError("--out is empty: name a folder for the results")
    limits = Limits.parse(limit or [])
    course.require_assignment(assignment)
    records: list[Record] = []
    faults: list[str] = []
    # The crew before anything slow, so that its imports go on meanwhile.
    with _ended_by_signals(records), Crew(assignment, jobs=jobs, sandbox=not unsafe_no_sandbox) as crew:
        from autograder.grading.key import course_key
        from autograder.grading.run import grade_all
        from autograder.grading.store import Store
        from autograder.grading.submissions import find_submissions

        source, key = course.read_source(assignment), course_key()
        with Store(Path(out)) as store:
            submissions, problems = find_submissions(assignment, paths)
            unread = len(problems)
            with _progress(f"grading {assignment}") as show:
                show(0, len(submissions))

                def shown(take: Callable[[Any], None]) -> Callable[[Any], None]:
                    def take_and_show(item: Any) -> None:
                        take(item)
                        show(len(records) + len(problems) - unread + len(faults), len(submissions))

                    return take_and_show

                run = grade_all(
                    assignment,
                    submissions,
                    key=key,
                    budget=budget.value,
                    jobs=jobs,
                    sandbox=not unsafe_no_sandbox,
                    limits=limits,
                    crew=crew,
                    store=store,
                    again=again,
                    on_result=shown(records.append),
                    on_problem=shown(problems.append),
                    on_fault=shown(faults.append),
                )
            if records:
                _show_run(Path(out), run, records, source)
                store.prune(run.digest, submissions)
            elif (Path(out) / "results.json").exists():
                problems.append(f"{out}: nothing was graded now; results.json there is of an earlier run")
    if faults:
        raise SandboxError("\n".join([*problems, *faults]))
    if problems:
        raise InputError("\n".join(problems))


def _show_run(out: Path, run: "RunResult", records: "list[Record]", source: "NotebookNode") -> None:
    """Write the files of a run, and print its table and where they are."""
    from nbformat import from_dict

    from autograder.reports.html import html_report
    from autograder.reports.table import results_table
    from autograder.results.writing import write_report, write_run

    written = write_run(out, run, records)
    notebooks = {record.result.student: from_dict(json.loads(record.executed)) for record in records}
    report = write_report(out, html_report(run, notebooks, source))
    console.print(results_table(run))
    known = sum(record.is_known for record in records)
    if known:
        console.print(f"{known} of {len(records)} were graded before (--again grades anew)", highlight=False)
    console.print(f"results   {written}\nreport    {report}", highlight=False, soft_wrap=True)


@contextlib.contextmanager
def _ended_by_signals(records: "list[Record]") -> Iterator[None]:
    """Ctrl-C and SIGTERM end a run with one line on what is kept, and the exit code that belongs to them."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise _Ended(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Ended as ended:
        kept = f"{len(records)} results are kept, and the same command goes on from there"
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


class ExportForm(str, Enum):
    """What `autograder export` makes of results."""

    junit = "junit"
    csv = "csv"
    canvas = "canvas"
    markdown = "markdown"
    html = "html"


@app.command()
def export(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A results.json, or the folder that holds one.")],
    to: Annotated[ExportForm, typer.Option("--to", help="JUnit XML, CSV, Canvas, a job summary, a page a student.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to; else it is printed. For html a folder, else RESULTS/feedback."),
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="canvas: the CSV file that Canvas exported, to fill in.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(metavar="TITLE", help="canvas: the assignment's column, by title, ID or both.")
    ] = None,
    marks: Annotated[
        bool, typer.Option("--marks", help="canvas: total points, those by people too, from the gradebook.")
    ] = False,
    db: Annotated[str | None, typer.Option(metavar="URL", help="--marks: the gradebook, as for record.")] = None,
    course_folder: Annotated[
        Path | None, typer.Option("--course", metavar="DIR", help="--marks: nbgrader's course folder, as for record.")
    ] = None,
) -> None:
    """Bring results into the form that CI, a spreadsheet, Canvas or a student reads; no hidden thing is in it."""
    from autograder.exports.export import export as export_results

    if to is not ExportForm.canvas and (roster or column or marks):
        raise UsageError("--roster, --column and --marks belong to --to canvas")
    if not marks and (db or course_folder):
        raise UsageError("--db and --course belong to --marks")
    done = export_results(
        results, to.value, out=out, roster=roster, column=column, marks=marks, db=db, root=course_folder
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


@app.command()
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

    recorded = record_results(results, db=db, dry_run=dry_run, strict=strict, root=course_folder)
    for line in report_lines(recorded):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


class VisibilityChoice(str, Enum):
    """When students on Gradescope see the verdicts on their exercises."""

    visible = "visible"
    after_due_date = "after_due_date"
    after_published = "after_published"


@app.command()
def gradescope(
    assignment: Annotated[str, typer.Argument(help="For example vae.")],
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="The archive to write.")],
    visibility: Annotated[
        VisibilityChoice, typer.Option(help="When students see the verdict and message of each exercise.")
    ] = VisibilityChoice.visible,
    minutes: Annotated[int, typer.Option(min=3, max=40, help="The time limit that is set on Gradescope.")] = 10,
    limit: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A limit of the sandbox, such as memory=4G.")
    ] = None,
    torch_index: Annotated[
        str, typer.Option(metavar="URL", help="An index of CPU-only torch wheels, for a smaller image.")
    ] = "",
) -> None:
    """Make the autograder archive that is uploaded to Gradescope. It holds the solutions and the course's key."""
    from autograder.gradescope.archive import write_archive

    count = write_archive(
        out,
        assignment,
        visibility=visibility.value,
        minutes=minutes,
        limits=limit,
        torch_index=torch_index,
    )
    size = f"{out.stat().st_size / 2**20:.1f} MB"
    console.print(
        f"{out}: {count} files, {size}. It holds the course's key: upload it to Gradescope, and show it to nobody.",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


@app.command()
def policy(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A results.json, or the folder that holds one.")],
    fail: Annotated[
        str,
        typer.Option(metavar="never|any|under=N", help="any: an exercise is not right. under: points, or under=60%."),
    ],
) -> None:
    """Say by the exit code whether CI is to pass: 1 where the policy does not let a submission pass."""
    from autograder.reports.policy import Policy
    from autograder.results.reading import read_results

    chosen = Policy.parse(fail)
    run = read_results(results).run
    violations = chosen.violations(run)
    for line in violations:
        errors.print(line, markup=False, highlight=False, soft_wrap=True)
    if violations:
        raise typer.Exit(1)
    console.print(f"{fail} lets all pass: {len(run.submissions)}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the tree goes: a folder or Git repository.")],
    repo: Annotated[str, typer.Option(metavar="OWNER/NAME", help="The repository on GitHub that students get.")],
    branch: Annotated[str, typer.Option(help="Its branch.")] = "main",
    assignment: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this assignment; may be given again. Else all.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would change.")] = False,
) -> None:
    """Write the tree that students get: notebooks, package, README, grading workflow; nothing secret is in it.

    What it did not write, or was changed by hand, is never overwritten; the whole tree and all that its Git history can
    still show are looked through for secrets first.
    """
    from autograder.publish.destination import Destination
    from autograder.publish.publish import publish as publish_tree

    destination = Destination.parse(repo, branch)
    with console.status("looking for secrets"):
        done = publish_tree(folder, destination, assignment, dry_run=dry_run)
    plan = done.plan
    for sign, paths in (("+", plan.added), ("~", plan.changed), ("-", plan.removed)):
        for path in paths:
            console.print(f"{sign} {path}", markup=False, highlight=False, soft_wrap=True)
    counts = f"{len(plan.added)} new, {len(plan.changed)} changed, {len(plan.removed)} removed"
    looked = f"{done.files} files" + (f" and {done.objects} objects of the history" if done.objects else "")
    console.print(
        f"{folder}: {'would be ' if dry_run else ''}{counts}, {len(plan.same)} the same; no secret in {looked}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def doctor() -> None:
    """Try every layer of the sandbox in a real kernel: what is on, what is not, and what follows."""
    from autograder.sandbox.doctor import examine

    with console.status("looking at the sandbox, in real kernels"):
        layers = examine()
    table = Table("layer", "", "what was seen", "what follows", box=None, pad_edge=False)
    for layer in layers:
        style = {"on": "green"}.get(layer.state, "red" if layer.essential else "dim")
        table.add_row(layer.name, f"[{style}]{layer.state}", escape(layer.seen), escape(layer.follows))
    console.print(table)
    lacking = [layer.name for layer in layers if layer.is_lacking]
    if lacking:
        raise SandboxError(f"nothing can be graded here without: {', '.join(lacking)}")
    console.print("Submissions can be graded here.")


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
        sys.exit(2 if isinstance(error, UsageError) else 1 if isinstance(error, InputError) else 3)
