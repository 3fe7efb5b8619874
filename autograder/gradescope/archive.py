"""`autograder gradescope`: the archive that an instructor uploads, from the working tree and nothing else."""

import contextlib
import csv
import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import nbformat

from autograder import cells, course
from autograder.authoring.build import build
from autograder.errors import InputError
from autograder.gradescope.form import NOT_GRADED, Visibility, refused
from autograder.gradescope.settings import Settings
from autograder.grading.digest import data_beside
from autograder.grading.key import course_key
from autograder.points import course_file, ledger, times
from autograder.points.rules import read_rules
from autograder.publish.folder import MANIFEST
from autograder.sandbox.limits import Limits
from autograder.toml import tomllib
from fixmelab.files import write_whole

# What belongs to the two packages: code, and what it reads. The same as in their pyproject.toml.
GRADER_FILES = (".py", ".jinja", ".css")
STUDENTS_FILES = (".py", ".js")
DATA_FILES = (".py", ".json", ".md")
SCRIPTS = ("setup.sh", "run_autograder")
# The oldest date that a zip can hold: the same bytes whenever it is made.
DATE = (1980, 1, 1, 0, 0, 0)
FILE, PROGRAM = 0o100600, 0o100755


def write_archive(
    out: Path,
    assignment: str,
    *,
    visibility: Visibility = "visible",
    minutes: int = 10,
    limits: list[str] | None = None,
    torch_index: str = "",
    root: Path | None = None,
) -> int:
    """Write the archive of an assignment to `out`, complete or not at all. Returns how many files it holds.

    It holds the course's key and the solutions, so only its owner can read it. The same tree and settings give the
    same bytes. Raises InputError for an unknown assignment, a build that is out of date, a setting that makes no
    sense, or where `out` cannot be written.
    """
    root = root or course.ROOT
    course.require_assignment(assignment, root)
    if out.suffix.lower() != ".zip":
        raise InputError(f"--out {out}: Gradescope takes a zip; give a name that ends in .zip")
    _require_private(out)
    Limits.parse(limits or [])
    if torch_index and (urlsplit(torch_index).scheme != "https" or torch_index.split() != [torch_index]):
        raise InputError(f"--torch-index {torch_index}: is not the address of a package index; it begins with https://")
    build([assignment], check=True, readme=False, root=root)
    settings = Settings(
        assignment=assignment,
        visibility=visibility,
        minutes=minutes,
        limits=limits or [],
        max_score=_max_score(course.source_path(assignment, root)),
        names=course.assignment_names(root),
    )
    files = archive_files(root, settings, key=course_key(), torch_index=torch_index) | rules_files(root, settings)
    _write(out, _zipped(files))
    return len(files)


def _require_private(out: Path) -> None:
    """Refuse a place from which a commit, or students, would get the archive."""
    folder, advice = out.absolute().parent, "it holds solutions and key: write it elsewhere"
    if any((above / MANIFEST).exists() for above in (folder, *folder.parents)):
        raise InputError(f"{out}: lies in a tree that was published to students; {advice}")
    with contextlib.suppress(OSError):  # no git, or no such folder
        command = ["git", "-C", str(folder), "check-ignore", "--quiet", "--", out.name]
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 1:
            raise InputError(
                f"{out}: lies in a Git repository that does not ignore it; {advice}, or name it in .gitignore"
            )


def archive_files(root: Path, settings: Settings, *, key: bytes, torch_index: str = "") -> dict[str, bytes]:
    """What the archive holds, by the path in it."""
    name = settings.assignment
    grader = root / "autograder"
    files = {script: (grader / "gradescope" / "files" / script).read_bytes() for script in SCRIPTS}
    files |= {f"course/autograder/{path}": data for path, data in _tree(grader, GRADER_FILES).items()}
    data = data_beside(grader / "assignments" / name)
    files |= {f"course/{path.relative_to(root).as_posix()}": path.read_bytes() for path in sorted(data)}
    # No other assignment's checks and references.
    other = [item.name for item in (grader / "assignments").iterdir() if item.is_dir() and item.name != name]
    apart = tuple(f"course/autograder/assignments/{item}/" for item in other)
    files = {path: data for path, data in files.items() if not path.startswith(apart)} if apart else files
    for path in (course.text_path(name, root), course.source_path(name, root)):
        files[f"course/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    # As in the wheel: what lies in data/ is inside the package.
    files |= {f"students/fixmelab/{path}": data for path, data in _tree(root / "fixmelab", STUDENTS_FILES).items()}
    embedded = _tree(root / "data", DATA_FILES, deep=False)
    files |= {f"students/fixmelab/embedded/{path}": data for path, data in embedded.items()}
    not_graded = refused([NOT_GRADED], settings.max_score)
    return files | {
        "course/course.key": key,
        "constraints.txt": (root / "constraints.txt").read_bytes(),
        "requirements.txt": _requirements(root).encode(),
        "torch_index.txt": torch_index.encode(),
        "settings.json": (settings.model_dump_json(indent=1) + "\n").encode(),
        "not_graded.json": (json.dumps(not_graded, indent=1) + "\n").encode(),
    }


def rules_files(root: Path, settings: Settings) -> dict[str, bytes]:
    """course.toml and adjustments.csv, and what is known of times, if they decide anything; they are validated.

    Raises InputError for what is wrong in them.
    """
    rules = read_rules(settings.assignment, root, settings.names)
    source = nbformat.read(course.source_path(settings.assignment, root), as_version=4)
    graded = [cell for cell in source.cells if cells.is_tests(cell) or cells.is_written(cell)]
    rules.require_exercises([*map(cells.exercise_name, graded)])
    paths = [root / name for name in (course_file.NAME, ledger.NAME) if (root / name).exists()]
    files = {f"course/{path.name}": path.read_bytes() for path in paths}
    if known := {**rules.times, **rules.earlier_times}:
        rows = [times.COLUMNS, *((name, student, moment.isoformat()) for (name, student), moment in known.items())]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        files[f"course/{times.NAME}"] = text.getvalue().encode()
    return files


def _tree(folder: Path, endings: tuple[str, ...], *, deep: bool = True) -> dict[str, bytes]:
    """The files of a package by their paths in it, without what tools leave there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder.rglob("*") if deep else folder.glob("*"))
        if path.suffix in endings and path.is_file() and not _is_left_over(path.relative_to(folder))
    }


def _is_left_over(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" or part.endswith(".egg-info") for part in path.parts)


def _requirements(root: Path) -> str:
    """What both packages need, a line each, without the packages themselves."""
    needed = []
    for path in (root / "pyproject.toml", root / "autograder" / "pyproject.toml"):
        needed += tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"]
    return "".join(f"{item}\n" for item in dict.fromkeys(needed) if item != "fixmelab")


def _max_score(source: Path) -> float:
    notebook = nbformat.read(source, as_version=4)
    return sum((cells.points(cell) for cell in notebook.cells if cells.is_tests(cell)), 0.0)


def _zipped(files: dict[str, bytes]) -> bytes:
    """A zip of the files: sorted, dated alike, stored as they are, so that no library's compression shows."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, DATE)
            member.create_system = 3  # the modes are those of Unix
            member.external_attr = (PROGRAM if name in SCRIPTS else FILE) << 16
            archive.writestr(member, files[name])
    return made.getvalue()


def _write(out: Path, data: bytes) -> None:
    def fill(path: Path) -> None:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)

    try:
        write_whole(out, fill)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); give another file with --out") from None
