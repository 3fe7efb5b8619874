"""Finds the locked cells, so that the source's stand in their place and none counts as an addition."""

import ast
from collections import defaultdict
from collections.abc import Callable

from fixmelab import cells
from fixmelab.restoring.cell_text import DEFINITIONS, IMPORTS, SETTINGS, additions, names_bound
from fixmelab.restoring.sides import COPY_SIMILARITY, SourceCell, StudentCell, exercise_of, names_of
from fixmelab.restoring.state import CONFIDENCE, KINDS, State

STRIPPED = "without metadata"


def find_locked(state: State) -> None:
    """Find the cells that are a locked cell of the source each, and note what was wrong with them."""
    groups = _groups(state)
    counts: dict[str, int] = defaultdict(int)
    for original in state.locked:
        found = groups[original.index]
        for what in _fill(state, original, found) if found else ["missing"]:
            if (exercise := exercise_of(original.cell)) and what != STRIPPED:
                noun = "tests" if cells.is_tests(original.cell) else "question"
                state.note(exercise, "source", 1.0, f"{noun} {what}; the source's stand")
            else:
                counts[what] += 1
    for what, count in counts.items():
        noun = "locked cell" if count == 1 else "locked cells"
        state.note("", "source", 1.0, f"{count} {noun} {what}; the source's stand")
    if state.rescued:
        state.note(
            "", "source", 1.0, "what was added to locked cells (imports, functions, settings) was kept beside them"
        )


def _groups(state: State) -> dict[int, list[StudentCell]]:
    """The cells that are each locked cell, by index of the source's cell: exact ones first, then edited ones."""
    by_id = {original.id: original for original in state.locked if original.id}
    groups: dict[int, list[StudentCell]] = defaultdict(list)
    closest: dict[int, StudentCell] = {}
    left = [cell for cell in state.student if not state.is_used(cell)]

    def of_id_and_text(cell: StudentCell) -> SourceCell | None:
        original = by_id.get(cell.id)
        return original if original and cell.plain in original.forms else None

    def of_text(cell: StudentCell) -> SourceCell | None:
        same = state.locked_texts.get(cell.plain, [])
        return next((original for original in same if not groups[original.index]), same[0] if same else None)

    def of_id(cell: StudentCell) -> SourceCell | None:
        original = by_id.get(cell.id)
        if original is None or groups[original.index]:
            return None
        if original.index not in closest:
            rivals = [other for other in left if other.id == cell.id]
            closest[original.index] = max(rivals, key=lambda rival: original.likeness(rival, COPY_SIMILARITY))
        return original if closest[original.index] is cell else None

    def of_likeness(cell: StudentCell) -> SourceCell | None:
        likeness = {original.index: original.copied_by(cell) for original in state.locked}
        best = max(likeness, key=lambda index: (likeness[index], not groups[index], -index), default=-1)
        return state.originals[best] if likeness.get(best) else None

    rounds: tuple[Callable[[StudentCell], SourceCell | None], ...] = (of_id_and_text, of_text, of_id, of_likeness)
    for find in rounds:
        rest = []
        for cell in left:
            if original := find(cell):
                groups[original.index].append(cell)
            else:
                rest.append(cell)
        left = rest
    return groups


def _fill(state: State, original: SourceCell, found: list[StudentCell]) -> list[str]:
    """Let the source's cell stand for those that were found, and return what was wrong with the student's."""
    first, *rest = found
    state.original_of[first.index] = original.index
    state.dropped.update(cell.index for cell in rest)
    state.certainty[original.index] = CONFIDENCE["id"]
    state.keep_outputs(original, found)
    wrong = []
    is_edited = first.plain not in original.forms
    if is_edited:
        wrong.append("edited")
        if original.id != first.id:
            state.certainty[original.index] = original.likeness(first)
    if first.kind != original.kind:
        wrong.append(f"turned into a {KINDS[first.kind]} cell")
    if rest:
        wrong.append("copied")
    if original.id and not first.id:
        wrong.append(STRIPPED)
    elif original.has_other_metadata(first):
        wrong.append("with other points or flags in the metadata")
    if is_edited and first.kind == original.kind == "code":
        added = additions(first.code, names_of(state.originals), names_bound(original.forms[1]), _kept_of(original))
        if added:
            state.rescued[original.index] = added, first.index + 1
    return wrong


def _kept_of(original: SourceCell) -> tuple[type[ast.stmt], ...]:
    """What is kept of that which a student added to a locked cell: of tests, imports; where training does not run,
    nothing that may train."""
    if cells.is_tests(original.cell):
        return IMPORTS
    return IMPORTS + DEFINITIONS + (SETTINGS if cells.is_executed_in_grading(original.cell) else ())
