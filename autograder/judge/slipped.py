"""The solution of an exercise with one slip at a time."""

import ast
from collections.abc import Iterator

from autograder.cells import ANCHOR
from autograder.judge.slip_words import Place
from autograder.judge.slips import slips_at
from autograder.regions import SOLUTION, regions


def slips_of(source: str, exercise: str, elsewhere: frozenset[str] = frozenset()) -> Iterator[tuple[str, ast.Module]]:
    """The words and the tree of each slip in the solution of `exercise`, in a cell that may hold several; `elsewhere`
    are the names of the rest of the notebook.

    The trees are one and the same, changed: take what you need of each before you ask for the next.
    """
    tree = ast.parse(source)
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    solved = _solved_lines(source, {exercise, *classes})  # what a class is made of shows in each of its methods
    for parent, name, place, node, arguments in list(_nodes(tree, ())):
        last = node.body[-1] if isinstance(node, ast.FunctionDef) else node  # the head of a function is given
        if getattr(last, "lineno", 0) not in solved:
            continue
        for words, changed in slips_at(node, Place(arguments, parent, elsewhere)):
            _put(parent, name, place, ast.fix_missing_locations(ast.copy_location(changed, node)))
            yield words, tree
        _put(parent, name, place, node)


def _solved_lines(source: str, exercises: set[str]) -> set[int]:
    """The lines of the regions below the anchors of the exercises."""
    owner, owners = "", {}
    for number, line in enumerate(source.split("\n"), 1):
        if anchor := ANCHOR.fullmatch(line):
            owner = anchor[1]
        owners[number] = owner
    inside = {line for one in regions(source) if one.kind == SOLUTION for line in range(one.begin + 2, one.end + 1)}
    return {line for line in inside if owners[line] in exercises}


def _nodes(
    node: ast.AST, arguments: tuple[str, ...]
) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, tuple[str, ...]]]:
    """Each node below `node`: its parent, the field and place in it, the node, the arguments of the function around."""
    if isinstance(node, ast.FunctionDef):
        arguments = tuple(one.arg for one in (*node.args.args, *node.args.kwonlyargs) if one.arg != "self")
    for name, value in ast.iter_fields(node):
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield node, name, place, child, arguments
                yield from _nodes(child, arguments)


def _put(parent: ast.AST, name: str, place: int | None, child: ast.AST) -> None:
    if place is None:
        setattr(parent, name, child)
    else:
        getattr(parent, name)[place] = child
