"""Bounds on one submission, each far from what an honest notebook needs, and each with a verdict of its own."""

import dataclasses
import math
from dataclasses import dataclass

from autograder.errors import UsageError

UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
# What reading, restoring and judging a submission may take beside its kernels; honest ones need some seconds.
BESIDE_SECONDS = 600.0


@dataclass(frozen=True)
class Limits:
    """What the kernels of one submission may use.

    `cell` and `notebook` are processor seconds, for one cell and for all of them, over all processes that they
    start; they decide `timeout` whatever else the machine does. `idle` bounds the seconds for which a cell only
    waits, and `wall` those that it takes in all: the far bound. `memory` is in bytes above what the zygote holds
    (`oom`), `processes` counts processes and threads (`crashed`). `disk` is in bytes, for each of home, /tmp and
    /dev/shm, and `files` is how many may lie in each; `output` is the number of characters that are kept of a cell.
    """

    cell: float = 60.0
    notebook: float = 600.0
    idle: float = 60.0
    wall: float = 1800.0
    memory: int = 2 * 2**30
    processes: int = 128
    disk: int = 512 * 2**20
    files: int = 20_000
    output: int = 2_000_000

    @property
    def submission(self) -> float:
        """Seconds that a submission may take in all; then its worker is ended."""
        return self.wall + BESIDE_SECONDS

    @classmethod
    def parse(cls, settings: list[str]) -> "Limits":
        """Limits from settings such as "cell=120" and "memory=4G"; K, M and G are powers of 1024.

        Raises UsageError for an unknown name or a number that is none.
        """
        usual = dataclasses.asdict(cls())
        values = {}
        for setting in settings:
            name, _, value = setting.partition("=")
            if name not in usual:
                raise UsageError(f"--limit {setting}: there is no limit {name!r}; there are {', '.join(usual)}")
            number, unit = (value[:-1], UNITS[value[-1]]) if value[-1:] in UNITS else (value, 1)
            try:
                amount = float(number) * unit
            except ValueError:
                amount = 0.0
            if not 0 < amount < math.inf:
                raise UsageError(f"--limit {setting}: give a number above 0, such as {name}={_with_unit(usual[name])}")
            values[name] = type(usual[name])(amount)
        return cls(**values)


def _with_unit(amount: float) -> str:
    sizes = ((size, unit) for unit, size in reversed(UNITS.items()) if amount % size == 0)
    size, unit = next(sizes, (1, ""))
    return f"{int(amount // size)}{unit}"
