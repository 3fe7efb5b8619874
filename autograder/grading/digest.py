"""What decides a result beside the submission, as one digest: if it is the same, nothing is graded again."""

import dataclasses
import hashlib
import hmac
import json
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import autograder
import fixmelab
from autograder import course
from autograder.grading.grading import Grading

GRADER = Path(autograder.__file__).parent
STUDENTS_PACKAGE = Path(fixmelab.__file__).parent
# The parts of the grader that have a say; how results are shown has none.
PARTS = ("grading", "results", "sandbox", "judge", "cells.py", "regions.py", "course.py", "errors.py")
LIBRARIES = ("torch", "torchvision", "numpy", "matplotlib", "ipython", "nbformat", "msgpack")


def run_digest(grading: Grading) -> str:
    """SHA-256, in hexadecimal, over what decides a result beside the submission.

    That is the source notebook and the assignment's code, both as they lie on disk, the code that grades and the
    students' package, versions of Python and of the libraries, budget, limits, whether there is a sandbox, and a
    digest of the course's key.
    """
    digest = hashlib.sha256()
    for name, data in _pieces(grading.assignment):
        digest.update(f"{name}\n{len(data)}\n".encode() + data)
    settings = {
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "budget": grading.budget,
        "limits": dataclasses.asdict(grading.limits),
        "sandbox": grading.sandbox,
        "key": hmac.new(grading.key, b"which key", hashlib.sha256).hexdigest(),
    }
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()


def _pieces(assignment: str) -> Iterator[tuple[str, bytes]]:
    """Every file that has a say: what it is called here, and its bytes."""
    yield "source", course.source_path(assignment).read_bytes()
    places = {
        "assignment": [course.ROOT / "autograder" / "assignments" / assignment],
        "grader": [GRADER / part for part in PARTS],
        "students": [STUDENTS_PACKAGE],
    }
    for place, paths in places.items():
        for path in paths:
            for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
                yield f"{place}/{file.relative_to(path.parent).as_posix()}", file.read_bytes()


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "absent"
