"""A notebook is read whatever tool wrote it, or refused in one line."""

import copy
import json
import math

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.errors import InputError
from autograder.grading.reading import read_notebook
from fixmelab.notebooks import MAX_CELLS

CELL = {"cell_type": "code", "metadata": {}, "source": "x = 1", "outputs": [], "execution_count": 1}


def read(*cells: object, **fields: object) -> nbformat.NotebookNode:
    raw = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 0, **fields}
    notebook = read_notebook(json.dumps(raw).encode(), "ada.ipynb")
    nbformat.validate(notebook)
    return notebook


def refused(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_notebook(data, "ada.ipynb")
    line = str(caught.value)
    assert line.startswith("ada.ipynb: ") and "\n" not in line
    return line


def test_source_as_text_as_lines_or_absent():
    notebook = read(
        {**CELL, "source": "a\nb"}, {**CELL, "source": ["a\n", "b"]}, {"cell_type": "code"}, {**CELL, "source": None}
    )
    assert [cell.source for cell in notebook.cells] == ["a\nb", "a\nb", "", ""]


def test_a_colab_notebook():
    cell = {**CELL, "metadata": {"id": "x1", "outputId": "y", "colab": {"base_uri": "https://x"}}, "extra": True}
    notebook = read(cell, {"cell_type": "markdown", "source": ["# T"], "metadata": {"id": "x2"}}, colab={"name": "t"})
    assert [cell.cell_type for cell in notebook.cells] == ["code", "markdown"]
    assert notebook.cells[0].metadata.outputId == "y"


def test_missing_and_malformed_parts_are_put_right():
    notebook = read(
        {"cell_type": "code", "source": "1", "metadata": None, "execution_count": "seven", "outputs": "none"},
        {"cell_type": "heading", "source": "T", "metadata": {"tags": "train"}},
        {"source": "2", "outputs": [], "metadata": {"tags": ["keep", "keep", 3, "a,b"]}},
        {"cell_type": "markdown", "source": "M", "attachments": {"a.png": {"image/png": "aGk="}, "b": 3}},
        "not a cell",
        metadata=[],
        nbformat="4",
    )
    assert [cell.cell_type for cell in notebook.cells] == ["code", "markdown", "code", "markdown"]
    assert notebook.cells[0].execution_count is None and notebook.cells[0].outputs == []
    assert notebook.cells[1].metadata.tags == []
    assert notebook.cells[2].metadata.tags == ["keep"]
    assert notebook.cells[3].attachments == {"a.png": {"image/png": "aGk="}}


def test_outputs_are_put_right_or_left_out():
    outputs = [
        {"output_type": "stream", "text": ["a\n", "b"]},
        {"output_type": "display_data", "data": {"text/plain": ["x"], "application/json": {"k": [1]}, "bad": 3}},
        {"output_type": "execute_result", "data": None},
        {"output_type": "error", "traceback": ["T", 3]},
        {"output_type": "unheard of"},
        None,
    ]
    found = read({**CELL, "outputs": outputs}).cells[0].outputs
    assert [output.output_type for output in found] == ["stream", "display_data", "execute_result", "error"]
    assert found[0] == {"output_type": "stream", "name": "stdout", "text": "a\nb"}
    assert found[1].data == {"text/plain": "x", "application/json": {"k": [1]}}
    assert found[3].traceback == ["T"]


def test_numbers_that_json_does_not_know_are_put_right():
    raw = b'{"cells": [{"cell_type": "code", "execution_count": -3, "outputs": [{"output_type": "execute_result", '
    raw += b'"execution_count": 1e999, "data": {"application/json": [NaN, 1e999]}, "metadata": {"a": -Infinity}}]}]}'
    cell = read_notebook(raw, "ada.ipynb").cells[0]
    assert cell.execution_count is None
    assert (cell.outputs[0].data, cell.outputs[0].metadata) == ({"application/json": [None, None]}, {"a": None})
    assert cell.outputs[0].execution_count is None


def test_a_byte_order_mark_and_lone_surrogates():
    raw = json.dumps({"cells": [{**CELL, "source": "'\ud800'"}], "nbformat": 4}).encode()
    assert read_notebook(b"\xef\xbb\xbf" + raw, "ada.ipynb").cells[0].source == "'?'"


def test_an_older_format_is_upgraded():
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell("x = 1", prompt_number=1)])]
    )
    notebook = read_notebook(json.dumps(old).encode(), "ada.ipynb")
    nbformat.validate(notebook)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [("code", "x = 1")]
    shown = [{"output_type": "pyout", "text": ["7"], "png": "aGk=", "prompt_number": 2}, {"output_type": "pyerr"}]
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["T"]},
        {"cell_type": "code", "input": "7", "outputs": shown},
    ]
    notebook = read_notebook(json.dumps({"nbformat": 2, "worksheets": [{"cells": cells}]}).encode(), "ada.ipynb")
    nbformat.validate(notebook)
    assert notebook.cells[0].source == "## T"
    assert notebook.cells[1].outputs[0].data == {"text/plain": "7", "image/png": "aGk="}
    odd = {"nbformat": 3, "worksheets": [3, {"cells": [{"cell_type": "code", "outputs": 3}, 7]}, {"cells": None}]}
    assert len(read_notebook(json.dumps(odd).encode(), "ada.ipynb").cells) == 1


def test_what_is_no_notebook_is_refused():
    whole = json.dumps({"cells": [CELL], "nbformat": 4}).encode()
    assert "is empty" in refused(b" \n")
    assert "is not valid JSON (line 1, column" in refused(whole[:-5])
    assert "is JSON without cells" in refused(b"[1, 2]")
    assert "is JSON without cells" in refused(b'{"cells": {"a": 1}}')
    assert "is not UTF-8 text" in refused(whole.replace(b"x = 1", b"\xff\xfe"))
    assert "number that is too long" in refused(b'{"cells": [' + b"1" * 10_000 + b"]}")
    assert "nested too deep" in refused(b"[" * 200 + b"]" * 200)
    assert "nested too deep" in refused(b'{"cells":' * 100_000)
    assert f"more than {MAX_CELLS}" in refused(json.dumps({"cells": [{}] * (MAX_CELLS + 1)}).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["cell_type", "source", "metadata", "outputs", "execution_count", "attachments", "id"]
OUTPUT = {"output_type": "display_data", "data": {"text/json": {"a": 1}, "application/json": math.nan}}
METADATA = {"tags": [1], "collapsed": 5, "scrolled": "x", "name": "", "jupyter": 7, "execution": {"a": 1}, "format": 3}
RESULT = {"output_type": "execute_result", "execution_count": -1, "metadata": {"a": math.inf}}
VALUES = JSON | st.sampled_from(["code", "markdown", "raw", [{"output_type": "stream"}, OUTPUT, RESULT], METADATA])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cells=st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES) | JSON, max_size=4), metadata=JSON)
def test_any_list_of_cells_becomes_a_valid_notebook(cells, metadata):
    before = copy.deepcopy(cells)
    raw = {"cells": cells, "metadata": metadata if not isinstance(metadata, dict) else {}}
    notebook = read_notebook(json.dumps(raw).encode(), "ada.ipynb")
    json.dumps(notebook, allow_nan=False)
    nbformat.validate(notebook)
    assert len(notebook.cells) == sum(isinstance(cell, dict) for cell in before)
