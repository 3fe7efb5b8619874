"""What students wrote and drew, made safe for formgrader: its pages run whatever HTML a notebook holds.

A person who grades is logged in to the server that shows the page, and some of its addresses do things when they are
merely fetched; so neither markup nor links nor pictures from elsewhere are left. Nor are headings: formgrader looks
for a cell's box for points by an id on its page, and each heading would bring an id of the student's choice. Text,
formulas, code and the pictures that the notebook itself holds are left.
"""

import base64
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from nbformat import NotebookNode, from_dict

from autograder.reports.work import MOST_PIXELS, decode_png
from autograder.results.text import plain_text

MOST_CHARACTERS = 100_000  # of one output or one answer
MOST_PICTURE_BYTES = 8 * 2**20
JPEG_SIGNATURE = b"\xff\xd8\xff"

# Tags, links and their definitions, bare addresses, and what MathJax would make links and ids of.
_ACTIVE = re.compile(
    r"<(?=[A-Za-z/!?]|[^\s<>]+@)|\](?=[(:])|https?:(?=//)|&(?=[#A-Za-z])"
    r"|\\(?=(?:href|cssId|class|style|mmlToken|require)(?![A-Za-z]))",
    re.IGNORECASE,
)
# At the beginning of a line, to which quotes and lists add marks of theirs, but no letters.
_HEADING = re.compile(r"^([ \t\d>*+\-.:)]*)(#.*)$", re.MULTILINE)
_UNDERLINE = re.compile(r"\n([ \t>]*)(?=[=-]+[ \t]*$)", re.MULTILINE)
_ATTACHED = re.compile(r"(?<!\\)(!\[[^\[\]\n]*\])\(attachment:([^()\s\"'<>:/]+)\)")


# What may open a formula. nbconvert looks for the end of each through all that follows.
_OPENER = re.compile(r"\\begin(?=\{)|\\\\(?=[(\[])")
_MOST_OPENERS = 200


def markdown(text: str, attached: Mapping[str, str] = MappingProxyType({})) -> str:
    """Markdown in which nothing is HTML, a link or a heading: a space or a backslash parts what would make it one.

    Pictures among the cell's own attachments are still shown: `attached` are their names there and here.
    """
    text = plain_text(text, MOST_CHARACTERS)
    shown, at = [], 0
    for match in _ATTACHED.finditer(text):
        if name := attached.get(match[2]) or attached.get(unquote(match[2])):
            shown += [_defused(text[at : match.start()]), f"{_defused(match[1])}(attachment:{name})"]
            at = match.end()
    return _without_headings("".join([*shown, _defused(text[at:])]))


def _defused(text: str) -> str:
    text = _ACTIVE.sub(r"\g<0> ", text)
    return _OPENER.sub(r"\g<0> ", text) if len(_OPENER.findall(text)) > _MOST_OPENERS else text


def _without_headings(text: str) -> str:
    """Headings as lines of text, which two spaces end. In a formula, too, where = may stand alone in its line."""
    return _UNDERLINE.sub("  \n\\1\N{NO-BREAK SPACE}", _HEADING.sub(r"\1\\\2  ", text))


def attachments(cell: NotebookNode) -> dict[str, dict[str, str]]:
    """The PNG and JPEG pictures attached to a Markdown cell, by name, that are what they say."""
    found = {}
    for name, bundle in (cell.get("attachments") or {}).items():
        if isinstance(bundle, dict) and (picture := _picture(bundle)):
            found[str(name)] = picture
    return found


def _picture(bundle: dict) -> dict[str, str] | None:
    encoded = bundle.get("image/png")
    if encoded is not None and (png := decode_png(encoded)) is not None:
        data, width, height = png
        if len(data) <= MOST_PICTURE_BYTES and width * height <= MOST_PIXELS:
            return {"image/png": base64.b64encode(data).decode()}
    encoded = bundle.get("image/jpeg")
    if isinstance(encoded, str):
        try:
            data = base64.b64decode("".join(encoded.split()), validate=True)
        except ValueError:
            return None
        if data.startswith(JPEG_SIGNATURE) and len(data) <= MOST_PICTURE_BYTES:
            return {"image/jpeg": base64.b64encode(data).decode()}
    return None


def outputs(cell: NotebookNode) -> list[NotebookNode]:
    """The outputs of a code cell as text and pictures, whatever else they came with."""
    return [safe for output in cell.get("outputs", []) if (safe := _output(output)) is not None]


def _output(output: Any) -> NotebookNode | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _new("stream", name=name, text=_text(output.get("text")))
    if kind == "error":
        lines = output.get("traceback")
        lines = lines if isinstance(lines, list) else []
        name, value = _text(output.get("ename")), _text(output.get("evalue"))
        return _new("error", ename=name, evalue=value, traceback=_text("\n".join(map(str, lines))).split("\n"))
    data = output.get("data")
    if not isinstance(data, dict):
        return None
    shown: dict[str, str] = dict(_picture(data) or {})
    if not shown and any(str(key).startswith("image/") for key in data):
        shown["text/plain"] = "[a picture that cannot be shown here]"
    elif "text/plain" in data:
        shown["text/plain"] = _text(data["text/plain"])
    elif not shown:
        shown["text/plain"] = "[an output without text is left out]"
    # Not as an execute_result: nbgrader would read points out of one below a test cell.
    return _new("display_data", data=shown, metadata={})


def _new(kind: str, **content: Any) -> NotebookNode:
    return from_dict({"output_type": kind, **content})


def _text(value: Any) -> str:
    value = "".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)
    return plain_text(value, MOST_CHARACTERS)
