"""What a file is that is no notebook is said by name; one that only looks odd is read."""

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from fixmelab.ipython_cells import as_python, is_left_as_it_is, without_cell_magics
from fixmelab.notebooks import NotebookError, looks_like_a_notebook, read_notebook, require_notebook
from fixmelab.restoring.cell_text import parsed

CELLS = [{"cell_type": "code", "source": "x = 1", "outputs": []}]
WHOLE = json.dumps({"nbformat": 4, "cells": CELLS}, indent=1)
LINES = WHOLE.split("\n")


@pytest.mark.parametrize(
    "data",
    [
        WHOLE.encode("utf-8-sig"),
        WHOLE.encode("utf-16"),
        WHOLE.encode("utf-16-le"),
        ("\ufeff" + WHOLE).encode("utf-16-be"),
        WHOLE.encode("utf-32"),
        WHOLE.encode() + b"\n\0\0\0\0",
        WHOLE.encode() + b"\x1a",
        json.dumps({"name": "a.ipynb", "type": "notebook", "content": {"cells": CELLS}}).encode(),
        json.dumps({"cells": [{**CELLS[0], "metadata": {"tags": None, "score": float("nan")}}]}).encode(),
    ],
)
def test_it_is_read(data) -> None:
    (cell,) = read_notebook(data)["cells"]
    assert cell["source"] == "x = 1"
    json.dumps(cell, allow_nan=False)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b" \n\0", "is empty"),
        (
            "\n".join([*LINES[:3], "<<<<<<< HEAD", LINES[3], "=======", ">>>>>>> theirs", *LINES[3:]]),
            "conflict (line 4)",
        ),
        ("\n".join([*LINES[:6], "<<<<<<< HEAD"]), "conflict (line 7)"),
        ("\n<!DOCTYPE html>\n<html></html>", "is a saved web page"),
        ("<!-- saved from url --><html>", "is a saved web page"),
        ("\ufeff<?xml version='1.0'?><Error>AccessDenied</Error>", "is a saved web page"),
        (WHOLE + "\n{}\n", f"stands behind the end of the notebook (line {len(LINES) + 1}, column 1)"),
        (WHOLE + WHOLE, "stands behind the end"),
        (WHOLE[: len(WHOLE) // 2], "cut off"),
        (WHOLE[:-1], "cut off"),
        (WHOLE.replace('"nbformat": 4,', '"nbformat": 4'), "(line 3, column 2): damaged, or edited by hand"),
        (b"PK\x03\x04\x14", "is a zip archive"),
        (b"%PDF-1.7", "is a PDF"),
        (b"\x89PNG\r\n", "is a picture"),
        ("# %%\nimport torch\n", "is a Python file"),
        ("import torch\n", "is a Python file"),
        ('{"url": "https://colab.research.google.com/drive/1"}', "is a link to one"),
        ('{"name": "vae"}', "is JSON without cells"),
        (WHOLE.replace("x = 1", "ü").encode("latin-1"), "is not UTF-8 text"),
    ],
)
def test_it_is_named(data, what) -> None:
    with pytest.raises(NotebookError) as required:
        require_notebook(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(NotebookError) as caught:
        read_notebook(data if isinstance(data, bytes) else data.encode())
    assert str(required.value) == str(caught.value) == said(data, quick=from_json), "all are told the same"
    assert what in str(caught.value) and "\n" not in str(caught.value) and ";" in str(caught.value)


def said(data, **options) -> str:
    """Why the server would refuse it; nothing if it would not."""
    try:
        require_notebook(data if isinstance(data, bytes) else data.encode(), **options)
    except NotebookError as error:
        return str(error)
    return ""


ODD = [b"\xff", b"\x00", b"\x01", b"\x7f", b"\xc3", b"\xed\xa0\x80", b"\\ud800", b"\\u12", b"\\", b"\xef\xbb\xbf"]
ODD += b'" , : { } [ ] 01 -1 1. .5 1e999 NaN -Infinity nul true /**/'.split() + [b"9" * 5000, b"[" * 150, b"]" * 150]
PIECES = st.one_of(st.sampled_from(ODD), st.binary(max_size=3))


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 3), PIECES), min_size=1, max_size=4))
def test_the_quick_reader_takes_nothing_that_json_does_not(changes) -> None:
    data = WHOLE.encode()
    for place, less, more in changes:
        data = data[:place] + more + data[place + less :]
    assert said(data, quick=from_json) == said(data)


def test_a_notebook_is_known_by_what_is_in_it() -> None:
    for data in (WHOLE.encode(), WHOLE.encode("utf-16"), WHOLE.encode("utf-8-sig"), WHOLE.encode()[:60]):
        assert looks_like_a_notebook(data)
    for data in (b"", b"# cells", b'{"a": 1}', b"[1]", b"\x89PNG", b'"cells"'):
        assert not looks_like_a_notebook(data)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("x = 1\n", "x = 1\n"),
        ("# exercise: f\n%%time\ndef f(): 1", "# exercise: f\n#%%time\ndef f(): 1"),
        ("%%capture out\n\n%%time\nx = 1", "#%%capture out\n\n#%%time\nx = 1"),
        ("%%memit\nx = 1", "#%%memit\nx = 1"),
        ("# note\n%%bash\nls", ""),
        ("%%time\n%%writefile a.py\nx = 1", ""),
        ("x = %time f(2)\n%timeit -n 3 y = g()", "x = f(2)\ny = g()"),
        ("\n\nfiles = !ls\n", "\n\nfiles = get_ipython().getoutput('ls')\n"),
        ("if t:\n    !nvidia-smi", "if t:\n    get_ipython().system('nvidia-smi')\n"),
        ("if t: !nvidia-smi", "if t: get_ipython().system('nvidia-smi')"),
        ("x?", "get_ipython().run_line_magic('pinfo', 'x')\n"),
        ("    x = 1\n    y = 2", "x = 1\ny = 2\n"),
        ("'''\n%time\n!ls\n'''", "'''\n%time\n!ls\n'''"),
    ],
)
def test_a_cell_is_read_by_the_rules_of_ipython(text, python) -> None:
    assert as_python(text) == python


def test_a_cell_in_another_language_keeps_its_magic_first() -> None:
    assert as_python("# note\n\n%%bash\nls") == "" and as_python("%%time\nls") != ""
    assert without_cell_magics("# note\n%%bash\nls").startswith("%%bash\n# note")


def test_a_cell_full_of_commands_takes_no_time() -> None:
    assert as_python("!x\n" * 3_000).count("pass") == 3_000
    assert not as_python("%%time\n" * 3_000)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\ny = 2",
        "x = 5 \\\n% 3",
        "'''\n%time\n!ls\nwhat?\n'''\nx = (5\n% 3)",
        "# why?\nawait f()\n\n",
        "x = 1",
        "\nx = 1\ny = 2",
        "  x = 1\n  y = 2",
        ">>> x = 1\n>>> y = x",
        "x: int\n...: y",
        "In [1]: x = 1\nIn [2]: y = 2",
        "%matplotlib inline\nx = 1",
        "x = 1\nx?",
        ",f a b\nx = 1",
        "def f(:\n    pass",
    ],
)
def test_what_is_left_alone_is_what_ipython_leaves_alone(text) -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    if is_left_as_it_is(text):
        assert TransformerManager().transform_cell(text).rstrip("\n") == text.rstrip("\n")


def test_most_cells_are_left_alone() -> None:
    assert is_left_as_it_is("# exercise: f\ndef f(x):\n    return x[1] % 3  # why?\n")


def test_a_tree_is_parsed_once_and_is_its_readers_own(monkeypatch) -> None:
    text, asked = "x = 'a text of this test'", []
    parse = ast.parse
    with monkeypatch.context() as patched:  # pytest parses what it shows of a failure
        patched.setattr(ast, "parse", lambda source: asked.append(source) or parse(source))
        tree = parsed(text)
    assert tree is not None and asked == [text]
    tree.body.clear()
    again = parsed(text)
    assert again is not None and again.body


def test_a_cell_of_blank_lines_is_left_alone_and_a_prompt_below_one_is_not() -> None:
    assert is_left_as_it_is("x = 1" + "\n" * 100_000 + "y = 2")
    assert not is_left_as_it_is("x = (\n\n \u2003>>> 1)")


@pytest.mark.parametrize(
    "text",
    (
        "some words",
        "some words\n,call a b",
        "some words\n  /call a",
        "some words\n;call a",
        "some words # \u2028/call a",
        "In [3]: some words",
        "some words\n>>> x = 1",
        "  some words",
        "some words\n \t\nmore",
        "some words\rmore",
        "a = some words?",
        "some words = !ls",
    ),
)
def test_words_that_are_no_python_are_read_as_ipython_reads_them(text: str) -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    assert as_python(text).removesuffix("\n") == TransformerManager().transform_cell(text).removesuffix("\n")
