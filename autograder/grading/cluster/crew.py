"""A crew on a Dask cluster: its workers grade as one machine does, and Dask hands them the submissions.

A task, which the scheduler sees, holds one submission and nothing else. What it is graded by has gone to each worker
over a line of its own: see members.py.
"""

import asyncio
import contextlib
import itertools
import logging
import math
import pickle
import secrets
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

import dask.config
from distributed import Client, Future, KilledWorker, Security
from distributed.comm import connect
from distributed.core import send_recv

from autograder.errors import InputError, SandboxError
from autograder.grading.cluster.members import Answer, Members, is_private
from autograder.grading.cluster.worker import graded
from autograder.grading.crews import PATIENCE, CrewError, Outcome, Work
from autograder.grading.grading import Grading
from autograder.results.text import one_line

if TYPE_CHECKING:
    from autograder.grading.submissions import Submission

Task: TypeAlias = "Future[tuple[str, Outcome]]"

ANSWER_SECONDS = 20.0  # for the scheduler
GATHER_SECONDS = 60.0  # for one result
NO_WORKER_SECONDS = 60.0  # for a worker to come if there is none
LOOK_SECONDS = 1.0  # between two looks at who is there
TRIES = 2  # for a submission, each on another worker, which itself tries several times
MOST_LOST = 3  # times that a submission goes down with its workers, the last time alone: then it is to blame
MOST_FAULTS = 3  # of a worker, one after the other
AHEAD = 2  # submissions for each thread, so that the next is there when one is done


@dataclass(frozen=True)
class _Flight:
    """A submission that one of these workers grades, or is going to. So often it was `lost`, with all who might."""

    submission: "Submission"
    tries: int = 1
    workers: frozenset[str] = frozenset()
    lost: int = 0

    @property
    def goes_alone(self) -> bool:
        """Whether it may be what ends workers, so that others would be lost with it."""
        return self.lost == MOST_LOST - 1


class DaskCrew:
    """`with DaskCrew("tls://host:8786", grading, notes) as crew:` submissions are graded by the workers of a cluster.

    Only workers whose code and libraries are those of this process get work; the others are named in `notes`. Each
    grades as many at once as it has threads. Entering raises InputError if no scheduler answers at the address, or if
    others could read what is sent there.
    """

    def __init__(self, address: str, grading: Grading, notes: list[str]) -> None:
        self._address = address if "://" in address else f"tcp://{address}"
        self._grading = grading
        self._notes = notes
        self._name = f"fixmelab-{secrets.token_hex(4)}"
        self._numbers = itertools.count()
        self._events: SimpleQueue[Any] = SimpleQueue()  # tasks that have ended, and answers of workers

    def __enter__(self) -> "DaskCrew":
        if not is_private(self._address):
            raise InputError(
                f"--dask {self._address}: is neither encrypted nor on this machine, so that others could read the "
                "course's key on its way; give a tls:// address (docs/cluster.md)"
            )
        for name in ("distributed", "distributed.client", "distributed.core"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what is wrong is said here, in one line
        warnings.filterwarnings("ignore", module="distributed")
        try:
            asyncio.run(_require_scheduler(self._address))  # a Client that cannot start takes long to end
            self._client = Client(
                self._address, timeout=ANSWER_SECONDS, set_as_default=False, direct_to_workers=True, name=self._name
            )
        except Exception as error:  # Dask raises what it likes: bad address, no answer, no certificate
            raise InputError(
                f"--dask {self._address}: no scheduler answers there ({one_line(str(error), 200)}); "
                "start one, or mend the address"
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self._client.close(timeout=2)

    def wait(self) -> None:
        """As AnyCrew says: the workers have started, elsewhere."""

    def outcomes(
        self,
        work: Work,
        submissions: Iterable["Submission"],
        seconds: float = math.inf,
        until: float = math.inf,
        *,
        more: "Callable[[], Submission | None] | None" = None,
    ) -> Iterator[tuple["Submission", Outcome]]:
        """As AnyCrew says. A submission is taken from `submissions` when a worker has room for it: how many are on
        their way depends on the cluster, and not on the class."""
        order = pickle.dumps((work, seconds))
        members = Members(self._client, self._name, self._grading, order, tell=self._events.put)
        waiting, flying = _Waiting(submissions), dict["Task", _Flight]()
        look_at, seen_at = 0.0, time.monotonic()
        try:
            while (waiting or flying or more) and (now := time.monotonic()) < until:
                if now >= look_at:
                    look_at = now + LOOK_SECONDS
                    self._look_around(members)
                for task in [task for task, flight in flying.items() if not flight.workers & members.ready.keys()]:
                    task.cancel()
                    flight = flying.pop(task)
                    if error := waiting.note_lost(flight):
                        yield flight.submission, error
                room = AHEAD * sum(member.threads for member in members.ready.values()) - len(flying)
                while room > 0 and not any(flight.goes_alone for flight in flying.values()):
                    if more and not waiting and (arrived := more()):
                        waiting.add(arrived)
                    if not waiting or (flying and waiting.goes_alone):
                        break
                    flight = waiting.take(members.ready)
                    flying[self._task(flight)] = flight
                    room -= 1
                seen_at = now if members.ready or members.joining else seen_at
                self._require_hope(members, now - seen_at)
                look_until = min(look_at, until, now + PATIENCE if more and room > 0 else math.inf)
                try:
                    event = self._events.get(timeout=max(look_until - time.monotonic(), 0.0))
                except Empty:
                    continue
                if isinstance(event, Answer):
                    members.note(event)
                elif event in flying:
                    flight = flying.pop(event)
                    by, outcome = _result(event, flight.submission)
                    if outcome is None:
                        if error := waiting.note_lost(flight):
                            yield flight.submission, error
                    elif self._is_tried_again(members, by, outcome, flight):
                        waiting.put_back(replace(flight, tries=flight.tries + 1), avoid=by)
                    else:
                        yield flight.submission, outcome
        finally:
            for task in flying:
                task.cancel()
            members.close()
            self._notes += [f"given no work: {line}" for line in members.refusals()]

    def _task(self, flight: _Flight) -> Task:
        """A task that is for the flight's workers alone. Its end is an event."""
        key = f"{self._name}-{next(self._numbers)}"  # says nothing of whose it is
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):
            task: Task = self._client.submit(
                graded, self._name, flight.submission, key=key, workers=list(flight.workers), pure=False
            )
        task.add_done_callback(self._events.put)
        return task

    def _look_around(self, members: Members) -> None:
        """Raises CrewError if the scheduler is gone."""
        try:
            if self._client.status != "running":
                raise ConnectionError
            members.look_around()
        except Exception:
            raise CrewError(f"the scheduler at {self._address} is gone; what is done is kept") from None

    def _require_hope(self, members: Members, seconds: float) -> None:
        """Raises CrewError if no worker can grade, and none may be expected, or none has been there for so long."""
        if members.ready or members.joining or (members.had_any and seconds < NO_WORKER_SECONDS):
            return
        if lines := "; ".join(members.refusals()):
            members.refused.clear()
            raise CrewError(f"no worker of {self._address} can grade: {lines}")
        if seconds >= NO_WORKER_SECONDS:
            raise CrewError(f"{self._address} has no workers; start some (docs/cluster.md)")

    def _is_tried_again(self, members: Members, by: str, outcome: Outcome, flight: _Flight) -> bool:
        """Whether a submission that met a fault on a worker is tried elsewhere. A worker that makes nothing but faults
        is sent away."""
        member = members.ready.get(by)
        if not isinstance(outcome, SandboxError):
            if member:
                member.faults = 0
            return False
        if member:
            member.faults += 1
            if isinstance(outcome, CrewError) or member.faults >= MOST_FAULTS:
                members.refuse(by, one_line(str(outcome), 300))
        return bool(by) and flight.tries < TRIES


async def _require_scheduler(address: str) -> None:
    """Raises whatever Dask does if no scheduler can be reached at the address."""
    line = await connect(address, timeout=ANSWER_SECONDS, **Security().get_connection_args("client"))
    try:
        kind = (await send_recv(line, op="identity", reply=True))["type"]
    finally:
        line.abort()
    if kind != "Scheduler":
        raise ConnectionError(f"that is a {kind}")


def _result(task: Task, submission: "Submission") -> "tuple[str, Outcome | None]":
    """By whom a submission was graded, and the outcome; None if it has been lost on its way."""
    if task.status in ("cancelled", "lost"):
        return "", None
    try:
        return task.result(timeout=GATHER_SECONDS)
    except (KilledWorker, asyncio.CancelledError, asyncio.TimeoutError, TimeoutError):
        return "", None
    except Exception as error:
        return "", SandboxError(f"{submission.path}: {type(error).__name__}: {one_line(str(error), 200)}")


class _Waiting:
    """Submissions that no worker has; true if there are any. Of the fresh ones no more than one is held, and what was
    lost comes behind them."""

    def __init__(self, submissions: Iterable["Submission"]) -> None:
        self._fresh = iter(submissions)
        self._held: deque[tuple[_Flight, str]] = deque()
        self._lost: deque[tuple[_Flight, str]] = deque()

    def __bool__(self) -> bool:
        if not self._held:
            self._held.extend((_Flight(submission), "") for submission in itertools.islice(self._fresh, 1))
        if not self._held and self._lost:
            self._held.append(self._lost.popleft())
        return bool(self._held)

    @property
    def goes_alone(self) -> bool:
        """Whether the next one does, of which there must be one."""
        return self._held[0][0].goes_alone

    def add(self, submission: "Submission") -> None:
        self._held.append((_Flight(submission), ""))

    def put_back(self, flight: _Flight, avoid: str = "") -> None:
        self._held.append((flight, avoid))

    def note_lost(self, flight: _Flight) -> SandboxError | None:
        """Take back what was lost on its way, or with its workers; an error if that was too often."""
        if flight.goes_alone:
            path = flight.submission.path
            return SandboxError(f"{path}: {MOST_LOST} times each worker that had it ended (is memory exhausted?)")
        self._lost.append((replace(flight, lost=flight.lost + 1), ""))
        return None

    def take(self, workers: Iterable[str]) -> _Flight:
        """The next one, for these workers, but for the one to avoid if there are others."""
        flight, avoid = self._held.popleft()
        all_of_them = frozenset(workers)
        return replace(flight, workers=(all_of_them - {avoid}) or all_of_them)
