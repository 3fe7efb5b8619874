"""What lies in a place that was given: files and folders by name, and how a notebook is read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

SUFFIX = ".ipynb"


@dataclass(frozen=True)
class Entry:
    """A visible file or folder: its parts below the place that was given, and its path for people to read."""

    parts: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class NotebookFile(Entry):
    """One that is a notebook: `read` returns its bytes or raises InputError, `identity` tells it from all others."""

    read: Callable[[], bytes]
    identity: str


@dataclass(frozen=True)
class Place:
    """Something that was given: the names of the folders down to it, none for a zip, and what lies in it."""

    top: tuple[str, ...]
    entries: list[Entry]

    @property
    def notebooks(self) -> list[NotebookFile]:
        return [entry for entry in self.entries if isinstance(entry, NotebookFile)]


def is_visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def is_notebook(name: str) -> bool:
    return PurePath(name).suffix.lower() == SUFFIX


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
