"""What decides a result beside the submission, as one digest: if it is the same, nothing is graded again."""

import dataclasses
import hashlib
import hmac
import json
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import autograder
import fixmelab
from autograder import course
from autograder.grading.grading import Grading
from autograder.results.model import Conditions

GRADER = Path(autograder.__file__).parent
STUDENTS_PACKAGE = Path(fixmelab.__file__).parent
# The parts of the grader that have a say; how results are shown has none.
PARTS = ("grading", "results", "sandbox", "judge", "cells.py", "regions.py", "course.py", "errors.py")
DIGITS = 24  # of a part's digest, in hexadecimal
LIBRARIES = ("torch", "torchvision", "numpy", "matplotlib", "ipython", "nbformat", "msgpack")


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
    modules = [path for path in _code(folder) if path.parent == folder and path.stem not in course.NO_EXERCISE]
    libraries = {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}
    settings = {
        "budget": grading.budget,
        "limits": dataclasses.asdict(grading.limits),
        "sandbox": grading.sandbox,
    }
    return Conditions(
        source=_digest(course.source_path(grading.assignment).read_bytes()),
        grader=_of_files(GRADER, [file for part in PARTS for file in _code(GRADER / part)]),
        package=_of_files(STUDENTS_PACKAGE, _code(STUDENTS_PACKAGE)),
        library=_digest(json.dumps(libraries, sort_keys=True).encode()),
        settings=_digest(json.dumps(settings, sort_keys=True).encode()),
        key=hmac.new(grading.key, b"which key", hashlib.sha256).hexdigest()[:DIGITS],
        shared=_of_files(folder, [path for path in _code(folder) if path not in modules]),
        checks={path.stem: _digest(path.read_bytes()) for path in modules},
    )


def _code(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _of_files(root: Path, paths: Iterable[Path]) -> str:
    pieces = [(path.relative_to(root).as_posix(), path.read_bytes()) for path in paths]
    return _digest(b"".join(f"{name}\n{len(data)}\n".encode() + data for name, data in pieces))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:DIGITS]


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "absent"
