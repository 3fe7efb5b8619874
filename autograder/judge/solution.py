"""How the notebook's own source solves an exercise, and with one slip does not.

Solutions are the instructors' own and run in the judge's process, never in the student's.
"""

import ast
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograder import cells
from autograder.judge.slips import slips_of

_ALONE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Solution:
    """How an exercise is solved: its cell, what its test cell judges, as code, and the cells before it."""

    cell: str
    judged: str
    before: tuple[str, ...]

    def answers(self, exercise: str) -> Iterator[tuple[str, Any]]:
        """The answer with each slip, and the words for it."""
        defined = self._definitions()
        for words, tree in slips_of(self.cell, exercise):
            namespace = dict(defined)
            with contextlib.suppress(Exception):  # the slip makes no code that runs
                exec(compile(tree, "solution", "exec"), namespace)
                yield words, eval(self.judged, namespace)

    def _definitions(self) -> dict[str, Any]:
        """What the cells before define: imports, functions, classes and plain numbers, but nothing that is computed."""
        namespace: dict[str, Any] = {"__name__": "solution"}
        for source in self.before:
            for statement in ast.parse(source).body:
                is_plain = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
                if is_plain or isinstance(statement, _ALONE):
                    with contextlib.suppress(Exception):  # it needs what is computed
                        exec(compile(ast.Module([statement], []), "solution", "exec"), namespace)
        return namespace


def solution_of(source: Any, exercise: str) -> Solution | None:
    """How a notebook's source solves an exercise, by its name; None if it does not."""
    code = [cell for cell in source.cells if cell.cell_type == "code"]
    numbers = [number for number, cell in enumerate(code) if exercise in cells.anchors(cell)]
    judged = [_judged(cell.source) for cell in code if cells.is_tests(cell) and cells.exercise_name(cell) == exercise]
    if not numbers or not judged or not judged[0]:
        return None
    before = tuple(cell.source for cell in code[: numbers[0]] if not cells.is_tests(cell))
    return Solution(code[numbers[0]].source, judged[0], before)


def _judged(source: str) -> str:
    """What a test cell hands to check(), as code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check" and len(node.args) == 2:
            return ast.unparse(node.args[1])
    return ""
