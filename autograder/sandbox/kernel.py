"""One kernel for untrusted code: starts it, runs cells one by one, says how each ended, and ends it."""

import asyncio
import contextlib
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import zmq
import zmq.asyncio
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from traitlets import Instance

from autograder.errors import SandboxError
from autograder.sandbox import layers

# A frame larger than this cuts the kernel's connection; a figure has a few hundred kilobytes.
MESSAGE_BYTES = 64 * 2**20
# What one message costs beside its text, so that a million empty ones are no way round the cap.
MESSAGE_OVERHEAD = 200
TIMED_OUT = "CellTimedOut"

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False


@dataclass(frozen=True)
class Limits:
    """Bounds on one submission: seconds for a cell, for the whole notebook and for a kernel to start,
    characters of output that are kept of a cell."""

    cell: float = 60.0
    notebook: float = 1800.0
    start: float = 120.0
    output: int = 2_000_000


@dataclass(frozen=True)
class CellError:
    """The exception that ended a cell, as the kernel tells it: untrusted text."""

    name: str
    text: str
    traceback: str


@dataclass(frozen=True)
class Ending:
    """How a cell ended. `error` is there where an exception ended it, or the interrupt that followed a timeout."""

    how: Literal["ok", "error", "timeout", "crashed"]
    error: CellError | None = None

    @property
    def alive(self) -> bool:
        """Whether the kernel can go on."""
        return self.how in ("ok", "error")


@contextlib.contextmanager
def session_folder() -> Iterator[Path]:
    """A private folder for the sockets of one submission; its path is short, as a socket's must be."""
    folder = Path(tempfile.mkdtemp(prefix="fixmelab-", dir="/tmp"))
    try:
        (folder / "judge").mkdir()
        yield folder
    finally:
        # Not shutil.rmtree, which a chain of thousands of folders brings down.
        subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL)


def judge_socket(folder: Path) -> Path:
    """Where the judge of a session listens: the kernel may connect to it, and not replace it."""
    return folder / "judge" / "socket"


class Kernel:
    """A kernel process, used as `async with Kernel(folder, …) as kernel`; leaving ends the process at once.

    `folder` comes from `session_folder`. Raises SandboxError where the kernel does not start.
    """

    def __init__(self, folder: Path, *, budget: str, sandbox: bool, limits: Limits) -> None:
        from fixmelab.data.downloads import (
            cache_folder,
        )  # here: it brings torch, which `autograder --help` does without

        self._limits = limits
        # A new folder for each kernel: nothing that one has left lies in the way of the next.
        own = Path(tempfile.mkdtemp(prefix="k", dir=folder))
        sockets, connection = own / "s", own / "connection.json"
        sockets.mkdir()
        self._home = layers.HOME if sandbox else str(own / "home")
        self._work = own / "home" / "work"
        self._work.mkdir(parents=True)
        self._environment = layers.environment(self._home) | {
            "FIXMELAB_BUDGET": budget,
            "FIXMELAB_JUDGE": str(judge_socket(folder)),
            "FIXMELAB_CACHE": str(cache_folder()),
        }
        self._context = zmq.asyncio.Context()
        self._context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
        readable = [connection, folder / "judge", *filter(Path.is_dir, [cache_folder()])]
        shown = {"writable": [str(sockets)], "readable": list(map(str, readable))}
        self._manager = AsyncKernelManager(
            kernel_spec_manager=_OneKernel(spec=_kernel_spec(shown if sandbox else None)),
            transport="ipc",
            ip=str(sockets / "k"),
            connection_file=str(connection),
            context=self._context,
            log=_log,
        )
        self._client = _Client(new_notebook(), self._manager, limits.output)

    async def __aenter__(self) -> "Kernel":
        try:
            await self._manager.start_kernel(
                env=self._environment,
                cwd=str(self._work),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            await self._connect()
        except (RuntimeError, OSError) as error:
            await self.__aexit__()
            raise SandboxError(f"a kernel did not start ({error}): is there memory and room in /tmp?") from error
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._disconnect()
        if self._manager.has_kernel:
            await self._manager.shutdown_kernel(now=True)
        self._context.destroy(linger=0)

    async def is_alive(self) -> bool:
        return await self._manager.is_alive()

    async def run(self, source: str, seconds: float | None = None) -> tuple[Ending, NotebookNode]:
        """Run `source` as a cell for at most `seconds` (the limit for a cell where none are given).

        Returns how it ended, and the executed cell with its outputs. After an ending that is not `alive` the kernel
        is of no more use.
        """
        ending, cell = await self._client.run(source, seconds or self._limits.cell)
        if ending.alive and not self._client.heard_idle:
            # A message that was too large has cut the line; the kernel is still there.
            try:
                self._disconnect()
                await self._connect()
            except Exception as fault:
                _log.debug("the kernel cannot be reached again: %r", fault)
                ending = Ending("crashed")
        return ending, cell

    async def _connect(self) -> None:
        self._client.kc = self._manager.client(context=self._context, log=_log)
        self._client.kc.start_channels()
        await self._client.kc.wait_for_ready(timeout=self._limits.start)
        self._client.kc.allow_stdin = False

    def _disconnect(self) -> None:
        if self._client.kc is not None:
            self._client.kc.stop_channels()


def _kernel_spec(shown: dict | None) -> KernelSpec:
    """The kernel's command. `shown` is what the sandbox lets through; None is no sandbox at all."""
    provisioner = {"provisioner_name": "local-provisioner", "config": {}}
    if shown is not None:
        provisioner = {"provisioner_name": "fixmelab-sandbox", "config": shown}
    return KernelSpec(
        argv=[
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--HistoryManager.enabled=False",
        ],
        display_name="fixmelab",
        language="python",
        # A signal would go to bubblewrap; a message goes through to the kernel.
        interrupt_mode="message",
        metadata={"kernel_provisioner": provisioner},
    )


class _OneKernel(KernelSpecManager):
    """Knows one kernel, whatever kernels are installed, and by whatever name a notebook asks for it."""

    spec = Instance(KernelSpec)

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return self.spec


class _Client(NotebookClient):
    """nbclient with a cap on outputs, deaf to widgets, for a kernel that may send anything."""

    def __init__(self, notebook: NotebookNode, manager: AsyncKernelManager, output_limit: int) -> None:
        super().__init__(
            notebook,
            manager,
            log=_log,
            allow_errors=True,
            record_timing=False,
            store_widget_state=False,
            interrupt_on_timeout=True,
            # After the interrupt the reply is not waited for, only the outputs, for a moment.
            error_on_timeout={"ename": TIMED_OUT, "evalue": "", "traceback": []},
            timeout_func=lambda cell: self._seconds,
            on_cell_executed=self._keep_reply,
        )
        self._output_limit = output_limit
        self._room = 0
        self._seconds = 0.0
        self._reply: dict = {}
        self.heard_idle = False

    async def run(self, source: str, seconds: float) -> tuple[Ending, NotebookNode]:
        cell = new_code_cell(source)
        self.nb.cells.append(cell)
        self._room, self._seconds = self._output_limit, seconds
        # What holds for a cell without code, which is not sent.
        self._reply, self.heard_idle = {"status": "ok"}, not source.strip()
        try:
            await self.async_execute_cell(cell, len(self.nb.cells) - 1)
            return self._ending(cell), cell
        except Exception as fault:
            # nbclient takes a cancellation, as Ctrl-C makes it from Python 3.11 on, for the kernel's death.
            if getattr(asyncio.current_task(), "cancelling", int)():
                raise asyncio.CancelledError from fault
            # A dead kernel, or one that sends what no kernel sends: either way it cannot be used again.
            _log.debug("the kernel is lost: %r", fault)
            return Ending("crashed"), cell

    def _ending(self, cell: NotebookNode) -> Ending:
        reply = self._reply
        if reply.get("ename") == TIMED_OUT:
            return Ending("timeout", _last_error(cell))
        if any(isinstance(item, dict) and item.get("source") == "ask_exit" for item in reply.get("payload") or ()):
            return Ending("crashed")
        return Ending("ok") if reply.get("status") == "ok" else Ending("error", _error(reply))

    def _keep_reply(self, cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        self._reply = execute_reply["content"]

    def process_message(self, msg: dict, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        kind = msg["msg_type"]
        if kind.startswith("comm"):
            return None
        if kind in ("stream", "display_data", "update_display_data", "execute_result", "error"):
            if self._room < 0:
                return None
            self._room -= MESSAGE_OVERHEAD + len(str(msg["content"]))
            if self._room < 0:
                note = f"[more than {self._output_limit} characters of output: the rest is left out]"
                cell.outputs.append(new_output("stream", name="stderr", text=note + "\n"))
                return None
        elif kind == "clear_output":
            self._room = self._output_limit
        try:
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            self.heard_idle = True
            raise
        except Exception as fault:
            _log.debug("an odd message is left out: %r", fault)
            return None

    def output(self, outs: list, msg: dict, display_id: str | None, cell_index: int) -> NotebookNode | None:
        content = msg["content"]
        if msg["msg_type"] == "stream" and outs and not self.clear_before_next_output:
            last = outs[-1]
            if last["output_type"] == "stream" and last["name"] == content["name"]:
                last["text"] += content["text"]
                return last
        return super().output(outs, msg, display_id, cell_index)


def _error(content: dict[str, Any]) -> CellError:
    lines = content.get("traceback")
    return CellError(
        str(content.get("ename", "")),
        str(content.get("evalue", "")),
        "\n".join(map(str, lines)) if isinstance(lines, list) else "",
    )


def _last_error(cell: NotebookNode) -> CellError | None:
    errors = [output for output in cell.outputs if output.get("output_type") == "error"]
    return _error(errors[-1]) if errors else None
