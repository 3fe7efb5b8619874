"""The judge as a server: sessions with a kernel over a Unix socket, one for each exercise, when its turn has come."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from autograder.judge.exercise import Exercise
from autograder.judge.judging import judge
from autograder.judge.student import Channel, over_socket
from autograder.judge.verdict import Finding
from fixmelab.judged import wire

ACCEPT_SECONDS = 0.01
MOST_WAITING = 9  # connections that Linux holds until they are accepted: one more than it is told

Decide = Callable[[Exercise, Channel, bytes], Finding]


class Session:
    """Waits, in a thread of its own, for the one connection that the open exercise is entitled to.

    `done` is set as soon as the judge has decided.
    """

    def __init__(
        self, listener: socket.socket, exercise: Exercise, seed: bytes, seconds: float, decide: Decide = judge
    ) -> None:
        self.done = threading.Event()
        self._listener = listener
        self._exercise = exercise
        self._seed = seed
        self._decide = decide
        self._deadline = time.monotonic() + seconds
        self._closed = threading.Event()
        self._connection: socket.socket | None = None
        self._finding: Finding | None = None
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name=f"judge {exercise.id}", daemon=True)
        self._thread.start()

    def close(self) -> Finding | None:
        """End the session: what has been sent is still judged, nothing else is. None where no answer came."""
        self._closed.set()
        while not self.done.wait(ACCEPT_SECONDS):
            if self._connection is not None:
                with contextlib.suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RD)
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._finding

    def _serve(self) -> None:
        try:
            late = 0  # accepted since it was closed: the first of them were made in time, and no more than may wait
            while time.monotonic() < self._deadline and late <= MOST_WAITING:
                late += self._closed.is_set()
                try:
                    self._connection, _ = self._listener.accept()
                except TimeoutError:
                    if self._closed.is_set():
                        return
                    continue
                with self._connection:
                    if self._is_entitled(self._connection):
                        channel = over_socket(self._connection, self._deadline)
                        self._finding = self._decide(self._exercise, channel, self._seed)
                        return
        except BaseException as fault:
            self._fault = fault
        finally:
            self.done.set()

    def _is_entitled(self, connection: socket.socket) -> bool:
        """Whether the greeting names the open exercise; anyone else is turned away without a word."""
        try:
            greeting = wire.receive(connection, self._deadline)
            match None if greeting is None else wire.decode(greeting):
                # Not ==, which an array in the greeting would answer with an array.
                case {"exercise": str(name)}:
                    return name == self._exercise.id
        except wire.WireError:
            pass
        return False


class JudgeServer:
    """Listens at `path` and refuses everything until an exercise is opened. A context manager. `decide` judges."""

    def __init__(self, path: Path, decide: Decide = judge) -> None:
        self._decide = decide
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(MOST_WAITING - 1)
        self._listener.settimeout(ACCEPT_SECONDS)

    def open(self, exercise: Exercise, seed: bytes, seconds: float = 600.0) -> Session:
        """Accept one session for `exercise` from now on, for at most `seconds`.

        Connections that came too early, while no exercise was open, are dropped first.
        """
        with contextlib.suppress(TimeoutError):
            self._listener.settimeout(0.0)
            with contextlib.suppress(BlockingIOError):
                for _ in range(MOST_WAITING + 1):
                    self._listener.accept()[0].close()
        self._listener.settimeout(ACCEPT_SECONDS)
        return Session(self._listener, exercise, seed, seconds, self._decide)

    def __enter__(self) -> "JudgeServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
