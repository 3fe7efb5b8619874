"""`autograder build`: source/ and release/ of each notebook from its one text, README's table, docs/authoring.md.

Nothing is written before the leak scan.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder import cells, course
from autograder.authoring.declared import ASSIGNMENTS, checked_exercises, refuse_other_worths
from autograder.authoring.handbook import PAGE, handbook
from autograder.authoring.importing import OWN_COURSE, require_importable
from autograder.authoring.leaks import find_leaks, published_files
from autograder.authoring.overview import with_overview
from autograder.authoring.release import release_from_source
from autograder.authoring.secrecy import secrets_of
from autograder.authoring.text import source_from_text, to_json
from autograder.errors import InputError
from autograder.toml import tomllib
from fixmelab.files import write_whole


@dataclass(frozen=True)
class Built:
    """One notebook that was built, or checked. `changed` says whether a file was written."""

    name: str
    source: Path
    release: Path
    exercises: int
    points: float
    changed: bool


def build(
    names: Iterable[str] | None = None, *, check: bool = False, readme: bool = True, root: Path | None = None
) -> list[Built]:
    """Build the named notebooks, or all, under `root` (the repository), README's table of all of them, and the page on
    what checks can ask.

    Nothing is written unless all is well. With `check` nothing is written at all; what lies on disk must be what would
    be built. Without `readme` README is left alone: it is no part of what students and Gradescope get.

    Raises:
        InputError: an unknown name, a text that breaks a rule, a folder without its text, a README without the marks
            of its table, a leak, a file that cannot be written; with `check` also a file that is out of date.
            Several findings take a line each.
    """
    root = root or course.ROOT
    every = course.assignment_names(root)
    if not every:
        raise InputError(f"{root / 'notebooks'} holds no text of a notebook (NAME.py)")
    chosen = [course.require_assignment(name, root) for name in dict.fromkeys(names or every)]
    _refuse_leftovers(root, every)

    if root == OWN_COURSE:  # of another one nothing can be imported
        for name in chosen:
            require_importable(name, root)

    # The scan guards the secrets of all notebooks, whichever are built.
    sources = sources_of(root)
    made: dict[Path, str] = {}
    for name in chosen:
        release = release_from_source(sources[name], name)
        for path, notebook in (
            (course.source_path(name, root), sources[name]),
            (course.release_path(name, root), release),
        ):
            _validate(path, notebook)
            made[path] = to_json(notebook)
    if readme:
        made[root / "README.md"] = with_overview(sources, repository_of(root), root)
        if root == OWN_COURSE:
            made[root / PAGE] = handbook(root)
    stale = [path for path, text in made.items() if not path.is_file() or path.read_bytes() != text.encode()]

    files = published_files(root)
    if not check:
        built = {path.relative_to(root).as_posix(): text.encode() for path, text in made.items()}
        files |= {path: content for path, content in built.items() if path.startswith("release/")}
    problems = [f"leak: {leak}" for leak in find_leaks(files, secrets_of(sources.values(), root / ASSIGNMENTS))]
    if check:
        for path in stale:
            named = f" {path.stem}" if path.suffix == ".ipynb" else ""
            problems.append(f"{path.relative_to(root)} is out of date: run autograder build{named}")
    if problems:
        raise InputError("\n".join(problems))
    if not check:
        for path in stale:
            _write(path, made[path])
    written = set() if check else {path.stem for path in stale}
    return [_built(name, sources[name], root, changed=name in written) for name in chosen]


def sources_of(root: Path) -> dict[str, NotebookNode]:
    """The source notebooks of all texts under `root`, by name, made anew.

    Raises InputError if a text breaks a rule, or does not fit its folder in autograder/assignments/: parts of an
    exercise are worth its points together.
    """
    repository = repository_of(root)
    sources = {
        name: source_from_text(course.text_path(name, root), repository, checked_exercises(name, root))
        for name in course.assignment_names(root)
    }
    for name, source in sources.items():
        tests = filter(cells.is_tests, source.cells)
        refuse_other_worths(name, root, {cells.exercise_name(cell): cells.points(cell) for cell in tests})
    return sources


def repository_of(root: Path) -> str:
    """OWNER/REPO of the students' package, from its pyproject.toml.

    Raises InputError where [project.urls] has no Repository on github.com.
    """
    path = root / "pyproject.toml"
    try:
        url = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        url = ""
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?", url)
    if not found:
        raise InputError(f'{path}: [project.urls] needs Repository = "https://github.com/OWNER/REPO"')
    return found[1]


def _refuse_leftovers(root: Path, names: list[str]) -> None:
    for parent in ("source", "release"):
        for folder in sorted((root / parent).glob("[!.]*/")):
            if folder.is_dir() and folder.name not in names:
                raise InputError(
                    f"{parent}/{folder.name} is left over: there is no notebooks/{folder.name}.py; delete the folder"
                )


def _validate(path: Path, notebook: NotebookNode) -> None:
    # nbgrader has validated its own metadata, of both, on the way from source to release.
    try:
        nbformat.validate(notebook)
    except Exception as error:  # nbformat's and jsonschema's own kinds
        raise InputError(f"{path.name}: not a valid notebook: {str(error).splitlines()[0]}") from None


def _write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    try:
        write_whole(path, lambda file: file.write_bytes(text.encode()))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None


def _built(name: str, source: NotebookNode, root: Path, *, changed: bool) -> Built:
    exercises, points = cells.exercises_and_points(source)
    return Built(name, course.source_path(name, root), course.release_path(name, root), exercises, points, changed)
