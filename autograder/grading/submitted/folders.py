"""Notebooks in folders. No link inside a folder is followed."""

import os
import stat
from pathlib import Path

from autograder.errors import InputError
from autograder.grading.submitted.entries import (
    Entry,
    File,
    file_of,
    is_notebook,
    is_visible,
    one_line,
    refused,
)
from autograder.grading.submitted.timestamps import GIT, is_in_clone
from autograder.grading.submitted.timestamps import NAME as TIMESTAMP
from fixmelab.notebooks import MAX_BYTES

MAX_DEPTH = 30  # of folders


def file_entry(path: Path, parts: tuple[str, ...]) -> File:
    def read(most: int = MAX_BYTES) -> bytes:
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
                raise InputError(f"{one_line(str(path))}: is not a plain file; remove it")
            with path.open("rb") as file:
                return file.read(most + 1)
        except OSError as error:
            raise InputError(refused(path, error)) from None

    return file_of(parts, one_line(str(path)), read, os.path.realpath(path))


def folder_entries(root: Path, problems: list[str]) -> list[Entry]:
    """What lies in a folder; `problems` gets a line on each thing in it that cannot be looked into.

    A timestamp.txt in a clone is left out: it is a student's own.
    """
    failed: list[OSError] = []
    entries: list[Entry] = []
    clones: set[Path] = set()
    for at, folders, files in os.walk(root, onerror=failed.append):
        here = Path(at)
        if GIT in folders or GIT in files or here.parent in clones:
            clones.add(here)
        folders[:] = sorted(filter(is_visible, folders))
        for name in folders + sorted(filter(is_visible, files)):
            path = here / name
            parts = path.relative_to(root).parts
            if os.path.islink(path):
                if name in folders or is_notebook(name):
                    problems.append(
                        f"{one_line(str(path))}: is a link, and links are not followed; replace it by a copy"
                    )
            elif name in folders:
                entries.append(Entry(parts, one_line(str(path))))
            elif name != TIMESTAMP or not (here in clones or is_in_clone(here)):
                entries.append(file_entry(path, parts))
        if folders and len(here.relative_to(root).parts) == MAX_DEPTH:
            problems.append(f"{one_line(str(here))}: folders below this one are too deep; move the notebooks up")
            folders.clear()
    problems.extend(refused(error.filename or root, error) for error in failed)
    return entries
