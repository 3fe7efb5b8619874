"""What two answers can have in common: small pieces of the syntax tree for code, runs of words for prose.

Names that an answer gives itself, comments, docstrings, annotations and formatting are taken out; what it calls, its
operators and constants stay. As Baxter et al. 1998 compare subtrees, but of bounded depth, so that a change in one
place leaves the pieces elsewhere as they are.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any

from fixmelab.restoring.cell_text import parsed

DEPTH = 3  # of a piece of a tree, in edges below its top
SMALLEST = 5  # nodes of a piece
SHINGLE = 5  # words

_WORD = re.compile(r"\w+")
_SKIPPED = (ast.expr_context, ast.Pass)
_NAMED = ("attr", "arg", "name", "module")

Pieces = dict[int, int]  # hash of a piece -> the line, from 1, where it stands first


def code_pieces(code: str) -> Pieces:
    """The pieces of an answer's syntax tree; of code that is not Python, its lines without white space."""
    tree = parsed(code)
    if tree is None:
        lines = enumerate(("".join(line.split()) for line in code.split("\n")), 1)
        return _first((hash(line), number) for number, line in lines if line and not line.startswith("#"))
    own = _own_names(tree)
    _take_out(tree)
    return _first(_pieces(tree, own))


def prose_pieces(text: str) -> Pieces:
    """Every five words that follow each other, whatever stands between them."""
    words = [
        (word.casefold(), number) for number, line in enumerate(text.split("\n"), 1) for word in _WORD.findall(line)
    ]
    runs = (words[start : start + SHINGLE] for start in range(len(words) - SHINGLE + 1))
    return _first((hash(tuple(word for word, _ in run)), run[0][1]) for run in runs)


def form_of(code: str) -> int:
    """The same number for answers whose trees have the same pieces in the same order."""
    return hash(tuple(code_pieces(code)))


def _first(found: Iterator[tuple[int, int]]) -> Pieces:
    pieces: Pieces = {}
    for piece, line in found:
        pieces.setdefault(piece, line)
    return pieces


def _own_names(tree: ast.AST) -> frozenset[str]:
    """The names that code gives itself: of parameters, variables and what it defines."""
    own: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            own.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
    return frozenset(own)


def _take_out(tree: ast.AST) -> None:
    """Docstrings and other lone constants, and annotations."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [
                item for item in body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
            ]
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None


def _pieces(tree: ast.AST, own: frozenset[str]) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt):
            size, shape = _shape(node, dict.fromkeys(own), DEPTH)
            if size >= SMALLEST:
                yield hash(shape), node.lineno


def _shape(node: ast.AST, own: dict[str, int | None], depth: int) -> tuple[int, tuple[Any, ...]]:
    """How many nodes lie up to `depth` below a node, itself among them, and what they are. Names in `own` are numbered
    as they come; an assignment with an annotation is one without."""
    said: list[Any] = [type(node).__name__.replace("AnnAssign", "Assign")]
    if isinstance(node, ast.Name):
        said.append(_numbered(node.id, own))
    elif isinstance(node, ast.Constant):
        said.append(repr(node.value)[:100])
    else:
        said += [_numbered(value, own) for name in _NAMED if isinstance(value := getattr(node, name, None), str)]
    size = 1
    if depth:
        for name, value in ast.iter_fields(node):
            if name == "annotation":
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, _SKIPPED):
                    below, shape = _shape(child, own, depth - 1)
                    size += below
                    said.append(shape)
    return size, tuple(said)


def _numbered(name: str, own: dict[str, int | None]) -> str | int:
    """The name, or if it is one of its own the number in which it comes, from 0."""
    if name not in own:
        return name
    number = own[name]
    if number is None:
        number = own[name] = sum(value is not None for value in own.values())
    return number
