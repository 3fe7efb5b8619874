"""What is kept of a run: complete or not at all, and found again only for the same student and notebook."""

import json
import os
import subprocess
import sys

import pytest

from autograder.errors import InputError
from autograder.grading.store import Store
from autograder.grading.submissions import Submission
from autograder.results import files
from autograder.results.model import ExerciseResult, Record, SubmissionResult

ADA, BOB = (Submission(name, f"{name}.ipynb", name.encode()) for name in ("ada", "bob"))


def record(submission: Submission) -> Record:
    item = ExerciseResult(id="toy.double", verdict="fail", score=0.0, max_score=2.0, message="é \ud800")
    result = SubmissionResult(
        student=submission.student,
        path=submission.path,
        digest=submission.digest,
        score=0.0,
        max_score=2.0,
        manual_max_score=0.0,
        exercises=[item.model_copy(update={"message": "é"})],
        repairs=[],
    )
    return Record(result=result, seconds=0.5, executed="{}")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "out") as opened:
        yield opened


def test_a_record_is_found_for_the_same_student_and_bytes_alone(store):
    assert store.find(ADA) is None
    store.keep(ADA, record(ADA))
    found = store.find(ADA)
    assert found.is_known and found.result == record(ADA).result and found.executed == ""
    assert files.notebook_path(store.out, "ada").read_text() == "{}"
    assert store.find(BOB) is None
    assert store.find(Submission("ada", "ada.ipynb", b"edited")) is None
    moved = store.find(Submission("ada", "elsewhere.ipynb", b"ada"))
    assert moved.result == record(ADA).result.model_copy(update={"path": "elsewhere.ipynb"})


def test_parts_of_a_name_cannot_be_mistaken_for_each_other(store):
    one, other = Submission("a", "bc", b"x"), Submission("ab", "c", b"x")
    store.keep(one, record(one))
    assert store.find(other) is None


@pytest.mark.parametrize("left", ["", "{", '{"result": 1}', "\x00"])
def test_a_damaged_record_counts_as_none(store, left):
    store.keep(ADA, record(ADA))
    (path,) = (store.out / ".results").glob("*.json")
    path.write_text(left)
    assert store.find(ADA) is None


@pytest.mark.parametrize("left", ["{}\n", None], ids=["another notebook", "none"])
def test_a_record_counts_with_its_own_notebook_alone(store, left):
    store.keep(ADA, record(ADA))
    place = files.notebook_path(store.out, "ada")
    place.write_text(left) if left else place.unlink()
    assert store.find(ADA) is None


def test_what_is_forgotten_is_gone(store):
    store.keep(ADA, record(ADA))
    store.forget([ADA, BOB])
    assert store.find(ADA) is None


def test_pruning_drops_what_the_same_students_had_before_and_nobody_elses(store):
    before = Submission("ada", "ada.ipynb", b"before")
    for submission in (before, ADA, BOB):
        store.keep(submission, record(submission))
    store.prune([ADA])
    assert store.find(ADA) and store.find(BOB)
    assert len(list((store.out / ".results").glob("*.json"))) == 2


def test_who_is_dropped_leaves_nothing_and_takes_nobody_along(store):
    for submission in (ADA, BOB):
        store.keep(submission, record(submission))
    stranger = files.write(files.notebook_path(store.out, "a file of somebody's own"), "{}")
    store.drop(["bob", "nobody"])
    assert store.find(ADA) and store.find(BOB) is None and stranger.exists()
    assert files.notebook_path(store.out, "ada").exists() and not files.notebook_path(store.out, "bob").exists()


def test_half_written_files_of_a_killed_run_are_removed(tmp_path):
    for folder in ("out", "out/.results", "out/executed"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".0123456789abcdef.part").touch()
        (tmp_path / folder / "mine.part").touch()
    with Store(tmp_path / "out"):
        assert sorted(path.name for path in (tmp_path / "out").rglob("*.part")) == ["mine.part"] * 3


def test_two_runs_do_not_share_a_folder(tmp_path):
    imports = "import sys; from pathlib import Path; from autograder.grading.store import Store"
    program = f"{imports}; Store(Path(sys.argv[1])).__enter__()"
    with Store(tmp_path / "out"):
        other = subprocess.run([sys.executable, "-c", program, str(tmp_path / "out")], capture_output=True, text=True)
    assert other.returncode and "another run is at work there" in other.stderr
    with Store(tmp_path / "out"):
        pass


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file.*--out"), Store(tmp_path / "file"):
        pass


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_a_folder_that_is_read_only_is_named(tmp_path):
    (tmp_path / "out").mkdir(mode=0o555)
    with pytest.raises(InputError, match="out.*--out"), Store(tmp_path / "out"):
        pass


def test_a_record_that_finds_no_room_leaves_the_old_one(store, monkeypatch):
    store.keep(ADA, record(ADA))
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        store.keep(ADA, record(BOB))
    assert store.find(ADA).result.student == "ada"
    assert [json.loads(path.read_text())["result"]["student"] for path in (store.out / ".results").iterdir()] == ["ada"]
