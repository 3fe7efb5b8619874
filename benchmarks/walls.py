"""A throw-away place for a grader that may be attacked: walls of bubblewrap, bounds, and what is left at the end.

The walls are the benchmark's own and count for no grader: nothing that is graded gets further than the folder of its
run, whose parts are home, /tmp and /dev/shm as well. Python, the system and the repository are read-only, and there is
no network. Whatever still runs at the end is counted, and ended with its process namespace.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from measuring import BenchmarkError

from autograder import course
from autograder.attacks.processes import descendants
from autograder.sandbox.layers import SMALL, SYSTEM

MOST_PROCESSES = 400
MOST_MEMORY = 5 * 2**30  # bytes that are no file's, over all processes
LEAST_LEFT = 3 * 2**30  # bytes of memory, and of disk, that the machine must still have
MOST_FILE = 2**29  # bytes
SETTLE_SECONDS = 5.0
LOOK_SECONDS = 0.2
LONGEST_END = 30.0  # seconds; it takes a moment, and longer on a busy machine

_QUICK = ("status", "RssAnon", "RssShmem")
_SHARED_OUT = ("smaps_rollup", "Pss_Anon", "Pss_Shmem")
# Of the repository, what graders use; its tests hold notebooks, and its history everything.
_REPOSITORY = ("autograder", "fixmelab", "data", "notebooks", "release", "benchmarks", "pyproject.toml")
_SYSTEM = ("/etc", *SYSTEM, *(path for path in SMALL if not path.startswith("/etc")))
# A grader that builds a sandbox gets a /proc that it may show on; the kernel asks that one be there before.
_BEGIN = "mount -t proc proc /proc && "
# How the command ends is written to a file without a name, which the command has no descriptor of.
_STAY = 'n=$1; shift; eval \'"$@"\' "$n>&-"; echo $? >&"$n"; exec sleep 1000000'


@dataclass(frozen=True)
class Run:
    """What came of a command. `code` is None if it never ended by itself, and `ended` says then what ended it, or that
    it was killed from inside; `left` counts the processes that went on after its end."""

    code: int | None
    ended: str
    left: int


def folders(folder: Path) -> dict[str, Path]:
    """Where what is written to home, /tmp and /dev/shm lies, by their names inside."""
    return {"home": folder / "home", "/tmp": folder / "tmp", "/dev/shm": folder / "shm"}


def run(command: list[str], folder: Path, environment: Mapping[str, str], seconds: float, *, powers: bool) -> Run:
    """Run a command in `folder` within the walls, for at most `seconds`; what it says goes to log.txt there.

    `powers` leaves it the capabilities that a sandbox of its own needs.
    """
    for own in folders(folder).values():
        own.mkdir(exist_ok=True)
    inside = {**environment, "HOME": str(folder / "home")}
    with (
        tempfile.TemporaryFile("w+") as status,
        _started([*_walls(folder, powers), str(status.fileno()), *command], folder, inside, status) as (process, first),
    ):
        ended = _watch(process, first, status, folder, seconds)
        left = 0 if ended else _left_running(first)
        code = None if ended else int(_said(status))
    return Run(code, ended, left)


def _said(status: TextIO) -> str:
    status.seek(0)
    return status.read().strip()


@contextmanager
def _started(
    command: list[str], folder: Path, environment: dict[str, str], status: TextIO
) -> Iterator[tuple[subprocess.Popen, int]]:
    """The process outside, and the number of the first process inside, with which all others end."""
    reading, writing = os.pipe()
    with (folder / "log.txt").open("ab") as log, os.fdopen(reading, "rb", buffering=0) as about:
        try:
            process = subprocess.Popen(
                [command[0], "--info-fd", str(writing), *command[1:]],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[writing, status.fileno()],
                preexec_fn=_bound,
            )
        finally:
            os.close(writing)
        try:
            first = _first_process(about)
            try:
                yield process, first
            finally:
                process.kill()
                _wait_for_the_end(first)
        finally:
            process.kill()
            process.wait()


def _wait_for_the_end(first: int) -> None:
    """It is killed a moment after bubblewrap, and is gone once all others inside are."""
    deadline = time.monotonic() + LONGEST_END
    while os.path.exists(f"/proc/{first}") and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)


def _first_process(about: BinaryIO) -> int:
    """Raises BenchmarkError if bubblewrap ends before it has built the walls."""
    told = b""
    while b"}" not in told:
        if not (piece := about.read(4096)):
            raise BenchmarkError("bubblewrap cannot build the benchmark's walls here: see `autograder doctor`")
        told += piece
    return int(json.loads(told)["child-pid"])


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE, MOST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _walls(folder: Path, powers: bool) -> list[str]:
    readable = [*_SYSTEM, sys.base_prefix, sys.prefix, *(str(course.ROOT / name) for name in _REPOSITORY)]
    shown = [part for path in dict.fromkeys(readable) if os.path.exists(path) for part in _show(path)]
    source = folder / "source" / "vae" / "vae.ipynb"
    own = folders(folder)
    return [
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        *("--cap-add" if powers else "--cap-drop", "ALL"),
        # First, since repository and Python may lie in /tmp.
        *("--bind", str(own["/tmp"]), "/tmp"),
        *shown,
        *("--ro-bind", str(source), str(course.source_path("vae"))),
        *("--dev", "/dev"),
        *(("--bind", "/proc", "/proc") if powers else ("--proc", "/proc")),
        *("--bind", str(own["/dev/shm"]), "/dev/shm"),
        *("--bind", str(folder), str(folder)),
        *("--chdir", str(folder), "--", "bash", "-c", (_BEGIN if powers else "") + _STAY, "bash"),
    ]


def _show(path: str) -> list[str]:
    return ["--symlink", os.readlink(path), path] if os.path.islink(path) else ["--ro-bind", path, path]


def _watch(process: subprocess.Popen, first: int, status: TextIO, folder: Path, seconds: float) -> str:
    """Wait for the command's end; returns "" or what else has ended it."""
    deadline = time.monotonic() + seconds
    while not _said(status):
        if process.poll() is not None:
            return "it was killed from inside"
        if time.monotonic() > deadline:
            return f"it was not done after {seconds:g} s"
        if too_much := _too_much(first, folder):
            return too_much
        time.sleep(LOOK_SECONDS)
    return ""


def _too_much(first: int, folder: Path) -> str:
    pids = descendants(first)
    if len(pids) > MOST_PROCESSES:
        return f"it ran more than {MOST_PROCESSES} processes"
    # What processes share since a fork counts for each of them in the first sum, which is quick, once in the second.
    if all(_memory(pids, *way) > MOST_MEMORY for way in (_QUICK, _SHARED_OUT)) or _available() < LEAST_LEFT:
        return f"it took more than {MOST_MEMORY >> 30} GB of memory"
    if shutil.disk_usage(folder).free < LEAST_LEFT:
        return "it filled the disk"
    return ""


def _left_running(first: int) -> int:
    """How many processes go on, after a while, beside the shell that waits."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (left := len(descendants(first)) - 1) > 0 and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return max(left, 0)


def _memory(pids: Iterable[int], table: str, *names: str) -> int:
    """Bytes that belong to no file, by the entries `names` of a table in /proc, over all processes."""
    return sum(
        int(value.split()[0]) << 10 for pid in pids for name, value in _fields(f"/proc/{pid}/{table}") if name in names
    )


def _available() -> int:
    return next(int(value.split()[0]) << 10 for name, value in _fields("/proc/meminfo") if name == "MemAvailable")


def _fields(path: str) -> list[tuple[str, str]]:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return []
    return [(name, value) for name, _, value in (line.partition(":") for line in lines) if value]
