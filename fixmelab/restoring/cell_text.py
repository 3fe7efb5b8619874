"""What the text of a cell says: the names it defines, whether it holds an answer."""

import ast
import functools
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from fixmelab.ipython_cells import as_python, tree_of

FIXME = "FIXME: "
NO_STATEMENT = frozenset([""])
ELSEWHERE = "# This answer stands in the cell of exercise "

# Longer cells are read by regular expressions: Python's parser can run out of stack on hostile text.
MAX_PARSED = 10_000
# More than a notebook has cells: what is asked about a cell again and again is found out once.
REMEMBERED = 4_000

FUNCTION = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
ASSIGNMENT = re.compile(r"^(\w+)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)

# Spaces that look like a blank and are none to Python, and marks that are not seen at all.
FOREIGN_SPACES = str.maketrans({**dict.fromkeys("\u00a0\u2007\u202f\u3000", " "), "\u200b": "", "\ufeff": ""})

# Where the badge and the package of a published notebook come from, which the source need not agree with.
_BEFORE_ADDRESS = ("https://colab.research.google.com/github/", "git+https://github.com/")
_ADDRESS = re.compile(
    rf"(?<={re.escape(_BEFORE_ADDRESS[0])})[\w.-]+/[\w.-]+/blob/[\w./-]+?(?=/release/)"
    rf"|(?<={re.escape(_BEFORE_ADDRESS[1])})[\w.-]+/[\w.-]+(?:@[\w./-]+)?"
)


IMPORTS = (ast.Import, ast.ImportFrom)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SETTINGS = (ast.Assign, ast.AnnAssign, ast.Try, ast.If, ast.With)

Found = TypeVar("Found")


def remembered(look: Callable[[str], Found]) -> Callable[[str], Found]:
    """`look`, asked only once about a text: most come in every submission. Long ones would fill the memory."""
    kept = functools.lru_cache(REMEMBERED)(look)
    return functools.wraps(look)(lambda text: (kept if len(text) <= MAX_PARSED else look)(text))


class Names(NamedTuple):
    """Names that a cell binds at its top level."""

    functions: frozenset[str]  # and classes
    others: frozenset[str]  # variables and imports

    @property
    def all(self) -> frozenset[str]:
        return self.functions | self.others


def uniform(text: str) -> str:
    """The text with Unix line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@remembered
def tidy(text: str) -> str:
    """The text for comparison: plain spaces, none at line ends, no blank lines around it, no address of the course."""
    lines = uniform(text).translate(FOREIGN_SPACES).split("\n")
    tidied = "\n".join(line.rstrip() for line in lines).strip("\n")
    return _ADDRESS.sub("…", tidied) if any(before in tidied for before in _BEFORE_ADDRESS) else tidied


def with_plain_spaces(text: str) -> str:
    """The code with foreign spaces replaced, if they are what keeps it from being Python."""
    plain = text.translate(FOREIGN_SPACES)
    return plain if plain != text and parsed(text) is None and parsed(plain) is not None else text


def without_fence(text: str) -> str:
    """The code in a Markdown cell that is nothing but one fenced block; other text as it is."""
    lines = text.strip().split("\n")
    fenced = len(lines) > 1 and lines[0].startswith("```") and lines[-1].strip() == "```"
    return "\n".join(lines[1:-1]) if fenced else text


def parsed(text: str) -> ast.Module | None:
    """The syntax tree of a code cell, IPython's commands as calls of IPython's; None if it is not Python."""
    if len(text) > MAX_PARSED:
        return None
    try:
        return tree_of(as_python(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    finally:
        tree_of.cache_clear()  # the tree is the caller's, who may change it


class Syntax(NamedTuple):
    """What is asked about a text as code. `open_fixmes` are the names of the FIXMEs that still raise; NO_STATEMENT if
    there is no statement, None if it is not Python."""

    names: Names
    open_fixmes: frozenset[str] | None


@remembered
def syntax_of(text: str) -> Syntax:
    """The names that the code binds at top level, as far as can be told if it is not Python, and its open FIXMEs."""
    tree = parsed(text)
    if tree is None:
        found = frozenset(FUNCTION.findall(text))
        return Syntax(Names(found, frozenset(ASSIGNMENT.findall(text)) - found), None)
    if not tree.body:
        return Syntax(_names(tree), NO_STATEMENT)
    return Syntax(_names(tree), frozenset(_open_fixmes(tree, "yield" in text)) if "raise" in text else frozenset())


def _names(tree: ast.Module) -> Names:
    functions: set[str] = set()
    others: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            functions.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            others.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            others.update(n.id for target in targets for n in _walked(target) if isinstance(n, ast.Name))
    return Names(frozenset(functions), frozenset(others))


def _walked(target: ast.expr) -> Iterable[ast.AST]:
    """What `ast.walk` gives of a target; a name, which most are, takes no walk."""
    return (target,) if isinstance(target, ast.Name) else ast.walk(target)


def additions(text: str, known: frozenset[str], own: frozenset[str], kinds: tuple[type[ast.stmt], ...]) -> str:
    """The statements of `kinds` at the top level of `text` that bind a new name, and none that the source binds.

    `known` are the names that the source binds, `own` those that the same cell of it binds: an import is new unless it
    is one of these, a function or class unless the source has one of its name.
    """
    tree = parsed(text)
    if tree is None:
        return ""
    numbers: set[int] = set()
    for node in tree.body:
        if not isinstance(node, kinds):
            continue
        imported, bound = _bound(node)
        is_new = bool(imported - own or bound - known - own)
        if is_new and (isinstance(node, IMPORTS + DEFINITIONS) or not bound & (known | own)):
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            numbers.update(range(first, (node.end_lineno or node.lineno) + 1))
    lines = as_python(text).split("\n")
    return "\n".join(lines[number - 1] for number in sorted(numbers))


@remembered
def names_bound(text: str) -> frozenset[str]:
    """All names that the statements of a cell bind, those inside `if`, `for` and the like among them."""
    tree = parsed(text)
    return frozenset().union(*(names for node in (tree.body if tree else ()) for names in _bound(node)))


def names_bound_at(text: str, line: int) -> frozenset[str]:
    """The names that the statement at this line of a cell binds; all of the cell's if no statement is there."""
    tree = parsed(text)
    for node in tree.body if tree else ():
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            return frozenset().union(*_bound(node))
    return syntax_of(text).names.all


def _bound(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that a statement at the top level binds: by imports, and otherwise."""
    imported: set[str] = set()
    bound: set[str] = set()
    for node in (statement, *_own_nodes(statement)):
        if isinstance(node, IMPORTS):
            imported.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, DEFINITIONS):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        if node is statement and isinstance(node, DEFINITIONS):
            break
    return imported, bound


def is_still(stub: str, text: str, is_code: bool, exercise: str | None = None) -> bool:
    """`is_untouched`, of texts that are tidy already."""
    if text == stub or not text.strip():
        return True
    if not is_code:
        return text.split() == stub.split()
    open_here = syntax_of(text).open_fixmes
    if open_here is None or ELSEWHERE in text:
        return False
    expected = syntax_of(stub).open_fixmes or frozenset()
    if exercise in expected:
        expected = frozenset({exercise})
    return open_here == NO_STATEMENT or (bool(expected) and expected <= open_here)


def _open_fixmes(tree: ast.AST, yields: bool) -> Iterator[str]:
    """Names of the FIXMEs that still raise: no `return` or `yield` of the same function stands above. Unless the text
    `yields` somewhere, expressions, which may be long, need not be looked into."""
    body = list(_own_nodes(tree, ast.AST if yields else (ast.stmt, ast.excepthandler, ast.match_case)))
    leaving = (node.lineno for node in body if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom))
    left = min(leaving, default=math.inf)
    for node in body:
        if isinstance(node, ast.Raise) and node.lineno <= left:
            yield from _fixme_name(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _open_fixmes(node, yields)


def _own_nodes(tree: ast.AST, kinds: type[ast.AST] | tuple[type[ast.AST], ...] = ast.AST) -> Iterator[ast.AST]:
    """The nodes of these kinds that are reached below `tree` by way of others of them, but not those inside functions
    and classes that it holds."""
    todo = [tree]  # no recursion: expressions of students may be nested deep
    while todo:
        node = todo.pop()
        if node is not tree:
            yield node
        if node is tree or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, kinds))


def _fixme_name(node: ast.Raise) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.startswith(FIXME):
            yield part.value.removeprefix(FIXME)
