"""Runs a cell of the student's statement by statement: one that fails costs what needs it, and nothing else."""

import ast
import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from IPython.core.interactiveshell import InteractiveShell

from fixmelab.executing import process_state
from fixmelab.ipython_cells import is_left_as_it_is

MOST_FAILURES = 20  # of one cell
# What is no fault of one statement's: a limit that stops the cell, or memory that is full.
_ENDING = (KeyboardInterrupt, MemoryError, GeneratorExit)


class Failure(NamedTuple):
    """What ended a statement, or the whole cell: its line is 0 then."""

    line: int
    error: BaseException
    traceback: str


class StatementShell(InteractiveShell):
    """An IPython shell that goes on after a statement that fails, while `goes_on` is set.

    `failures` are those of the cell that runs.
    """

    goes_on = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failures: list[Failure] = []
        self._told = ""
        self._usual = self._transformers()

    def _transformers(self) -> list[Any]:
        manager = self.input_transformer_manager
        return [*manager.cleanup_transforms, None, *manager.line_transforms, None, *manager.token_transformers]

    def transform_cell(self, raw_cell: str) -> str:
        """As IPython's own, which reads each cell token by token, in a time in which many a cell has run."""
        if is_left_as_it_is(raw_cell) and self._transformers() == self._usual and not self.input_transformers_post:
            return raw_cell if raw_cell.endswith("\n") else raw_cell + "\n"
        transformed: str = super().transform_cell(raw_cell)
        return transformed

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self._told = "\n".join(map(str, stb))

    def fail(self, line: int, error: BaseException) -> None:
        """Remember a failure, with the traceback that has just been shown."""
        self.failures.append(Failure(line, error, self._told))
        self._told = ""

    async def run_ast_nodes(
        self,
        nodelist: list[ast.stmt],
        cell_name: str,
        interactivity: str = "last_expr",
        compiler: Any = compile,
        result: Any = None,
    ) -> bool | None:
        if not self.goes_on or result is None:
            raised: bool | None = await super().run_ast_nodes(nodelist, cell_name, interactivity, compiler, result)
            return raised
        statements = [single for node in nodelist for single in _singles(node)]
        for number, statement in enumerate(statements, 1):
            shown = interactivity if number == len(statements) else "none"
            if not await super().run_ast_nodes([statement], cell_name, shown, compiler, result):
                continue
            error = result.error_before_exec or result.error_in_exec
            result.error_before_exec = result.error_in_exec = None
            self.fail(statement.lineno, error)
            if isinstance(error, _ENDING) or len(self.failures) == MOST_FAILURES:
                break
        return bool(self.failures)


def _singles(node: ast.stmt) -> list[ast.stmt]:
    """A list of imports one by one; any other statement as it is."""
    if not isinstance(node, ast.Import | ast.ImportFrom) or getattr(node, "module", "") == "__future__":
        return [node]
    found: list[ast.stmt] = []
    for name in node.names:
        single = copy.copy(node)
        single.names = [name]
        found.append(single)
    return found


@contextlib.contextmanager
def _new_process() -> Iterator[None]:
    with process_state.as_at_the_start(), process_state.own_style():
        yield


# The state of the process around a cell: what a student's changes is put back, a test cell finds that of a new one.
AROUND: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "student": process_state.put_back,
    "answer": process_state.put_back,
    "test": _new_process,
    "course": contextlib.nullcontext,
}
