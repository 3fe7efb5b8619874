"""The command line: bad input is one clear line and exit code 1, and costs the others nothing."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import course
from autograder.commands.app import app
from autograder.errors import SandboxError
from autograder.grading.reading import submission_digest
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.writing import write_run

RELEASE = course.release_path("vae")


def autograder(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)],
        cwd=course.ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "400"},
        stdin=subprocess.DEVNULL,
    )


def error_lines(done: subprocess.CompletedProcess) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


def text_file(folder: Path) -> Path:
    (folder / "notes.txt").write_text("not a notebook")
    return folder / "notes.txt"


def json_that_is_no_notebook(folder: Path) -> Path:
    (folder / "ada.ipynb").write_text('{"answer": 42}')
    return folder


def truncated(folder: Path) -> Path:
    (folder / "ada.ipynb").write_text(RELEASE.read_text()[:5000])
    return folder


def another_assignment(folder: Path) -> Path:
    (folder / "ada.ipynb").write_text(
        json.dumps(
            {
                "cells": [{"cell_type": "code", "metadata": {}, "source": "print('hello')", "outputs": []}],
                "metadata": {},
                "nbformat": 4,
                "nbformat_minor": 2,
            }
        )
    )
    return folder


def empty_folder(folder: Path) -> Path:
    return folder


def missing_path(folder: Path) -> Path:
    return folder / "nowhere"


def broken_zip(folder: Path) -> Path:
    (folder / "all.zip").write_bytes(b"PK\x03\x04 and then nothing")
    return folder / "all.zip"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (text_file, "notes.txt"),
        (json_that_is_no_notebook, "ada.ipynb"),
        (truncated, "ada.ipynb"),
        (another_assignment, "none of its"),
        (empty_folder, "no notebook"),
        (missing_path, "nowhere"),
        (broken_zip, "all.zip"),
    ],
    ids=lambda item: getattr(item, "__name__", None),
)
def test_bad_input_is_one_line_and_exit_code_1(warm_autograder, tmp_path, make, said):
    given = tmp_path / "given"
    given.mkdir()
    done = warm_autograder("grade", "vae", make(given), "--out", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    assert len(error_lines(done)) == 1 and said in error_lines(done)[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "results.json").exists()
    assert (tmp_path / "out").exists() == (make is not missing_path)


@pytest.mark.slow
def test_an_unknown_assignment_names_the_nearest(tmp_path):
    done = autograder("grade", "vea", tmp_path)
    assert done.returncode == 1
    assert error_lines(done) == ["error: there is no assignment 'vea'; did you mean vae?"]


@pytest.mark.slow
def test_an_output_folder_that_cannot_be_made_is_said_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    done = autograder("grade", "vae", RELEASE, "--out", tmp_path / "file" / "out")
    assert done.returncode == 1 and len(error_lines(done)) == 1 and "--out" in error_lines(done)[0]


@pytest.mark.slow
def test_one_bad_file_does_not_cost_the_others(warm_autograder, tmp_path):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as file:
        file.writestr("ada/vae/vae.ipynb", RELEASE.read_text())
        file.writestr("bob/vae/vae.ipynb", "{")
    done = warm_autograder("grade", "vae", tmp_path / "class.zip", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert len(error_lines(done)) == 1 and "bob" in error_lines(done)[0]
    run = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [(item["student"], item["score"]) for item in run["submissions"]] == [("ada", 0.0)]
    assert (tmp_path / "out" / "report.html").is_file()
    nothing = warm_autograder("grade", "vae", truncated(tmp_path) / "ada.ipynb", "--out", tmp_path / "out")
    assert nothing.returncode == 1
    assert error_lines(nothing)[-1].endswith("nothing was graded now; results.json there is of an earlier run")


@pytest.mark.slow
def test_usage_is_exit_code_2():
    for arguments in (["grade"], ["grade", "vae", "x", "--budget", "huge"], ["nonsense"]):
        assert autograder(*arguments).returncode == 2


@pytest.mark.slow
def test_without_bubblewrap_nothing_is_graded(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = autograder("grade", "vae", RELEASE, "--out", tmp_path / "out")
    assert done.returncode == 3
    assert len(error_lines(done)) == 1 and "bubblewrap" in error_lines(done)[0]
    assert not (tmp_path / "out" / "results.json").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", ""], "--out is empty"),
        (["--limit", "memory=much"], "memory=much: give a number above 0"),
        (["--limit", "speed=3"], "there is no limit 'speed'; there are cell, notebook"),
    ],
)
def test_options_that_make_no_sense_are_named(tmp_path, options, said):
    done = autograder("grade", "vae", RELEASE, "--out", tmp_path, *options)
    assert done.returncode == 2
    (line,) = error_lines(done)
    assert said in line


@pytest.mark.slow
def test_what_was_graded_before_is_not_graded_again(warm_autograder, tmp_path):
    first = warm_autograder("grade", "vae", RELEASE, "--out", tmp_path)
    results, report = (tmp_path / "results.json").read_bytes(), (tmp_path / "report.html").read_bytes()
    again = warm_autograder("grade", "vae", RELEASE, "--out", tmp_path)
    assert (first.returncode, again.returncode) == (0, 0)
    assert "graded before" not in first.stdout
    assert "1 of 1 were graded before" in again.stdout and "nobody was judged anew" in again.stdout
    unknown = warm_autograder("grade", "vae", RELEASE, "--out", tmp_path / "new", "--exercise", "gaussian")
    assert unknown.returncode == 1 and not (tmp_path / "new").exists()
    assert unknown.stderr == "error: vae has no check of 'gaussian'; did you mean gaussian_kl?\n"
    assert ((tmp_path / "results.json").read_bytes(), (tmp_path / "report.html").read_bytes()) == (results, report)
    assert "seconds" not in json.loads(results)["submissions"][0]
    assert list(json.loads((tmp_path / "timings.json").read_text()).values())[0] > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_one_line(tmp_path, number):
    for student in ("ada", "emil", "noor", "tove"):
        (tmp_path / "in" / student / "vae").mkdir(parents=True)
        (tmp_path / "in" / student / "vae" / "vae.ipynb").write_bytes(RELEASE.read_bytes())
    command = [sys.executable, "-m", "autograder", "grade", "vae", tmp_path / "in", "--out", tmp_path / "out"]
    with subprocess.Popen(
        [*map(str, command), "--jobs", "1"], cwd=course.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "out" / ".results").glob("*.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert "Traceback" not in said
    assert "results are kept, and the same command goes on from there" in said
    written = tmp_path / "out" / "results.json"
    assert not written.exists() or json.loads(written.read_text())["ungraded"]


def graded(folder: Path, *students: str, **more: object) -> Path:
    """The folder of a run over released notebooks."""
    digest = submission_digest(RELEASE.read_bytes())
    points = {"score": 0.0, "max_score": 0.0, "manual_max_score": 0.0, "exercises": [], "repairs": []}
    submissions = [SubmissionResult(student=name, path=str(RELEASE), digest=digest, **points) for name in students]
    run = RunResult(assignment="vae", digest="", budget="smoke", submissions=submissions, **{"sandbox": True} | more)
    return write_run(folder / "graded", run, []).parent


def test_explain_confines_what_it_runs_whatever_the_run_did(tmp_path, monkeypatch):
    """Results of a notebook that somebody trusted may stand beside those of others."""
    out, asked = graded(tmp_path, "ada", sandbox=False), []

    def crew(*_, sandbox: bool):
        asked.append(sandbox)
        raise SandboxError("no crew")

    monkeypatch.setattr("autograder.grading.workers.Crew", crew)
    monkeypatch.setattr("autograder.grading.key.course_key", lambda: b"k" * 32)
    for flags in ([], ["--unsafe-no-sandbox"]):
        CliRunner().invoke(app, ["explain", "vae", "ada", "--out", str(out), *flags])
    assert asked == [True, False]


def test_who_is_forgotten_is_in_no_page_either(tmp_path):
    out = graded(tmp_path, "ada", "bob", ungraded=["eve"])
    pages = [out / "feedback" / f"{name}.html" for name in ("ada", "bob")]
    pages[0].parent.mkdir()
    for page in pages:
        page.write_text("a page")
    done = CliRunner().invoke(app, ["forget", str(out), "ada", "eve"])
    assert done.exit_code == 0 and "removed from" in done.stdout and "; 1 left" in done.stdout
    assert not pages[0].exists() and pages[1].exists()
    results = json.loads((out / "results.json").read_text())
    assert [item["student"] for item in results["submissions"]] == ["bob"] and (out / "report.html").exists()
    assert "ungraded" not in results


@pytest.mark.slow
def test_the_doctor_says_that_all_is_well_here():
    done = autograder("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "system-call filter" in done.stdout and "Submissions can be graded here." in done.stdout


@pytest.mark.slow
def test_the_doctor_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = autograder("doctor")
    assert done.returncode == 3
    assert "apt-get install bubblewrap" in done.stdout
    assert "nothing can be graded here without: bubblewrap" in done.stderr


def test_attacks_take_a_line_each_and_one_that_breaks_through_is_exit_code_1(monkeypatch):
    from autograder.attacks import prove
    from autograder.commands import app as cli

    outcomes = [
        prove.Outcome("points/a", "tries a", "held", seconds=2.0),
        prove.Outcome("harm/b", "tries b", "broken", "got in", seconds=11.0),
    ]

    def told(*, jobs, on_attack, names):
        for outcome in outcomes:
            on_attack(outcome)
        return outcomes

    monkeypatch.setattr(prove, "prove_attacks", told)
    done = CliRunner().invoke(cli.app, ["prove", "--attacks"])
    assert done.exit_code == 1
    assert "points/a: tries a: held" in done.output
    assert "longest: harm/b 11 s, points/a 2 s" in done.output
    assert done.output.index("2 attacks: 1 broke through:") < done.output.rindex("harm/b: tries b: BROKEN: got in")
    del outcomes[1]
    done = CliRunner().invoke(cli.app, ["prove", "--attacks"])
    assert (done.exit_code, "1 attacks: none broke through" in done.output) == (0, True)
