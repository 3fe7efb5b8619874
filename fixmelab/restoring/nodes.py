"""Parts of notebooks, made with types: nbformat's own constructors have none."""

from collections.abc import Mapping
from typing import Any

import nbformat
from nbformat import NotebookNode


def node(fields: Mapping[str, Any] | None = None, **more: Any) -> NotebookNode:
    """A node with these fields; a dict that is the value of one becomes a node, too."""
    return NotebookNode(fields or {}, **more)  # type: ignore[no-untyped-call]  # nbformat says no types


def from_dict(value: Mapping[str, Any]) -> NotebookNode:
    """The node of a dict, with nodes for all dicts in it, those in lists too."""
    made: NotebookNode = nbformat.from_dict(value)  # type: ignore[no-untyped-call]  # nbformat says no types
    return made


def new_cell(kind: str, text: str) -> NotebookNode:
    """A cell without metadata; a code cell has not run yet."""
    cell = node(cell_type=kind, metadata=node(), source=text)
    if kind == "code":
        cell.outputs, cell.execution_count = [], None
    return cell
