"""What an operator of mutation takes and gives, and the pieces of syntax that several build."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

Node = ast.AST | list[ast.stmt]

_MODULES = ("torch", "functional", "torch.nn.functional", "torch.linalg")


@dataclass(frozen=True)
class Scope:
    """What an operator may know: the arguments of the function around a node, the names of the notebook, and the node
    around each node."""

    arguments: tuple[str, ...]
    elsewhere: frozenset[str]
    around: Mapping[ast.AST, ast.AST]


@dataclass(frozen=True)
class Said:
    """A change that is called by `words`, since its code would say too much."""

    node: Node
    words: str


Changes = Iterator[Node | Said]
Operator = Callable[[ast.AST, Scope], Changes]


def name_called(node: ast.AST) -> str:
    """ "sum" for x.sum(…), torch.sum(x, …) and sum(…); nothing for what is no call."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_of_module(node: ast.Call) -> bool:
    """torch.f(x, …) and functional.f(x, …), whose first argument is what x.f(…) has before the dot."""
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value).split(".")[0] in (
        "torch",
        "functional",
    )


def operand(node: ast.AST, *names: str) -> ast.expr | None:
    """The tensor that a call of one of these names is about: x in x.f(…) and in torch.f(x, …)."""
    if not isinstance(node, ast.Call) or name_called(node) not in names:
        return None
    if is_of_module(node):
        return node.args[0] if node.args else None
    return node.func.value if isinstance(node.func, ast.Attribute) else None


def method(value: ast.expr, name: str, *arguments: ast.expr, **keywords: ast.expr) -> ast.Call:
    named = [ast.keyword(key, given) for key, given in keywords.items()]
    return ast.Call(ast.Attribute(value, name, ast.Load()), list(arguments), named)


def read(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body
