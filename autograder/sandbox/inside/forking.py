"""Forks a kernel from the zygote: a builder puts up its walls, its first process forks the kernel."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from inside import linux
from inside import walls as guards
from inside.shell import Shell

# More than the zygote ever has open.
_OPEN_FILES = 4096


@dataclass
class Forking:
    """What all kernels of a zygote have in common, explained at Zygote; `data` are the bytes that it holds itself.

    `builders` are children that end at once, and have to be reaped.
    """

    shell: Shell
    walls: bool
    shown: list[str]
    user: int | None
    data: int
    builders: list[int] = field(default_factory=list)

    def fork(self, order: dict[str, Any], line: socket.socket, core: int, opened: Iterable[socket.socket]) -> int:
        """Fork a kernel that is spoken to on `line`; `opened` are the zygote's other sockets.

        Returns the first process of the kernel's namespace, as it is called here. Raises OSError if there is none.
        """
        read, write = os.pipe()
        builder = os.fork()
        if builder == 0:
            # From here on an exception must never reach the zygote's own code.
            try:
                os.close(read)
                self._build(order, line, core, opened, write)
            except BaseException as error:
                os.write(write, f"!{error}".encode()[:500])
            finally:
                os._exit(1)
        os.close(write)
        with open(read, "rb") as file:
            reply = file.read().decode("utf-8", "replace")
        self.builders.append(builder)
        if not reply or reply.startswith("!"):
            raise OSError(reply[1:] or "the builder of a kernel ended")
        return int(reply)

    def _build(
        self, order: dict[str, Any], line: socket.socket, core: int, opened: Iterable[socket.socket], write: int
    ) -> NoReturn:
        """In the builder: walls, then the kernel's first process, whose number goes to `write`."""
        limits = order["limits"]
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # Where the machine runs out of memory, a kernel goes first, not the grader.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        outside = os.open("/proc", os.O_PATH)  # no kernel has one
        if self.walls:
            guards.enter_namespaces()
            guards.mount_private_folders(order["session"], self.shown, int(limits["disk"]), int(limits["files"]))
        builder = os.getpid()
        first = os.fork()
        if first:
            os.write(write, str(first).encode())
            os._exit(0)
        os.close(write)
        os.setsid()
        linux.share_by_niceness(outside)
        _forget(opened, line)
        if self.walls or self.user is not None:
            os.sched_setaffinity(0, [core])
            memory = self.data + int(limits["memory"])
            guards.bound_resources(memory, int(limits["disk"]), limits["notebook"], int(limits["processes"]))
        if self.walls:
            guards.give_up_powers()
        else:
            if self.user is not None:
                guards.adopt_orphans()
            while os.getppid() == builder:
                time.sleep(0.001)  # it is about to end; only then is the zygote the parent
            guards.end_with_parent()
        kernel = os.fork()
        if kernel == 0:
            if self.user is not None:
                guards.become_other_user(self.user)
            if not self.walls:
                guards.end_with_parent()  # after the change of user, which would undo it
            self._become_kernel(order, line)
        line.close()
        # The first process of a namespace only waits: it reaps what the kernel leaves behind, and ends with it.
        while True:
            pid, status = os.wait()
            if pid == kernel:
                code = os.waitstatus_to_exitcode(status)
                os._exit(code if code >= 0 else 128 - code)

    def _become_kernel(self, order: dict[str, Any], line: socket.socket) -> NoReturn:
        os.environ.update(order["environment"])
        os.chdir(order["work"])
        sys.path.pop(0)
        self.shell.serve(line, int(order["limits"]["output"]))
        os._exit(0)


def _forget(opened: Iterable[socket.socket], line: socket.socket) -> None:
    """Close all that the zygote has open but `line`; no forgotten object is to close a number that is used again."""
    for other in opened:
        other.detach()
    nowhere = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    os.closerange(3, line.fileno())
    os.closerange(line.fileno() + 1, _OPEN_FILES)
