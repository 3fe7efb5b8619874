"""docs/authoring.md: all that a check can draw, expect and ask, from the judge's docstrings, with an example each.

The examples are lines of the course's own checks, so they are right, and `prove` runs them.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import InputError

PAGE = "docs/authoring.md"
MOST_CHARACTERS = 110  # of an example

_HEAD = """\
# What a check can draw, expect and ask

`autograder build` writes this page, from docstrings of the judge; each example is a line of the course's own checks.
[CONTRIBUTING.md](../CONTRIBUTING.md#add-an-exercise) adds an exercise step by step.

A check is a function `def NAME(student, draw)` of the student's object and of what draws its inputs.
It ends if the answer is right, and raises ExpectationFailed through `expect` if it is not.
What else it raises is the grader's fault.
"""


@dataclass(frozen=True)
class Part:
    """A class whose methods are shown, with those of the classes above it that are named; or functions, if it has no
    class. `called` is what a check calls it by."""

    title: str
    module: str
    names: tuple[str, ...]
    called: str


PARTS = (
    Part("`draw`: inputs", "judge/draw.py", ("Draw",), "draw"),
    Part("`expect`: what must hold", "judge/expect.py", ("expect",), "expect(…)"),
    Part("`student`: the answer", "judge/student.py", ("Target", "Remote"), "student"),
    Part("`with part`: points for what is right", "judge/parts.py", ("part",), "with part"),
    Part(
        "What an exercise's module declares", "judge/exercise.py", ("exercise", "mistake", "equivalent", "Mistake"), ""
    ),
)
HELPERS = ("devices", "drawing")  # modules of the judge that are written like checks
# What checks call an answer, or what it has made.
MADE = ("answer", "model", "made", "sampler", "network", "diffusion", "layer")
HIDDEN = ("__init__", "render")  # `render` is for autograder.judge.pictures, which checks call


def handbook(root: Path) -> str:
    """The text of docs/authoring.md. Raises InputError for a method without docstring."""
    examples = list(_lines_of_checks(root))
    blocks = [_HEAD]
    for part in PARTS:
        tree = ast.parse((root / "autograder" / part.module).read_text(encoding="utf-8"))
        found = [
            item for item in tree.body if isinstance(item, ast.ClassDef | ast.FunctionDef) and item.name in part.names
        ]
        blocks.append(f"\n## {part.title}\n")
        for item in found:
            blocks += _described(item, part, examples)
    blocks.append(_toys(root))
    return "".join(blocks)


def _described(item: ast.ClassDef | ast.FunctionDef, part: Part, examples: list[tuple[str, ast.stmt]]) -> Iterator[str]:
    if isinstance(item, ast.FunctionDef):
        called = part.called or f"@{item.name}"
        yield _entry(called if item.name == "equivalent" else f"{called}({_arguments(item, skip=0)})", item, "")
        return
    if item.name != "Mistake":
        yield f"\n{_prose(item)}\n"
    for method in item.body:
        if not isinstance(method, ast.FunctionDef) or method.name in HIDDEN:
            continue
        if method.name.startswith("_") and method.name != "__call__":
            continue
        kinds = {ast.unparse(decorator) for decorator in method.decorator_list}
        if "overload" in kinds:
            continue
        name = "" if method.name == "__call__" else f".{method.name}"
        called = "@MISTAKE" if item.name == "Mistake" else part.called
        arguments = "" if kinds & {"property"} or item.name == "Mistake" else f"({_arguments(method, skip=1)})"
        example = "" if item.name == "Mistake" else _example(part, method.name, examples) or None
        yield _entry(f"{called}{name}{arguments}", method, example)


def _entry(signature: str, item: ast.FunctionDef, example: str | None) -> str:
    code = f"\n```python\n{example}\n```\n" if example else ""
    if example is None:
        code = "\nThe judge uses it itself, and no check has had to so far.\n"
    return f"\n### `{signature}`\n\n{_prose(item)}\n{code}"


def _arguments(item: ast.FunctionDef, skip: int) -> str:
    """The arguments of a function without their types, nor the first `skip`."""
    arguments = ast.parse(ast.unparse(item)).body[0].args  # type: ignore[attr-defined]  # it is the function again
    for argument in [*arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if argument is not None:
            argument.annotation = None
    arguments.args = arguments.args[skip:]
    return ast.unparse(arguments).replace("torch.", "")


def _prose(item: ast.ClassDef | ast.FunctionDef) -> str:
    """A docstring as Markdown, one sentence a line."""
    text = ast.get_docstring(item)
    if not text:
        raise InputError(f"autograder/judge: {item.name} has no docstring, and so no place in {PAGE}; write one")
    paragraphs = [" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n")]
    return "\n\n".join(paragraph.replace(". ", ".\n") for paragraph in paragraphs)


def _example(part: Part, name: str, examples: list[tuple[str, ast.stmt]]) -> str:
    """The shortest line of a check that uses a method, of several the first; "" if none does."""
    written = part.called if name == "__call__" else name
    fitting = [
        line
        for line, statement in examples
        if written in line and any(_is_use(node, part, name) for node in ast.walk(statement))
    ]
    return min(fitting, key=lambda line: (len(line), line), default="")


def _is_use(node: ast.AST, part: Part, name: str) -> bool:
    if name == "__call__":
        return isinstance(node, ast.Call) and _is_named(node.func, part.called)
    if not (isinstance(node, ast.Attribute) and node.attr == name):
        return False
    root = _root(node.value)
    is_expectation = isinstance(root, ast.Call) and _is_named(root.func, "expect")
    if part.called == "draw":
        return _is_named(root, "draw")
    return is_expectation if part.called.startswith("expect") else _is_named(root, "student") or _is_made_of(root)


def _is_made_of(root: ast.AST) -> bool:
    """Whether something is called as checks call what an answer has made: a model, a sampler, an object."""
    return isinstance(root, ast.Name) and root.id in MADE


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _root(node: ast.AST) -> ast.AST:
    """What a chain of attributes and calls begins with."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _root(node.func.value)
    return _root(node.value) if isinstance(node, ast.Attribute) else node


def _lines_of_checks(root: Path) -> Iterator[tuple[str, ast.stmt]]:
    """The statements of all assignments that stand in one line, and their text."""
    checks = sorted((root / "autograder" / "assignments").glob("*/*.py"))
    for path in (*checks, *(root / "autograder" / "judge" / f"{name}.py" for name in HELPERS)):
        text = path.read_text(encoding="utf-8")
        lines = text.encode().split(b"\n")  # columns are bytes
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Expr | ast.Assign | ast.Return | ast.AugAssign):
                continue
            if node.lineno == node.end_lineno:
                line = lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode()
                if len(line) <= MOST_CHARACTERS:
                    yield line, node


def _toys(root: Path) -> str:
    """The toys, which a check hands over as arguments: what each is, in the first sentence of its docstring."""
    lines = [
        "\n## Toys\n\nA check hands a toy over as an argument, and reads off it afterwards what it was asked.\n"
        "It stays with the judge: a stand-in takes its place in the student's process.\n\n"
        "| toy | what it is |\n|---|---|\n"
    ]
    for name in ("toys", "players", "flows"):
        tree = ast.parse((root / "fixmelab" / "judged" / f"{name}.py").read_text(encoding="utf-8"))
        for item in tree.body:
            if isinstance(item, ast.ClassDef) and (text := ast.get_docstring(item)) and not item.name.startswith("_"):
                sentence = " ".join(text.split("\n\n")[0].split()).partition(". ")[0].removesuffix(".")
                lines.append(f"| `{item.name}` | {sentence.replace('|', chr(92) + '|')}. |\n")
    return "".join(lines)
