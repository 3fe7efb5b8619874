"""How the notebook's own source solves an exercise, and with one slip does not.

Solutions are the instructors' own and run in the judge's process, never in the student's.
"""

import ast
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograder import cells
from autograder.judge.slipped import slips_of

_ALONE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Solution:
    """How an exercise is solved: its cell, what its test cell judges, as code, and the cells before it."""

    cell: str
    judged: str
    before: tuple[str, ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments if a function is judged, or else none."""
        defined = (one for one in ast.parse(self.cell).body if isinstance(one, ast.FunctionDef))
        return next((tuple(one.arg for one in it.args.args) for it in defined if it.name == self.judged), ())

    def right(self) -> dict[str, Any]:
        """What the solution and the cells before it define, by name."""
        return _definitions((*self.before, self.cell))

    def answers(self, exercise: str) -> Iterator[tuple[str, Any]]:
        """The answer with each slip, and the words for it."""
        defined = _definitions(self.before)
        for words, tree in slips_of(self.cell, exercise, frozenset(defined)):
            namespace = dict(defined)
            with contextlib.suppress(Exception):  # the slip makes no code that runs
                exec(compile(tree, "solution", "exec"), namespace)
                yield words, eval(self.judged, namespace)


def solution_of(source: Any, exercise: str) -> Solution | None:
    """How a notebook's source solves an exercise, by its name; None if it does not."""
    code = [cell for cell in source.cells if cell.cell_type == "code"]
    numbers = [number for number, cell in enumerate(code) if exercise in cells.anchors(cell)]
    judged = [judged_in(cell.source) for cell in code if cells.is_tests(cell) and cells.exercise_name(cell) == exercise]
    if not numbers or not judged or not judged[0]:
        return None
    before = tuple(cell.source for cell in code[: numbers[0]] if not cells.is_tests(cell))
    return Solution(code[numbers[0]].source, judged[0], before)


def judged_in(source: str) -> str:
    """What a test cell hands to check(), as code; "" if it hands nothing."""
    return checked_in(source)[1]


def checked_in(source: str) -> tuple[str, str]:
    """The exercise's id and what a test cell hands to check(), as code; both "" if there is no such call."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check" and len(node.args) == 2:
            return ast.literal_eval(node.args[0]), ast.unparse(node.args[1])
    return "", ""


def _definitions(sources: Sequence[str]) -> dict[str, Any]:
    """What cells define: imports, functions, classes and plain numbers, but nothing that is computed."""
    namespace: dict[str, Any] = {"__name__": "solution"}
    for source in sources:
        for statement in ast.parse(source).body:
            is_plain = isinstance(statement, ast.Assign) and _is_plain(statement.value)
            if is_plain or isinstance(statement, _ALONE):
                with contextlib.suppress(Exception):  # it needs what is computed
                    exec(compile(ast.Module([statement], []), "solution", "exec"), namespace)
    return namespace


def _is_plain(value: ast.expr) -> bool:
    """A number or a text, or several of these."""
    return all(isinstance(one, ast.Constant) for one in (value.elts if isinstance(value, ast.Tuple) else [value]))
