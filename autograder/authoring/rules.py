"""The rules of a notebook's text. A broken one is an InputError of one line: where, what, and what to do."""

import ast
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder import cells
from autograder.authoring.authored import Authored
from autograder.errors import InputError
from autograder.regions import HIDDEN_TESTS, MARK_SCHEME, SOLUTION, Region, regions, visible

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,49}")  # with a prefix it still fits nbformat's 64 characters
_ALMOST_ANCHOR = re.compile(r"^[ \t]*#+\s*exercises?\s*:", re.IGNORECASE | re.MULTILINE)
_KEYS = {
    "exercise": {"exercise"},
    "tests": {"tests", "points", "minutes"},
    "written": {"written", "points", "minutes"},
    "predict": {"predict"},
    "hints": {"hints"},
    "minutes": {"minutes"},
}
_MARKDOWN = ("written", "predict", "hints", "minutes")


@dataclass
class Names:
    """Where a text declares its exercises, by anchor, test cell or written cell, and its predictions and hints."""

    anchors: dict[str, Authored] = field(default_factory=dict)
    tests: dict[str, Authored] = field(default_factory=dict)
    written: dict[str, Authored] = field(default_factory=dict)
    predictions: dict[str, Authored] = field(default_factory=dict)
    hints: dict[str, Authored] = field(default_factory=dict)

    def add(self, names: dict[str, Authored], name: str, cell: Authored) -> None:
        others: tuple[dict[str, Authored], ...] = ()
        if names is self.written:
            others = (self.anchors, self.tests)
        elif names is self.anchors or names is self.tests:
            others = (self.written,)
        for taken in (names, *others):
            if name in taken:
                raise cell.error(f"the name {name!r} is taken already, at {taken[name].where}")
        names[name] = cell


def role_of(cell: Authored) -> str:
    """The header's key that says what the cell is, or "" for an ordinary one. Checks the header."""
    if cell.cell_type not in ("code", "markdown"):
        raise cell.error(f"a {cell.cell_type} cell; write code or [markdown]")
    if "incorrectly_encoded_metadata" in cell.header:
        wrong = cell.header["incorrectly_encoded_metadata"]
        raise cell.error(f'the header\'s {wrong!r} cannot be read; write KEY="VALUE"')
    roles = [key for key in _KEYS if key in cell.header and (key != "minutes" or cell.is_title)]
    if len(roles) > 1:
        raise cell.error(f"the header says both {roles[0]} and {roles[1]}; a cell is one of them")
    role = roles[0] if roles else ""
    unknown = sorted(set(cell.header) - _KEYS.get(role, {"tags"}))
    if unknown:
        known = "exercise, tests or written with points and minutes, predict, hints, minutes, or tags"
        raise cell.error(f"unknown header key {unknown[0]!r} here; a cell has {known}")
    if role and (role in _MARKDOWN) != (cell.cell_type == "markdown"):
        raise cell.error(f"{role} belongs to a {'[markdown]' if role in _MARKDOWN else 'code'} cell")
    tags = cell.header.get("tags", [])
    if not isinstance(tags, list) or not set(tags) <= cells.NOT_EXECUTED:
        raise cell.error(f"tags are {tags!r}; known are {', '.join(sorted(cells.NOT_EXECUTED))}, in a list")
    if tags and cell.cell_type != "code":
        raise cell.error(f"the tag {tags[0]!r} belongs to a code cell")
    return role


def name_of(cell: Authored, role: str) -> str:
    """The exercise that the header names."""
    name = cell.header[role]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise cell.error(f"{role}={name!r} is no name; use letters, digits and _, 50 at most")
    return name


def points_of(cell: Authored) -> float:
    """The points that the header gives: a positive number."""
    points = cell.header.get("points")
    if isinstance(points, int | float) and not isinstance(points, bool) and math.isfinite(points) and points > 0:
        return points
    found = "no points" if points is None else f"points={points!r}"
    raise cell.error(f"{found}; write a positive number, as points=2")


def minutes_of(cell: Authored) -> int | None:
    """The minutes that the header gives a student: a whole number, or None if it gives none."""
    minutes = cell.header.get("minutes")
    if minutes is None or (isinstance(minutes, int) and not isinstance(minutes, bool) and minutes > 0):
        return minutes
    raise cell.error(f"minutes={minutes!r}; write a whole number of minutes that a student needs, as minutes=10")


def _regions(cell: Authored) -> list[Region]:
    try:
        return regions(cell.source)
    except ValueError as error:
        raise cell.error(str(error)) from None


def check_places(cell: Authored, role: str) -> None:
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


def check_fixme(cell: Authored, name: str) -> None:
    """A FIXME cell begins with its anchor, and one solution follows each anchor."""
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


def check_tests(cell: Authored, exercise_id: str) -> None:
    """A test cell ends in hidden tests that call `check` for its exercise and for no other."""
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


def check_written(cell: Authored) -> None:
    """A written exercise has a question that students see, and a mark scheme that they do not."""
    if not any(region.text.strip() for region in _regions(cell)):
        raise cell.error("no mark scheme; end the cell in a region MARK SCHEME with rubric and model answer")
    if not visible(cell.source).strip():
        raise cell.error("no question stands outside the mark scheme")


def check_pairs(names: Names) -> None:
    """Every exercise that has an anchor has a test cell, and hints belong to an exercise."""
    for name, cell in names.hints.items():
        if name not in names.anchors and name not in names.written:
            raise cell.error(f"hints for {name!r}, but no exercise has this name")
    for name, cell in names.anchors.items():
        if name not in names.tests:
            raise cell.error(f'exercise {name!r} has no test cell; add one with tests="{name}" points=…')


def check_ids(built: list[NotebookNode], authored: Sequence[Authored]) -> None:
    """A name such as test_f may collide with the id that another name is given."""
    seen = Counter(cells.grade_id(cell) for cell in built)
    twice = [id for id, count in seen.items() if count > 1]
    if twice:
        shown = authored[0].where.partition(":")[0]
        raise InputError(f"{shown}: two cells get the id {twice[0]!r}; rename one of their exercises")


def check_known(tests: dict[str, Authored], known: Sequence[str], assignment: str) -> None:
    """The exercises that have a test cell are those that have a check, in the same order."""
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
