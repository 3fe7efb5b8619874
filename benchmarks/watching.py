"""Looks at a run while it grades: how much memory its processes have over time, and when results come."""

import contextlib
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import memory
import psutil

INTERVAL = 0.5  # seconds; a look takes some hundredths


class Watch:
    """`first` are seconds to the first result, `cpu` processor seconds of the command's own process until the last
    result and after it, `memory` megabytes by kind of process, a number a look from the first result on: the largest of
    each kind.

    `results` is the folder in which each result is a file; `others` are the processes of a cluster, with what they
    start.
    """

    def __init__(self, process: subprocess.Popen, results: Path, others: Mapping[str, int]) -> None:
        self._process = process
        self._results = results
        self._others = others
        self._begun = time.perf_counter()
        self.first = 0.0
        self.cpu = (0.0, 0.0)
        self.memory: dict[str, list[float]] = defaultdict(list)

    def until_it_ends(self, show: Callable[[int], None]) -> None:
        """Look on until the process ends; `show` is told how many results there are."""
        last = 0
        while self._process.poll() is None:
            count = sum(1 for _ in self._results.glob("*.json"))
            if count and not self.first:
                self.first = time.perf_counter() - self._begun
            if self.first:  # until then everything is being imported
                with contextlib.suppress(psutil.Error):
                    self._look(is_new=count > last)
            last = count
            show(count)
            time.sleep(INTERVAL if self.first else INTERVAL / 10)

    def _look(self, *, is_new: bool) -> None:
        own = psutil.Process(self._process.pid)
        used = sum(own.cpu_times()[:2])
        until_the_last = used if is_new else self.cpu[0]
        self.cpu = (until_the_last, used - until_the_last)
        found = memory.Peaks()
        for pid in (self._process.pid, *self._others.values()):
            memory.look(pid, found)
        seen = {"command": own.memory_info().rss / 1e6, **vars(found)}
        for name, pid in self._others.items():
            kind = name.partition(" ")[0]
            seen[f"Dask {kind}"] = max(seen.get(f"Dask {kind}", 0.0), psutil.Process(pid).memory_info().rss / 1e6)
        for kind, megabytes in seen.items():
            self.memory[kind].append(megabytes)
