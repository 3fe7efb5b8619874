"""What lies in a place that was given: files and folders by name, and how a notebook is read."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from autograder.errors import InputError
from fixmelab.notebooks import START_BYTES, looks_like_a_notebook, may_be_a_notebook

SUFFIX = ".ipynb"

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A visible file or folder: its parts below the place that was given, and its path for people to read."""

    parts: Parts
    path: str


@dataclass(frozen=True)
class File(Entry):
    """A file: `read` returns its bytes, or as many as it is told and one more, or raises InputError; `identity` tells
    it from all others."""

    read: Callable[..., bytes]
    identity: str


class NotebookFile(File):
    """One that is a notebook, by its name or by what is in it."""

    @property
    def is_in_zip(self) -> bool:
        """Whether a zip lies between it and the place that was given."""
        return any(map(is_zip, self.parts))


@dataclass(frozen=True)
class Place:
    """Something that was given: the names of the folders down to it, of a zip its own alone, what lies in it, and
    whether that was packed in a zip, whose folders a student may have made."""

    top: Parts
    entries: list[Entry]
    packed: bool = False

    @property
    def notebooks(self) -> list[NotebookFile]:
        return [entry for entry in self.entries if isinstance(entry, NotebookFile)]


def is_visible(name: str) -> bool:
    """Whether people put it there, and not an operating system or an editor."""
    return not name.startswith((".", "~$")) and name.lower() not in ("__macosx", "thumbs.db", "desktop.ini")


def is_notebook(name: str) -> bool:
    return PurePath(name).suffix.lower() == SUFFIX


def is_zip(name: str) -> bool:
    return PurePath(name).suffix.lower() == ".zip"


def file_of(parts: tuple[str, ...], path: str, read: Callable[..., bytes], identity: str) -> File:
    """The file as what it is: browsers and people put other suffixes behind a notebook's name, or take it away."""
    name = parts[-1].lower()
    if is_notebook(name):
        return NotebookFile(parts, path, read, identity)
    if SUFFIX in name or PurePath(name).suffix in ("", ".json", ".txt"):
        with contextlib.suppress(InputError):
            # Data that lie in a clone may be large: of most, the beginning tells.
            if may_be_a_notebook(read(START_BYTES)) and looks_like_a_notebook(read()):
                return NotebookFile(parts, path, read, identity)
    return File(parts, path, read, identity)


def stem(name: str) -> str:
    """A file's name without its suffix, or the suffixes that something has put behind a notebook's own."""
    at = name.lower().find(SUFFIX)
    return name[:at] if at > 0 else PurePath(name).stem


def same_name(name: str, assignment: str) -> bool:
    return name.casefold() == assignment.casefold()


def refused(path: str | Path, error: OSError) -> str:
    """The line on a path that the system does not let us read."""
    shown = one_line(str(path))
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"{shown}: does not exist; check the path"
    if isinstance(error, PermissionError):
        return f"{shown}: no permission to read it; change its permissions, or ask its owner"
    return f"{shown}: cannot be read ({error.strerror or type(error).__name__}); check the path"


def one_line(text: str) -> str:
    """Text of unknown origin, safe to print in one line."""
    return "".join(character if character.isprintable() else "?" for character in text)
