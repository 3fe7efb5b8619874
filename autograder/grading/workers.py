"""Workers that grade side by side, each one submission at a time, and the zygote that their kernels come from."""

import contextlib
import json
import math
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, Any

from autograder.errors import InputError, SandboxError
from autograder.grading.crews import PATIENCE, CrewError, Outcome, Work
from autograder.sandbox import computing
from autograder.sandbox.passing import pass_descriptor

# What is slow to import is imported late, so that the nursery starts at once; torch not at all.
if TYPE_CHECKING:
    from autograder.grading.submissions import Submission
    from autograder.sandbox.zygote import Address

TRIES = 3
PAUSE = 0.5  # seconds before another try: what has just failed may need a moment
LONGEST_WAIT = 3600.0  # seconds; poll takes no infinity
MOST_TAKEN = 200  # submissions of one worker: what the judge's libraries never give back does not add up for days

# Nothing is imported before it is told from where: what students handed in may lie in the folder of a command.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; import json; "
    "from autograder.grading.nursery import main; main(**json.loads(sys.argv[1]))"
)


class Crew:
    """`with Crew(assignment, jobs=2) as crew:` submissions can be graded, `jobs` at a time.

    Entering returns at once; the nursery and the zygote, from which workers and kernels are forked, go on with their
    imports. Leaving ends all of them. Several threads may ask for outcomes at once. `user`, for one job without the
    sandbox, is as in Zygote. Workers take the cores in turn, from `first_core` on, or from any if it is None. The more
    `niceness`, the more of the processor is left to whoever else needs it. Raises SandboxError if the sandbox cannot be
    built.
    """

    def __init__(
        self,
        assignment: str | None = None,
        *,
        jobs: int = 1,
        sandbox: bool = True,
        user: int | None = None,
        first_core: int | None = None,
        niceness: int = 0,
    ) -> None:
        self._jobs = max(jobs, 1)
        self._sandbox = sandbox
        self._user = user
        self._niceness = niceness
        self._nursery = _Nursery(assignment, niceness)
        cores = sorted(os.sched_getaffinity(0))
        # Another grader on this machine is not to start with the same core.
        first = random.randrange(len(cores)) if first_core is None else first_core % len(cores)
        self._cores = cores[first:] + cores[:first]
        self._workers: list[_Worker] = []  # all that have not ended
        self._resting: list[_Worker] = []  # those of them that no outcomes are asked of
        # Since the last result: faults, and how often nursery or zygote had to be started again.
        self._faults = self._restarts = 0
        self._lock = threading.Lock()
        self._has_ended = False

    def __enter__(self) -> "Crew":
        self._nursery.begin()
        try:
            self._zygote = self._new_zygote()
        except BaseException:
            self._nursery.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._has_ended = True
            for worker in self._resting:
                worker.end()
            self._zygote.let_go()  # it ends while the nursery does
            self._nursery.end()
            self._zygote.__exit__()

    def wait(self) -> None:
        """As AnyCrew says."""
        self._zygote.wait()

    def outcomes(
        self,
        work: "Work",
        submissions: Iterable["Submission"],
        seconds: float = math.inf,
        until: float = math.inf,
        *,
        more: "Callable[[], Submission | None] | None" = None,
    ) -> Iterator[tuple["Submission", "Outcome"]]:
        """As AnyCrew says."""
        waiting = deque((submission, 1) for submission in submissions)
        busy: dict[_Worker, tuple[Submission, int]] = {}
        idle: list[_Worker] = []

        def hand_out() -> None:
            while len(busy) < self._jobs:
                if more and not waiting and (arrived := more()):
                    waiting.append((arrived, 1))
                if not waiting:
                    return
                worker = idle.pop() if idle else self._worker(work)
                busy[worker] = waiting.popleft()
                worker.take(busy[worker][0], self._zygote.address)

        try:
            while (waiting or busy or more) and time.monotonic() < until:
                hand_out()
                done, failed = [], []
                left = min([until, *(worker.began + seconds for worker in busy)]) - time.monotonic()
                if more and len(busy) < self._jobs:
                    left = min(left, PATIENCE)
                ready = wait([worker.line for worker in busy], min(max(left, 0.0), LONGEST_WAIT))
                late = time.monotonic() - seconds
                for worker in [worker for worker in busy if worker.line in ready or worker.began < late]:
                    submission, tries = busy.pop(worker)
                    outcome = worker.outcome() if worker.line in ready else worker.give_up(submission, seconds)
                    if worker.taken >= MOST_TAKEN:
                        worker.end()
                    if not worker.has_ended:
                        idle.append(worker)
                    if isinstance(outcome, SandboxError):
                        failed.append((submission, tries, outcome))
                    else:
                        done.append((submission, outcome))
                if done:
                    self._faults = self._restarts = 0
                if not failed:
                    hand_out()  # so that no worker waits while its last result is looked after
                yield from done
                for submission, tries, error in failed:
                    if tries < TRIES:
                        waiting.append((submission, tries + 1))
                    else:
                        yield submission, _given_up(submission, error)
                    self._mend(error)
        finally:
            for worker in busy:
                worker.end()
            self._rest(work, idle)

    def _worker(self, work: "Work") -> "_Worker":
        """One that rests from the same work, or a new one on a core that as few others as possible have. A worker and
        its kernel, which wait for each other all the time, share it: waking somebody on another takes longer than many
        a cell."""
        with self._lock:
            for worker in [worker for worker in self._resting if worker.work is work]:
                self._resting.remove(worker)
                return worker
            self._workers = [worker for worker in self._workers if not worker.has_ended]
            core = min(self._cores, key=[worker.core for worker in self._workers].count)
            self._workers.append(_Worker(self._nursery, work, core))
            return self._workers[-1]

    def _rest(self, work: "Work", idle: "list[_Worker]") -> None:
        """Keep workers for when this work is asked for again, and none of another."""
        with self._lock:
            for worker in [worker for worker in self._resting if worker.work is not work]:
                self._resting.remove(worker)
                worker.end()
            self._resting += idle

    def _mend(self, error: SandboxError) -> None:
        """After a fault: start anew what has ended. Raises CrewError if that has been of no use."""
        time.sleep(PAUSE)
        with self._lock:
            self._start_anew(error)

    def _start_anew(self, error: SandboxError) -> None:
        if self._has_ended:
            raise CrewError("the crew has ended")
        self._faults += 1
        ended = [part for part in (self._nursery, self._zygote) if not part.is_alive()]
        if ended:
            self._restarts += 1
        if self._restarts >= TRIES or self._faults >= TRIES * (self._jobs + 2):
            # Also of one that is just about to end.
            logged = " ".join(filter(None, (self._nursery.log_tail(), self._zygote.log_tail())))
            raise CrewError(f"{error}, again and again" + (f" ({logged})" if logged else ""))
        if self._nursery in ended:
            self._nursery.end()
            self._nursery.begin()
        if self._zygote in ended:
            self._zygote.__exit__()
            self._zygote = self._new_zygote()

    def _new_zygote(self) -> Any:
        from autograder.sandbox.zygote import Zygote

        return Zygote(sandbox=self._sandbox, user=self._user, niceness=self._niceness).__enter__()


def _given_up(submission: "Submission", error: SandboxError) -> SandboxError:
    return SandboxError(f"{submission.path}: tried {TRIES} times and not graded: {error}; give the same command again")


class _Nursery:
    """The process from which workers are forked, as the grader sees it."""

    def __init__(self, assignment: str | None, niceness: int) -> None:
        self._settings = {"assignment": assignment, "niceness": niceness}

    def begin(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (end() closes it)
        self._orders, theirs = socket.socketpair(socket.AF_UNIX)
        settings = self._settings | {"descriptor": theirs.fileno()}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, json.dumps(settings), *map(os.path.abspath, sys.path)],
                pass_fds=[theirs.fileno()],
                env=os.environ | computing.VARIABLES,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,  # Ctrl-C is for the grader alone
            )

    def line(self) -> Connection:
        """One end of a line; a worker is forked for the other, as soon as the imports are done."""
        ours, theirs = Pipe()
        with theirs, contextlib.suppress(OSError):  # if the nursery has ended, the line closes
            pass_descriptor(self._orders, b".", theirs.fileno())
        return ours

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def log_tail(self) -> str:
        """The end of what it and its workers have written, for a fault."""
        self._log.seek(0)
        return " ".join(self._log.read().decode("utf-8", "replace").split())[-300:]

    def end(self) -> None:
        self._orders.close()
        self._process.kill()
        self._process.wait()
        self._log.close()


class _Worker:
    """A worker, as the grader sees it: an end of its line."""

    def __init__(self, nursery: _Nursery, work: "Work", core: int) -> None:
        self.line = nursery.line()
        self.work = work
        self.core = core
        self.taken = 0
        self.has_ended = False
        self._send((work, core))

    def take(self, submission: "Submission", address: "Address") -> None:
        self.began = time.monotonic()
        self.taken += 1
        self._send((submission, address))

    def outcome(self) -> "Outcome":
        """What it made of the submission that it took; waits for it."""
        try:
            outcome: Outcome = self.line.recv()
            return outcome
        except (EOFError, OSError):
            self.end()
            return SandboxError("its worker ended (is memory exhausted?)")

    def give_up(self, submission: "Submission", seconds: float) -> InputError:
        """End it, whatever it is doing, and say of the submission that it took that long."""
        self.end()
        return InputError(
            f"{submission.path}: was not graded within {seconds:g} s and was stopped; look into the notebook for what "
            "holds up the grader, or allow more with --limit wall"
        )

    def end(self) -> None:
        self.has_ended = True
        self.line.close()

    def _send(self, what: object) -> None:
        with contextlib.suppress(OSError):  # that it has ended shows when its outcome is asked for
            self.line.send(what)
