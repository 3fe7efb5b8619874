"""Grades many submissions side by side and keeps every result as soon as it is there."""

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading.digest import run_digest
from autograder.grading.store import Store
from autograder.grading.submissions import Submission
from autograder.grading.workers import Crew, CrewError
from autograder.results.model import Budget, Record, RunResult, SubmissionResult, package_version
from autograder.results.text import listed
from autograder.sandbox.limits import Limits

if TYPE_CHECKING:
    from autograder.judge.exercise import Exercise
    from autograder.sandbox.zygote import Address

MOST_NAMES = 8


@dataclass(frozen=True)
class Grading:
    """How each submission of a run is graded. Calling it grades one, in a worker."""

    source: NotebookNode
    assignment: str
    key: bytes
    budget: Budget
    limits: Limits
    exercises: Mapping[str, "Exercise"] | None
    others: Mapping[str, NotebookNode]

    def __call__(self, submission: Submission, zygote: "Address") -> Record:
        from autograder.grading.grade import grade  # torch, which the grader's main process does without

        began = time.monotonic()
        result, notebook = grade(
            self.source,
            submission.data,
            assignment=self.assignment,
            student=submission.student,
            path=submission.path,
            key=self.key,
            budget=self.budget,
            zygote=zygote,
            limits=self.limits,
            exercises=self.exercises,
            others=self.others,
        )
        # A kernel may have sent lone surrogates, which no file can hold.
        executed = json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
        return Record(result=result, seconds=round(time.monotonic() - began, 3), executed=executed)


def _refuse(line: str) -> None:
    raise InputError(line)


def _fail(line: str) -> None:
    raise SandboxError(line)


def grade_all(
    assignment: str,
    submissions: Iterable[Submission],
    *,
    key: bytes,
    budget: Budget,
    jobs: int = 1,
    sandbox: bool = True,
    limits: Limits | None = None,
    exercises: Mapping[str, "Exercise"] | None = None,
    crew: Crew | None = None,
    store: Store | None = None,
    again: bool = False,
    on_result: Callable[[Record], None] = lambda record: None,
    on_problem: Callable[[str], None] = _refuse,
    on_fault: Callable[[str], None] = _fail,
) -> RunResult:
    """Grade submissions, `jobs` at a time. The results are the same whatever their order and `jobs`.

    With a `store`, a record is kept there as soon as it is ready, and what is there already is not graded, unless
    `again`. `crew` holds the processes where they have been started before, with the same `jobs` and `sandbox`;
    `exercises` the checks by id, those of the assignment where they are not given.

    `on_result` is called with each record, those of the store first; `on_problem` with a line on what is wrong with
    the input, for example a submission of another assignment; `on_fault` with a line on what sandbox or workers
    could not do in several tries. The others are graded all the same.

    Raises InputError for an unknown or unbuilt assignment, SandboxError where the sandbox cannot be built; and
    these for the first such line where there is no `on_problem` or `on_fault`.
    """
    limits = limits or Limits()
    source = course.read_source(course.require_assignment(assignment))
    grading = Grading(source, assignment, key, budget, limits, exercises, _other_sources(assignment))
    digest = run_digest(assignment, key=key, budget=budget, limits=limits, sandbox=sandbox)
    keeping = _Keeping(store, digest)
    results: list[SubmissionResult] = []

    def take(record: Record) -> None:
        results.append(record.result)
        on_result(record)

    waiting = []
    for submission in submissions:
        record = None if again else keeping.find(submission)
        waiting.append(submission) if record is None else take(record)
    if again:
        keeping.forget(waiting)
    with contextlib.ExitStack() as life:
        if waiting and crew is None:
            crew = life.enter_context(Crew(assignment, jobs=jobs, sandbox=sandbox))
        left = len(waiting)
        try:
            for submission, outcome in crew.outcomes(grading, waiting) if waiting else ():
                left -= 1
                if isinstance(outcome, InputError):
                    on_problem(str(outcome))
                elif isinstance(outcome, SandboxError):
                    on_fault(str(outcome))
                elif keeping.keep(submission, outcome):
                    take(outcome)
        except CrewError as error:
            on_fault(f"{error}; not graded: {left} of {len(waiting)} submissions")
    for line in keeping.problems():
        on_problem(line)
    results.sort(key=lambda result: (result.student, result.path))
    return RunResult(
        assignment=assignment,
        version=package_version(),
        digest=digest,
        budget=budget,
        sandbox=sandbox,
        submissions=results,
    )


def _other_sources(assignment: str) -> dict[str, NotebookNode]:
    names = [name for name in course.assignment_names() if name != assignment and course.source_path(name).exists()]
    return {name: course.read_source(name) for name in names}


class _Keeping:
    """Keeps the records of one run, where there is a store, and remembers which could not be kept."""

    def __init__(self, store: Store | None, digest: str) -> None:
        self._store = store
        self._digest = digest
        self._unkept: dict[str, list[str]] = {}

    def find(self, submission: Submission) -> Record | None:
        return self._store.find(self._digest, submission) if self._store else None

    def forget(self, submissions: Iterable[Submission]) -> None:
        if self._store:
            self._store.forget(self._digest, submissions)

    def keep(self, submission: Submission, record: Record) -> bool:
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
        for reason, students in self._unkept.items():
            named = listed(students, MOST_NAMES)
            yield (
                f"{self._store.out}: no room for {len(students)} results ({reason}), of {named}; "
                "make room there, and give the same command again"
            )
