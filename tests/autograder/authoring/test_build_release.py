"""Source to release, and nbgrader's own commands on the same course."""

import os
import shutil
import sqlite3
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from traitlets.config import Config

from autograder import cells, course
from autograder.authoring.build import build
from autograder.authoring.release import release_from_source
from autograder.authoring.text import source_from_text
from autograder.errors import InputError
from autograder.nbgrader_settings import settings, take_small_budget
from tests import plain_nbgrader


@pytest.fixture
def release(tiny_course) -> dict[str, nbformat.NotebookNode]:
    """Cells of the tiny release by their id."""
    source = source_from_text(tiny_course / "notebooks/tiny.py", "owner/course")
    return {cell.id: cell for cell in release_from_source(source, "tiny").cells}


def test_each_stub_names_the_nearest_anchor_above(release):
    assert release["mix_noise"].source == "\n".join(
        [
            "# exercise: mix_noise",
            "# 2 points",
            "def mix_noise(mu, sigma, eps):",
            '    """A sample of N(mu, sigma²)."""',
            '    raise NotImplementedError("FIXME: mix_noise")',
        ]
    )
    stubs = [line for line in release["first_half"].source.split("\n") if "raise" in line]
    assert stubs == [
        '        raise NotImplementedError("FIXME: first_half")',
        '            raise NotImplementedError("FIXME: second_half")',
    ]
    compile(release["first_half"].source, "release", "exec")


def test_hidden_tests_and_mark_schemes_are_gone_without_a_trace(release):
    assert release["test_mix_noise"].source == (
        '# tests: mix_noise\nassert mix_noise(1, 0, 5) == 1, "With sigma = 0 there is no noise."'
    )
    assert release["test_second_half"].source == "# tests: second_half"
    assert release["question_why_noise"].source == "*3 points*\n\nWhy does the noise enter from outside?"
    assert release["why_noise"].source == cells.ANSWER_STUB


def test_cells_keep_their_roles_and_are_empty_of_outputs(tiny_course, release):
    source = source_from_text(tiny_course / "notebooks/tiny.py", "owner/course")
    assert [cell.id for cell in source.cells] == list(release)
    for cell in source.cells:
        found = release[cell.id]
        assert cells.points(found) == cells.points(cell)
        assert cells.tags(found) == cells.tags(cell)
        assert found.metadata.deletable is False
        assert found.metadata.get("editable", True) is cells.is_answer(cell)
        assert not found.get("outputs") and found.get("execution_count") is None


def test_the_process_is_left_as_it_was(tiny_course):
    before = os.getcwd(), dict(os.environ)
    source = source_from_text(tiny_course / "notebooks/tiny.py", "owner/course")
    release_from_source(source, "tiny")
    assert (os.getcwd(), dict(os.environ)) == before


def test_what_nbgrader_refuses_is_one_line(tiny_course):
    source = source_from_text(tiny_course / "notebooks/tiny.py", "owner/course")
    source.cells[0].metadata.nbgrader.grade_id = source.cells[1].metadata.nbgrader.grade_id
    with pytest.raises(InputError, match=r"^nbgrader makes no release of tiny: .*Duplicate grade id") as caught:
        release_from_source(source, "tiny")
    assert "\n" not in str(caught.value)


def test_plain_autograde_takes_the_small_budget_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("FIXMELAB_BUDGET", raising=False)
    assert settings().Autograde.pre_convert_hook is take_small_budget
    take_small_budget(assignment="tiny", student="ada", notebooks=[])
    assert os.environ["FIXMELAB_BUDGET"] == "smoke"
    monkeypatch.setenv("FIXMELAB_BUDGET", "cpu")
    take_small_budget()
    assert os.environ["FIXMELAB_BUDGET"] == "cpu"


def test_the_config_file_gives_these_settings():
    config = Config()
    path = course.ROOT / "nbgrader_config.py"
    exec(compile(path.read_text(), path, "exec"), {"get_config": lambda: config})
    assert config == settings()


def nbgrader(root: Path, *arguments: str) -> None:
    """Run the command in a course folder, whose own `fixmelab` the kernels import."""
    shutil.copy(course.ROOT / "nbgrader_config.py", root)
    plain_nbgrader.nbgrader(root, *arguments, PYTHONPATH=f"{root}{os.pathsep}{course.ROOT}")


@pytest.fixture(autouse=True)
def as_in_a_shell(monkeypatch) -> None:
    """nbgrader starts alembic by its bare name."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("FIXMELAB_BUDGET", raising=False)


@pytest.fixture
def plain_course(tiny_course, tmp_path) -> Path:
    """What plain nbgrader sees of the tiny course: source/ and the stand-in for `fixmelab`, and no autograder/,
    which would hide the real one from nbgrader_config.py."""
    build(root=tiny_course)
    shutil.copytree(tiny_course / "source", tmp_path / "plain/source")
    shutil.copytree(tiny_course / "fixmelab", tmp_path / "plain/fixmelab")
    return tmp_path / "plain"


@pytest.mark.slow
def test_plain_generate_assignment_gives_the_same_release(plain_course, tiny_course):
    nbgrader(plain_course, "generate_assignment", "tiny")
    built = (tiny_course / "release/tiny/tiny.ipynb").read_bytes()
    assert (plain_course / "release/tiny/tiny.ipynb").read_bytes() == built
    saved = sqlite3.connect(plain_course / "gradebook.db").execute("SELECT id FROM course").fetchall()
    assert ("fixmelab",) in saved


@pytest.fixture(scope="module")
def real_course(tmp_path_factory) -> Path:
    """What plain nbgrader sees of this course: its notebooks share a gradebook."""
    folder = tmp_path_factory.mktemp("real")
    for name in course.assignment_names():
        shutil.copytree(course.source_path(name).parent, folder / "source" / name)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not course.assignment_names(), reason="notebooks/ is empty")
@pytest.mark.parametrize("name", course.assignment_names())
def test_plain_generate_assignment_gives_what_is_committed(real_course, name):
    nbgrader(real_course, "generate_assignment", name)
    made = real_course / "release" / name / f"{name}.ipynb"
    assert made.read_bytes() == course.release_path(name).read_bytes()


def submit(root: Path, student: str, answers: dict[str, str]) -> None:
    """A submission made of the release, some cells answered by their id."""
    notebook = nbformat.read(root / "release/tiny/tiny.ipynb", as_version=nbformat.NO_CONVERT)
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    path = root / "submitted" / student / "tiny" / "tiny.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def automatic_scores(root: Path, student: str) -> dict[str, float | None]:
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook("tiny", "tiny", student).grades
        return {grade.name: grade.auto_score for grade in grades}


@pytest.mark.slow
def test_plain_autograde_brings_back_what_the_release_hides(plain_course):
    nbgrader(plain_course, "generate_assignment", "tiny")
    right = {
        "mix_noise": (
            "# exercise: mix_noise\nimport sys, os\n"
            "def mix_noise(mu, sigma, eps):\n"
            "    print('a warning', os.environ['FIXMELAB_BUDGET'], file=sys.stderr)\n"
            "    return mu + sigma * eps"
        ),
        "first_half": (
            "# exercise: first_half\nclass Pair:\n"
            "    def __init__(self, left, right):\n        self.left, self.right = left, right\n"
            "    def first(self):\n        return self.left / 3 + self.right\n"
            "    # exercise: second_half\n"
            "    def second(self):\n        raise NotImplementedError('FIXME: second_half')"
        ),
        "why_noise": "Because it does.",
    }
    # Passes the visible assert, not the hidden test; and edits tests that are locked.
    wrong = {
        "mix_noise": "# exercise: mix_noise\ndef mix_noise(mu, sigma, eps):\n    return mu + sigma**2 * eps",
        "test_mix_noise": "assert True",
        "test_first_half": "assert True",
    }
    submit(plain_course, "ada", right)
    submit(plain_course, "bob", wrong)
    nbgrader(plain_course, "autograde", "tiny")
    assert automatic_scores(plain_course, "ada") == {
        "test_mix_noise": 2,
        "test_first_half": 1,
        "test_second_half": 0,
        "why_noise": None,
    }
    assert automatic_scores(plain_course, "bob") == {
        "test_mix_noise": 0,
        "test_first_half": 0,
        "test_second_half": 0,
        "why_noise": 0,
    }
    graded = nbformat.read(plain_course / "autograded/ada/tiny/tiny.ipynb", as_version=nbformat.NO_CONVERT)
    sources = {cells.grade_id(cell): cell.source for cell in graded.cells}
    assert 'check("tiny.mix_noise", mix_noise)' in sources["test_mix_noise"]
    assert "deterministic given the noise" in sources["question_why_noise"]
