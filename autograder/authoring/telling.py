"""Which lines of code, sentences and numbers give something away when they stand in another text.

Not every line does: `import torch` says nothing. A line of code does if it has 12 characters or more and
- computes something: holds a binary operator, such as `mu + sigma * eps`, or a slice, such as `z[:, i]`; or
- puts five or more names and numbers together, such as `self.mean = nn.Linear(256, latent_dim)`.
Imports, decorators, docstrings and the headers of blocks do not.

All text is compared without white space, comment signs and continuations, so that another layout hides nothing.
"""

import builtins
import io
import keyword
import re
import textwrap
import tokenize
from collections.abc import Iterator

LEAST_CODE, LEAST_PROSE = 12, 20  # characters, without white space
LEAST_NAMES = 5
LEAST_DIGITS = 4  # of a number that nobody writes by chance

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

_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?(?!\w)")


def squeeze(text: str) -> str:
    r"""The text without white space, `#` and `\`."""
    return re.sub(r"[\s#\\]+", "", text)


def prose(text: str) -> list[str]:
    """Lines and sentences of a text that are long enough to give something away."""
    joined = " ".join(text.split())
    parts = [*(line.strip() for line in text.split("\n")), *re.split(r"(?<=[.!?:;])\s+", joined)]
    return [part for part in dict.fromkeys(parts) if len(squeeze(part)) >= LEAST_PROSE and " " in part]


def code_lines(code: str) -> list[str]:
    """Statements of Python code, and lines of statements that span several, that give something away by the rule above.

    Comments are taken out.
    """
    lines, tokens = without_comments(code)
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


def without_comments(code: str) -> tuple[list[str], list[tokenize.TokenInfo]]:
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


def numbers_in(text: str) -> set[float]:
    """Values of the floating-point numbers that stand in a text."""
    return {float(match[0]) for match in _NUMBER.finditer(text)}


def rare_numbers(code: str) -> Iterator[tuple[float, str]]:
    """The floating-point numbers of a text that have many digits: value and literal."""
    for match in _NUMBER.finditer(code):
        digits = re.sub(r"[eE].*|\.", "", match[0]).strip("0")
        if len(digits) >= LEAST_DIGITS:
            yield float(match[0]), match[0]
