"""A class or function out of a student's notebook, without running the notebook.

Only what the wanted names need is executed: the statements that bind them, those that bind the names that these use,
and so on. So nothing is trained, drawn, downloaded or tested on the way, and a cell that fails is in nobody's way
unless it is needed. Statements that bind nothing (a call such as `setattr(Diffusion, …)`) are never executed.
"""

import ast
import builtins
import linecache
import re
import symtable
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixmelab.ipython_cells import as_python
from fixmelab.notebooks import NotebookError, read_notebook

MODULE = "student_notebook"  # under which classes find themselves in sys.modules
NOT_EXECUTED = {"train", "keep"}


@dataclass(frozen=True)
class Cell:
    """A code cell. `name` is what tracebacks call it; `first_line` is the line of the file before its text."""

    name: str
    text: str
    first_line: int = 0


@dataclass(frozen=True)
class _Statement:
    cell: Cell
    node: ast.stmt
    binds: frozenset[str]
    uses: frozenset[str]


class _NoIPython:
    """What a notebook's commands find where there is no IPython: they do nothing."""

    def getoutput(self, *_: object, **__: object) -> list[str]:
        return []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


@dataclass
class StudentCode:
    """What was taken from a notebook. `found` maps the wanted names to what they are."""

    path: Path
    found: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def place(self, error: BaseException) -> str | None:
        """The student's line that an error comes from, and the error, in one line; None where there is no such line."""
        found, frame = None, error.__traceback__
        while frame is not None:
            code = frame.tb_frame.f_code
            if code.co_filename in self.cells:
                inside = "" if code.co_name.startswith("<") else f", in {code.co_name}"
                text = linecache.getline(code.co_filename, frame.tb_lineno).strip()
                found = f"{code.co_filename}, line {frame.tb_lineno}{inside} ({text})"
            frame = frame.tb_next
        if found is None:
            return None
        left_out = f" (left out, as they are no Python: {'; '.join(self.broken)})" if self.broken else ""
        return f"{found}: {describe(error)}{left_out if isinstance(error, NameError) else ''}"


def describe(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def load(path: Path, names: Iterable[str]) -> StudentCode:
    """Take `names` from a notebook: an .ipynb, or a .py whose cells start with `# %%` as jupytext writes them.

    Cells of nbgrader's tests and cells tagged `train` or `keep` are left out. Raises NotebookError if the file
    cannot be read, a name is missing, or a statement that is needed fails; it names the cell and the line.
    """
    cells = _cells(path)
    code = StudentCode(path, cells={cell.name: cell for cell in cells})
    statements: list[_Statement] = []
    for cell in cells:
        if cell.name != str(path):  # for tracebacks, which read other files themselves
            linecache.cache[cell.name] = (len(cell.text), None, cell.text.splitlines(keepends=True), cell.name)
        try:
            statements += _statements(cell)
        except SyntaxError as error:
            code.broken.append(f"{cell.name}, line {error.lineno}, {error.msg}")
    wanted = list(names)
    module = types.ModuleType(MODULE)
    module.__file__ = str(path)
    module.__dict__["get_ipython"] = _NoIPython
    sys.modules[MODULE] = module
    for statement in _needed(statements, wanted):
        try:
            exec(compile(ast.Module([statement.node], []), statement.cell.name, "exec"), module.__dict__)
        except (Exception, SystemExit) as error:
            where = code.place(error) or f"{statement.cell.name}, line {statement.node.lineno}: {describe(error)}"
            raise NotebookError(where) from error
    for name in wanted:
        if name not in module.__dict__:
            left_out = f" ({'; '.join(code.broken)})" if code.broken else ""
            raise NotebookError(f"{path} defines no {name}{left_out}")
        code.found[name] = module.__dict__[name]
    return code


def _needed(statements: list[_Statement], names: list[str]) -> list[_Statement]:
    """The statements that have a part in `names`, in order."""
    needed, grown = set(names), True
    chosen: set[int] = set()
    while grown:
        more = {index for index, one in enumerate(statements) if one.binds & needed or "*" in one.binds} - chosen
        grown = bool(more)
        chosen |= more
        needed |= {name for index in more for name in statements[index].uses} - {*dir(builtins), "get_ipython"}
    return [statements[index] for index in sorted(chosen)]


def _statements(cell: Cell) -> Iterator[_Statement]:
    """The top-level statements of a cell. Raises SyntaxError if it is no Python."""
    for node in ast.parse(as_python(cell.text)).body:
        ast.increment_lineno(node, cell.first_line)
        binds, uses = _names(node)
        yield _Statement(cell, node, binds, uses)


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """The module's names that a statement binds or changes, and those that it uses, functions inside included."""
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        return frozenset({"*"}), frozenset()
    top = symtable.symtable(ast.unparse(node), "", "exec")
    binds = {one.get_name() for one in top.get_symbols() if one.is_assigned() or one.is_imported()}
    uses, inner = {one.get_name() for one in top.get_symbols() if one.is_referenced()}, top.get_children()
    while inner:
        table = inner.pop()
        uses |= {one.get_name() for one in table.get_symbols() if one.is_global()}
        inner += table.get_children()
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:  # Diffusion.sample = …, TABLE[0] = …
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            binds.add(target.id)
    return frozenset(binds), frozenset(uses)


def _cells(path: Path) -> list[Cell]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotebookError(f"{path} cannot be read: {error.strerror}") from error
    if path.suffix == ".py":
        try:
            return list(_cells_of_python(path, data.decode("utf-8-sig")))
        except UnicodeDecodeError as error:
            raise NotebookError(f"{path} is no text: give a notebook (.ipynb) or a Python file (.py)") from error
    try:
        cells = read_notebook(data)["cells"]
    except NotebookError as error:
        raise NotebookError(f"{path}: {error}") from None
    return [
        Cell(f"{path}, cell {number}", cell["source"])
        for number, cell in enumerate(cells, 1)
        if cell["cell_type"] == "code" and not _is_left_out(cell["metadata"])
    ]


def _cells_of_python(path: Path, text: str) -> Iterator[Cell]:
    header, first = "", 0
    lines = text.splitlines()
    for number, line in enumerate([*lines, "# %%"]):
        if not re.match(r"# %%(\s|$)", line):
            continue
        tags = set(re.findall(r'"(\w+)"', "".join(re.findall(r"\btags=\[(.*?)\]", header))))
        of_tests = re.search(r"\btests=", header) or ('"grade": true' in header and '"solution": true' not in header)
        if not (re.match(r"# %% *\[(markdown|md|raw)\]", header) or of_tests or tags & NOT_EXECUTED):
            yield Cell(str(path), "\n".join(lines[first:number]), first)
        header, first = line, number + 1


def _is_left_out(metadata: dict[str, Any]) -> bool:
    """A cell of nbgrader's tests, or one that only trains or draws."""
    nbgrader = metadata.get("nbgrader", {})
    is_tests = isinstance(nbgrader, dict) and nbgrader.get("grade") and not nbgrader.get("solution")
    return bool(is_tests or NOT_EXECUTED & set(metadata.get("tags", ())))
