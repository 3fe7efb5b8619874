"""A new notebook is one text and one folder, and nothing else: every command takes it as it takes the others."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder import course


@pytest.fixture
def new_course(tmp_path: Path) -> Path:
    """A copy of this repository without any notebook."""
    root = tmp_path / "course"
    ignored = shutil.ignore_patterns("__pycache__", "cache", *course.assignment_names())
    for name in ("autograder", "fixmelab", "data", "docs"):
        shutil.copytree(course.ROOT / name, root / name, ignore=ignored)
    for name in ("README.md", "LICENSE", "pyproject.toml", "constraints.txt"):
        shutil.copy(course.ROOT / name, root)
    (root / "notebooks").mkdir()
    # The students' package is the installed one: the sandbox shows no other.
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "autograder").symlink_to(root / "autograder")
    return root


def mend(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


# Each command runs in a fork of a process that has imported what takes long: nothing of notebooks or assignments.
FORKS = """
import json, os, sys
import nbgrader.apps.api, torch
import autograder.authoring.proof, autograder.authoring.release, autograder.commands.app, autograder.grading.grade
for line in sys.stdin:
    *arguments, said, errors = json.loads(line)
    if os.fork() == 0:
        for number, path in ((1, said), (2, errors)):
            os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), number)
        sys.argv = ["autograder", *arguments]
        autograder.commands.app.main()
        sys.exit()
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.fixture
def autograder(tmp_path):
    """A function: what a command of the new course prints. It has to succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FIXMELAB_")}
    environment |= {"PYTHONPATH": str(tmp_path / "path"), "COLUMNS": "200"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", FORKS], cwd=tmp_path, env=environment, text=True, **pipes) as forks:

        def run(*arguments: object) -> str:
            said, errors = (tmp_path / f"{secrets.token_hex(4)}.{kind}" for kind in ("said", "errors"))
            print(json.dumps([*map(str, (*arguments, said, errors))]), file=forks.stdin, flush=True)
            assert forks.stdout.readline() == "0\n", said.read_text() + errors.read_text()
            return said.read_text()

        yield run
        forks.stdin.close()


def hand_in(root: Path, student: str, answer: str) -> None:
    notebook = nbformat.read(root / "release/doubling/doubling.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.source.startswith("# exercise: double"))
    cell.source = cell.source.replace('raise NotImplementedError("FIXME: double")', f"return {answer}")
    place = root / "submitted" / student / "doubling" / "doubling.ipynb"
    place.parent.mkdir(parents=True)
    nbformat.write(notebook, place)


@pytest.mark.slow
def test_a_new_notebook_is_one_text_and_one_folder(new_course, autograder, tmp_path):
    assert autograder("new", "doubling", "--seeds", 2, "--jobs", 1).splitlines() == [
        "written  notebooks/doubling.py",
        *(f"written  autograder/assignments/doubling/{name}.py" for name in ("__init__", "reference", "double")),
        "doubling: 2 exercises, 5 points, built",
        "doubling: 1 exercises, 1 mistakes, 1 equivalents, 2 seeds: all as they must be",
    ]
    assert autograder("build", "--check") == "doubling: 2 exercises, 5 points, up to date\n"
    readme = (new_course / "README.md").read_text()
    assert "| [Doubling](release/doubling/doubling.ipynb) | 2 | 5 | 1 | [![Open in Colab](" in readme
    assert "on 1 wrong answers: " in readme

    hand_in(new_course, "ada", "x + x")
    hand_in(new_course, "bob", "x + 2")
    autograder("grade", "doubling", new_course / "submitted", "--out", tmp_path / "graded", "--jobs", 1)
    results = json.loads((tmp_path / "graded" / "results.json").read_text())
    found = {
        item["student"]: [(one["id"], one["verdict"], one["score"], one["mistake"]) for one in item["exercises"]]
        for item in results["submissions"]
    }
    written = ("doubling.why_twice", "missing", 0, None)
    assert found == {
        "ada": [("doubling.double", "pass", 2, None), written],
        "bob": [("doubling.double", "fail", 0, "adds_two"), written],
    }

    # A typo and other points regrade nobody; a mended check does.
    mend(new_course / "notebooks/doubling.py", ("is twice enough", "is that enough"), ("points=2", "points=4"))
    mend(new_course / "autograder/assignments/doubling/double.py", ("Two is added.", "You add two."))
    autograder("build")
    submitted, graded = new_course / "submitted", tmp_path / "graded"
    said = autograder("grade", "doubling", submitted, "--out", graded, "--jobs", 1)
    assert "  2 students: double was judged anew, because of its check\n" in said
    assert "  double: pass 2 of 2 → pass 4 of 4, because of its check and the source: 1: ada\n" in said

    autograder("publish", tmp_path / "homework", "--repo", "ada/homework")
    published = (tmp_path / "homework" / "release/doubling/doubling.ipynb").read_text()
    assert "github/ada/homework/blob/main/release/doubling/doubling.ipynb" in published and "2 * x" not in published
    assert "| Doubling | " in (tmp_path / "homework" / "README.md").read_text()

    autograder("gradescope", "doubling", "--out", tmp_path / "doubling.zip")
    held = zipfile.ZipFile(tmp_path / "doubling.zip").namelist()
    assert {"course/source/doubling/doubling.ipynb", "course/autograder/assignments/doubling/double.py"} <= {*held}
