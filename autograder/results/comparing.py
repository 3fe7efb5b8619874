"""Who has another result than before, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autograder.results.model import Basis, Conditions, ExerciseResult, RunResult, SubmissionResult
from autograder.results.text import exercise_label, listed, name_line, number

MOST_NAMES = 12
NOTHING = "an unknown cause"
SUBMISSION = "the submission"
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
        is_same = self.old is None or self.new is None or self.old.max_score == self.new.max_score
        old, new = (_shown(item, of_most=not is_same) for item in (self.old, self.new))
        return f"{self.exercise}: {old} → {new}, because of {' and '.join(self.why)}"


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
        known = old.conditions, new.conditions
        found = list(_changes(new.assignment, before[student], after[student], known))
        comparison.changes.extend(found)
        same += not found
    comparison.changes.sort(key=lambda change: change.student)
    return Comparison(comparison.changes, comparison.added, comparison.removed, same)


def _changes(
    assignment: str,
    old: SubmissionResult,
    new: SubmissionResult,
    known: tuple[Mapping[str, Conditions], Mapping[str, Conditions]],
) -> Iterator[Change]:
    before, after = ({item.id: item for item in result.exercises} for result in (old, new))
    for id in dict.fromkeys([*after, *before]):
        one, other = before.get(id), after.get(id)
        if one and other and _counts(one) == _counts(other):
            continue
        name = exercise_label(id, assignment)
        was, now = (one and one.conditions) or old.conditions, (other and other.conditions) or new.conditions
        why = [SUBMISSION] if old.digest != new.digest else []
        if was in known[0] and now in known[1]:
            exercise = id.partition(".")[2]
            why += reasons(known[0][was].basis(exercise), known[1][now].basis(exercise))
        elif was != now or not was:
            why.append("conditions that were not noted")
        yield Change(new.student, name, one, other, tuple(why) or (NOTHING,))


def _counts(item: ExerciseResult) -> tuple[str, float, float]:
    """What counts of a result: of its points not how a sum of parts was rounded."""
    return item.verdict, round(item.score, 6), round(item.max_score, 6)


def reasons(one: Basis, other: Basis) -> list[str]:
    """What is different in that on which two verdicts rest, in words."""
    is_own, is_shared = one.check != other.check, one.shared != other.shared
    check = ["its check"] if is_own else ["what checks share"] if is_shared else []
    return [*check, *_parts(one, other)]


def causes(one: Conditions, other: Conditions) -> list[str]:
    """What is different in the conditions of two runs, in words."""
    checks = sorted(name for name in one.checks.keys() | other.checks if one.checks.get(name) != other.checks.get(name))
    shared = ["what checks share"] if one.shared != other.shared else []
    return [*(f"the check of {name}" for name in checks[:MOST_NAMES]), *shared, *_parts(one, other)]


def _parts(one: Basis | Conditions, other: Basis | Conditions) -> Iterator[str]:
    yield from (words for part, words in WORDS.items() if getattr(one, part) != getattr(other, part))


def _shown(item: ExerciseResult | None, *, of_most: bool = False) -> str:
    if item is None:
        return "not there"
    most = f" of {number(item.max_score)}" if of_most else ""
    return (
        f"{item.verdict}{most}" if item.verdict in ("manual", "fault") else f"{item.verdict} {number(item.score)}{most}"
    )
