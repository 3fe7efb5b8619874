"""Small slips in a solution, each with words for it, such as "sigma were not squared".

They are what students get wrong without anybody having written it down: a factor, a sign, a square, an index. The words
name arguments, which students know, and nothing else of the solution.
"""

import ast
import copy
from collections.abc import Iterator, Sequence

from autograder.cells import ANCHOR
from autograder.judge.slip_words import Place, named, part, thing
from autograder.regions import SOLUTION, regions

Slip = tuple[str, ast.AST]  # the words, and what stands in the place of a node

_LEFT_OUT = {
    "sqrt": "a root were missing",
    "log": "a logarithm were missing",
    "exp": "an exponential were missing",
    "square": "a square were missing",
    "abs": "an absolute value were missing",
    "sigmoid": "a sigmoid were missing",
    "softmax": "a softmax were missing",
    "relu": "negative numbers were not cut off",
    "clamp": "nothing were clamped",
    "clip": "nothing were clipped",
    "cumprod": "a running product were missing",
    "cumsum": "a running sum were missing",
    "flip": "nothing were turned round",
    "sort": "nothing were sorted",
    "normalize": "nothing were divided by its length",
    "expand": "nothing were repeated",
}
_EXCHANGED = {"sum": "mean", "mean": "sum", "log_softmax": "softmax", "softmax": "sigmoid", "amax": "amin"}
_RESULTS = {
    "2 * {}": "{} were doubled",
    "0.5 * {}": "{} were halved",
    "-({})": "{} had the other sign",
    "({}) ** 2": "{} were squared",
    "({}) ** 0.5": "the root of {} were taken",
    "({}).mT": "{} were transposed",
    "({}).flip(0)": "{} stood in reverse order",
    "({}).roll(1, 0)": "{} were one place late",
    "({}).roll(-1, 0)": "{} were one place early",
    "({})[:1].expand_as({})": "the first row stood in all rows of {}",
}
_ORDINALS = ("first", "second", "third", "fourth")


def slips_of(source: str, exercise: str) -> Iterator[tuple[str, ast.Module]]:
    """The words and the tree of each slip in the solution of `exercise`, in a cell that may hold several.

    The trees are one and the same, changed: take what you need of each before you ask for the next.
    """
    tree = ast.parse(source)
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    solved = _solved_lines(source, {exercise, *classes})  # what a class is made of shows in each of its methods
    for parent, name, place, node, arguments in list(_nodes(tree, ())):
        if getattr(node, "lineno", 0) not in solved:
            continue
        for words, changed in _slips(node, Place(arguments, parent)):
            _put(parent, name, place, changed)
            yield words, ast.fix_missing_locations(tree)
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


def _slips(node: ast.AST, place: Place) -> Iterator[Slip]:
    match node:
        case ast.BinOp():
            yield from _of_operation(node, place)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield f"{part('a term', operand, place)} had the other sign", operand
        case ast.Call():
            yield from _of_call(node, place)
        case ast.Attribute(attr="T" | "mT"):
            yield f"{thing('a matrix', node.value, place)} were not transposed", node.value
        case ast.Subscript():
            yield from _of_index(node)
        case ast.Compare(ops=[op]) if (other := _other_side(op)) is not None:
            yield "a boundary were counted on its other side", ast.Compare(node.left, [other], node.comparators)
        case ast.For() | ast.comprehension():
            yield from _of_loop(node)
        case ast.If():
            yield "a special case were overlooked", ast.If(ast.Constant(False), node.body, node.orelse)
        case ast.IfExp():
            yield "two cases were treated alike", node.body
            yield "two cases were treated alike", node.orelse
        case ast.Return(value=ast.expr() as value):
            yield from _of_result(value)
        case ast.Name(ctx=ast.Load()) if node.id in place.arguments:
            yield from _of_argument(node, place)


def _of_operation(node: ast.BinOp, place: Place) -> Iterator[Slip]:
    left, right = node.left, node.right
    match node.op:
        case ast.Add() | ast.Sub():
            is_sum = isinstance(node.op, ast.Add)
            yield f"{part('a term', right, place)} were missing", left
            yield f"{part('a term', left, place)} were missing", right if is_sum else ast.UnaryOp(ast.USub(), right)
            other = ast.Sub() if is_sum else ast.Add()
            yield f"{part('a term', right, place)} had the other sign", ast.BinOp(left, other, right)
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
            yield (
                f"{part('a factor', right, place)} multiplied instead of dividing",
                ast.BinOp(left, ast.Mult(), right),
            )
        case ast.Pow() if isinstance(right, ast.Constant):
            if right.value == 2:
                yield named("{} were not squared", left, place, "a square were missing"), left
            elif right.value == 0.5:
                yield named("the root of {} were not taken", left, place, "a root were missing"), left
        case ast.MatMult():
            yield "the factors of a product of matrices had changed places", ast.BinOp(right, node.op, left)
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


def _of_call(node: ast.Call, place: Place) -> Iterator[Slip]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    is_module = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("torch", "F", "math")
    operand = node.func.value if isinstance(node.func, ast.Attribute) and not is_module else None
    operand = node.args[0] if is_module and node.args else operand
    if name in _LEFT_OUT and operand is not None:
        yield _LEFT_OUT[name], operand
    if name in _EXCHANGED and isinstance(node.func, ast.Attribute):
        other = _EXCHANGED[name]
        words = f"a {other} stood in the place of a {name}".replace("_", " ")
        yield words, ast.Call(ast.Attribute(node.func.value, other, ast.Load()), node.args, node.keywords)
    if name == "where" and len(node.args) == 3:
        yield "two cases were treated alike", node.args[1]
        yield "two cases were treated alike", node.args[2]
    for k, keyword in enumerate(node.keywords):
        if keyword.arg in ("dim", "axis") and isinstance(keyword.value, ast.Constant):
            for dim in {0, 1, 2, -1} - {keyword.value.value}:
                changed = copy.copy(node)
                changed.keywords = [*node.keywords]
                changed.keywords[k] = ast.keyword(keyword.arg, ast.Constant(dim))
                yield f"a {name.replace('_', ' ')} ran along another dimension", changed
    for k in range(len(node.args) - 1):
        swapped = copy.copy(node)
        swapped.args = [*node.args[:k], node.args[k + 1], node.args[k], *node.args[k + 2 :]]
        yield "two arguments of a function had changed places", swapped


def _of_index(node: ast.Subscript) -> Iterator[Slip]:
    """An index or the edge of a slice is off by one."""
    for step, words in ((1, "too large"), (-1, "too small")):
        op = ast.Add() if step > 0 else ast.Sub()
        match node.slice:
            case ast.Constant(value=int(number)) if step > 0 or number > 0:
                moved: ast.expr = ast.Constant(number + step)
            case ast.Name() | ast.BinOp():
                moved = ast.BinOp(node.slice, op, ast.Constant(1))
            case ast.Slice(lower=ast.Constant(value=int(number))):
                moved = ast.Slice(ast.Constant(number + step), node.slice.upper, node.slice.step)
            case ast.Slice(lower=None, upper=ast.expr() as upper):
                moved = ast.Slice(None, ast.BinOp(upper, op, ast.Constant(1)), node.slice.step)
            case _:
                continue
        yield f"an index were {words} by one", ast.Subscript(node.value, moved, node.ctx)


def _of_loop(node: ast.For | ast.comprehension) -> Iterator[Slip]:
    for cut, words in (
        ("[:-1]", "a loop ended one step early"),
        ("[1:]", "a loop began one step late"),
        ("[::-1]", "a loop ran backwards"),
    ):
        changed = copy.copy(node)
        changed.iter = ast.parse(f"list({ast.unparse(node.iter)}){cut}", mode="eval").body
        yield words, changed


def _of_result(value: ast.expr) -> Iterator[Slip]:
    several: Sequence[ast.expr] = value.elts if isinstance(value, ast.Tuple) else (value,)
    for k, one in enumerate(several[: len(_ORDINALS)]):
        name = "the result" if len(several) == 1 else f"the {_ORDINALS[k]} result"
        for form, words in _RESULTS.items():
            changed = ast.parse(form.format(*[f"({ast.unparse(one)})"] * form.count("{}")), mode="eval").body
            whole = changed if len(several) == 1 else ast.Tuple([*several[:k], changed, *several[k + 1 :]], ast.Load())
            yield words.format(name), ast.Return(whole)


def _of_argument(node: ast.Name, place: Place) -> Iterator[Slip]:
    if isinstance(place.above, ast.Call) and place.above.func is node:
        return
    for other in place.arguments:
        if other != node.id:
            yield f"{other} stood in the place of {node.id}", ast.Name(other, ast.Load())


def _other_side(op: ast.cmpop) -> ast.cmpop | None:
    pairs = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
    other = pairs.get(type(op))
    return other() if other else None
