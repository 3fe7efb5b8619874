"""What a student is told: text that came out of a kernel, made safe to show, and hints read from the answer."""

import ast
import re
import unicodedata
from collections.abc import Mapping
from typing import TypeGuard

from autograder.results.text import with_few_marks
from autograder.sandbox.kernel import CellError
from fixmelab.restoring.cell_text import parsed

LENGTH = 500

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.?)")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_FRAME = re.compile(r"Cell In\[(\d{1,9})\], line (\d{1,9})")
_SYNTAX_FILE = re.compile(r" \([^()]*, line \d+\)$")
_FIXME = re.compile(r"FIXME: (\w+)")


def clean(text: str, length: int = LENGTH) -> str:
    """`text` without terminal escapes, control characters and memory addresses, of at most `length` characters."""
    shown = _ADDRESS.sub("0x…", _ESCAPE.sub("", text[: 20 * length]))
    shown = "".join(char if char == "\n" or unicodedata.category(char)[0] != "C" else " " for char in shown)
    shown = with_few_marks(shown).strip()
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def frames(error: CellError) -> list[tuple[int, int]]:
    """The frames of a traceback that lie in cells, outermost first: execution count and line, both from 1."""
    return [(int(count), int(line)) for count, line in _FRAME.findall(_ESCAPE.sub("", error.traceback))]


def unfilled_name(error: CellError) -> str | None:
    """The exercise whose FIXME an error comes from, if it comes from one."""
    found = _FIXME.match(error.text) if error.name == "NotImplementedError" else None
    return found.group(1) if found else None


def raised(error: CellError, place: str = "") -> str:
    """An error as `TypeName: text (place)`."""
    # IPython adds to a syntax error the name of a temporary file.
    text = _SYNTAX_FILE.sub("", clean(error.text, LENGTH - 100))
    return clean(": ".join(filter(None, (error.name[:80], text)))) + (f" ({place})" if place else "")


def not_filled(name: str) -> str:
    return f"It uses {name}, which is not filled in yet; do that first."


def variables(source: str) -> set[str]:
    """Variables that a cell sets, outside of functions and classes."""
    found = set()
    for statement in getattr(parsed(source), "body", []):
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= {node.id for node in ast.walk(statement) if _is_set(node)}
    return found


def _is_set(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def strays_to(source: str, names: set[str], given: set[str]) -> str:
    """One sentence on the first of `names`, used in an answer, that is one of the variables `given` by the notebook and
    not by the answer itself; else nothing."""
    nodes = list(ast.walk(parsed(source) or ast.Module([], [])))
    own = {node.id for node in nodes if _is_set(node)} | {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    name = min(names & given - own, default="")
    return f"It reads {name}, a variable of the notebook: all that it needs comes with its arguments." if name else ""


def leans_on(names: set[str], verdicts: Mapping[str, str]) -> str:
    """One sentence on the first exercise in `verdicts` that is among `names` and did not pass; else nothing."""
    for other, verdict in verdicts.items():
        if other in names and verdict != "pass":
            unready = f"It uses {other}, which has not passed; mend that first."
            return not_filled(other) if verdict == "missing" else unready
    return ""
