"""Two runs compared: who changed, in what, and because of what."""

import pytest
from typer.testing import CliRunner

from autograder.commands import app as cli
from autograder.errors import InputError
from autograder.results.comparing import compare
from autograder.results.model import Conditions

PARTS = dict.fromkeys(("source", "grader", "package", "library", "settings", "key", "shared"), "0")
OLD = Conditions(**PARTS, checks={"part_0": "0", "part_1": "0"})


def with_conditions(run, conditions):
    submissions = [item.model_copy(update={"conditions": "c"}) for item in run.submissions]
    return run.model_copy(update={"submissions": submissions, "conditions": {"c": conditions} if conditions else {}})


@pytest.mark.parametrize(
    ("update", "why"),
    [
        ({"checks": {"part_0": "0", "part_1": "1"}}, "its check"),
        ({"checks": {"part_0": "1", "part_1": "0"}}, "an unknown cause"),
        ({"shared": "1", "library": "1"}, "what checks share and a library"),
        ({"source": "1"}, "the source"),
        ({"key": "1"}, "the key"),
    ],
)
def test_each_change_has_its_reasons(make_run, make_submission, update, why):
    old = make_run(*(make_submission(name, ("pass", ""), ("fail", "x")) for name in ("ada", "bob", "eve")))
    new = make_run(*(make_submission(name, ("pass", ""), ("pass", "")) for name in ("ada", "bob", "noor")))
    found = compare(with_conditions(old, OLD), with_conditions(new, OLD.model_copy(update=update)))
    assert list(found.lines(together=False)) == [
        f"ada: part_1: fail 0 → pass 2, because of {why}",
        f"bob: part_1: fail 0 → pass 2, because of {why}",
        "new: 1: noor",
        "no longer there: 1: eve",
        "2 changed, 0 the same",
    ]
    assert next(found.lines(together=True)) == f"part_1: fail 0 → pass 2, because of {why}: 2: ada, bob"


def test_a_submission_that_changed_and_an_exercise_that_is_new(make_run, make_submission):
    ada = make_submission("ada", ("manual", ""))
    better = make_submission("ada", ("manual", ""), ("fault", "")).model_copy(update={"digest": "other"})
    lines = compare(make_run(ada), make_run(better)).lines(together=False)
    assert next(lines) == "ada: part_1: not there → fault, because of the submission and conditions that were not noted"
    assert list(compare(make_run(ada), make_run(ada)).lines(together=True)) == ["0 changed, 1 the same"]


def test_the_command_compares_folders_of_one_assignment(make_run, make_submission, write_graded, tmp_path):
    graded = write_graded(make_run(make_submission("ada", ("fail", ""))))
    other = tmp_path / "other.json"
    other.write_text(make_run(make_submission("ada")).model_dump_json())
    done = CliRunner().invoke(cli.app, ["diff", str(graded), str(other)], catch_exceptions=False)
    assert done.exit_code == 0 and done.output.startswith("ada: part_0: fail 0 → pass 2, because of conditions")
    other.write_text(other.read_text().replace('"little"', '"vae"'))
    done = CliRunner().invoke(cli.app, ["diff", str(graded), str(other)])
    assert isinstance(done.exception, InputError) and "runs of one assignment" in str(done.exception)
