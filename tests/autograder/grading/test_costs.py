"""What a hostile notebook may cost: twice as many cells, bytes or students are about twice the work, never more."""

import ast
import functools
import json
import zipfile
from datetime import datetime, timezone

import nbformat
import pytest
from nbformat import NotebookNode

from autograder import cells, course
from autograder.errors import InputError
from autograder.exports.canvas import canvas
from autograder.exports.junit import junit
from autograder.exports.markdown import markdown
from autograder.exports.spreadsheet import spreadsheet
from autograder.grading import messages
from autograder.grading.reading import read_notebook
from autograder.grading.restoring import restore
from autograder.grading.source_text import release_text
from autograder.grading.submitted.member_names import member_names
from autograder.judge import uses
from autograder.judge.draw import Draw
from autograder.judge.student import student_of
from autograder.judge.verdict import AnswerRaised
from autograder.reports.index import index_page
from autograder.reports.table import results_table
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult
from autograder.sandbox import kernel
from autograder.sandbox.outputs import Outputs
from fixmelab import ipython_cells, notebooks
from fixmelab.judged import wire
from fixmelab.restoring import cell_text
from fixmelab.restoring.assembly import places_of_additions
from fixmelab.restoring.likeness import similarity, tokens
from fixmelab.restoring.sides import StudentCell
from fixmelab.restoring.state import State
from tests.autograder.counted import growth

MOST_GROWTH = 2.5
PARSE = ast.parse


def loop(count: int) -> None:
    for _ in range(count):
        for _ in range(count):
            pass


@pytest.mark.parametrize(
    "work",
    [loop, lambda n: [0 for _ in range(n) for _ in range(n)], lambda n: sum(0 for _ in range(n * n))],
    ids=["statements", "list", "generator"],
)
def test_a_loop_within_a_loop_is_seen(work):
    assert growth(lambda count: functools.partial(work, count), 30) > 3.5


@pytest.fixture(scope="module")
def source() -> NotebookNode:
    return course.read_source("vae")


def written(text: str) -> dict:
    nbgrader = {"grade_id": "gradient_inside", "grade": True, "solution": True, "points": 2, "schema_version": 3}
    return {"cell_type": "markdown", "metadata": {"nbgrader": nbgrader}, "source": text}


def code(text: str, name: str = "") -> dict:
    nbgrader = {"nbgrader": {"grade_id": name, "solution": True}} if name else {}
    return {"cell_type": "code", "metadata": nbgrader, "source": text, "outputs": [], "execution_count": None}


@functools.cache
def names() -> list[str]:
    return [name for cell in course.read_source("vae").cells if cells.is_fixme(cell) for name in cells.anchors(cell)]


def every_name(number: int, body: str = "raise NotImplementedError('FIXME: {name}')") -> str:
    return "".join(f"def {name}(*all):\n    {body.format(name=name)}\n" for name in names()) + f"x{number} = 1"


@functools.cache
def words() -> list[str]:
    return [word for cell in course.read_source("vae").cells for word in cell.source.split()]


# The cells numbered so of a hostile notebook.
SHAPES = {
    "parts of one written answer": lambda n: written(" ".join(f"word{n}x{k}" for k in range(30))),
    "stubs of one written answer": lambda n: written("*Write your answer here.*" + " " * n),
    "versions of one answer in code": lambda n: code(f"# exercise: gaussian_kl\ndef gaussian_kl(a): return {n}"),
    "answers with one id": lambda n: code(f"def gaussian_kl(a): return {n}", "gaussian_kl"),
    "stubs of one answer in code": lambda n: code(f"#{n}\n" + every_name(n), "gaussian_kl"),
    "cells that define every name": lambda n: code(every_name(n)),
    "answers to everything": lambda n: code(every_name(n, "return 1")),
    "cells with every anchor": lambda n: code("\n".join(f"# exercise: {name}" for name in names()) + f"\nx = {n}"),
    "cells that use each other": lambda n: code(f"a{n} = " + " + ".join(f"a{k}" for k in range(60))),
    "cells like the assignment's": lambda n: code(" ".join(words()[n % 50 : n % 50 + 60])),
    "locked cells once more": lambda n: code(f"import math\n\nimport matplotlib.pyplot as plt\nimport torch\nx = {n}"),
    "one id of a locked cell": lambda n: code(f"x = {n}", "cell-1f14e6ff46b8"),
    "cells in no order": lambda n: code(f"# exercise: {names()[-1 - n % len(names())]}\nx = {n}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_restoring_twice_as_many_cells_is_twice_the_work(source, shape):
    def prepared(count: int):
        # No two counts have a text in common, so that none is remembered.
        own = [SHAPES[shape](1000 * count + number) for number in range(count)]
        submission = nbformat.from_dict({"cells": [*source.cells, *own], "metadata": {}, "nbformat": 4})
        return lambda: restore(source, submission, assignment="vae")

    prepared(5)()  # what is remembered of the source
    assert growth(prepared, 80) < MOST_GROWTH


def test_twice_as_many_additions_are_placed_in_twice_the_work():
    def prepared(count: int):
        added = [StudentCell(number, nbformat.from_dict(code(f"a{number} = a{number + 1}"))) for number in range(count)]
        state = State([], added, "vae")
        assert all(cell.tokens and cell.defines for cell in added)
        return lambda: places_of_additions(state)

    assert growth(prepared, 80) < MOST_GROWTH


def shuffled(count: int) -> list[str]:
    return [str(number * 7919 % count) for number in range(count)]


# Two texts of about so many words.
PAIRS = {
    "the same word": lambda n: (["("] * n, ["("] * n),
    "the same words in another order": lambda n: (shuffled(n), [str(number) for number in range(n)]),
    "a word between any two": lambda n: (
        [str(k // 2) if k % 2 else "," for k in range(2 * n)],
        list(map(str, range(n))),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_no_text_is_slow_to_compare(pair):
    assert growth(lambda n: lambda: similarity(*PAIRS[pair](n), 0.0), 200) < MOST_GROWTH
    assert similarity(*PAIRS[pair](300), 0.0) > 0


def test_of_a_long_text_only_the_beginning_is_compared():
    assert len(tokens("a " * 10**6)) == 1_000


OLD = {"nbformat": 3, "nbformat_minor": 0}
# Bytes of a notebook, of the given number of things.
BYTES = {
    "cells": lambda n: {"cells": [code(f"x = {k}") for k in range(n)]},
    "outputs": lambda n: {"cells": [code("1") | {"outputs": [{"output_type": "stream", "text": ["x"]}] * n}]},
    "lines": lambda n: {"cells": [code("x") | {"source": ["x\n"] * n}]},
    "values": lambda n: {"cells": [], "metadata": {"held": [{"a": [k]} for k in range(n)]}},
    "depth and width": lambda n: {"cells": [], "metadata": {"held": [[[[[k] * 9]]] for k in range(n)]}},
    "tags": lambda n: {"cells": [code("x") | {"metadata": {"tags": [str(k) for k in range(n)]}}]},
    "cells of an older format": lambda n: {"worksheets": [{"cells": [older(["a"]) for _ in range(n)]}], **OLD},
    "tags of an older format": lambda n: {
        "worksheets": [{"cells": [older([{str(k): k} for k in range(n)])]}], **OLD
    },
}  # fmt: skip


def older(tags: list) -> dict:
    return {"cell_type": "code", "input": "x", "language": "python", "outputs": [], "metadata": {"tags": tags}}


@pytest.mark.parametrize("kind", BYTES)
def test_reading_twice_as_many_bytes_is_twice_the_work(kind):
    def prepared(count: int):
        data = json.dumps({"metadata": {}, "nbformat": 4, "nbformat_minor": 5, **BYTES[kind](count)}).encode()
        return lambda: read_notebook(data, "ada.ipynb")

    prepared(3)()
    assert growth(prepared, 300) < MOST_GROWTH


@pytest.mark.parametrize("values", ["[],", '{"":{}},', "1,", '"",', '"\\\\","\\"",'])
def test_a_notebook_of_too_many_values_is_refused_before_they_are_made(values, monkeypatch):
    monkeypatch.setattr(notebooks, "MAX_VALUES", 1_000)
    held = '{"cells": [], "metadata": {"held": [%s 0]}}'
    assert read_notebook((held % (values * 100)).encode(), "ada.ipynb").cells == []
    monkeypatch.setattr(notebooks.json, "loads", lambda text: pytest.fail("it was parsed"))
    with pytest.raises(InputError, match=r"ada\.ipynb: holds more than 1000 values; .* without its largest outputs"):
        read_notebook((held % (values * 1_200)).encode(), "ada.ipynb")


def test_what_stands_in_texts_is_no_value(monkeypatch):
    monkeypatch.setattr(notebooks, "MAX_VALUES", 100)
    text = '[{,,"\\' * 1_000
    notebook = {"cells": [{"cell_type": "markdown", "source": text}], "metadata": {}}
    assert read_notebook(json.dumps(notebook).encode(), "ada.ipynb").cells[0].source == text


class Scanned(str):
    """Text that adds up what is scanned of it."""

    scanned = 0

    def count(self, part, start=0, end=None):
        Scanned.scanned += (len(self) if end is None else end) - start
        return super().count(part, start, end)


def test_a_cell_of_anchors_is_looked_through_once():
    Scanned.scanned = 0
    text = Scanned("# exercise: one\n" * 500 + "x = y\n")
    assert uses.identifiers(text, "one") == {"y"}
    assert Scanned.scanned <= 2 * len(text)
    assert growth(lambda n: lambda: uses.identifiers("# exercise: one\n" * n, "one"), 300) < MOST_GROWTH


def test_open_fixmes_are_found_in_one_pass():
    def prepared(count: int):
        text = "def f():\n" + " raise X\n" * count + " return 1\n" * count
        return lambda: cell_text.is_still("stub", text, is_code=True)

    assert growth(prepared, 80) < MOST_GROWTH


# A text with so many of what an expression has to look at, all of it in vain.
VAIN = {
    "blanks before an anchor": lambda n: " " * n + "x",
    "an anchor that goes on": lambda n: "# exercise: " + "a" * n + " " * n + "x",
    "half of addresses": lambda n: "https://colab.research.google.com/github/a/b/blob/" * n + "x/" * n,
    "a path without an end": lambda n: "https://colab.research.google.com/github/" + "a" * n + "/" + "b" * n,
    "a branch without an end": lambda n: "git+https://github.com/a/b@" + "c" * n,
    "a function without a name": lambda n: "async" + " " * n + "def" + " " * n,
    "an assignment of nothing": lambda n: "a" * n + " " * n + ":" + "b" * n,
    "markers": lambda n: "### BEGIN SOLUTION ### END HIDDEN TESTS" * n + " " * n,
    "escapes": lambda n: "\x1b[" + "0;" * n + " " * n + "\x1b]" + "x" * n,
    "blanks before nothing": lambda n: " " * n + ")",
    "blank lines before nothing": lambda n: "x = 1" + "\n" * n + "y = 2",
    "a command behind blanks": lambda n: "!ls\n" * 3_000 + " " * n + ")",
}


@pytest.mark.parametrize("kind", VAIN)
def test_no_text_is_slow_to_read(kind):
    """Expressions run in C, where no step is counted: a million characters are read at once, or this never ends."""
    text = VAIN[kind](200_000)
    plain = cell_text.tidy(text)
    cell_text.syntax_of(plain)
    cells.ANCHOR.findall(plain)
    release_text({"source": text, "metadata": {}})
    messages.clean(text)
    cell_text.without_fence(text)
    ipython_cells.as_python(text[: cell_text.MAX_PARSED])  # no more of it is parsed
    ipython_cells.is_left_as_it_is(text)
    cell_text.additions(text, frozenset(), frozenset(), cell_text.IMPORTS)


def test_nothing_longer_is_parsed_than_pythons_parser_can_bear(source, monkeypatch):
    parsed: list[int] = []
    monkeypatch.setattr(ast, "parse", lambda text: parsed.append(len(text)) or PARSE(text))
    locked = next(cell for cell in source.cells if cell.cell_type == "code" and not cells.is_answer(cell))
    edited = code(locked.source + "\nx = " + "1 + " * 5_000 + "1") | {"metadata": locked.metadata}
    submission = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code(every_name(1)), edited]}
    restore(source, nbformat.from_dict(submission), assignment="vae")
    assert parsed and max(parsed) <= cell_text.MAX_PARSED


@pytest.mark.parametrize(
    "name", [b"a" * 40 + b"\xff", b"\x80" * 40 + b"a", b"\xe1" * 40 + b"\xff", b"ab\x81" * 20 + b"\xff"]
)
def test_no_name_in_a_zip_is_slow_to_read(name):
    member = zipfile.ZipInfo(name.decode("cp437"))
    assert member_names([member]) == ([name.decode("cp437")], False)


def test_what_an_exception_says_is_cut_before_patterns_are_looked_for_in_it():
    long = {"type": "E" * 10**6, "text": "x" * 10**6, "where": "y" * 10**6}
    student, session = student_of(lambda body, answer: wire.encode({"error": long}), Draw(bytes(8)))
    with pytest.raises(AnswerRaised) as raised:
        student(1)
    assert len(str(raised.value)) < 5_000 and max(len(said) for _, said in session.transcript) <= 100
    (error,) = kernel._errors([{"name": "E" * 10**6, "text": "x" * 10**6, "traceback": "y" * 10**7, "line": 3}])
    assert (len(error.name), len(error.text), len(error.traceback)) == tuple(kernel.MOST_OF_AN_ERROR.values())


def test_an_update_costs_as_much_as_it_changes():
    """Thousands of outputs that all change to a long text would make a notebook of gigabytes."""
    shown = Outputs("", 100_000)
    for _ in range(300):
        shown.take({"display": {"text/plain": "x"}, "metadata": {}, "id": "one"})
    for _ in range(300):
        shown.take({"update": {"text/plain": "y" * 20_000}, "metadata": {}, "id": "one"})
    assert len(json.dumps(shown.cell)) < 2 * 100_000
    assert "more than 100000 characters" in shown.cell.outputs[-1].text


def a_run(count: int) -> RunResult:
    exercises = [
        ExerciseResult(id=f"vae.{name}", verdict="fail", score=0.0, max_score=1.0, message=f"because {count}")
        for name in names()[:5]
    ]
    most = float(len(exercises))
    submissions = [
        SubmissionResult(
            student=f"student {number}", path=f"{number}.ipynb", digest="0" * 64, score=0.0, max_score=most,
            manual_max_score=0.0, repairs=[],
            exercises=[item.model_copy(update={"message": f"own {number}"}) for item in exercises],
        )
        for number in range(count)
    ]  # fmt: skip
    return RunResult(assignment="vae", digest="0" * 64, budget="smoke", sandbox=True, submissions=submissions)


SHOWN = {
    "the report": lambda run, source: "".join(index_page(run, source)),
    "the table": lambda run, source: results_table(run),
    "a spreadsheet": lambda run, source: spreadsheet(run),
    "Canvas": lambda run, source: canvas(run),
    "Markdown": lambda run, source: markdown(run),
    "JUnit": lambda run, source: junit(run, written=datetime.now(timezone.utc)),
    "results.json": lambda run, source: run.model_dump_json(),
}


@pytest.mark.parametrize("form", SHOWN)
def test_showing_twice_as_many_students_is_twice_the_work(form, source):
    def prepared(count: int):
        run = a_run(count)
        return lambda: SHOWN[form](run, source)

    prepared(2)()
    assert growth(prepared, 60) < MOST_GROWTH
