"""What stands around right answers, and the state of a student's process, take nobody's points: all in one run."""

import contextlib
import json

import pytest

from autograder.cells import written_ids
from autograder.grading import run as runs
from autograder.grading.run import begin_run
from tests.handed_in import around, process  # noqa: F401  (they fill GRADED)
from tests.handed_in.made import ANSWERED, GRADED, Graded, as_bytes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory, crew):
    """By situation: the result, and the executed notebook."""
    folder = tmp_path_factory.mktemp("handed_in")
    for situation in GRADED:
        (folder / f"{situation.name}.ipynb").write_bytes(as_bytes(situation.make()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "Crew", lambda *_, **__: contextlib.nullcontext(crew))  # which has started already
        with begin_run("foundations", jobs=2, key=b"k" * 32) as run:
            run.grade(run.find([folder]))
            assert (run.tally.problems, run.tally.faults) == ([], [])
            return {one.result.student: (one.result, one.executed, run.grading.source) for one in run.tally.records}


@pytest.mark.parametrize("situation", GRADED, ids=lambda situation: situation.name)
def test_points_and_messages(situation: Graded, results):
    result, executed, source = results[situation.name]
    by_name = {item.id.removeprefix("foundations."): item for item in result.exercises}
    for name in ANSWERED:
        item = by_name[name]
        if name in situation.lost:
            assert item.verdict in ("fail", "error") and situation.lost[name] in item.message
        else:
            assert item.verdict == "pass", (name, item.verdict, item.message)
    said = " ".join(item.message for item in result.exercises)
    assert not any(word in said for word in situation.never)
    json.loads(executed, parse_constant=pytest.fail)
    assert written_ids(source, "foundations") <= {item.id for item in result.exercises}
