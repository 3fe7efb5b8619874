"""What all steps of a restoration share: the cells of both sides, what has become of each, and the notes."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

from nbformat import NotebookNode

from fixmelab import cells
from fixmelab.restoring.sides import SourceCell, StudentCell

How = Literal["id", "anchor", "name", "similarity", "source"]
CONFIDENCE: dict[How, float] = {"id": 1.0, "anchor": 1.0, "name": 0.9}

NOTHING = "no answer was found; the empty cell was put in"
KINDS = {"code": "code", "markdown": "Markdown", "raw": "raw"}


@dataclass(frozen=True)
class Repair:
    """One thing that restoring the notebook had to mend. `confidence` lies in [0, 1]."""

    exercise: str | None
    how: How
    confidence: float
    what: str


@dataclass
class Answer:
    """What stands in an answer cell. Without cells it is the stub."""

    cells: list[StudentCell] = field(default_factory=list)
    text: str = ""


class State:
    """The state of one restoration.

    Each cell of the submission ends in exactly one way: as the answer that it gives, as the locked cell that it is,
    dropped as a copy of either, or kept as an addition of the student's.
    """

    def __init__(self, originals: list[SourceCell], student: list[StudentCell], assignment: str) -> None:
        self.originals = originals
        self.student = student
        self.assignment = assignment
        self.repairs: list[Repair] = []
        self.locked = [original for original in originals if not original.is_answer]
        self.locked_texts: dict[str, list[SourceCell]] = defaultdict(list)
        for original in self.locked:
            for form in dict.fromkeys(original.forms):
                if form:
                    self.locked_texts[form].append(original)
        # By index of the source's cell: its answer, outputs that stay, code that the student added to a locked cell
        # and that cell's number, and how sure it is that the cell was found.
        self.answers = {original.index: Answer() for original in originals if original.is_answer}
        self.outputs: dict[int, NotebookNode] = {}
        self.rescued: dict[int, tuple[str, int]] = {}
        self.certainty: dict[int, float] = {}
        # By index of the student's cell: the index of the source's cell that it fills, and which are dropped.
        self.original_of: dict[int, int] = {}
        self.dropped: set[int] = set()

    def note(self, exercise: str, how: How, confidence: float, what: str) -> None:
        """Remember a repair; `exercise` is empty if it concerns none."""
        name = f"{self.assignment}.{exercise}" if self.assignment and exercise else exercise
        self.repairs.append(Repair(exercise=name or None, how=how, confidence=round(confidence, 3), what=what))

    def note_damage(self, original: SourceCell, cell: StudentCell, how: How, certainty: float) -> None:
        """Remember what is wrong with the cell in which an answer was found."""
        if cell.kind != original.kind:
            self.note(original.exercise, how, certainty, f"the answer was found in a {KINDS[cell.kind]} cell")
        if original.has_other_metadata(cell):
            what = "points or flags in the metadata were changed; the source's stand"
            self.note(original.exercise, "source", 1.0, what)

    def keep_outputs(self, original: SourceCell, found: list[StudentCell]) -> None:
        """Keep what the student's last run shows if grading does not run the cell."""
        shown = [cell.cell for cell in found if cell.cell.get("outputs")]
        if shown and not cells.is_executed_in_grading(original.cell):
            self.outputs[original.index] = shown[-1]

    def is_used(self, cell: StudentCell) -> bool:
        return cell.index in self.original_of or cell.index in self.dropped


def on_copies(original: SourceCell, cell: StudentCell, copies: list[StudentCell]) -> str:
    """A line on which of several copies was taken."""
    if all(other.plain == cell.plain for other in copies):
        which = "they are the same"
    elif all(other.plain == cell.plain or original.is_open(other) for other in copies):
        which = "the edited one was taken"
    else:
        which = "the last edited one was taken"
    return f"{len(copies) + 1} copies of this cell; {which}"
