"""Mutants of a cell: its solution with one small thing changed (DeMillo, Lipton & Sayward 1978)."""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from autograder.authoring.mutation import formulas, programs
from autograder.authoring.mutation.changes import Node, Operator, Said, Scope
from autograder.regions import SOLUTION, regions

OPERATORS: dict[str, Operator] = {
    "arithmetic": formulas.arithmetic,
    "comparison": formulas.comparison,
    "constant": formulas.constant,
    "swapped": formulas.swapped,
    "dropped": formulas.dropped,
    "power": formulas.power,
    "transposed": formulas.transposed,
    "reduction": formulas.reduction,
    "in place": formulas.in_place,
    "graph": programs.graph,
    "kind": programs.kind,
    "shape": programs.shape,
    "branch": programs.branch,
    "loop": programs.loop,
    "state": programs.state,
}

_TOO_SMALL_TO_SHOW = (
    ast.Name | ast.Constant | ast.Attribute | ast.keyword | ast.Tuple | ast.Slice | ast.UnaryOp | ast.FormattedValue
)


@dataclass(frozen=True)
class Mutant:
    """A cell with one thing changed. `change` is its name, unique in the cell: "sigma ** 2 → sigma", or with a number
    behind it from the second time on."""

    operator: str
    change: str
    code: str

    @property
    def names(self) -> set[str]:
        """What may be called harmless: this change, all changes of the formula before the arrow, or the operator."""
        return {self.change, self.change.partition(" → ")[0], self.operator}


def mutants_of(source: str, elsewhere: frozenset[str] = frozenset()) -> list[Mutant]:
    """All mutants of the solutions in a cell, each code once; `elsewhere` are the names of the rest of the notebook."""
    tree = ast.parse(source)
    solved = {line for one in regions(source) if one.kind == SOLUTION for line in range(one.begin + 2, one.end + 1)}
    seen = {ast.unparse(tree)}
    times: Counter[str] = Counter()
    found: list[Mutant] = []
    around = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node, scope in _with_scopes(tree, Scope((), elsewhere, around)):
        if not _lines_of_its_own(node) & solved:
            continue
        for operator, changes in OPERATORS.items():
            for changed in changes(node, scope):
                code = _replaced(tree, node, changed.node if isinstance(changed, Said) else changed)
                if code in seen:
                    continue
                seen.add(code)
                change = changed.words if isinstance(changed, Said) else _change(node, changed, around)
                times[change] += 1
                found.append(Mutant(operator, change + (f" ({times[change]})" if times[change] > 1 else ""), code))
    return found


def _lines_of_its_own(node: ast.AST) -> set[int]:
    """Where a node stands: a function by its last statement, since its head is given."""
    if isinstance(node, ast.comprehension):
        return {node.target.lineno}
    return {node.body[-1].lineno if isinstance(node, ast.FunctionDef) else getattr(node, "lineno", 0)}


def _with_scopes(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """The nodes from `node` down, outermost first, each with what is known in the function around it."""
    if isinstance(node, ast.FunctionDef):
        arguments = tuple(one.arg for one in (*node.args.args, *node.args.kwonlyargs) if one.arg != "self")
        scope = replace(scope, arguments=arguments)
    yield node, scope
    for child in ast.iter_child_nodes(node):
        yield from _with_scopes(child, scope)


def _replaced(tree: ast.AST, node: ast.AST, changed: Node) -> str:
    class Replace(ast.NodeTransformer):
        """It copies what it walks through, so that `tree` stays as it is."""

        def visit(self, visited: ast.AST) -> Node:
            return changed if visited is node else super().visit(copy.copy(visited))

        def generic_visit(self, visited: ast.AST) -> ast.AST:
            for name, value in ast.iter_fields(visited):
                if isinstance(value, list):
                    setattr(visited, name, list(value))
            return super().generic_visit(visited)

    made = cast(ast.AST, Replace().visit(tree))
    return ast.unparse(ast.fix_missing_locations(made))


def _change(node: ast.AST, changed: Node, around: dict[ast.AST, ast.AST]) -> str:
    """Before and after; a name or number is shown in the formula around it."""
    whole = node
    while isinstance(whole, _TOO_SMALL_TO_SHOW):
        whole = around[whole]
    after = _text(changed) if whole is node else " ".join(_replaced(whole, node, changed).split())
    return f"{_text(whole)} → {after}"


def _text(node: Node) -> str:
    if isinstance(node, list):
        return "; ".join(map(_text, node))
    return " ".join(ast.unparse(node).split())
