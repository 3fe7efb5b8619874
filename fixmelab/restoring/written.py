"""Finds written answers and predictions: several versions, parts of one text, or text below its question."""

from collections import deque

from fixmelab.restoring.answers import Claims
from fixmelab.restoring.likeness import similarity
from fixmelab.restoring.sides import SourceCell, StudentCell
from fixmelab.restoring.state import CONFIDENCE, NOTHING, Answer, State, on_copies

VERSION_SIMILARITY = 0.5  # two written texts that are less alike are parts of one answer
MOST_VERSIONS = 20  # a part is compared with as many others: only among the last ones may a version of it be


def join_written(state: State, claims: Claims) -> None:
    """Take each written answer from the cells with its id: the last of several versions, or all parts of a text."""
    for original in state.originals:
        if original.is_written and claims[original.index]:
            _join(state, original, claims[original.index])


def _join(state: State, original: SourceCell, claiming: list[StudentCell]) -> None:
    parts = _parts([cell for cell in claiming if not original.is_open(cell)])
    kept = parts[-1] if parts else claiming[0]
    state.original_of[kept.index] = original.index
    state.dropped.update(cell.index for cell in claiming if cell is not kept)
    state.certainty[original.index] = CONFIDENCE["id"]
    if parts:
        state.answers[original.index] = _joined(original, parts)
    if len(parts) > 1:
        state.note(original.exercise, "id", 1.0, f"{len(parts)} cells held parts of this answer; they were joined")
    elif len(claiming) > 1:
        rest = [cell for cell in claiming if cell is not kept]
        state.note(original.exercise, "id", 1.0, on_copies(original, kept, rest))
    state.note_damage(original, kept, "id", CONFIDENCE["id"])


def _parts(written: list[StudentCell]) -> list[StudentCell]:
    """The parts that an answer is made of, of each the last version."""
    parts: list[StudentCell] = []
    late: deque[StudentCell] = deque()
    for cell in written:
        late = deque(part for part in late if not _are_versions(part, cell))
        late.append(cell)
        if len(late) > MOST_VERSIONS:
            parts.append(late.popleft())
    return [*parts, *late]


def gather_written(state: State, after: dict[int, int]) -> None:
    """Fill an empty written answer with what the student wrote below its question or below the stub.

    `after` says which cell of the source each addition follows; those that are taken leave it.
    """
    for original in state.originals:
        if not original.is_written or state.answers[original.index].cells:
            continue
        around = (original.index - 1, original.index)
        below = [cell for cell in state.student if after.get(cell.index) in around]
        parts = [cell for cell in below if cell.plain and not (cell.kind == "code" and cell.is_code)]
        if parts:
            state.answers[original.index] = _joined(original, parts)
            certainty = max(state.certainty.get(index, 0.0) for index in around)
            state.note(original.exercise, "similarity", certainty, "the answer was found below its question")
            for cell in parts:
                del after[cell.index]
        elif original.index not in state.certainty and original.exercise:
            state.note(original.exercise, "source", 1.0, NOTHING)


def _are_versions(one: StudentCell, other: StudentCell) -> bool:
    """Whether two texts are versions of one, rather than two parts of a longer one."""
    if one.plain in other.plain or other.plain in one.plain:
        return True
    return similarity(one.tokens, other.tokens, VERSION_SIMILARITY) > 0


def _joined(original: SourceCell, parts: list[StudentCell]) -> Answer:
    return Answer(parts, "\n\n".join(part.as_kind(original.kind) for part in parts))
