"""Wrong answers that are no known mistake, put together by what they have in common, the largest group first: each may
be a mistake that nobody has written down yet."""

import ast
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from autograder.judge.verdict import Verdict
from autograder.reports.likeness import form_of
from autograder.results.model import ExerciseResult, RunResult
from fixmelab.restoring.cell_text import parsed

MOST_GROUPS = 40
MOST_FORMS = 4  # of the code of a group, side by side
NAME = "name_of_the_mistake"
SENTENCE = "Say in one sentence what is wrong, and what to do."

_NUMBERS = re.compile(r"0x[0-9a-f…]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)


@dataclass
class Form:
    """Code that several students have in common, but for names, comments and formatting: as the first wrote it."""

    code: str
    students: list[str] = field(default_factory=list)


@dataclass
class Group:
    """Wrong answers to one exercise that give the same numbers, or if those were not asked for got the same message but
    for the numbers in it. `forms` are their code, the most frequent first; `mistake` is a skeleton to write down."""

    exercise: str
    verdict: Verdict
    message: str
    students: list[str] = field(default_factory=list)
    same_numbers: bool = False
    forms: list[Form] = field(default_factory=list)
    mistake: str = ""


def unknown_groups(
    run: RunResult,
    code_of: Callable[[str], Mapping[str, str]],
    numbers: Mapping[tuple[str, str], str] | None = None,
    *,
    class_of: Mapping[str, str] | None = None,
    broad: Collection[tuple[str, str]] = (),
) -> list[Group]:
    """The largest groups of wrong answers that are no known mistake, at most forty.

    Args:
        run: the results.
        code_of: the code of a student's answers by the exercise's name; it is asked once about each student.
        numbers: by student and id of the exercise, what tells whose answers give the same numbers, where it is known.
        class_of: the class that holds the method that an exercise asks for, by the exercise's name.
        broad: the mistakes that stand for a kind, by id of the exercise and name.
    """
    found: dict[tuple[str, str, str], Group] = {}
    for student in run.submissions:
        for item in (item for item in student.exercises if is_unknown(item, broad)):
            same = (numbers or {}).get((student.student, item.id))
            key = (item.id, item.verdict, same or _NUMBERS.sub("#", item.message))
            group = found.setdefault(key, Group(item.id, item.verdict, item.message, same_numbers=same is not None))
            group.students.append(student.student)
    largest = sorted(found.values(), key=lambda group: -len(group.students))[:MOST_GROUPS]
    _add_code(largest, code_of)
    for group in largest:
        name = group.exercise.partition(".")[2]
        if group.forms:
            group.mistake = skeleton(group.forms[0].code, (class_of or {}).get(name, ""))
    return largest


def is_unknown(item: ExerciseResult, broad: Collection[tuple[str, str]] = ()) -> bool:
    """Whether an answer is wrong, and no mistake that an exercise names, or one of the `broad` ones at most: these say
    which part is wrong, and not what the slip is."""
    is_wrong = item.verdict in ("fail", "error")
    return is_wrong and (item.mistake is None or (item.id, item.mistake) in broad)


def _add_code(groups: Iterable[Group], code_of: Callable[[str], Mapping[str, str]]) -> None:
    """Give each group the forms of its code. A student's answers are read once, whatever groups they are in."""
    groups = list(groups)
    forms: list[dict[int, Form]] = [{} for _ in groups]
    places: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        for student in group.students:
            places.setdefault(student, []).append(place)
    for student, where in places.items():
        codes = code_of(student)
        for place in where:
            code = codes.get(groups[place].exercise.partition(".")[2])
            if code is not None:
                forms[place].setdefault(form_of(code), Form(code)).students.append(student)
    for group, found in zip(groups, forms, strict=True):
        group.forms = sorted(found.values(), key=lambda form: -len(form.students))


def skeleton(code: str, class_name: str = "") -> str:
    """What to paste into the exercise's module for such an answer to be known: `@mistake` above its code. A method
    stands in a class derived from `class_name`.

    It is a student's code: read it before it runs anywhere.
    """
    tree = parsed(code)
    defined = [item for item in tree.body if isinstance(item, ast.FunctionDef | ast.ClassDef)] if tree else []
    if not defined:
        return f'@mistake("{SENTENCE}")\ndef {NAME}(*arguments):\n    ...  # the answer defines no function'
    answer = defined[0]
    _without_docstrings(answer)
    is_method = isinstance(answer, ast.FunctionDef) and [item.arg for item in answer.args.args][:1] == ["self"]
    if not is_method:
        answer.name = NAME
    try:
        text = ast.unparse(answer)
    except RecursionError:
        text = f"def {NAME}(*arguments):\n    ...  # the answer is nested too deeply"
    if is_method:
        indented = "\n".join(f"    {line}" for line in text.split("\n"))
        text = f"class {NAME}({class_name or 'TheClass'}):\n{indented}"
    return f'@mistake("{SENTENCE}")\n{text}'


def _without_docstrings(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
