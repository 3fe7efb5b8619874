"""The notebooks as their readers meet them: solved, and on other data. Blank ones run in test_published_tree."""

import ast
import io
import re
import tokenize
from pathlib import Path

import nbformat
import pytest
from forked_kernels import ForkedKernel
from jupyter_client.provisioning import local_provisioner
from nbclient import NotebookClient

from autograder import cells, course

NAMES = course.assignment_names()
LEAST_PICTURES = 6
DRAWS = re.compile(r"\bfixmelab\.(plot_|show_|\w+_slider|\w+_explorer)")
FASHION = course.ROOT.parent / "shared" / "data" / "fashion900.npz"


def run(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> nbformat.NotebookNode:
    """Execute a notebook as a person would with nbconvert, errors included, and return it."""
    for name, value in {"FIXMELAB_WORK": str(folder), "FIXMELAB_BUDGET": "smoke", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(local_provisioner, "launch_kernel", ForkedKernel)
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    return NotebookClient(notebook, allow_errors=True, timeout=None, resources=resources).execute()


def errors(notebook: nbformat.NotebookNode) -> list[str]:
    return [
        f"{output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    ]


def pictures(shown: list[nbformat.NotebookNode]) -> int:
    """How many pictures some cells show."""
    return sum("image/png" in output.get("data", {}) for cell in shown for output in cell.get("outputs", ()))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data"), [*((name, "auto") for name in NAMES), ("vae", "fashion900")])
def test_the_solution_runs_on_the_smoke_budget_and_draws(tmp_path, monkeypatch, name, data):
    if data == "fashion900" and not FASHION.is_file():
        pytest.skip("the sample of FashionMNIST is not here")
    chosen = str(FASHION) if data == "fashion900" else data
    executed = run(course.source_path(name), tmp_path, monkeypatch, FIXMELAB_DATA=chosen)
    assert errors(executed) == []
    assert pictures(executed.cells) >= LEAST_PICTURES
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    drawing = [cell for cell in code if DRAWS.search(cell.source) and not cells.is_fixme(cell)]
    assert [cell.source for cell in drawing if not pictures([cell])] == []
    assert [cell.source for cell in code if "keep" in cells.tags(cell) and not cell.outputs] == []
    # A notebook that trains for long keeps a checkpoint.
    names_one = any(".safetensors" in cell.source for cell in code)
    assert bool(list(tmp_path.rglob("*.safetensors"))) == names_one


def source_cells(name, kind=lambda cell: True):
    return [cell for cell in course.read_source(name).cells if kind(cell)]


def of_all(kind):
    """Cells of all notebooks, for parametrize."""
    return [pytest.param(cell, id=f"{name}-{cell.id}") for name in NAMES for cell in source_cells(name, kind)]


def statements(source: str) -> int:
    """Lines of code as Python counts them: one that is folded into several counts once."""
    return sum(token.type == tokenize.NEWLINE for token in tokenize.generate_tokens(io.StringIO(source).readline))


def code_lines(source: str) -> int:
    """Lines that hold code: not blank, no comment, no docstring."""
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings |= set(range(node.lineno, node.end_lineno + 1))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    empty = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    return len({token.start[0] for token in tokens if token.type not in empty} - docstrings)


@pytest.mark.parametrize("cell", of_all(lambda cell: cell.cell_type == "code"))
def test_code_cells_are_short(cell):
    visible = re.sub(r"### BEGIN (\w+(?: \w+)*)\n.*?### END \1", "", cell.source, flags=re.DOTALL)
    if cells.is_tests(cell):
        assert statements(visible) <= 15
        assert sum(len(line) > 90 for line in visible.split("\n")) <= 5  # asserts are folded; a condition may be long
    else:
        assert code_lines(cell.source) <= (40 if cells.is_fixme(cell) else 15)


@pytest.mark.parametrize("cell", of_all(cells.is_tests))
def test_every_visible_assert_has_a_message(cell):
    found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]
    assert found and all(node.msg is not None for node in found)


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_with_a_test_cell_has_a_check(name):
    from autograder.assignments import exercises_of

    tested = [f"{name}.{cells.exercise_name(cell)}" for cell in source_cells(name, cells.is_tests)]
    assert tested == list(exercises_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_a_rubric_worth_its_points(name):
    questions = source_cells(name, lambda cell: cells.grade_id(cell).startswith(cells.QUESTION_PREFIX))
    assert len(questions) == len(source_cells(name, cells.is_written)) > 0
    assert all("BEGIN MARK SCHEME" in cell.source for cell in questions)
