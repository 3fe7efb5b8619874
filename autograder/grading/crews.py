"""What a run asks of its crew, whether that is workers on this machine or those of a cluster."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeAlias

from autograder.errors import InputError, SandboxError

# Late, as in run.py.
if TYPE_CHECKING:
    from autograder.grading.submissions import Submission
    from autograder.results.model import Record
    from autograder.sandbox.zygote import Address

Outcome: TypeAlias = "Record | InputError | SandboxError"
Work: TypeAlias = "Callable[[Submission, Address], Record]"


PATIENCE = 0.1  # seconds between two looks for what has arrived, if a worker is free


class CrewError(SandboxError):
    """Nothing works any more; no submission is to blame."""


class AnyCrew(Protocol):
    """Grades submissions side by side."""

    def wait(self) -> None:
        """Return when it has started: until then, all that this process does would delay the first result."""

    def outcomes(
        self,
        work: "Work",
        submissions: Iterable["Submission"],
        seconds: float = math.inf,
        until: float = math.inf,
        *,
        more: "Callable[[], Submission | None] | None" = None,
    ) -> Iterator[tuple["Submission", "Outcome"]]:
        """What `work`, called in the workers, makes of each submission, in the order in which they are ready.

        A submission that meets a SandboxError, or whose worker ends, is tried again after the others; if all tries
        fail, its outcome is that error. One that takes longer than `seconds` is ended, and its outcome is a line that
        says so. At `until`, by the monotonic clock, all work is ended, and what is not done has no outcome. Raises
        CrewError if nothing works any more.

        With `more` there is no other end: it is asked for another submission whenever a worker is free, and gives None
        if there is none at the moment; what it raises ends all work.
        """
