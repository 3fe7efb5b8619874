"""Words for the parts of a solution: they name arguments, which students know, and nothing else of it."""

import ast
from dataclasses import dataclass
from fractions import Fraction

Slip = tuple[str, ast.AST]  # the words, and what stands in the place of a node


@dataclass(frozen=True)
class Place:
    """What stands around a node: the arguments of its function, the node above, and the names of the notebook."""

    arguments: tuple[str, ...]
    above: ast.AST
    elsewhere: frozenset[str] = frozenset()


def _arguments_in(node: ast.AST, place: Place) -> list[str]:
    inside = [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
    return [name for name in dict.fromkeys(inside) if name in place.arguments]


def thing(word: str, node: ast.AST, place: Place) -> str:
    """What a student would call it: the argument's name, "a matrix with W", or the word alone."""
    if isinstance(node, ast.Name) and node.id in place.arguments:
        return node.id
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return f"{Fraction(node.value).limit_denominator(8)}" if node.value in (0.5, 2, 2.0) else "a number"
    inside = _arguments_in(node, place)[:2]
    return f"{word} with {' and '.join(inside)}" if inside else word


def named(words: str, node: ast.AST, place: Place, otherwise: str) -> str:
    """The words on something that an argument names; `otherwise` if none does."""
    name = thing("", node, place)
    return words.format(f"something{name}" if name.startswith(" ") else name) if name else otherwise


def part(word: str, node: ast.AST, place: Place) -> str:
    """A term or factor: "the factor sigma", "a term with mu and sigma", "a constant term"."""
    if isinstance(node, ast.Name) and node.id in place.arguments:
        return f"{word.replace('a ', 'the ')} {node.id}"
    if isinstance(node, ast.Constant):
        return f"{word} {thing('', node, place)}" if node.value in (0.5, 2) else word.replace("a ", "a constant ")
    return thing(word, node, place)
