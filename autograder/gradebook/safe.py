"""What students wrote and drew, made safe for formgrader: its pages run whatever HTML a notebook holds.

A person who grades is logged in to the server that shows the page, and some of its addresses do things when they are
merely fetched; so neither markup nor links nor pictures from elsewhere are left. Nor are headings: formgrader looks
for a cell's box for points by an id on its page, and each heading would bring an id of the student's choice. Text,
formulas, code and the pictures that the notebook itself holds are left.
"""

import re
from typing import Any

from nbformat import NotebookNode, from_dict

from autograder.reports.pictures import of_bundle, taken_out
from autograder.results.text import plain_text

MOST_CHARACTERS = 100_000  # of one output or one answer

# Tags, links and their definitions, bare addresses, and what MathJax would make links and ids of.
_ACTIVE = re.compile(
    r"<(?=[A-Za-z/!?]|[^\s<>]+@)|\](?=[(:])|https?:(?=//)|&(?=[#A-Za-z])"
    r"|\\(?=(?:href|cssId|class|style|mmlToken|require)(?![A-Za-z]))",
    re.IGNORECASE,
)
# At the beginning of a line, to which quotes and lists add marks of theirs, but no letters.
_HEADING = re.compile(r"^([ \t\d>*+\-.:)]*)(#.*)$", re.MULTILINE)
_UNDERLINE = re.compile(r"\n([ \t>]*)(?=[=-]+[ \t]*$)", re.MULTILINE)
# Where a picture stands: private characters, which no text that comes in keeps.
_FRAME, _FRAMED = re.compile("[\ue000\ue001]"), re.compile("\ue000([0-9]+)\ue001")
_FENCED = re.compile(r"^(```+|~~~+)[^`\n]*\n(.*?)(?:^\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"[!-/:-@\[-`{-~]")


# What may open a formula. nbconvert looks for the end of each through all that follows.
_OPENER = re.compile(r"\\begin(?=\{)|\\\\(?=[(\[])")
_MOST_OPENERS = 200


def markdown(text: str) -> str:
    """Markdown in which nothing is active: `with_pictures`, of a text that is not a cell's and has none."""
    return with_pictures(text, None)[0]


def with_pictures(text: str, attachments: Any) -> tuple[str, dict[str, dict[str, str]]]:
    """Markdown in which nothing is HTML, a link or a heading, and the pictures in it as attachments of its cell.

    A space or a backslash parts what would be active. Fenced code is shown as it stands. Pictures, pasted into the text
    or among the cell's own `attachments`, are drawn by autograder.reports.pictures.
    """
    text, pictures = taken_out(_FRAME.sub(" ", text), attachments, lambda number: f"\ue000{number}\ue001")
    text = plain_text(text, MOST_CHARACTERS)
    parts = _FENCED.split(text)  # prose, fence, code, prose, …
    made = [_without_headings(_defused(prose)) for prose in parts[0::3]]
    codes = [_as_code(code) for code in parts[2::3]]
    whole = "".join(part for pair in zip(made, [*codes, ""], strict=True) for part in pair)
    shown = _FRAMED.sub(lambda found: f"![picture](attachment:picture-{found[1]})", whole)
    return shown, {f"picture-{number}": {one.kind: one.data} for number, one in enumerate(pictures, 1)}


def _as_code(text: str) -> str:
    """A block of code as HTML, in which every mark is an entity: whatever stands around it, it is only text."""
    return f"\n\n<pre><code>{_MARK.sub(lambda found: f'&#{ord(found[0])};', text)}</code></pre>\n\n"


def _defused(text: str) -> str:
    text = _ACTIVE.sub(r"\g<0> ", text)
    return _OPENER.sub(r"\g<0> ", text) if len(_OPENER.findall(text)) > _MOST_OPENERS else text


def _without_headings(text: str) -> str:
    """Headings as lines of text, which two spaces end. In a formula, too, where = may stand alone in its line."""
    return _UNDERLINE.sub("  \n\\1\N{NO-BREAK SPACE}", _HEADING.sub(r"\1\\\2  ", text))


def _picture(bundle: dict) -> dict[str, str] | None:
    _, picture = of_bundle(bundle)
    return {picture.kind: picture.data} if picture else None


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
