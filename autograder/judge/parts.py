"""Parts of an exercise: each is worth points of its own, and one that is wrong does not cost the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from autograder.judge.verdict import AnswerRaised, ExpectationFailed
from fixmelab.judged.wire import WireError

Failure = ExpectationFailed | AnswerRaised


class Parts:
    """What the parts of an exercise have come to in one run of its check.

    `worths` gives the points of each by its name; `on_lost` is told what a part is lost to.
    """

    def __init__(self, worths: Mapping[str, float], on_lost: Callable[[Failure], None]) -> None:
        self._worths = worths
        self._on_lost = on_lost
        self._open: str | None = None
        self._compared: set[str] = set()
        self._lost: set[str] = set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, `part` and expectations speak of these parts."""
        before = _parts.set(self)
        try:
            yield
        finally:
            _parts.reset(before)

    @contextmanager
    def judging(self, name: str) -> Iterator[None]:
        """Inside, the part of that name is judged; a failure ends it and is told, but does not end the check."""
        if name not in self._worths:
            raise RuntimeError(f"the exercise declares no part {name!r}: name it in @exercise(…, parts=…)")
        if self._open is not None:
            raise RuntimeError(f"the part {name!r} stands inside of {self._open!r}: parts follow each other")
        self._open = name
        try:
            yield
        except (ExpectationFailed, AnswerRaised) as failure:
            if isinstance(failure, AnswerRaised) and failure.is_unfilled:
                raise  # an answer that is not there yet has no parts
            self.lose()
            self._on_lost(failure)
        except WireError:
            raise  # the session is over
        except Exception:
            if name not in self._lost:  # else the check computes on with wrong numbers, in a part that is lost anyway
                raise
        finally:
            self._open = None

    def compare(self) -> None:
        """Something is compared: in the part that is being judged, or for all."""
        if self._open is not None:
            self._compared.add(self._open)

    def lose(self) -> None:
        """The part that is being judged is not right; all are not, if that shows outside of the parts."""
        self._lost |= set(self._worths) if self._open is None else {self._open}

    def require_all(self) -> None:
        """Raise RuntimeError for a part in which nothing was compared, though none is lost."""
        if unjudged := [] if self._lost else [name for name in self._worths if name not in self._compared]:
            raise RuntimeError(f"the check compares nothing in its part {unjudged[0]!r}")

    def earned(self) -> tuple[float, str]:
        """The points of the parts that are right, once the check has come to its end, and a sentence on them; 0 and
        nothing if none is."""
        right = [name for name in self._worths if name in self._compared - self._lost]
        if not right:
            return 0.0, ""
        points, most = _sum(self._worths[name] for name in right), _sum(self._worths.values())
        wrong = [name for name in self._worths if name not in right]
        of = f"{round(points, 2):g} of {round(most, 2):g} point{'' if most == 1 else 's'}"
        return points, f"{of}: for {_listed(right, 'and')}, but not for {_listed(wrong, 'or')}."


_parts: ContextVar[Parts | None] = ContextVar("parts", default=None)


@contextmanager
def part(name: str) -> Iterator[None]:
    """Judge one part of the exercise: `with part("the history"): …`, of those that `@exercise` names.

    What fails inside, an expectation or the answer itself, loses this part, and the check goes on with the next.
    A part may be judged several times, and is right if it is each time. What fails outside of all parts ends the check
    and loses them all, so what they share, such as the number of results, is looked at there. Nothing is earned either
    if the check does not come to its end, since the kernel dies, time runs out or a reply cannot be read, nor by an
    answer whose FIXME is not filled in.
    """
    parts = _parts.get()
    if parts is None:  # a check that is run by itself
        yield
        return
    with parts.judging(name):
        yield


def note_comparison() -> None:
    """Tell the parts of the check that is running, if any is, that an expectation is looked at."""
    if (parts := _parts.get()) is not None:
        parts.compare()


def _sum(points: Iterable[float]) -> float:
    """Three times 0.1 are 0.3, as people add."""
    return round(sum(points), 9)


def _listed(names: list[str], word: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
