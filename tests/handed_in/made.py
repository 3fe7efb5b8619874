"""How situations are made: from the built notebooks, by small functions, and what must come out of each."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from autograder import course

Notebook = dict[str, Any]
ANSWERED = ("padding", "log_partition", "tag_log_probability", "chain_log_partition")  # of `solved`


@dataclass(frozen=True)
class Found:
    """Files that were handed in. `make` writes them below a folder and returns what is given to `grade`; `students` are
    all who must be found, with the end of the path of their file; each of `lines` stands in one line that is said."""

    name: str
    make: Callable[[Path], list[Path] | None]
    students: Mapping[str, str]
    lines: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Graded:
    """A notebook of foundations. It must get all points but for the exercises in `lost`, of which each has what its
    message must hold; nobody's message may hold any of `never`."""

    name: str
    make: Callable[[], Notebook | bytes]
    lost: Mapping[str, str] = field(default_factory=dict)
    never: tuple[str, ...] = ()
    source: str = ""


FOUND: list[Found] = []
GRADED: list[Graded] = []


def found(students: Mapping[str, str], *lines: str, source: str) -> Callable[..., Any]:
    def add(make: Callable[[Path], list[Path] | None]) -> Callable[[Path], list[Path] | None]:
        FOUND.append(Found(make.__name__, make, students, lines, source))
        return make

    return add


def graded(*, lost: Mapping[str, str] | None = None, never: tuple[str, ...] = (), source: str) -> Callable[..., Any]:
    def add(make: Callable[[], Notebook | bytes]) -> Callable[[], Notebook | bytes]:
        GRADED.append(Graded(make.__name__, make, lost or {}, never, source))
        return make

    return add


@cache
def _read(kind: str, name: str) -> str:
    return (course.ROOT / kind / name / f"{name}.ipynb").read_text(encoding="utf-8")


def blank(name: str = "foundations") -> Notebook:
    notebook: Notebook = json.loads(_read("release", name))
    return notebook


def text(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])


def solved(name: str = "foundations", only: tuple[str, ...] = ANSWERED) -> Notebook:
    """The release with right answers to a few exercises, as a student would hand it in."""
    notebook, full = blank(name), json.loads(_read("source", name))
    for cell, known in zip(notebook["cells"], full["cells"], strict=True):
        if any(f"# exercise: {exercise}\n" in text(cell) for exercise in only):
            cell["source"] = re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", text(known), flags=re.M)
    return notebook


def cell_of(notebook: Notebook, exercise: str) -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if f"# exercise: {exercise}\n" in text(cell))


def code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}


def changed(exercise: str, change: Callable[[str], str]) -> Notebook:
    """A right notebook in which the text of one answer's cell is another."""
    notebook = solved()
    cell = cell_of(notebook, exercise)
    cell["source"] = change(text(cell))
    return notebook


def with_cell(source: str, at: int = 5) -> Notebook:
    """A right notebook with a cell of the student's below the imports, which stand in cell 5."""
    notebook = solved()
    notebook["cells"].insert(at, code(source))
    return notebook


def as_bytes(what: Notebook | bytes | str) -> bytes:
    if isinstance(what, bytes):
        return what
    return (what if isinstance(what, str) else json.dumps(what, ensure_ascii=False)).encode()


def put(root: Path, *paths: str, **files: bytes) -> None:
    """A right notebook at each path, each student's another by a byte."""
    for number, path in enumerate(paths):
        put_as(root / path, as_bytes(solved()) + b" " * (number + 1))
    for path, data in files.items():
        put_as(root / path, data)


def put_as(path: Path, what: Notebook | bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes(what))


def zipped(members: Mapping[Any, Notebook | bytes | str]) -> bytes:
    """A zip; names that are bytes are written as they are, as programs do that know no UTF-8."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, what in members.items():
            info = _Member(name if isinstance(name, str) else name.decode("cp437"))
            info.raw = name if isinstance(name, bytes) else None
            archive.writestr(info, as_bytes(what))
    return file.getvalue()


class _Member(zipfile.ZipInfo):
    raw: bytes | None = None

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        if self.raw is None:
            return super()._encodeFilenameFlags()
        return self.raw, self.flag_bits & ~0x800
