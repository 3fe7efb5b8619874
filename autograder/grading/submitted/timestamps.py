"""timestamp.txt, in which nbgrader's exchange notes when something was submitted."""

import os
import re
import stat
from datetime import datetime, timezone
from pathlib import Path

from dateutil import tz
from dateutil.parser import isoparse

from autograder.errors import InputError
from autograder.grading.submitted.entries import NotebookFile, Place, same_name
from autograder.grading.submitted.platforms import readings
from autograder.results.names import student_name

NAME = "timestamp.txt"
GIT = ".git"
MOST_CHARACTERS = 1_000
_TIME = re.compile(r"(\d{4}-\d\d-\d\d.*?)(?: ([A-Z]{3,5}|\+0000))?")


def is_by_exchange(place: Place, notebook: NotebookFile, assignment: str, student: str) -> bool:
    """Whether a notebook lies in STUDENT/ASSIGNMENT/, which nbgrader's exchange has made.

    If the student's name, or one by a learning platform, stands above that, the student may have made these folders. So
    they may if a zip lies between, or if the whole was packed and holds nobody else's: then it may be their own zip.
    """
    parts = place.top + notebook.parts
    is_one_students = len(notebook.parts) < 3 or len({other.parts[0] for other in place.notebooks}) == 1
    if len(parts) < 3 or notebook.is_in_zip or (place.packed and is_one_students):
        return False
    *above, name, last, _ = parts
    is_inside = same_name(last, assignment) and student_name(name) == student
    return is_inside and not any(student_name(folder) == student or readings(folder) for folder in above)


def is_in_clone(folder: Path) -> bool:
    """Whether STUDENT/ASSIGNMENT/ is of a clone of Git's, in which all that lies there is the student's."""
    return any(os.path.lexists(one / GIT) for one in (folder, folder.parent))


def read_timestamp(path: Path) -> datetime | None:
    """The time of submission in a timestamp.txt as a datetime in UTC, without a zone, as nbgrader keeps it.

    None where there is no such file, or an empty one. Raises InputError where it holds something else.
    """
    try:
        text = _plain_file(path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); write the time of submission into it") from None
    return timestamp_in(text, path)


def timestamp_in(text: str, path: Path | str) -> datetime | None:
    """The time in the text of a timestamp.txt, as `read_timestamp` returns it; `path` is for people to read."""
    text = text.strip()
    if re.search(r" [+-]\d*[1-9]\d*$", text):  # nbgrader takes +0200 for 200 seconds
        raise InputError(
            f"{path}: {text[:40]!r}: nbgrader misreads such a zone; write the time in UTC, with UTC behind"
        )
    try:
        return _time(text) if text else None
    except (ValueError, OverflowError):
        raise InputError(f"{path}: {text[:40]!r} is no time; write for example 2030-01-31 23:59:00 UTC") from None


def _plain_file(path: Path) -> str:
    """The beginning of a file, but of no link, pipe or device: students may have put them there. Raises OSError."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise OSError("it is no plain file")
    with path.open(encoding="utf-8") as file:
        return file.read(MOST_CHARACTERS)


def _time(text: str) -> datetime:
    """A time with the year first, in UTC where it names no zone. Raises ValueError where it is none.

    Not by nbgrader's parse_utc, which guesses: March 5 for 03.05.2030, and UTC for a zone that it does not know.
    """
    match = _TIME.fullmatch(text)
    zone = tz.gettz((match[2] or "UTC").replace("+0000", "UTC")) if match else None
    if not match or not zone:
        raise ValueError(text)
    moment = isoparse(match[1])
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment.astimezone(timezone.utc).replace(tzinfo=None)
