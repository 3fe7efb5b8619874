"""The archive: what is in it and nothing else, the same bytes every time, and never of a tree that is out of date."""

import io
import json
import os
import shutil
import stat
import subprocess
import zipfile

import nbformat
import pytest
from gradescope_form import Results
from typer.testing import CliRunner

from autograder import course
from autograder.commands import app as cli
from autograder.errors import InputError
from autograder.gradescope import archive as archives
from autograder.gradescope.settings import Settings
from autograder.grading.key import course_key
from autograder.publish.folder import MANIFEST

KEY = bytes(range(32))
SETTINGS = Settings(assignment="vae", max_score=30.0)


@pytest.fixture(scope="module")
def held() -> dict[str, bytes]:
    return archives.archive_files(course.ROOT, SETTINGS, key=KEY)


@pytest.fixture
def tree(tmp_path):
    """A copy of what an archive is made of."""
    for name in ("notebooks", "source", "release", "autograder", "fixmelab"):
        shutil.copytree(course.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(course.ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("cache", "__pycache__"))
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(course.ROOT / name, tmp_path / name)
    return tmp_path


def test_the_scripts_are_at_the_root(held):
    assert all(held[script].startswith(b"#!/usr/bin/env bash\n") for script in ("setup.sh", "run_autograder"))


def test_everything_in_it_belongs_there(held):
    known = {"setup.sh", "run_autograder", "settings.json", "not_graded.json", "constraints.txt", "requirements.txt"}
    known |= {"torch_index.txt", "course/course.key", "course/notebooks/vae.py", "course/source/vae/vae.ipynb"}
    others = held.keys() - known
    assert known <= held.keys()
    assert all(path.startswith(("course/autograder/", "students/fixmelab/")) for path in others)
    assert {path.rpartition(".")[2] for path in others} <= {"py", "jinja", "css", "js", "json", "md"}
    assert {path.split("/")[3] for path in others if path.startswith("course/autograder/assignments/")} == {
        "__init__.py",
        "vae",
    }
    assert not [path for path in held if "cache" in path.split("/") or ".egg-info" in path or "/." in path]


def test_no_other_assignment_is_in_it(held):
    solutions = course.source_path("diffusion").read_text()
    assert "q_sample" in solutions
    assert not [path for path, data in held.items() if path.endswith(".ipynb") and b"q_sample" in data]


def test_data_beside_the_checks_goes_with_them(tree):
    folder = tree / "autograder/assignments"
    for place in ("vae/table.csv", "vae/.table.csv.swp", "gan/table.csv"):
        (folder / place).write_text("1\n")
    inside = archives.archive_files(tree, SETTINGS, key=KEY)
    found = [path for path in inside if path.endswith((".csv", ".swp"))]
    assert found == ["course/autograder/assignments/vae/table.csv"]


def test_the_key_is_the_course_s(held):
    assert held["course/course.key"] == KEY


def test_what_both_packages_need_is_listed(held):
    needed = held["requirements.txt"].decode().split()
    assert any(item.startswith("torch>=") for item in needed) and any(item.startswith("nbformat>=") for item in needed)
    assert "fixmelab" not in needed
    assert held["constraints.txt"] == (course.ROOT / "constraints.txt").read_bytes()


def test_the_fallback_fits_gradescope_s_form(held):
    form = Results.model_validate_json(held["not_graded.json"])
    assert form.score == 0.0 and form.tests[0].max_score == 30.0 and "did not come to its end" in form.output


@pytest.mark.slow
def test_the_same_tree_gives_the_same_bytes(tree, tmp_path_factory):
    outs = [tmp_path_factory.mktemp("out") / "vae.zip" for _ in range(2)]
    archives.write_archive(outs[0], "vae", root=tree)
    for path in tree.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    (tree / "autograder" / "judge" / "__pycache__").mkdir()
    (tree / "autograder" / "judge" / "__pycache__" / "judging.py").write_text("left over")
    (tree / "autograder" / "notes.txt").write_text("left over")
    archives.write_archive(outs[1], "vae", root=tree)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert stat.S_IMODE(outs[0].stat().st_mode) == 0o600
    with zipfile.ZipFile(io.BytesIO(outs[0].read_bytes())) as zipped:
        modes = {member.filename: member.external_attr >> 16 for member in zipped.infolist()}
        points = [cell.metadata.nbgrader.points for cell in _test_cells(zipped.read("course/source/vae/vae.ipynb"))]
        assert json.loads(zipped.read("settings.json"))["max_score"] == sum(points)
        assert zipped.read("course/course.key") == course_key()
    assert modes["setup.sh"] & modes["run_autograder"] & 0o111 == 0o111
    assert modes["course/course.key"] & 0o077 == 0


def _test_cells(source: bytes) -> list:
    cells = nbformat.reads(source.decode(), as_version=4).cells
    return [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"]


def test_a_place_from_which_students_would_get_it_is_refused(tmp_path):
    published, repository = tmp_path / "published", tmp_path / "repository"
    for folder in (published, repository):
        (folder / "below").mkdir(parents=True)
    (published / MANIFEST).write_text("{}")
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    for folder, said in (
        (published, "was published to students"),
        (repository, "a Git repository that does not ignore"),
    ):
        with pytest.raises(InputError, match=said):
            archives.write_archive(folder / "below" / "vae.zip", "vae")
        assert not list((folder / "below").iterdir())
    (repository / ".gitignore").write_text("*.zip\n")
    archives.write_archive(repository / "below" / "vae.zip", "vae")


@pytest.mark.slow
def test_a_build_that_is_out_of_date_is_refused(tree, tmp_path_factory):
    path = tree / "source" / "vae" / "vae.ipynb"
    path.write_text(path.read_text().replace("garment", "gown", 1))
    out = tmp_path_factory.mktemp("out") / "vae.zip"
    with pytest.raises(InputError, match="source/vae/vae.ipynb is out of date: run autograder build vae"):
        archives.write_archive(out, "vae", root=tree)
    assert not list(out.parent.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["vea", "--out", "x.zip"], "did you mean vae?"),
        (["vae", "--out", "x.tar"], "Gradescope takes a zip"),
        (["vae", "--out", "x.zip", "--limit", "speed=1"], "there is no limit 'speed'"),
        (["vae", "--out", "x.zip", "--torch-index", "not an address"], "is not the address of a package index"),
        (["vae", "--out", "x.zip", "--torch-index", "http://wheels.example.org"], "it begins with https://"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.app, ["gradescope", *options])
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception) and "\n" not in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(archives, "build", lambda *_, **__: [])
    with pytest.raises(InputError, match="cannot be written"):
        archives.write_archive(tmp_path / "file" / "vae.zip", "vae")


def test_the_command_says_what_it_made(tmp_path):
    done = CliRunner().invoke(cli.app, ["gradescope", "vae", "--out", str(tmp_path / "vae.zip"), "--minutes", "20"])
    assert done.exit_code == 0, done.output
    assert "holds the course's key" in done.output
    with zipfile.ZipFile(tmp_path / "vae.zip") as zipped:
        assert json.loads(zipped.read("settings.json"))["minutes"] == 20
