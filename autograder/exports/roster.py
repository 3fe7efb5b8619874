"""The CSV file of grades that a learning platform exports: its rows, and who is in which."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import InputError
from autograder.exports.platform import BLACKBOARD, CANVAS, MOODLE, Platform
from autograder.results.model import SubmissionResult
from autograder.results.text import one_line

POINTS_POSSIBLE = "Points Possible"


@dataclass
class Roster:
    """Rows of a file that a platform exported. `students` are the indices of the rows that hold one."""

    platform: Platform
    path: Path
    header: list[str]
    rows: list[list[str]]
    delimiter: str
    students: list[int]
    points_row: int | None = None

    def cell(self, row: int, column: str) -> str:
        """What stands in a column; "" without one. Versions of a platform differ in capitals, as in "Maximum grade"."""
        places = [at for at, name in enumerate(self.header) if name.casefold() == column.casefold()]
        return self.rows[row][places[0]].strip() if places else ""

    def is_locked(self, row: int) -> bool:
        """Whether the platform says that it takes no grade of this student from a file, as Moodle does."""
        return self.cell(row, "Grade can be changed").casefold() == "no"

    def number(self, row: int) -> str:
        """The platform's own number of a student; Moodle writes a word before it."""
        return self.cell(row, self.platform.number).rpartition(" ")[2]

    def name(self, row: int) -> str:
        """A student's name, for people to read."""
        parts = [self.cell(row, column) for column in self.platform.names if column in self.header]
        return one_line(", ".join(filter(None, parts)), 60)


def read_roster(path: Path, platform: Platform) -> Roster:
    """Read a CSV file that a platform exported, whatever parts its cells. Raises InputError where it is none."""
    advice = f"give the CSV file that {platform.name} exported"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {advice}") from None
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: is not UTF-8; export it from {platform.name} anew, as CSV, and save it from no spreadsheet"
        ) from None
    for delimiter in (",", ";", "\t"):
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
        except csv.Error as error:
            raise InputError(f"{path}: is no sound CSV ({error}); export it from {platform.name} anew") from None
        header = rows[0] if rows else []
        if any(header[: len(form)] == list(form) for form in platform.headers):
            return _roster(platform, path, rows, delimiter)
    forms = " and ".join(platform.headers[0])
    raise InputError(f"{path}: does not begin with the columns {forms}; {advice}")


def _roster(platform: Platform, path: Path, rows: list[list[str]], delimiter: str) -> Roster:
    header, *rest = rows
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InputError(f"{path}: has two columns {one_line(twice, 60)!r}; export it from {platform.name} anew")
    if any(len(row) > len(header) for row in rest):
        raise InputError(f"{path}: has a row that is longer than its header; export it from {platform.name} anew")
    rest = [row + [""] * (len(header) - len(row)) for row in rest]
    points = (
        next((at for at, row in enumerate(rest) if POINTS_POSSIBLE in row[0]), None) if platform == CANVAS else None
    )
    first = 0 if points is None else points + 1
    known = header.index(platform.number) if platform.number in header else 0
    students = [index for index in range(first, len(rest)) if rest[index][0].strip() or rest[index][known].strip()]
    return Roster(platform, path, header, rest, delimiter, students, points)


def finder(roster: Roster) -> Callable[[SubmissionResult], tuple[list[int], bool]]:
    """A function that returns the rows which a submission can belong to, by the best key that fits, and whether that
    is no more than a name.

    A student whose number on the platform is known is looked for by that alone; any other by login and the platform's
    further keys, the part of a login or address before "@", then by name.
    """
    platform = roster.platform
    keys: list[dict[str, list[int]]] = [defaultdict(list) for _ in range(len(platform.keys) + 1)]
    ids: dict[str, list[int]] = defaultdict(list)
    names: dict[str, list[int]] = defaultdict(list)
    for row in roster.students:
        ids[roster.number(row)].append(row)
        for level, column in enumerate(platform.keys):
            keys[level][roster.cell(row, column).casefold()].append(row)
        keys[-1][roster.cell(row, platform.address).partition("@")[0].casefold()].append(row)
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
        if number := submission.number_in(platform.account):
            return ids.get(number, []), False
        key, spelt = submission.student.strip().casefold(), _letters(submission.student)
        if found := next((level[key] for level in keys if key and key in level), None):
            return found, False
        if spelt in names:
            return names[spelt], True
        return named_by_canvas(spelt) if platform == CANVAS else [], False

    return find


def _spellings(roster: Roster, row: int) -> Iterator[str]:
    """A name as "last, first", "first last" and, as in the names of Canvas's downloads, "lastfirst"."""
    if "LastName" in roster.header:
        last, first = roster.cell(row, "LastName"), roster.cell(row, "FirstName")
    elif roster.platform == BLACKBOARD:
        last, first = roster.cell(row, "Last Name"), roster.cell(row, "First Name")
    elif roster.platform == MOODLE:
        last, first = roster.cell(row, "Full name"), ""
    else:
        last, _, first = roster.cell(row, "Student").partition(",")
    yield _letters(f"{last}{first}")
    yield _letters(f"{first}{last}")


def _letters(name: str) -> str:
    """A name without spaces and punctuation; the underscore stays, it parts a name from a number."""
    return re.sub(r"[^\w]", "", name).casefold()
