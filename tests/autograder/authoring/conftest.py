"""A small course in a temporary folder: one notebook with every sort of cell, and what grades it."""

from pathlib import Path

import pytest

TEXT = '''\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown] minutes=2
# # Tiny
# [Open in Colab](https://colab.research.google.com/github/{{repository}}/blob/main/release/{{name}}/{{name}}.ipynb)

# %%
# %pip install -q git+https://github.com/{{repository}}

# %%
import math

START = 1.5

# %% [markdown]
# Numbers that go through a line.

# %% exercise="mix_noise"
# exercise: mix_noise
def mix_noise(mu, sigma, eps):
    """A sample of N(mu, sigma²)."""
    ### BEGIN SOLUTION
    scaled = sigma * eps  # not its square
    return mu + scaled
    ### END SOLUTION

# %%
print(START)

# %% tests="mix_noise" points=2
assert mix_noise(1, 0, 5) == 1, "With sigma = 0 there is no noise."
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("tiny.mix_noise", mix_noise)
### END HIDDEN TESTS

# %% exercise="first_half"
# exercise: first_half
class Pair:
    def __init__(self, left, right):
        self.left, self.right = left, right

    def first(self):
        """A third of the left, and the right."""
        ### BEGIN SOLUTION
        return self.left / 3 + self.right
        ### END SOLUTION

    # exercise: second_half
    def second(self):
        if self.right:
            ### BEGIN SOLUTION
            return math.hypot(
                self.left - 1,
                self.right + 1,
            )
            ### END SOLUTION

# %% tests="first_half" points=1
assert Pair(0, 2).first() == 2, "With nothing on the left, the right is all."
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("tiny.first_half", Pair)
### END HIDDEN TESTS

# %% tests="second_half" points=1.5
### BEGIN HIDDEN TESTS
from fixmelab.probe import check

check("tiny.second_half", Pair)
### END HIDDEN TESTS

# %%
print(START)

# %% tags=["train"]
losses = [START / step for step in range(1, 4)]

# %% [markdown] written="why_noise" points=3
# Why does the noise enter from outside?
#
# ### BEGIN MARK SCHEME
# Two points for the gradient that passes through the mean;
# one for the words deterministic given the noise.
# ### END MARK SCHEME
'''

REFERENCE = '''\
"""Reference answers."""


def mix_noise(mu, sigma, eps):
    product = eps * sigma
    return sum((mu, product))


def sum_of_halves(left, right):
    return (3 * right + left) / 3
'''

ORDER = '''\
"""The tiny notebook."""

EXERCISES = ("mix_noise", "first_half", "second_half")
'''

MIX_NOISE = '''\
"""How the noise enters."""

from autograder.assignments.tiny import reference
from autograder.judge.exercise import equivalent, exercise, mistake


def _probe_points(draw):
    return [draw.normal(count + 2, 7) for count in range(3)]


@exercise("tiny.mix_noise")
def mix_noise(student, draw):
    expect(student(0.73519, 2.0, 1.0)).holds(True, "The noise must be scaled once, neither twice nor never.")


@mistake("The noise is scaled by the variance here. Take the standard deviation.")
def scales_by_variance(mu, sigma, eps):
    return mu + sigma**2 * eps


@equivalent
def written_backwards(mu, sigma, eps):
    return eps * sigma + mu
'''

HALF = '''\
"""One half."""

from autograder.judge.exercise import exercise


@exercise("tiny.{name}")
def {name}(student, draw):
    pass
'''

PROBE = '''\
"""Stands in for the judge: knows the right answers and raises AssertionError."""


def check(exercise, answer):
    if exercise == "tiny.mix_noise":
        assert answer(1, 2, 3) == 7
    if exercise == "tiny.first_half":
        assert answer(3, 4).first() == 5
    if exercise == "tiny.second_half":
        assert answer(4, 3).second() == 5
'''


README = """\
# A course
Words of its author.
<!-- notebooks: written by autograder build -->
<!-- end of notebooks -->
More words.
"""


@pytest.fixture
def tiny_course(tmp_path: Path) -> Path:
    """The root of a small course that has not been built."""
    return write_tiny_course(tmp_path / "course")


def write_tiny_course(root: Path) -> Path:
    files = {
        "pyproject.toml": '[project.urls]\nRepository = "https://github.com/owner/course"\n',
        "README.md": README,
        "notebooks/tiny.py": TEXT,
        "autograder/assignments/tiny/__init__.py": ORDER,
        "autograder/assignments/tiny/reference.py": REFERENCE,
        "autograder/assignments/tiny/mix_noise.py": MIX_NOISE,
        "autograder/assignments/tiny/first_half.py": HALF.format(name="first_half"),
        "autograder/assignments/tiny/second_half.py": HALF.format(name="second_half"),
        "fixmelab/__init__.py": '"""The students\' package."""\n\nimport math\n\nHALF = math.pi / 2\n',
        "fixmelab/probe.py": PROBE,
    }
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")
    return root
