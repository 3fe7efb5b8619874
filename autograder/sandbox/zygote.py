"""Starts the zygote: one process inside the sandbox that has imported everything, from which kernels are forked."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox import layers
from autograder.sandbox.inside import places
from fixmelab.cache import cache_folder

INSIDE = Path(__file__).resolve().parent / "inside"
PREFIX = "fixmelab-"
# Without the collector, which takes a third of the imports' time; main turns it on again.
_PROGRAM = (
    "import gc; gc.disable(); import sys; sys.path.insert(0, sys.argv[1]); "
    "from inside.zygote import main; main(*sys.argv[2:])"
)


@dataclass(frozen=True)
class Address:
    """Where a zygote is reached: its socket, the folder for the sessions' sockets, whether there is a sandbox, and the
    user who runs the kernels if another user takes the sandbox's place."""

    socket: str
    sessions: str
    sandbox: bool
    user: int | None = None


class Zygote:
    """`with Zygote() as zygote:` kernels can be had at `zygote.address`; leaving ends it and all of them.

    Entering returns at once; the imports go on, and the first kernels wait for them. Without the sandbox `user` may
    name another user for the kernels, one that nobody else uses; they are then had one at a time. `niceness` is that of
    nice(1). Raises SandboxError where the sandbox cannot be built.
    """

    def __init__(self, *, sandbox: bool = True, user: int | None = None, niceness: int = 0) -> None:
        self._sandbox = sandbox
        self._niceness = niceness
        self._user = None if sandbox else user

    def __enter__(self) -> "Zygote":
        if self._sandbox:
            layers.require_sandbox()
        _sweep()
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
        self._lock = _locked(self._folder)
        sessions, place = self._folder / "sessions", self._folder / "zygote"
        sessions.mkdir()
        self.address = Address(str(place), str(sessions), self._sandbox, self._user)
        try:
            self._lifeline, theirs = socket.socketpair()
            with theirs, socket.socket(socket.AF_UNIX) as listener, open(self._folder / "log", "wb") as log:
                listener.bind(str(place))
                listener.listen(64)
                self._show_sessions_only(place)
                passed = listener.fileno(), theirs.fileno()
                self._process = subprocess.Popen(
                    self._command(passed, sessions),
                    pass_fds=passed,
                    env=layers.environment(places.HOME if self._sandbox else str(self._folder / "home")),
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except BaseException:
            _remove(self._folder)
            os.close(self._lock)
            raise
        return self

    def _show_sessions_only(self, place: Path) -> None:
        """Let another user through to the sessions' sockets, whose names cannot be guessed, and to nothing else."""
        if self._user is not None:
            for path, mode in (
                (self._folder / "sessions", 0o711),
                (self._folder / "log", 0o600),
                (place, 0o600),
                (self._folder, 0o711),
            ):
                path.chmod(mode)

    def _command(self, passed: tuple[int, int], sessions: Path) -> list[str]:
        readable = list(filter(Path.is_dir, [cache_folder()]))
        shown = layers.shown(readable) if self._sandbox else []
        settings = {"walls": self._sandbox, "shown": shown, "user": self._user, "niceness": self._niceness}
        package = places.SHARED if self._sandbox else str(INSIDE.parent)
        command = [sys.executable, "-c", _PROGRAM, package, *map(str, passed), json.dumps(settings)]
        return layers.confine(command, sessions=sessions, readable=readable) if self._sandbox else command

    def let_go(self) -> None:
        """Have it end, without waiting until it has."""
        with contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_RDWR)  # closing alone would do nothing while somebody waits
        self._lifeline.close()

    def __exit__(self, *_: object) -> None:
        # A zygote that is still importing sees it later: bubblewrap, killed before it has set everything up, would
        # leave it behind.
        self.let_go()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        self._process.kill()
        self._process.wait()
        _remove(self._folder)
        os.close(self._lock)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> None:
        """Return when the imports are done, or the zygote has ended."""
        with contextlib.suppress(OSError):
            self._lifeline.recv(1, socket.MSG_PEEK)

    def log_tail(self) -> str:
        """The end of what the zygote wrote to its standard error, for a fault of the sandbox."""
        return " ".join((self._folder / "log").read_text(errors="replace").split())[-300:]


def _locked(folder: Path) -> int:
    """A lock on `folder` that ends with this process, however it ends. It is named only once it is held."""
    number = os.open(folder / "new", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(number, fcntl.LOCK_EX)
    os.rename(folder / "new", folder / "lock")
    return number


def _sweep() -> None:
    """Remove the folders of graders that were killed."""
    for lock in Path("/tmp").glob(f"{PREFIX}*/lock"):
        with contextlib.suppress(OSError), open(lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(lock.parent)


def _remove(folder: Path) -> None:
    # Not shutil.rmtree, which a chain of thousands of folders brings down.
    subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def session(address: Address) -> Iterator[Path]:
    """A folder for the judge's socket of one submission; its name is the session's. Its path is short."""
    folder = Path(address.sessions) / secrets.token_hex(6)
    try:
        folder.mkdir()
    except OSError as error:
        raise SandboxError(f"{folder} cannot be made ({error.strerror}): is there room in /tmp?") from error
    try:
        yield folder
    finally:
        try:
            judge_socket(folder).unlink(missing_ok=True)
            folder.rmdir()
        except OSError:  # without the sandbox it holds a home
            _remove(folder)


def judge_socket(folder: Path) -> Path:
    """Where the judge of a session listens."""
    return folder / "socket"
