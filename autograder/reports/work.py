"""What a report shows of a student's executed notebook: plots and written answers, and where they stand."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from autograder import cells
from autograder.regions import text_in
from autograder.reports.pictures import MOST_PIXELS, Picture, png_size, taken_out
from autograder.results.text import one_line, plain_text

MOST_PLOT_BYTES = 2**20
MOST_ENCODED = 2 * MOST_PLOT_BYTES  # characters, line ends among them
MOST_PLOTS = 24
MOST_ANSWER_CHARACTERS = 20_000

_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*|\Z)", re.M | re.S)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.M)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*{1,3}|`)(?=\S)(.+?)(?<=\S)\1")


@dataclass(frozen=True)
class SourceCell:
    """What a report knows of a cell of the assignment: the heading above it and the exercises written in it."""

    heading: str
    exercises: tuple[str, ...]
    is_tests: bool


@dataclass(frozen=True)
class Plot:
    """A picture from a cell's outputs, `data` being base64 of a PNG file. Sizes in pixels."""

    data: str
    width: int
    height: int
    caption: str


@dataclass(frozen=True)
class Plots:
    """Plots in the notebook's order; how many more are over the limits, and how many outputs are no sound PNG."""

    shown: list[Plot]
    over_limit: int
    damaged: int


@dataclass(frozen=True)
class WrittenAnswer:
    """Markdown source of one written answer; None where the student wrote nothing. In the text, "[picture 1]" stands
    for the first of `pictures`."""

    exercise: str
    points: float
    heading: str
    text: str | None
    pictures: list[Picture]


def headings(markdown: str) -> list[str]:
    """Headings in Markdown as plain lines, without those of mark schemes and code blocks."""
    found = _HEADING.findall(_FENCE.sub("", text_in(markdown, "")))
    return [one_line(_EMPHASIS.sub(r"\2", _LINK.sub(r"\1", heading)), 120) for heading in found]


def title(source: NotebookNode) -> str | None:
    """First heading of the assignment."""
    found = (heading for cell in source.cells if cell.cell_type == "markdown" for heading in headings(cell.source))
    return next(found, None)


@dataclass(frozen=True)
class Outline:
    """What reports need to know of an assignment's source, found out once for a class.

    `cells` are its cells by nbgrader's id, `headings` the heading above each exercise by the exercise's name, `answers`
    the cells that belong to the student by id, and `written` those of them that a person grades, in order.
    """

    title: str | None
    cells: dict[str, SourceCell]
    headings: dict[str, str]
    answers: dict[str, NotebookNode]
    written: list[NotebookNode]


def outline(source: NotebookNode) -> Outline:
    """The outline of a source; a student's notebook has no say in it."""
    known = _source_cells(source)
    graded = [
        cell for cell in source.cells if cells.grade_id(cell) and (cells.is_tests(cell) or cells.is_written(cell))
    ]
    return Outline(
        title=title(source),
        cells=known,
        headings={cells.exercise_name(cell): known[cells.grade_id(cell)].heading for cell in graded},
        answers={cells.grade_id(cell): cell for cell in source.cells if cells.grade_id(cell) and cells.is_answer(cell)},
        written=[cell for cell in source.cells if cells.is_written(cell)],
    )


def _source_cells(source: NotebookNode) -> dict[str, SourceCell]:
    found = {}
    heading = ""
    for cell in source.cells:
        if cell.cell_type == "markdown" and not cells.is_answer(cell):
            heading = (headings(cell.source) or [heading])[-1]
        found[cells.grade_id(cell)] = SourceCell(heading, tuple(cells.anchors(cell)), cells.is_tests(cell))
    found.pop("", None)
    return found


def plots(notebook: NotebookNode, source: Outline, most_bytes: int) -> Plots:
    """PNG outputs of a student's notebook. Those of test cells are left out: they are not the student's."""
    known = source.cells
    source_cell = SourceCell("", (), False)
    shown: list[Plot] = []
    over_limit = damaged = used = 0
    for cell in notebook.cells:
        is_added = cells.grade_id(cell) not in known
        source_cell = known.get(cells.grade_id(cell), source_cell)
        if cell.cell_type != "code" or (source_cell.is_tests and not is_added):
            continue
        for encoded in _png_outputs(cell):
            if isinstance(encoded, str) and len(encoded) > MOST_ENCODED:
                over_limit += 1
                continue
            picture = decode_png(encoded)
            if picture is None:
                damaged += 1
                continue
            data, width, height = picture
            too_large = len(data) > MOST_PLOT_BYTES or width * height > MOST_PIXELS
            if too_large or len(shown) == MOST_PLOTS or used + len(data) > most_bytes:
                over_limit += 1
                continue
            used += len(data)
            shown.append(Plot(base64.b64encode(data).decode(), width, height, _caption(source_cell, is_added)))
    return Plots(shown, over_limit, damaged)


def written_answers(notebook: NotebookNode, source: Outline, most_bytes: int = 8 * 2**20) -> list[WrittenAnswer]:
    """The student's text for each written exercise of the assignment, in its order; pictures in it take `most_bytes`
    together at most."""
    written = {cells.grade_id(cell): cell for cell in notebook.cells if cells.is_written(cell)}
    answers, left = [], most_bytes
    for cell in source.written:
        name = cells.exercise_name(cell)
        own = written.get(name, {})
        text, pictures = taken_out(own.get("source", ""), own.get("attachments"), _numbered, left)
        left -= sum(len(picture.data) for picture in pictures)
        text = plain_text(text, MOST_ANSWER_CHARACTERS).strip()
        shown = text if text and text != cell.source.strip() else None
        answers.append(WrittenAnswer(name, cells.points(cell), source.headings[name], shown, pictures))
    return answers


def _numbered(number: int) -> str:
    return f"[picture {number}]"


def decode_png(encoded: Any) -> tuple[bytes, int, int] | None:
    """Bytes, width and height of a base64-encoded PNG file; None where it is not one."""
    if not isinstance(encoded, str):
        return None
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    size = png_size(data)
    return (data, *size) if size else None


def _png_outputs(cell: NotebookNode) -> list[Any]:
    outputs = (output.get("data") for output in cell.get("outputs", []))
    return [data["image/png"] for data in outputs if isinstance(data, dict) and "image/png" in data]


def _caption(cell: SourceCell, is_added: bool) -> str:
    if is_added:
        return f"{cell.heading} (added cell)".strip()
    return " · ".join(filter(None, [", ".join(cell.exercises), cell.heading]))
