"""What decides a result beside the submission, and what decides each of its verdicts, as digests."""

import dataclasses
import hashlib
import hmac
import json
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import autograder
import fixmelab
from autograder import cells, course
from autograder.grading.grading import Grading
from autograder.grading.imports import Imports
from autograder.results.model import Basis, Conditions

if TYPE_CHECKING:
    from nbformat import NotebookNode

GRADER = Path(autograder.__file__).parent
STUDENTS_PACKAGE = Path(fixmelab.__file__).parent
# The parts of the grader that have a say; how results are shown has none.
PARTS = ("grading", "results", "sandbox", "judge", "cells.py", "regions.py", "course.py", "errors.py")
DIGITS = 24  # of a part's digest, in hexadecimal
# Those that the students' package needs, but for its command line, and what runs cells.
LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "matplotlib",
    "tqdm",
    "ipywidgets",
    "anywidget",
    "safetensors",
    "ipython",
    "nbformat",
    "msgpack",
)


def run_digest(grading: Grading) -> str:
    """SHA-256, in hexadecimal, over what decides a result beside the submission."""
    return digest_of(conditions_of(grading))


def digest_of(conditions: Conditions) -> str:
    return hashlib.sha256(json.dumps(conditions.model_dump(), sort_keys=True).encode()).hexdigest()


def conditions_of(grading: Grading) -> Conditions:
    """What decides a result beside the submission.

    That is the source notebook and the assignment's code, both as they lie on disk, the code that grades and the
    students' package, versions of Python and of the libraries, budget, limits, whether there is a sandbox, and a
    digest of the course's key.
    """
    folder = course.ROOT / "autograder" / "assignments" / grading.assignment
    modules = _modules(grading.assignment)
    settings = {
        "budget": grading.budget,
        "limits": dataclasses.asdict(grading.limits),
        "sandbox": grading.sandbox,
        "messages": grading.messages,
    }
    shared = _imports().of(modules.values()).union(_code(folder), data_beside(folder)).difference(modules.values())
    return Conditions(
        source=short_digest(course.source_path(grading.assignment).read_bytes()),
        grader=grader_digest(),
        package=package_digest(),
        library=short_digest(json.dumps(library_versions(), sort_keys=True).encode()),
        settings=short_digest(json.dumps(settings, sort_keys=True).encode()),
        key=hmac.new(grading.key, b"which key", hashlib.sha256).hexdigest()[:DIGITS],
        shared=_of_files(course.ROOT, shared),
        checks={name: short_digest(path.read_bytes()) for name, path in modules.items()},
    )


def grader_digest() -> str:
    """Of the code that grades, as it lies on disk."""
    return _of_files(GRADER, [file for part in PARTS for file in _code(GRADER / part)])


def package_digest() -> str:
    """Of the students' package, as it lies on disk."""
    return _of_files(STUDENTS_PACKAGE, _code(STUDENTS_PACKAGE))


def bases_of(grading: Grading, conditions: Conditions) -> dict[str, Basis]:
    """What of the conditions decides the verdict on each judged exercise, by its name: of the source its code down to
    the test cell, and of the assignment's folder its own module, those that this imports, and all data."""
    modules, imports, bases = _modules(grading.assignment), _imports(), {}
    data = data_beside(course.ROOT / "autograder" / "assignments" / grading.assignment)
    for name, code in code_digests(grading.source).items():
        files = imports.of([modules[name]]).union(data) if name in modules else None
        shared = conditions.shared if files is None else _of_files(course.ROOT, files)
        bases[name] = conditions.basis(name).model_copy(update={"source": code, "shared": shared})
    return bases


def code_digests(notebook: "NotebookNode", numbers: Mapping[int, int] | None = None) -> dict[str, str]:
    """Of all code down to the test cell of each exercise, by its name, and of whose each cell is; not of Markdown,
    points or outputs. The last exercise's is of the rest of the code, too: any code that changes, changes a digest.
    `numbers` are those of the student's own cells by index, which messages name."""
    digests: dict[str, str] = {}
    so_far, known = hashlib.sha256(), numbers or {}
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        whose = cells.whose(cell, is_students=index in known or cells.is_fixme(cell))
        is_run = cells.is_executed_in_grading(cell)
        code = cells.without_worth(cell.source)
        so_far.update(json.dumps([cells.grade_id(cell), whose, is_run, known.get(index), code]).encode())
        if cells.is_tests(cell):
            digests[cells.exercise_name(cell)] = so_far.hexdigest()[:DIGITS]
    return digests | dict.fromkeys([*digests][-1:], so_far.hexdigest()[:DIGITS])


def short_digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:DIGITS]


def _modules(assignment: str) -> dict[str, Path]:
    """The modules of an assignment's exercises, by name."""
    folder = course.ROOT / "autograder" / "assignments" / assignment
    return {path.stem: path for path in sorted(folder.glob("*.py")) if path.stem not in course.NO_EXERCISE}


def data_beside(folder: Path) -> set[Path]:
    """The files in the folder of an assignment that are no code: any of its checks may read them."""
    files = {path for path in folder.rglob("*") if path.suffix not in (".py", ".pyc") and path.is_file()}
    return {path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)}


def _imports() -> Imports:
    """The imports of the course's own code, but for what the grader's digest covers."""
    return Imports(course.ROOT, beside=[course.ROOT / "autograder" / part for part in PARTS])


def library_versions() -> dict[str, str]:
    """The versions of Python and of the libraries that have a say, by name."""
    return {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}


def _code(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _of_files(root: Path, paths: Iterable[Path]) -> str:
    pieces = [(path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(paths)]
    return short_digest(b"".join(f"{name}\n{len(data)}\n".encode() + data for name, data in pieces))


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "absent"
