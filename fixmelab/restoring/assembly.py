"""Puts the restored notebook together: the source's cells in its order, answers in them, additions behind them."""

import copy
import itertools
from collections import defaultdict

from nbformat import NotebookNode

from fixmelab.restoring.nodes import new_cell, node
from fixmelab.restoring.sides import SourceCell, StudentCell
from fixmelab.restoring.state import State


def note_order(state: State) -> None:
    """Note it if the student's cells stood in another order than the source's."""
    order = [state.original_of[cell.index] for cell in state.student if cell.index in state.original_of]
    if order != sorted(order):
        state.note("", "source", 1.0, "the cells stood in another order; the source's order stands")


def places_of_additions(state: State) -> dict[int, int]:
    """Index of the source's cell that each added cell comes after (-1 at the top), by index of the added cell."""
    after: dict[int, int] = {}
    last = -1
    for cell in state.student:
        if cell.index in state.original_of:
            last = state.original_of[cell.index]
        elif not state.is_used(cell) and not _is_stub(state, cell):
            after[cell.index] = last
    # If cells stood in another order, what an answer uses must still come before it: by word, before which cell.
    bounds: dict[str, int] = {}
    for cell in reversed(state.student):
        if cell.index in after:
            bound = after[cell.index] = min([after[cell.index], *(bounds[n] for n in cell.defines if n in bounds)])
        elif cell.index in state.original_of and state.originals[state.original_of[cell.index]].is_fixme:
            bound = state.original_of[cell.index] - 1
        else:
            continue
        for word in cell.tokens:
            bounds[word] = min(bounds.get(word, bound), bound)
    return after


def _is_stub(state: State, cell: StudentCell) -> bool:
    """Whether the cell is one more copy of an answer cell as it was released."""
    return any(
        cell.plain == original.forms[0] or (cell.names.all & original.expected and original.is_open(cell))
        for original in state.originals
        if original.is_answer
    )


def assembled(state: State, source: NotebookNode, after: dict[int, int]) -> tuple[NotebookNode, dict[int, int]]:
    """The restored notebook; and for the index of each cell of the student's, its number in the submission.

    `after` says which cell of the source each addition follows.
    """
    added: dict[int, list[tuple[NotebookNode, int]]] = defaultdict(list)
    for index, (code, number) in state.rescued.items():
        added[index].append((new_cell("code", code), number))
    for cell in state.student:
        if cell.index in after:
            added[after[cell.index]].append((_added(cell), cell.index + 1))
    whole = list(added[-1])
    for original in state.originals:
        answer = state.answers.get(original.index)
        whole.append((_filled(state, original), answer.cells[0].index + 1 if answer and answer.cells else 0))
        whole.extend(added[original.index])
    notebook = copy.deepcopy(node({key: source[key] for key in source if key != "cells"}))
    notebook.cells = [cell for cell, _ in whole]
    if (notebook.nbformat, notebook.nbformat_minor) >= (4, 5):
        _number([cell for group in added.values() for cell, _ in group], notebook)
    return notebook, {index: number for index, (_, number) in enumerate(whole) if number}


def _filled(state: State, original: SourceCell) -> NotebookNode:
    cell = copy.deepcopy(original.cell)
    if original.kind == "code":
        cell.outputs, cell.execution_count = [], None
        kept = state.outputs.get(original.index)
        if kept is not None:
            cell.outputs = copy.deepcopy(kept.outputs)
            cell.execution_count = kept.get("execution_count")
    if original.is_answer:
        answer = state.answers[original.index]
        cell.source = answer.text if answer.cells else original.stub
        attachments = {k: v for part in answer.cells for k, v in part.cell.get("attachments", {}).items()}
        if attachments and original.is_written:
            cell.attachments = copy.deepcopy(node(attachments))
    return cell


def _added(addition: StudentCell) -> NotebookNode:
    """A cell of the student's, without metadata that could make it count as one of the source's."""
    cell = new_cell(addition.kind, addition.as_kind(addition.kind))
    if addition.kind != "code" and addition.cell.get("attachments"):
        cell.attachments = copy.deepcopy(addition.cell.attachments)
    return cell


def _number(added: list[NotebookNode], notebook: NotebookNode) -> None:
    """Give the added cells ids that no other cell has."""
    new = {id(cell) for cell in added}
    taken = {cell.get("id") for cell in notebook.cells if id(cell) not in new}
    free = (f"added-{number}" for number in itertools.count(1) if f"added-{number}" not in taken)
    for cell in notebook.cells:
        if id(cell) in new:
            cell["id"] = next(free)
