"""Writes an extension into course.toml, where grading and exports read it, and leaves all else as it was written."""

import json
import re
import threading
from datetime import date, datetime
from pathlib import Path

from autograder import course
from autograder.errors import InputError
from autograder.points.course_file import NAME, line_of, read_course_file, sound, table_of
from autograder.toml import tomllib
from fixmelab.files import write_whole

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_one_at_a_time = threading.Lock()


def extend(assignment: str, student: str, until: date | datetime, note: str) -> None:
    """Extend a student's due date in course.toml; a date is the end of its day. `note` is a comment beside it.

    Raises InputError if the file would not be sound with it, or holds its extensions in a form that only people change.
    """
    path = (course.ROOT / NAME).resolve()
    with _one_at_a_time:
        before = read_course_file()[1]
        after = _with_line(before, ("assignments", assignment, "extensions"), student, f"{until.isoformat()}  # {note}")
        wanted = tomllib.loads(before)
        own = wanted.setdefault("assignments", {}).setdefault(assignment, {})
        own.setdefault("extensions", {})[student] = until
        try:
            is_as_wanted = tomllib.loads(after) == wanted
        except tomllib.TOMLDecodeError:
            is_as_wanted = False
        if not is_as_wanted:
            number = line_of(before, ("assignments", assignment, "extensions", student))
            raise InputError(f"{NAME}:{number}: the extension has no place of its own there; write it by hand")
        sound(after)
        try:
            mode = path.stat().st_mode if path.exists() else None
            write_whole(path, lambda file: _write(file, after, mode))
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); write the extension by hand") from None


def _write(file: Path, text: str, mode: int | None) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    if mode is not None:
        file.chmod(mode & 0o7777)


def _with_line(text: str, table: tuple[str, ...], key: str, value: str) -> str:
    """A text of TOML with one key of a table, whose header is written if there is none."""
    names = [part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in (*table, key)]
    end = "\r\n" if "\r\n" in text else "\n"
    lines, line = text.split(end), f"{names[-1]} = {value}"
    headers = [at for at, line in enumerate(lines) if table_of(line) == table]
    known = line_of(text, (*table, key)) - 1
    if not headers:
        lines[-1:] = [*filter(None, lines[-1:]), *([""] if text.strip() else []), f"[{'.'.join(names[:-1])}]", line, ""]
    elif known > headers[0]:
        lines[known] = line
    else:
        lines.insert(headers[0] + 1, line)
    return end.join(lines)
