"""The loop that grades what waits in the queue, by the crew and the sandbox of `autograder grade`."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from autograder.errors import InputError, SandboxError

# Late, so that the crew starts at once, and since workers import this module: see grading/workers.py.
if TYPE_CHECKING:
    from autograder.grading.crews import AnyCrew
    from autograder.grading.grading import Grading
    from autograder.grading.regrade import Regrading
    from autograder.results.model import Conditions, Record
    from autograder.sandbox.zygote import Address
    from autograder.serve.claimed import Claimed
    from autograder.serve.service import Service

LOOK_AFTER = 2.0  # seconds without a sign of something new


@dataclass(frozen=True)
class Refused:
    """A submission that is no notebook of its assignment: `line` says why, for its student."""

    line: str


class ReadAnewError(Exception):
    """The checks are to be read once more from where they lie, by a crew of its own."""


def grade_claimed(
    gradings: "Mapping[str, tuple[Grading, Regrading]]", claimed: "Claimed", zygote: "Address"
) -> "Record | Refused":
    """In a worker: grade a submission of whichever assignment."""
    from autograder.grading.regrade import record_of

    grading, regrading = gradings[claimed.assignment]
    try:
        return record_of(grading, regrading, claimed, zygote)
    except InputError as error:
        return Refused(str(error).removeprefix(f"{claimed.path}: "))


def digests_of(grading: "Grading", executed: "Mapping[str, Any]") -> dict[str, str]:
    """A digest of what was answered, by the exercise's id, of an executed notebook: comments and white space do not
    count, but code that the student has added anywhere does, since an answer may use it."""
    from autograder.reports.answers import added_code, answers_in
    from autograder.reports.work import outline

    found, added = answers_in(executed, outline(grading.source)), added_code(executed, grading.source)
    texts = {f"{grading.assignment}.{name}": f"{found.leaning(name)}\n{added}" for name in found.cells}
    return {id: hashlib.sha256(text.encode()).hexdigest() for id, text in texts.items()}


class Working:
    """Grades for a service, until something raises.

    `gradings` says how, by assignment, and `say` is told what an instructor should read in the terminal. After a crew
    has failed, `is_in_doubt`: the next one has to grade a source before it is given what students handed in.
    """

    def __init__(
        self,
        service: "Service",
        gradings: "Mapping[str, Grading]",
        say: Callable[[str], None] = lambda line: None,
        *,
        is_in_doubt: bool = False,
    ) -> None:
        from autograder.grading.digest import bases_of, conditions_of, digest_of
        from autograder.grading.regrade import Regrading
        from autograder.judge.uses import leans_of
        from autograder.serve.sources import source_of

        self._service = service
        self._gradings = gradings
        self._say = say
        self._look_at = 0.0
        self._is_in_doubt = is_in_doubt
        self._faults: list[Claimed] = []  # since the last that was graded
        self._digests = {name: partial(digests_of, grading) for name, grading in gradings.items()}
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

    def work(self, crew: "AnyCrew") -> None:
        """Grade whatever comes. Ends only by raising: CrewError if the crew can go on no longer, SQLAlchemyError if the
        database cannot, ReadAnewError if somebody has asked for that."""
        from autograder.grading.crews import CrewError
        from autograder.serve import queue

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

    def _trial(self) -> "Claimed":
        """A notebook that every crew can grade."""
        import nbformat

        from autograder.serve.claimed import Claimed

        name, grading = next(iter(self._gradings.items()))
        return Claimed(
            student="", path=f"{name}: its source", held=nbformat.writes(grading.source).encode(), assignment=name
        )

    def _next(self) -> "Claimed | None":
        """What has waited longest; the database is asked if something has arrived, and now and then."""
        from autograder.serve import queue

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

    def _settle(self, claimed: "Claimed", outcome: "Record | Refused | InputError | SandboxError") -> None:
        from sqlalchemy.exc import SQLAlchemyError

        from autograder.results.text import one_line
        from autograder.serve import queue

        answers: dict[str, str] = {}
        packed = None
        if not isinstance(outcome, Refused | InputError | SandboxError):
            try:
                answers = self._digests[claimed.assignment](json.loads(outcome.executed))
                with self._service.database.reading() as session:
                    packed = queue.Packed.of(session, claimed, outcome)
            except SQLAlchemyError:
                raise
            except Exception as error:  # whatever one notebook brings about, it ends the server for nobody
                outcome = SandboxError(f"{claimed.path}: its result cannot be kept ({type(error).__name__})")
        database = self._service.database
        if isinstance(outcome, Refused):
            with database.writing() as session:
                queue.refuse(session, claimed, outcome.line)
        elif isinstance(outcome, InputError | SandboxError):
            with database.writing() as session:
                queue.fail(session, claimed, str(outcome))
        else:
            assert packed is not None
            conditions = self._conditions[claimed.assignment]
            with database.writing() as session:
                queue.keep(session, claimed, outcome, packed, conditions, answers, self._service.clock())
        self._service.arrived.set()  # another of the same student's may have waited for this
        if not isinstance(outcome, InputError):  # that is the notebook's
            self._faults = [*self._faults, claimed] if isinstance(outcome, SandboxError) else []
        if isinstance(outcome, InputError | SandboxError):
            self._say(one_line(f"not graded: {outcome}", 500))
        elif not isinstance(outcome, Refused):
            for item in outcome.result.exercises:
                if item.verdict == "fault":
                    end = item.traceback.strip()[-300:]
                    self._say(one_line(f"{claimed.path}: the check of {item.id} failed: {end}", 500))
