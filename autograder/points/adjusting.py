"""The one way from judged results to the points that count, with a reason for each change.

In this order: what the ledger says of exercises, weights, what the ledger adds to the whole, late work, excuses.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from autograder import cells, course
from autograder.points import times
from autograder.points.course_file import GROUP, did_you_mean
from autograder.points.late import after_penalty, shown
from autograder.points.ledger import EVERYBODY, Adjustment
from autograder.points.rules import Rules, read_rules
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult
from autograder.results.text import listed, name_line, number

MOST_NAMED = 8


def adjusted(run: RunResult, *, rules: Rules | None = None, people: bool = False) -> tuple[RunResult, list[str]]:
    """The run with the rules applied, each submission's `adjustments` saying so; and a line on what a person should
    know: who is named and not here, whose time nobody knows, which row sets more points than there are.

    The rules are the course's unless given. What a person grades counts only with `people`, when the marks are in the
    scores: else a run holds the points of checks alone, and of the rest only what there is to earn can change.

    Raises InputError for rules that are wrong, or name an exercise that the run does not have.
    """
    rules = read_rules(run.assignment) if rules is None else rules
    if not run.submissions:
        return run, []
    names = {item.id.partition(".")[2] for submission in run.submissions for item in submission.exercises}
    rules.require_exercises(names)
    by_hand: Collection[str] = frozenset()
    if not people and (rules.ledger or rules.file.of(run.assignment) != type(rules.file.of(run.assignment))()):
        by_hand = cells.written_ids(course.read_source(run.assignment), run.assignment)
    submissions = [adjusted_submission(submission, rules, by_hand) for submission in run.submissions]
    return run.model_copy(update={"submissions": submissions}), [*_above(run, rules), *_notes(submissions, rules)]


def adjusted_submission(
    submission: SubmissionResult, rules: Rules, by_hand: Collection[str] = frozenset()
) -> SubmissionResult:
    """One submission with the rules applied. `by_hand` are the ids of exercises whose points are not in its scores."""
    own = _Points(submission, by_hand)
    rows = [row for row in rules.ledger if _is_for(row.student, submission.student, rules)]
    for row in rows:
        own.adjust(row)
    own.weigh(rules)
    for row in rows:
        if not row.exercise:
            own.add(row.points, row.reason)
    late = rules.lateness(submission)
    if late and late.started:
        left = after_penalty(rules.file.late_of(rules.assignment), late, own.score, own.max_score)
        own.told.append(f"{late}: {number(own.score)} → {number(left)} points")
        own.score = left
    update: dict[str, object] = {
        "late": late.units if late else "",
        "groups": rules.file.groups_of(submission.student),
    }
    if excuse := rules.file.excused(rules.assignment, submission.student):
        own.told = [f"excused: {excuse}"]
        own.score = own.max_score = own.by_people = 0.0
        update["excused"] = excuse
    return submission.model_copy(update=update | own.changes())


def excused_without_result(run: RunResult, rules: Rules) -> list[SubmissionResult]:
    """A result of no points for everybody who is excused and has handed in nothing, for the platforms that note it."""
    here = {item.student for item in run.submissions}
    excused = rules.file.of(run.assignment).excused
    students = {name for key in excused for name in (rules.file.groups[key[1:]] if key.startswith(GROUP) else [key])}
    return [
        SubmissionResult(
            student=student,
            path="",
            digest="",
            score=0.0,
            max_score=0.0,
            manual_max_score=0.0,
            exercises=[],
            repairs=[],
            excused=rules.file.excused(run.assignment, student),
        )
        for student in sorted(students - here)
    ]


@dataclass
class _Points:
    """The points of one submission, as they change, and a line on each change."""

    submission: SubmissionResult
    by_hand: Collection[str]

    def __post_init__(self) -> None:
        self.exercises = {item.id.partition(".")[2]: item for item in self.submission.exercises}
        self.score, self.max_score = self.submission.score, self.submission.max_score
        self.by_people = self.submission.manual_max_score
        self.told: list[str] = []

    def adjust(self, row: Adjustment) -> None:
        """Apply a row on an exercise, if this student's notebook has it."""
        old = self.exercises.get(row.exercise)
        if old is None:
            return
        is_dropped = row.action == "drop"
        score = {"drop": 0.0, "credit": old.max_score, "set": row.points, "add": max(old.score + row.points, 0.0)}
        new = old.model_copy(update={"score": score[row.action], "max_score": 0.0 if is_dropped else old.max_score})
        if old.id in self.by_hand:
            new = new.model_copy(update={"score": old.score})
            what = "dropped" if is_dropped else "adjusted when a person has graded it"
        else:
            what = "dropped" if is_dropped else f"{number(old.score)} → {number(new.score)} points"
        self._put(row.exercise, old, new)
        self.told.append(f"{row.exercise}: {what}: {row.reason}")

    def weigh(self, rules: Rules) -> None:
        """Multiply points by the weights of the assignment and of its exercises."""
        own = rules.file.of(rules.assignment)
        for name, old in list(self.exercises.items()):
            weight = own.weight * own.weights.get(name, 1.0)
            if weight != 1:
                update = {"score": old.score * weight, "max_score": old.max_score * weight}
                self._put(name, old, old.model_copy(update=update))
        told = [f"{name} counts ×{number(own.weights[name])}" for name in self.exercises if name in own.weights]
        told += [f"the assignment counts ×{number(own.weight)}"] if own.weight != 1 else []
        if told:
            self.told.append("weights: " + ", ".join(told))

    def add(self, points: float, reason: str) -> None:
        self.score = max(self.score + points, 0.0)
        self.told.append(f"{points:+g} points: {reason}")

    def _put(self, name: str, old: ExerciseResult, new: ExerciseResult) -> None:
        judged = old.score / old.max_score if old.judged is None and old.max_score else old.judged
        self.exercises[name] = new.model_copy(update={"judged": judged})
        if old.id in self.by_hand:
            self.by_people += new.max_score - old.max_score
        else:
            self.score = max(self.score + new.score - old.score, 0.0)
            self.max_score += new.max_score - old.max_score

    def changes(self) -> dict[str, object]:
        return {
            "score": self.score,
            "max_score": self.max_score,
            "manual_max_score": self.by_people,
            "exercises": list(self.exercises.values()),
            "adjustments": self.told,
        }


def _is_for(key: str, student: str, rules: Rules) -> bool:
    return key == EVERYBODY or rules.file.names(key, student)


def not_here(students: Collection[str], rules: Rules) -> Iterator[str]:
    """A line on each row and key that is for nobody here, and on what is not known of the bank."""
    own = rules.file.of(rules.assignment)
    named = [(row.where, row.student) for row in rules.ledger if row.student != EVERYBODY]
    named += [(rules.where("extensions", key), key) for key in own.extensions]
    named += [(rules.where("excused", key), key) for key in own.excused]
    for where, key in named:
        if not key.startswith(GROUP) and key not in students:
            hint = did_you_mean(key, students)
            yield f"{where}: there is no result of {name_line(key, 80)!r}{hint}"
    used = {key[1:] for _, key in named if key.startswith(GROUP)}
    lists = {rules.where_group(name): members for name, members in rules.file.groups.items() if name in used}
    lists[times.NAME] = [student for assignment, student in rules.times if assignment == rules.assignment]
    for where, names in lists.items():
        if unknown := [name for name in names if name not in students]:
            yield f"{where}: there is no result of {listed([_hinted(name, students) for name in unknown], MOST_NAMED)}"
    yield from rules.notes


def _hinted(name: str, students: Collection[str]) -> str:
    hint = did_you_mean(name, students).removeprefix("; ")
    return f"{name_line(name, 80)!r}" + (f" ({hint})" if hint else "")


def _above(run: RunResult, rules: Rules) -> Iterator[str]:
    """A line on each row that sets more points than an exercise has: a bonus, or a slip such as 15 for 1.5."""
    worth = {item.id.partition(".")[2]: item.max_score for result in run.submissions for item in result.exercises}
    for row in rules.ledger:
        if row.action == "set" and row.points > worth[row.exercise]:
            most = number(worth[row.exercise])
            yield f"{row.where}: sets {number(row.points)} points, and {row.exercise} has {most}"


def _notes(submissions: list[SubmissionResult], rules: Rules) -> Iterator[str]:
    yield from not_here([submission.student for submission in submissions], rules)
    own = rules.file.of(rules.assignment)
    unknown = [item.student for item in submissions if item.late == "unknown" and not item.excused]
    if unknown and own.due:
        yield (
            f"{rules.assignment} is due {shown(rules.file.zoned(own.due))}, and when {_named(unknown)} handed in is "
            "not known, so none of them counts as late; times.csv can say (docs/term.md)"
        )


def _named(students: Iterable[str]) -> str:
    names = [name_line(student, 80) for student in students]
    return f"{len(names)} of the students ({listed(names, MOST_NAMED)})"
