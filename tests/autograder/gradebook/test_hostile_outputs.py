"""Nobody becomes unrecordable, nor stops `record --strict`, by what their notebook holds."""

import json
import math
from pathlib import Path

import nbformat
import pytest
from fabricated_results import Student, write_results
from nbgrader.api import Gradebook

from autograder import cells, course
from autograder.gradebook.record import record
from autograder.grading.reading import read_notebook
from autograder.grading.restoring import restore
from autograder.results.files import notebook_path
from fixmelab.json_values import json_text, json_value

HEAP = "e" + "\u0335" * 500
OUTPUTS = [
    {"output_type": "execute_result", "execution_count": -7, "data": {"text/plain": HEAP}, "metadata": {"a": math.nan}},
    {"output_type": "display_data", "data": {"application/json": [math.inf], "text/json": {"a": 1}}, "metadata": 5},
    {"output_type": "display_data", "data": {"image/png": {"a": 1}, "json": [2], "": None}, "metadata": {"": math.nan}},
    {"output_type": "error", "ename": HEAP, "evalue": 5, "traceback": [HEAP, 7, "\ud800"]},
    {"output_type": "stream", "name": "\ud800", "text": [HEAP, "\x00", 5]},
]
METADATA = {"collapsed": 5, "scrolled": "x", "name": "", "jupyter": 7, "execution": {"a": 1}, "tags": ["keep", "a,b"]}


def hostile(source: nbformat.NotebookNode) -> bytes:
    """A submission in which every cell has all of that."""
    notebook = json.loads(json.dumps(source))
    for cell in notebook["cells"]:
        cell["metadata"] |= METADATA
        if cell["cell_type"] == "code":
            cell |= {"outputs": OUTPUTS, "execution_count": -1}
        elif cells.is_written(cell):
            attachments = {"a.png": {"image/png": 5, "application/json": math.nan}, "\ud800": {"text/plain": "x"}}
            cell |= {"source": HEAP, "attachments": attachments, "id": "\ud800" * 100}
    return json.dumps(notebook).encode()


@pytest.mark.parametrize("strict", [True, False])
def test_odd_values_in_a_notebook_stop_nobody(tmp_path: Path, course_folder: Path, strict: bool):
    graded = write_results(tmp_path / "graded", {"ada": Student(), "mal": Student()})
    source = course.read_source("vae")
    restored = restore(source, read_notebook(hostile(source), "mal.ipynb"), assignment="vae")
    text = json_text(json_value(restored.notebook))
    nbformat.validate(nbformat.reads(text, as_version=4))
    notebook_path(graded, "mal").write_text(text, encoding="utf-8")
    with Gradebook(f"sqlite:///{course_folder / 'gradebook.db'}", "fixmelab") as book:
        book.add_student("ada")
        book.add_student("mal")
    recorded = record(graded, strict=strict, root=course_folder)
    assert ([entry.student for entry in recorded.entries], recorded.left_out) == (["ada", "mal"], {})
    laid = (course_folder / "autograded" / "mal" / "vae" / "vae.ipynb").read_text(encoding="utf-8")
    nbformat.validate(nbformat.reads(laid, as_version=4))
    json.loads(laid, parse_constant=pytest.fail)
    assert "\u0335" * 9 not in laid and "\u0335" * 8 in laid
