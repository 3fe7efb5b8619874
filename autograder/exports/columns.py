"""Which column of a platform's file the points of an assignment go to, and how many points it holds there."""

import re

from autograder.errors import InputError
from autograder.exports.platform import BLACKBOARD, CANVAS, MOODLE, Platform
from autograder.exports.roster import Roster
from autograder.results.text import number, one_line

MOST_COLUMNS_NAMED = 12
# Canvas's own columns of totals, which it does not import.
_TOTAL = re.compile(r"(Unposted )?(Current|Final|Override) (Score|Points|Grade|Status)\b")


def column_of(roster: Roster, assignment: str, column: str | None, most: float, notes: list[str]) -> int:
    """Where the assignment's scores stand. Canvas gets a column if there is none and none was asked for.

    `notes` gets a line if the platform has other points possible than `most`. Raises InputError if there is no such
    column, or not one.
    """
    if roster.platform == MOODLE:
        place = _moodles(roster, column)
        _note_maximum(roster, most, notes)
        return place
    place = _titled(roster, assignment, column, notes)
    if roster.platform == CANVAS:
        _note_points(roster, place, most, notes)
    else:
        found = BLACKBOARD.title.fullmatch(roster.header[place].strip())
        if found and found["most"].replace(",", ".") not in _spelt(most):
            notes.append(_other_points("Blackboard", found["most"], most))
    return place


def _moodles(roster: Roster, column: str | None) -> int:
    wanted = column or "Grade"
    if wanted not in roster.header:
        raise InputError(
            f"{roster.path}: there is no column {one_line(wanted, 60)!r}; "
            "download the grading worksheet of the assignment, with Moodle in English"
        )
    return roster.header.index(wanted)


def _note_maximum(roster: Roster, most: float, notes: list[str]) -> None:
    """Moodle passes over a grade above its maximum, and says nothing."""
    maxima = {roster.cell(row, "Maximum Grade") for row in roster.students} - {"", "-"}
    for maximum in sorted(maxima):
        if maximum.replace(",", ".") not in _spelt(most):
            notes.append(_other_points("Moodle", maximum, most) + "; Moodle passes over any above its maximum")


def most_in(roster: Roster, row: int, place: int) -> float | None:
    """The most points that the platform says a student may have; None if its file does not say, or it takes more."""
    if roster.platform == MOODLE:
        return as_number(roster.cell(row, "Maximum Grade"))
    found = BLACKBOARD.title.fullmatch(roster.header[place].strip()) if roster.platform == BLACKBOARD else None
    return as_number(found["most"]) if found else None


def as_number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _titled(roster: Roster, assignment: str, column: str | None, notes: list[str]) -> int:
    first = roster.header.index("Section") + 1 if "Section" in roster.header else 2
    columns = {place: name for place, name in enumerate(roster.header) if place >= first and not _TOTAL.search(name)}
    if roster.platform == BLACKBOARD:
        columns = {place: name for place, name in columns.items() if BLACKBOARD.title.fullmatch(name.strip())}
    wanted = (column or assignment).strip().casefold()
    exact = [place for place, name in columns.items() if name.strip().casefold() == wanted]
    found = exact or [place for place, name in columns.items() if wanted in _names(roster.platform, name)]
    if len(found) == 1:
        return found[0]
    named = ", ".join(one_line(name, 60) for name in list(columns.values())[:MOST_COLUMNS_NAMED]) or "none"
    if found:
        raise InputError(f"{roster.path}: {len(found)} columns fit {wanted!r}; give one whole with --column: {named}")
    if column is not None or roster.platform == BLACKBOARD:
        hint = "" if column else "; make it in Blackboard first, or name another with --column"
        raise InputError(
            f"{roster.path}: there is no column {one_line(column or assignment, 60)!r}{hint}; there are: {named}"
        )
    notes.append(f"the roster has no column {assignment!r}: Canvas will offer to make one; --column names another")
    roster.header.append(assignment)
    for row in roster.rows:
        row.append("")
    return len(roster.header) - 1


def _names(platform: Platform, header: str) -> set[str]:
    """Title and ID of a column, as in "TITLE (ID)"."""
    found = re.compile(platform.title.pattern, re.S | re.I).fullmatch(header.strip())
    return {found[part].casefold() for part in ("title", "id") if found[part]} if found else set()


def _note_points(roster: Roster, place: int, most: float, notes: list[str]) -> None:
    if roster.points_row is None:
        return
    row = roster.rows[roster.points_row]
    there = row[place].strip()
    if not there:
        row[place] = number(most)
    elif there.replace(",", ".") not in _spelt(most):
        notes.append(_other_points("Canvas", there, most))


def _other_points(platform: str, there: str, most: float) -> str:
    return f"{platform} has {one_line(there, 20)} points possible, the results {number(most)}: scores are as graded"


def _spelt(points: float) -> tuple[str, ...]:
    return number(points), f"{points:.1f}", f"{points:.2f}"
