"""Peak memory of a run of this project's command line, read from outside while it grades.

What a forked process holds above the one it was forked from is what it shares with nobody: its private pages.
"""

import re
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

SANDBOX = "bwrap"
INTERVAL = 0.02


@dataclass
class Peaks:
    """Megabytes. Kernels are forked from the zygote, workers from the nursery, where there is one."""

    zygote: float = 0.0
    kernel: float = 0.0
    nursery: float = 0.0
    worker: float = 0.0


def peaks(process: subprocess.Popen) -> Peaks:
    """Look at the process and all it starts until it ends; the largest that was seen of each kind."""
    found = Peaks()
    while process.poll() is None:
        look(process.pid, found)
        time.sleep(INTERVAL)
    return found


def look(main: int, found: Peaks) -> None:
    """Look once at what the process `main` has started, and raise the peaks found so far."""
    children, names = defaultdict(list), {}
    for item in psutil.process_iter(["ppid", "name"]):
        children[item.info["ppid"]].append(item.pid)
        names[item.pid] = item.info["name"]
    for child in children[main]:
        if names[child] == SANDBOX:
            origin = child
            while names.get(origin) == SANDBOX and children[origin]:
                origin = children[origin][0]
            found.zygote = max(found.zygote, _megabytes(origin, "Rss"))
            kinds = [("kernel", offspring) for offspring in children[origin]]
        else:
            found.nursery = max(found.nursery, _megabytes(child, "Rss"))
            kinds = [("worker", offspring) for offspring in children[child]]
        for kind, offspring in kinds:
            above = sum(_megabytes(pid, "Private_Clean", "Private_Dirty") for pid in _family(offspring, children))
            setattr(found, kind, max(getattr(found, kind), above))


def _family(pid: int, children: dict[int, list[int]]) -> list[int]:
    return [pid, *(other for child in children[pid] for other in _family(child, children))]


def _megabytes(pid: int, *names: str) -> float:
    """Of a process that may have ended: 0 then."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return (
        sum(int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE) if name in names) / 1024
    )
