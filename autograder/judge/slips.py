"""Small slips in a solution, each with words for it, such as "sigma were not squared".

They are what students get wrong without anybody having written it down: a factor, a sign, a square, an index. The words
name arguments, which students know, and nothing else of the solution.
"""

import ast
import copy
from collections.abc import Iterator, Sequence

from autograder.judge.slip_words import Place, Slip, part, thing
from autograder.judge.slips_in_formulas import of_constant, of_operation

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
_REDUCING = ("sum", "mean", "amax", "amin", "prod", "var", "std")
_REMEMBERING = ast.parse(
    "lambda f, kept={}: lambda *a, **k: kept.setdefault(str([getattr(x, 'shape', type(x)) for x in a]), f(*a, **k))",
    mode="eval",
).body
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
    "({}).mean(0, keepdim=True).expand_as({})": "the mean of all rows stood in each row of {}",
}
_ORDINALS = ("first", "second", "third", "fourth")


def slips_at(node: ast.AST, place: Place) -> Iterator[Slip]:
    """The slips that a node can have."""
    match node:
        case ast.BinOp():
            yield from of_operation(node, place)
        case ast.Constant():
            yield from of_constant(node, place)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield f"{part('a term', operand, place)} had the other sign", operand
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if isinstance(
            place.above, ast.BinOp
        ):
            yield "a number in the formula had the other sign", node.operand
            yield from of_constant(ast.Constant(-number), place)
        case ast.Call():
            yield from _of_call(node, place)
        case ast.Attribute(attr="T" | "mT"):
            yield f"{thing('a matrix', node.value, place)} were not transposed", node.value
        case ast.Subscript():
            yield from _of_index(node)
        case ast.Compare(ops=[op]) if (other := _other_side(op)) is not None:
            yield "a boundary were counted on its other side", ast.Compare(node.left, [other], node.comparators)
        case ast.Compare(ops=[ast.Eq() | ast.NotEq() as op]):
            other = ast.NotEq() if isinstance(op, ast.Eq) else ast.Eq()
            yield "a condition were turned round", ast.Compare(node.left, [other], node.comparators)
        case ast.For() | ast.comprehension():
            yield from _of_loop(node)
        case ast.If():
            yield "a special case were overlooked", ast.If(ast.Constant(False), node.body, node.orelse)
            yield "a condition were turned round", ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.IfExp():
            yield "two cases were treated alike", node.body
            yield "two cases were treated alike", node.orelse
        case ast.FunctionDef() if node.name != "__init__":
            again = ast.copy_location(copy.copy(node), node)
            again.decorator_list = [_REMEMBERING, *node.decorator_list]
            yield "an earlier result were given again to arguments of the same shapes", again
            yield from _of_globals(node, place)
        case ast.Return(value=ast.expr() as value):
            yield from _of_result(value)
        case ast.Name(ctx=ast.Load()) if node.id in place.arguments:
            yield from _of_argument(node, place)


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
    if name in _REDUCING and isinstance(node.func, ast.Attribute):
        rest = [one for one in node.keywords if one.arg not in ("dim", "axis", "keepdim")]
        if len(rest) < len(node.keywords) or len(node.args) > is_module:
            yield f"a {name} ran over all dimensions", ast.Call(node.func, node.args[:is_module], rest)
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
    detached = ast.Call(ast.Attribute(node, "detach", ast.Load()), [], [])
    yield f"no gradient came through {node.id} in one place", detached


def _of_globals(node: ast.FunctionDef, place: Place) -> Iterator[Slip]:
    """What the notebook calls by an argument's name stands in its place."""
    for argument in node.args.args:
        if argument.arg in place.elsewhere:
            changed = copy.copy(node)
            changed.args = copy.deepcopy(node.args)
            for one in changed.args.args:
                one.arg += "_of_the_caller" if one.arg == argument.arg else ""
            yield f"the notebook's {argument.arg} stood in the place of the argument {argument.arg}", changed


def _other_side(op: ast.cmpop) -> ast.cmpop | None:
    pairs = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
    other = pairs.get(type(op))
    return other() if other else None
