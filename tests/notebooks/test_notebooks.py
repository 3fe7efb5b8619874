"""The notebooks as their readers meet them: solved, blank, on other data, in an environment without the grader."""

import ast
import io
import os
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import nbformat
import pytest

from autograder import cells, course

NAMES = course.assignment_names()
# The first thing that a student is asked for; the least numbers of mistakes, equivalents and pictures.
FIRST = {"vae": "gaussian_kl", "diffusion": "constant_schedule", "gcn": "nodes_touched"}
LEAST = {"vae": (45, 20, 9), "diffusion": (60, 30, 9), "gcn": (45, 20, 6)}
TRAINED = {"vae", "diffusion"}  # long enough for a checkpoint
FASHION = course.ROOT.parent / "shared" / "data" / "fashion900.npz"
WITHOUT_GRADER = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("autograder", "nbgrader", "jupytext"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


def run(path: Path, folder: Path, **variables: str) -> nbformat.NotebookNode:
    """Execute a notebook as a person would with nbconvert, errors included, and return it."""
    out = folder / "executed.ipynb"
    environment = os.environ | {"FIXMELAB_WORK": str(folder), "FIXMELAB_BUDGET": "smoke", **variables}
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--allow-errors"]
    subprocess.run([*command, str(path), "--output", str(out)], env=environment, check=True, capture_output=True)
    return nbformat.read(out, as_version=4)


def errors(notebook: nbformat.NotebookNode) -> list[str]:
    return [
        f"{output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    ]


def pictures(notebook: nbformat.NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ()))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data"), [*((name, "auto") for name in NAMES), ("vae", "fashion900")])
def test_the_solution_runs_on_the_smoke_budget_and_draws(tmp_path, name, data):
    if data == "fashion900" and not FASHION.is_file():
        pytest.skip("the sample of FashionMNIST is not here")
    executed = run(course.source_path(name), tmp_path, FIXMELAB_DATA=str(FASHION) if data == "fashion900" else data)
    assert errors(executed) == []
    assert pictures(executed) >= LEAST[name][2]
    assert bool(list(tmp_path.rglob("*.safetensors"))) == (name in TRAINED)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_release_runs_without_the_grader_up_to_the_first_fixme(tmp_path, name):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_GRADER)
    executed = run(course.release_path(name), tmp_path, PYTHONPATH=str(tmp_path))
    found = errors(executed)
    assert found[0] == f"NotImplementedError: FIXME: {FIRST[name]}"
    assert not any("ModuleNotFoundError" in error or "ImportError" in error for error in found)


def source_cells(name, kind=lambda cell: True):
    return [cell for cell in course.read_source(name).cells if kind(cell)]


def of_all(kind):
    """Cells of all notebooks, for parametrize."""
    return [pytest.param(cell, id=f"{name}-{cell.id}") for name in NAMES for cell in source_cells(name, kind)]


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
    assert code_lines(visible if cells.is_tests(cell) else cell.source) <= (40 if cells.is_fixme(cell) else 15)


@pytest.mark.parametrize("cell", of_all(cells.is_tests))
def test_every_visible_assert_has_a_message(cell):
    found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]
    assert found and all(node.msg is not None for node in found)


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_mistakes_and_equivalents(name):
    from autograder.assignments import exercises_of

    exercises = exercises_of(name).values()
    tested = {f"{name}.{cells.exercise_name(cell)}" for cell in source_cells(name, cells.is_tests)}
    assert tested == {item.id for item in exercises}
    assert all(item.mistakes and item.equivalents for item in exercises)
    assert sum(len(item.mistakes) for item in exercises) >= LEAST[name][0]
    assert sum(len(item.equivalents) for item in exercises) >= LEAST[name][1]


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_a_rubric_worth_its_points(name):
    questions = source_cells(name, lambda cell: cells.grade_id(cell).startswith(cells.QUESTION_PREFIX))
    assert len(questions) == len(source_cells(name, cells.is_written)) > 0
    assert all("BEGIN MARK SCHEME" in cell.source for cell in questions)
