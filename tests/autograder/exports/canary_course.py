"""A course of one small notebook in which every hidden place holds a canary: a word that stands nowhere else.

Canaries are letters and digits alone, so that no escaping changes them.
"""

from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.judge.draw import Draw
from autograder.judge.exercise import Equivalent, Exercise, Mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote

CANARIES = {
    name: f"canary{name}zq"
    for name in (
        "solution",
        "hiddentest",
        "markscheme",
        "metadata",
        "sourceoutput",
        "inputtext",
        "expectedtext",
        "checkname",
        "referencename",
        "mistakename",
        "mistakecode",
        "equivalentname",
    )
}
INPUT, EXPECTED = 31337.125, 948217.375
NUMBERS = ("31337", "948217")

# What students are meant to read: it has to be in every form that holds messages.
SENTENCE = "Times three is meant, not plus three."
HEADING = "A heading that everybody sees"


def canaryreferencenamezq(x: float) -> float:
    return EXPECTED if x == INPUT else 3 * x


def canarychecknamezq(student: Remote, draw: Draw) -> None:
    """canarychecknamezq"""
    x = draw.normal(5, 3)
    expect(student(x)).shape(5, 3).close(3 * x)
    expect(student(INPUT)).close(canaryreferencenamezq(INPUT))


def check_word(student: Remote, draw: Draw) -> None:
    answer = student("canaryinputtextzq")
    expect(answer).holds(answer == "canaryexpectedtextzq", "The word is not the right one.")


def plus_three(x: Any) -> Any:
    canarymistakecodezq = 3
    return x + canarymistakecodezq


EXERCISES = {
    "toy.triple": Exercise(
        "toy.triple",
        canarychecknamezq,
        (Mistake("canarymistakenamezq", SENTENCE, plus_three),),
        (Equivalent("canaryequivalentnamezq", canaryreferencenamezq),),
    ),
    "toy.word": Exercise("toy.word", check_word),
}

BODIES = {"triple": "return 3 * x", "word": 'return "a"'}
STUB = "*Write your answer here.*"


def _metadata(**nbgrader: Any) -> dict:
    data = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": data | nbgrader, "author": "canarymetadatazq"}


def _answer(name: str, body: str) -> str:
    return f"# exercise: {name}\ndef {name}(x):\n    {body}"


def _tests(name: str) -> str:
    hidden = f'from fixmelab.probe import check\n# canaryhiddentestzq\ncheck("toy.{name}", {name})'
    return f"assert callable({name}), 'a function is wanted'\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"


def source() -> Any:
    """The instructor's notebook."""
    scheme = "### BEGIN MARK SCHEME\n## canarymarkschemezq\n### END MARK SCHEME"
    cells = [new_markdown_cell(f"# {HEADING}\n{scheme}", metadata=_metadata(grade_id="cell-title", locked=True))]
    for name, body in BODIES.items():
        solution = f"### BEGIN SOLUTION\n    canarysolutionzq = 1\n    {body}\n    ### END SOLUTION"
        cells.append(new_code_cell(_answer(name, solution), metadata=_metadata(grade_id=name, solution=True)))
        tests = new_code_cell(_tests(name), metadata=_metadata(grade_id=f"test_{name}", grade=True, points=2))
        tests.outputs = [new_output("stream", text="canarysourceoutputzq")]
        cells.append(tests)
    cells.append(new_markdown_cell(f"Why?\n{scheme}", metadata=_metadata(grade_id="question_why", locked=True)))
    written = _metadata(grade_id="why", grade=True, solution=True, points=3)
    cells.append(new_markdown_cell(STUB, metadata=written))
    notebook = new_notebook(cells=cells)
    notebook.metadata["course"] = "canarymetadatazq"
    return notebook


def submission(triple: str | None = None, word: str | None = None, why: str = STUB) -> Any:
    """A student's notebook, made from a release in which nothing hidden is left."""
    notebook = source()
    notebook.metadata.pop("course")
    bodies = {"triple": triple, "word": word}
    for cell in notebook.cells:
        cell.metadata.pop("author")
        name = cell.metadata["nbgrader"]["grade_id"]
        cell.source = cell.source.partition("### BEGIN")[0]
        if name in bodies:
            cell.source = _answer(name, bodies[name] or f'raise NotImplementedError("FIXME: {name}")')
        if name == "why":
            cell.source = why
        if cell.cell_type == "code":
            cell.outputs = []
    return notebook
