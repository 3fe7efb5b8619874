"""The sample submissions, graded by the command line and by plain nbgrader."""

import json
import os
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import cells, course
from tests.plain_nbgrader import nbgrader
from tests.submissions import samples
from tests.warm import WarmCommands

HONEST = ("perfect", "three_mistakes", "half_finished", "untouched")
CHEATS = tuple(student for student in samples.samples() if student.startswith("cheat"))


def test_the_samples_are_up_to_date():
    for student, made in samples.samples().items():
        committed = nbformat.read(samples.sample_path(student), as_version=4)
        assert [cell.source for cell in committed.cells] == [cell.source for cell in made.cells], student


def test_the_perfect_sample_keeps_the_pictures_of_a_real_run():
    cells_with_pictures = [
        cell
        for cell in nbformat.read(samples.sample_path("perfect"), as_version=4).cells
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))
    ]
    assert len(cells_with_pictures) >= 5
    assert not any(cells.is_executed_in_grading(cell) for cell in cells_with_pictures)


@pytest.fixture(scope="module")
def graded(tmp_path_factory, crew):
    out = tmp_path_factory.mktemp("graded")
    with pytest.MonkeyPatch.context() as patch:
        done = WarmCommands(crew, patch)("grade", "vae", samples.FOLDER, "--out", out)
    assert done.returncode == 0, done.stderr
    run = json.loads((out / "results.json").read_text())
    return done, out, {item["student"]: item for item in run["submissions"]}


@pytest.mark.slow
def test_every_sample_gets_what_it_deserves(graded):
    _, _, results = graded
    full = results["perfect"]["max_score"]
    assert set(results) == {*HONEST, *CHEATS}
    assert results["perfect"]["score"] == full > 0
    lost = [item for item in results["three_mistakes"]["exercises"] if item["verdict"] == "fail"]
    assert {item["mistake"] for item in lost} == {
        "forgets_the_noise",
        "rows_and_columns_swapped",
        "variance_of_the_means",
    }
    assert results["three_mistakes"]["score"] == full - sum(item["max_score"] for item in lost)
    assert 0 < results["half_finished"]["score"] < full
    assert {item["verdict"] for item in results["half_finished"]["exercises"]} == {"pass", "missing", "manual"}
    assert {item["verdict"] for item in results["untouched"]["exercises"]} == {"missing"}
    for student in ("untouched", *CHEATS):
        assert results[student]["score"] == 0.0, student
        assert not any(item["verdict"] == "pass" for item in results[student]["exercises"])


@pytest.mark.slow
def test_table_report_and_notebooks_are_there(graded):
    done, out, results = graded
    assert all(student in done.stdout for student in results)
    report = "".join(path.read_text() for path in out.rglob("*.html"))
    assert report.count("data:image/png;base64,") > 5
    assert len(list((out / "executed").glob("*.ipynb"))) == len(results)
    secrets = ("BEGIN HIDDEN TESTS", "MARK SCHEME", "reference.")
    # One cheat's own code names the reference.
    own = [path for path in (out / "report" / "students").iterdir() if path.stem not in CHEATS]
    assert len(own) == len(HONEST)
    shown = "".join(path.read_text() for path in (out / "report.html", *own)).replace("the_reference.html", "")
    assert not any(secret in shown for secret in secrets)


# Right, but for scores that exp cannot take: a part of the points.
WITHOUT_LOG_SPACE = """# exercise: chain_log_partition
def chain_log_partition(log_scores, transitions):
    alpha = log_scores[0].exp()
    for scores in log_scores[1:]:
        alpha = scores.exp() * (alpha @ transitions.exp())
    return alpha.sum().log()
"""


def of_each_verdict(release, source):
    """Right, wrong, partly right (though a visible test fails), open and written answers to foundations."""
    perfect = samples.solved(release, source)
    stubs = {cells.grade_id(cell): cell.source for cell in release.cells}

    def answer(cell):
        match cells.anchors(cell):
            case ["chain_log_partition"]:
                return WITHOUT_LOG_SPACE
            case ["padding"]:
                return cell.source.replace(
                    "return left, kernel_width - 1 - left", "return kernel_width - 1 - left, left"
                )
            case ["convolve"]:
                return stubs[cells.grade_id(cell)]
        return cell.source

    made = samples.edited(perfect, answer)
    for cell in made.cells:
        if cells.is_written(cell):
            cell.source = "It has no neighbours."
    return made


@pytest.mark.slow
def test_plain_nbgrader_gives_the_same_automatic_score(warm_autograder, tmp_path, monkeypatch):
    # nbgrader starts alembic by its bare name.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(course.ROOT))
    name = "foundations"
    shutil.copytree(course.source_path(name).parent, tmp_path / "source" / name)
    shutil.copy(course.ROOT / "nbgrader_config.py", tmp_path)
    release, source = (nbformat.read(path(name), as_version=4) for path in (course.release_path, course.source_path))
    (tmp_path / "submitted" / "ada" / name).mkdir(parents=True)
    nbformat.write(of_each_verdict(release, source), tmp_path / "submitted" / "ada" / name / f"{name}.ipynb")
    done = warm_autograder("grade", name, tmp_path / "submitted", "--out", tmp_path / "graded")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads((tmp_path / "graded" / "results.json").read_text())["submissions"]
    assert {item["verdict"] for item in result["exercises"]} == {"pass", "fail", "missing", "manual"}
    (partly,) = (item for item in result["exercises"] if item["id"] == "foundations.chain_log_partition")
    assert (partly["verdict"], partly["score"]) == ("fail", 2.0)
    assert partly["message"].startswith("2 of 3 points: for log Z and its gradients, but not for impossible pairs")
    for command in ("generate_assignment", "autograde"):
        nbgrader(tmp_path, command, name)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "fixmelab") as gradebook:
        grades = gradebook.find_submission(name, "ada").notebooks[0].grades
        scores = {
            f"{name}.{grade.name.removeprefix(cells.TEST_PREFIX)}": grade.auto_score
            for grade in grades
            if grade.name.startswith(cells.TEST_PREFIX)
        }
    ours = {item["id"]: item["score"] for item in result["exercises"] if item["id"] in scores}
    assert scores == ours and len(ours) == 7
