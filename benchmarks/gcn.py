"""Training on sampled neighbourhoods beside full batches and PyTorch-Geometric: seconds, memory, and what they follow.

`python benchmarks/gcn.py --picture curve.png`. Each measurement has a process of its own. See benchmarks/README.md.
"""

import importlib.util
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import measuring
import typer
from measuring import BenchmarkError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

ROWS = {
    "uniform": "uniform sampling",
    "means first": "uniform sampling, means before W",
    "learned": "learned sampler",
    "full batch": "full batch, one step an epoch",
    "geometric": "PyTorch-Geometric, NeighborLoader",
}
CORA, RANDOM = {"batch": 64, "fan_out": [5, 5]}, {"batch": 1024, "fan_out": [10, 5]}
NODES, SIZES = 100_000, (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
STEP, BATCHES = {"batch": 1024, "fan_out": [5, 5]}, (512, 2048, 4096)

answer = partial(measuring.answer, "samplers.py")
console = Console(width=None if sys.stdout.isatty() else 120)


def main(
    cora: Annotated[Path | None, typer.Option(help="Planetoid's files; else the cache or a download.")] = None,
    largest: Annotated[int, typer.Option(min=100, help="Nodes of the largest random graph.")] = SIZES[-1],
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 2,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs that are timed.")] = 5,
    steps: Annotated[int, typer.Option(min=1, help="Steps that are timed on each size of graph.")] = 40,
    picture: Annotated[Path | None, typer.Option(help="Draw the time of an edge against nodes into this PNG.")] = None,
) -> None:
    """Time the training on Cora and on a random graph, then look at what time and memory follow."""
    if picture is not None and not picture.absolute().parent.is_dir():
        raise BenchmarkError(f"--picture: there is no folder {picture.absolute().parent}")
    nodes, sizes = min(NODES, largest), [size for size in SIZES if size < largest] + [largest]
    names = [name for name in ROWS if name != "geometric" or has_geometric()]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tables, curve, batches = [], {}, {}
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        total = 2 + 2 * len(names) + 2 * len(sizes) + len(BATCHES)
        task, path = bar.add_task("", total=total), f"{folder}/graph.pt"

        def ask(what: str, label: str, **request: Any) -> dict[str, Any]:
            bar.update(task, description=label)
            found = answer(what=what, path=path, threads=threads, **request)
            bar.advance(task)
            return found

        def compare(kind: str, data: dict[str, int], settings: dict[str, Any]) -> Table:
            found = {n: ask("training", f"{kind}: {n}", name=n, epochs=epochs, **settings) for n in names}
            return comparison(kind, data, settings, found)

        data = ask("cora", "reading Cora", folder=None if cora is None else str(cora.expanduser()))
        if "missing" in data:
            console.print(f"Cora is left out: {data['missing']}", markup=False, highlight=False, soft_wrap=True)
            bar.update(task, total=total - len(names))
        else:
            tables.append(compare("cora", data, CORA))
        tables.append(compare("random", ask("random", f"drawing {nodes:,} nodes", nodes=nodes), RANDOM))
        for size in sizes:
            edges = ask("random", f"drawing {size:,} nodes", nodes=size)["edges"]
            found = ask("steps", f"steps on {size:,} nodes", name="uniform", count=steps, **STEP)
            curve[size] = found | {"edges": edges}
            if size == max(each for each in sizes if each <= NODES):
                for batch in BATCHES:
                    settings = STEP | {"batch": batch}
                    label = f"{size:,} nodes, batch {batch}"
                    batches[size, batch] = ask("steps", label, name="uniform", count=steps, **settings)
    if "geometric" not in names:
        console.print("PyTorch-Geometric is left out: torch_geometric, and torch_sparse or pyg_lib, must be installed")
    for table in (*tables, sizes_table(curve), batches_table(batches, curve)):
        console.print(table)
    if picture is not None:
        draw(curve, picture)


def has_geometric() -> bool:
    loader, *samplers = (importlib.util.find_spec(name) for name in ("torch_geometric", "torch_sparse", "pyg_lib"))
    return loader is not None and any(samplers)


def comparison(kind: str, data: dict[str, int], settings: dict[str, Any], found: dict[str, dict[str, float]]) -> Table:
    """One row a way to train. Ratios are to uniform sampling."""
    size = f"{data['nodes']:,} nodes, {data['edges']:,} edges, {data['train']:,} to train"
    upper, lower = settings["fan_out"]
    made = Table(title=f"{kind}: {size}; batch {settings['batch']}, fan-out {upper}, {lower}", title_justify="left")
    made.add_column("")
    for title in ("s an epoch", "× ours", "MB beyond the data", "× ours"):
        made.add_column(title, justify="right")
    ours = found["uniform"]
    for name, one in found.items():
        cells = [f"{one['seconds']:.3f}", times(one["seconds"], ours["seconds"])]
        made.add_row(ROWS[name], *cells, f"{one['memory']:,.0f}", times(one["memory"], ours["memory"]))
    return made


def times(one: float, ours: float) -> str:
    return f"{one / ours:.2f}" if ours else "–"


def sizes_table(curve: dict[int, dict[str, float]]) -> Table:
    """The same batch and fan-out on graphs of many sizes."""
    made = Table(title=f"uniform sampling, batch {STEP['batch']}, fan-out 5, 5: by the size of the graph")
    for title in ("nodes", "edges", "edges drawn a step", "ns an edge drawn", "MB beyond the graph"):
        made.add_column(title, justify="right")
    for size, one in curve.items():
        cells = (f"{one[key]:,.0f}" for key in ("edges", "drawn", "nanoseconds", "memory"))
        made.add_row(f"{size:,}", *cells)
    return made


def batches_table(batches: dict[tuple[int, int], dict[str, float]], curve: dict[int, dict[str, float]]) -> Table:
    """Many batches on the same graph."""
    size = next(iter(batches))[0]
    made = Table(title=f"the same on {size:,} nodes: by the size of the batch")
    for title in ("batch", "edges drawn a step", "ns an edge drawn", "MB beyond the graph"):
        made.add_column(title, justify="right")
    rows = {batch: one for (_, batch), one in batches.items()} | {STEP["batch"]: curve[size]}
    for batch, one in sorted(rows.items()):
        made.add_row(f"{batch:,}", *(f"{one[key]:,.0f}" for key in ("drawn", "nanoseconds", "memory")))
    return made


def draw(curve: dict[int, dict[str, float]], path: Path) -> None:
    """Nanoseconds of an edge against nodes; a flat line says that a step costs the same on any graph."""
    from fixmelab.pictures.plotting import (
        plot_curves,  # here: a parent with much memory shows in the peaks of its children
    )

    values = [one["nanoseconds"] for one in curve.values()]
    title = f"uniform sampling, batch {STEP['batch']}, fan-out 5, 5"
    drawn = plot_curves(list(curve), {"training step": values}, "nodes", "ns an edge drawn", title)
    drawn.axes[0].set(xscale="log", ylim=(0, 1.2 * max(values)))
    drawn.savefig(path, dpi=150)


if __name__ == "__main__":
    measuring.program(main)
