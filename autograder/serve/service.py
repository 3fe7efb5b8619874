"""What the server's parts share, and what each request does: in a transaction of its own."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timezone, tzinfo
from typing import NamedTuple

from pydantic_core import from_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.errors import InputError
from autograder.points.extending import extend
from autograder.points.late import shown
from autograder.results.text import one_line
from autograder.serve import changing, queue, telling
from autograder.serve.database import Database
from autograder.serve.doors import LiveRules, doors, set_doors
from autograder.serve.receiving import Notebook, RefusedError, receive
from autograder.serve.regrading import RegradingNow, ask, discard, let_count, put_in_place, regrading
from autograder.serve.sources import Source
from autograder.serve.tables import Student
from autograder.serve.together import Together
from autograder.serve.tokens import Person, person_of
from fixmelab import notebooks


class AssignmentTold(NamedTuple):
    """An assignment as a student finds it: whether they may hand in, and in words why not, or until when."""

    name: str
    is_open: bool
    line: str


@dataclass
class Service:
    """The assignments that are served, their rules, the database and the course's key. `arrived` is set when something
    has come into the queue, `read_anew` when the checks are to be read once more; `trouble` is a line on why nothing is
    graded at the moment, for instructors; `sources` are those of the assignments, as they are graded by."""

    database: Database
    rules: LiveRules
    assignments: list[str]
    key: bytes = field(repr=False)
    clock: Callable[[], float] = time.time
    arrived: threading.Event = field(default_factory=threading.Event)
    read_anew: threading.Event = field(default_factory=threading.Event)
    trouble: str = ""
    sources: dict[str, Source] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._together = Together(self.database)

    def person(self, token: str) -> Person | None:
        with self.database.reading() as session:
            return person_of(session, token)

    @property
    def zone(self) -> tzinfo:
        """The course's time zone, in which people read times."""
        return self.rules.of(self.assignments[0]).file.time_zone or timezone.utc

    def require(self, assignment: str) -> None:
        """Raise RefusedError for an assignment that is not served."""
        if assignment not in self.assignments:
            raise RefusedError(404, f"there is no such assignment here; there are: {', '.join(self.assignments)}")

    def receive(self, person: Person, assignment: str, data: bytes) -> tuple[telling.SubmissionTold, bool]:
        """Receive a notebook's bytes; once this returns they are on disk, and in the queue. Says whether they are new.

        Raises RefusedError if it is no notebook, the doors are closed, or there were too many tries.
        """
        self.require(assignment)
        now = self.clock()  # when it had arrived, however long others' take to be written
        try:
            notebooks.require_notebook(data, quick=from_json)
        except notebooks.NotebookError as error:
            raise RefusedError(422, one_line(f"what you sent {error}", 300)) from None
        sent, rules = Notebook.of(data), self.rules.of(assignment)
        place = self._together.write(lambda session: receive(session, rules, person, sent, now))
        if place is None:
            return self.submission(person, assignment, sent.digest), False
        self.arrived.set()
        return telling.told_of_queued(self.key, person.account, assignment, sent.digest, now, place), True

    def submission(
        self, person: Person, assignment: str, digest: str, *, of: str | None = None
    ) -> telling.SubmissionTold:
        """One submission of the student, or for an instructor `of` a student. Raises RefusedError if there is none."""
        for found in self.history(person, assignment, of=of):
            if found.digest == digest:
                return found
        raise RefusedError(404, "there is no such submission of yours" if of is None else "there is no such submission")

    def history(self, person: Person, assignment: str, *, of: str | None = None) -> list[telling.SubmissionTold]:
        """The submissions of the student, or for an instructor `of` a student, the last first."""
        self.require(assignment)
        with self.database.reading() as session:
            id = self._whose(session, person, of)
            mine = telling.history(session, id, assignment)
            return telling.told_history(
                session,
                self.rules.of(assignment),
                self.key,
                mine,
                self.hints(assignment),
                all=person.is_instructor,
            )

    def changed(
        self, person: Person, assignment: str, digest: str, *, of: str | None = None
    ) -> dict[str, list[changing.Line]]:
        """What the student, or for an instructor `of` a student, changed in their answers since the graded try before,
        by name of the exercise."""
        source = self.sources.get(assignment)
        if source is None:
            return {}
        with self.database.reading() as session:
            id = self._whose(session, person, of)
            return changing.changed_answers(session, id, assignment, digest, source.outline)

    def hints(self, assignment: str) -> telling.Hints:
        """The hints of an assignment, by name of the exercise."""
        found = self.sources.get(assignment)
        return found.hints if found else {}

    def standing(self, person: Person) -> list[AssignmentTold]:
        """Each assignment as a student finds it now."""
        found = []
        with self.database.reading() as session:
            for name in self.assignments:
                state = doors(session, self.rules.of(name), person.account, self.clock())
                until = f"open until {shown(state.closes)}" if state.closes else "open"
                found.append(AssignmentTold(name, state.is_open, until if state.is_open else state.why))
        return found

    def set_doors(self, assignment: str, *, is_open: bool) -> None:
        """Close an assignment for everybody, or let course.toml decide again."""
        self.require(assignment)
        with self.database.writing() as session:
            set_doors(session, assignment, self.clock(), is_open=is_open)

    def dates(self, assignment: str, account: str) -> tuple[datetime | None, datetime | None]:
        """When a student's work is due, and when the doors close for them; None if there is no such date."""
        file = self.rules.of(assignment).file
        return file.due(assignment, account), file.closes(assignment, account)

    def extend(self, assignment: str, account: str, until: str) -> None:
        """Write an extension of a student into course.toml; a date is the end of its day. Raises RefusedError if it is
        no date, or the file would not be sound with it."""
        self.require(assignment)
        with self.database.reading() as session:
            self._require_student(session, account)
        note = f"given on the page, {shown(datetime.fromtimestamp(self.clock(), self.zone))}"
        try:
            extend(assignment, account, _date(until), note)
        except InputError as error:
            raise RefusedError(422, one_line(str(error), 300)) from None

    def grade_faults_again(self, assignment: str) -> None:
        """Put all back into the queue on which the grader failed."""
        self.require(assignment)
        with self.database.writing() as session:
            queue.requeue_faults(session, assignment)
        self.arrived.set()

    def regrading(self, assignment: str) -> RegradingNow:
        """How far grading everything again has come, and who would have another result."""
        self.require(assignment)
        with self.database.reading() as session:
            return regrading(session, self.rules.of(assignment))

    def regrade(self, assignment: str) -> None:
        """Read the checks anew, and grade again all that is graded; what that comes to counts once it is applied."""
        self.require(assignment)
        self.put_in_place()
        self.read_anew.set()  # first, so that nothing is graded again by the checks as they were
        with self.database.writing() as session:
            ask(session, assignment, self.clock())
        self.arrived.set()

    def settle_regrading(self, assignment: str, *, is_to_count: bool) -> None:
        """Have what was graded again count from now on, or forget it. Raises RefusedError if not all is graded."""
        self.require(assignment)
        self.put_in_place()
        with self.database.writing() as session:
            if is_to_count:
                let_count(session, assignment, self.clock())
            else:
                discard(session, assignment)
        self.put_in_place()

    def put_in_place(self) -> None:
        """Finish what was let count, also by a server that ended in the middle of it."""
        while self._together.write(lambda session: put_in_place(session, self.assignments)):
            pass

    def _whose(self, session: Session, person: Person, of: str | None) -> int:
        assert of is None or person.is_instructor
        id = person.student_id if of is None else self._require_student(session, of)
        assert id is not None
        return id

    @staticmethod
    def _require_student(session: Session, account: str) -> int:
        """The number of a student. Raises RefusedError if nobody on the roster is called that."""
        id = session.scalar(select(Student.id).where(Student.account == account)) if account.isprintable() else None
        if id is None:
            raise RefusedError(404, "there is no such student on the roster")
        return id


def _date(text: str) -> date | datetime:
    """A date, or a time, in ISO 8601. Raises RefusedError if it is none, or far from today."""
    with contextlib.suppress(ValueError):
        found = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        if 2000 <= found.year <= 2100:
            return found
    raise RefusedError(422, "until when? write a date, as 2026-12-04, or a time, as 2026-12-04T18:00")


def require_roster(database: Database) -> None:
    """Raise InputError if nobody could hand in."""
    with database.reading() as session:
        if session.scalar(select(Student.id).limit(1)) is None:
            raise InputError("nobody is enrolled yet; give --roster FILE, a CSV file with the columns student and name")
