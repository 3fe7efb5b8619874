"""One kernel for untrusted code, on the grader's side: has it forked, runs cells one by one, says how each ended."""

import contextlib
import dataclasses
import logging
import os
import secrets
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nbformat import NotebookNode

from autograder.errors import SandboxError
from autograder.sandbox.inside import places
from autograder.sandbox.limits import Limits
from autograder.sandbox.outputs import Outputs
from autograder.sandbox.passing import pass_descriptor
from autograder.sandbox.zygote import Address, judge_socket
from fixmelab.cache import cache_folder
from fixmelab.cells import Whose
from fixmelab.json_values import count_or_none
from fixmelab.judged import wire

START_SECONDS = 120.0
# The supervisor tells of an ending within a fraction of a second; if it does not, it is itself at fault.
TELL_SECONDS = 60.0
# A cell whose kernel sends more than this many times its output limit is not read any further.
FLOOD = 8
MOST_ERRORS = 20  # of one cell
MOST_OF_AN_ERROR = {"name": 200, "text": 10_000, "traceback": 2_000_000}  # characters, in which patterns are looked for

# Exit codes of a kernel that SIGKILL has ended, and of its first process.
_KILLED = (128 + 9, -9)

_log = logging.getLogger(__name__)

How = Literal["ok", "error", "timeout", "oom", "crashed"]
_STOPPED: dict[str, How] = {"": "crashed", "memory": "oom", "processes": "crashed", "flood": "crashed"}


@dataclass(frozen=True)
class CellError:
    """The exception that ended a cell, or the statement of it that begins in `line`, which is 0 for the whole cell.

    As the kernel tells it: untrusted text.
    """

    name: str
    text: str
    traceback: str
    line: int = 0


@dataclass(frozen=True)
class Ending:
    """How a cell ended. `error` is there where an exception ended it, or the interrupt that followed a timeout.

    In a cell of the student's several statements may have failed: `errors` are all of them, `error` the first.

    `reason` is the limit that stopped it: cell, notebook, idle, wall, memory, processes, flood,
    kernels; else nothing.
    """

    how: How
    error: CellError | None = None
    reason: str = ""
    errors: tuple[CellError, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether the kernel can go on."""
        return self.how in ("ok", "error")


class Kernel:
    """A kernel process, used as `with Kernel(…) as kernel`; leaving ends it and all that it started.

    `folder` is that of the session. Raises SandboxError if the kernel does not start, or the sandbox fails later.
    """

    def __init__(self, address: Address, folder: Path, *, budget: str, limits: Limits) -> None:
        self._address = address
        self._limits = limits
        home = Path(places.HOME) if address.sandbox else folder / "home"
        if address.user is not None:
            home = _home_of(address.user, folder)
        work = home / "work"
        if not address.sandbox:
            work.mkdir(parents=True, exist_ok=True)
        if address.user is not None:
            os.chown(work, address.user, address.user)
        self._order = {
            "session": folder.name,
            "work": str(work),
            "limits": dataclasses.asdict(limits),
            "cores": sorted(os.sched_getaffinity(0)),
            "environment": {
                "HOME": str(home),
                "FIXMELAB_BUDGET": budget,
                "FIXMELAB_JUDGE": f"{places.JUDGE}/socket" if address.sandbox else str(judge_socket(folder)),
                "FIXMELAB_CACHE": str(cache_folder()),
            },
        }
        self._end: dict[str, Any] | None = None

    def __enter__(self) -> "Kernel":
        self._sockets = contextlib.ExitStack()
        self._watch = self._sockets.enter_context(socket.socket(socket.AF_UNIX))
        try:
            self._watch.connect(self._address.socket)
            self._line, theirs = socket.socketpair(socket.AF_UNIX)
            self._sockets.enter_context(self._line)
            with theirs:
                pass_descriptor(self._watch, wire.framed(wire.encode(self._order)), theirs.fileno())
            message = self._hear(START_SECONDS)
        except (OSError, SandboxError) as error:
            self._sockets.close()
            raise SandboxError(f"a kernel did not start ({error})") from error
        if "started" not in message:
            self._sockets.close()
            raise SandboxError(f"a kernel did not start ({message.get('refused', 'no reason given')})")
        return self

    def __exit__(self, *_: object) -> None:
        # The supervisor takes a closed connection for the word to end the kernel.
        self._sockets.close()

    @property
    def used(self) -> float:
        """Processor seconds that the kernel had used when it ended."""
        return float(self._end["used"]) if self._end is not None else 0.0

    def is_alive(self) -> bool:
        """Whether the kernel has not ended, by itself or at our word."""
        if self._end is not None:
            return False  # the supervisor closes the connection only after it has told
        self._watch.setblocking(False)
        try:
            self._watch.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        self._ended()
        return False

    def run(self, source: str, whose: Whose = "course") -> tuple[Ending, NotebookNode]:
        """Run `source` as a cell. Of a student's cell, each statement runs, whatever becomes of those above it.

        Returns how it ended, and the executed cell with its outputs. After an ending that is not `alive` the kernel
        is of no more use.
        """
        outputs = Outputs(source, self._limits.output)
        try:
            wire.send(self._watch, wire.encode({"cell": True}))
            wire.send(self._line, wire.encode({"run": source, "whose": whose}))
            reply = self._listen(outputs)
            wire.send(self._watch, wire.encode({"rest": True}))
        except wire.WireError as error:
            _log.debug("the kernel is lost: %r", error)
            return self._lost(None, "flood" if isinstance(error, _Flood) else ""), outputs.cell
        if reply.get("full") is True:
            return self._lost(None, "memory"), outputs.cell
        errors = _errors(reply.get("errors"))
        for found in errors:
            outputs.show_error(found.name, found.text, found.traceback)
        if errors and errors[-1].name == "KeyboardInterrupt" and self._was_stopped():
            return self._lost(errors[-1]), outputs.cell
        return Ending("error" if errors else "ok", errors[0] if errors else None, "", errors), outputs.cell

    def looked_at(self, ending: Ending) -> Ending:
        """The ending of the last cell, once the supervisor has looked at what it left: it may have had no turn before,
        among processes without number. Raises SandboxError if the sandbox does not answer."""
        with contextlib.suppress(wire.WireError):
            wire.send(self._watch, wire.encode({"look": True}))
        if self._end is None:
            said = self._hear(TELL_SECONDS)
            if "looked" in said:
                return ending
            self._take_account(said)
        return self._lost(ending.error)

    def _listen(self, outputs: Outputs) -> dict[str, Any]:
        """Take messages until the cell has ended. Raises WireError if the kernel has, or sends too much."""
        received, bound = 0, FLOOD * (self._limits.output + 1_000_000)
        deadline = time.monotonic() + 2 * self._limits.wall + TELL_SECONDS
        while received < bound:
            body = wire.receive(self._line, deadline)
            if body is None:
                raise wire.WireError("the kernel has ended")
            # What one message costs beside its text, so that a million empty ones are no way round the bound.
            received += len(body) + 200
            message = wire.decode(body)
            if not isinstance(message, dict):
                raise wire.WireError("the frame is not a message")
            if "end" in message:
                outputs.cell.execution_count = count_or_none(message.get("count")) or None
                return message
            outputs.take(message)
        outputs.take({"cut": True})
        raise _Flood("the kernel sends too much")

    def _was_stopped(self) -> bool:
        """Whether the supervisor has interrupted the cell: it then ends the kernel at our word."""
        with contextlib.suppress(wire.WireError):
            wire.send(self._watch, wire.encode({"end": True}))
        return bool(self._ended()["stopped"])

    def _lost(self, error: CellError | None, reason: str = "") -> Ending:
        with contextlib.suppress(wire.WireError):
            wire.send(self._watch, wire.encode({"end": True}))
        reason = str(self._ended()["stopped"]) or reason
        return Ending(_STOPPED.get(reason, "timeout"), error, reason)

    def _ended(self) -> dict[str, Any]:
        """What the supervisor says of the kernel's end."""
        return self._end or self._take_account(self._hear(TELL_SECONDS))

    def _take_account(self, said: dict[str, Any]) -> dict[str, Any]:
        self._end = said
        if "ended" not in said:
            raise SandboxError("the sandbox does not say how a kernel ended")
        if said["starved"] and not said["stopped"] and said["ended"] in _KILLED:
            raise SandboxError("the machine ran out of memory: grade with fewer --jobs or a lower --limit memory")
        return said

    def _hear(self, seconds: float) -> dict[str, Any]:
        try:
            body = wire.receive(self._watch, time.monotonic() + seconds)
        except wire.WireError as error:
            raise SandboxError(f"the sandbox does not answer: {error}") from error
        if body is None:
            raise SandboxError("the sandbox has ended")
        message: dict[str, Any] = wire.decode(body)
        return message


def _home_of(user: int, folder: Path) -> Path:
    """A new home of another user in a session's folder, and the judge's socket there opened to that user alone."""
    home = folder / f"home-{secrets.token_hex(4)}"
    home.mkdir(mode=0o700)
    for path in (home, judge_socket(folder)):
        os.chown(path, user, user)
        path.chmod(0o700)
    folder.chmod(0o711)
    return home


class _Flood(wire.WireError):
    """More came than anybody will read."""


def _errors(content: Any) -> tuple[CellError, ...]:
    found = []
    items = content if isinstance(content, list) else [] if content is None else [content]
    for item in items[:MOST_ERRORS]:
        parts = item if isinstance(item, dict) else {}
        name, text, traceback = (str(parts.get(key, ""))[:most] for key, most in MOST_OF_AN_ERROR.items())
        found.append(CellError(name, text, traceback, count_or_none(parts.get("line")) or 0))
    return tuple(found)
