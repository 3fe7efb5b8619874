"""Asserts in lines that fit a notebook's cell: students should read a test without scrolling sideways."""

import ast
import functools
import re
from collections.abc import Iterator

WIDTH = 90
_LITERAL = re.compile(r"""(?P<prefix>[fF]?)(?P<quote>["'])(?P<text>[^\n]*)(?P=quote)""")
_WORD = re.compile(r"\S+\s*|\s+")
_FIELD_OR_WORD = re.compile(r"(?:[^\s{}]|\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\})+\s*|\s+")


@functools.lru_cache(maxsize=512)
def folded(source: str) -> str:
    """A test cell whose asserts with long lines have their message in lines of its own, as Python joins them.

    An assert stays as it is if its condition is too long, or its message is not one literal.
    """
    lines = source.split("\n")
    try:
        asserts = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    except SyntaxError:
        return source
    for node in sorted(asserts, key=lambda node: node.lineno, reverse=True):
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        if all(len(line) <= WIDTH for line in lines[first:last]) or lines[first][: node.col_offset].strip():
            continue
        written = _written(source, node)
        if written is not None and lines[last - 1].encode()[node.end_col_offset or 0 :].strip() == b"":
            lines[first:last] = written
    return "\n".join(lines)


def _written(source: str, node: ast.Assert) -> list[str] | None:
    """The lines of an assert, its message folded; None if it cannot be."""
    indent = " " * node.col_offset
    test = ast.get_source_segment(source, node.test)
    message = ast.get_source_segment(source, node.msg) if node.msg is not None else None
    literal = _LITERAL.fullmatch(message or "")
    if test is None or literal is None or literal["quote"] in literal["text"].replace("\\" + literal["quote"], ""):
        return None
    if (node.test.end_lineno != node.test.lineno) and node.lineno != node.test.lineno:
        return None  # the condition stands in brackets of its own
    room = WIDTH - len(indent) - 4 - len(literal["prefix"]) - 2
    parts = list(_parts(literal["text"], room, _FIELD_OR_WORD if literal["prefix"] else _WORD))
    if "".join(parts) != literal["text"] or len(f"{indent}assert {test}, (".split("\n")[0]) > WIDTH:
        return None
    quoted = [f"{indent}    {literal['prefix']}{literal['quote']}{part}{literal['quote']}" for part in parts]
    return [*f"{indent}assert {test}, (".split("\n"), *quoted, f"{indent})"]


def _parts(text: str, room: int, word: re.Pattern[str]) -> Iterator[str]:
    part = ""
    for found in word.findall(text):
        if part and len(part) + len(found) > room:
            yield part
            part = ""
        part += found
    yield part
