"""Slips in a formula: a sign, a factor, a square, an axis, an argument in the place of another."""

import ast
from typing import cast

from autograder.authoring.mutation.changes import Changes, Scope, is_of_module, method, name_called, operand

_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_REDUCTIONS = {
    "sum": "mean",
    "mean": "sum",
    "amax": "amin",
    "max": "min",
    "argmax": "argmin",
    "logsumexp": "sum",
    "var": "std",
    "prod": "sum",
    "cumsum": "cumprod",
    "cumprod": "cumsum",
    "softmax": "sigmoid",
}
_KEEP_DIMENSIONS = ("sum", "mean", "amax", "logsumexp", "prod")


def arithmetic(node: ast.AST, scope: Scope) -> Changes:
    """Another operation, its sides exchanged, or no minus."""
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
        if isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
            yield ast.BinOp(node.right, node.op, node.left)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    if isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)


def comparison(node: ast.AST, scope: Scope) -> Changes:
    if isinstance(node, ast.Compare):
        for other in _COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [other(), *node.ops[1:]], node.comparators)


def constant(node: ast.AST, scope: Scope) -> Changes:
    """A number one more or less, doubled, halved, 0 or 1; True for False."""
    if not isinstance(node, ast.Constant):
        return
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int():
            yield ast.Constant(node.value + 1)
            yield ast.Constant(node.value - 1)
        case float():
            for other in (0.0, 1.0, 2 * node.value, node.value / 2):
                yield ast.Constant(other)


def swapped(node: ast.AST, scope: Scope) -> Changes:
    """Two arguments of a call or two parts of a pair change places, or an argument stands in the place of another."""
    if isinstance(node, ast.Call) and not any(isinstance(one, ast.Starred) for one in node.args):
        for k in range(len(node.args) - 1):
            order = [*node.args[:k], node.args[k + 1], node.args[k], *node.args[k + 2 :]]
            yield ast.Call(node.func, order, node.keywords)
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield ast.Tuple([node.elts[1], node.elts[0]], node.ctx)
    if _is_argument(node, scope):
        for other in scope.arguments:
            yield ast.Name(other, ast.Load())


def dropped(node: ast.AST, scope: Scope) -> Changes:
    """A term, a factor or a whole statement is left out."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.MatMult):
        yield node.left
        match node.op:
            case ast.Sub():
                yield ast.UnaryOp(ast.USub(), node.right)
            case ast.Div():
                yield ast.BinOp(ast.Constant(1), ast.Div(), node.right)
            case _:
                yield node.right
    if isinstance(node, ast.Expr | ast.AugAssign) and not isinstance(node.value, ast.Constant):
        yield [ast.Pass()]


def power(node: ast.AST, scope: Scope) -> Changes:
    """A root, square, logarithm or exponential is left out; a root or square is added."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield node.left
    if value := operand(node, "sqrt", "square", "pow", "log", "exp", "abs", "rsqrt"):
        yield value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.Add | ast.Sub):
        for exponent in (2, 0.5):
            if isinstance(node.left, ast.Name | ast.Attribute | ast.Subscript):
                yield ast.BinOp(_raised(node.left, exponent), node.op, node.right)
            if isinstance(node.right, ast.Name | ast.Attribute | ast.Subscript):
                yield ast.BinOp(node.left, node.op, _raised(node.right, exponent))


def transposed(node: ast.AST, scope: Scope) -> Changes:
    """A transpose is left out or added, or the factors of a product of matrices change places."""
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        yield node.value
    if value := operand(node, "t", "transpose", "permute", "flip"):
        yield value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.left, ast.Name):
            yield ast.BinOp(ast.Attribute(node.left, "T", ast.Load()), node.op, node.right)
        if isinstance(node.right, ast.Name):
            yield ast.BinOp(node.left, node.op, ast.Attribute(node.right, "T", ast.Load()))


def reduction(node: ast.AST, scope: Scope) -> Changes:
    """Another reduction, one over all dimensions, or keepdim the other way round."""
    name = name_called(node)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or name not in _REDUCTIONS:
        return
    yield ast.Call(ast.Attribute(node.func.value, _REDUCTIONS[name], ast.Load()), node.args, node.keywords)
    tensors = 1 if is_of_module(node) else 0
    has_dimension = len(node.args) > tensors or any(one.arg in ("dim", "axis") for one in node.keywords)
    if has_dimension:
        yield ast.Call(node.func, node.args[:tensors], [])
    if has_dimension and name in _KEEP_DIMENSIONS:
        others = [one for one in node.keywords if one.arg != "keepdim"]
        kept = [] if len(others) < len(node.keywords) else [ast.keyword("keepdim", ast.Constant(True))]
        yield ast.Call(node.func, node.args, [*others, *kept])


def in_place(node: ast.AST, scope: Scope) -> Changes:
    """An argument is changed, and no new tensor made."""
    operations = {ast.Add: "add_", ast.Sub: "sub_", ast.Mult: "mul_", ast.Div: "div_", ast.Pow: "pow_"}
    if isinstance(node, ast.BinOp) and _is_argument(node.left, scope) and type(node.op) in operations:
        yield method(node.left, operations[type(node.op)], node.right)
    value = operand(node, "exp", "log", "sqrt", "clamp", "square", "masked_fill")
    if value and _is_argument(value, scope) and isinstance(node, ast.Call):
        rest = node.args[1:] if is_of_module(node) else node.args
        yield ast.Call(ast.Attribute(value, name_called(node) + "_", ast.Load()), rest, node.keywords)


def _is_argument(node: ast.AST, scope: Scope) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in scope.arguments


def _raised(base: ast.expr, exponent: float) -> ast.expr:
    return cast(ast.expr, ast.BinOp(base, ast.Pow(), ast.Constant(exponent)))
