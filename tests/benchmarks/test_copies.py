"""What the benchmark hands to the graders is fair: the same work, nothing of training, no two copies alike."""

import nbformat
import pytest

from autograder import cells, course


@pytest.fixture
def copies(imported):
    return imported("copies")


def test_no_training_cell_and_no_output_is_left(copies):
    for notebook in (copies.source(), *copies.submissions(1, "a").values()):
        assert all(cells.is_executed_in_grading(cell) for cell in notebook.cells if cell.cell_type == "code")
        assert not any(cell.get("outputs") for cell in notebook.cells)


def test_every_answer_of_every_copy_differs(copies):
    made = [*copies.submissions(2, "a").values(), *copies.submissions(2, "b").values()]
    answers = [cell.source for notebook in made for cell in notebook.cells if cells.is_fixme(cell)]
    assert len(set(answers)) == len(answers) > 40


def test_otter_gets_a_test_for_each_exercise_and_the_same_points(copies):
    tests = {}
    for name, text in copies.otter_tests(copies.source()).items():
        exec(text, tests.setdefault(name, {}))
    assert sum(item["test"]["points"] for item in tests.values()) == copies.automatic_points(copies.source())
    code = {name: item["test"]["suites"][0]["cases"][0]["code"] for name, item in tests.items()}
    assert not any("HIDDEN" in text or "probe" in text for text in code.values())
    source = course.read_source("vae")
    asserts = {
        cells.exercise_name(cell): sum(line.startswith("assert") for line in cell.source.split("\n"))
        for cell in source.cells
        if cells.is_tests(cell)
    }
    assert {name: text.count(">>> assert") for name, text in code.items()} == asserts
    notebook = copies.for_otter(copies.submissions(1, "a")["student000"])
    assert sum(cell.source.startswith("grader.check(") for cell in notebook.cells) == len(tests)
    nbformat.validate(notebook)


def test_statements_become_doctests(copies):
    code = "# a comment\nx = 1\n\nfor i in (1, 2):\n    assert i\nprint(x)"
    assert copies.as_doctest(code) == ">>> x = 1\n>>> for i in (1, 2):\n...     assert i\n>>> _ = print(x)\n"
