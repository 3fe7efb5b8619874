"""Refuses a submission that belongs to another assignment."""

from collections.abc import Mapping

from nbformat import NotebookNode

from fixmelab.restoring.sides import SourceCell, StubOf, StudentCell, exercise_of, originals_of


class OtherNotebookError(ValueError):
    """The notebook is of another assignment: one line says which, as far as that can be told."""


def require_assignment(
    originals: list[SourceCell],
    student: list[StudentCell],
    assignment: str,
    where: str,
    others: Mapping[str, NotebookNode],
    stub_of: StubOf,
) -> None:
    """Raise OtherNotebookError if none of the exercises is there, or fewer than half and more of one of `others`."""
    total, found = _exercises_found(originals, student)
    if total and 2 * found >= total:
        return
    counts = {
        name: _exercises_found(originals_of(other, stub_of), student)[1]
        for name, other in others.items()
        if name != assignment
    }
    most = max(sorted(counts), key=counts.__getitem__, default="")
    belongs = counts.get(most, 0) > found
    if total and found and not belongs:
        return
    those_found = f"none of its {total} exercises is" if not found else f"only {found} of its {total} exercises are"
    advice = f"it belongs to {most}" if belongs else "check the file"
    raise OtherNotebookError(
        f"{where} is not a notebook of {assignment or 'this assignment'}: {those_found} in it; {advice}"
    )


def nearest(sources: Mapping[str, NotebookNode], notebook: NotebookNode, stub_of: StubOf) -> str:
    """The assignment of which most exercises show in a notebook, "" if of none."""
    student = [StudentCell(index, cell) for index, cell in enumerate(notebook.cells)]
    counts = {name: _exercises_found(originals_of(source, stub_of), student)[1] for name, source in sources.items()}
    best = max(sorted(counts), key=counts.__getitem__, default="")
    return best if counts.get(best) else ""


def _exercises_found(originals: list[SourceCell], student: list[StudentCell]) -> tuple[int, int]:
    """How many exercises the source has, and how many of them show in the submission by id, anchor or name."""
    exercises = {exercise_of(original.cell) for original in originals} - {""}
    ids = {original.id: exercise_of(original.cell) or original.id for original in originals if original.id}
    found = set()
    for cell in student:
        found.update(cell.anchors)
        found.add(ids.get(cell.id, ""))
        for original in originals:
            if original.is_fixme and cell.defines & original.expected:
                found.update(original.anchors)
    return len(exercises), len(exercises & found)
