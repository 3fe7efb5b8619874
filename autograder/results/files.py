"""The files of a run: each appears complete or not at all, and none outside the folder that was given."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from autograder.errors import InputError
from autograder.results.names import file_stem
from fixmelab.files import write_whole

ADVICE = "make room there or allow writing, or give another folder with --out"


def write(path: Path, text: str | Iterable[str]) -> Path:
    """Write a file, whole or not at all; of a text in pieces, one is held at a time.

    Raises InputError if it cannot be written; then nothing of it is there, and what was there before still is.
    """
    try:
        write_whole(path, lambda file: _fill(file, text))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); {ADVICE}") from None
    return path


def remove(path: Path) -> None:
    """Remove a file that is out of date, if it is there. Raises InputError if it cannot be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: is out of date and cannot be removed ({error.strerror}); remove it") from None


def copy(path: Path, place: Path) -> None:
    """Copy a file, whole or not at all, if it is there. Raises InputError if that cannot be."""
    try:
        write_whole(place, lambda file: shutil.copyfile(path, file))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise InputError(f"{path}: cannot be copied to {place} ({error.strerror}); {ADVICE}") from None


def write_durably(path: Path, text: str) -> None:
    """What `write` does, so that a power cut cannot leave half of it, either. Raises OSError."""
    write_whole(path, lambda file: _fill(file, text, durable=True))


def _fill(path: Path, text: str | Iterable[str], *, durable: bool = False) -> None:
    # Text out of a kernel may hold lone surrogates, which no file can.
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.writelines([text] if isinstance(text, str) else text)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def notebook_path(out: Path, student: str) -> Path:
    """Where the executed notebook of a student is put: never outside `out`, and for each name another place."""
    return out / "executed" / f"{file_stem(student)}.ipynb"
