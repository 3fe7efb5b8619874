"""The corpus: what an attack is, and how tests/attacks is read.

An attack is a text, a submission in jupytext's percent format, or a function in a module that makes files.
"""

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from autograder import cells, course
from autograder.errors import InputError

CORPUS = course.ROOT / "tests" / "attacks"

_KINDS = ("points", "wire", "knowledge", "harm", "output")
_HEADER = re.compile(r"^# (tries|honest|ends|only here): (.+)$", re.MULTILINE)

# The student who is in the course and has handed in nothing.
NOBODY = "bob"


@dataclass(frozen=True)
class Attack:
    """One trick. `honest`: points that its answers deserve without it; `ends`: the verdicts, each as good as the
    others, of which the exercise `on` must get one, or nothing if the attack prints that it came to its end.
    `only_here` says why it makes no sense against another grader, or nothing."""

    name: str
    tries: str
    text: str
    honest: float = 0.0
    ends: tuple[str, ...] = ()
    on: str = ""
    only_here: str = ""


@dataclass(frozen=True)
class Archive:
    """Files that are handed in, made by `build(folder, notebook)`; `graded` of the submissions among them are the
    honest `notebook`, and must be graded as such; all others earn nothing.

    `students` are those whose submissions the honest ones are, if the attack is about names. NOBODY, who has handed in
    nothing, may get no result then.
    """

    name: str
    tries: str
    build: Callable[[Path, bytes], None]
    graded: int = 0
    students: tuple[str, ...] = ()


def archive(
    tries: str, graded: int = 0, students: tuple[str, ...] = ()
) -> Callable[[Callable[[Path, bytes], None]], Archive]:
    """Declare an attack by files: `@archive("…") def zip_bomb(folder, notebook): …`."""
    count = graded or len(students)
    return lambda build: Archive(f"archives/{build.__name__}", tries, build, count, students)


def attacks(folder: Path = CORPUS) -> list[Attack | Archive]:
    """The corpus, ordered by name. Raises InputError for a text without a header that says what it tries."""
    texts = [_attack(path) for kind in _KINDS for path in sorted((folder / kind).glob("*.py"))]
    archives = [found for path in sorted(folder.glob("*.py")) for found in _archives(path)]
    return [*texts, *sorted(archives, key=lambda item: item.name)]


def notebook_of(text: str) -> NotebookNode:
    """The submission that a text in percent format stands for."""
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata = NotebookNode()
    return notebook


def _attack(path: Path) -> Attack:
    text = path.read_text(encoding="utf-8")
    head, _, body = text.partition("# %%")
    header = dict(_HEADER.findall(head))
    if "tries" not in header or not body:
        raise InputError(f"{path}: the first line must be '# tries: …', and cells must follow")
    ends, _, exercise = header.get("ends", "").partition(" ")
    anchors = cells.ANCHOR.findall(body)
    return Attack(
        name=f"{path.parent.name}/{path.stem}",
        tries=header["tries"],
        text="# %%" + body,
        honest=float(header.get("honest", 0)),
        ends=tuple(filter(None, ends.split("|"))),
        on=exercise or next(iter(anchors), ""),
        only_here=header.get("only here", ""),
    )


def _archives(path: Path) -> list[Archive]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        return []
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [item for item in vars(module).values() if isinstance(item, Archive)]
