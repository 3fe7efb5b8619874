"""What the learned sampler of the GCN notebook buys on Cora: accuracy beside uniform draws, and which change did what.

`python benchmarks/sampling.py --seeds 10 --draws 1,2,5,10`. See benchmarks/README.md.
"""

import math
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated
from unittest.mock import patch

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from autograder.assignments.gcn import reference
from fixmelab.data import cora, with_random_edges
from fixmelab.graphs import GraphData
from fixmelab.models import sampled_gcn

# The protocol of the authors' code
BATCH, HIDDEN, EPOCHS, PATIENCE = 64, 64, 300, 10
NETWORK_RATE, NETWORK_DECAY = 1e-3, 5e-4

console = Console(width=None if sys.stdout.isatty() else 120)


@dataclass(frozen=True)
class Setting:
    """How the sampler is made and trained. `features`: what it compares nodes by."""

    features: str = "words"
    hidden: int = 64
    is_orthogonal: bool = False  # as the class makes its weights; else Xavier
    scope: int = 32
    baseline: bool = False
    by_draws: bool = False  # the mixture starts with log k for the uniform part
    rate: float = 1e-3
    decay: float = 5e-4


FEATURES = {
    "words": lambda features: features,
    "length 1": lambda features: F.normalize(features, dim=1),
    "condensed": sampled_gcn.condense,
}
PUBLISHED = Setting()
CONDENSED = replace(PUBLISHED, features="condensed", hidden=32, is_orthogonal=True, scope=10)
COURSE = replace(CONDENSED, baseline=True, rate=3e-3, decay=0.0, by_draws=True)
SETTINGS: dict[str, Setting | None] = {
    "uniform": None,
    "as published": PUBLISHED,
    "+ baseline": replace(PUBLISHED, baseline=True),
    "+ length 1": replace(PUBLISHED, baseline=True, features="length 1"),
    "+ condensed": replace(CONDENSED, baseline=True),
    "+ rate": replace(CONDENSED, baseline=True, rate=3e-3, decay=0.0),
    "+ start by draws: the course's": COURSE,
    "the course's without a baseline": replace(COURSE, baseline=False),
}


def main(
    folder: Annotated[Path | None, typer.Option("--cora", help="Planetoid's files; else they are downloaded.")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Runs of each cell: split, weights and draws differ.")] = 10,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    draws: Annotated[str, typer.Option(help="Numbers of draws, separated by commas.")] = "1,2,5,10",
    settings: Annotated[str, typer.Option(help="Rows, separated by semicolons.")] = ";".join(SETTINGS),
    noise: Annotated[float, typer.Option(min=0, max=1, help="Share of the edges to replace by random ones.")] = 0.0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes, one thread each.")] = 2,
) -> None:
    """Test accuracy in percent, mean ± standard error; below it the mean difference from uniform, seed by seed."""
    ks, names = [int(k) for k in draws.split(",")], settings.split(";")
    if unknown := set(names) - set(SETTINGS):
        raise ValueError(f"no row {', '.join(sorted(unknown))}; there are: {'; '.join(SETTINGS)}")
    cora(folder)  # here, so that what is wrong with the files is said once
    found: dict[tuple[str, int, int], float] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        ProcessPoolExecutor(jobs, initializer=start_worker) as pool,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        # Alike in cost one after the other, so that the processes end together.
        wanted = [
            (name, k, seed) for k in sorted(ks, reverse=True) for name in names for seed in range(first, first + seeds)
        ]
        futures = {pool.submit(accuracy_of, folder, name, k, seed, noise): (name, k, seed) for name, k, seed in wanted}
        task = bar.add_task("training", total=len(futures))
        for future in as_completed(futures):
            found[futures[future]] = future.result()
            bar.advance(task)
    made = Table(title=f"Cora, {noise:.0%} of the edges replaced, {seeds} seeds: test accuracy, %")
    made.add_column("")
    for k in ks:
        made.add_column(f"k = {k}", justify="right")
    for name in names:
        made.add_row(name, *cells(found, name, ks, range(first, first + seeds)))
    console.print(made)


def cells(found: dict[tuple[str, int, int], float], name: str, ks: list[int], seeds: range) -> Iterator[str]:
    for k in ks:
        values = [100 * found[name, k, seed] for seed in seeds]
        text = f"{statistics.mean(values):.1f} ± {error(values):.1f}"
        if name != "uniform" and ("uniform", k, seeds[0]) in found:
            more = [value - 100 * found["uniform", k, seed] for value, seed in zip(values, seeds, strict=True)]
            text += f"\n({statistics.mean(more):+.1f} ± {error(more):.1f})"
        yield text


def error(values: list[float]) -> float:
    """The standard error of the mean."""
    return statistics.stdev(values) / len(values) ** 0.5


def accuracy_of(folder: Path | None, name: str, k: int, seed: int, noise: float) -> float:
    """Train once; the accuracy on the test nodes at the best epoch on the validation nodes."""
    data = cora(folder, seed=seed)
    if noise:
        data = with_random_edges(data, noise, seed)
    data = data.with_self_loops()
    torch.manual_seed(seed)
    network = sampled_gcn.SampledGCN(reference.mc_gcn_layer, data.features.shape[1], HIDDEN, len(data.classes))
    optimizer = torch.optim.Adam(network.parameters(), lr=NETWORK_RATE, weight_decay=NETWORK_DECAY)
    setting = SETTINGS[name]
    if setting is None:
        return uniform(data, network, optimizer, k)
    if setting.baseline:
        return learned(data, network, optimizer, k, setting)
    with patch.object(reference, "leave_one_out", torch.zeros_like):
        return learned(data, network, optimizer, k, setting)


def uniform(data: GraphData, network: sampled_gcn.SampledGCN, optimizer: torch.optim.Optimizer, k: int) -> float:
    def draw(nodes: Tensor) -> tuple[Tensor, None]:
        return reference.sample_neighbors(data.graph, nodes, k), None

    def step(hops: sampled_gcn.Hops, labels: Tensor) -> float:
        loss = F.cross_entropy(network(hops.read(data.features), hops), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return sampled_gcn.fit(network, draw, data, step, epochs=EPOCHS, batch_size=BATCH, patience=PATIENCE)[1]


def learned(
    data: GraphData,
    network: sampled_gcn.SampledGCN,
    optimizer: torch.optim.Optimizer,
    k: int,
    setting: Setting,
) -> float:
    compared = FEATURES[setting.features](data.features)
    sampler = reference.PerformanceAdaptiveSampler(compared.shape[1], setting.hidden)
    if not setting.is_orthogonal:
        torch.nn.init.xavier_normal_(sampler.weight)
    if setting.by_draws:
        torch.nn.init.constant_(sampler.mixture[1:], math.log(k))
    sampler_optimizer = torch.optim.Adam(sampler.parameters(), lr=setting.rate, weight_decay=setting.decay)

    def step(hops: sampled_gcn.Hops, labels: Tensor) -> float:
        x = hops.read(data.features)
        return reference.joint_step(network, x, labels, hops, optimizer, sampler_optimizer)

    draw = sampled_gcn.learned_draw(sampler, data.graph, compared, k, scope=setting.scope)
    return sampled_gcn.fit(network, draw, data, step, epochs=EPOCHS, batch_size=BATCH, patience=PATIENCE)[1]


def start_worker() -> None:
    torch.set_num_threads(1)
    sampled_gcn.tqdm = partial(tqdm, disable=True)  # one bar for all is enough


if __name__ == "__main__":
    try:
        typer.run(main)
    except (ValueError, OSError) as error:
        console.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
