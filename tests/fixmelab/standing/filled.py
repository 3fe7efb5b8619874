"""The release of a notebook as a student fills it in: nothing here is kept on disk."""

import copy
from collections.abc import Iterable

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder import cells, course
from autograder.grading.source_text import answer_text
from fixmelab.standing import released
from fixmelab.visible_tests import METADATA, answer_to, digest

NAME = "foundations"
ANSWER = "Because every window reads the same weights."


def blank() -> NotebookNode:
    return copy.deepcopy(released.notebook(NAME))


def filled() -> NotebookNode:
    """Everything answered, run from the top, and saved."""
    notebook, source = blank(), course.read_source(NAME)
    answers: dict[str, str] = {}
    for number, (cell, solution) in enumerate(zip(notebook.cells, source.cells, strict=True), 1):
        if cells.is_fixme(cell):
            cell.source = answer_text(solution)
            answers |= dict.fromkeys(cells.anchors(cell), cell.source)
        elif cells.is_written(cell):
            cell.source = ANSWER
        if cell.cell_type == "code":
            cell.execution_count = number
        if cells.is_tests(cell):
            name = cells.exercise_name(cell)
            cell.outputs = [passed(name, answers[name])]
        elif cell.cell_type == "code" and not cells.is_executed_in_grading(cell):
            cell.outputs = [new_output("stream", text="a picture")]
    return notebook


def passed(name: str, answer: str) -> NotebookNode:
    """What visible tests show that passed."""
    mark = {METADATA: {"answer": digest(answer_to(name, answer))}}
    return new_output("display_data", {"text/plain": f"✓ {name}: 3 visible tests"}, metadata=mark)


def failed(name: str, wrong: str) -> NotebookNode:
    return new_output("error", ename="AssertionError", evalue=wrong, traceback=[f"✗ {name}: {wrong}"])


def cell_of(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cells.grade_id(cell) == grade_id)


def without(notebook: NotebookNode, grade_ids: Iterable[str]) -> None:
    notebook.cells = [cell for cell in notebook.cells if cells.grade_id(cell) not in set(grade_ids)]
