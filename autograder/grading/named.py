"""Which exercises are meant by the names that somebody gives."""

import difflib
from collections.abc import Collection, Sequence

from nbformat import NotebookNode

from autograder import cells
from autograder.errors import InputError


def judged_names(source: NotebookNode, assignment: str, names: Collection[str]) -> frozenset[str]:
    """The judged exercises of a source that are named, each by its name or its id.

    Raises InputError, a line for each name that none of them has.
    """
    there = [cells.exercise_name(cell) for cell in source.cells if cells.is_tests(cell)]
    plain = [name.removeprefix(f"{assignment}.") for name in names]
    if problems := [unknown(assignment, name, there) for name in plain if name not in there]:
        raise InputError("\n".join(problems))
    return frozenset(plain)


def unknown(assignment: str, name: str, there: Sequence[str]) -> str:
    """A line that says which exercises there are near a name that none of them has."""
    near = difflib.get_close_matches(name, there, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(there)}"
    return f"{assignment} has no check of {name!r}; {hint}"
