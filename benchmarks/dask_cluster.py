"""A Dask cluster on this machine: a scheduler and two workers, each a process of its own."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import graders
from measuring import BenchmarkError

WORKERS = 2
START_SECONDS = 60.0


@dataclass(frozen=True)
class Started:
    address: str
    processes: dict[str, int]  # process ids, by what they are


@contextlib.contextmanager
def started(folder: Path, *, threads: int) -> Iterator[Started]:
    """A cluster whose workers have so many threads. Raises BenchmarkError if no scheduler starts."""
    folder.mkdir(parents=True)
    file = folder / "scheduler.json"
    with contextlib.ExitStack() as life:

        def start(what: str, *options: str) -> subprocess.Popen:
            command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", "--no-dashboard"]
            with (folder / "log.txt").open("ab") as log:
                process = subprocess.Popen(
                    [*command, "--scheduler-file", str(file), *options],
                    env=os.environ | graders.ENVIRONMENT,
                    stdout=log,
                    stderr=log,
                )
            life.callback(process.wait)
            life.callback(process.kill)
            return process

        scheduler = start("scheduler", "--port", "0")
        deadline = time.monotonic() + START_SECONDS
        while not file.exists():
            if scheduler.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkError(f"no Dask scheduler starts: {(folder / 'log.txt').read_text()[-2000:]}")
            time.sleep(0.05)
        options = ("--no-nanny", "--nthreads", str(threads), "--local-directory", str(folder))
        workers = [start("worker", *options) for _ in range(WORKERS)]
        pids = {"scheduler": scheduler.pid} | {f"worker {number}": item.pid for number, item in enumerate(workers)}
        yield Started(_address(file), pids)


def _address(file: Path) -> str:
    import json

    return json.loads(file.read_text())["address"]
