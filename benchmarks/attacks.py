"""Attacks on graders: what each trick of tests/attacks that makes sense elsewhere gets from each grader, in one run.

`make benchmark-attacks`, or `python benchmarks/attacks.py --graders fixmelab,nbgrader --only points/`. Each attack is
graded on the beginning of the VAE notebook, beside an honest neighbour who was graded before and one who comes after.
See benchmarks/README.md.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from attacked import GRADERS, Found, Place
from measuring import BenchmarkError, program
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.attacks.corpus import Attack, attacks

# The other kinds are about this project's wire and reports.
KINDS = ("points", "knowledge", "harm")
COMPARED = ("fixmelab", "nbgrader", "otter", "gradescope-utils")
TOTALS = (
    "grader",
    "attacks",
    "ran to their end",
    "earned points",
    "points",
    "read secrets",
    "harmed a neighbour",
    "left something",
    "never ended",
)

console = Console(width=None if sys.stdout.isatty() else 160)


def main(
    only: Annotated[str, typer.Option(help="Kinds or names of attacks, separated by commas.")] = "",
    names: Annotated[str, typer.Option("--graders", help="Graders, separated by commas.")] = ",".join(COMPARED),
    jobs: Annotated[int, typer.Option(min=1, help="How many attacks are tried at the same time.")] = 1,
    results: Annotated[Path | None, typer.Option(help="File for what is found; a run goes on from it.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="File for the tables as Markdown.")] = None,
) -> None:
    """Try the attacks on each grader; print a table of what they got, and another one attack by attack."""
    wanted = names.split(",")
    if unknown := set(wanted) - set(GRADERS):
        raise BenchmarkError(f"there is no grader {', '.join(sorted(unknown))}; there are: {', '.join(GRADERS)}")
    corpus = chosen(only)
    known = {(one.attack, one.grader): one for one in read(results)}
    missing = [(attack, name) for attack in corpus for name in wanted if (attack.name, name) not in known]
    for found in tried(missing, jobs):
        known[found.attack, found.grader] = found
        if results is not None:
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    everything = [known[attack.name, name] for attack in corpus for name in wanted]
    for table in (totals(everything, wanted), details(everything, corpus, wanted)):
        console.print(table)
    if markdown is not None:
        markdown.write_text(as_markdown(everything, corpus, wanted), encoding="utf-8")


def chosen(only: str) -> list[Attack]:
    """The attacks that make sense against any grader, those named alone if any are. Raises BenchmarkError for none."""
    able = [item for item in attacks() if isinstance(item, Attack) and item.name.startswith(KINDS)]
    named = tuple(only.split(",")) if only else ("",)
    wanted = [item for item in able if item.name.startswith(named) and not item.only_here]
    if not wanted:
        raise BenchmarkError(f"no attack that makes sense elsewhere is called {only}")
    return wanted


def read(results: Path | None) -> list[Found]:
    """What an earlier run has found."""
    if results is None or not results.exists():
        return []
    return [Found(**json.loads(line)) for line in results.read_text(encoding="utf-8").splitlines()]


def tried(pairs: Sequence[tuple[Attack, str]], jobs: int) -> Iterable[Found]:
    """What each attack gets from its grader, as it is there."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        # Not in /tmp, which is each run's own.
        tempfile.TemporaryDirectory(prefix="benchmark-", dir="/var/tmp", ignore_cleanup_errors=True) as root,
        Progress(*columns, console=Console(stderr=True)) as bar,
        ThreadPoolExecutor(jobs) as workers,
    ):
        places = {}
        task = bar.add_task("", total=len(pairs))
        for name in dict.fromkeys(name for _, name in pairs):
            bar.update(task, description=f"setting up {name}")
            places[name] = Place(name, Path(root) / name)
        waiting = [workers.submit(places[name].attack, attack) for attack, name in pairs]
        try:
            for done in as_completed(waiting):
                found = done.result()
                bar.console.print(f"{found.grader} {found.attack}: {said(found)}", highlight=False, markup=False)
                bar.update(task, description=found.attack)
                bar.advance(task)
                yield found
        finally:
            workers.shutdown(cancel_futures=True)  # else one that fails would be heard of hours later


def totals(found: Sequence[Found], names: Sequence[str]) -> Table:
    made = Table(title="What attacks got, grader by grader")
    for heading in TOTALS:
        made.add_column(heading, justify="left" if heading == "grader" else "right")
    for row in total_rows(found, names):
        made.add_row(*row)
    return made


def total_rows(found: Sequence[Found], names: Sequence[str]) -> list[list[str]]:
    """The numbers under TOTALS, a row a grader. An attack counts in each column in which it got something."""
    rows = []
    for name in names:
        own = [one for one in found if one.grader == name]
        counted = (
            len(own),
            sum(one.ran is not False for one in own),
            sum(one.points > 0 for one in own),
            sum(one.points for one in own),
            sum(bool(one.secrets) for one in own),
            sum(bool(one.neighbours) for one in own),
            sum(bool(one.left) for one in own),
            sum(bool(one.hung) for one in own),
        )
        rows.append([name, *(f"{number:g}" for number in counted)])
    return rows


def details(found: Sequence[Found], corpus: Sequence[Attack], names: Sequence[str]) -> Table:
    made = Table(title="Attack by attack")
    for heading in ("attack", *names):
        made.add_column(heading, overflow="fold")
    for row in detail_rows(found, corpus, names):
        made.add_row(*row)
    return made


def detail_rows(found: Sequence[Found], corpus: Sequence[Attack], names: Sequence[str]) -> list[list[str]]:
    """For each attack its name, and what it got from each grader."""
    by = {(one.attack, one.grader): said(one) for one in found}
    return [[attack.name, *(by[attack.name, name] for name in names)] for attack in corpus]


def said(found: Found) -> str:
    """What an attack got, in a few words."""
    parts = [f"{found.points:g} points"] if found.points else []
    parts += ["secrets"] if found.secrets else []
    parts += ["neighbour"] if found.neighbours else []
    parts += ["left something"] if found.left else []
    parts += ["never ended"] if found.hung else []
    nothing = "did not run" if found.ran is False else "held"
    return ", ".join(parts) or nothing


def as_markdown(found: Sequence[Found], corpus: Sequence[Attack], names: Sequence[str]) -> str:
    tries = {attack.name: attack.tries for attack in corpus}
    listed = [[f"`{row[0]}`: {tries[row[0]]}", *row[1:]] for row in detail_rows(found, corpus, names)]
    return "\n".join([*_lines(TOTALS, total_rows(found, names)), "", *_lines(("attack", *names), listed), ""])


def _lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *body)]


if __name__ == "__main__":
    program(main)
