"""The workers of a cluster that grade for a run: who is asked to, who may, and over what they get the work.

A line runs from the run's process to each worker, a Dask comm of its own, past the scheduler. Over it what decides
results is compared first; then the work travels, which holds the course's key. While the line is open, the worker
grades; when it closes, however the run's process ends, nothing of the run is left there.
"""

import asyncio
import contextlib
import ipaddress
import pickle
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from distributed import Client
from distributed.comm import Comm, connect
from distributed.core import send_recv

from autograder.errors import SandboxError
from autograder.grading.cluster.worker import Grades, about
from autograder.grading.grading import Grading
from autograder.results.comparing import WORDS, causes
from autograder.results.model import Conditions
from autograder.results.text import listed, one_line

CONNECT_SECONDS = 20.0
JOIN_SECONDS = 120.0  # for a worker, which imports the grader and starts a crew
MOST_NAMED = 6


@dataclass
class Member:
    """A worker that grades, as many submissions at once as it has threads. `faults` counts those since its last
    result."""

    threads: int
    line: Comm
    faults: int = 0


@dataclass(frozen=True)
class Answer:
    """What came of asking a worker to join: a line to it, or why there is none."""

    address: str
    threads: int
    line: Comm | None
    why: str = ""


class Members:
    """The workers that are `ready`, those that are `joining`, and why others are `refused`, by address. `had_any` says
    whether any has been ready.

    `order` is what they grade by, pickled; `tell` is called with each Answer, in another thread.
    """

    def __init__(
        self, client: Client, name: str, grading: Grading, order: bytes, *, tell: Callable[[Answer], None]
    ) -> None:
        self._client = client
        self._name = name
        self._bare = replace(grading, key=b"", exercises=None, others={})
        self._ours = about(self._bare)
        self._order = order
        self._tell = tell
        self._is_closed = False
        self._cores: Counter[str] = Counter()  # that workers have been given, by host
        self.ready: dict[str, Member] = {}
        self.joining: set[str] = set()
        self.refused: dict[str, str] = {}
        self.had_any = False

    def look_around(self) -> None:
        """See which workers there are, and ask those who are new to join. Raises OSError if the scheduler is gone."""
        there = self._client.scheduler_info(n_workers=-1)["workers"]
        for address in [item for item, member in self.ready.items() if item not in there or member.line.closed()]:
            self.leave(address)
        for address, info in sorted(there.items()):
            if info["status"] != "running" or address in {*self.ready, *self.joining, *self.refused}:
                continue
            # Workers on one host do not take the same cores.
            first_core, threads = self._cores[info["host"]], info["nthreads"]
            self._cores[info["host"]] += threads
            self.joining.add(address)
            self._in_loop(self._join, address, threads, first_core)

    def note(self, answer: Answer) -> None:
        self.joining.discard(answer.address)
        if answer.line is None:
            self.refused[answer.address] = answer.why
        else:
            self.had_any = True
            self.ready[answer.address] = Member(answer.threads, answer.line)

    def refuse(self, address: str, why: str) -> None:
        self.leave(address)
        self.refused[address] = why

    def leave(self, address: str) -> None:
        self._in_loop(self.ready.pop(address).line.abort)

    def close(self) -> None:
        """Leave all of them, those that are just joining, too."""
        self._is_closed = True
        for address in list(self.ready):
            self.leave(address)

    def refusals(self) -> Iterator[str]:
        """A line for each reason why workers get no work."""
        addresses = defaultdict(list)
        for address, why in sorted(self.refused.items()):
            addresses[why].append(address)
        return (f"{listed(same, MOST_NAMED)}: {why}" for why, same in addresses.items())

    def _in_loop(self, action: Callable[..., Any], *arguments: object) -> None:
        """Have the client's own thread do this, which alone may use lines."""
        if loop := self._client.loop:
            loop.add_callback(action, *arguments)

    async def _join(self, address: str, threads: int, first_core: int) -> None:
        line, why = None, ""
        try:
            line = await asyncio.wait_for(self._hand_over(address, first_core), JOIN_SECONDS)
        except (asyncio.TimeoutError, TimeoutError):
            why = f"does not answer within {JOIN_SECONDS:g} s"
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            why = f"has another version of this package, or none ({one_line(str(error), 200)})"
        except Exception as error:
            why = one_line(str(error) or type(error).__name__, 300)
        if line and self._is_closed:
            line.abort()
        self._tell(Answer(address, threads, line, why))

    async def _hand_over(self, address: str, first_core: int) -> Comm:
        """A line to a worker, over which it has got the work. Raises SandboxError if it must not get it."""
        if not is_private(address):
            raise SandboxError("is neither encrypted nor on this machine: start it with tls:// (docs/cluster.md)")
        line: Comm = await connect(address, timeout=CONNECT_SECONDS, **self._client.connection_args)
        try:
            await send_recv(line, op="plugin-add", name=self._name, plugin=pickle.dumps(Grades(self._name)))
            await line.write({"op": self._name, "grading": pickle.dumps(self._bare)})
            if different := differences(self._ours, _accepted(await line.read())):
                raise SandboxError(f"{different}; install there what is here")
            await line.write({"work": self._order, "first_core": first_core})
            _accepted(await line.read())
        except BaseException:
            line.abort()
            raise
        return line


def is_private(address: str) -> bool:
    """Whether what is sent to an address is encrypted, or stays on this machine."""
    scheme, _, place = address.partition("://")
    host = place.rpartition(":")[0].strip("[]")
    with contextlib.suppress(ValueError):
        return scheme == "tls" or ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """What decides results and is not the same on a worker, in words; "" if all is."""
    versions = [
        f"{name} is {theirs['libraries'].get(name, 'absent')} there and {version} here"
        for name, version in ours["libraries"].items()
        if theirs["libraries"].get(name) != version
    ]
    parts = causes(Conditions(**ours["conditions"]), Conditions(**theirs["conditions"]))
    return ", ".join([*versions, *(f"{part} is not the same" for part in parts if part != WORDS["library"])])


def _accepted(answer: dict[str, Any]) -> dict[str, Any]:
    """What a worker answers. Raises SandboxError if it says that it cannot grade."""
    if "refused" in answer:
        raise SandboxError(str(answer["refused"]))
    return answer
