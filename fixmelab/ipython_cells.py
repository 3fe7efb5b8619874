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
    if _parses(text):
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
    if _parses(text):
        return text
    lines = text.count("\n") + 1
    if max(1, len(_COMMAND.findall(text))) * lines > MOST_WORK:
        return _BARE_COMMAND.sub(r"\1pass", text)
    body = text.lstrip("\n")  # which IPython would drop, and every number of a line with it
    try:
        return "\n" * (len(text) - len(body)) + _transformer().transform_cell(body)
    except (SyntaxError, RecursionError, RuntimeError, ValueError):
        return _BARE_COMMAND.sub(r"\1pass", text)


@functools.cache
def _transformer() -> Any:
    from IPython.core.inputtransformer2 import TransformerManager  # here: most notebooks need none

    return TransformerManager()


@functools.lru_cache(1)  # asked twice about most cells, one after the other
def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
