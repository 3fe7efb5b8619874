"""The U-Net of the diffusion notebook beside those of denoising-diffusion-pytorch and diffusers: speed, memory, loss.

`python benchmarks/diffusion.py --steps 400 --rounds 1 --peers lucidrains,diffusers`. In each round each network has one
turn, in a process of its own. See benchmarks/README.md.
"""

import importlib.util
import statistics
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import measuring
import numpy as np
import typer
from measuring import BenchmarkError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

OURS = "fixmelab"
# The module that a peer's network comes from, and the package that holds it.
PEERS = {"lucidrains": ("denoising_diffusion_pytorch", "denoising-diffusion-pytorch"), "diffusers": ("diffusers",) * 2}
PICTURES, HELD_OUT, EVALUATIONS = 4_256, 256, 20

answer = partial(measuring.answer, "networks.py")
console = Console(width=None if sys.stdout.isatty() else 120)


def main(
    steps: Annotated[int, typer.Option(min=1, help="Training steps of each network in each round.")] = 400,
    rounds: Annotated[int, typer.Option(min=1, help="How often each network has its turn, with another seed.")] = 1,
    peers: Annotated[str, typer.Option(help="Networks to compare with, separated by commas.")] = ",".join(PEERS),
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 2,
) -> None:
    """Train each network on the same cats in turns; then look at where the time of a step goes."""
    names = [OURS, *(name for name in peers.split(",") if name)]
    require(names[1:])
    turns: dict[str, list[dict]] = {name: [] for name in names}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        task = bar.add_task("", total=len(names) * (rounds + 1) + 2)

        def ask(description: str, **request: Any) -> dict[str, Any]:
            bar.update(task, description=description)
            found = answer(threads=threads, **request)
            bar.advance(task)
            return found

        path = str(Path(folder) / "cats.pt")
        ask("drawing cats", what="pictures", path=path, count=PICTURES)
        every = max(1, steps // EVALUATIONS)
        for number in range(rounds):
            # Who begins changes, so that nobody always follows the same neighbour.
            for name in names[number % len(names) :] + names[: number % len(names)]:
                settings = {"path": path, "held_out": HELD_OUT, "steps": steps, "every": every, "seed": number}
                label = f"round {number + 1} of {rounds}: {name}"
                turns[name].append(ask(label, what="turn", name=name, **settings))
        processor = ask("speed of the processor", what="processor")
        profiles = {name: ask(f"profile of {name}", what="profile", name=name) for name in names}
    console.print(comparison(turns, steps))
    console.print(breakdown(profiles, processor))


def require(peers: list[str]) -> None:
    """Raise BenchmarkError where a peer is unknown or not installed."""
    if unknown := set(peers) - set(PEERS):
        raise BenchmarkError(f"there is no peer {', '.join(sorted(unknown))}; there are: {', '.join(PEERS)}")
    if missing := [PEERS[name][1] for name in peers if importlib.util.find_spec(PEERS[name][0]) is None]:
        raise BenchmarkError(f"{' and '.join(missing)} missing: install what benchmarks/requirements.txt names")


def comparison(turns: dict[str, list[dict]], steps: int) -> Table:
    """One row a measure; what is printed are medians over the rounds. Ratios are taken within a round."""
    seconds = [one["curve"][-1][0] for one in turns[OURS]]
    made = Table(title=f"{steps} steps, rounds: {len(seconds)}: median (smallest – largest)")
    made.add_column("", justify="left")
    for name in turns:
        made.add_column(name, justify="right")
        if name != OURS:
            made.add_column("× ours", justify="right")
    measures = {
        "parameters": ([[one["parameters"] for one in taken] for taken in turns.values()], 0),
        "ms a training step": ([[one["training"] for one in taken] for taken in turns.values()], 0),
        "ms a sampling step": ([[one["sampling"] for one in taken] for taken in turns.values()], 0),
        "peak memory, MB": ([[one["memory"] for one in taken] for taken in turns.values()], 0),
        f"loss after {steps} steps": ([[one["curve"][-1][1] for one in taken] for taken in turns.values()], 4),
        f"loss after {statistics.median(seconds):.0f} s": (
            [
                [loss_at(one["curve"], budget) for one, budget in zip(taken, seconds, strict=True)]
                for taken in turns.values()
            ],
            4,
        ),
    }
    for title, (values, digits) in measures.items():
        made.add_row(title, *cells(values, digits))
    return made


def cells(values: list[list[float]], digits: int) -> Iterator[str]:
    """Ours, then each peer's and how many times ours it is."""
    ours, *others = values
    yield spread(ours, digits)
    for theirs in others:
        yield spread(theirs, digits)
        yield spread([a / b for a, b in zip(theirs, ours, strict=True)], 2)


def loss_at(curve: list[list[float]], seconds: float) -> float:
    """The held-out loss after so many seconds of training, on the line between two looks."""
    times, losses = zip(*curve, strict=True)
    return float(np.interp(seconds, times, losses))


def spread(values: list[float], digits: int) -> str:
    median = f"{statistics.median(values):,.{digits}f}"
    return median if min(values) == max(values) else f"{median} ({min(values):,.{digits}f} – {max(values):,.{digits}f})"


def breakdown(profiles: dict[str, dict], processor: dict[str, float]) -> Table:
    """Where a training step's milliseconds go, and how much of the processor's speed the whole step uses."""
    made = Table(title="Where the time of a training step goes: ms (share)")
    made.add_column("", justify="left")
    for name in profiles:
        made.add_column(name, justify="right")
    totals = {name: sum(found["parts"].values()) for name, found in profiles.items()}
    kinds = {kind: None for found in profiles.values() for kind in found["parts"] if kind != "rest"}
    for kind in [*kinds, "rest"]:
        parts = {name: found["parts"].get(kind, 0.0) for name, found in profiles.items()}
        made.add_row(kind, *(f"{part:.0f} ({part / totals[name]:.0%})" for name, part in parts.items()))
    made.add_section()
    rates = [found["gflop"] / found["seconds"] for found in profiles.values()]
    made.add_row("GFLOP a step", *(f"{found['gflop']:.1f}" for found in profiles.values()))
    made.add_row("GFLOP/s", *(f"{rate:.0f}" for rate in rates))
    for title, speed in (("a large convolution", "convolution"), ("a large product of matrices", "product")):
        share = (f"{rate / processor[speed]:.0%}" for rate in rates)
        made.add_row(f"of {title} ({processor[speed]:.0f} GFLOP/s)", *share)
    return made


if __name__ == "__main__":
    measuring.program(main)
