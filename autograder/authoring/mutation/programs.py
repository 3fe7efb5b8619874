"""Slips around a formula: the graph, dtypes, shapes, branches, loops, and what is kept between two calls."""

import ast
import copy
from typing import cast

from autograder.authoring.mutation.changes import Changes, Said, Scope, method, name_called, operand, read

_DRAWS = frozenset(
    ("rand", "randn", "randint", "randperm", "rand_like", "randn_like", "normal", "multinomial", "bernoulli", "sample")
)
_REMEMBERING = read(
    "lambda f, kept={}: lambda *a, **k: kept.setdefault(str([getattr(x, 'shape', type(x)) for x in a]), f(*a, **k))"
)
_ROWS = {
    "_every[list(range(len(_every)))[::-1]]": "its rows in reverse",
    "_every[:1].expand_as(_every)": "its first row for all",
    "_every[:].mean(0, keepdim=True).expand_as(_every)": "the mean of its rows for all",
}
# No gradient comes through these, whatever they are of or drawn like; `sample` may be a method of anybody's.
_CUT = frozenset(("shape", "device", "dtype", "ndim", "size", "numel", "dim", "len", "detach", "item", "tolist"))
_CUT |= frozenset(("zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "one_hot", "argmax"))
_CUT |= _DRAWS - {"sample"}


def graph(node: ast.AST, scope: Scope) -> Changes:
    """detach, clone or no_grad, left out or added."""
    if value := operand(node, "clone"):
        yield value
    if (value := operand(node, "detach", "detach_")) and not _is_cut_off(node, scope):
        yield value
    if isinstance(node, ast.With) and any("grad" in ast.unparse(item) for item in node.items):
        yield node.body
    if isinstance(node, ast.FunctionDef):
        kept = [one for one in node.decorator_list if "grad" not in ast.unparse(one)]
        if len(kept) < len(node.decorator_list):
            yield Said(_function(node, decorators=kept), f"{node.name} with gradients")
        else:
            yield Said(_function(node, decorators=[read("torch.no_grad()"), *kept]), f"{node.name} without gradients")
    is_argument = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in scope.arguments
    if is_argument and not _is_cut_off(node, scope):
        yield method(cast(ast.expr, node), "detach")


def _is_cut_off(node: ast.AST, scope: Scope) -> bool:
    """Whether what comes of a node has no gradient anyway: an index, a condition, a size, what is detached later."""
    around = scope.around.get(node)
    while isinstance(around, ast.expr):
        is_index = isinstance(around, ast.Subscript) and node is around.slice
        is_condition = name_called(around) == "where" and node in cast(ast.Call, around).args[:1]
        is_cut = (around.attr if isinstance(around, ast.Attribute) else name_called(around)) in _CUT
        if is_index or is_condition or is_cut or isinstance(around, ast.Compare):
            return True
        node, around = around, scope.around.get(around)
    return False


def kind(node: ast.AST, scope: Scope) -> Changes:
    """Another dtype, or the default dtype or device."""
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Tuple):
        for name in ("half", "float", "double", "int"):
            yield ast.Return(method(node.value, name))
    if isinstance(node, ast.Call):
        for one in node.keywords:
            if one.arg in ("dtype", "device"):
                yield ast.Call(node.func, node.args, [other for other in node.keywords if other is not one])
        if name_called(node) in ("float", "double", "long", "int", "to", "bool") and isinstance(
            node.func, ast.Attribute
        ):
            yield node.func.value


def shape(node: ast.AST, scope: Scope) -> Changes:
    """What broadcasting forgives: a dimension more or less, rows in another order, one row for all."""
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Tuple):
        yield ast.Return(method(node.value, "unsqueeze", ast.Constant(0)))
        yield ast.Return(method(node.value, "unsqueeze", ast.Constant(-1)))
        yield ast.Return(method(node.value, "squeeze"))
        # Written so that a lone number, which has no rows, raises.
        every = ast.Assign([ast.Name("_every", ast.Store())], node.value)
        for one, words in _ROWS.items():
            yield Said([every, ast.Return(read(one))], f"{ast.unparse(node.value)}, {words}")
    if value := operand(node, "unsqueeze", "squeeze", "view", "reshape", "expand"):
        yield value


def branch(node: ast.AST, scope: Scope) -> Changes:
    """A condition turned round, or never asked."""
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        turned = copy.copy(node)
        turned.test = ast.UnaryOp(ast.Not(), node.test)
        yield Said(turned, f"{ast.unparse(node.test)} → {ast.unparse(turned.test)}")
    if isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse


def loop(node: ast.AST, scope: Scope) -> Changes:
    """A loop one shorter, at either end, or backwards."""
    if isinstance(node, ast.For | ast.comprehension):
        for cut in ("[:-1]", "[1:]", "[::-1]"):
            changed = copy.copy(node)
            changed.iter = read(f"list({ast.unparse(node.iter)}){cut}")
            yield Said(changed, f"for … in {ast.unparse(node.iter)} → {ast.unparse(changed.iter)}")


def state(node: ast.AST, scope: Scope) -> Changes:
    """The same draws at each call, the result of the first call, or the notebook's global for an argument."""
    if not isinstance(node, ast.FunctionDef):
        return
    if any(name_called(one) in _DRAWS for one in ast.walk(node)):
        seeded = _function(node, before=ast.parse("torch.manual_seed(0)").body)
        yield Said(seeded, f"{node.name} with torch.manual_seed(0) inside")
    if node.name != "__init__":
        remembering = _function(node, decorators=[_REMEMBERING, *node.decorator_list])
        yield Said(remembering, f"{node.name} gives what it gave before to arguments of these shapes")
    for argument in node.args.args:
        if argument.arg in scope.elsewhere:
            changed = _function(node)
            changed.args = copy.deepcopy(node.args)
            for one in changed.args.args:
                one.arg += "_of_the_caller" if one.arg == argument.arg else ""
            yield Said(changed, f"{node.name} with the notebook's {argument.arg}")


def _function(
    node: ast.FunctionDef, *, decorators: list[ast.expr] | None = None, before: list[ast.stmt] | None = None
) -> ast.FunctionDef:
    changed = copy.copy(node)
    changed.decorator_list = node.decorator_list if decorators is None else decorators
    docstring = 1 if ast.get_docstring(node) is not None else 0
    changed.body = [*node.body[:docstring], *(before or []), *node.body[docstring:]]
    return changed
