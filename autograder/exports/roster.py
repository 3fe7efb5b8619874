"""The CSV file that Canvas exports: its rows, and what a grade in it would be replaced by."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import InputError
from autograder.results.text import number, one_line

POINTS_POSSIBLE = "Points Possible"
EXCUSED = ("ex", "excused")
MISSING = ("mi", "missing")


@dataclass
class Roster:
    """Rows of a file that Canvas exported. `students` are the indices of the rows that hold one."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    delimiter: str
    students: list[int]
    points_row: int | None

    def cell(self, row: int, column: str) -> str:
        return self.rows[row][self.header.index(column)].strip() if column in self.header else ""


@dataclass(frozen=True)
class Cell:
    """The cell of a student: what stands there, and the points that would."""

    student: str
    old: str
    new: float

    def __str__(self) -> str:
        return f"{self.student}: {one_line(self.old, 30)} → {number(self.new)}"

    @property
    def is_same(self) -> bool:
        return self.old == number(self.new) or _number(self.old) == self.new

    @property
    def loss(self) -> str:
        """What would be lost, in a few words; "" if nothing would be."""
        if not self.old or self.old.casefold() in MISSING:
            return ""
        if self.old.casefold() in EXCUSED:
            return "is excused in Canvas"
        there = _number(self.old)
        if there is None:
            return "holds no number"
        # Canvas shows two places.
        return "would be lowered" if self.new < there - 0.005 else ""


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def read_roster(path: Path) -> Roster:
    """Read a CSV file that Canvas exported, with commas or semicolons. Raises InputError where it is none."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give the CSV file that Canvas exported") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8; export it from Canvas anew, and save it from no spreadsheet") from None
    for delimiter in (",", ";"):
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
        except csv.Error as error:
            raise InputError(f"{path}: is no sound CSV ({error}); export it from Canvas anew") from None
        header = rows[0] if rows else []
        if header[:2] == ["Student", "ID"] or header[:3] == ["LastName", "FirstName", "ID"]:
            return _roster(path, rows, delimiter)
    raise InputError(f"{path}: does not begin with the columns Student and ID; give the CSV file that Canvas exported")


def _roster(path: Path, rows: list[list[str]], delimiter: str) -> Roster:
    header, *rest = rows
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InputError(f"{path}: has two columns {one_line(twice, 60)!r}; export it from Canvas anew")
    if any(len(row) > len(header) for row in rest):
        raise InputError(f"{path}: has a row that is longer than its header; export it from Canvas anew")
    rest = [row + [""] * (len(header) - len(row)) for row in rest]
    points = next((index for index, row in enumerate(rest) if POINTS_POSSIBLE in row[0]), None)
    first = 0 if points is None else points + 1
    number_of = header.index("ID")
    students = [index for index in range(first, len(rest)) if rest[index][0].strip() or rest[index][number_of].strip()]
    return Roster(path, header, rest, delimiter, students, points)
