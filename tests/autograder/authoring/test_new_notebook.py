"""A new notebook is one text and one folder, and nothing else: every command takes it as it takes the others."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder import course

TEXT = '''\
# %% [markdown] minutes=1
# # Doubling
#
# [Open in Colab](https://colab.research.google.com/github/{{repository}}/blob/main/release/{{name}}/{{name}}.ipynb)

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("fixmelab") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "git+https://github.com/{{repository}}"], check=True)

# %%
import torch

# %% exercise="double"
# exercise: double
def double(x):
    """Twice x, a tensor of any shape."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% tests="double" points=2
assert double(torch.zeros(3)).sum() == 0, "twice nothing is nothing"
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("doubling.double", double)
### END HIDDEN TESTS

# %% [markdown] written="why_twice" points=3
# Why is twice enough?
#
# ### BEGIN MARK SCHEME
# Three points for any reason that convinces the reader.
# ### END MARK SCHEME
'''
FOLDER = {
    "__init__.py": '"""The notebook on doubling."""\n\nEXERCISES = ("double",)\n',
    "reference.py": '"""Right answers."""\n\n\ndef double(x):\n    return 2 * x\n',
    "double.py": '''\
"""Twice a tensor. The commonest mistake adds two."""

from autograder.assignments.doubling import reference
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect


@exercise("doubling.double")
def double(student, draw):
    x = draw.normal(5, 3)
    expect(student(x)).shape(5, 3).close(reference.double(x))


@mistake("Two is added. Multiply by it.")
def adds_two(x):
    return x + 2


@equivalent
def adds_itself(x):
    return x + x
''',
}


@pytest.fixture
def new_course(tmp_path: Path) -> Path:
    """A copy of this repository in which the new notebook stands in the place of all others, as its author wrote it."""
    root = tmp_path / "course"
    ignored = shutil.ignore_patterns("__pycache__", "cache", *course.assignment_names())
    for name in ("autograder", "fixmelab", "data", "docs"):
        shutil.copytree(course.ROOT / name, root / name, ignore=ignored)
    for name in ("README.md", "LICENSE", "pyproject.toml", "constraints.txt"):
        shutil.copy(course.ROOT / name, root)
    files = {"notebooks/doubling.py": TEXT}
    files |= {f"autograder/assignments/doubling/{name}": content for name, content in FOLDER.items()}
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    # The students' package is the installed one: the sandbox shows no other.
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "autograder").symlink_to(root / "autograder")
    return root


def autograder(root: Path, *arguments: object) -> str:
    """What a command of the course at `root` prints. It has to succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FIXMELAB_")}
    environment |= {"PYTHONPATH": str(root.parent / "path"), "COLUMNS": "200"}
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    done = subprocess.run(command, cwd=root.parent, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def hand_in(root: Path, student: str, answer: str) -> None:
    notebook = nbformat.read(root / "release/doubling/doubling.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.source.startswith("# exercise: double"))
    cell.source = cell.source.replace('raise NotImplementedError("FIXME: double")', f"return {answer}")
    place = root / "submitted" / student / "doubling" / "doubling.ipynb"
    place.parent.mkdir(parents=True)
    nbformat.write(notebook, place)


@pytest.mark.slow
def test_a_new_notebook_is_one_text_and_one_folder(new_course, tmp_path):
    assert autograder(new_course, "build") == "doubling: 2 exercises, 5 points, built\n"
    assert autograder(new_course, "build", "--check") == "doubling: 2 exercises, 5 points, up to date\n"
    readme = (new_course / "README.md").read_text()
    assert "| [Doubling](release/doubling/doubling.ipynb) | 2 | 5 | 1 | [![Open in Colab](" in readme
    assert "on 1 wrong answers: " in readme

    proved = autograder(new_course, "prove", "--seeds", 2, "--jobs", 1)
    assert proved == "doubling: 1 exercises, 1 mistakes, 1 equivalents, 2 seeds: all as they must be\n"

    hand_in(new_course, "ada", "x + x")
    hand_in(new_course, "bob", "x + 2")
    autograder(new_course, "grade", "doubling", new_course / "submitted", "--out", tmp_path / "graded", "--jobs", 1)
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

    autograder(new_course, "publish", tmp_path / "homework", "--repo", "ada/homework")
    published = (tmp_path / "homework" / "release/doubling/doubling.ipynb").read_text()
    assert "github/ada/homework/blob/main/release/doubling/doubling.ipynb" in published and "2 * x" not in published
    assert "| Doubling | " in (tmp_path / "homework" / "README.md").read_text()

    autograder(new_course, "gradescope", "doubling", "--out", tmp_path / "doubling.zip")
    held = zipfile.ZipFile(tmp_path / "doubling.zip").namelist()
    assert {"course/source/doubling/doubling.ipynb", "course/autograder/assignments/doubling/double.py"} <= {*held}
