"""From notebooks/NAME.py (jupytext's percent format with short headers) to nbgrader's instructor version."""

import ast
import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode, v4

from autograder import cells
from autograder.errors import InputError
from autograder.regions import HIDDEN_TESTS, MARK_SCHEME, SOLUTION, Region, regions, visible

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

_HEADER = re.compile(r"\s*#\s*%%(?:\s|$)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,49}")  # with a prefix it still fits nbformat's 64 characters
_ALMOST_ANCHOR = re.compile(r"^\s*#+\s*exercises?\s*:", re.IGNORECASE | re.MULTILINE)
_LAYOUT_KEYS = {"lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker"}  # jupytext's own
_KEYS = {"exercise": {"exercise"}, "tests": {"tests", "points"}, "written": {"written", "points"}}


@dataclass(frozen=True)
class Authored:
    """A cell as its author wrote it. `where` is the path and line of its header."""

    where: str
    cell_type: str
    header: dict[str, Any]
    source: str

    def error(self, message: str) -> InputError:
        return InputError(f"{self.where}: {message}")


@dataclass
class Names:
    """Where the exercises of a text are declared: by anchor, by test cell, by written cell."""

    anchors: dict[str, Authored] = field(default_factory=dict)
    tests: dict[str, Authored] = field(default_factory=dict)
    written: dict[str, Authored] = field(default_factory=dict)

    def add(self, names: dict[str, Authored], name: str, cell: Authored) -> None:
        others = (self.written,) if names is not self.written else (self.anchors, self.tests)
        for taken in (names, *others):
            if name in taken:
                raise cell.error(f"the name {name!r} is taken already, at {taken[name].where}")
        names[name] = cell


def source_from_text(path: Path, repository: str, known: Sequence[str] | None = None) -> NotebookNode:
    """The source notebook (nbgrader's instructor version, nbformat 4.5) of the text at `path`.

    The same text gives the same bytes: ids of cells follow from names or content, never from position.

    Args:
        path: notebooks/NAME.py.
        repository: OWNER/REPO; stands for `{{repository}}` in the text, as NAME does for `{{name}}`.
        known: ids of the exercises that have a check, for example "vae.gaussian_kl"; None leaves them out.

    Raises:
        InputError: the text breaks a rule; says the file, the line of the cell's header and what to do.
    """
    name = path.stem
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{_shown(path)}: cannot be read ({error}); save it as UTF-8 text") from None
    text = text.replace("{{repository}}", repository).replace("{{name}}", name)
    authored = _cells_of(text, _shown(path))
    names, repeats = Names(), Counter()
    built = [cell for item in authored for cell in _expand(item, name, names, repeats)]
    _check_pairs(names)
    _check_ids(built, authored)
    if known is not None:
        _check_known({f"{name}.{key}": cell for key, cell in names.tests.items()}, known, name)
    metadata = {key: dict(value) for key, value in NOTEBOOK_METADATA.items()}
    notebook = v4.new_notebook(cells=built, metadata=metadata)
    notebook.nbformat_minor = 5
    return notebook


def to_json(notebook: NotebookNode) -> str:
    """The one way in which a notebook is written down, a newline at its end."""
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def _shown(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _cells_of(text: str, shown: str) -> list[Authored]:
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # jupytext lets YAML's and its own errors through
        raise InputError(f"{shown}: jupytext cannot read it: {str(error).splitlines()[0]}") from None
    headers = [number for number, line in enumerate(text.splitlines(), 1) if _HEADER.match(line)]
    count = len(notebook.cells)
    if not headers or count == len(headers) + 1:
        raise InputError(f"{shown}:1: text stands before the first cell header; begin it with '# %%'")
    # A `# %%` inside a string is no header; then lines cannot be told apart, and the path alone is shown.
    places = [f"{shown}:{number}" for number in headers] if count == len(headers) else [shown] * count
    return [
        Authored(where, cell.cell_type, _header(cell), cell.source.strip("\n"))
        for where, cell in zip(places, notebook.cells, strict=True)
    ]


def _header(cell: NotebookNode) -> dict[str, Any]:
    return {key: value for key, value in cell.metadata.items() if key not in _LAYOUT_KEYS}


def _expand(cell: Authored, assignment: str, names: Names, repeats: Counter) -> Iterator[NotebookNode]:
    """The one or two cells that stand for an authored cell."""
    role = _role(cell)
    _check_places(cell, role)
    if role == "exercise":
        name = _name(cell, role)
        yield _new_cell(cell, name, solution=True)
        _check_fixme(cell, name)
        for anchor in cells.anchors({"cell_type": cell.cell_type, "source": cell.source}):
            names.add(names.anchors, anchor, cell)
    elif role == "tests":
        name = _name(cell, role)
        names.add(names.tests, name, cell)
        if name not in names.anchors:
            raise cell.error(f"tests {name!r}, but no cell above has the line '# exercise: {name}'")
        _check_tests(cell, f"{assignment}.{name}")
        yield _new_cell(cell, cells.TEST_PREFIX + name, grade=True, locked=True, points=_points(cell))
    elif role == "written":
        name = _name(cell, role)
        names.add(names.written, name, cell)
        _check_written(cell)
        points = _points(cell)
        yield _new_cell(cell, cells.QUESTION_PREFIX + name, locked=True)
        yield _new_cell(cell, name, source=cells.ANSWER_STUB, grade=True, solution=True, points=points)
    else:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        repeats[digest] += 1
        occurrence = f"-{repeats[digest]}" if repeats[digest] > 1 else ""
        yield _new_cell(cell, f"cell-{digest}{occurrence}", locked=True)


def _role(cell: Authored) -> str:
    """The header's key that says what the cell is, or "" for an ordinary one. Checks the header."""
    if cell.cell_type not in ("code", "markdown"):
        raise cell.error(f"a {cell.cell_type} cell; write code or [markdown]")
    if "incorrectly_encoded_metadata" in cell.header:
        wrong = cell.header["incorrectly_encoded_metadata"]
        raise cell.error(f'the header\'s {wrong!r} cannot be read; write KEY="VALUE"')
    roles = [key for key in _KEYS if key in cell.header]
    if len(roles) > 1:
        raise cell.error(f"the header says both {roles[0]} and {roles[1]}; a cell is one of them")
    role = roles[0] if roles else ""
    unknown = sorted(set(cell.header) - _KEYS.get(role, {"tags"}))
    if unknown:
        known = "exercise, tests with points, written with points, or tags"
        raise cell.error(f"unknown header key {unknown[0]!r} here; a cell has {known}")
    if (role == "written") != (cell.cell_type == "markdown") and role:
        raise cell.error(f"{role} belongs to a {'[markdown]' if role == 'written' else 'code'} cell")
    tags = cell.header.get("tags", [])
    if not isinstance(tags, list) or not set(tags) <= cells.NOT_EXECUTED:
        raise cell.error(f"tags are {tags!r}; known are {', '.join(sorted(cells.NOT_EXECUTED))}, in a list")
    if tags and cell.cell_type != "code":
        raise cell.error(f"the tag {tags[0]!r} belongs to a code cell")
    return role


def _name(cell: Authored, role: str) -> str:
    name = cell.header[role]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise cell.error(f"{role}={name!r} is no name; use letters, digits and _, 50 at most")
    return name


def _points(cell: Authored) -> float:
    points = cell.header.get("points")
    is_number = isinstance(points, int | float) and not isinstance(points, bool)
    if not is_number or not math.isfinite(points) or points <= 0:
        found = "no points" if points is None else f"points={points!r}"
        raise cell.error(f"{found}; write a positive number, as points=2")
    return points


def _regions(cell: Authored) -> list[Region]:
    try:
        return regions(cell.source)
    except ValueError as error:
        raise cell.error(str(error)) from None


def _check_places(cell: Authored, role: str) -> None:
    """Regions and anchors stand only in the cells that they are for."""
    home = {SOLUTION: "exercise", HIDDEN_TESTS: "tests", MARK_SCHEME: "written"}
    for region in _regions(cell):
        if home[region.kind] != role:
            raise cell.error(f"a region {region.kind} belongs to a cell with {home[region.kind]}=… only")
    if cell.cell_type != "code":
        return
    found = cells.ANCHOR.findall(cell.source)
    if len(found) != len(_ALMOST_ANCHOR.findall(cell.source)):
        raise cell.error("an anchor is misspelt; write '# exercise: NAME' alone on its line")
    if found and role != "exercise":
        raise cell.error(f"'# exercise: {found[0]}' in a cell whose header lacks exercise=\"{found[0]}\"")


def _check_fixme(cell: Authored, name: str) -> None:
    lines = cell.source.split("\n")
    if lines[0].rstrip() != f"# exercise: {name}":
        raise cell.error(f"the first line of the cell must be '# exercise: {name}', as the header says")
    starts = [index for index, line in enumerate(lines) if cells.ANCHOR.fullmatch(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        count = sum(start < region.begin < end for region in _regions(cell))
        if count != 1:
            anchor = lines[start].strip()
            raise cell.error(f"{count} solution regions follow '{anchor}'; one must, before the next anchor")
    if not all(region.text.strip() for region in _regions(cell)):
        raise cell.error("a solution region is empty")


def _check_tests(cell: Authored, exercise_id: str) -> None:
    hidden = _regions(cell)
    call = f'check("{exercise_id}", …)'
    if not hidden:
        raise cell.error(f"no hidden tests; end the cell in a region HIDDEN TESTS with {call}")
    if "\n".join(cell.source.split("\n")[hidden[-1].end + 1 :]).strip():
        raise cell.error("lines follow the hidden tests; they must end the cell")
    ids = [id for region in hidden for id in _checked_ids(cell, region)]
    if exercise_id not in _checked_ids(cell, hidden[-1]):
        raise cell.error(f"the hidden tests lack {call}")
    if others := sorted(set(ids) - {exercise_id}):
        raise cell.error(f"the hidden tests check {others[0]!r}; the cell is for {exercise_id!r}")


def _checked_ids(cell: Authored, region: Region) -> list[str]:
    """First arguments of the calls of `check` in a hidden region."""
    try:
        tree = ast.parse(region.text)
    except SyntaxError as error:
        raise cell.error(f"the hidden tests are not valid Python: {error.msg}") from None
    return [
        str(getattr(node.args[0], "value", "")) if node.args else ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check"
    ]


def _check_written(cell: Authored) -> None:
    if not any(region.text.strip() for region in _regions(cell)):
        raise cell.error("no mark scheme; end the cell in a region MARK SCHEME with rubric and model answer")
    if not visible(cell.source).strip():
        raise cell.error("no question stands outside the mark scheme")


def _check_pairs(names: Names) -> None:
    for name, cell in names.anchors.items():
        if name not in names.tests:
            raise cell.error(f'exercise {name!r} has no test cell; add one with tests="{name}" points=…')


def _check_ids(built: list[NotebookNode], authored: list[Authored]) -> None:
    """A name such as test_f may collide with the id that another name is given."""
    seen = Counter(cells.grade_id(cell) for cell in built)
    twice = [id for id, count in seen.items() if count > 1]
    if twice:
        shown = authored[0].where.partition(":")[0]
        raise InputError(f"{shown}: two cells get the id {twice[0]!r}; rename one of their exercises")


def _check_known(tests: dict[str, Authored], known: Sequence[str], assignment: str) -> None:
    folder = f"autograder/assignments/{assignment}"
    for id, cell in tests.items():
        if id not in known:
            raise cell.error(f"{id!r} has no check; write one in {folder}/{id.partition('.')[2]}.py")
    if extra := sorted(set(known) - set(tests)):
        module = f"{folder}/{extra[0].partition('.')[2]}.py"
        raise InputError(f"{module}: the check of {extra[0]!r} has no test cell in notebooks/{assignment}.py")
    for here, there in zip(known, tests, strict=True):
        if here != there:
            first, second = (id.partition(".")[2] for id in (there, here))
            order = f"EXERCISES is not in the notebook's order: {first!r} comes before {second!r} there"
            raise InputError(f"{folder}/__init__.py: {order}")


def _new_cell(
    cell: Authored,
    grade_id: str,
    *,
    source: str | None = None,
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
    points: float | None = None,
) -> NotebookNode:
    data = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": grade,
        "solution": solution,
        "locked": locked,
        "task": False,
    }
    if points is not None:
        data["points"] = points
    metadata: dict[str, Any] = {"nbgrader": data}
    if cell.header.get("tags"):
        metadata["tags"] = list(cell.header["tags"])
    make = v4.new_code_cell if cell.cell_type == "code" else v4.new_markdown_cell
    return make(source=cell.source if source is None else source, metadata=metadata, id=grade_id)
