"""What a student must not find in the release or in the students' package.

Secrets come from the notebooks' regions (solutions, hidden tests, mark schemes) and from the modules of the
assignments (reference answers, checks, mistakes). Not every line of these is one: `import torch` gives nothing away.
A line of code is a secret when it has 12 characters or more and
- computes something: holds a binary operator, such as `mu + sigma * eps`, or a slice, such as `z[:, i]`; or
- puts five or more names and numbers together, such as `self.mean = nn.Linear(256, latent_dim)`.
Imports, decorators, docstrings and the headers of blocks are none. Where a solution has no such line, the whole of
it is one. Prose (rubrics, model answers, mistakes' sentences, checks' messages) counts by line and by sentence.
Whatever also stands in a visible part of any notebook is published already, hence no secret.

All text is compared without white space, comment signs and continuations, so that another layout hides nothing.
"""

import ast
import builtins
import io
import keyword
import re
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from autograder.errors import InputError
from autograder.regions import HIDDEN_TESTS, KINDS, MARK_SCHEME, SOLUTION, regions, visible

LEAST_CODE, LEAST_PROSE, LEAST_REGION, LEAST_MESSAGE = 12, 20, 24, 12  # characters, without white space
LEAST_NAMES = 5
LEAST_DIGITS = 4  # of a number in a check that nobody writes by chance

_OPERATORS = {"+", "-", "*", "/", "//", "%", "@", "**"}
_NOT_NAMES = {*keyword.kwlist, *dir(builtins)}
_PLAIN_STARTS = {
    *("import", "from", "@", "def", "class", "async"),
    *("for", "while", "with", "if", "elif", "else", "try", "except", "finally"),
}
_LAYOUT = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
    tokenize.ENCODING,
}
_NO_CHECK = re.compile(r"(mistake|equivalent|\w+\.also)\b")
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


def squeeze(text: str) -> str:
    r"""The text without white space, `#` and `\`."""
    return re.sub(r"[\s#\\]+", "", text)


def secrets_of(sources: Iterable[NotebookNode], assignments: Path) -> Secrets:
    """Secrets of the source notebooks and of the modules in assignments/*/.

    Raises InputError where a module is not valid Python.
    """
    published, secrets = [], Secrets()
    for cell in (cell for source in sources for cell in source.cells):
        published.append(visible(cell.source))
        for region in regions(cell.source):
            if region.kind == SOLUTION:
                secrets.add("solution", _solution(region.text))
            elif region.kind == HIDDEN_TESTS:
                secrets.add("hidden test", _hidden_tests(region.text))
            elif region.kind == MARK_SCHEME:
                secrets.add("mark scheme", prose(region.text))
    for path in sorted(assignments.glob("*/*.py")):
        if path.stem != "__init__":
            _add_module(secrets, path)
    _forget_published(secrets, "\n".join(published))
    # These words are never published, whatever the notebooks say.
    secrets.add("marker", [f"{edge} {kind}" for edge in ("BEGIN", "END") for kind in KINDS])
    secrets.add("marker", [MARK_SCHEME])
    secrets.add("reference name", _PACKAGE)
    return secrets


def _forget_published(secrets: Secrets, text: str) -> None:
    squeezed, words = squeeze(text), set(re.findall(r"\w+", text))
    secrets.lines = {line: secret for line, secret in secrets.lines.items() if line not in squeezed}
    secrets.names = {name: secret for name, secret in secrets.names.items() if name not in words}
    numbers = numbers_in(text)
    secrets.numbers = {value: secret for value, secret in secrets.numbers.items() if value not in numbers}


def _solution(code: str) -> list[str]:
    found = code_lines(code)
    whole = "\n".join(_without_comments(code)[0])
    return found if found or len(squeeze(whole)) < LEAST_REGION else [whole]


def _hidden_tests(code: str) -> list[str]:
    lines = (line.strip() for line in code.split("\n"))
    return [
        line for line in lines if len(squeeze(line)) >= LEAST_CODE and not line.startswith(("import ", "from ", "#"))
    ]


def _add_module(secrets: Secrets, path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise InputError(f"{'/'.join(path.parts[-4:])}:{error.lineno}: {error.msg}") from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _is_own(node.name):
            secrets.names.setdefault(node.name, Secret("reference name", node.name))
    if path.stem == "reference":
        secrets.add("reference", code_lines(code))
        return
    check, answers = _check_and_answers(code, tree)
    secrets.add("check", code_lines(check))
    secrets.add("check message", (text for text in _strings(ast.parse(check)) if _is_message(text)))
    for value, literal in _numbers(check):
        secrets.numbers.setdefault(value, Secret("check number", literal))
    secrets.add("mistake", code_lines(answers))
    secrets.add("mistake sentence", (part for text in _strings(ast.parse(answers)) for part in prose(text)))


def _check_and_answers(code: str, tree: ast.Module) -> tuple[str, str]:
    """The code of an exercise's module, taken apart: the check and its helpers; mistakes and equivalents."""
    lines, answers = code.split("\n"), []
    for node in reversed(tree.body):
        decorators = getattr(node, "decorator_list", [])
        if any(_NO_CHECK.match(ast.unparse(item)) for item in decorators):
            first, last = decorators[0].lineno - 1, node.end_lineno
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


def prose(text: str) -> list[str]:
    """Lines and sentences of a text that are long enough to be secrets."""
    joined = " ".join(text.split())
    parts = [*(line.strip() for line in text.split("\n")), *re.split(r"(?<=[.!?:;])\s+", joined)]
    return [part for part in dict.fromkeys(parts) if len(squeeze(part)) >= LEAST_PROSE and " " in part]


def code_lines(code: str) -> list[str]:
    """Statements of Python code, and lines of statements that span several, that are secrets by the rule above.

    Comments are taken out.
    """
    lines, tokens = _without_comments(code)
    if not tokens:
        return [line.strip() for line in lines if len(squeeze(line)) >= LEAST_CODE]
    found = []
    for statement in _statements(tokens):
        if statement[0].string in _PLAIN_STARTS:
            continue
        first, last = statement[0].start[0], statement[-1].end[0]
        if _gives_away(statement):
            whole = "\n".join(lines[first - 1 : last]).strip()
            found += [whole, whole.removeprefix("return ")]  # the value may be copied without the word
        for row in range(first, last + 1) if last > first else ():
            if _gives_away([token for token in statement if token.start[0] == row]):
                found.append(lines[row - 1])
    return [text.strip() for text in dict.fromkeys(found) if len(squeeze(text)) >= LEAST_CODE]


def _without_comments(code: str) -> tuple[list[str], list[tokenize.TokenInfo]]:
    """Lines of the code without comments, and its tokens; as they are, and none, where a magic command stands."""
    code = textwrap.dedent(code)
    lines = code.split("\n")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return lines, []
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return lines, tokens


def _statements(tokens: list[tokenize.TokenInfo]) -> Iterator[list[tokenize.TokenInfo]]:
    """Tokens of each logical line, without layout; docstrings and other lone strings are left out."""
    statement: list[tokenize.TokenInfo] = []
    for token in tokens:
        if token.type not in _LAYOUT:
            statement.append(token)
        elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            if any(part.type != tokenize.STRING for part in statement):
                yield statement
            statement = []


def _gives_away(tokens: list[tokenize.TokenInfo]) -> bool:
    names = {
        token.string
        for token in tokens
        if token.type == tokenize.NUMBER or (token.type == tokenize.NAME and token.string not in _NOT_NAMES)
    }
    return len(names) >= LEAST_NAMES or any(
        (after.string in _OPERATORS and _is_operand(before)) or (after.string == ":" and before.string in ("[", ","))
        for before, after in zip(tokens, tokens[1:], strict=False)
    )


def _is_operand(token: tokenize.TokenInfo) -> bool:
    """Whether an operator that follows is binary; it is a sign, or a star of arguments, after anything else."""
    if token.type == tokenize.NAME:
        return not keyword.iskeyword(token.string)
    return token.type == tokenize.NUMBER or token.string in (")", "]")


_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?(?!\w)")


def numbers_in(text: str) -> set[float]:
    """Values of the floating-point numbers that stand in a text."""
    return {float(match[0]) for match in _NUMBER.finditer(text)}


def _numbers(code: str) -> Iterator[tuple[float, str]]:
    for match in _NUMBER.finditer(code):
        digits = re.sub(r"[eE].*|\.", "", match[0]).strip("0")
        if len(digits) >= LEAST_DIGITS:
            yield float(match[0]), match[0]
