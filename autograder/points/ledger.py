"""The ledger of adjustments: what people changed of the points, kept apart from what was judged.

adjustments.csv stands in the course's folder, beside course.key. It is text that people write, a row each:
assignment, student ("*" for everybody, "@NAME" for a group), exercise ("" for the whole), action, points, reason, who,
when. The actions are `drop` (it counts for nothing), `credit` (all its points), `set` (to points) and `add` (points,
which may be negative).
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from autograder import course
from autograder.errors import InputError
from autograder.points.course_file import GROUP, CourseFile, did_you_mean
from autograder.points.tables import Row, read_rows
from autograder.results.text import one_line

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


def read_ledger(
    assignment: str, found: CourseFile, folder: Path | None = None, names: Collection[str] | None = None
) -> list[Adjustment]:
    """The adjustments of an assignment, in their order; none if there is no ledger. `folder` and `names` are as in
    `read_course_file`.

    Raises InputError, a line for each row that is wrong, whichever assignment it is of.
    """
    assignments = {assignment, *(course.assignment_names() if names is None else names)}
    problems: list[str] = []
    ledger: list[Adjustment] = []
    for row in read_rows((folder or course.ROOT) / NAME, COLUMNS):
        if problem := _problem(row, assignments, found.groups):
            problems.append(f"{row.where}: {problem}")
        elif row["assignment"] == assignment:
            points = float(row["points"] or 0)
            student, exercise, action = (row[name] for name in ("student", "exercise", "action"))
            ledger.append(Adjustment(row.where, student, exercise, action, points, one_line(row["reason"], 300)))
    if problems:
        raise InputError("\n".join(problems))
    return ledger


def _problem(row: Row, assignments: Collection[str], groups: Collection[str]) -> str:
    """What is wrong with a row, and what to do; "" if nothing is."""
    if row.count != len(COLUMNS):
        return f"has {row.count} cells, not {len(COLUMNS)}; put a text with commas in quotes"
    for name in ("assignment", "student", "reason", "who"):
        if not row[name]:
            return f"{name} is empty"
    if row["assignment"] not in assignments:
        return f"there is no assignment {row['assignment']!r}; there are {', '.join(sorted(assignments))}"
    if row["student"].startswith(GROUP) and row["student"][1:] not in groups:
        return f"course.toml has no group {row['student'][1:]!r}{did_you_mean(row['student'][1:], groups)}"
    if row["action"] not in ACTIONS:
        return f"the action {row['action']!r} is none of {', '.join(ACTIONS)}"
    takes_points = row["action"] in ("set", "add")
    if not takes_points and row["points"]:
        return f"{row['action']} takes no points"
    if takes_points and not _is_number(row["points"]):
        return f"points are {row['points']!r}; write a number, as 1.5"
    if row["action"] == "set" and float(row["points"]) < 0:
        return "nobody has less than 0 points"
    if not row["exercise"] and row["action"] != "add":
        return f"{row['action']} needs an exercise; without one only add is possible"
    try:
        date.fromisoformat(row["when"])
    except ValueError:
        return f"when is {row['when']!r}; write a date, as 2026-11-28"
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
            hint = did_you_mean(item.exercise, names)
            raise InputError(f"{item.where}: {assignment} has no exercise {item.exercise!r}{hint}")
