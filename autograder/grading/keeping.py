"""What one run keeps as it goes, and what it goes on from."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

# Late, as in run.py.
if TYPE_CHECKING:
    from autograder.grading.store import Store
    from autograder.grading.submissions import Submission
    from autograder.results.model import Record, SubmissionResult
    from autograder.results.reading import Results

MOST_NAMES = 8


class Earlier:
    """What the folder of a run held before: nothing of it is lost, unless its student is graded now."""

    def __init__(self, found: "Results | None") -> None:
        self.students = {item.student: item for item in found.run.submissions} if found else {}
        self.run = found.run if found else None
        self.conditions = found.run.conditions if found else {}
        self.is_sandboxed = found is None or found.run.sandbox
        self._ungraded = frozenset(found.run.ungraded if found else ())

    def has(self, submission: "Submission", conditions: str) -> bool:
        """Whether these bytes were graded under these conditions."""
        found = self.students.get(submission.student)
        return found is not None and (found.digest, found.conditions) == (submission.digest, conditions)

    def beside(self, graded: Collection[str]) -> "list[SubmissionResult]":
        """The results of those who are not among `graded`."""
        return [item for student, item in self.students.items() if student not in graded]

    def ungraded(self, students: Collection[str]) -> frozenset[str]:
        """Who of an earlier run, which did not come to its end, still waits, and is not among `students`."""
        return self._ungraded.difference(students)


class Keeping:
    """Keeps the records of one run, if there is a store, and remembers which could not be kept. With `dry_run` it only
    finds what is there."""

    def __init__(self, store: "Store | None", digest: str, *, dry_run: bool = False) -> None:
        self._store = store
        self._is_dry = dry_run
        self._digest = digest
        self._unkept: dict[str, list[str]] = {}

    def find(self, submission: "Submission") -> "Record | None":
        found = self._store.find(self._digest, submission) if self._store else None
        return found and self._noted(found)

    def _noted(self, record: "Record") -> "Record":
        """The record, with the conditions under which it was graded in its result."""
        return record.model_copy(update={"result": record.result.model_copy(update={"conditions": self._digest})})

    def forget(self, submissions: "Iterable[Submission]") -> None:
        if self._store and not self._is_dry:
            self._store.forget(self._digest, submissions)

    def keep(self, submission: "Submission", record: "Record") -> "Record | None":
        """The record as it goes on, None if it could not be kept."""
        record = self._noted(record)
        if self._is_dry:
            return record.model_copy(update={"executed": ""})
        try:
            return self._store.keep(self._digest, submission, record) if self._store else record
        except OSError as error:
            self._unkept.setdefault(error.strerror or type(error).__name__, []).append(submission.student)
            return None

    def problems(self) -> Iterator[str]:
        """A line for each reason why records could not be kept."""
        from autograder.results.text import listed

        if self._store is None:
            return
        for reason, students in self._unkept.items():
            named = listed(students, MOST_NAMES)
            yield (
                f"{self._store.out}: no room for {len(students)} results ({reason}), of {named}; "
                "make room there, and give the same command again"
            )
