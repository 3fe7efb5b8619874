"""What decides before grading: which notebook it is, how long and how much it may use."""

import pytest

from autograder import course
from autograder.errors import InputError
from autograder.gradescope.container import GRADER_BYTES, LEAST_BYTES, limits_for, the_submission
from autograder.gradescope.settings import Settings
from autograder.sandbox.limits import Limits

NOTEBOOK = course.release_path("vae").read_bytes()


@pytest.mark.parametrize("name", ["vae.ipynb", "my homework.ipynb", "deep/er/Copy of vae.ipynb"])
def test_one_notebook_is_taken_whatever_it_is_called(tmp_path, name):
    path = tmp_path / "submission" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(NOTEBOOK)
    (tmp_path / "submission" / "notes.txt").write_text("left out")
    (tmp_path / "submission" / "__MACOSX").mkdir()
    (tmp_path / "submission" / "__MACOSX" / "._vae.ipynb").write_text("left out")
    found = the_submission("vae", tmp_path / "submission")
    assert (found.student, found.path, found.data) == ("submission", name, NOTEBOOK)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there is no notebook (.ipynb) in this submission"),
        ({"vae.py": b"print()"}, "there is no notebook (.ipynb) in this submission"),
        ({"a.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK}, "there are 2 notebooks, a.ipynb, b.ipynb: hand in one"),
        ({"one/vae.ipynb": NOTEBOOK, "one/two.ipynb": NOTEBOOK + b" "}, "keep one of them"),
        ({"vae.ipynb": b"{"}, "vae.ipynb"),
        ({"vae.ipynb": b""}, "vae.ipynb"),
        ({"vae.ipynb": NOTEBOOK, "old.ipynb": b"{"}, "old.ipynb"),
    ],
)
def test_anything_else_is_refused_without_telling_where_the_grader_is(tmp_path, files, said):
    for name, data in files.items():
        path = tmp_path / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "submission").mkdir(exist_ok=True)
    with pytest.raises(InputError) as refused:
        the_submission("vae", tmp_path / "submission")
    assert said in str(refused.value) and str(tmp_path) not in str(refused.value)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "vae.ipynb").symlink_to(course.source_path("vae"))
    with pytest.raises(InputError, match="is a link"):
        the_submission("vae", tmp_path / "submission")


def test_a_notebook_ends_well_before_gradescope_does():
    limits = limits_for(Settings(assignment="vae", max_score=1), 570, None)
    assert (limits.wall, limits.notebook) == (510, 510)
    assert limits_for(Settings(assignment="vae", max_score=1), 10**4, None) == Limits()


def test_memory_is_what_the_container_leaves_unless_it_is_set():
    settings = Settings(assignment="vae", max_score=1)
    assert limits_for(settings, 570, 2 * 2**30).memory == 2 * 2**30 - GRADER_BYTES
    assert limits_for(settings, 570, 2**29).memory == LEAST_BYTES
    assert limits_for(settings, 570, 2**40).memory == Limits().memory
    own = Settings(assignment="vae", max_score=1, limits=["memory=3G", "cell=5"])
    assert (limits_for(own, 570, 2**30).memory, limits_for(own, 570, 2**30).cell) == (3 * 2**30, 5)
