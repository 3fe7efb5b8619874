"""The code of a notebook's cell as Python: IPython's magics, shell commands and questions by IPython's own rules.

Lines keep their numbers, so that an error can be shown where it stands.
"""

import ast
import functools
import re
import warnings
from typing import Any

# Their body is another language, goes elsewhere, or is not to run; of every other cell magic, the body is Python.
OTHER_LANGUAGES = frozenset(
    ("!", "HTML", "R", "SVG", "bash", "bigquery", "cmd", "cython", "file", "html", "javascript", "js", "julia", "latex")
    + ("markdown", "perl", "pypy", "python", "python2", "python3", "ruby", "script", "sh", "shell", "skip", "sql")
    + ("svg", "sx", "system", "writefile")
)
# IPython reads a cell again for each command in it: where that would take long, lines are read one by one.
MOST_WORK = 1_000

_CELL_MAGIC = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*%%(\w+|!)(?!\w*\?)[^\n]*)")
_MOST_MAGICS = 10  # above one cell
_TIMED = re.compile(
    r"^([ \t]*(?:[\w.,][\w., \t]*=[ \t]*)?)%(?:time|timeit|prun|memit)[ \t]+(?:-[nrp][ \t]*\d+[ \t]+|-\S+[ \t]+)*",
    re.MULTILINE,
)
_BEHIND_A_COLON = re.compile(
    r"^([ \t]*(?:if|elif|else|try|except|finally|for|while|with)\b[^\n]*?:)[ \t]*!([^\n]*)$", re.MULTILINE
)
_COMMAND = re.compile(r"^[ \t]*[%!?]|\?[ \t]*$|=[ \t]*[%!]", re.MULTILINE)
# Not \s, which would read all blank lines below from each of them.
_PROMPT = re.compile(r"^[^\S\n]*(?:>>>|\.\.\.|In \[|\[(?:nav|ins)\])", re.MULTILINE)
# What IPython may read in a text that is no Python, beside prompts, or put in order; it leaves any other as it is.
_OF_IPYTHON = re.compile(r"[%!?\r\v\f\x1c-\x1e\x85\u2028\u2029]|^[ \t]*[,;/]|\A\s|^[ \t]+$", re.MULTILINE)
_BARE_COMMAND = re.compile(r"^([ \t]*)(?:[%!?].*|[^ \t\n].*\?[ \t]*)$", re.MULTILINE)


def without_cell_magics(text: str) -> str:
    """The cell without what only measures or hides what it does: `%%time`, `%%capture`, `%time f()`.

    A magic may stand below comments, such as the line that names the exercise. A cell in another language stays as it
    is, but that its magic comes first, where IPython looks for it.
    """
    for _ in range(_MOST_MAGICS):
        if (found := _CELL_MAGIC.match(text)) is None:
            break
        if found[2] in OTHER_LANGUAGES:
            above = text[: found.start(1)]
            return found[1].lstrip() + ("\n" + above.rstrip("\n") if above else "") + text[found.end(1) :]
        text = text[: found.start(1)] + "#" + text[found.start(1) :]
    if tree_of(text):
        return text
    text = _TIMED.sub(r"\1", text)
    return _BEHIND_A_COLON.sub(lambda found: f"{found[1]} get_ipython().system({found[2].strip()!r})", text)


def as_python(text: str) -> str:
    """The cell as IPython would run it, in Python; "" for a cell in another language.

    It may still be no Python. Commands are calls of `get_ipython()`.
    """
    text = without_cell_magics(text)
    if _CELL_MAGIC.match(text):
        return ""
    if tree_of(text) or not (_OF_IPYTHON.search(text) or _PROMPT.search(text)):
        return text
    lines = text.count("\n") + 1
    if max(1, len(_COMMAND.findall(text))) * lines > MOST_WORK:
        return _BARE_COMMAND.sub(r"\1pass", text)
    body = text.lstrip("\n")  # which IPython would drop, and every number of a line with it
    try:
        return "\n" * (len(text) - len(body)) + _transformer().transform_cell(body)
    except (SyntaxError, RecursionError, RuntimeError, ValueError):
        return _BARE_COMMAND.sub(r"\1pass", text)


def is_left_as_it_is(text: str) -> bool:
    """Whether IPython would leave the cell as it is, for sure: it is Python, begins with neither a space nor a blank
    line, and holds nothing like a prompt. Of a single line IPython may make a call."""
    is_plain = not text[:1].isspace() and not _PROMPT.search(text) and len(text.splitlines()) > 1
    return is_plain and tree_of(text) is not None


@functools.cache
def _transformer() -> Any:
    from IPython.core.inputtransformer2 import TransformerManager  # here: most notebooks need none

    return TransformerManager()


@functools.lru_cache(1)  # asked up to three times about most cells, one after the other
def tree_of(text: str) -> ast.Module | None:
    """The syntax tree of a text, the same each time; None if it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
