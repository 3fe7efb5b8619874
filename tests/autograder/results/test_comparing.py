"""Two runs compared: who changed, in what, and because of what."""

import pytest
from typer.testing import CliRunner

from autograder.commands import app as cli
from autograder.errors import InputError
from autograder.results.comparing import compare
from autograder.results.model import Conditions, RunResult

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


def test_other_points_show_beside_the_most_that_there_are(make_run, make_submission):
    old = make_submission("ada", ("pass", ""), ("fail", ""), ("manual", ""))
    exercises = [item.model_copy(update={"max_score": 3.0}) for item in old.exercises]
    new = old.model_copy(update={"exercises": [exercises[0].model_copy(update={"score": 3.0}), *exercises[1:]]})
    found = [str(change) for change in compare(make_run(old), make_run(new)).changes]
    assert [line.partition(", because")[0] for line in found] == [
        "ada: part_0: pass 2 of 2 → pass 3 of 3",
        "ada: part_1: fail 0 of 2 → fail 0 of 3",
        "ada: part_2: manual of 2 → manual of 3",
    ]


def test_points_that_differ_by_rounding_alone_are_the_same(make_run, make_submission):
    def of(score: float) -> RunResult:
        (ada,) = make_run(make_submission("ada", ("fail", ""))).submissions
        partly = ada.exercises[0].model_copy(update={"score": score})
        return make_run(ada.model_copy(update={"score": score, "exercises": [partly]}))

    assert compare(of(0.1 + 0.2), of(0.3)).same == 1
    assert [change.what.partition(",")[0] for change in compare(of(0.3), of(0.31)).changes] == [
        "part_0: fail 0.3 → fail 0.31"
    ]


def test_an_exercise_judged_under_conditions_of_its_own_names_these(make_run, make_submission):
    old = with_conditions(make_run(make_submission("ada", ("fail", ""), ("fail", ""))), OLD)
    new = with_conditions(make_run(make_submission("ada")), OLD.model_copy(update={"key": "1", "library": "1"}))
    (ada,) = make_run(make_submission("ada", ("pass", ""), ("pass", ""))).submissions
    exercises = [ada.exercises[0], ada.exercises[1].model_copy(update={"conditions": "d"})]
    ada = ada.model_copy(update={"conditions": "c", "exercises": exercises})
    known = new.conditions | {"d": OLD.model_copy(update={"checks": {"part_1": "1"}})}
    found = compare(old, new.model_copy(update={"submissions": [ada], "conditions": known}))
    assert [change.why for change in found.changes] == [("a library", "the key"), ("its check",)]


def test_the_command_compares_folders_of_one_assignment(make_run, make_submission, write_graded, tmp_path):
    graded = write_graded(make_run(make_submission("ada", ("fail", ""))))
    other = tmp_path / "other.json"
    other.write_text(make_run(make_submission("ada")).model_dump_json())
    done = CliRunner().invoke(cli.app, ["diff", str(graded), str(other)], catch_exceptions=False)
    assert done.exit_code == 0 and done.output.startswith("ada: part_0: fail 0 → pass 2, because of conditions")
    other.write_text(other.read_text().replace('"little"', '"vae"'))
    done = CliRunner().invoke(cli.app, ["diff", str(graded), str(other)])
    assert isinstance(done.exception, InputError) and "runs of one assignment" in str(done.exception)
