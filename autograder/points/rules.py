"""All that decides points beside the verdicts: course.toml, adjustments.csv and times.csv, read together."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from autograder import course
from autograder.errors import InputError
from autograder.points import course_file, ledger
from autograder.points.course_file import Attempt, CourseFile, read_course_file
from autograder.points.late import Lateness, lateness
from autograder.points.ledger import Adjustment, read_ledger
from autograder.points.times import Times, parsed, read_times
from autograder.results.model import SubmissionResult
from autograder.results.reading import read_results


@dataclass(frozen=True)
class Rules:
    """What holds for one assignment. `text` is that of course.toml, for its lines; `folder` is where it lies, None if
    the results of other assignments are not there."""

    assignment: str
    file: CourseFile = field(default_factory=CourseFile)
    ledger: list[Adjustment] = field(default_factory=list)
    times: Times = field(default_factory=dict)
    text: str = ""
    folder: Path | None = course.ROOT

    @property
    def has_due_date(self) -> bool:
        return self.file.of(self.assignment).due is not None

    def require_exercises(self, names: Collection[str]) -> None:
        """Raise InputError for an exercise that is named and is none of these."""
        ledger.require_exercises(self.ledger, self.assignment, names)
        course_file.require_exercises(self.file, self.text, self.assignment, names)

    def names(self, student: str) -> bool:
        """Whether anything here is about this student in particular."""
        own = self.file.of(self.assignment)
        keys = [*own.extensions, *own.excused, *(row.student for row in self.ledger)]
        is_member = any(student in members for members in self.file.groups.values())
        return is_member or student in keys or (self.assignment, student) in self.times

    def where(self, *key: str) -> str:
        """The line of a key of this assignment in course.toml."""
        number = course_file.line_of(self.text, ("assignments", self.assignment, *key))
        return f"{course_file.NAME}:{number}"

    def where_group(self, name: str) -> str:
        """The line of a group in course.toml."""
        return f"{course_file.NAME}:{course_file.line_of(self.text, ('groups', name))}"

    def handed_in(self, student: str, submitted: str) -> datetime | None:
        """When a student handed in; None if nobody knows. `submitted` is what their result says of it."""
        moment = self.times.get((self.assignment, student)) or parsed(submitted)
        return moment and self.file.zoned(moment)

    @property
    def attempt(self) -> Attempt:
        """Which of several attempts counts."""
        return self.file.of(self.assignment).attempt or self.file.attempt

    def is_in_time(self, student: str, submitted: str) -> bool:
        """Whether an attempt is known to have been in time. `submitted` is what a platform says of it, and counts as
        little as for `lateness` if times.csv says when the student handed in."""
        due, moment = self.file.due(self.assignment, student), self.handed_in(student, submitted)
        return bool(due and moment and moment <= due)

    def lateness(self, submission: SubmissionResult) -> Lateness | None:
        """How late a submission is; None if nothing is due."""
        due = self.file.due(self.assignment, submission.student)
        if due is None:
            return None
        late = self.file.late_of(self.assignment)
        handed_in = self.handed_in(submission.student, submission.submitted)
        is_late = handed_in is not None and handed_in > due and self.file.late.free > 0
        return lateness(late, due, handed_in, self._free_left(submission.student) if is_late else 0)

    @property
    def earlier_times(self) -> dict[tuple[str, str], datetime]:
        """When students handed in what was due earlier, as far as that is known: by assignment and student. Nothing if
        nobody has free hours or days, which is all that it decides."""
        if not self.file.late.free:
            return {}
        return {(name, who): moment for name, times in self._earlier.items() for who, moment in (times or {}).items()}

    @property
    def notes(self) -> list[str]:
        """A line for each assignment of which nothing tells how many free hours or days it took."""
        unknown = [name for name, times in self._earlier.items() if times is None] if self.file.late.free else []
        return [
            f"{course_file.NAME}: free {self.file.late.every}s: nobody knows what {name} took of them; "
            f'name its results in [assignments.{name}], as results = "graded-{name}", or write {name} into times.csv'
            for name in unknown
        ]

    def _free_left(self, student: str) -> int:
        left = self.file.late.free
        for name, times in self._earlier.items():
            handed_in, due = (times or {}).get(student), self.file.due(name, student)
            if handed_in and due and not self.file.excused(name, student):
                left -= lateness(self.file.late_of(name), due, handed_in, left).free
        return left

    @cached_property
    def _earlier(self) -> dict[str, dict[str, datetime] | None]:
        """When students handed in what was due earlier, in that order; None if nothing tells."""
        due = {name: self.file.zoned(own.due) for name, own in self.file.assignments.items() if own.due}
        own = due.get(self.assignment)
        earlier = [name for name in due if own and (due[name], name) < (own, self.assignment)]
        return {name: self._times_of(name) for name in sorted(earlier, key=lambda name: (due[name], name))}

    def _times_of(self, assignment: str) -> dict[str, datetime] | None:
        found = {student: moment for (name, student), moment in self.times.items() if name == assignment}
        results = self.file.of(assignment).results
        if not results or self.folder is None:
            return found or None
        run = read_results(self.folder / results, unfinished=True).run
        if run.assignment != assignment:
            key = ("assignments", assignment, "results")
            where = f"{course_file.NAME}:{course_file.line_of(self.text, key)}"
            raise InputError(f"{where}: {results} holds the results of {run.assignment}, not of {assignment}")
        said = {item.student: moment for item in run.submissions if (moment := parsed(item.submitted))}
        return {student: self.file.zoned(moment) for student, moment in said.items()} | found


def read_rules(assignment: str, folder: Path | None = None, names: Collection[str] | None = None) -> Rules:
    """What holds for an assignment, by the files in `folder`, by default the course's. `names` are those of the
    assignments there are, by default the course's.

    Raises InputError, a line for each thing that is wrong in one of them.
    """
    file, text = read_course_file(folder, names)
    ledger, times = read_ledger(assignment, file, folder, names), read_times(file, folder, names)
    return Rules(assignment, file, ledger, times, text, folder or course.ROOT)
