"""What the folder of an assignment declares, read from its modules without running any of them."""

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.course import NO_EXERCISE
from autograder.errors import InputError

ASSIGNMENTS = Path("autograder", "assignments")

_ANSWER = re.compile(r"(mistake|equivalent|\w+\.also)\b")


def checked_exercises(name: str, root: Path) -> list[str]:
    """Ids of an assignment's exercises, in the order of its EXERCISES, without running any of its modules.

    Raises InputError if the assignment has no folder, a module is not valid Python or does not declare the one exercise
    that its name says, or EXERCISES does not name just these modules.
    """
    folder = ASSIGNMENTS / name
    if not (root / folder).is_dir():
        raise InputError(f"notebooks/{name}.py: there is no folder {folder}; add one with the checks")
    modules = {path.stem: path for path in sorted((root / folder).glob("*.py")) if path.stem not in NO_EXERCISE}
    for stem, path in modules.items():
        tree = _parsed(path, root)
        if _declared(tree) != [f"{name}.{stem}"]:
            raise InputError(f'{folder / path.name}: write one @exercise("{name}.{stem}") above its check')
        _refuse_namesakes(tree, folder / path.name)
    for path in (root / folder).glob("*.py"):
        if path.stem in NO_EXERCISE:
            _refuse_answers(_parsed(path, root), folder / path.name)
    order = _order(root / folder / "__init__.py", root)
    if problem := sorted(set(order) ^ set(modules)):
        verb = "has no module" if problem[0] in order else "is missing"
        raise InputError(f"{folder / '__init__.py'}: {problem[0]!r} {verb}: EXERCISES names each module of an exercise")
    return [f"{name}.{stem}" for stem in order]


def _declared(tree: ast.Module) -> list[str]:
    """First arguments of the calls of `exercise` that decorate something."""
    decorators = (item for node in tree.body for item in getattr(node, "decorator_list", ()))
    return [
        str(getattr(item.args[0], "value", ""))
        for item in decorators
        if isinstance(item, ast.Call) and getattr(item.func, "id", "") == "exercise" and item.args
    ]


def refuse_other_worths(name: str, root: Path, points: Mapping[str, float]) -> None:
    """Raise InputError if the parts of an exercise are worth more or less together than the notebook gives it.

    `points` is what the notebook gives each exercise, by its name.
    """
    for exercise, most in points.items():
        path = ASSIGNMENTS / name / f"{exercise}.py"
        if not (root / path).is_file():
            continue
        for line, parts in _parts(_parsed(root / path, root)):
            try:
                total = sum(ast.literal_eval(parts).values())
            except (ValueError, AttributeError, TypeError):
                raise InputError(f'{path}:{line}: write the parts as {{"name": points, …}}, in plain numbers') from None
            if abs(total - most) > 1e-9:
                raise InputError(
                    f"{path}:{line}: its parts are worth {total:g} points together, and notebooks/{name}.py gives "
                    f"{exercise} {most:g}; make them equal"
                )


def _parts(tree: ast.Module) -> Iterator[tuple[int, ast.expr]]:
    """The argument `parts` of each `exercise` that decorates something, and its line."""
    for item in (item for node in tree.body for item in getattr(node, "decorator_list", ())):
        if isinstance(item, ast.Call) and getattr(item.func, "id", "") == "exercise":
            yield from ((item.lineno, keyword.value) for keyword in item.keywords if keyword.arg == "parts")


def _refuse_namesakes(tree: ast.Module, shown: Path) -> None:
    """Of two functions or classes of one name, Python keeps the second without a word."""
    seen: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name in seen:
                raise InputError(
                    f"{shown}:{node.lineno}: {node.name} stands at line {seen[node.name]} already, which would not "
                    "count; give one of them another name"
                )
            seen[node.name] = node.lineno


def _refuse_answers(tree: ast.Module, shown: Path) -> None:
    """Mistakes and equivalents belong to the exercise of their own module."""
    for node in tree.body:
        if kind := kind_of_answer(node):
            raise InputError(
                f"{shown}:{node.lineno}: a {kind} stands where no exercise is; move it to its exercise's module"
            )


def _order(path: Path, root: Path) -> list[str]:
    """The tuple EXERCISES of an assignment's __init__.py; empty if there is none."""
    for node in _parsed(path, root).body if path.is_file() else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXERCISES":
            return list(ast.literal_eval(node.value))
    return []


def _parsed(path: Path, root: Path) -> ast.Module:
    return _tree(path.read_text(encoding="utf-8"), path.relative_to(root))


@functools.lru_cache(maxsize=512)
def _tree(code: str, shown: Path) -> ast.Module:
    """Python parses slowly, and each module is asked for several things."""
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise InputError(f"{shown}:{error.lineno}: {error.msg}") from None


def counted_answers(name: str, root: Path) -> tuple[int, int]:
    """How many mistakes and how many equivalents the exercises of an assignment declare.

    Raises InputError if a module is not valid Python.
    """
    modules = [path for path in sorted((root / ASSIGNMENTS / name).glob("*.py")) if path.stem not in NO_EXERCISE]
    kinds = [kind_of_answer(node) for path in modules for node in _parsed(path, root).body]
    return kinds.count("mistake"), kinds.count("equivalent")


def broad_mistakes(name: str, root: Path) -> set[tuple[str, str]]:
    """The mistakes of an assignment that stand for a kind: pairs of an exercise's id and the mistake's name.

    Raises InputError if a module is not valid Python.
    """
    return {
        (f"{name}.{path.stem}", node.name)
        for path in (root / ASSIGNMENTS / name).glob("*.py")
        for node in _parsed(path, root).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and any(map(_is_broad, node.decorator_list))
    }


def _is_broad(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call) or getattr(decorator.func, "id", "") != "mistake":
        return False
    return any(keyword.arg == "broad" and getattr(keyword.value, "value", False) for keyword in decorator.keywords)


def kind_of_answer(node: ast.stmt) -> str:
    """ "mistake" or "equivalent" for a function or class that is declared as one, "" for anything else."""
    for decorator in getattr(node, "decorator_list", ()):
        if found := _ANSWER.match(ast.unparse(decorator)):
            return "equivalent" if found[1] == "equivalent" else "mistake"
    return ""
