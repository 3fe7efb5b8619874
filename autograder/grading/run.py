"""A run: many submissions graded side by side, every result kept as soon as it is there."""

import contextlib
import importlib.util
import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading.crews import AnyCrew, CrewError
from autograder.grading.grading import Grading
from autograder.grading.keeping import Earlier, Keeping
from autograder.grading.regraded import Regraded
from autograder.grading.tally import Tally
from autograder.grading.workers import Crew
from autograder.sandbox.limits import Limits

# What is slow to import is imported late, so that the crew starts at once; torch only in the workers.
if TYPE_CHECKING:
    from autograder.grading.cluster.crew import DaskCrew
    from autograder.grading.shares import Share
    from autograder.grading.store import Store
    from autograder.grading.submissions import Submission
    from autograder.results.model import Budget, RunResult

Noted = TypeVar("Noted")
MOST_NAMED = 12


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
    names: Collection[str] | None = None,
    only_these: bool = False,
    dry_run: bool = False,
    share: "Share | None" = None,
    exercises: Collection[str] = (),
    dask: str | None = None,
) -> "Iterator[Run]":
    """Have everything that a run needs: `with begin_run("vae") as run:`.

    Submissions are graded `jobs` at a time, by the assignment as it lies in the course's folders, with the course's
    own key if none is given. With `out` results are kept there, and what is there already is known; who is not graded
    now stays in them, unless `only_these`. With `dry_run` what is kept there is read, and nothing is written. With
    `share` only that share of the submissions is graded, and the results name the others as ungraded. With `exercises`
    whoever has verdicts gets new ones on these alone. `user`, for one job without the sandbox, is as in Zygote. `dask`
    is the address of a Dask scheduler, whose workers take the place of the jobs. `names` are those of the assignments
    of which course.toml may speak, by default the course's.

    Raises InputError for an unknown or unbuilt assignment, for an exercise that it does not have, for an `out`, a key
    or a course.toml that cannot be used, and if there is no scheduler that may be used at the address; SandboxError if
    the sandbox cannot be built.
    """
    course.require_assignment(assignment)
    with contextlib.ExitStack() as life:
        crew: AnyCrew
        if dask is None:  # at once, since its imports go on beside those below
            crew = life.enter_context(Crew(assignment, jobs=jobs, sandbox=sandbox, user=user))
        from autograder.grading.answered import OtherSources
        from autograder.grading.key import course_key
        from autograder.grading.named import judged_names
        from autograder.grading.store import Store
        from autograder.points.course_file import read_course_file

        grading = Grading(
            assignment,
            course.read_source(assignment),
            key=course_key() if key is None else key,
            budget=budget,
            limits=limits or Limits(),
            sandbox=sandbox,
            others=OtherSources(assignment),
            messages=read_course_file(names=names)[0].messages_of(assignment),
        )
        only = judged_names(grading.source, assignment, exercises) if exercises else None
        tally = tally or Tally()
        if dask is not None:
            crew = life.enter_context(cluster(dask, grading, tally.notes))
        is_kept = out and (not dry_run or (out / ".results").is_dir())
        store = life.enter_context(Store(out)) if out and is_kept else None
        yield Run(grading, crew, store, tally, out=out, only_these=only_these, dry_run=dry_run, share=share, only=only)


def cluster(address: str, grading: Grading, notes: list[str]) -> "DaskCrew":
    """The workers of a Dask scheduler as a crew. Raises InputError if Dask is not installed."""
    if importlib.util.find_spec("distributed") is None:
        raise InputError("--dask needs Dask: pip install -c constraints.txt -e './autograder[cluster]'")
    from autograder.grading.cluster.crew import DaskCrew

    return DaskCrew(address, grading, notes)


class Run:
    """Grades submissions with a crew that is at work, and keeps the records in a store, if there is one.

    `earlier` is what the store's folder shows of others, or `out` if there is no store; with `only_these` they are
    removed in the end. With `dry_run` the store is read alone. With `only`, whoever has verdicts keeps those on other
    exercises. `elsewhere` are the submissions of other shares. Raises InputError if the folder shows what this run
    cannot go on from.
    """

    def __init__(
        self,
        grading: Grading,
        crew: AnyCrew,
        store: "Store | None" = None,
        tally: Tally | None = None,
        *,
        out: Path | None = None,
        only_these: bool = False,
        dry_run: bool = False,
        share: "Share | None" = None,
        only: frozenset[str] | None = None,
    ) -> None:
        from autograder.grading.digest import bases_of, conditions_of, digest_of
        from autograder.grading.regrade import Regrading
        from autograder.judge.uses import leans_of
        from autograder.results.reading import read_so_far

        self.grading = grading
        self.tally = tally or Tally()
        out = store.out if store else out
        self.earlier = Earlier(read_so_far(out, grading.assignment) if out else None)
        self._only_these = only_these
        self._is_dry = dry_run
        self._share = share
        self.elsewhere: list[Submission] = []
        self._waiting: set[str] = set()
        self._refused = dict(self.earlier.refused)
        self._crew = crew
        self._store = store
        self._conditions = conditions_of(grading)
        self._digest = digest_of(self._conditions)
        bases = bases_of(grading, self._conditions)
        self._regrading = Regrading(self._digest, bases, leans_of(grading.source), only)
        self._keeping = Keeping(store, self._regrading, dry_run=dry_run)
        self.regraded = Regraded(self.earlier.students)
        self._submissions: list[Submission] = []
        self._students: set[str] = set()
        self._write_at = 1

    def wait(self) -> None:
        """Return when the crew has started."""
        self._crew.wait()

    def find(self, paths: Iterable[Path]) -> "list[Submission]":
        """The submissions in `paths` that this run grades, ordered by student. What is wrong there is noted as a
        problem."""
        from autograder.grading.answered import answered_in
        from autograder.grading.submissions import find_submissions
        from autograder.points.rules import read_rules

        grading, notes = self.grading, self.tally.notes
        answered = answered_in(grading.assignment, grading.source, grading.others)
        rules = read_rules(grading.assignment)
        submissions, problems = find_submissions(
            grading.assignment, paths, answered, notes, rules=rules, name_of=self.earlier.name_of
        )
        submissions = list(self.earlier.named_alike(submissions))
        notes += self.earlier.notes
        self.tally.problems += problems
        if self._share is None:
            return submissions
        ours = [item for item in submissions if self._share.has(item)]
        self.elsewhere = [item for item in submissions if not self._share.has(item)]
        self._waiting = {item.student for item in self.elsewhere if not self._is_known(item)}
        return ours

    def _is_known(self, submission: "Submission") -> bool:
        """Whether the folder holds what came of a submission of another share."""
        if self.earlier.refused.get(submission.student) == submission.digest:
            return True
        from autograder.results.model import Record

        return self.earlier.has(submission.student) and isinstance(self._keeping.find(submission), Record)

    def grade(
        self,
        submissions: "Iterable[Submission]",
        *,
        again: bool = False,
        minutes: float = math.inf,
        on_step: Callable[[int, int], None] = lambda done, total: None,
    ) -> "RunResult":
        """Grade submissions, and note in the tally what comes of each. The result is the same in whatever order.

        What is in the store already is not graded, unless `again`. After `minutes` the rest is left to a later run, and
        noted as a problem. `on_step` is told how many of how many are done. results.json is written beside the store as
        results come, and holds those of earlier runs, too.
        """
        from autograder.grading.regrade import record_of
        from autograder.results.model import Record

        tally, before, until = self.tally, self.tally.count, time.monotonic() + 60 * minutes
        self._submissions = list(submissions)
        self._students = {submission.student for submission in self._submissions}
        waiting: list[Submission] = []
        left: set[str] = set()  # their paths

        def note(take: Callable[[Noted], None], item: Noted) -> None:
            take(item)
            self._write_so_far(left)
            total = len(self._submissions)
            on_step(min(tally.count - before, total), total)  # some problems are no submission's

        on_step(0, len(self._submissions))
        for submission in self._submissions:
            found = self._keeping.find(submission, again=again)
            note(tally.note, found) if isinstance(found, Record) else waiting.append(found)
        if again:
            self._keeping.forget(waiting)
        left.update(submission.path for submission in waiting)
        try:
            work, seconds = partial(record_of, self.grading, self._regrading), self.grading.limits.submission
            for submission, outcome in self._crew.outcomes(work, waiting, seconds, until) if waiting else ():
                left.discard(submission.path)
                if isinstance(outcome, InputError):
                    self._refused[submission.student] = submission.digest
                    note(tally.problems.append, str(outcome))
                elif isinstance(outcome, SandboxError):
                    note(tally.faults.append, str(outcome))
                elif kept := self._keeping.keep(submission, outcome):
                    tally.failures.note(outcome.result)
                    self.regraded.note(kept, again=again)
                    note(tally.note, kept)
            if left:
                names = [submission.student for submission in waiting if submission.path in left]
                note(tally.problems.append, _time_is_over(minutes, names, len(self._submissions), again=again))
        except CrewError as error:
            note(tally.faults.append, f"{error}; not graded: {len(left)} of {len(waiting)} submissions")
        for line in self._keeping.problems():
            note(tally.problems.append, line)
        result = self._result(left, tally.notes)
        self._keeping.settle(self._submissions, result)
        return result

    def _result(self, left: Collection[str], notes: list[str] | None = None) -> "RunResult":
        """What is there to show; `left` are the paths of the submissions whose turn has not come. `notes` gets a line
        on each student of whose attempts the best counts."""
        from autograder.grading.best import best_of
        from autograder.results.model import RunResult, package_version

        waiting = {item.student for item in self._submissions if item.path in left} if left else set()
        places = {submission.path: place for place, submission in enumerate(self._submissions)}
        graded = sorted((record.result for record in self.tally.records), key=lambda item: places.get(item.path, 0))
        results = best_of(self.grading.assignment, graded, notes)
        students = {result.student for result in results}
        # Until all are graded, who is to be removed may still be wanted.
        is_alone = self._removes_others and not left
        others = [] if is_alone else self.earlier.beside(students)
        known = self.earlier.conditions | {self._digest: self._conditions}
        used = set().union(*(result.all_conditions for result in (*results, *others)))
        return RunResult(
            assignment=self.grading.assignment,
            version=package_version(),
            digest=self._digest,
            budget=self.grading.budget,
            sandbox=self.grading.sandbox and (self.earlier.is_sandboxed or not others),
            submissions=sorted([*results, *others], key=lambda item: (item.student, item.path)),
            conditions={digest: known[digest] for digest in sorted(used) if digest in known},
            ungraded=sorted({*waiting, *(() if is_alone else self._waiting_elsewhere())}),
            refused={student: self._refused[student] for student in sorted(self._refused.keys() - students)},
        )

    def _waiting_elsewhere(self) -> set[str]:
        """Who waits for an earlier run, which did not come to its end, or for the machine with another share."""
        return self._waiting | self.earlier.ungraded(self._students.union(item.student for item in self.elsewhere))

    @property
    def _removes_others(self) -> bool:
        """Whoever is named and could not be graded looks like somebody who is not named: then nobody is removed."""
        return self._only_these and not (self.tally.problems or self.tally.faults or self.tally.failures)

    def _write_so_far(self, left: Collection[str]) -> None:
        """Write what there is if it is half as much again as last time, so that all writing together stays in
        proportion to the last."""
        from autograder.results.writing import write_run

        records = self.tally.records
        if self._store and not self._is_dry and left and len(records) >= self._write_at:
            self._write_at = len(records) + len(records) // 2 + 1
            with contextlib.suppress(InputError):  # it is said at the end, where it is written once more
                write_run(self._store.out, self._result(left), records)

    def finish(self) -> list[str]:
        """Drop what the students graded now left in the store, and whom the run removes; return who that is.

        Raises SandboxError if there were faults or checks failed, InputError if there were problems alone; a line for
        each.
        """
        tally, removed = self.tally, []
        if self._is_dry:
            pass
        elif self._store and (tally.records or self.elsewhere):
            self._store.prune(self._submissions)
            if self._removes_others:
                removed = [item.student for item in self.earlier.beside({r.result.student for r in tally.records})]
            removed += self.earlier.replaced({r.result.student for r in tally.records})
            self._store.drop(removed)
        elif self._store and (self._store.out / "results.json").exists():
            tally.problems.append(f"{self._store.out}: nothing was graded now; results.json there is of an earlier run")
        if faults := [
            *tally.faults,
            *tally.failures.lines(self._store.out if self._store and not self._is_dry else None),
        ]:
            raise SandboxError("\n".join([*tally.problems, *faults]))
        if tally.problems:
            raise InputError("\n".join(tally.problems))
        return removed


def _time_is_over(minutes: float, left: Collection[str], count: int, *, again: bool) -> str:
    from autograder.results.text import listed, name_line

    named = listed([name_line(student, 80) for student in sorted(left)], MOST_NAMED)
    command = "the same command without --again" if again else "the same command"
    return f"{minutes:g} minutes are over: {len(left)} of {count} not graded; {command} goes on with them: {named}"
