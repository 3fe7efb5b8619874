"""Who is in the class: a CSV file, or nbgrader's gradebook."""

import csv
import io
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.errors import InputError
from autograder.results.names import student_name
from autograder.results.text import name_line
from autograder.serve.tables import Student

ADVICE = "give a CSV file with the columns student and name, or nbgrader's gradebook.db"


def read_roster(path: Path) -> dict[str, str]:
    """The students, and what each is called.

    A CSV file has a column `student`, or `id` as nbgrader's own lists, and perhaps `name`, or `first_name` and
    `last_name`. Raises InputError, a line for each row that is wrong.
    """
    try:
        begin = path.open("rb").read(16)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {ADVICE}") from None
    rows = _gradebook(path) if begin.startswith(b"SQLite format 3") else _csv(path)
    found: dict[str, str] = {}
    problems = []
    for where, account, name in rows:
        if not account:
            problems.append(f"{where}: names no student")
        elif account != student_name(account):
            problems.append(f"{where}: {name_line(account, 80)!r} cannot be the name of a folder; give a plain login")
        elif account in found:
            problems.append(f"{where}: {name_line(account, 80)} is on the list twice")
        found[account] = name_line(name, 190)
    if not found:
        problems.append(f"{path}: lists nobody; {ADVICE}")
    if problems:
        raise InputError("\n".join(problems))
    return found


def _csv(path: Path) -> Iterable[tuple[str, str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error}); save it as CSV in UTF-8") from None
    columns = set(rows[0]) if rows else set()
    key = next((column for column in ("student", "id") if column in columns), None)
    if rows and key is None:
        raise InputError(f"{path}:1: has no column student; {ADVICE}")
    for number, row in enumerate(rows, 2):
        values = {column: (value or "").strip() for column, value in row.items() if isinstance(column, str)}
        name = values.get("name") or f"{values.get('first_name', '')} {values.get('last_name', '')}".strip()
        yield f"{path.name}:{number}", values[str(key)], name


def _gradebook(path: Path) -> Iterable[tuple[str, str, str]]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as book:
            rows = book.execute("SELECT id, first_name, last_name FROM student ORDER BY id").fetchall()
    except sqlite3.Error as error:
        raise InputError(f"{path}: is no gradebook of nbgrader's ({error}); {ADVICE}") from None
    return [(path.name, str(key), " ".join(filter(None, (first, last)))) for key, first, last in rows]


def enrol(session: Session, roster: dict[str, str]) -> list[str]:
    """Have everybody on the roster in the database. Returns who is there and not on it: nobody loses anything."""
    known = {student.account: student for student in session.scalars(select(Student))}
    for account, name in roster.items():
        if account in known:
            known[account].name = name
        else:
            session.add(Student(account=account, name=name))
    session.flush()
    return sorted(known.keys() - roster.keys())
