"""What happens to notebooks on their way: each function returns a damaged copy of the notebook it is given."""

import copy
from collections.abc import Callable

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder import cells
from autograder.grading.source_text import release_text

Damage = Callable[[NotebookNode], NotebookNode]


def copied(notebook: NotebookNode) -> NotebookNode:
    return copy.deepcopy(notebook)


def fixmes(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cells.is_fixme(cell)]


def first(notebook: NotebookNode, predicate: Callable[[NotebookNode], bool]) -> int:
    return next(index for index, cell in enumerate(notebook.cells) if predicate(cell))


def retype(cell: NotebookNode, kind: str) -> None:
    """Change the type of a cell, as the menu of a notebook does."""
    cell.cell_type = kind
    for key in ("outputs", "execution_count", "attachments"):
        cell.pop(key, None)
    if kind == "code":
        cell.outputs, cell.execution_count = [], None


def metadata_stripped(notebook: NotebookNode) -> NotebookNode:
    """As Colab saves it."""
    damaged = copied(notebook)
    for number, cell in enumerate(damaged.cells):
        cell.metadata = NotebookNode({"id": f"x{number}"})
        cell.pop("id", None)
    damaged.nbformat_minor = 0
    damaged.metadata["colab"] = NotebookNode({"provenance": []})
    return damaged


def metadata_stripped_from_some(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in damaged.cells[::2]:
        cell.metadata = NotebookNode()
    return damaged


def metadata_of_wrong_type(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for number, cell in enumerate(damaged.cells):
        cell.metadata["nbgrader"] = [None, "locked", 3, ["grade_id"], {"grade_id": 4}][number % 5]
    return damaged


def ids_swapped(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    one, other = fixmes(damaged)[:2]
    one.metadata, other.metadata = other.metadata, one.metadata
    return damaged


def id_doubled(notebook: NotebookNode) -> NotebookNode:
    """The first FIXME cell's id also stands on the second one."""
    damaged = copied(notebook)
    one, other = fixmes(damaged)[:2]
    other.metadata = copy.deepcopy(one.metadata)
    return damaged


def cells_doubled(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    damaged.cells = [copy.deepcopy(cell) for cell in damaged.cells for _ in range(2)]
    return damaged


def with_stubs(notebook: NotebookNode, source: NotebookNode, *, below: bool) -> NotebookNode:
    """Every FIXME cell was copied, and only one of the two edited; both bear the same id."""
    damaged = copied(notebook)
    stubs = {cells.grade_id(cell): release_text(cell) for cell in source.cells}
    for cell in fixmes(damaged):
        stub = copy.deepcopy(cell)
        stub.source = stubs[cells.grade_id(cell)]
        damaged.cells.insert(damaged.cells.index(cell) + below, stub)
    return damaged


def earlier_versions_left(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in fixmes(damaged):
        version = copy.deepcopy(cell)
        version.source += "\n# first try"
        damaged.cells.insert(damaged.cells.index(cell), version)
    return damaged


def retyped(notebook: NotebookNode) -> NotebookNode:
    """Code cells became Markdown, Markdown cells became code."""
    damaged = copied(notebook)
    for cell in damaged.cells:
        retype(cell, "code" if cell.cell_type == "markdown" else "markdown")
    return damaged


def turned_raw(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in damaged.cells:
        retype(cell, "raw")
    return damaged


def retyped_and_stripped(notebook: NotebookNode) -> NotebookNode:
    damaged = metadata_stripped(notebook)
    for cell in damaged.cells:
        if cell.cell_type == "code":
            retype(cell, "markdown")
            cell.source = f"```python\n{cell.source}\n```"
    return damaged


def reversed_order(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    damaged.cells.reverse()
    return damaged


def anchors_removed(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in fixmes(damaged):
        cell.source = cells.ANCHOR.sub("", cell.source)
    return damaged


def anchors_removed_and_stripped(notebook: NotebookNode) -> NotebookNode:
    return metadata_stripped(anchors_removed(notebook))


def one_anchor_left(notebook: NotebookNode) -> NotebookNode:
    """Of the anchors of each cell only the last is left, and no metadata."""
    damaged = copied(notebook)
    for cell in fixmes(damaged):
        for name in cells.anchors(cell)[:-1]:
            cell.source = cell.source.replace(f"# exercise: {name}\n", "")
    return metadata_stripped(damaged)


def anchors_in_scratch_cell(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in fixmes(damaged):
        name = cells.anchors(cell)[0]
        scratch = new_code_cell(f"# exercise: {name}\nprint('trying', {name!r})")
        damaged.cells.insert(damaged.cells.index(cell) + 1, scratch)
    return damaged


def tests_edited(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in filter(cells.is_tests, damaged.cells):
        cell.source = "pass"
        cell.metadata["nbgrader"]["points"] = 100
    return damaged


def tests_deleted(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    damaged.cells = [cell for cell in damaged.cells if not cells.is_tests(cell)]
    return damaged


def locked_deleted(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    damaged.cells = [cell for cell in damaged.cells if cells.is_answer(cell)]
    return damaged


def locked_edited(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in damaged.cells:
        if not cells.is_answer(cell) and not cells.tags(cell):
            cell.source += "\n# I was here"
    return damaged


def extra_cells(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for number in range(len(damaged.cells), 0, -3):
        damaged.cells.insert(number, new_code_cell(f"scratch_{number} = {number} ** 2"))
        damaged.cells.insert(number, new_markdown_cell(f"Note number {number} to myself."))
    return damaged


def windows_line_ends(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in damaged.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    return damaged


def windows_line_ends_and_stripped(notebook: NotebookNode) -> NotebookNode:
    return metadata_stripped(windows_line_ends(notebook))


def tabs(notebook: NotebookNode) -> NotebookNode:
    damaged = metadata_stripped(notebook)
    for cell in damaged.cells:
        cell.source = cell.source.replace("    ", "\t")
    return damaged


def foreign_spaces(notebook: NotebookNode) -> NotebookNode:
    damaged = metadata_stripped(notebook)
    for cell in damaged.cells:
        cell.source = cell.source.replace(" ", "\u00a0")
    return damaged


def title_above_anchor(notebook: NotebookNode) -> NotebookNode:
    return _prefixed(notebook, "#@title My answer\n")


def magic_above_anchor(notebook: NotebookNode) -> NotebookNode:
    return _prefixed(notebook, "%%time\n")


def _prefixed(notebook: NotebookNode, text: str) -> NotebookNode:
    damaged = copied(notebook)
    for cell in fixmes(damaged):
        cell.source = text + cell.source
    return metadata_stripped(damaged)


def made_deletable(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in damaged.cells:
        cell.metadata.update(deletable=False, editable=False, collapsed=True)
    return damaged


def cell_ids_doubled(notebook: NotebookNode) -> NotebookNode:
    damaged = copied(notebook)
    for cell in damaged.cells:
        cell["id"] = "same"
    return damaged


# After these, every answer still stands somewhere in the notebook.
KEEPING: list[Damage] = [
    metadata_stripped,
    metadata_stripped_from_some,
    metadata_of_wrong_type,
    ids_swapped,
    id_doubled,
    cells_doubled,
    earlier_versions_left,
    retyped,
    turned_raw,
    retyped_and_stripped,
    reversed_order,
    anchors_removed,
    anchors_removed_and_stripped,
    one_anchor_left,
    anchors_in_scratch_cell,
    tests_edited,
    tests_deleted,
    locked_deleted,
    locked_edited,
    extra_cells,
    windows_line_ends,
    windows_line_ends_and_stripped,
    tabs,
    foreign_spaces,
    title_above_anchor,
    magic_above_anchor,
    made_deletable,
    cell_ids_doubled,
]

# These are no damage to what a submission says: nothing is to be mended.
HARMLESS: list[Damage] = [anchors_removed, extra_cells, windows_line_ends, made_deletable, cell_ids_doubled]
HARMLESS += [anchors_in_scratch_cell]
