"""What a new notebook begins as: a text with one exercise and one question, and the folder that grades it."""

import re
from pathlib import Path

from autograder import course
from autograder.authoring.declared import ASSIGNMENTS
from autograder.errors import InputError, UsageError
from autograder.results import files

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

TEXT = '''\
# %% [markdown] minutes=1
# # TITLE
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

check("NAME.double", double)
### END HIDDEN TESTS

# %% [markdown] written="why_twice" points=3
# Why is twice enough?
#
# ### BEGIN MARK SCHEME
# Three points for any reason that convinces the reader.
# ### END MARK SCHEME
'''

FOLDER = {
    "__init__.py": '"""The notebook NAME: its exercises, in its order."""\n\nEXERCISES = ("double",)\n',
    "reference.py": '"""Right answers."""\n\n\ndef double(x):\n    """Twice x, of its shape."""\n    return 2 * x\n',
    "double.py": '''\
"""Twice a tensor. The commonest mistake adds two."""

from autograder.assignments.NAME import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("NAME.double")
def double(student: Remote, draw: Draw) -> None:
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


def write_new(name: str, root: Path | None = None) -> list[Path]:
    """Write the text and the folder of a new notebook, and return the files, relative to the course's folder.

    Raises UsageError for what can be no name of one, InputError if there is one of that name or a file cannot be
    written.
    """
    root = root or course.ROOT
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a notebook: use small letters, digits and underscores, as in flows_2d")
    folder = ASSIGNMENTS / name
    for path in (course.text_path(name, root), root / folder):
        if path.exists():
            raise InputError(f"{path.relative_to(root)} is there already; give another name")
    texts = {Path("notebooks", f"{name}.py"): TEXT} | {folder / file: text for file, text in FOLDER.items()}
    title = name.replace("_", " ").capitalize()
    for path, text in texts.items():
        files.write(root / path, text.replace("TITLE", title).replace("NAME", name))
    return list(texts)
