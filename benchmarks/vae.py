"""The training of the VAE notebook beside the example of PyTorch: seconds an epoch and the loss they lead to.

`python benchmarks/vae.py --examples FOLDER`, a checkout of pytorch/examples. In each round each way to train has one
turn, in a process of its own. See benchmarks/README.md.
"""

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

import measuring
import typer
from measuring import BenchmarkError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

ROWS = {
    "notebook": "the notebook",
    "same network": "the example's network in our loop",
    "example": "pytorch/examples",
}
WITHOUT_EXAMPLE = ("notebook",)

answer = partial(measuring.answer, "autoencoders.py")
console = Console(width=None if sys.stdout.isatty() else 120)


def main(
    examples: Annotated[Path | None, typer.Option(help="A checkout of pytorch/examples.")] = None,
    pictures: Annotated[Path | None, typer.Option(help="An .npz to make them of; else FashionMNIST.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each training.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="How often each has its turn, with another seed.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 2,
) -> None:
    """Train each way on the same 60,000 pictures in turns, and compare on the same held-out ones."""
    if examples is not None and not (examples.expanduser() / "vae" / "main.py").is_file():
        raise BenchmarkError(f"--examples: there is no {examples / 'vae' / 'main.py'}")
    names = list(WITHOUT_EXAMPLE if examples is None else ROWS)
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        task, path = bar.add_task("making pictures", total=1 + rounds * len(names)), str(Path(folder) / "pictures.pt")
        source = None if pictures is None else str(pictures.expanduser().absolute())
        answer(what="pictures", path=path, source=source, threads=threads)
        bar.advance(task)
        for number in range(rounds):
            # Who begins changes, so that nobody always follows the same neighbour.
            for name in names[number % len(names) :] + names[: number % len(names)]:
                bar.update(task, description=f"round {number + 1} of {rounds}: {name}")
                settings = {} if name in WITHOUT_EXAMPLE else {"examples": str(examples)}
                found = answer(what=name, path=path, epochs=epochs, seed=number, threads=threads, **settings)
                turns[name].append(found)
                bar.advance(task)
    if examples is None:
        console.print("pytorch/examples is left out: --examples must name a checkout")
    console.print(comparison(turns, epochs))


def comparison(turns: dict[str, list[dict[str, float]]], epochs: int) -> Table:
    """One row a way to train: medians of seconds, means of losses; ratios are taken within a round."""
    first = turns["notebook"]
    made = Table(title=f"{epochs} epochs, rounds: {len(first)}", title_justify="left")
    made.add_column("")
    for title in ("parameters", "s an epoch", "times as fast", "held-out loss"):
        made.add_column(title, justify="right")
    for name, taken in turns.items():
        pairs = zip(turns.get("example", ()), taken, strict=False)
        ratios = [theirs["seconds"] / ours["seconds"] for theirs, ours in pairs]
        made.add_row(
            ROWS[name],
            f"{taken[0]['parameters']:,}",
            f"{statistics.median(one['seconds'] for one in taken):.2f}",
            f"{statistics.median(ratios):.2f}" if ratios else "–",
            f"{statistics.mean(one['loss'] for one in taken):.2f}",
        )
    return made


if __name__ == "__main__":
    measuring.program(main)
