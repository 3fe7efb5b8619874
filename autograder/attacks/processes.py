"""The processes of this machine."""

import os
from pathlib import Path


def processes() -> list[int]:
    """Numbers of all that run now."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(of: int) -> set[int]:
    """Numbers of the processes that `of` started, and that those started."""
    children: dict[int, list[int]] = {}
    for pid in processes():
        try:
            text = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            continue
        children.setdefault(int(text[text.rindex(b")") + 2 :].split()[1]), []).append(pid)
    found: set[int] = set()
    waiting = [of]
    while waiting:
        started = children.get(waiting.pop(), [])
        found.update(started)
        waiting += started
    return found


def called(pid: int) -> str:
    """Name and command line of a process; "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text() + Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""
