"""What students get, as paths and bytes: notebooks, package, licence, README, environment, workflow."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from nbformat import NotebookNode

from autograder.authoring.build import repository_of
from autograder.authoring.text import to_json
from autograder.errors import InputError
from autograder.publish.destination import Destination
from autograder.publish.folder import sha256

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # jupytext brings it there

TEMPLATES = Path(__file__).parent / "tree"
STUDENTS_PAGE = "docs/students.md"
WORKFLOW = ".github/workflows/grade.yml"

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_TABLE = re.compile(r"^\[", re.MULTILINE)
_STUDENTS_TABLES = ("[build-system", "[project", "[tool.setuptools")


def published_tree(destination: Destination, releases: Mapping[str, NotebookNode], root: Path) -> dict[str, bytes]:
    """All files of the tree, by path relative to it. The same course and destination give the same bytes.

    `releases` are the students' notebooks by name, `root` is the course. Raises InputError where the course lacks
    something, or a notebook does not say where its package comes from.
    """
    notebooks = {name: _addressed(name, notebook, destination, root) for name, notebook in releases.items()}
    project = _read(root, "pyproject.toml").decode("utf-8")
    files = {f"release/{name}/{name}.ipynb": to_json(notebook).encode() for name, notebook in notebooks.items()}
    files |= _package(project, root)
    files["pyproject.toml"] = _students_project(project, destination, root).encode()
    files["LICENSE"] = _read(root, "LICENSE")
    files |= _pages(root)
    settings = tomllib.loads(project)["project"]
    words = {
        "{{repository}}": destination.repository,
        "{{branch}}": destination.branch,
        "{{url}}": destination.url,
        "{{folder}}": destination.repository.partition("/")[2],
        "{{requirement}}": destination.requirement,
        "{{notebooks}}": "\n".join(_row(name, notebooks[name], destination) for name in notebooks),
        "{{first}}": next(iter(notebooks)),
        "{{assignments}}": ", ".join(notebooks),
        "{{python}}": settings["requires-python"],
        "{{digests}}": "\n".join(
            f"            {name}) released={sha256(files[f'release/{name}/{name}.ipynb'])} ;;" for name in notebooks
        ),
    }
    for template, path in (
        ("README.md", "README.md"),
        ("environment.yml", "environment.yml"),
        ("gitignore", ".gitignore"),
        ("grade.yml", WORKFLOW),
    ):
        files[path] = _filled((TEMPLATES / template).read_text(encoding="utf-8"), words).encode()
    return dict(sorted(files.items()))


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _read(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise InputError(f"{root / path}: cannot be read ({error.strerror}); the course needs it") from None


# Notebooks


def _addressed(name: str, release: NotebookNode, destination: Destination, root: Path) -> NotebookNode:
    """The release with badge and setup cell that point at `destination`.

    Cells keep their ids, so that grading knows them.
    """
    old = re.escape(repository_of(root))
    badge = re.compile(rf"https://colab\.research\.google\.com/github/{old}/blob/main/([\w./-]+)")
    package = re.compile(rf"git\+https://github\.com/{old}(?![\w./@-])")
    badges = packages = 0
    for cell in release.cells:
        cell.source, found = badge.subn(lambda match: destination.colab(match[1]), cell.source)
        badges += found
        cell.source, found = package.subn(destination.requirement, cell.source)
        packages += found
    if not badges or not packages:
        lacking = "package" if badges else "Colab badge"
        raise InputError(
            f"notebooks/{name}.py: no {lacking} from {{{{repository}}}} stands in it; see the other notebooks"
        )
    return release


def _row(name: str, notebook: NotebookNode, destination: Destination) -> str:
    title = next(
        (
            line.removeprefix("# ").strip()
            for cell in notebook.cells
            if cell.cell_type == "markdown"
            for line in cell.source.split("\n")
            if line.startswith("# ")
        ),
        name,
    )
    path = f"release/{name}/{name}.ipynb"
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({destination.colab(path)})"
    return f"| {title} | [{path}]({path}) | {badge} |"


# The package


def _package(project: str, root: Path) -> dict[str, bytes]:
    """The files that the wheel holds beside the notebooks: modules, and what package-data names."""
    try:
        settings: dict[str, Any] = tomllib.loads(project)["tool"]["setuptools"]
        packages = settings["packages"]
    except (KeyError, tomllib.TOMLDecodeError):
        raise InputError(f"{root / 'pyproject.toml'}: [tool.setuptools] needs a list of packages") from None
    files = {}
    for package in packages:
        folder = _folder(package, settings.get("package-dir", {}))
        if folder == "release":
            continue  # the tree has notebooks of its own
        for pattern in ("*.py", *settings.get("package-data", {}).get(package, ())):
            for path in sorted((root / folder).glob(pattern)):
                if path.is_file() and not path.name.startswith("."):
                    files[path.relative_to(root).as_posix()] = _read(root, path.relative_to(root).as_posix())
        if not any(PurePosixPath(path).parent == PurePosixPath(folder) for path in files):
            raise InputError(f"{root / folder}: holds nothing, but pyproject.toml names the package {package}")
    return files


def _folder(package: str, folders: Mapping[str, str]) -> str:
    """Where a package lies, as setuptools finds it: by the nearest package above that has a folder."""
    if package in folders:
        return folders[package]
    above, _, name = package.rpartition(".")
    return f"{_folder(above, folders)}/{name}" if above else name


def _students_project(project: str, destination: Destination, root: Path) -> str:
    """pyproject.toml without the tables of tools that students do not have, and with the new address."""
    lines = [line for line in project.split("\n") if not line.startswith("#")]
    head, *tables = _split("\n".join(lines))
    kept = [table.strip() for table in (head, *tables) if table.startswith(_STUDENTS_TABLES)]
    text = "\n\n".join(kept).replace(f"https://github.com/{repository_of(root)}", destination.url) + "\n"
    if tomllib.loads(text)["project"]["urls"]["Repository"] != destination.url:
        raise InputError(f"{root / 'pyproject.toml'}: [project.urls] cannot be changed; write Repository on one line")
    return text


def _split(text: str) -> Iterator[str]:
    starts = [0, *(match.start() for match in _TABLE.finditer(text))]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[start:end]


# Pages


def _pages(root: Path) -> dict[str, bytes]:
    """The students' page with its pictures; a link to a page that students do not get becomes plain text."""
    folder = PurePosixPath(STUDENTS_PAGE).parent
    pictures: dict[str, bytes] = {}

    def mend(match: re.Match[str]) -> str:
        is_picture, text, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        if not is_picture:
            return text
        path = (folder / target).as_posix()
        pictures[path] = _read(root, path)
        return match[0]

    page = _LINK.sub(mend, _read(root, STUDENTS_PAGE).decode("utf-8"))
    return {STUDENTS_PAGE: page.encode(), **pictures}
