"""The two sides of a restoration: the cells of the submission, and those of the source that they fill."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from nbformat import NotebookNode

from fixmelab import cells
from fixmelab.restoring.cell_text import (
    Names,
    Syntax,
    is_still,
    syntax_of,
    tidy,
    uniform,
    with_plain_spaces,
    without_fence,
)
from fixmelab.restoring.likeness import similarity, tokens

COPY_SIMILARITY = 0.85  # a cell that is at least so like a locked one is that one
LOCKED_METADATA = ("points", "grade", "solution", "locked")

StubOf = Callable[[NotebookNode], str]


class StudentCell:
    """A cell of the submission."""

    def __init__(self, index: int, cell: NotebookNode):
        self.index = index
        self.cell = cell
        self.kind: str = cell.cell_type
        self.text = uniform(cell.source)
        self.plain = tidy(self._unfenced)
        self.id = cells.grade_id(cell)
        self.anchors: list[str] = cells.ANCHOR.findall(self.plain)

    @cached_property
    def syntax(self) -> Syntax:
        return syntax_of(tidy(self.code))

    @property
    def names(self) -> Names:
        return self.syntax.names

    @cached_property
    def tokens(self) -> list[str]:
        return tokens(self.plain)

    @property
    def defines(self) -> frozenset[str]:
        """Names that the cell binds when it runs."""
        return self.names.all if self.kind == "code" else frozenset()

    @cached_property
    def code(self) -> str:
        """The text as code: the fence around it gone, and spaces that are none to Python."""
        return with_plain_spaces(self._unfenced)

    @property
    def has_foreign_spaces(self) -> bool:
        """Whether they had to be replaced in `code`."""
        return self.code != self._unfenced

    @property
    def _unfenced(self) -> str:
        return self.text if self.kind == "code" else without_fence(self.text)

    @cached_property
    def prose(self) -> str:
        """`plain` with the fence around it."""
        return tidy(self.text)

    @cached_property
    def is_code(self) -> bool:
        """Whether the text is Python, or at least stands in a code cell and defines something."""
        return self.syntax.open_fixmes is not None or (self.kind == "code" and bool(self.names.all))

    def as_kind(self, kind: str) -> str:
        """The text as it stands in a cell of the given kind."""
        return self.code if kind == "code" else self.text


class SourceCell:
    """A cell of the source, and how it is known again in a submission."""

    def __init__(self, index: int, cell: NotebookNode, stub: str):
        self.index = index
        self.cell = cell
        self.kind: str = cell.cell_type
        self.id = cells.grade_id(cell)
        self.is_answer = cells.is_answer(cell)
        self.is_fixme = self.is_answer and self.kind == "code"
        self.is_written = self.is_answer and not self.is_fixme  # a prediction, too, which is no exercise
        self.anchors = cells.anchors(cell)
        self.stub = stub
        self.forms = (tidy(self.stub), tidy(cell.source))
        self.expected: frozenset[str] = frozenset()  # names by which an answer is known

    @property
    def exercise(self) -> str:
        """The exercise of an answer cell, the first if it holds several; empty for a prediction."""
        if cells.is_prediction(self.cell):
            return ""
        return self.anchors[0] if self.anchors else exercise_of(self.cell) or self.id

    @cached_property
    def names(self) -> Names:
        return syntax_of(self.forms[1]).names

    @cached_property
    def tokens(self) -> tuple[list[str], list[str]]:
        return tokens(self.forms[0]), tokens(self.forms[1])

    def likeness(self, cell: StudentCell, at_least: float = 0.0) -> float:
        return max(similarity(cell.tokens, own, at_least) for own in self.tokens)

    def copied_by(self, cell: StudentCell) -> float:
        """Likeness of a cell that is this one but for small changes and binds no name of its own, or 0."""
        if cell.kind == "code" and not cell.names.all <= self.names.all:
            return 0.0
        return self.likeness(cell, COPY_SIMILARITY)

    def has_other_metadata(self, cell: StudentCell) -> bool:
        """Whether points or flags were changed in a cell that has this one's id."""
        theirs, ours = cells.nbgrader_metadata(cell.cell), cells.nbgrader_metadata(self.cell)
        return self.id == cell.id and any(theirs.get(key) != ours.get(key) for key in LOCKED_METADATA)

    def is_open(self, cell: StudentCell) -> bool:
        """Whether the student's cell, taken for this one, is not filled in."""
        is_code = self.kind == "code"
        return is_still(self.forms[0], cell.plain if is_code else cell.prose, is_code)


def as_it_is(cell: NotebookNode) -> str:
    """The text of a cell of the release, which students get as it is."""
    text: str = cell.source
    return text


def originals_of(source: NotebookNode, stub_of: StubOf = as_it_is) -> list[SourceCell]:
    """The source's cells. An answer is known by its exercises, and by names that no other cell defines.

    `stub_of` gives the text of a cell as students get it.
    """
    originals = [SourceCell(index, cell, stub_of(cell)) for index, cell in enumerate(source.cells)]
    for original in originals:
        if original.is_fixme:
            names = frozenset(original.anchors) | (original.names.functions or original.names.others)
            original.expected = names - names_of(originals, but=original)
    return originals


def names_of(originals: Iterable[SourceCell], but: SourceCell | None = None) -> frozenset[str]:
    """Names that the code cells among `originals` bind."""
    return frozenset().union(
        *(original.names.all for original in originals if original.kind == "code" and original is not but)
    )


def exercise_of(cell: Any) -> str:
    """Name of the exercise that a test, written or question cell belongs to; empty for another cell."""
    if cells.is_tests(cell) or cells.is_written(cell):
        return cells.exercise_name(cell)
    name = cells.grade_id(cell)
    is_question = name.startswith(cells.QUESTION_PREFIX) and not cells.is_answer(cell)
    return name.removeprefix(cells.QUESTION_PREFIX) if is_question else ""
