"""The loop that grades what waits in the queue, by the crew and the sandbox of `autograder grade`."""

import time
from collections.abc import Callable, Mapping
from functools import partial

import nbformat

from autograder.errors import InputError, SandboxError
from autograder.grading.crews import AnyCrew, CrewError
from autograder.grading.digest import bases_of, conditions_of, digest_of
from autograder.grading.grading import Grading
from autograder.grading.regrade import Regrading
from autograder.judge.uses import leans_of
from autograder.results.model import Conditions
from autograder.results.text import one_line
from autograder.serve import queue
from autograder.serve.claimed import Claimed
from autograder.serve.graded import Made, Refused, grade_claimed
from autograder.serve.service import Service
from autograder.serve.sources import source_of

LOOK_AFTER = 2.0  # seconds without a sign of something new


class ReadAnewError(Exception):
    """The checks are to be read once more from where they lie, by a crew of its own."""


class Working:
    """Grades for a service, until something raises.

    `gradings` says how, by assignment, and `say` is told what an instructor should read in the terminal. After a crew
    has failed, `is_in_doubt`: the next one has to grade a source before it is given what students handed in.
    """

    def __init__(
        self,
        service: Service,
        gradings: Mapping[str, Grading],
        say: Callable[[str], None] = lambda line: None,
        *,
        is_in_doubt: bool = False,
    ) -> None:
        self._service = service
        self._gradings = gradings
        self._say = say
        self._look_at = 0.0
        self._is_in_doubt = is_in_doubt
        self._faults: list[Claimed] = []  # since the last that was graded
        service.sources = {name: source_of(grading.source) for name, grading in gradings.items()}
        found = {name: conditions_of(grading) for name, grading in gradings.items()}
        self._conditions: dict[str, tuple[str, Conditions]] = {
            name: (digest_of(conditions), conditions) for name, conditions in found.items()
        }
        self._both = {
            name: (
                grading,
                Regrading(self._conditions[name][0], bases_of(grading, found[name]), leans_of(grading.source)),
            )
            for name, grading in gradings.items()
        }

    def work(self, crew: AnyCrew) -> None:
        """Grade whatever comes. Ends only by raising: CrewError if the crew can go on no longer, SQLAlchemyError if the
        database cannot, ReadAnewError if somebody has asked for that."""
        work = partial(grade_claimed, self._both)
        first = [self._trial()] if self._is_in_doubt else []
        if not first:
            self._service.trouble = ""
        try:
            for claimed, outcome in crew.outcomes(work, first, self._seconds(), more=self._next):  # type: ignore[arg-type]  # Refused
                self._require_checks_as_they_are()
                if self._is_in_doubt:
                    if isinstance(outcome, InputError | SandboxError):
                        raise CrewError(str(outcome))
                    self._is_in_doubt, self._service.trouble = False, ""
                else:
                    self._settle(claimed, outcome)  # type: ignore[arg-type]  # as `_next` gave it
        except CrewError:
            with self._service.database.writing() as session:
                queue.requeue_blameless(session, self._faults)
            raise

    def _seconds(self) -> float:
        return max(grading.limits.submission for grading in self._gradings.values())

    def _trial(self) -> Claimed:
        """A notebook that every crew can grade."""
        name, grading = next(iter(self._gradings.items()))
        return Claimed(
            student="", path=f"{name}: its source", held=nbformat.writes(grading.source).encode(), assignment=name
        )

    def _next(self) -> Claimed | None:
        """What has waited longest; the database is asked if something has arrived, and now and then."""
        self._require_checks_as_they_are()
        if self._is_in_doubt:
            return None
        arrived = self._service.arrived
        if not arrived.is_set() and time.monotonic() < self._look_at:
            return None
        arrived.clear()
        with self._service.database.writing() as session:
            found = queue.claim(session, self._service.assignments)
        if found:
            arrived.set()  # there may be more
        self._look_at = time.monotonic() + LOOK_AFTER
        return found

    def _require_checks_as_they_are(self) -> None:
        if self._service.read_anew.is_set():
            raise ReadAnewError

    def _settle(self, claimed: Claimed, made: Made) -> None:
        with self._service.database.writing() as session:
            if isinstance(made, Refused):
                queue.refuse(session, claimed, made.line)
            elif isinstance(made, InputError | SandboxError):
                queue.fail(session, claimed, str(made))
            else:
                conditions = self._conditions[claimed.assignment]
                queue.keep(session, claimed, made, conditions, self._service.clock())
        self._service.arrived.set()  # another of the same student's may have waited for this
        if not isinstance(made, InputError):  # that is the notebook's
            self._faults = [*self._faults, claimed] if isinstance(made, SandboxError) else []
        if isinstance(made, InputError | SandboxError):
            self._say(one_line(f"not graded: {made}", 500))
        elif not isinstance(made, Refused):
            for item in made.record.result.exercises:
                if item.verdict == "fault":
                    end = item.traceback.strip()[-300:]
                    self._say(one_line(f"{claimed.path}: the check of {item.id} failed: {end}", 500))
