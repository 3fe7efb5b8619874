"""What the course's own cells rely on: names of the notebook, and environment variables.

A cell of the student's may delete a name, or use it for something else. That costs what the student wrote so, and no
test: a cell of the course's finds what it reads as the course's cells have left it.
"""

import ast
import builtins
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any


class Names:
    """`space` returns the names of the notebook as they are."""

    def __init__(self, space: Callable[[], dict[str, Any]]) -> None:
        self._space = space
        self._environment = dict(os.environ)
        self._made: dict[str, Any] = {}  # by the course's cells and by answers
        self._courses: set[str] = set()  # those that the course's cells have made last

    @contextlib.contextmanager
    def around(self, whose: str, source: str) -> Iterator[None]:
        """Put back what a cell relies on, and note what it makes. `source` is Python."""
        if whose == "student":
            yield
            return
        space = self._space()
        for name, value in self._made.items():
            space.setdefault(name, value)
        if whose != "answer":
            for name, value in self._environment.items():
                os.environ.setdefault(name, value)
            for name in _read_by(source):
                if name in self._courses:
                    space[name] = self._made[name]
                elif hasattr(builtins, name) and name in space and not callable(space[name]):
                    del space[name]  # as in `sum = 0`
        before = dict(space)
        try:
            yield
        finally:
            made = {
                name: value
                for name, value in self._space().items()
                if not name.startswith("_") and (name not in before or before[name] is not value)
            }
            self._made.update(made)
            self._courses = self._courses - made.keys() if whose == "answer" else self._courses | made.keys()


def _read_by(source: str) -> set[str]:
    """The names that a cell reads and does not make itself."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    made = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    return {node.id for node in names if node.id not in made}
