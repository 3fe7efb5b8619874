"""The kernel: an IPython shell that runs cells one by one and tells over a socket what they show.

Each message is a map in a frame of fixmelab.judged.wire. From the grader: `run`, the source of a cell, and `whose` it
is. To it, while the cell runs: `stream`, `display`, `result`, `update`, `clear`; then `end`, once a cell. What is told
is untrusted: it comes from the process that runs the student's code.

A cell of the student's, an answer or another, runs statement by statement, and the state of the process is put back
behind it. A test cell runs in the state of a new process, and finds what it reads as the course's cells have left it.
"""

import base64
import contextlib
import getpass
import io
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

from fixmelab.executing.names import Names
from fixmelab.executing.statements import AROUND, StatementShell
from fixmelab.ipython_cells import without_cell_magics
from fixmelab.judged import wire

# Printed text travels in pieces of about this many characters, or of this many seconds.
PIECE, PAUSE = 8_000, 0.5
MOST_COUNT = 2**31
# Sent in place of an end for which there is no memory left.
_FULL = wire.framed(wire.encode({"end": True, "full": True}))


class Line:
    """The socket to the grader. `room` is how many characters the cell may still send."""

    def __init__(self) -> None:
        self.connection: socket.socket | None = None
        self.output = 0
        self.room = 0
        self._lock = threading.Lock()

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message; outputs beyond the cell's room are dropped, and the grader is told so once."""
        if self.connection is None:
            return
        with self._lock:
            if "end" not in message and "clear" not in message:
                if self.room < 0:
                    return
                self.room -= len(repr(message))
                if self.room < 0:
                    message = {"cut": True}
            with contextlib.suppress(wire.WireError):
                wire.send(self.connection, wire.encode(message))

    def tell_full(self) -> None:
        """Say that the cell ended for want of memory, with what has been made ready before."""
        if self.connection is not None:
            self.connection.sendall(_FULL)


class Stream(io.TextIOBase):
    """Standard output or error of a cell."""

    def __init__(self, name: str, line: Line) -> None:
        self.name = name
        self._line = line
        self._parts: list[str] = []
        self._held = 0
        self._sent = 0.0

    encoding = "utf-8"
    errors = "strict"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        for start in range(0, len(text), 100 * PIECE):
            if self._line.room < 0:
                break
            self._parts.append(_carried(text[start : start + 100 * PIECE]))
            self._held += len(self._parts[-1])
            if self._held > PIECE or time.monotonic() - self._sent > PAUSE:
                self.flush()
        return len(text)

    def flush(self) -> None:
        parts, self._parts, self._held, self._sent = self._parts, [], 0, time.monotonic()
        if parts:
            self._line.tell({"stream": self.name, "text": "".join(parts)})


class Publisher(DisplayPublisher):
    """Sends what cells display."""

    shell: "Shell"

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: object = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: object,
    ) -> None:
        self.shell.flush()
        display = (transient or {}).get("display_id")
        kind = "update" if update else "display"
        self.shell.line.tell({kind: _as_text(data), "metadata": _as_text(metadata or {}), "id": display})

    def clear_output(self, wait: bool = False) -> None:
        self.shell.flush()
        self.shell.line.room = self.shell.line.output
        self.shell.line.tell({"clear": bool(wait)})


class Hook(DisplayHook):
    """Sends the value of a cell's last expression."""

    shell: "Shell"

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        self.shell.flush()
        message = {"result": _as_text(format_dict), "metadata": _as_text(md_dict or {}), "count": self.prompt_count}
        self.shell.line.tell(message)

    def finish_displayhook(self) -> None:
        pass


class Shell(StatementShell):
    """An IPython shell without a terminal, a history, or anybody who types."""

    line = AnyTrait()
    names = AnyTrait()
    display_pub_class = Type(Publisher)
    displayhook_class = Type(Hook)

    @classmethod
    def ready(cls) -> "Shell":
        """The shell of this process, with all that can be made before the fork."""
        quiet = Config()
        quiet.HistoryManager.enabled = False
        quiet.InteractiveShell.colors = "nocolor"
        quiet.InteractiveShell.cache_size = 0
        shell = cls.instance(config=quiet, line=Line())
        # What needs a shell to be there: pyplot asks it for the way in which figures are shown. The first figure
        # brings fonts and the writer of PNG files.
        import matplotlib.pyplot

        figure = matplotlib.pyplot.figure()
        figure.add_subplot().plot([0, 1])
        figure.savefig(io.BytesIO(), format="png")
        matplotlib.pyplot.close(figure)
        # The first traceback looks through all modules.
        try:
            raise ValueError
        except ValueError as error:
            shell.InteractiveTB.structured_traceback(ValueError, error, error.__traceback__)
        return shell

    def init_history(self) -> None:
        super().init_history()  # type: ignore[no-untyped-call]  # IPython's own has no types
        self.configurables.remove(self.history_manager) if self.history_manager in self.configurables else None

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no window, and `%matplotlib` needs none."""

    def ask_exit(self) -> None:
        os._exit(0)

    def flush(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()

    def serve(self, connection: socket.socket, output: int) -> None:
        """Run what `connection` asks for until it closes; keep at most `output` characters of a cell."""
        self.line.connection, self.line.output = connection, output
        sys.stdout, sys.stderr = Stream("stdout", self.line), Stream("stderr", self.line)
        import builtins

        builtins.input = getpass.getpass = _nobody_types
        self.names = Names(lambda: self.user_ns)
        while (body := wire.receive(connection)) is not None:
            self.line.room = output
            try:
                order = wire.decode(body)
                self.line.tell({"end": True, **self.cell(order["run"], order["whose"])})
            except MemoryError:
                self.line.tell_full()

    def cell(self, source: str, whose: str = "course") -> dict[str, Any]:
        """Run a cell. Returns its number and what ended it, or statements of it: lines, and exceptions as text."""
        self.failures, self.goes_on = [], whose in ("student", "answer")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            try:
                source = without_cell_magics(source)
                with AROUND[whose](), self.names.around(whose, source):
                    done = self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]  # IPython's own
                if error := done.error_before_exec or done.error_in_exec:
                    self.fail(0, error)
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            self.flush()
        except BaseException as fault:
            # What broke through the shell itself, such as an interrupt between two of its own steps.
            self.fail(0, fault)
        # A cell may have set it to a number that no frame can carry.
        count = max(0, min(self.execution_count, MOST_COUNT)) - 1
        room, told = max(self.line.output, PIECE) + 1, []
        for line, error, traceback in self.failures:
            texts = {"name": type(error).__name__, "text": _text_of(error), "traceback": traceback}
            told.append({"line": line, **{key: _carried(text)[:room] for key, text in texts.items()}})
            room = PIECE
        return {"count": count, "errors": told}


def _nobody_types(*_: object, **__: object) -> str:
    raise StdinNotImplementedError("nobody can type here: input() does not work while a notebook is graded")


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _carried(text: str) -> str:
    """The text as a frame can carry it: of no type of its own, and lone surrogates shown as escapes."""
    return str.encode(text, "utf-8", "backslashreplace").decode()


def _as_text(bundle: object) -> dict[str, Any]:
    """A map from media types to what a frame can carry: bytes as base64, anything odd as nothing."""
    found = {}
    for kind, value in bundle.items() if isinstance(bundle, dict) else ():
        found[str(kind)] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    return found
