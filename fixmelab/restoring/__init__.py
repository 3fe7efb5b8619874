"""Restores a submission: locked cells from the source, answers from the student, and a note of all that was mended."""

from collections.abc import Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from fixmelab.restoring.answers import claims_of, find_answers
from fixmelab.restoring.assembly import assembled, note_order, places_of_additions
from fixmelab.restoring.belonging import OtherNotebookError, require_assignment
from fixmelab.restoring.locked import find_locked
from fixmelab.restoring.sides import StubOf, StudentCell, as_it_is, originals_of
from fixmelab.restoring.state import Repair, State
from fixmelab.restoring.written import gather_written, join_written

__all__ = ["OtherNotebookError", "Repair", "Restored", "restore"]


@dataclass(frozen=True)
class Restored:
    """The notebook to execute, and what had to be mended to get it.

    `numbers` holds the cells that are the student's own or came out of one: for the index of each, which cell it was
    in the submission, counted from 1. `places` says which cell of the source a cell of the submission was found to be,
    both by index.
    """

    notebook: NotebookNode
    repairs: list[Repair]
    numbers: dict[int, int]
    places: dict[int, int]


def restore(
    source: NotebookNode,
    submission: NotebookNode,
    *,
    assignment: str = "",
    where: str = "the notebook",
    others: Mapping[str, NotebookNode] | None = None,
    stub_of: StubOf = as_it_is,
) -> Restored:
    """Return the source's notebook with the student's answers in it.

    The cells are the source's, in its order. FIXME and written cells hold the student's text; cells tagged
    `train` or `keep` hold the student's outputs. Cells that the student added stay behind the source's cell that
    they followed. The arguments are not changed.

    `source` may be the release as well; `stub_of` gives the text of one of its cells as students get it.

    Raises OtherNotebookError, which names `where`, if the submission is of another assignment: none of the source's
    exercises is in it, or fewer than half and more of one of `others` (sources by name of assignment).
    """
    originals = originals_of(source, stub_of)
    student = [StudentCell(index, cell) for index, cell in enumerate(submission.cells)]
    require_assignment(originals, student, assignment, where, others or {}, stub_of)
    state = State(originals, student, assignment)
    claims = claims_of(state)
    find_answers(state, claims)
    join_written(state, claims)
    find_locked(state)
    note_order(state)
    after = places_of_additions(state)
    gather_written(state, after)
    notebook, numbers = assembled(state, source, after)
    return Restored(notebook, state.repairs, numbers, state.original_of)
