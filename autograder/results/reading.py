"""Reads what `autograder grade` has written, and refuses what it cannot have written."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from pydantic import ValidationError

from autograder.errors import InputError
from autograder.results import files
from autograder.results.model import RunResult
from autograder.results.text import listed, name_line, one_line

NAME = "results.json"
MOST_NAMED = 8


@dataclass(frozen=True)
class Results:
    """A run as it lies on disk: `folder` holds results.json, `written` is when it was written, in UTC; `seconds` is
    what each submission took, by its path, where that is known."""

    run: RunResult
    folder: Path
    written: datetime
    seconds: dict[str, float]

    def executed(self, student: str) -> NotebookNode | None:
        """The executed notebook of a student; None if there is none. Raises InputError if it is damaged."""
        path = files.notebook_path(self.folder, student)
        try:
            notebook: NotebookNode = nbformat.reads(  # type: ignore[no-untyped-call]  # nbformat has no types for it
                path.read_text(encoding="utf-8"), as_version=4
            )
            return notebook
        except FileNotFoundError:
            return None
        except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.reader.NotJSONError):
            raise InputError(f"{path}: is no sound notebook; grade again with `autograder grade`") from None


class Executed(Mapping[str, NotebookNode]):
    """The executed notebooks of a run by student, each read when it is asked for: all at once may be larger than
    memory. One that is not there, or damaged, is not among them."""

    def __init__(self, folder: Path, run: RunResult) -> None:
        self._folder = folder
        self._students = [item.student for item in run.submissions]

    def __getitem__(self, student: str) -> NotebookNode:
        notebook = notebook_in(self.file(student))
        if notebook is None:
            raise KeyError(student)
        return notebook

    def file(self, student: str) -> bytes:
        """The bytes of the file, b"" if there is none."""
        try:
            return files.notebook_path(self._folder, student).read_bytes()
        except OSError:
            return b""

    def __iter__(self) -> Iterator[str]:
        return iter(self._students)

    def __len__(self) -> int:
        return len(self._students)


def plain_notebook_in(data: bytes) -> dict[str, Any] | None:
    """The notebook in a file's bytes as JSON has it, which takes a fraction of the time; None if there is none."""
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("cells"), list) else None


def notebook_in(data: bytes) -> NotebookNode | None:
    """The notebook in a file's bytes; None if there is none."""
    plain = plain_notebook_in(data)
    return nbformat.from_dict(plain) if plain else None  # type: ignore[no-untyped-call]  # nbformat has no types for it


def read_results(path: Path, *, unfinished: bool = False) -> Results:
    """Read a results.json, or the one in a folder. Raises InputError where it is none, names a student twice, or is of
    a run that has not come to its end, unless that may be `unfinished`."""
    path = path / NAME if path.is_dir() else path
    found = _read(path)
    if not unfinished:
        _require_end(found.run, path)
    return found


def read_so_far(folder: Path, assignment: str) -> Results | None:
    """The results that a run in `folder` goes on from, whether the run before has come to its end or not; None if there
    are none.

    Raises InputError if the file is no results.json, or of another assignment than the run's.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        found = _read(path)
    except InputError as error:
        raise InputError(
            f"{error}; nothing is graded, so that nobody in it is lost: mend it or move it away, or give another --out"
        ) from None
    if found.run.assignment != assignment:
        name = one_line(found.run.assignment, 60)
        raise InputError(f"{folder}: holds the results of {name}, and this is {assignment}; give another --out")
    return found


def _read(path: Path) -> Results:
    try:
        text = path.read_text(encoding="utf-8")
        written = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    except FileNotFoundError:
        raise InputError(f"{path}: does not exist; give the folder that `autograder grade` wrote") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no results.json of `autograder grade` (not UTF-8)") from None
    try:
        run = RunResult.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            one_line(f"{path}: is no results.json of `autograder grade` ({where}: {first['msg']})", 400)
        ) from None
    _require_sound(run, path)
    return Results(run, path.parent, written, read_seconds(path.parent))


def _require_end(run: RunResult, path: Path) -> None:
    if run.ungraded:
        left = len(run.ungraded)
        count = "1 submission is" if left == 1 else f"{left} submissions are"
        named = listed([name_line(student, 80) for student in run.ungraded], MOST_NAMED)
        raise InputError(
            f"{path}: is of a run that has not come to its end: {count} not graded; give the same `autograder grade` "
            "command again, and it goes on from there, `autograder merge` the folders of the other shares, or "
            f"`autograder forget` whoever has withdrawn: {named}"
        )


def _require_sound(run: RunResult, path: Path) -> None:
    seen: set[str] = set()
    for submission in run.submissions:
        name = name_line(submission.student, 80)
        if submission.student in seen:
            raise InputError(f"{path}: names the student {name!r} twice; grade again with one notebook a student")
        seen.add(submission.student)
        points = [submission.score, submission.max_score, submission.manual_max_score]
        points += [number for exercise in submission.exercises for number in (exercise.score, exercise.max_score)]
        if not all(math.isfinite(number) for number in points):
            raise InputError(f"{path}: holds points of {name!r} that are no finite number; grade again")
        in_range = all(0 <= exercise.score <= exercise.max_score for exercise in submission.exercises)
        score = sum(exercise.score for exercise in submission.exercises)
        most = sum(exercise.max_score for exercise in submission.exercises) - submission.manual_max_score
        sums = ((submission.score, score), (submission.max_score, most))
        if not in_range or not all(math.isclose(stated, found, abs_tol=1e-6) for stated, found in sums):
            raise InputError(f"{path}: the points of {name!r} are not those of the exercises; grade again")


def read_seconds(folder: Path) -> dict[str, float]:
    """What each submission took, by its path, where that is known: a report does not fail for want of it."""
    try:
        found = json.loads((folder / "timings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: float(value) for key, value in found.items() if isinstance(value, int | float) and 0 <= value < 1e9}
