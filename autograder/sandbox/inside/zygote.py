"""The process that has imported everything once, and is forked for each kernel.

It listens on an inherited socket. A connection is one kernel: its first frame is the order (see `Order`), which comes
with one end of the line on which the kernel is spoken to; after that it carries `cell`, `rest` and `end`, and back
come `started` and `ended`. When it closes, the kernel is ended.
"""

import contextlib
import gc
import json
import os
import random
import select
import selectors
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

from inside import linux, supervisor, users
from inside import walls as guards
from inside.fonts import headers_alone
from inside.forking import Forking
from inside.shell import Shell
from inside.uncompiled import defer_compiler

from fixmelab import stand_ins
from fixmelab.judged import wire

LOOK_SECONDS = 0.05
# To use large pages takes as long as they save with so many kernels; done so many pages at once, it delays no look.
MANY = 8
LARGE_PAGES_AT_ONCE = 8


def main(listener: str, lifeline: str, settings: str) -> None:
    """Serve the socket numbered `listener` until the one numbered `lifeline`, which is told of the start, is closed.

    `settings` is JSON: the last three arguments of Zygote, and the niceness of all that is done here.
    """
    options = json.loads(settings)
    linux.give_way(options.pop("niceness"))
    shell = _imported()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    gc.freeze()  # what is never looked at again is never copied
    gc.enable()
    grader = socket.socket(fileno=int(lifeline))
    with contextlib.suppress(OSError):  # it is gone, and that is seen below
        grader.send(b".")
    Zygote(socket.socket(fileno=int(listener)), grader, shell, **options).serve()
    os._exit(0)  # all that is left would be to clear away modules, one by one


def _imported() -> Shell:
    """All that a notebook of this course may import, and the shell."""
    with headers_alone():
        import matplotlib.font_manager
    import matplotlib.figure  # noqa: F401
    import numpy  # noqa: F401
    import torch

    torch.set_num_threads(1)  # before fixmelab's probe takes it for what a process starts with
    import torch.nn.functional
    import tqdm.auto  # noqa: F401

    import fixmelab.data
    import fixmelab.environment
    import fixmelab.pictures.plotting
    import fixmelab.pictures.widgets
    import fixmelab.probe  # noqa: F401

    stand_ins.let_colab_be_found()
    stand_ins.leave_uncompiled()
    defer_compiler()
    selectors.DefaultSelector = selectors.PollSelector  # type: ignore[misc, assignment]  # the filter has no epoll for asyncio
    torch.backends.cpu.get_cpu_capability()  # torch asks the processor once, and would find no /proc in a kernel
    return Shell.ready()


def _use_large_pages() -> Iterator[None]:
    """A fork copies a line of the page table for each page: with large ones it takes a third of the time.

    What the iterator yields are pauses.
    """
    with open("/proc/self/maps") as file:
        maps = [line.split() for line in file]
    for place, powers, _, _, inode, *_ in maps:
        start, end = (int(bound, 16) for bound in place.split("-"))
        start, end = -(-start // linux.LARGE_PAGE) * linux.LARGE_PAGE, end // linux.LARGE_PAGE * linux.LARGE_PAGE
        if inode == "0" and "w" in powers:
            for part in range(start, end, LARGE_PAGES_AT_ONCE * linux.LARGE_PAGE):
                linux.collapse(part, min(part + LARGE_PAGES_AT_ONCE * linux.LARGE_PAGE, end))
                yield


class Zygote:
    """Forks kernels, and watches over them. Cores are dealt out, one a kernel, so that none can slow another.

    `walls` says whether kernels get namespaces of their own, `shown` which paths of the host they see all the same.
    Without walls, `user`, if one is given, runs the kernels, one at a time.
    """

    def __init__(
        self,
        listener: socket.socket,
        lifeline: socket.socket,
        shell: Shell,
        *,
        walls: bool,
        shown: list[str],
        user: int | None,
    ) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._walls = walls
        self._user = user
        self._forking = Forking(shell, walls, shown, user, guards.data_bytes())
        # Another grader on this machine is not to start with the same core.
        self._cores = random.sample(sorted(os.sched_getaffinity(0)), len(os.sched_getaffinity(0)))
        self._held = supervisor.processes()[os.getpid()].resident
        self._watches: dict[socket.socket, supervisor.Watch] = {}
        self._dying: dict[socket.socket, supervisor.Watch] = {}
        self._core_of: dict[int, int] = {}
        self._forked = 0
        self._preparing: Iterator[None] | None = None
        # So that the end of a child ends the wait for orders.
        self._ended, wake = socket.socketpair()
        self._ended.setblocking(False)
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.detach(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Take orders and look after kernels, until the grader is gone: with this process all others end."""
        looked = 0.0
        while True:
            busy = self._watches or self._dying or not self._walls
            heeded = [self._lifeline, self._ended, *self._watches]
            if self._user is None or not (self._watches or self._dying):
                heeded.append(self._listener)
            wait = 0.0 if self._preparing else LOOK_SECONDS if busy else None
            ready, _, _ = select.select(heeded, [], [], wait)
            if self._lifeline in ready:
                self._end_user()
                return
            if self._preparing and not ready and next(self._preparing, "done") == "done":
                self._preparing = None
                self._held = supervisor.processes()[os.getpid()].resident  # whole pages are more
            for connection in ready:
                if connection is self._listener:
                    self._begin()
                elif connection is self._ended:
                    self._ended.recv(4096)
                elif connection in self._watches:
                    self._heed(connection)
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self._look()
            self._bury()

    def _begin(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(10)
        try:
            order, line = _order(connection)
        except (OSError, wire.WireError, ValueError, IndexError):
            connection.close()
            return
        with line:
            # One of the grader's own: where that has only one, the two take turns on it.
            cores = [core for core in self._cores if core in order["cores"]] or self._cores
            core = min(cores, key=list(self._core_of.values()).count)
            try:
                root = self._forking.fork(order, line, core, [*self._sockets(), connection])
            except OSError as error:
                _tell(connection, {"refused": str(error)})
                connection.close()
                return
        self._core_of[root] = core
        self._forked += 1
        if self._forked == MANY:
            self._preparing = _use_large_pages()
        self._watches[connection] = supervisor.Watch(
            root, {**order["limits"], "held": self._held}, own_network=self._walls
        )
        _tell(connection, {"started": True})

    def _sockets(self) -> list[socket.socket]:
        return [self._listener, self._lifeline, self._ended, *self._watches, *self._dying]

    def _heed(self, connection: socket.socket) -> None:
        watch = self._watches[connection]
        try:
            body = wire.receive(connection, time.monotonic() + 10)
            request = {} if body is None else wire.decode(body)
        except wire.WireError:
            request = {}
        if "cell" in request:
            watch.begin_cell()
        elif "rest" in request:
            watch.end_cell()
        elif "look" in request:
            watch.look(supervisor.processes())
            if not watch.stopped:  # else the account of its end is the answer
                _tell(connection, {"looked": True})
        else:
            watch.look(supervisor.processes())
            watch.kill()
            self._dying[connection] = self._watches.pop(connection)

    def _look(self) -> None:
        table = supervisor.processes() if self._watches or not self._walls else {}
        for watch in self._watches.values():
            watch.look(table)
        self._end_strangers(table)

    def _bury(self) -> None:
        """Take leave of the kernels that have ended, and give account of them."""
        self._forking.builders = [pid for pid in self._forking.builders if _reaped(pid) is None]
        for kernels in (self._watches, self._dying):
            for connection, watch in list(kernels.items()):
                status = _reaped(watch.root)
                if status is not None:
                    self._end_user()
                    del kernels[connection], self._core_of[watch.root]
                    _tell(connection, {"ended": os.waitstatus_to_exitcode(status), **watch.account()})
                    connection.close()

    def _end_user(self) -> None:
        """Where kernels are another user's, nothing of that user's is to outlive a kernel."""
        if self._user is not None:
            users.end_all_of(self._user)

    def _end_strangers(self, table: dict[int, supervisor.Process]) -> None:
        """Kill what kernels without walls have left behind, which has come to be the zygote's own."""
        for process in () if self._walls else table.values():
            if process.parent == os.getpid() and process.pid not in (*self._core_of, *self._forking.builders):
                os.kill(process.pid, signal.SIGKILL)
                os.waitpid(process.pid, 0)


def _order(connection: socket.socket) -> tuple[dict[str, Any], socket.socket]:
    """The first frame on a connection, and the socket that comes with it."""
    data, descriptors, _, _ = socket.recv_fds(connection, 4, 1)
    line = socket.socket(fileno=descriptors[0])
    (length,) = wire.LENGTH.unpack(data)
    body = b""
    while len(body) < length:
        part = connection.recv(length - len(body))
        if not part:
            raise ValueError("the order broke off")
        body += part
    return wire.decode(body), line


def _reaped(pid: int) -> int | None:
    """The status of a child that has ended; None while it runs, or while its builder, not we, is its parent."""
    with contextlib.suppress(ChildProcessError):
        ended, status = os.waitpid(pid, os.WNOHANG)
        return status if ended else None
    return None


def _tell(connection: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(wire.WireError):
        wire.send(connection, wire.encode(message))
