"""When something was handed in: times.csv, which people write beside course.key, goes before what a platform says."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from pathlib import Path

from autograder import course
from autograder.errors import InputError
from autograder.points.course_file import CourseFile
from autograder.points.tables import read_rows

NAME = "times.csv"
COLUMNS = ("assignment", "student", "submitted")

# By assignment and student.
Times = Mapping[tuple[str, str], datetime]


def read_times(found: CourseFile, folder: Path | None = None, names: Collection[str] | None = None) -> Times:
    """The times of times.csv, with their zones; none if there is no such file. The last row of a student counts.
    `folder` and `names` are as in `read_course_file`.

    Raises InputError, a line for each row that is wrong.
    """
    assignments = course.assignment_names() if names is None else names
    problems: list[str] = []
    times: dict[tuple[str, str], datetime] = {}
    for row in read_rows((folder or course.ROOT) / NAME, COLUMNS):
        moment = parsed(row["submitted"])
        if row.count != len(COLUMNS) or not row["student"]:
            problems.append(f"{row.where}: a row is {','.join(COLUMNS)}")
        elif row["assignment"] not in assignments:
            problems.append(f"{row.where}: there is no assignment {row['assignment']!r}")
        elif moment is None:
            problems.append(f"{row.where}: {row['submitted']!r} is no time; write it as 2026-11-28 23:59")
        elif _is_date(row["submitted"]):
            problems.append(f"{row.where}: {row['submitted']!r} lacks the time of day; write it as 2026-11-28 23:59")
        elif moment.tzinfo is None and found.time_zone is None:
            problems.append(
                f"{row.where}: {row['submitted']!r} names no zone; write time_zone in course.toml, or +01:00"
            )
        else:
            times[row["assignment"], row["student"]] = found.zoned(moment)
    if problems:
        raise InputError("\n".join(problems))
    return times


def _is_date(text: str) -> bool:
    """In course.toml a date is the end of its day, and here it would be the beginning."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def parsed(text: str) -> datetime | None:
    """A time in ISO 8601; None for anything else. "UTC" and "Z" behind it are its zone."""
    text = text.strip()
    for ending in (" UTC", "UTC", "Z"):
        if text.endswith(ending):
            text = text.removesuffix(ending).strip() + "+00:00"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
