"""`autograder publish` and `autograder policy` as commands: one clear line, and the exit codes."""

import json

import pytest
from typer.testing import CliRunner

from autograder import course
from autograder.commands import app as cli
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command as a person would: exit code, standard output, standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["autograder", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def test_publish_shows_each_change_and_what_was_looked_through(small_course, tmp_path, monkeypatch, command):
    monkeypatch.setattr(course, "ROOT", small_course)
    folder = tmp_path / "tree"
    code, out, _ = command("publish", folder, "--repo", "ada/homework", "--dry-run")
    assert code == 0 and "+ release/tiny/tiny.ipynb\n" in out and "would be 15 new" in out and not folder.exists()
    code, out, _ = command("publish", folder, "--repo", "ada/homework", "--branch", "winter/2026")
    assert code == 0 and "15 new, 0 changed, 0 removed, 0 the same; no secret in 15 files" in out
    code, out, _ = command("publish", folder, "--repo", "ada/homework", "--branch", "winter/2026")
    assert code == 0 and "0 new, 0 changed, 0 removed, 15 the same" in out and "+" not in out
    code, out, _ = command("publish", folder, "--repo", "ada/other")
    assert code == 0 and "~ README.md\n" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tree", "--repo", "ada"], "error: --repo 'ada' is not OWNER/NAME"),
        (["tree", "--repo", "a/b", "--branch", "x y"], "error: --branch 'x y' is not a branch"),
        (
            ["tree", "--repo", "a/b", "--assignment", "tinny"],
            "error: there is no assignment 'tinny'; did you mean tiny?",
        ),
        (["course", "--repo", "a/b"], "lies in the course itself"),
        (["course/LICENSE", "--repo", "a/b"], "is not a folder"),
    ],
)
def test_wrong_input_is_one_line(small_course, tmp_path, monkeypatch, command, arguments, said):
    monkeypatch.setattr(course, "ROOT", small_course)
    monkeypatch.chdir(tmp_path)
    code, _, err = command("publish", *arguments)
    assert code == 1 and said in err and len(err.splitlines()) == 1
    assert not (tmp_path / "tree").exists()


def test_the_repository_must_be_named():
    assert CliRunner().invoke(cli.app, ["publish", "tree"]).exit_code == 2


@pytest.fixture
def results(tmp_path):
    exercises = [ExerciseResult(id="vae.a", verdict="fail", score=0, max_score=2, message="no")]
    submission = SubmissionResult(
        *(), student="ada", path="ada.ipynb", digest="0", score=0, max_score=2, manual_max_score=0,
        exercises=exercises, repairs=[],
    )  # fmt: skip
    run = RunResult(assignment="vae", digest="0", budget="smoke", sandbox=True, submissions=[submission])
    path = tmp_path / "results.json"
    path.write_text(json.dumps(run.model_dump(mode="json")))
    return path


def test_policy_answers_by_its_exit_code(results, command):
    assert command("policy", results, "--fail", "never") == (0, "never lets all pass: 1\n", "")
    assert command("policy", results.parent, "--fail", "any") == (1, "", "ada: not right: a (fail)\n")
    assert command("policy", results, "--fail", "under=50%") == (1, "", "ada: 0 of 2, under 1\n")
    code, _, err = command("policy", results, "--fail", "sometimes")
    assert code == 2 and err.startswith("error: --fail 'sometimes' is no policy") and len(err.splitlines()) == 1
    results.write_text("{}")
    code, _, err = command("policy", results, "--fail", "never")
    assert code == 1 and "is no results.json" in err and len(err.splitlines()) == 1
