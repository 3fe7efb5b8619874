"""`autograder statistics` and `similar`: what a class tells about the exam, and who may have worked together."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from autograder.commands.options import CORES, Jobs, Results, SandboxLimits, Unconfined
from autograder.commands.terminal import console, progress
from autograder.errors import InputError, UsageError

if TYPE_CHECKING:
    from autograder.reports.answers import Answers
    from autograder.results.model import RunResult

MOST_SHOWN = 20


def statistics(
    results: Results,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write them as CSV, a row an exercise.")] = None,
    numbers: Annotated[
        bool,
        typer.Option(
            "--numbers", help="Judge unknown wrong answers once more, and group them by the numbers they give."
        ),
    ] = False,
    jobs: Jobs = CORES,
    limit: SandboxLimits = None,
    unsafe_no_sandbox: Unconfined = False,
) -> None:
    """Say what a class tells about the exam: difficulty, discrimination, suspicious checks, unknown wrong answers.

    The page RESULTS/report/exam.html has more, with code side by side. For instructors: it shows code of students.
    """
    from autograder import cells, course
    from autograder.points.adjusting import adjusted
    from autograder.reports.report import write_report
    from autograder.reports.statistics import exercise_statistics, statistics_csv
    from autograder.results import files
    from autograder.results.reading import read_results
    from autograder.results.text import exercise_label

    if not numbers and (limit or unsafe_no_sandbox):
        raise UsageError("--limit and --unsafe-no-sandbox belong to --numbers: nothing is judged without it")
    found = read_results(results)
    run, notes = adjusted(found.run)
    source = course.read_source(course.require_assignment(run.assignment))
    for note in notes:
        _say(note)
    asked = _numbers(found.folder, run, jobs, limit, sandbox=not unsafe_no_sandbox) if numbers else None
    with progress("reading the answers") as show:
        report = write_report(found.folder, run, source, numbers=asked, on_step=show)
    items = exercise_statistics(run, cells.written_ids(source, run.assignment))
    table = Table("exercise", "right", "points", "discriminates", "95 %", "students", "", box=None, pad_edge=False)
    for item in items:
        told = item.discrimination
        table.add_row(
            exercise_label(item.id, run.assignment),
            f"{item.right} of {item.judged}",
            f"{item.difficulty:.0%}",
            "–" if told.why else f"{told.value:+.2f}",
            f"{told.low:+.2f} to {told.high:+.2f}" if told.low == told.low else "",
            str(told.count),
            " ".join(filter(None, (told.why, *item.suspicions))),
        )
    console.print(table)
    if csv:
        _say(f"csv       {files.write(csv, statistics_csv(items))}")
    _say(f"page      {report.parent / 'report' / 'exam.html'}")


def similar(
    results: Results,
    others: Annotated[
        list[Path] | None, typer.Argument(metavar="[OTHER]...", help="Results of other years, to compare with as well.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="How many pairs to list.")] = 50,
) -> None:
    """List the pairs of students whose answers are most alike, with both texts side by side, for a person to look at.

    It is no verdict: in every class some pairs are at the top. The list is RESULTS/similar.html.
    """
    from autograder import course
    from autograder.reports.similarity import NAME, Similarity, Whose, similar_page
    from autograder.results import files
    from autograder.results.reading import Executed, plain_notebook_in, read_results
    from autograder.results.text import name_line

    found = [read_results(path) for path in (results, *(others or []))]
    run = found[0].run
    for path, other in zip(others or [], found[1:], strict=True):
        if other.run.assignment != run.assignment:
            raise InputError(
                f"{path}: holds the results of {other.run.assignment}, and not of {run.assignment}; leave it out"
            )
    source = course.read_source(course.require_assignment(run.assignment))
    notebooks = [Executed(item.folder, item.run) for item in found]
    similarity = Similarity(source)
    everybody = [Whose(place, item.student) for place, one in enumerate(found) for item in one.run.submissions]

    def answers(whose: Whose) -> "Answers | None":
        plain = plain_notebook_in(notebooks[whose.run].file(whose.student))
        return similarity.answers(plain) if plain else None

    def named(whose: Whose) -> str:
        name = name_line(whose.student, 80)
        return f"{name} ({others[whose.run - 1]})" if others and whose.run else name

    count = 0
    with progress("reading the answers") as show:
        for done, whose in enumerate(everybody, 1):
            if own := answers(whose):
                similarity.note(whose, own)
                count += 1
            show(done, len(everybody))
    pairs = []
    for pair in similarity.pairs(most):
        one, other_answers = answers(pair.one), answers(pair.other)
        if one and other_answers:
            pairs.append(similarity.compared(pair, one, other_answers))
    table = Table("bits", "students", "exercises", box=None, pad_edge=False)
    for pair in pairs[:MOST_SHOWN]:
        table.add_row(f"{pair.bits:.0f}", Text(f"{named(pair.one)} and {named(pair.other)}"), str(pair.exercises))
    console.print(table)
    page = files.write(found[0].folder / NAME, similar_page(run, source, pairs, count, named))
    _say(f"{count} students compared; this is no verdict: both texts stand in\npage      {page}")


def _numbers(
    folder: Path, run: "RunResult", jobs: int, limit: list[str] | None, *, sandbox: bool
) -> dict[tuple[str, str], str]:
    from autograder import course
    from autograder.authoring.declared import broad_mistakes
    from autograder.grading.explain import grading_of
    from autograder.grading.key import course_key
    from autograder.grading.numbers import numbers_in_class
    from autograder.grading.workers import Crew
    from autograder.reports.unknown import is_unknown
    from autograder.sandbox.limits import Limits

    broad = broad_mistakes(run.assignment, course.ROOT)
    wanted = {
        item.student: names
        for item in run.submissions
        if (names := [result.id.partition(".")[2] for result in item.exercises if is_unknown(result, broad)])
    }
    if not wanted:
        return {}
    grading = grading_of(run, course_key(), Limits.parse(limit or []))
    with Crew(run.assignment, jobs=jobs, sandbox=sandbox) as crew, progress("judging again") as show:
        found, lines = numbers_in_class(grading, folder, wanted, crew, show)
    for line in lines:
        _say(f"note: {line}")
    return found


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
