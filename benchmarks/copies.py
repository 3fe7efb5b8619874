"""What is graded: copies of the solved VAE notebook, without the cells that grading does not execute."""

import ast
import copy
import textwrap

import nbformat
from nbformat import NotebookNode, v4

from autograder import cells, course
from autograder.regions import HIDDEN_TESTS, text_in, visible

ASSIGNMENT = "vae"
SOLVED = course.ROOT / "tests" / "submissions" / ASSIGNMENT / "perfect" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"


def without_training(notebook: NotebookNode) -> NotebookNode:
    """A copy without the cells tagged `train` or `keep`, and without outputs."""
    copied = copy.deepcopy(notebook)
    copied.cells = [cell for cell in copied.cells if cell.cell_type != "code" or cells.is_executed_in_grading(cell)]
    for cell in copied.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    return copied


def source() -> NotebookNode:
    """The instructor's notebook."""
    return without_training(course.read_source(ASSIGNMENT))


def submissions(count: int, label: str) -> dict[str, NotebookNode]:
    """Student → solved notebook. Every answer of every copy differs, in a comment, from those of all the others."""
    solved = without_training(nbformat.read(SOLVED, as_version=4))
    return {f"student{number:03}": _marked(solved, f"# {label}, copy {number}") for number in range(count)}


def _marked(notebook: NotebookNode, comment: str) -> NotebookNode:
    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        if cells.is_fixme(cell):
            cell.source += f"\n{comment}"
    return copied


def automatic_points(source: NotebookNode) -> float:
    """What a solved notebook earns without a person."""
    return sum(cells.points(cell) for cell in source.cells if cells.is_tests(cell))


def for_otter(notebook: NotebookNode) -> NotebookNode:
    """The notebook as otter's students get it: `grader.check` in the place of each test cell."""
    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        if cells.is_tests(cell):
            cell.source = f'grader.check("{cells.exercise_name(cell)}")'
    # matplotlib's notebook backend cannot be loaded within one of otter's tests.
    start = '%matplotlib inline\nimport otter\n\ngrader = otter.Notebook(tests_dir="tests")'
    copied.cells.insert(0, v4.new_code_cell(start))
    return copied


def otter_tests(source: NotebookNode, *, hidden: bool = False) -> dict[str, str]:
    """Exercise → otter test file, made of the asserts of the exercise's test cell: the visible ones, and a hidden case
    of the `hidden` ones."""
    return {
        cells.exercise_name(cell): _otter_test(cell, (False, True) if hidden else (False,))
        for cell in source.cells
        if cells.is_tests(cell)
    }


def _otter_test(cell: NotebookNode, kinds: tuple[bool, ...]) -> str:
    code = {False: visible(cell.source), True: text_in(cell.source, HIDDEN_TESTS)}
    cases = [{"code": as_doctest(code[hidden]), "hidden": hidden, "locked": False} for hidden in kinds]
    suite = {"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    test = {"name": cells.exercise_name(cell), "points": cells.points(cell), "suites": [suite], "all_or_nothing": True}
    return f"OK_FORMAT = True\ntest = {test!r}\n"


def as_doctest(code: str) -> str:
    """Python code with doctest's prompts before each line of each statement."""
    lines = code.split("\n")
    prompted = []
    for statement in ast.parse(code).body:
        first, *others = lines[statement.lineno - 1 : statement.end_lineno]
        if isinstance(statement, ast.Expr):
            first = f"_ = {first}"  # a doctest compares what an expression shows
        prompted += [f">>> {first}", *(f"... {line}" for line in others)]
    return "\n".join(prompted) + "\n"


def for_gradescope(notebook: NotebookNode) -> NotebookNode:
    """The notebook without its test cells: tests import it, and a failed assert would end the import."""
    copied = copy.deepcopy(notebook)
    copied.cells = [cell for cell in copied.cells if not cells.is_tests(cell)]
    return copied


def gradescope_archive(source: NotebookNode) -> dict[str, str]:
    """Path → text of an autograder as in Gradescope's example for Python: what converts the notebook and runs the
    tests, and a test for each exercise, made of its test cell's asserts, visible and hidden."""
    tests = "".join(_gradescope_test(cell) for cell in source.cells if cells.is_tests(cell))
    return {
        "run_autograder": _RUN_AUTOGRADER,
        "run_tests.py": _RUN_TESTS,
        f"tests/test_{ASSIGNMENT}.py": _GRADESCOPE_TESTS + tests,
    }


# With IPython, since `%` and get_ipython() mean something in a notebook that was converted.
_RUN_AUTOGRADER = f"""\
set -e
python -m nbconvert --log-level ERROR --to python --output-dir . --output {ASSIGNMENT} "$1"
python -m IPython run_tests.py
"""
_RUN_TESTS = """\
import unittest

from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

if __name__ == "__main__":
    suite = unittest.defaultTestLoader.discover("tests")
    with open("results.json", "w") as file:
        JSONTestRunner(stream=file, verbosity=2, buffer=True).run(suite)
"""
_GRADESCOPE_TESTS = f"""\
from {ASSIGNMENT} import *

import unittest

from gradescope_utils.autograder_utils.decorators import weight


class Tests(unittest.TestCase):
"""


def _gradescope_test(cell: NotebookNode) -> str:
    body = f"{visible(cell.source)}\n{text_in(cell.source, HIDDEN_TESTS)}"
    method = f"@weight({cells.points(cell)})\ndef test_{cells.exercise_name(cell)}(self):\n"
    return textwrap.indent(method + textwrap.indent(body, "    "), "    ") + "\n\n"
