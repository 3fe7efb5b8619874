"""A run: many submissions graded side by side, every result kept as soon as it is there."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading.grading import Grading
from autograder.grading.workers import Crew, CrewError
from autograder.sandbox.limits import Limits

# What is slow to import is imported late, so that the crew starts at once; torch only in the workers.
if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.grading.store import Store
    from autograder.grading.submissions import Submission
    from autograder.results.model import Budget, Record, RunResult
    from autograder.sandbox.zygote import Address

MOST_NAMES = 8
Noted = TypeVar("Noted")


@dataclass
class Tally:
    """What a run has come to so far.

    `problems` are lines on what is wrong with the input, such as a submission of another assignment; `faults` lines
    on what sandbox or workers could not do in several tries. Neither stops the rest of the run.
    """

    records: "list[Record]" = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.records) + len(self.problems) + len(self.faults)


@contextlib.contextmanager
def begin_run(
    assignment: str,
    *,
    tally: Tally | None = None,
    out: Path | None = None,
    jobs: int = 1,
    budget: "Budget" = "smoke",
    limits: Limits | None = None,
    sandbox: bool = True,
    user: int | None = None,
    key: bytes | None = None,
) -> "Iterator[Run]":
    """Have everything that a run needs: `with begin_run("vae") as run:`.

    Submissions are graded `jobs` at a time, by the assignment as it lies in the course's folders, with the course's
    own key if none is given. With `out` results are kept there, and what is there already is known. `user`, for one
    job without the sandbox, is as in Zygote.

    Raises InputError for an unknown or unbuilt assignment and for an `out` or a key that cannot be used, SandboxError
    if the sandbox cannot be built.
    """
    course.require_assignment(assignment)
    with Crew(assignment, jobs=jobs, sandbox=sandbox, user=user) as crew:
        from autograder.grading.key import course_key
        from autograder.grading.store import Store

        grading = Grading(
            assignment,
            course.read_source(assignment),
            key=course_key() if key is None else key,
            budget=budget,
            limits=limits or Limits(),
            sandbox=sandbox,
            others=_other_sources(assignment),
        )
        with Store(out) if out else contextlib.nullcontext() as store:
            yield Run(grading, crew, store, tally)


def _other_sources(assignment: str) -> "dict[str, NotebookNode]":
    names = [name for name in course.assignment_names() if name != assignment and course.source_path(name).exists()]
    return {name: course.read_source(name) for name in names}


class Run:
    """Grades submissions with a crew that is at work, and keeps the records in a store, if there is one."""

    def __init__(self, grading: Grading, crew: Crew, store: "Store | None" = None, tally: Tally | None = None) -> None:
        from autograder.grading.digest import run_digest

        self.grading = grading
        self.tally = tally or Tally()
        self._crew = crew
        self._store = store
        self._digest = run_digest(grading)
        self._keeping = _Keeping(store, self._digest)
        self._submissions: list[Submission] = []
        self._write_at = 1

    def find(self, paths: Iterable[Path]) -> "list[Submission]":
        """The submissions in `paths`, ordered by student. What is wrong there is noted as a problem."""
        from autograder.grading.submissions import find_submissions

        submissions, problems = find_submissions(self.grading.assignment, paths)
        self.tally.problems += problems
        return submissions

    def grade(
        self,
        submissions: "Iterable[Submission]",
        *,
        again: bool = False,
        on_step: Callable[[int, int], None] = lambda done, total: None,
    ) -> "RunResult":
        """Grade submissions, and note in the tally what comes of each. The result is the same in whatever order.

        What is in the store already is not graded, unless `again`. `on_step` is told how many of how many are done.
        results.json is written beside the store as results come.
        """
        tally, before = self.tally, self.tally.count
        self._submissions = list(submissions)
        waiting: list[Submission] = []
        left = 0

        def note(lines: list[Noted], item: Noted) -> None:
            lines.append(item)
            self._write_so_far(left)
            on_step(tally.count - before, len(self._submissions))

        on_step(0, len(self._submissions))
        for submission in self._submissions:
            record = None if again else self._keeping.find(submission)
            waiting.append(submission) if record is None else note(tally.records, record)
        if again:
            self._keeping.forget(waiting)
        left = len(waiting)
        try:
            work, seconds = partial(_record, self.grading), self.grading.limits.submission
            for submission, outcome in self._crew.outcomes(work, waiting, seconds) if waiting else ():
                left -= 1
                if isinstance(outcome, InputError):
                    note(tally.problems, str(outcome))
                elif isinstance(outcome, SandboxError):
                    note(tally.faults, str(outcome))
                elif self._keeping.keep(submission, outcome):
                    note(tally.records, outcome)
        except CrewError as error:
            note(tally.faults, f"{error}; not graded: {left} of {len(waiting)} submissions")
        for line in self._keeping.problems():
            note(tally.problems, line)
        return self._result(left)

    def _result(self, ungraded: int) -> "RunResult":
        from autograder.results.model import RunResult, package_version

        results = sorted((record.result for record in self.tally.records), key=lambda item: (item.student, item.path))
        return RunResult(
            assignment=self.grading.assignment,
            version=package_version(),
            digest=self._digest,
            budget=self.grading.budget,
            sandbox=self.grading.sandbox,
            submissions=results,
            ungraded=ungraded,
        )

    def _write_so_far(self, ungraded: int) -> None:
        """Write what there is if it is half as much again as last time, so that all writing together stays in
        proportion to the last."""
        from autograder.results.writing import write_run

        records = self.tally.records
        if self._store and ungraded and len(records) >= self._write_at:
            self._write_at = len(records) + len(records) // 2 + 1
            with contextlib.suppress(InputError):  # it is said at the end, where it is written once more
                write_run(self._store.out, self._result(ungraded), records)

    def finish(self) -> None:
        """Drop what earlier runs left in the store, and tell what went wrong in this one.

        Raises SandboxError if there were faults, InputError if there were problems alone; a line for each.
        """
        tally = self.tally
        if self._store and tally.records:
            self._store.prune(self._digest, self._submissions)
        elif self._store and (self._store.out / "results.json").exists():
            tally.problems.append(f"{self._store.out}: nothing was graded now; results.json there is of an earlier run")
        if tally.faults:
            raise SandboxError("\n".join([*tally.problems, *tally.faults]))
        if tally.problems:
            raise InputError("\n".join(tally.problems))


def _record(grading: Grading, submission: "Submission", zygote: "Address") -> "Record":
    """In a worker: grade a submission."""
    from autograder.grading.grade import grade
    from autograder.results.model import Record
    from fixmelab.json_values import json_text, json_value

    began = time.monotonic()
    result, notebook = grade(grading, submission, zygote)
    executed = json_text(json_value(notebook))
    return Record(result=result, seconds=round(time.monotonic() - began, 3), executed=executed)


class _Keeping:
    """Keeps the records of one run, if there is a store, and remembers which could not be kept."""

    def __init__(self, store: "Store | None", digest: str) -> None:
        self._store = store
        self._digest = digest
        self._unkept: dict[str, list[str]] = {}

    def find(self, submission: "Submission") -> "Record | None":
        return self._store.find(self._digest, submission) if self._store else None

    def forget(self, submissions: "Iterable[Submission]") -> None:
        if self._store:
            self._store.forget(self._digest, submissions)

    def keep(self, submission: "Submission", record: "Record") -> bool:
        """Whether the record is kept, or need not be."""
        try:
            if self._store:
                self._store.keep(self._digest, submission, record)
        except OSError as error:
            self._unkept.setdefault(error.strerror or type(error).__name__, []).append(submission.student)
            return False
        return True

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
