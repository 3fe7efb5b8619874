"""A run as the CSV file that Canvas's gradebook imports, from nothing or into a file that Canvas exported."""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from autograder.errors import InputError
from autograder.exports.roster import POINTS_POSSIBLE, Cell, Roster
from autograder.exports.spreadsheet import FORMULA, as_csv, guarded
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.text import name_line, number, one_line

IDENTITY = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
MOST_COLUMNS_NAMED = 12

_TITLE = re.compile(r"(?P<title>.*?)(?:[ ]\((?P<id>\d+)\))?", re.S)
# Canvas's own columns of totals, which it does not import.
_TOTAL = re.compile(r"(Unposted )?(Current|Final|Override) (Score|Points|Grade|Status)\b")
# How Canvas itself writes a name that begins with an equals sign.
_TEXT_FORMULA = re.compile(r'="[^"]*"')


@dataclass(frozen=True)
class Gradebook:
    """The CSV text, and a line on each thing that a person should know of; `filled` counts the students in it."""

    text: str
    filled: int
    notes: list[str] = field(default_factory=list)


def canvas(run: RunResult, *, column: str | None = None) -> Gradebook:
    """A file without a roster: Canvas finds students by ID, or else by SIS Login ID, for which their names in the
    results are given.

    `column` is the assignment's column in Canvas, "TITLE (ID)"; the assignment's name where it is not given.
    """
    most = max((submission.max_score for submission in run.submissions), default=0.0)
    rows = [[*IDENTITY, column or run.assignment], [f"    {POINTS_POSSIBLE}", "", "", "", "", number(most)]]
    for submission in run.submissions:
        name, id = guarded(submission.student), submission.canvas_id
        # Not the name as a login, too, if the number is known: students choose the names that they show.
        rows.append([name, id, "", "" if id else name, "", number(submission.score)])
    note = "without --roster Canvas matches students by their login: check what it shows before you confirm"
    # All in quotes, as in `spreadsheet`.
    return Gradebook(as_csv(rows, quoting=csv.QUOTE_ALL), len(run.submissions), [note])


def canvas_with_roster(
    run: RunResult, roster: Roster, *, column: str | None = None, overwrite: bool = False
) -> Gradebook:
    """The roster with the scores in the assignment's column; all else in it stays as Canvas wrote it.

    A student whose number in Canvas is known is looked for by that alone; any other by SIS Login ID, SIS User ID, ID,
    the login's part before "@", then by name. Who is found in no row, or in several, is left out and named in the
    notes, and so is each cell in which another grade stood. `column` is the assignment's column: its header, its title
    or its ID; where it is not given, the column titled like the assignment, else a new one.

    Raises InputError where the column is not there or not one, or two submissions belong to one row; and unless
    `overwrite`, a line for each, where a student is excused or has a higher grade, or one that is no number.
    """
    notes: list[str] = []
    place = _column(roster, run.assignment, column, notes)
    most = max((submission.max_score for submission in run.submissions), default=0.0)
    _note_points(roster, place, most, notes)
    find = _finder(roster)
    owners: dict[int, str] = {}
    shown = 0
    changed: list[Cell] = []
    for submission in run.submissions:
        (found, by_name), name = find(submission), name_line(submission.student, 80)
        if len(found) != 1:
            fits = f"fits {len(found)} rows of the roster" if found else "is not in the roster"
            notes.append(f"{name!r} {fits}: left out")
            continue
        (row,) = found
        if row in owners:
            who = one_line(roster.rows[row][0], 60)
            raise InputError(f"{roster.path}: {owners[row]!r} and {name!r} are both {who!r} there; keep one of them")
        owners[row] = name
        shown += by_name
        cell = Cell(one_line(roster.rows[row][0], 60), roster.rows[row][place].strip(), submission.score)
        if not cell.is_same:
            changed.append(cell)
            roster.rows[row][place] = number(submission.score)
    _refuse_losses(roster, [] if overwrite else changed)
    notes += [str(cell) for cell in changed if cell.old]
    filled = sum(not cell.old for cell in changed)
    if changed:
        notes.append(f"filled in, and empty before: {filled}; as they were: {len(owners) - len(changed)}")
    lost, without = len(run.submissions) - len(owners), len(roster.students) - len(owners)
    notes.append(
        f"{len(owners)} of {len(run.submissions)} submissions are filled in, {lost} left out; "
        f"{without} of {len(roster.students)} students of the roster have none"
    )
    if shown:
        notes.append(f"{shown} are found by the name that they show alone, which students choose: check them")
    _guard_names(roster)
    return Gradebook(as_csv([roster.header, *roster.rows], roster.delimiter), len(owners), notes)


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


def _column(roster: Roster, assignment: str, column: str | None, notes: list[str]) -> int:
    """Where the assignment's scores stand; a column is added where there is none and none was asked for."""
    first = roster.header.index("Section") + 1 if "Section" in roster.header else 2
    columns = {place: name for place, name in enumerate(roster.header) if place >= first and not _TOTAL.search(name)}
    wanted = (column or assignment).strip().casefold()
    exact = [place for place, name in columns.items() if name.strip().casefold() == wanted]
    found = exact or [place for place, name in columns.items() if wanted in _names(name)]
    if len(found) == 1:
        return found[0]
    named = ", ".join(one_line(name, 60) for name in list(columns.values())[:MOST_COLUMNS_NAMED]) or "none"
    if found:
        raise InputError(f"{roster.path}: {len(found)} columns fit {wanted!r}; give one whole with --column: {named}")
    if column is not None:
        raise InputError(f"{roster.path}: there is no column {one_line(column, 60)!r}; there are: {named}")
    notes.append(f"the roster has no column {assignment!r}: Canvas will offer to make one; --column names another")
    roster.header.append(assignment)
    for row in roster.rows:
        row.append("")
    return len(roster.header) - 1


def _names(header: str) -> set[str]:
    """Title and ID of a column "TITLE (ID)"."""
    found = _TITLE.fullmatch(header.strip().casefold())
    return {part for part in found.groups() if part} if found else set()


def _note_points(roster: Roster, place: int, most: float, notes: list[str]) -> None:
    if roster.points_row is None:
        return
    row = roster.rows[roster.points_row]
    there = row[place].strip()
    if not there:
        row[place] = number(most)
    elif there.replace(",", ".") not in (number(most), f"{most:.1f}", f"{most:.2f}"):
        notes.append(
            f"Canvas has {one_line(there, 20)} points possible, the results {number(most)}: scores are as graded"
        )


def _finder(roster: Roster) -> Callable[[SubmissionResult], tuple[list[int], bool]]:
    """A function that returns the rows which a submission can belong to, by the best key that fits, and whether that
    is no more than a name."""
    keys: list[dict[str, list[int]]] = [defaultdict(list) for _ in range(4)]
    ids: dict[str, list[int]] = defaultdict(list)
    names: dict[str, list[int]] = defaultdict(list)
    for row in roster.students:
        login, id = roster.cell(row, "SIS Login ID"), roster.cell(row, "ID")
        ids[id].append(row)
        for level, key in enumerate((login, roster.cell(row, "SIS User ID"), id)):
            keys[level][key.casefold()].append(row)
        keys[3][login.partition("@")[0].casefold()].append(row)
        for name in set(_spellings(roster, row)):
            names[name].append(row)

    def named_by_canvas(spelt: str) -> list[int]:
        """Rows whose name and number the name of a file begins with: if it can be read in two ways, both."""
        parts = spelt.split("_")
        return [
            row
            for at, part in enumerate(parts)
            for row in ids.get(part, ())
            if {"_".join(parts[:at]), "_".join(parts[:at]).removesuffix("_late")} & set(_spellings(roster, row))
        ]

    def find(submission: SubmissionResult) -> tuple[list[int], bool]:
        if submission.canvas_id:
            return ids.get(submission.canvas_id, []), False
        key, spelt = submission.student.strip().casefold(), _letters(submission.student)
        if found := next((level[key] for level in keys if key and key in level), None):
            return found, False
        if spelt in names:
            return names[spelt], True
        return named_by_canvas(spelt), False

    return find


def _spellings(roster: Roster, row: int) -> Iterator[str]:
    """A name as "last, first", "first last" and, as in the names of Canvas's downloads, "lastfirst"."""
    if "LastName" in roster.header:
        last, first = roster.cell(row, "LastName"), roster.cell(row, "FirstName")
    else:
        last, _, first = roster.cell(row, "Student").partition(",")
    yield _letters(f"{last}{first}")
    yield _letters(f"{first}{last}")


def _letters(name: str) -> str:
    """A name without spaces and punctuation; the underscore stays, it parts a name from a number."""
    return re.sub(r"[^\w]", "", name).casefold()


def _guard_names(roster: Roster) -> None:
    """Students choose the names that they show in Canvas; what Canvas has made safe itself stays."""
    for row in roster.students:
        for place in range(roster.header.index("ID")):
            cell = roster.rows[row][place]
            if cell.lstrip().startswith(FORMULA) and not _TEXT_FORMULA.fullmatch(cell.strip()):
                roster.rows[row][place] = guarded(cell)
