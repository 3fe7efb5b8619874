"""From ten submissions to ten thousand: how many a second, how soon the first, how much memory, here and on a cluster.

`python benchmarks/scale.py --most 10000` on a quiet machine: half a day on two cores. See benchmarks/README.md.
"""

import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import dask_cluster
import graders
import nbformat
import psutil
import typer
from measuring import BenchmarkError, program
from paper import Run, on_paper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from watching import Watch

from autograder import cells, course

ASSIGNMENT = "vae"
SAMPLES = course.ROOT / "tests" / "submissions" / ASSIGNMENT
SIZES = (10, 100, 1_000, 10_000)
MARK = "copy number 00000000"

console = Console(width=None if sys.stdout.isatty() else 140)


def main(
    most: Annotated[int, typer.Option(min=1, help="The largest class; 10,000 want a quiet machine.")] = 10_000,
    jobs: Annotated[int, typer.Option(min=1, help="Submissions at once, here and on the cluster.")] = 2,
    samples: Annotated[str, typer.Option(help="Which sample submissions are copied, separated by commas.")] = "",
) -> None:
    """Grade classes of growing size on this machine and through a Dask cluster of two workers."""
    sizes = [size for size in SIZES if size < most] + [most]
    load = psutil.getloadavg()[0]
    runs: list[Run] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-", dir="/var/tmp") as root,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        task = bar.add_task("", total=2 * sum(sizes))
        done = 0

        def show(count: int) -> None:
            bar.update(task, completed=done + count)

        for size in sizes:
            folder = Path(root) / str(size)
            hand_in(folder / "submitted", size, [name for name in samples.split(",") if name])
            bar.update(task, description=f"{size} submissions on this machine")
            runs.append(graded(folder, "one machine", size, jobs, show))
            done += size
            bar.update(task, description=f"{size} submissions on a cluster")
            with dask_cluster.started(folder / "cluster", threads=max(jobs // 2, 1)) as cluster:
                runs.append(graded(folder, "Dask", size, jobs, show, cluster))
            done += size
            require_same(folder)
    console.print(table(runs))
    for line in on_paper([run for run in runs if run.way == "one machine"], load=load):
        console.print(line, highlight=False, soft_wrap=True)


def hand_in(folder: Path, count: int, names: list[str]) -> None:
    """Copies of the sample submissions in turn, which differ in a comment, as a class hands them in."""
    texts = []
    for path in sorted(SAMPLES.glob(f"*/{ASSIGNMENT}/*.ipynb")):
        if names and path.parent.parent.name not in names:
            continue
        notebook = nbformat.read(path, as_version=4)
        next(cell for cell in notebook.cells if cells.is_fixme(cell)).source += f"\n# {MARK}"
        texts.append(nbformat.writes(notebook))
    if not texts:
        raise BenchmarkError(f"{SAMPLES} holds none of {', '.join(names)}")
    for number, text in zip(range(count), itertools.cycle(texts), strict=False):
        place = folder / f"student{number:05}" / ASSIGNMENT
        place.mkdir(parents=True)
        (place / f"{ASSIGNMENT}.ipynb").write_text(text.replace(MARK, f"copy number {number:08}"), encoding="utf-8")


def graded(folder: Path, way: str, count: int, jobs: int, show, cluster: dask_cluster.Started | None = None) -> Run:
    """What one command takes, from its start to its end, in an output folder of its own."""
    out = folder / way.replace(" ", "-")
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, str(folder / "submitted"), "--out", str(out)]
    command += ["--dask", cluster.address] if cluster else ["--jobs", str(jobs)]
    begun = time.perf_counter()
    process = graders.start(command, folder)
    watch = Watch(process, out / ".results", others=cluster.processes if cluster else {})
    watch.until_it_ends(show)
    took = time.perf_counter() - begun
    if process.returncode:
        raise BenchmarkError(f"{way} ended with {process.returncode}: {(folder / 'log.txt').read_text()[-2000:]}")
    return Run(way=way, count=count, jobs=jobs, seconds=took, first=watch.first, cpu=watch.cpu, memory=watch.memory)


def require_same(folder: Path) -> None:
    """Raises BenchmarkError unless both ways gave the same results, byte for byte."""
    one, other = ((folder / way / "results.json").read_bytes() for way in ("one-machine", "Dask"))
    if one != other:
        raise BenchmarkError(f"{folder.name} submissions got other results on the cluster than on one machine")


def table(runs: list[Run]) -> Table:
    """A row a run: memory of each kind of process, the largest of its kind, in the first and in the last third."""
    made = Table(title="memory in MB, the largest process of its kind: first third of the run → last third")
    kinds = list(dict.fromkeys(kind for run in runs for kind in run.memory))
    for heading in ("submissions", "by", "a second", "first after", *kinds):
        made.add_column(heading, justify="left" if heading == "by" else "right")
    for run in runs:
        memory = [f"{begin:.0f} → {end:.0f}" if (begin or end) else "" for begin, end in map(run.grown, kinds)]
        rate = f"{run.count / run.seconds:.3g}"
        made.add_row(f"{run.count:,}", run.way, rate, f"{run.first:.1f} s", *memory)
    return made


if __name__ == "__main__":
    program(main)
