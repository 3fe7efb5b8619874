"""Who has another result than before, and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from autograder.results.model import Conditions, ExerciseResult, RunResult, SubmissionResult
from autograder.results.text import exercise_label, listed, name_line, number

MOST_NAMES = 12
NOTHING = "an unknown cause"
# Parts of the conditions, as people call them; those of checks are looked at by exercise.
WORDS = {
    "source": "the source",
    "grader": "the grader",
    "package": "the students' package",
    "library": "a library",
    "settings": "budget, limits or sandbox",
    "key": "the key",
}


@dataclass(frozen=True)
class Change:
    """One exercise of one student whose verdict or points are not what they were; None for one that was or is not
    there. `why` are the things that are not the same, in words."""

    student: str
    exercise: str
    old: ExerciseResult | None
    new: ExerciseResult | None
    why: tuple[str, ...]

    def __str__(self) -> str:
        return f"{name_line(self.student, 80)}: {self.what}"

    @property
    def what(self) -> str:
        """All but the student."""
        return f"{self.exercise}: {_shown(self.old)} → {_shown(self.new)}, because of {' and '.join(self.why)}"


@dataclass(frozen=True)
class Comparison:
    """Two runs of an assignment: the exercises that changed, by student, and who is in one of them alone."""

    changes: list[Change] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    same: int = 0

    def lines(self, *, together: bool) -> Iterator[str]:
        """A line for each change, or if `together` one for all students with the same, the most frequent first."""
        if together:
            groups: dict[str, list[str]] = {}
            for change in self.changes:
                groups.setdefault(change.what, []).append(name_line(change.student, 40))
            for what, students in sorted(groups.items(), key=lambda group: -len(group[1])):
                yield f"{what}: {len(students)}: {listed(students, MOST_NAMES)}"
        else:
            yield from map(str, self.changes)
        for word, students in (("new", self.added), ("no longer there", self.removed)):
            if students:
                yield f"{word}: {len(students)}: {listed([name_line(item, 40) for item in students], MOST_NAMES)}"
        changed = len({change.student for change in self.changes})
        yield f"{changed} changed, {self.same} the same"


def compare(old: RunResult, new: RunResult) -> Comparison:
    """What differs from one run of an assignment to another."""
    before = {item.student: item for item in old.submissions}
    after = {item.student: item for item in new.submissions}
    comparison = Comparison(
        added=[student for student in after if student not in before],
        removed=[student for student in before if student not in after],
    )
    same = 0
    for student in before.keys() & after.keys():
        one, other = before[student], after[student]
        conditions = old.conditions.get(one.conditions), new.conditions.get(other.conditions)
        found = list(_changes(new.assignment, one, other, conditions))
        comparison.changes.extend(found)
        same += not found
    comparison.changes.sort(key=lambda change: change.student)
    return Comparison(comparison.changes, comparison.added, comparison.removed, same)


def _changes(
    assignment: str,
    old: SubmissionResult,
    new: SubmissionResult,
    conditions: tuple[Conditions | None, Conditions | None],
) -> Iterator[Change]:
    before, after = ({item.id: item for item in result.exercises} for result in (old, new))
    for id in dict.fromkeys([*after, *before]):
        one, other = before.get(id), after.get(id)
        if one and other and (one.verdict, one.score, one.max_score) == (other.verdict, other.score, other.max_score):
            continue
        name = exercise_label(id, assignment)
        why = _why(id.partition(".")[2], old, new, conditions)
        yield Change(new.student, name, one, other, tuple(why) or (NOTHING,))


def _why(
    exercise: str,
    old: SubmissionResult,
    new: SubmissionResult,
    conditions: tuple[Conditions | None, Conditions | None],
) -> Iterator[str]:
    if old.digest != new.digest:
        yield "the submission"
    one, other = conditions
    if not one or not other:
        if old.conditions != new.conditions or not old.conditions:
            yield "conditions that were not noted"
        return
    if one.checks.get(exercise) != other.checks.get(exercise):
        yield "its check"
    elif one.shared != other.shared:
        yield "what checks share"
    yield from _parts(one, other)


def causes(one: Conditions, other: Conditions) -> list[str]:
    """What is different in the conditions of two runs, in words."""
    checks = sorted(name for name in one.checks.keys() | other.checks if one.checks.get(name) != other.checks.get(name))
    shared = ["what checks share"] if one.shared != other.shared else []
    return [*(f"the check of {name}" for name in checks[:MOST_NAMES]), *shared, *_parts(one, other)]


def _parts(one: Conditions, other: Conditions) -> Iterator[str]:
    yield from (words for part, words in WORDS.items() if getattr(one, part) != getattr(other, part))


def _shown(item: ExerciseResult | None) -> str:
    if item is None:
        return "not there"
    return item.verdict if item.verdict in ("manual", "fault") else f"{item.verdict} {number(item.score)}"
