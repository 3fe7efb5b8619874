"""What one run keeps as it goes, and what it goes on from."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

# Late, as in run.py.
if TYPE_CHECKING:
    from autograder.grading.regrade import Due, Regrading
    from autograder.grading.store import Store
    from autograder.grading.submissions import Submission
    from autograder.results.model import Record, RunResult, SubmissionResult
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
        self.refused = found.run.refused if found else {}
        self._names = {item.account: student for student, item in self.students.items() if item.account}
        self._called: dict[str, str] = {}
        self.notes: list[str] = []

    def has(self, student: str) -> bool:
        """Whether a student's result is there, and none that is newer is awaited."""
        return student in self.students and student not in self._ungraded

    def beside(self, graded: Collection[str]) -> "list[SubmissionResult]":
        """The results of those who are not among `graded`, nor are called otherwise there."""
        gone = self.replaced(graded)
        return [item for student, item in self.students.items() if student not in graded and student not in gone]

    def replaced(self, graded: Collection[str]) -> list[str]:
        """Those who are among `graded` under another name."""
        return sorted(student for student, now in self._called.items() if now in graded)

    def named_alike(self, submissions: "Iterable[Submission]") -> "Iterator[Submission]":
        """The submissions, each with the name of its student's earlier result: a platform's number says who that is.

        Namesakes have the number behind their names only while there are several, and a result must neither stay under
        an old name nor take the place of another's. `notes` gets a line on each name that is not the platform's.
        """
        submissions = list(submissions)
        taken = {submission.student for submission in submissions}
        for submission in submissions:
            name, account = submission.student, submission.account
            known, called = self._names.get(account), self.name_of(name, account, taken)
            if known and called == known != name:
                self.notes.append(f"{submission.path}: {name} is called {known}, as in the earlier results ({account})")
            elif known and known != name:
                self._called[known] = name
                self.notes.append(f"{submission.path}: {known} of the earlier results is called {name} now ({account})")
            elif called != name:
                other = self.students[name]
                self.notes.append(
                    f"{submission.path}: {other.student} of the earlier results is another ({other.account}), so "
                    f"this is called {called}"
                )
            yield replace(submission, student=called)

    def name_of(self, student: str, account: str, taken: Collection[str]) -> str:
        """What a student is called beside the earlier results; `taken` are the platform's names of all."""
        there = self.students.get(student)
        if known := self._names.get(account):
            return student if known in taken else known
        is_another = account and there and there.account not in ("", account)
        return f"{student}_{account.rpartition(' ')[2]}" if is_another else student

    def ungraded(self, students: Collection[str]) -> frozenset[str]:
        """Who of an earlier run, which did not come to its end, still waits, and is not among `students`."""
        return self._ungraded.difference(students)


class Keeping:
    """Keeps the records of one run, if there is a store, and remembers which could not be kept. With `dry_run` it only
    finds what is there. `regrading` says on what verdicts rest in this run."""

    def __init__(self, store: "Store | None", regrading: "Regrading", *, dry_run: bool = False) -> None:
        self._store = store
        self._is_dry = dry_run
        self._regrading = regrading
        self._unkept: dict[str, list[str]] = {}

    def find(self, submission: "Submission", *, again: bool = False) -> "Record | Due":
        """The record of a submission if all that it says holds in this run, else what is kept of its verdicts: with
        `again` of those that nobody asks for again."""
        from autograder.grading.regrade import Due

        record = self._store.find(submission) if self._store else None
        only = self._regrading.only
        if record is None or (again and only is None):
            return Due.of(submission)
        if not again and self._holds(record):
            return record
        judged = {name: item for name, item in record.judged.items() if not (again and only and name in only)}
        return Due.of(submission, judged, record.seconds)

    def _holds(self, record: "Record") -> bool:
        now = self._regrading.conditions
        judged = {name: item.conditions for name, item in record.judged.items()}
        return record.result.conditions == now and judged == dict.fromkeys(self._regrading.bases, now)

    def forget(self, submissions: "Iterable[Submission]") -> None:
        if self._store and not self._is_dry:
            self._store.forget(submissions, self._regrading.only)

    def keep(self, submission: "Submission", record: "Record") -> "Record | None":
        """The record as it goes on, None if it could not be kept."""
        from autograder.grading.regrade import with_outputs

        if self._is_dry:
            return record.model_copy(update={"executed": ""})
        if self._store is None:
            return record
        try:
            if record.is_known:
                executed = with_outputs(record.executed, self._store.executed(submission))
                record = record.model_copy(update={"executed": executed})
            return self._store.keep(submission, record)
        except OSError as error:
            self._unkept.setdefault(error.strerror or type(error).__name__, []).append(submission.student)
            return None

    def settle(self, submissions: "Iterable[Submission]", result: "RunResult") -> None:
        """Have the executed notebooks of those who handed in several times be those of the attempts that count."""
        counts = {(item.student, item.digest) for item in result.submissions}
        for submission in submissions:
            is_best = submission.is_one_of_several and (submission.student, submission.digest) in counts
            if is_best and self._store and not self._is_dry:
                self._store.show(submission)

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
