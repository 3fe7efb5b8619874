"""What course.toml lets students do at a moment. The files are read anew when they change, without a restart."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder import course
from autograder.errors import InputError
from autograder.points import course_file, ledger, times
from autograder.points.late import shown
from autograder.points.rules import Rules, read_rules
from autograder.serve.tables import Event, table_of

CLOSED, OPENED = "doors closed", "doors opened"
_FILES = (course_file.NAME, ledger.NAME, times.NAME)


@dataclass(frozen=True)
class Doors:
    """Whether a student may hand in now: `why` is one line if not. `closes` is the end, None if there is none."""

    is_open: bool
    why: str
    closes: datetime | None


class LiveRules:
    """The rules of each assignment. If a file that changed is wrong, what held before holds on, and `problem` says what
    is wrong. Raises InputError if they are wrong at the start."""

    def __init__(self, assignments: Iterable[str]) -> None:
        self._names = list(assignments)
        self._lock = threading.Lock()
        self._state = self._seen()
        self._rules = {name: read_rules(name) for name in self._names}
        self.problem = ""

    def of(self, assignment: str) -> Rules:
        with self._lock:
            state = self._seen()
            if state != self._state:
                self._state = state
                try:
                    self._rules = {name: read_rules(name) for name in self._names}
                    self.problem = ""
                except InputError as error:
                    self.problem = str(error)
            return self._rules[assignment]

    def _seen(self) -> list[tuple[int, int] | None]:
        found: list[tuple[int, int] | None] = []
        for name in _FILES:
            try:
                state = (course.ROOT / name).stat()
                found.append((state.st_mtime_ns, state.st_size))
            except OSError:
                found.append(None)
        return found


def doors(session: Session, rules: Rules, student: str, now: float) -> Doors:
    """Whether a student may hand in now, by course.toml and by what an instructor has done on the page."""
    name, moment = rules.assignment, datetime.fromtimestamp(now, timezone.utc)
    opens, closes = rules.file.opens(name), rules.file.closes(name, student)
    if are_closed(session, name):
        return Doors(False, f"{name} is closed at the moment; ask your instructor", closes)
    if opens and moment < opens:
        return Doors(False, f"{name} opens {shown(opens)}", closes)
    if closes and moment > closes:
        return Doors(False, f"{name} closed {shown(closes)}; ask your instructor for an extension", closes)
    return Doors(True, "", closes)


def are_closed(session: Session, assignment: str) -> bool:
    """Whether an instructor has closed the doors of an assignment, and not opened them since."""
    columns = table_of(Event).c
    last = session.scalar(
        select(columns.kind)
        .where(columns.assignment == assignment, columns.kind.in_((CLOSED, OPENED)))
        .order_by(columns.id.desc())
        .limit(1)
    )
    return last == CLOSED


def set_doors(session: Session, assignment: str, now: float, *, is_open: bool) -> None:
    """Close the doors of an assignment for everybody, or let course.toml decide again."""
    if are_closed(session, assignment) == is_open:
        session.add(Event(at=now, assignment=assignment, kind=OPENED if is_open else CLOSED))
