"""Finds the answer to each exercise in code: by anchor, by id, by the name that it defines, by similarity."""

from collections import defaultdict
from typing import NamedTuple

from fixmelab.restoring.cell_text import ELSEWHERE
from fixmelab.restoring.sides import SourceCell, StudentCell
from fixmelab.restoring.state import CONFIDENCE, NOTHING, Answer, How, State, on_copies

ANSWER_SIMILARITY = 0.6  # an answer without any name is the cell that is at least so like the stub or the solution

Claims = dict[int, list[StudentCell]]


class _Choice(NamedTuple):
    """The cell that holds an answer, how it was found, and how sure that is."""

    cell: StudentCell
    how: How
    certainty: float


def claims_of(state: State) -> Claims:
    """The cells that say themselves which answer they are, by index of the source's cell.

    They say it by anchor, or by id if no anchor contradicts.
    """
    by_anchor = {name: original for original in state.originals if original.is_fixme for name in original.anchors}
    by_id = {original.id: original for original in state.originals if original.is_answer and original.id}
    claims: Claims = defaultdict(list)
    for cell in state.student:
        if cell.plain in state.locked_texts:
            continue
        named = [by_anchor[name] for name in cell.anchors if name in by_anchor]
        own = by_id.get(cell.id)
        if cell.kind != "code" and not (cell.is_code or cell.names.functions):
            named = []  # prose about the exercise
        if own and (not named or (own.is_written and cell.kind != "code")):
            named = [own]
        for index in dict.fromkeys(original.index for original in named):
            claims[index].append(cell)
    return claims


def find_answers(state: State, claims: Claims) -> None:
    """Choose a cell for each FIXME cell of the source, and note how it was found and what was wrong with it."""
    fixmes = [original for original in state.originals if original.is_fixme]
    found = {original.index: _choose(state, original, claims[original.index]) for original in fixmes}
    taken = {choice.cell.index for choice in found.values() if choice}
    for original in fixmes:
        if found[original.index] is None and (choice := _most_similar(state, original, taken)):
            found[original.index] = choice
            taken.add(choice.cell.index)
    for original in fixmes:
        if choice := found[original.index]:
            _take(state, original, choice, claims[original.index], taken)
        else:
            state.note(original.exercise, "source", 1.0, NOTHING)


def _choose(state: State, original: SourceCell, claiming: list[StudentCell]) -> _Choice | None:
    """The last edited cell that claims to be this one or, if none does, that defines its name."""
    edited = [cell for cell in claiming if not original.is_open(cell)]
    if not edited:
        claims = {cell.index for cell in claiming}
        named = [
            cell
            for cell in state.student
            if cell.names.all & original.expected
            and cell.index not in claims
            and cell.plain not in state.locked_texts
            and cell.is_code
            and (cell.kind == "code" or not cell.id)
            and not original.is_open(cell)
        ]
        if named:
            return _Choice(named[-1], "name", CONFIDENCE["name"])
    if not claiming:
        return None

    def rank(cell: StudentCell) -> tuple[bool, bool, int]:
        defines = bool(cell.names.all & original.expected)
        return defines, not defines and cell.id == original.id, cell.index

    best = max(edited or claiming, key=rank)
    how: How = "id" if best.id == original.id else "anchor"
    return _Choice(best, how, CONFIDENCE[how])


def _most_similar(state: State, original: SourceCell, taken: set[int]) -> _Choice | None:
    """The cell without any name of an answer that is most like the stub or the solution."""
    ids = {other.id for other in state.originals} - {""}
    names = frozenset().union(*(other.expected for other in state.originals))
    best, ratio = None, 0.0
    for cell in state.student:
        if cell.index in taken or cell.id in ids or cell.anchors or cell.names.all & names:
            continue
        if not cell.is_code or cell.plain in state.locked_texts:
            continue
        if original.names.functions and not cell.names.functions:
            continue
        if (likeness := original.likeness(cell, ANSWER_SIMILARITY)) > ratio:
            best, ratio = cell, likeness
    return _Choice(best, "similarity", ratio) if best else None


def _take(state: State, original: SourceCell, choice: _Choice, claiming: list[StudentCell], taken: set[int]) -> None:
    cell, how, certainty = choice
    exercise = original.exercise
    copies = _drop_copies(state, original, claiming, taken, cell)
    if cell.index in state.original_of:  # the cell holds an earlier answer too: it runs there, and only there
        first = state.originals[state.original_of[cell.index]].exercise
        pointer = f"# exercise: {exercise}\n{ELSEWHERE}{first}."
        state.answers[original.index] = Answer([cell], pointer)
        if not any(copied.plain == pointer for copied in copies):
            state.note(exercise, how, certainty, f"the answer stood in one cell with that of {first}")
        return
    state.original_of[cell.index] = original.index
    state.certainty[original.index] = certainty
    state.answers[original.index] = Answer([cell], cell.as_kind("code"))
    state.keep_outputs(original, [cell])
    if copies:
        state.note(exercise, how, certainty, on_copies(original, cell, copies))
    if how == "anchor" and cell.id in {other.id for other in state.originals} - {""}:
        state.note(exercise, how, certainty, "its id was that of another cell; found by its anchor")
    elif how != "id":
        by = {"anchor": "its anchor", "name": "the name that it defines", "similarity": "its likeness"}[how]
        state.note(exercise, how, certainty, f"metadata restored; the cell was found by {by}")
    if cell.has_foreign_spaces:
        state.note(exercise, how, certainty, "foreign spaces in the code were replaced by plain ones")
    state.note_damage(original, cell, how, certainty)


def _drop_copies(
    state: State, original: SourceCell, claiming: list[StudentCell], taken: set[int], cell: StudentCell
) -> list[StudentCell]:
    """Drop the other cells that are this answer again. One that defines more stays as an addition."""
    known = cell.names.all | original.expected
    copies = [
        other
        for other in claiming
        if other.index not in taken
        and (
            other.plain == cell.plain
            or ELSEWHERE in other.plain
            or original.is_open(other)
            or (other.names.all & original.expected and other.names.all <= known)
        )
    ]
    state.dropped.update(other.index for other in copies)
    return copies
