"""The CSV files that people write beside course.key, read row by row: adjustments.csv and times.csv."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import InputError


@dataclass(frozen=True)
class Row:
    """A row: the file and its line, the cells by column, and how many cells it really has."""

    where: str
    values: dict[str, str]
    count: int

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a file that are not empty; none if there is no file.

    Raises InputError if it cannot be read, or does not have these columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); save it as UTF-8 text") from None
    rows = csv.reader(io.StringIO(text, newline=""))
    header = tuple(cell.strip() for cell in next(_sound(rows, path), []))
    if header != columns:
        raise InputError(f"{path}:1: the columns must be {','.join(columns)}, with commas between them")
    for row in _sound(rows, path):
        values = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        if any(values.values()):
            yield Row(f"{path.name}:{rows.line_num}", values, len(row))


def _sound(rows: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error as error:
        raise InputError(f"{path}: is no sound CSV ({error}); mend it in a text editor") from None
