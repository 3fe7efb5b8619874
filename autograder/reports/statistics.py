"""What results say about the exam: how hard each exercise is, whether it tells good students from weak ones, and which
checks look suspicious."""

import csv
import io
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy

from autograder.reports.answers import Answers
from autograder.results.model import RunResult, SubmissionResult

FEWEST = 4  # students, for an interval by Fisher's transformation
BEST = 0.25  # the share of a class that counts as its best students
FEWEST_BEST = 5
GOOD = 0.8  # of the other points
CONFIDENCE = 1.96  # of a normal distribution, 95 %


@dataclass(frozen=True)
class Discrimination:
    """The correlation, in [-1, 1], of an exercise's points with those of all others: the corrected item-total
    correlation, which is point-biserial if the exercise has no partial credit.

    It rests on `count` students; `low` and `high` bound it at 95 % by Fisher's transformation (NaN for fewer than four
    students). `why` is empty, or says why there is none.
    """

    value: float
    low: float
    high: float
    count: int
    why: str = ""


@dataclass(frozen=True)
class ExerciseStatistics:
    """One exercise: `difficulty` is the mean share of its points, in [0, 1] (1 is easy), over the `judged` students;
    `suspicions` are sentences on why its check should be looked at."""

    id: str
    judged: int
    right: int
    difficulty: float
    discrimination: Discrimination
    suspicions: tuple[str, ...] = ()


def exercise_statistics(run: RunResult, by_hand: Collection[str]) -> list[ExerciseStatistics]:
    """The statistics of each exercise that is judged automatically, in the run's order.

    Whoever an exercise was not judged for, by a fault of the grader or because it counts for nothing, is left out of
    it, and whoever is excused is left out of all. Points are those that were judged: if everybody is given those of an
    exercise, its check is no less suspicious. Raises nothing.
    """
    students = [student for student in run.submissions if not student.excused]
    names = list(dict.fromkeys(item.id for student in students for item in student.exercises if item.id not in by_hand))
    columns = {name: column for column, name in enumerate(names)}
    points = numpy.full((len(students), len(names)), numpy.nan)
    most = numpy.zeros_like(points)
    right = numpy.zeros_like(points, dtype=bool)
    for row, student in enumerate(students):
        for item in student.exercises:
            column = columns.get(item.id)
            if column is not None and item.verdict != "fault" and item.max_score > 0:
                score = item.score if item.judged is None else item.judged * item.max_score
                points[row, column], most[row, column] = score, item.max_score
                right[row, column] = item.verdict == "pass"
    shares = points / numpy.where(most > 0, most, 1)
    totals, most_totals = numpy.nansum(points, axis=1), most.sum(axis=1)
    found = []
    for name, column in columns.items():
        is_judged = ~numpy.isnan(points[:, column])
        others = most_totals[is_judged] - most[is_judged, column]
        rest = (totals[is_judged] - points[is_judged, column]) / numpy.where(others > 0, others, 1)
        share = shares[is_judged, column]
        if share.size == 0:
            continue
        statistics = ExerciseStatistics(
            id=name,
            judged=int(share.size),
            right=int(right[:, column].sum()),
            difficulty=float(share.mean()),
            discrimination=discrimination(share, rest),
        )
        found.append(replace(statistics, suspicions=tuple(_suspicions(statistics, share, rest))))
    return found


def discrimination(shares: numpy.ndarray, rest: numpy.ndarray) -> Discrimination:
    """The correlation of two vectors of equal length: the shares of one exercise's points, and of all others'."""
    count = int(shares.size)
    nothing = Discrimination(math.nan, math.nan, math.nan, count)
    if count < 2:
        return replace(nothing, why="fewer than two students")
    if numpy.ptp(shares) < 1e-9:
        return replace(nothing, why="all have the same points for it")
    if numpy.ptp(rest) < 1e-9:
        return replace(nothing, why="all have the same points for everything else")
    value = float(numpy.clip(numpy.corrcoef(shares, rest)[0, 1], -1, 1))
    if count < FEWEST:
        return replace(nothing, value=value)
    if abs(value) > 1 - 1e-12:
        return Discrimination(value, value, value, count)
    middle, spread = math.atanh(value), CONFIDENCE / math.sqrt(count - 3)
    return Discrimination(value, math.tanh(middle - spread), math.tanh(middle + spread), count)


def _suspicions(statistics: ExerciseStatistics, shares: numpy.ndarray, rest: numpy.ndarray) -> Iterable[str]:
    found = statistics.discrimination
    if found.high < 0:
        yield "Those who lose it have more of the other points than those who get it."
    count = max(FEWEST_BEST, round(BEST * shares.size))
    if shares.size >= 2 * FEWEST_BEST:
        best = numpy.argsort(-rest, kind="stable")[:count]
        good = best[rest[best] >= GOOD]
        lost = int((shares[good] < 1e-9).sum())
        if good.size >= FEWEST_BEST and 2 * lost > good.size:
            yield f"{lost} of the {good.size} best students, who have {GOOD:.0%} of the other points or more, lose it."


COLUMNS = (
    "exercise",
    "judged",
    "right",
    "difficulty",
    "discrimination",
    "low",
    "high",
    "rests_on",
    "why_none",
    "look_at",
)


def statistics_csv(items: Iterable[ExerciseStatistics]) -> str:
    """A row for each exercise; a number that is undefined is an empty cell, and `why_none` says why."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for item in items:
        found = item.discrimination
        numbers = ["" if math.isnan(value) else f"{value:.4f}" for value in (found.value, found.low, found.high)]
        share = f"{item.difficulty:.4f}"
        suspicions = " ".join(item.suspicions)
        rows.writerow([item.id, item.judged, item.right, share, *numbers, found.count, found.why, suspicions])
    return text.getvalue()


class SameCode:
    """Notices answers of the same code of which some are right and some are wrong: then the inputs that were drawn
    decide, or what else their notebooks hold. `note_all` is called once about each student."""

    def __init__(self) -> None:
        # By a hash of exercise and code: a class of thousands has many answers.
        self._right: dict[int, str] = {}
        self._wrong: dict[int, tuple[str, list[str]]] = {}

    def note_all(self, submission: SubmissionResult, answers: Answers) -> None:
        for item in submission.exercises:
            self.note(submission.student, item.id, answers.leaning(item.id.partition(".")[2]), item.verdict)

    def note(self, student: str, exercise: str, code: str, verdict: str) -> None:
        """`code` is what decides the verdict, without comments and white space; "" if there is none."""
        if code and verdict == "pass":
            self._right.setdefault(hash((exercise, code)), student)
        elif code and verdict in ("fail", "error"):
            self._wrong.setdefault(hash((exercise, code)), (exercise, []))[1].append(student)

    def found(self) -> list[tuple[str, str, list[str]]]:
        """The exercise, the first of those whose answer is right, and all whose answer is the same and wrong."""
        return [
            (exercise, self._right[code], students)
            for code, (exercise, students) in self._wrong.items()
            if code in self._right
        ]
