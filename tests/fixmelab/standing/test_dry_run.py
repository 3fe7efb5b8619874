"""A dry run finds what only one's own machine has, goes on after a cell that hangs, and says what that costs."""

import copy

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from fixmelab import restoring
from fixmelab.standing.dry_run import DryRun, dry_run
from fixmelab.standing.found import Found

NAMES = ("plain", "package", "file", "session", "hangs", "exits", "asks", "after", "leftover")


def cell(text: str, grade_id: str, **flags: object) -> NotebookNode:
    data = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False, **flags}
    return new_code_cell(text, metadata={"nbgrader": {**data, "grade_id": grade_id}})


def release() -> NotebookNode:
    cells = [cell("import math", "cell-0", locked=True)]
    for name in NAMES:
        stub = f'# exercise: {name}\ndef {name}():\n    raise NotImplementedError("FIXME: {name}")'
        tests = f'# tests: {name}\nassert {name}() == 1, "{name} is 1"'
        cells += [cell(stub, name, solution=True), cell(tests, f"test_{name}", grade=True, locked=True, points=2)]
    trains = cell("raise RuntimeError('this trains')", "cell-1", locked=True)
    trains.metadata.tags = ["train"]
    return new_notebook(cells=[*cells, trains])


@pytest.fixture(scope="module")
def tried(tmp_path_factory) -> DryRun:
    home = tmp_path_factory.mktemp("home")
    (home / "mine.txt").write_text("1")
    given = release()
    notebook = copy.deepcopy(given)
    answers = {
        "plain": "return 1",
        "package": "import no_such_package\n    return 1",
        "file": f"return int(open({str(home / 'mine.txt')!r}).read())",
        "session": "return only_in_my_session",
        "hangs": "while True: pass",
        "exits": "import os; os._exit(0)",
        "asks": "return int(input('which? '))",
        "after": "return 1 + 0 * len([plain, numpy, math]) + 0 * kept",
    }
    for one in notebook.cells:
        name = one.metadata.nbgrader.grade_id
        if name in answers:
            one.source = f"# exercise: {name}\ndef {name}():\n    {answers[name]}"
    notebook.cells.insert(1, new_code_cell("import numpy, no_such_package"))
    notebook.cells.insert(2, new_code_cell("from google.colab import drive; drive.mount('/content/drive')"))
    notebook.cells.insert(3, new_code_cell("%time print('a magic')\nsecret = 1 / 0\nkept = 1\ndel math"))
    return dry_run(Found("tiny", given, notebook, restoring.restore(given, notebook)), home, seconds=4)


def test_each_surprise_costs_its_own_exercise(tried: DryRun):
    wrong = {name: outcome.wrong for name, outcome in tried.memory.outcomes.items()}
    assert list(wrong) == list(NAMES)
    assert wrong["plain"] == wrong["after"] == ""
    assert wrong["package"].startswith("ModuleNotFoundError: No module named 'no_such_package' (your line 3: import")
    assert "mine.txt is not there when the notebook is graded" in wrong["file"]
    assert "only_in_my_session" in wrong["session"]
    assert wrong["hangs"] == "it took longer than 4 seconds"
    assert wrong["exits"] == "it ended the process"
    assert wrong["asks"].startswith("EOFError")
    assert wrong["leftover"] == "still open: fill in its cell, and run it"


def test_cells_that_fail_and_packages_that_may_lack_are_to_be_mended(tried: DryRun):
    first, second, third = tried.to_mend
    assert first == (
        "in a dry run cell 2 (`import numpy, no_such_package`) fails: "
        "ModuleNotFoundError: No module named 'no_such_package' (at: import numpy, no_such_package)"
    )
    assert second.startswith(
        "in a dry run cell 4 (`%time print('a magic')`) fails: ZeroDivisionError: division by zero"
    )
    assert third == "no_such_package does not come with the course, and the grading machine may lack it: do without it"
