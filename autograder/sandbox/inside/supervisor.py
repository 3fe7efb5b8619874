"""Watches over the processes of each kernel: processor time, waiting, memory, number; and ends them."""

import contextlib
import functools
import os
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# After the interrupt a cell has this long, in processor seconds or, waiting, in seconds, to stop by itself; no longer
# than it had before, if that is less.
GRACE = 2.0
# Measuring memory takes this long at a look and no longer: meanwhile others may fork.
MEASURE_SECONDS = 0.03
# A process with larger page tables, those of 32 GB in a row, is not measured: the system would walk through them.
MOST_TABLES = 64 * 2**20


@dataclass(frozen=True)
class Process:
    """One line of the process table: `seconds` of processor time, `threads`, `resident` bytes."""

    pid: int
    parent: int
    began: int
    seconds: float
    threads: int
    resident: int
    sleeps: bool


def processes() -> dict[int, Process]:
    """All processes that /proc shows, by number."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    text = file.read()
            except OSError:
                continue  # it has ended
            # The name of the program stands in brackets and may hold anything.
            part = text[text.rindex(b")") + 2 :].split()
            seconds = (int(part[11]) + int(part[12])) / TICK
            sleeps = part[0] != b"R"  # in the system, too, where no signal reaches it
            process = Process(
                int(name), int(part[1]), int(part[19]), seconds, int(part[17]), int(part[21]) * PAGE, sleeps
            )
            found[process.pid] = process
    return found


def descendants(root: int, table: dict[int, Process]) -> list[Process]:
    """`root` and all that it started, as far as they live."""
    children: dict[int, list[int]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process.pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        if pid in table:
            found.append(table[pid])
        waiting += children.get(pid, ())
    return found


def table_bytes(process: Process) -> int:
    """Bytes of the page tables of a process, which the system counts nowhere else: memory that is only read from has
    tables and no pages."""
    try:
        with open(f"/proc/{process.pid}/status") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmPTE:")), 0)
    except OSError:
        return 0  # it has ended


def proportional_bytes(group: Iterable[Process]) -> Iterator[int]:
    """Memory of some processes, what they share with others counted in proportion: the sum so far, one by one."""
    total = 0
    for process in group:
        if table_bytes(process) > MOST_TABLES:
            total += process.resident
            yield total
            continue
        try:
            with open(f"/proc/{process.pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
        except (OSError, StopIteration):
            total += process.resident  # ended, or hidden on purpose
        yield total


@functools.cache
def socket_bytes() -> int:
    """The most that waits in one socket, which the system-call filter does not let grow."""
    with socket.socket(socket.AF_UNIX) as fresh:
        return fresh.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


def buffered_bytes(pid: int) -> int:
    """At most this much lies in the buffers of the sockets in the network namespace of a process."""
    try:
        with open(f"/proc/{pid}/net/unix", "rb") as file:
            return socket_bytes() * max(file.read().count(b"\n") - 1, 0)
    except OSError:
        return 0  # it has ended


def kills_for_memory() -> int:
    """How many processes the machine has killed because it had no memory left."""
    with open("/proc/vmstat") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)


@dataclass
class Watch:
    """The account of one kernel. `root` is its first process; limits are those of sandbox.limits; `own_network` says
    whether no other's sockets are in its network namespace."""

    root: int
    limits: dict[str, Any]
    own_network: bool
    used: float = 0.0
    stopped: str = ""
    _seen: dict[tuple[int, int], float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _kills: int = field(default_factory=lambda: kills_for_memory())
    _in_cell: bool = False
    _cell_from: float | None = None
    _waited: float = 0.0
    _looked: float = field(default_factory=time.monotonic)
    # Memory: what counts, the last result, and the measurement that is under way.
    _bytes: int = 0
    _last: int = 0
    _measuring: Iterator[int] | None = None
    _total: int = 0
    _took: float = 0.0
    _measure_at: float = 0.0
    _interrupted: tuple[float, float, float] | None = None

    def begin_cell(self) -> None:
        """From the next look on the limits of a cell hold."""
        self._in_cell, self._cell_from, self._waited = True, None, 0.0

    def end_cell(self) -> None:
        self._in_cell = False

    def look(self, table: dict[int, Process]) -> None:
        """Take stock, and stop what has gone beyond its limits: first by an interrupt, where that may help."""
        group = descendants(self.root, table)
        now, before = time.monotonic(), self.used
        for process in group:
            self._seen[process.pid, process.began] = process.seconds
        self.used = sum(self._seen.values())
        if self.used == before and all(process.sleeps for process in group):
            self._waited += now - self._looked
        self._looked = now
        if self.stopped and self._interrupted is None:
            self.kill()  # what is dying takes its time
            return
        if self._interrupted is not None:
            used, waited, began = self._interrupted
            grace = min(GRACE, self.limits["cell"])
            if self.used - used > grace or self._waited - waited > grace or now - began > 30 * grace:
                self.kill()
            return
        if sum(process.threads for process in group) > self.limits["processes"]:
            self.stop("processes")
        elif self._memory(group) > self.limits["memory"]:
            self.stop("memory")
        elif self.used > self.limits["notebook"]:
            self.interrupt("notebook")
        elif now - self._began > self.limits["wall"]:
            self.interrupt("wall")
        elif self._in_cell:
            self._cell_from = self.used if self._cell_from is None else self._cell_from
            if self.used - self._cell_from > self.limits["cell"]:
                self.interrupt("cell")
            elif self._waited > self.limits["idle"]:
                self.interrupt("idle")

    def _memory(self, group: list[Process]) -> int:
        """Bytes above what the zygote holds, page tables, and what may lie in sockets; measured only where a cheap
        upper bound does not do."""
        tables = sum(map(table_bytes, group))
        if sum(process.resident for process in group) > self.limits["memory"]:
            self._measure(group)
        return self._bytes + tables + (buffered_bytes(self.root) if self.own_network else 0)

    def _measure(self, group: list[Process]) -> None:
        """Go on measuring for a moment. The smaller of two results in a row counts: in one, memory that is shared in
        the midst of it is counted twice."""
        began = time.monotonic()
        if self._measuring is None:
            if began < self._measure_at:
                return
            self._measuring, self._took = proportional_bytes(group), 0.0
        for total in self._measuring:
            self._total = total
            if time.monotonic() - began > MEASURE_SECONDS:
                self._took += time.monotonic() - began
                return
        above, self._measuring = self._total - self.limits["held"], None
        self._bytes, self._last = min(above, self._last), above
        self._took += time.monotonic() - began
        self._measure_at = began + min(10 * self._took, 1.0)  # the supervisor has others to look after

    def interrupt(self, why: str) -> None:
        """As Ctrl-C does, so that the traceback tells where it was; `look` kills what does not heed it."""
        self.stopped = why
        self._interrupted = self.used, self._waited, time.monotonic()
        children = [process for process in processes().values() if process.parent == self.root]
        if children:
            # The kernel is the first that was started there; orphans come later.
            _signal(min(children, key=lambda process: (process.began, process.pid)).pid, signal.SIGINT)

    def stop(self, why: str) -> None:
        self.stopped = why
        self.kill()

    def account(self) -> dict[str, Any]:
        """What the grader is told when the kernel has ended. `starved`: the machine itself ran out of memory."""
        return {"stopped": self.stopped, "used": self.used, "starved": kills_for_memory() > self._kills}

    def kill(self) -> None:
        """End the kernel; with the first process of its namespace all others end, too."""
        for pid in [*(process.pid for process in descendants(self.root, processes())), self.root]:
            _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
