"""From notebooks/NAME.py (jupytext's percent format with short headers) to nbgrader's instructor version."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from autograder import cells
from autograder.authoring import rules, standing, unfolding
from autograder.authoring.authored import Authored, authored_cells
from autograder.authoring.worth import Worths

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
PREDICT = "**Predict first.** "


def source_from_text(path: Path, repository: str, known: Sequence[str] | None = None) -> NotebookNode:
    """The source notebook (nbgrader's instructor version, nbformat 4.5) of the text at `path`.

    The same text gives the same bytes: ids of cells follow from names or content, never from position.

    Args:
        path: notebooks/NAME.py.
        repository: OWNER/REPO; stands for `{{repository}}` in the text, as NAME does for `{{name}}`.
        known: ids of the exercises that have a check, for example "vae.gaussian_kl"; None leaves them out.

    Raises:
        InputError: the text breaks a rule; says the file, the line of the cell's header and what to do.
    """
    name = path.stem
    authored = authored_cells(path, repository)
    roles = [rules.role_of(cell) for cell in authored]
    names, repeats, worths = rules.Names(), Counter[str](), Worths(authored)
    built = [
        cell
        for item, role in zip(authored, roles, strict=True)
        for cell in _expand(item, role, name, names, repeats, worths)
    ]
    if standing.sets_up_a_lab(authored):
        built[0].source = standing.below_badge(built[0].source)
        built.append(standing.last_cell())
    rules.check_pairs(names)
    rules.check_ids(built, authored)
    if known is not None:
        rules.check_known({f"{name}.{key}": cell for key, cell in names.tests.items()}, known, name)
    metadata = {key: dict(value) for key, value in NOTEBOOK_METADATA.items()}
    notebook = v4.new_notebook(cells=built, metadata=metadata)
    notebook.nbformat_minor = 5
    return notebook


def to_json(notebook: NotebookNode) -> str:
    """The one way in which a notebook is written down, a newline at its end."""
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def _expand(
    cell: Authored, role: str, assignment: str, names: rules.Names, repeats: Counter[str], worths: Worths
) -> Iterator[NotebookNode]:
    """The one or two cells that stand for an authored cell."""
    rules.check_places(cell, role)
    if cell.cell_type == "markdown":
        unfolding.check(cell)
    if role == "exercise":
        name = rules.name_of(cell, role)
        yield _new_cell(cell, name, source=worths.below_anchors(cell), solution=True)
        rules.check_fixme(cell, name)
        for anchor in cells.anchors({"cell_type": cell.cell_type, "source": cell.source}):
            names.add(names.anchors, anchor, cell)
    elif role == "tests":
        name = rules.name_of(cell, role)
        names.add(names.tests, name, cell)
        if name not in names.anchors:
            raise cell.error(f"tests {name!r}, but no cell above has the line '# exercise: {name}'")
        rules.check_tests(cell, f"{assignment}.{name}")
        source, points = standing.with_first_line(name, cell.source), rules.points_of(cell)
        yield _new_cell(cell, cells.TEST_PREFIX + name, source=source, grade=True, locked=True, points=points)
    elif role == "written":
        name = rules.name_of(cell, role)
        names.add(names.written, name, cell)
        rules.check_written(cell)
        points = rules.points_of(cell)
        yield _new_cell(cell, cells.QUESTION_PREFIX + name, source=worths.below_heading(cell), locked=True)
        yield _new_cell(cell, name, source=cells.ANSWER_STUB, grade=True, solution=True, points=points)
    elif role == "predict":
        name = rules.name_of(cell, role)
        names.add(names.predictions, name, cell)
        yield _new_cell(cell, cells.PREDICT_PREFIX + name, source=PREDICT + cell.source, locked=True)
        yield _new_cell(cell, cells.PREDICTION_PREFIX + name, source=cells.PREDICTION_STUB)
    elif role == "hints":
        name = rules.name_of(cell, role)
        names.add(names.hints, name, cell)
        yield _new_cell(cell, cells.HINTS_PREFIX + name, source=unfolding.of_hints(cell), locked=True)
    else:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        repeats[digest] += 1
        occurrence = f"-{repeats[digest]}" if repeats[digest] > 1 else ""
        yield _new_cell(cell, f"cell-{digest}{occurrence}", source=worths.below_heading(cell), locked=True)


def _new_cell(
    cell: Authored,
    grade_id: str,
    *,
    source: str | None = None,
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
    points: float | None = None,
) -> NotebookNode:
    data = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": grade,
        "solution": solution,
        "locked": locked,
        "task": False,
    }
    if points is not None:
        data["points"] = points
    metadata: dict[str, Any] = {"nbgrader": data}
    if cell.header.get("tags"):
        metadata["tags"] = list(cell.header["tags"])
    make = v4.new_code_cell if cell.cell_type == "code" else v4.new_markdown_cell
    return make(source=cell.source if source is None else source, metadata=metadata, id=grade_id)
