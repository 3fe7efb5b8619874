"""Slips in an operation or a number: a term, a factor, a power, a product of matrices, a constant."""

import ast
from collections.abc import Iterator

from autograder.judge.slip_words import Place, Slip, named, part, thing


def of_operation(node: ast.BinOp, place: Place) -> Iterator[Slip]:
    """Another operation, a side that is left out, scaled or raised, or both exchanged."""
    left, right = node.left, node.right
    match node.op:
        case ast.Add() | ast.Sub():
            is_sum = isinstance(node.op, ast.Add)
            yield f"{part('a term', right, place)} were missing", left
            yield f"{part('a term', left, place)} were missing", right if is_sum else ast.UnaryOp(ast.USub(), right)
            other = ast.Sub() if is_sum else ast.Add()
            yield f"{part('a term', right, place)} had the other sign", ast.BinOp(left, other, right)
            if not is_sum:
                yield "a difference were taken the other way round", ast.BinOp(right, node.op, left)
            for factor, words in ((2.0, "twice"), (0.5, "half")):
                for side in (left, right):
                    if not isinstance(side, ast.Constant):
                        scaled = ast.BinOp(ast.Constant(factor), ast.Mult(), side)
                        yield f"{part('a term', side, place)} counted {words}", _with(node, side, scaled)
        case ast.Mult():
            yield f"{part('a factor', right, place)} were missing", left
            yield f"{part('a factor', left, place)} were missing", right
            yield f"{part('a factor', right, place)} divided instead of multiplying", ast.BinOp(left, ast.Div(), right)
        case ast.Div():
            yield named("nothing were divided by {}", right, place, "a division were missing"), left
            yield f"{part('a factor', left, place)} were missing", ast.BinOp(ast.Constant(1.0), ast.Div(), right)
            yield "a fraction stood upside down", ast.BinOp(right, node.op, left)
            yield (
                f"{part('a factor', right, place)} multiplied instead of dividing",
                ast.BinOp(left, ast.Mult(), right),
            )
        case ast.Pow() if isinstance(right, ast.Constant):
            if right.value == 2:
                yield named("{} were not squared", left, place, "a square were missing"), left
                doubled = ast.BinOp(ast.Constant(2.0), ast.Mult(), left)
                yield named("{} were doubled and not squared", left, place, "a double stood for a square"), doubled
                cubed = ast.BinOp(left, node.op, ast.Constant(3))
                yield named("{} were cubed and not squared", left, place, "a cube stood for a square"), cubed
            elif right.value == 0.5:
                yield named("the root of {} were not taken", left, place, "a root were missing"), left
            yield "the base of a power and its exponent had changed places", ast.BinOp(right, node.op, left)
        case ast.MatMult():
            yield "the factors of a product of matrices had changed places", ast.BinOp(right, node.op, left)
            yield "a product of matrices were taken entry by entry", ast.BinOp(left, ast.Mult(), right)
            yield f"{thing('a matrix', left, place)} were left out of a product", right
            yield f"{thing('a matrix', right, place)} were left out of a product", left
    if isinstance(node.op, ast.Mult | ast.Div | ast.Add | ast.Sub | ast.MatMult):
        for side in (left, right):
            for words, changed in _powers(side, place, is_matrix=isinstance(node.op, ast.MatMult)):
                yield words, _with(node, side, changed)


def _with(node: ast.BinOp, side: ast.expr, changed: ast.expr) -> ast.BinOp:
    """The operation with another expression on one of its sides."""
    return ast.BinOp(
        changed if side is node.left else node.left, node.op, changed if side is node.right else node.right
    )


def _powers(node: ast.expr, place: Place, *, is_matrix: bool) -> Iterator[tuple[str, ast.expr]]:
    """A square or root too many, or a transpose."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        return
    if is_matrix:
        if not (isinstance(node, ast.Attribute) and node.attr in ("T", "mT")):
            yield f"{thing('a matrix', node, place)} were transposed", ast.Attribute(node, "mT", ast.Load())
        return
    squared, rooted = (ast.BinOp(node, ast.Pow(), ast.Constant(exponent)) for exponent in (2, 0.5))
    yield named("{} were squared", node, place, "there were a square too many"), squared
    yield named("the root of {} were taken", node, place, "there were a root too many"), rooted


def of_constant(node: ast.Constant, place: Place) -> Iterator[Slip]:
    """Another number; indices and dimensions have slips of their own. The words are long, since the shortest are taken
    and others say more."""
    is_dimension = isinstance(place.above, ast.keyword) and place.above.arg in ("dim", "axis")
    if is_dimension or not isinstance(place.above, ast.BinOp | ast.Call | ast.Compare | ast.keyword):
        return
    match node.value:
        case bool():
            pass
        case int() as number:
            yield "a number in the formula were one too large", ast.Constant(number + 1)
            yield "a number in the formula were one too small", ast.Constant(number - 1)
        case float() as number:
            yield "a number in the formula were zero", ast.Constant(0.0)
            yield "a number in the formula were twice as large", ast.Constant(2 * number)
            yield "a number in the formula were half as large", ast.Constant(number / 2)
