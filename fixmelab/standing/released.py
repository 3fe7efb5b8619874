"""The notebooks as students get them, which travel in the package: what a student's own is compared with."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from fixmelab import cells
from fixmelab.notebooks import read_notebook
from fixmelab.restoring.nodes import from_dict


@dataclass(frozen=True)
class Task:
    """An exercise or a written question, and where its answer stands. `place` is the index of the released cell."""

    name: str
    points: float
    is_question: bool
    place: int


def names() -> list[str]:
    """The notebooks of the course."""
    return sorted(folder.name for folder in _folder().iterdir() if (folder / f"{folder.name}.ipynb").is_file())


def notebook(name: str) -> NotebookNode:
    """The notebook of that name. Raises OSError if the course has none."""
    return from_dict(read_notebook((_folder() / name / f"{name}.ipynb").read_bytes()))


def tasks(release: NotebookNode) -> list[Task]:
    """Exercises and questions in the notebook's order."""
    places = {anchor: place for place, cell in enumerate(release.cells) for anchor in cells.anchors(cell)}
    return list(_tasks(release, places))


def _tasks(release: Any, places: dict[str, int]) -> Iterator[Task]:
    for place, cell in enumerate(release.cells):
        name = cells.exercise_name(cell)
        if cells.is_written(cell):
            yield Task(name, cells.points(cell), True, place)
        elif cells.is_tests(cell) and name in places:
            yield Task(name, cells.points(cell), False, places[name])


def _folder() -> Path:
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent
    return checkout / "release" if (checkout / "pyproject.toml").is_file() else package / "releases"
