"""Submissions per second: this project, plain nbgrader and otter-grader on the same copies of a solved VAE notebook.

`make benchmark`, or `python benchmarks/throughput.py --submissions 40 --rounds 2 --peers nbgrader,otter`. In each
round each grader has one turn; what is timed is its whole command, from start to end. See benchmarks/README.md.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import copies
import graders
import memory
import typer
from measuring import BenchmarkError, program
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

OURS = "fixmelab"
MEMORY_SUBMISSIONS = 8

console = Console(width=None if sys.stdout.isatty() else 100)


def main(
    submissions: Annotated[int, typer.Option(min=1, help="Copies that each grader grades in each round.")] = 40,
    rounds: Annotated[int, typer.Option(min=1, help="How often each grader has its turn.")] = 2,
    peers: Annotated[str, typer.Option(help="Graders to compare with, separated by commas.")] = "nbgrader,otter",
) -> None:
    """Compare throughput; then look at the memory of one more run of ours."""
    names = [OURS, *(name for name in peers.split(",") if name)]
    if unknown := set(names[1:]) - set(graders.PEERS):
        raise BenchmarkError(f"there is no peer {', '.join(sorted(unknown))}; there are: {', '.join(graders.PEERS)}")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as root,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        task = bar.add_task("", total=len(names) * rounds + 1)
        for number in range(rounds):
            # Who begins changes, so that nobody always follows the same neighbour.
            for name in names[number % len(names) :] + names[: number % len(names)]:
                bar.update(task, description=f"round {number + 1} of {rounds}: {name}")
                seconds[name].append(timed(name, Path(root) / f"{name}-{number}", submissions, f"round {number + 1}"))
                bar.advance(task)
        bar.update(task, description=f"memory of {OURS}")
        found = measured(Path(root) / "memory", min(submissions, MEMORY_SUBMISSIONS))
        bar.advance(task)
    console.print(table(seconds, submissions))
    for line in memory_lines(found):
        console.print(line, highlight=False)


def timed(name: str, folder: Path, count: int, label: str) -> float:
    """Seconds that a grader takes for `count` copies made for this turn alone."""
    grader, command = prepare(name, folder, count, label)
    begun = time.perf_counter()
    code = graders.start(command, folder).wait()
    took = time.perf_counter() - begun
    graders.require_full_marks(name, grader, folder, code, count)
    return took


def measured(folder: Path, count: int) -> memory.Peaks:
    """Peak memory in a run that is not timed, since looking takes time."""
    grader, command = prepare(OURS, folder, count, "memory")
    process = graders.start(command, folder)
    found = memory.peaks(process)
    graders.require_full_marks(OURS, grader, folder, process.returncode, count)
    return found


def prepare(name: str, folder: Path, count: int, label: str) -> tuple[graders.Grader, list[str]]:
    """A grader with copies to grade, and the command that grades them."""
    folder.mkdir()
    grader = graders.Fixmelab() if name == OURS else graders.PEERS[name]()
    grader.set_up(folder, copies.source())
    submissions = copies.submissions(count, label)
    for student, notebook in submissions.items():
        grader.hand_in(folder, student, notebook)
    return grader, grader.command(folder, list(submissions))


def table(seconds: dict[str, list[float]], count: int) -> Table:
    """Medians over the rounds, with the smallest and the largest in brackets; ratios are those within a round."""
    made = Table(title=f"{count} submissions, {len(seconds[OURS])} rounds: median (smallest – largest)")
    for heading in ("grader", "seconds", "submissions per second", f"{OURS} faster by"):
        made.add_column(heading, justify="left" if heading == "grader" else "right")
    for name, taken in seconds.items():
        ratios = [theirs / ours for theirs, ours in zip(taken, seconds[OURS], strict=True)]
        rates = [count / one for one in taken]
        made.add_row(name, spread(taken, 1), spread(rates, 3), "" if name == OURS else f"{spread(ratios, 1)}")
    return made


def spread(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} – {max(values):.{digits}f})"


def memory_lines(found: memory.Peaks) -> list[str]:
    return [
        f"peak memory: zygote {found.zygote:.0f} MB, a kernel {found.kernel:.0f} MB above it",
        f"             nursery {found.nursery:.0f} MB, a worker {found.worker:.0f} MB above it",
    ]


if __name__ == "__main__":
    program(main)
