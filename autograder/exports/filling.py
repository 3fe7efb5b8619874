"""A learning platform's file of grades, filled in with the points of a run; nothing in it is lost without a word."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.errors import InputError
from autograder.exports.columns import as_number, column_of, most_in
from autograder.exports.platform import CANVAS, MOODLE
from autograder.exports.roster import Roster, finder
from autograder.exports.spreadsheet import BOM, FORMULA, as_csv, guarded
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.text import listed, name_line, number, one_line

EXCUSED = ("ex", "excused", "exempt")
# What says that there is no grade.
NO_GRADE = re.compile(r"|-|mi|missing|needs grading(\(.*\))?|in progress(\(.*\))?", re.I)
MOST_NAMED = 8
LEAST_SHOWN = 0.005  # platforms show two places

# How Canvas itself writes a name that begins with an equals sign.
_TEXT_FORMULA = re.compile(r'="[^"]*"')


@dataclass(frozen=True)
class Gradebook:
    """The CSV text, and a line on each thing that a person should know of; `filled` counts the students in it."""

    text: str
    filled: int
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """The cell of a student: what stands there, and what would; `new` is None for an excuse."""

    student: str
    old: str
    new: float | None
    platform: str
    excuse: str

    def __str__(self) -> str:
        return f"{self.student}: {one_line(self.old, 30)} → {self.text}"

    @property
    def text(self) -> str:
        return self.excuse if self.new is None else number(self.new)

    @property
    def is_same(self) -> bool:
        if self.new is None:
            return self.old.casefold() in EXCUSED
        return self.old == self.text or as_number(self.old) == self.new

    @property
    def loss(self) -> str:
        """What would be lost, in a few words; "" if nothing would be."""
        if NO_GRADE.fullmatch(self.old):
            return ""
        if self.old.casefold() in EXCUSED:
            return f"is excused in {self.platform}"
        there = as_number(self.old)
        if there is None:
            return "holds no number"
        if self.new is None:
            return "would be excused"
        return "would be lowered" if self.new < there - LEAST_SHOWN else ""


def fill_in(
    run: RunResult,
    roster: Roster,
    *,
    excused: Iterable[SubmissionResult] = (),
    column: str | None = None,
    overwrite: bool = False,
) -> Gradebook:
    """The roster with the scores in the assignment's column; all else in it stays as the platform wrote it.

    Who is found in no row, in several, or in one that is locked, is left out and named in the notes. Each cell in which
    another grade stood is named, too, and each score above the platform's maximum. `excused` are results of people who
    are excused and have none. `column` is the assignment's column: its header, its title or its ID; where it is not
    given, the one titled like the assignment.

    Raises InputError where the column is not there or not one, or two submissions belong to one row; and unless
    `overwrite`, a line for each, where a student is excused or would be, or has a higher grade, or one that is no
    number.
    """
    notes: list[str] = []
    platform = roster.platform
    most = max((submission.max_score for submission in run.submissions), default=0.0)
    place = column_of(roster, run.assignment, column, most, notes)
    find = finder(roster)
    owners: dict[int, str] = {}
    shown = 0
    changed: list[Cell] = []
    by_hand: list[str] = []
    locked: list[str] = []
    above: list[str] = []
    filled = 0
    for submission in [*run.submissions, *excused]:
        (found, by_name), name = find(submission), name_line(submission.student, 80)
        if len(found) != 1:
            fits = f"fits {len(found)} rows of the roster" if found else "is not in the roster"
            notes.append(f"{name!r} {fits}: left out")
            continue
        (row,) = found
        if row in owners:
            raise InputError(
                f"{roster.path}: {owners[row]!r} and {name!r} are both {roster.name(row)!r} there; keep one of them"
            )
        owners[row] = name
        if roster.is_locked(row):
            locked.append(name)
            continue
        filled += bool(submission.exercises)
        shown += by_name
        if submission.excused and not platform.excused:
            by_hand.append(name)
            continue
        score = None if submission.excused else submission.score
        cell = Cell(roster.name(row), roster.rows[row][place].strip(), score, platform.name, platform.excused)
        most_there = most_in(roster, row, place)
        if score is not None and most_there is not None and score > most_there + LEAST_SHOWN:
            above.append(f"{cell.student}: {number(score)} of {number(most_there)}")
        if not cell.is_same:
            changed.append(cell)
            roster.rows[row][place] = cell.text
    _refuse_losses(roster, [] if overwrite else changed)
    notes += [str(cell) for cell in changed if cell.old]
    if changed:
        empty = sum(not cell.old for cell in changed)
        as_they_were = len(owners) - len(changed) - len(by_hand) - len(locked)
        notes.append(f"filled in, and empty before: {empty}; as they were: {as_they_were}")
    if above:
        # All of them: Moodle says nothing of a grade that it does not take.
        what = "would pass over" if platform == MOODLE else "has fewer points possible than"
        notes.append(
            f"{platform.name} {what} {len(above)} of the scores ({'; '.join(above)}); raise the maximum there"
            + (", and download the worksheet again" if platform == MOODLE else "")
        )
    if by_hand:
        named = listed(by_hand, MOST_NAMED)
        notes.append(f"excused, which {platform.name} takes from no file: {len(by_hand)}: {named}; left as they were")
    if locked:
        # All of them: Moodle says nothing of these either.
        notes.append(
            f"locked in {platform.name}, which takes no grade of theirs: {len(locked)}: {', '.join(locked)}; "
            "left as they were: unlock them there, and download the worksheet again"
        )
    lost, without = len(run.submissions) - filled, len(roster.students) - len(owners)
    notes.append(
        f"{filled} of {len(run.submissions)} submissions are filled in, {lost} left out; "
        f"{without} of {len(roster.students)} students of the roster have none"
    )
    if shown:
        notes.append(f"{shown} are found by the name that they show alone, which students choose: check them")
    _guard(roster)
    rows = [roster.header, *roster.rows]
    text = BOM + as_csv(rows, roster.delimiter, csv.QUOTE_ALL) if platform.bom else as_csv(rows, roster.delimiter)
    return Gradebook(text, filled, notes)


def _refuse_losses(roster: Roster, changed: list[Cell]) -> None:
    lost = [cell for cell in changed if cell.loss]
    if lost:
        count = "1 cell" if len(lost) == 1 else f"{len(lost)} cells"
        raise InputError(
            "\n".join(
                [
                    *(f"{cell}: {cell.loss}" for cell in lost),
                    f"{roster.path}: {count} would lose what stands there, nothing is written; --overwrite writes all",
                ]
            )
        )


def _guard(roster: Roster) -> None:
    """No cell that students have a say in begins a formula; what the platform has made safe itself stays."""
    names = roster.platform.names
    if roster.platform == CANVAS:
        names = tuple(roster.header[: roster.header.index("ID")])
    elif roster.platform == MOODLE:  # Online text is the student's own; a comment is read back
        names = tuple(name for name in roster.header if name not in (MOODLE.number, "Grade", "Feedback comments"))
    for row in roster.students:
        for place in (roster.header.index(name) for name in names if name in roster.header):
            cell = roster.rows[row][place].strip()
            is_formula = cell.startswith(FORMULA) and cell not in FORMULA  # Moodle's dash alone is "nothing"
            if is_formula and not _TEXT_FORMULA.fullmatch(cell):
                roster.rows[row][place] = guarded(cell)
