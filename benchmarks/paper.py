"""What measured runs say of a larger one: a sum, and not a measurement."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

CORES = 64
STUDENTS = 100_000
FEW = 1_000  # below, the start and the neighbours on the machine count for too much


@dataclass(frozen=True)
class Run:
    """One run: seconds from the command to its end and to its first result; processor seconds of the command's own
    process, until the last result and after it; megabytes by kind of process, over time."""

    way: str
    count: int
    jobs: int
    seconds: float
    first: float
    cpu: tuple[float, float]
    memory: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def grown(self, kind: str) -> tuple[float, float]:
        """Medians of the first and of the last third, of the looks at which there was such a process."""
        seen = [megabytes for megabytes in self.memory.get(kind, ()) if megabytes]
        third = max(len(seen) // 3, 1)
        return (statistics.median(seen[:third]), statistics.median(seen[-third:])) if seen else (0.0, 0.0)


def on_paper(runs: Sequence[Run], *, load: float) -> Iterator[str]:
    """Lines on what 100,000 submissions take on 64 cores, from runs of growing size on one machine.

    What a submission takes is the difference between the two largest runs over that of their sizes, so that the start
    does not count.
    """
    if len(runs) < 2:
        yield "on paper: nothing follows from one size; give --most 11 or more"
        return
    before, last = runs[-2:]
    more = last.count - before.count
    core = last.jobs * max(last.seconds - before.seconds, 0.0) / more
    keeping, reporting = (max(late - early, 0.0) / more for late, early in zip(last.cpu, before.cpu, strict=True))
    grown = (max(last.memory.get("command", [0.0])) - max(before.memory.get("command", [0.0]))) / more
    grading = STUDENTS * max(core / CORES, keeping)
    yield (
        f"measured: a submission takes {core:.2f} seconds of a core; the command's own process takes "
        f"{1e3 * keeping:.1f} ms until it is kept and {1e3 * reporting:.1f} ms at the end, and grows by "
        f"{1e3 * grown:.0f} kB"
    )
    yield (
        f"on paper: {STUDENTS:,} submissions on {CORES} cores take {grading / 60:.0f} minutes, and the end "
        f"{STUDENTS * reporting / 60:.0f} more; the command's own process has {STUDENTS * grown / 1e3:.1f} GB then"
    )
    cores = f"{core / keeping:.0f}" if keeping else "any number of"
    yield (
        f"what does not scale: one process keeps every result and writes results.json and the report; beyond {cores} "
        "cores, workers would wait for it, and the end takes as long on any number of them (--shard divides both)"
    )
    if last.count < FEW:
        yield (
            f"from a small run: {last.count} submissions, with a load of {load:.1f} on the machine before it began; "
            "trust the figures of no fewer than 1,000 on a quiet machine"
        )
