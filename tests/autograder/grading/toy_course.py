"""A course of one small notebook, with real checks, for tests of grading."""

from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.judge.draw import Draw
from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote

DOUBLE = "# exercise: double\ndef double(x):\n    {}"
SQUARE = "# exercise: square\ndef square(x):\n    {}"
RIGHT = {"double": "return 2 * x", "square": "return x * x"}


def check_double(student: Remote, draw: Draw) -> None:
    x = draw.normal(5, 3)
    expect(student(x)).shape(5, 3).close(2 * x)


def check_square(student: Remote, draw: Draw) -> None:
    x = draw.normal(40)  # some are negative, but for one time in 2**40
    expect(student(x)).shape(40).close(x**2)


def plus_two(x: Any) -> Any:
    return x + 2


EXERCISES = {
    "toy.double": Exercise("toy.double", check_double, (Mistake("plus_two", "Times, not plus.", plus_two),)),
    "toy.square": Exercise("toy.square", check_square),
}


def _cell(source: str, **nbgrader: Any) -> Any:
    data = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
    return new_code_cell(source, metadata={"nbgrader": data | nbgrader})


def _solution(stub: str, name: str) -> str:
    return stub.format(f"### BEGIN SOLUTION\n    {RIGHT[name]}\n    ### END SOLUTION")


def _check(name: str) -> str:
    region = f'from fixmelab.probe import check\ncheck("toy.{name}", {name})'
    return f"assert {name}(0.0) == 0, 'at 0 it should be 0'\n### BEGIN HIDDEN TESTS\n{region}\n### END HIDDEN TESTS"


def source() -> Any:
    """The instructor's notebook."""
    written = {"schema_version": 3, "grade": True, "solution": True, "locked": False, "task": False, "points": 4}
    written["grade_id"] = "why"
    return new_notebook(
        cells=[
            _cell("import torch", grade_id="cell-import", locked=True),
            _cell(_solution(DOUBLE, "double"), grade_id="double", solution=True),
            _cell(_check("double"), grade_id="test_double", grade=True, locked=True, points=2),
            new_markdown_cell("*Write your answer here.*", metadata={"nbgrader": written}),
            _cell(_solution(SQUARE, "square"), grade_id="square", solution=True),
            _cell(_check("square"), grade_id="test_square", grade=True, locked=True, points=1.5),
        ]
    )


def submission(double: str | None = None, square: str | None = None, why: str | None = None) -> Any:
    """A student's notebook: the bodies of the two functions, or nothing where the FIXME is left as it is."""
    notebook = source()
    fixme = 'raise NotImplementedError("FIXME: {}")'
    notebook.cells[1].source = DOUBLE.format(double or fixme.format("double"))
    notebook.cells[4].source = SQUARE.format(square or fixme.format("square"))
    notebook.cells[3].source = why or notebook.cells[3].source
    for index, name in ((2, "double"), (5, "square")):
        notebook.cells[index].source = f"assert {name}(0.0) == 0, 'at 0 it should be 0'"
    return notebook
