"""What a student must not find in the release or in the students' package.

Secrets come from the notebooks' regions (solutions, hidden tests, mark schemes) and from the modules of the
assignments (reference answers, checks, mistakes). Not every line of code is one: `telling` says which are. If a
solution has no such line, the whole of it is a secret. Prose (rubrics, model answers, mistakes' sentences, checks'
messages) counts by line and by sentence.

What also stands in a visible part of a notebook is either given away there or no secret at all. A line of a solution,
of a hidden test or of a mark scheme is given away, unless it
- is short: fewer than 16 characters, such as `mu + sigma * eps`, which any formula may hold; or
- is common: it stands in three visible cells or more, where its author means it to be read.
All else that stands there, such as a line that a reference happens to share with it, is published already. What unfolds
there, such as a hint, makes nothing common and nothing published.
"""

import ast
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from autograder.authoring.declared import kind_of_answer
from autograder.authoring.finding import found_in
from autograder.authoring.telling import (
    LEAST_CODE,
    code_lines,
    numbers_in,
    prose,
    rare_numbers,
    squeeze,
    without_comments,
)
from autograder.authoring.unfolding import without_unfolding
from autograder.errors import InputError
from autograder.regions import HIDDEN_TESTS, KINDS, MARK_SCHEME, SOLUTION, regions, visible

LEAST_REGION, LEAST_MESSAGE, LEAST_GIVEN_AWAY = 24, 12, 16  # characters, without white space
COMMON = 3  # visible cells
OF_REGIONS = ("solution", "hidden test", "mark scheme")

_PACKAGE = ("autograder.assignments", "autograder/assignments", "from autograder import assignments")


@dataclass(frozen=True)
class Secret:
    """One secret as it was written, and what it is, for example "solution"."""

    kind: str
    text: str


@dataclass
class Secrets:
    """All secrets of the course: lines by their squeezed text, names, and numbers."""

    lines: dict[str, Secret] = field(default_factory=dict)
    names: dict[str, Secret] = field(default_factory=dict)
    numbers: dict[float, Secret] = field(default_factory=dict)

    def add(self, kind: str, texts: Iterable[str]) -> None:
        for text in texts:
            self.lines.setdefault(squeeze(text), Secret(kind, " ".join(text.split())))

    def add_all(self, others: "Secrets") -> None:
        for line, secret in others.lines.items():
            self.lines.setdefault(line, secret)
        for name, secret in others.names.items():
            self.names.setdefault(name, secret)
        for number, secret in others.numbers.items():
            self.numbers.setdefault(number, secret)


def secrets_of(sources: Iterable[NotebookNode], assignments: Path) -> Secrets:
    """Secrets of the source notebooks and of the modules in assignments/*/.

    Raises InputError where a module is not valid Python.
    """
    published, secrets = [], Secrets()
    for cell in (cell for source in sources for cell in source.cells):
        # A hint is published, and must give nothing away all the same.
        published.append(
            without_unfolding(visible(cell.source)) if cell.cell_type == "markdown" else visible(cell.source)
        )
        for region in regions(cell.source):
            if region.kind == SOLUTION:
                secrets.add("solution", _solution(region.text))
            elif region.kind == HIDDEN_TESTS:
                secrets.add("hidden test", _hidden_tests(region.text))
            elif region.kind == MARK_SCHEME:
                secrets.add("mark scheme", prose(region.text))
    for path in sorted(assignments.glob("*/*.py")):
        if path.stem != "__init__":
            secrets.add_all(_of_module(path.read_text(encoding="utf-8"), "/".join(path.parts[-4:])))
    _forget_published(secrets, published)
    # These words are never published, whatever the notebooks say.
    secrets.add("marker", [f"{edge} {kind}" for edge in ("BEGIN", "END") for kind in KINDS])
    secrets.add("marker", [MARK_SCHEME])
    secrets.add("reference name", _PACKAGE)
    return secrets


def _forget_published(secrets: Secrets, published: list[str]) -> None:
    text = "\n".join(published)
    squeezed, words = squeeze(text), set(re.findall(r"\w+", text))
    by_cell = [squeeze(cell) for cell in published]
    shown = found_in(squeezed, secrets.lines)

    def is_no_secret(line: str, kind: str) -> bool:
        is_short = kind not in OF_REGIONS or len(line) < LEAST_GIVEN_AWAY
        return line in shown and (is_short or sum(line in cell for cell in by_cell) >= COMMON)

    secrets.lines = {line: secret for line, secret in secrets.lines.items() if not is_no_secret(line, secret.kind)}
    secrets.names = {name: secret for name, secret in secrets.names.items() if name not in words}
    numbers = numbers_in(text)
    secrets.numbers = {value: secret for value, secret in secrets.numbers.items() if value not in numbers}


def _solution(code: str) -> list[str]:
    found = code_lines(code)
    whole = "\n".join(without_comments(code)[0])
    return found if found or len(squeeze(whole)) < LEAST_REGION else [whole]


def _hidden_tests(code: str) -> list[str]:
    lines = (line.strip() for line in code.split("\n"))
    return [
        line for line in lines if len(squeeze(line)) >= LEAST_CODE and not line.startswith(("import ", "from ", "#"))
    ]


@functools.lru_cache(maxsize=512)
def _of_module(code: str, name: str) -> Secrets:
    """Secrets of the module called `name`, a path. Taking it apart is slow, and publishing looks at it twice."""
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise InputError(f"{name}:{error.lineno}: {error.msg}") from None
    secrets = Secrets()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _is_own(node.name):
            secrets.names.setdefault(node.name, Secret("reference name", node.name))
    if name.endswith("/reference.py"):
        secrets.add("reference", code_lines(code))
        return secrets
    check, answers = _check_and_answers(code, tree)
    secrets.add("check", code_lines(check))
    secrets.add("check message", (text for text in _strings(ast.parse(check)) if _is_message(text)))
    for value, literal in rare_numbers(check):
        secrets.numbers.setdefault(value, Secret("check number", literal))
    secrets.add("mistake", code_lines(answers))
    secrets.add("mistake sentence", (part for text in _strings(ast.parse(answers)) for part in prose(text)))
    return secrets


def _check_and_answers(code: str, tree: ast.Module) -> tuple[str, str]:
    """The code of an exercise's module, taken apart: the check and its helpers; mistakes and equivalents."""
    lines = code.split("\n")
    answers: list[str] = []
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and kind_of_answer(node):
            first, last = node.decorator_list[0].lineno - 1, node.end_lineno
            answers[:0] = lines[first:last]
            del lines[first:last]
    return "\n".join(lines), "\n".join(answers)


def _is_own(name: str) -> bool:
    """Made of two words at least: a single one, such as `transposed`, is a word of any text."""
    return "_" in name.strip("_") or bool(re.search(r"[a-z][A-Z]", name))


def _is_message(text: str) -> bool:
    """A sentence or the end of one. Ids, labels and format codes are none."""
    words = text.split()
    is_sentence = text[:1].isupper() or text.rstrip().endswith((".", "!", "?"))
    return len(squeeze(text)) >= LEAST_MESSAGE and len(words) >= 3 and is_sentence


def _strings(tree: ast.AST) -> list[str]:
    """The string constants of a module but its docstrings; of an f-string the constant parts."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
