"""`autograder build`: source/ and release/ of each notebook from its one text, after the leak scan."""

import ast
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from autograder import cells, course
from autograder.authoring.leaks import find_leaks, published_files
from autograder.authoring.release import release_from_source
from autograder.authoring.secrecy import secrets_of
from autograder.authoring.text import source_from_text, to_json
from autograder.errors import InputError
from fixmelab.files import write_whole

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # jupytext brings it there

ASSIGNMENTS = Path("autograder", "assignments")
NO_EXERCISE = {"__init__", "common", "reference"}


@dataclass(frozen=True)
class Built:
    """One notebook that was built, or checked. `changed` says whether a file was written."""

    name: str
    source: Path
    release: Path
    exercises: int
    points: float
    changed: bool


def build(names: Iterable[str] | None = None, *, check: bool = False, root: Path | None = None) -> list[Built]:
    """Build the named notebooks, or all, under `root` (the repository). Nothing is written unless all is well.

    With `check` nothing is written at all; what lies on disk must be what would be built.

    Raises:
        InputError: an unknown name, a text that breaks a rule, a folder without its text, a leak, a file that
            cannot be written; with `check` also a file that is out of date. Several findings take a line each.
    """
    root = root or course.ROOT
    every = course.assignment_names(root)
    if not every:
        raise InputError(f"{root / 'notebooks'} holds no text of a notebook (NAME.py)")
    chosen = [course.require_assignment(name, root) for name in dict.fromkeys(names or every)]
    _refuse_leftovers(root, every)

    # The scan guards the secrets of all notebooks, whichever are built.
    repository = repository_of(root)
    sources = {
        name: source_from_text(course.text_path(name, root), repository, checked_exercises(name, root))
        for name in every
    }
    made: dict[Path, str] = {}
    for name in chosen:
        release = release_from_source(sources[name], name)
        for path, notebook in (
            (course.source_path(name, root), sources[name]),
            (course.release_path(name, root), release),
        ):
            _validate(path, notebook)
            made[path] = to_json(notebook)
    stale = [path for path, text in made.items() if not path.is_file() or path.read_bytes() != text.encode()]

    files = published_files(root)
    if not check:
        built = {path.relative_to(root).as_posix(): text.encode() for path, text in made.items()}
        files |= {path: content for path, content in built.items() if path.startswith("release/")}
    problems = [f"leak: {leak}" for leak in find_leaks(files, secrets_of(sources.values(), root / ASSIGNMENTS))]
    if check:
        problems += [f"{path.relative_to(root)} is out of date: run autograder build {path.stem}" for path in stale]
    if problems:
        raise InputError("\n".join(problems))
    if not check:
        for path in stale:
            _write(path, made[path])
    written = set() if check else {path.stem for path in stale}
    return [_built(name, sources[name], root, changed=name in written) for name in chosen]


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


def checked_exercises(name: str, root: Path) -> list[str]:
    """Ids of an assignment's exercises, in the order of its EXERCISES, without running any of its modules.

    Raises InputError if the assignment has no folder, a module is not valid Python or does not declare the one exercise
    that its name says, or EXERCISES does not name just these modules.
    """
    folder = ASSIGNMENTS / name
    if not (root / folder).is_dir():
        raise InputError(f"notebooks/{name}.py: there is no folder {folder}; add one with the checks")
    modules = {path.stem: path for path in sorted((root / folder).glob("*.py")) if path.stem not in NO_EXERCISE}
    for stem, path in modules.items():
        if _declared(_parsed(path, root)) != [f"{name}.{stem}"]:
            raise InputError(f'{folder / path.name}: write one @exercise("{name}.{stem}") above its check')
    order = _order(root / folder / "__init__.py", root)
    if problem := sorted(set(order) ^ set(modules)):
        verb = "has no module" if problem[0] in order else "is missing"
        raise InputError(f"{folder / '__init__.py'}: {problem[0]!r} {verb}: EXERCISES names each module of an exercise")
    return [f"{name}.{stem}" for stem in order]


def _declared(tree: ast.Module) -> list[str]:
    """First arguments of the calls of `exercise` that decorate something."""
    decorators = (item for node in tree.body for item in getattr(node, "decorator_list", ()))
    return [
        str(getattr(item.args[0], "value", ""))
        for item in decorators
        if isinstance(item, ast.Call) and getattr(item.func, "id", "") == "exercise" and item.args
    ]


def _order(path: Path, root: Path) -> list[str]:
    """The tuple EXERCISES of an assignment's __init__.py; empty if there is none."""
    for node in _parsed(path, root).body if path.is_file() else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXERCISES":
            return list(ast.literal_eval(node.value))
    return []


def _parsed(path: Path, root: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise InputError(f"{path.relative_to(root)}:{error.lineno}: {error.msg}") from None


def _refuse_leftovers(root: Path, names: list[str]) -> None:
    for parent in ("source", "release"):
        for folder in sorted((root / parent).glob("[!.]*/")):
            if folder.is_dir() and folder.name not in names:
                raise InputError(
                    f"{parent}/{folder.name} is left over: there is no notebooks/{folder.name}.py; delete the folder"
                )


def _validate(path: Path, notebook: NotebookNode) -> None:
    try:
        nbformat.validate(notebook)
        MetadataValidator().validate_nb(notebook)
    except Exception as error:  # nbformat's, nbgrader's and jsonschema's own kinds
        raise InputError(f"{path.name}: not a valid notebook: {str(error).splitlines()[0]}") from None


def _write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    try:
        write_whole(path, lambda file: file.write_bytes(text.encode()))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None


def _built(name: str, source: NotebookNode, root: Path, *, changed: bool) -> Built:
    graded = [cell for cell in source.cells if cells.is_tests(cell) or cells.is_written(cell)]
    return Built(
        name,
        course.source_path(name, root),
        course.release_path(name, root),
        len(graded),
        sum(map(cells.points, graded)),
        changed,
    )
