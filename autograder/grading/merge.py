"""Results of one class that several machines graded, put together as if one had."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import InputError
from autograder.grading.keeping import Earlier
from autograder.grading.store import Store
from autograder.grading.tally import NAME, Failures
from autograder.results.comparing import causes
from autograder.results.model import Record, RunResult, SubmissionResult
from autograder.results.reading import Results, read_results, read_so_far
from autograder.results.text import exercise_label, listed, name_line, number
from autograder.results.writing import write_run

MOST_NAMED = 12


@dataclass(frozen=True)
class Merged:
    """The run that was put together, as it is written now; `before` is what OUT held, None if nothing; `faults` are
    lines on the exercises whose checks failed."""

    run: RunResult
    before: RunResult | None
    faults: list[str]

    @property
    def missing(self) -> list[str]:
        """The students whom nobody has graded."""
        return self.run.ungraded


def merge(
    folders: Sequence[Path], out: Path, *, on_step: Callable[[int, int], None] = lambda done, total: None
) -> Merged:
    """Put the results, executed notebooks and kept records of `folders` into `out`, as one machine would have written
    them. Whoever `out` holds and none of the folders does stays there. Memory does not grow with the notebooks.

    Raises InputError, and writes nothing, if a folder holds no results, if they are of several assignments or were
    graded under different conditions, as an exercise that `--exercise` passed over in one of them, or if a student has
    another result in one folder than in another.
    """
    found = [read_results(folder, unfinished=True) for folder in folders]
    first, failures = found[0], Failures()
    for other in found[1:]:
        _require_same_run(first, other)
    earlier = Earlier(read_so_far(out, first.run.assignment))
    owners = _owners(found, earlier)
    with Store(out) as store:
        for done, (student, (source, _)) in enumerate(owners.items()):
            on_step(done, len(owners))
            if source.folder.resolve() != out.resolve():
                store.take(source.folder, student)
        on_step(len(owners), len(owners))
        run = _together(found, [item for _, item in owners.values()], earlier)
        seconds = {path: value for source in found for path, value in source.seconds.items()}
        write_run(out, run, (Record(result=item, seconds=seconds.get(item.path, 0.0)) for _, item in owners.values()))
        for _, item in owners.values():
            failures.note(item)
        told = [source.folder / NAME for source in found]
        faults = failures.lines(out, [path.read_text(encoding="utf-8") for path in told if path.exists()])
    return Merged(run, earlier.run, faults)


def _require_same_run(one: Results, other: Results) -> None:
    if one.run.assignment != other.run.assignment:
        raise InputError(
            f"{one.folder} is of {one.run.assignment}, {other.folder} of {other.run.assignment}; "
            "merge the shares of one assignment"
        )
    if (one.run.digest, one.run.version) != (other.run.digest, other.run.version):
        before, after = (source.run.conditions.get(source.run.digest) for source in (one, other))
        why = " and ".join(causes(before, after)) if before and after else ""
        raise InputError(
            f"{one.folder} and {other.folder} were graded under different conditions{f' ({why})' if why else ''}; "
            "grade both shares with the same code, libraries, settings and key"
        )

    if passed_over := sorted(_passed_over(one) ^ _passed_over(other)):
        names = dict.fromkeys(exercise_label(id, one.run.assignment) for id, _ in passed_over)
        raise InputError(
            f"{one.folder} and {other.folder} have verdicts under different conditions on "
            f"{listed(list(names), MOST_NAMED)}, which --exercise has passed over in one of them; grade both shares "
            "without --exercise"
        )


def _passed_over(share: Results) -> set[tuple[str, str]]:
    """The exercises that were not judged under the conditions of the share itself, each with those that it was."""
    own = share.run.digest
    graded = [item for item in share.run.submissions if item.conditions == own]
    return {(item.id, item.conditions) for result in graded for item in result.exercises if item.conditions}


def _owners(found: Sequence[Results], earlier: Earlier) -> dict[str, tuple[Results, SubmissionResult]]:
    """In which folder each student's result lies, by student. One of an earlier run counts only if there is no other:
    its student is among those whom the folder calls ungraded."""
    owners: dict[str, tuple[Results, SubmissionResult]] = {}
    names: dict[str, str] = {}
    twice: list[str] = []
    for source, item in _each(found, awaited=False):
        known, other = owners.setdefault(item.student, (source, item))
        if other.model_copy(update={"path": item.path}) != item:
            twice.append(
                f"{name_line(item.student, 80)}: is in {known.folder} and {source.folder} with different "
                f"results ({_difference(other, item)}); `autograder forget` one of them"
            )
        called = names.setdefault(item.account or item.student, item.student)
        if called != item.student:
            twice.append(
                f"{source.folder}: {name_line(item.student, 80)} is {name_line(called, 80)} in another folder "
                f"({name_line(item.account, 80)}); `autograder forget` one of them, and grade that share again"
            )
    if twice:
        raise InputError("\n".join(twice))
    for source, item in _each(found, awaited=True):
        if not earlier.has(item.student):
            owners.setdefault(item.student, (source, item))
    return owners


def _each(found: Iterable[Results], *, awaited: bool) -> Iterator[tuple[Results, SubmissionResult]]:
    """The results in each folder for which it awaits newer ones, or the others."""
    for source in found:
        waiting = set(source.run.ungraded)
        yield from ((source, item) for item in source.run.submissions if (item.student in waiting) == awaited)


def _difference(one: SubmissionResult, other: SubmissionResult) -> str:
    if one.digest != other.digest:
        return "of another notebook"
    if one.conditions != other.conditions:
        return "under other conditions"
    if one.score == other.score:
        return "handed in at another time, or with other messages"
    return f"{number(one.score)} points and {number(other.score)}"


def _together(found: Sequence[Results], merged: Sequence[SubmissionResult], earlier: Earlier) -> RunResult:
    first = found[0].run
    graded = {item.student for item in merged}
    others = earlier.beside(graded)
    known = earlier.conditions | {digest: it for source in found for digest, it in source.run.conditions.items()}
    used = set().union(*(item.all_conditions for item in (*merged, *others)))
    refused = {student: digest for source in found for student, digest in source.run.refused.items()}
    waiting = {student for source in found for student in source.run.ungraded} | earlier.ungraded(graded)
    waiting -= {item.student for _, item in _each(found, awaited=False)}.union(refused)
    return first.model_copy(
        update={
            "sandbox": all(source.run.sandbox for source in found) and (earlier.is_sandboxed or not others),
            "submissions": sorted([*merged, *others], key=lambda item: (item.student, item.path)),
            "conditions": {digest: known[digest] for digest in sorted(used) if digest in known},
            "ungraded": sorted(waiting),
            "refused": refused,
        }
    )


def missing_line(missing: Sequence[str], out: Path) -> str:
    """A line on whom nobody has graded."""
    named = listed([name_line(student, 80) for student in missing], MOST_NAMED)
    count = "1 student is" if len(missing) == 1 else f"{len(missing)} students are"
    return f"{out}: {count} graded nowhere: {named}; merge the folders of all shares at once"
