"""The ledger of adjustments: what people changed of the points, kept apart from what was judged.

adjustments.csv stands in the course's folder, beside course.key. It is text that people write, a row each:
assignment, student ("*" for everybody), exercise ("" for the whole), action, points, reason, who, when.
The actions are `drop` (it counts for nothing), `credit` (all its points), `set` (to points) and `add` (points, which
may be negative).
"""

import csv
import difflib
import io
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from autograder import cells, course
from autograder.errors import InputError
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.text import name_line, number, one_line

NAME = "adjustments.csv"
COLUMNS = ("assignment", "student", "exercise", "action", "points", "reason", "who", "when")
ACTIONS = ("drop", "credit", "set", "add")
EVERYBODY = "*"


@dataclass(frozen=True)
class Adjustment:
    """A row of the ledger. `where` is the file and the line; `points` is 0 for the actions that take none."""

    where: str
    student: str
    exercise: str
    action: str
    points: float
    reason: str


def read_ledger(assignment: str, path: Path | None = None) -> list[Adjustment]:
    """The adjustments of an assignment, in their order; none if there is no ledger.

    Raises InputError, a line for each row that is wrong, whichever assignment it is of.
    """
    path = path or course.ROOT / NAME
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); save it as UTF-8 text") from None
    rows = csv.reader(io.StringIO(text, newline=""))
    header = tuple(cell.strip() for cell in next(_sound(rows, path), []))
    if header != COLUMNS:
        raise InputError(f"{path}:1: the columns must be {','.join(COLUMNS)}")
    assignments = {assignment, *course.assignment_names()}
    problems: list[str] = []
    found: list[Adjustment] = []
    for row in _sound(rows, path):
        values = dict(zip(COLUMNS, (cell.strip() for cell in row), strict=False))
        if not any(values.values()):
            continue
        where = f"{path.name}:{rows.line_num}"
        problem = _problem(values, len(row), assignments)
        if problem:
            problems.append(f"{where}: {problem}")
        elif values["assignment"] == assignment:
            points = float(values["points"] or 0)
            student, exercise, action = (values[name] for name in ("student", "exercise", "action"))
            found.append(Adjustment(where, student, exercise, action, points, one_line(values["reason"], 300)))
    if problems:
        raise InputError("\n".join(problems))
    return found


def _sound(rows: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error as error:
        raise InputError(f"{path}: is no sound CSV ({error}); mend it in a text editor") from None


def _problem(values: dict[str, str], cells_in_row: int, assignments: Collection[str]) -> str:
    """What is wrong with a row, and what to do; "" if nothing is."""
    if cells_in_row != len(COLUMNS):
        return f"has {cells_in_row} cells, not {len(COLUMNS)}; put a text with commas in quotes"
    for name in ("assignment", "student", "reason", "who"):
        if not values[name]:
            return f"{name} is empty"
    if values["assignment"] not in assignments:
        return f"there is no assignment {values['assignment']!r}; there are {', '.join(sorted(assignments))}"
    if values["action"] not in ACTIONS:
        return f"the action {values['action']!r} is none of {', '.join(ACTIONS)}"
    takes_points = values["action"] in ("set", "add")
    if not takes_points and values["points"]:
        return f"{values['action']} takes no points"
    if takes_points and not _is_number(values["points"]):
        return f"points are {values['points']!r}; write a number, as 1.5"
    if values["action"] == "set" and float(values["points"]) < 0:
        return "nobody has less than 0 points"
    if not values["exercise"] and values["action"] != "add":
        return f"{values['action']} needs an exercise; without one only add is possible"
    try:
        date.fromisoformat(values["when"])
    except ValueError:
        return f"when is {values['when']!r}; write a date, as 2026-11-28"
    return ""


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def require_exercises(ledger: list[Adjustment], assignment: str, names: Collection[str]) -> None:
    """Raise InputError for the first row on an exercise that is none of these."""
    for item in ledger:
        if item.exercise and item.exercise not in names:
            near = difflib.get_close_matches(item.exercise, sorted(names), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(f"{item.where}: {assignment} has no exercise {item.exercise!r}{hint}")


def adjusted(
    run: RunResult, *, ledger: list[Adjustment] | None = None, people: bool = False
) -> tuple[RunResult, list[str]]:
    """The run with the ledger applied, its `adjustments` saying so; and a line on each row that is for nobody here.

    `ledger` is the course's unless given. What a person grades counts only with `people`, when the marks are in the
    scores: else a run holds the points of checks alone, and of the rest only what there is to earn can change.

    Raises InputError for a ledger that is wrong, or names an exercise that the run does not have.
    """
    ledger = read_ledger(run.assignment) if ledger is None else ledger
    if not ledger or not run.submissions:
        return run, []
    names = {item.id.partition(".")[2] for submission in run.submissions for item in submission.exercises}
    students = [submission.student for submission in run.submissions]
    require_exercises(ledger, run.assignment, names)
    notes = []
    for item in ledger:
        if item.student != EVERYBODY and item.student not in students:
            near = difflib.get_close_matches(item.student, students, n=1)
            hint = f"; did you mean {name_line(near[0], 80)}?" if near else ""
            notes.append(f"{item.where}: there is no result of {name_line(item.student, 80)!r}{hint}")
    by_hand = frozenset() if people else cells.written_ids(course.read_source(run.assignment), run.assignment)
    submissions = [_adjusted(submission, ledger, by_hand) for submission in run.submissions]
    return run.model_copy(update={"submissions": submissions}), notes


def _adjusted(submission: SubmissionResult, ledger: list[Adjustment], by_hand: Collection[str]) -> SubmissionResult:
    exercises = {item.id.partition(".")[2]: item for item in submission.exercises}
    sums = {"score": submission.score, "max_score": submission.max_score}
    by_people = submission.manual_max_score
    told: list[str] = []
    for item in ledger:
        if item.student not in (EVERYBODY, submission.student):
            continue
        old = exercises.get(item.exercise)
        if old is None:
            if item.exercise:
                continue  # this student's notebook is of another version
            sums["score"] = max(sums["score"] + item.points, 0.0)
            told.append(f"{item.points:+g} points: {item.reason}")
            continue
        is_dropped = item.action == "drop"
        score = {"drop": 0.0, "credit": old.max_score, "set": item.points, "add": max(old.score + item.points, 0.0)}
        new = old.model_copy(update={"score": score[item.action], "max_score": 0.0 if is_dropped else old.max_score})
        if old.id in by_hand:
            new = new.model_copy(update={"score": old.score})
            by_people += new.max_score - old.max_score
            what = "dropped" if is_dropped else "adjusted when a person has graded it"
        else:
            sums["score"] = max(sums["score"] + new.score - old.score, 0.0)
            sums["max_score"] += new.max_score - old.max_score
            what = "dropped" if is_dropped else f"{number(old.score)} → {number(new.score)} points"
        exercises[item.exercise] = new
        told.append(f"{item.exercise}: {what}: {item.reason}")
    if not told:
        return submission
    update = {**sums, "manual_max_score": by_people, "exercises": list(exercises.values()), "adjustments": told}
    return submission.model_copy(update=update)
