"""Which other exercises of a notebook an exercise uses: what is read in its solution, and the methods of its class."""

import ast
from typing import Any

from autograder import cells
from autograder.cells import ANCHOR
from autograder.judge.solution import judged_in
from autograder.regions import visible
from fixmelab.restoring.cell_text import parsed


def identifiers(source: str, exercise: str) -> set[str]:
    """Names that an answer uses: of the whole cell, or, if it holds several exercises, of the lines between the
    anchor of `exercise` and the next. `self.name` counts as the use of `name`; a parameter's name is its own."""
    lines = source.split("\n")
    starts = {anchor[1]: number for number, line in enumerate(lines, 1) if (anchor := ANCHOR.fullmatch(line))}
    first = starts.get(exercise, 1)
    last = min((number for number in starts.values() if number > first), default=len(lines) + 1)
    names, parameters, own = set(), set(), set()
    for node in ast.walk(parsed(source) or ast.Module([], [])):
        if not first <= getattr(node, "lineno", 0) < last:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            parameters.add(node.arg)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            own.add(node.attr)
    return (names - parameters | own) - {exercise}


def uses_of(source: Any) -> dict[str, tuple[str, ...]]:
    """For each judged exercise of a notebook's source, by name: those that its solution uses, directly or by way of
    others, in the order in which they are judged.

    Only what is judged earlier counts, so nobody uses an exercise that uses theirs. A method uses what its class is
    made of, and a class those of its methods that are judged before it.
    """
    tests = [cell for cell in source.cells if cells.is_tests(cell)]
    order = [cells.exercise_name(cell) for cell in tests]
    judged = {cells.exercise_name(cell): judged_in(cell.source) for cell in tests}
    solved = {name: cell.source for cell in source.cells for name in cells.anchors(cell)}
    found: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(order):
        kind, earlier, text = judged[name], set(order[:place]), solved.get(name, "")
        methods = {other for other in order if judged[other] == kind} if name == kind else set()
        direct = (identifiers(text, name) | {kind} | methods) & earlier
        all_of_them = direct.union(*(found[other] for other in direct)) & earlier
        found[name] = tuple(other for other in order[:place] if other in all_of_them)
    return found


def seen_in_tests(cell: Any, names: set[str]) -> set[str]:
    """Those of `names` that the visible part of a test cell reads."""
    return identifiers(visible(cell.source), cells.exercise_name(cell)) & names


def leans_of(source: Any) -> dict[str, frozenset[str]]:
    """For each judged exercise of a notebook's source, by name: those whose verdicts may decide whether it is judged
    again, since its solution or its visible tests use them."""
    uses = uses_of(source)
    tests = {cells.exercise_name(cell): cell for cell in source.cells if cells.is_tests(cell)}
    order = list(uses)
    return {
        name: frozenset(used) | seen_in_tests(tests[name], set(order[:place]))
        for place, (name, used) in enumerate(uses.items())
    }
