"""Many submissions in worker processes, the course's key, and the files that are written."""

import json
import os
import threading
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from toy_course import EXERCISES, RIGHT, source, submission

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading import run
from autograder.grading.result import ExerciseResult, RunResult, SubmissionResult
from autograder.grading.submissions import Submission
from autograder.sandbox.kernel import Limits


def handed_in(student: str, notebook) -> Submission:
    return Submission(student, f"{student}.ipynb", nbformat.writes(notebook).encode())


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A repository with the toy course in it."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    for folder in ("notebooks", "source/toy", "autograder/assignments/toy"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "notebooks" / "toy.py").touch()
    (tmp_path / "autograder" / "assignments" / "toy" / "checks.py").write_text("x = 1\n")
    nbformat.write(source(), tmp_path / "source" / "toy" / "toy.ipynb")
    return tmp_path


# Grading


@pytest.mark.slow
def test_serial_and_parallel_runs_in_any_order_agree(toy):
    students = [
        handed_in("ada", submission(**RIGHT)),
        handed_in("bob", submission(double="return x + 2", square="import os; os._exit(0)")),
    ]
    settings = {"key": b"k" * 32, "budget": "smoke", "exercises": EXERCISES, "limits": Limits(cell=20)}
    seen = []
    serial = run.grade_all("toy", students, jobs=1, on_result=lambda item, notebook: seen.append(item), **settings)
    parallel = run.grade_all("toy", students[::-1], jobs=2, **settings)
    assert [item.model_copy(update={"seconds": 0}) for item in serial] == [
        item.model_copy(update={"seconds": 0}) for item in parallel
    ]
    assert [(item.student, item.score) for item in serial] == [("ada", 3.5), ("bob", 0.0)]
    assert seen == serial


def test_a_submission_of_another_assignment_does_not_stop_the_rest(toy):
    stranger = handed_in("bob", new_notebook(cells=[new_code_cell("x = 1")]))
    settings = {"key": b"k" * 32, "budget": "smoke", "exercises": EXERCISES}
    problems = []
    assert run.grade_all("toy", [stranger], on_problem=problems.append, **settings) == []
    assert len(problems) == 1 and "bob.ipynb" in problems[0]
    with pytest.raises(InputError, match="bob.ipynb"):
        run.grade_all("toy", [stranger], **settings)


def test_an_assignment_that_is_not_built_says_what_to_do(toy):
    (toy / "notebooks" / "other.py").touch()
    with pytest.raises(InputError, match="autograder build other"):
        course.read_source("other")
    with pytest.raises(InputError, match="did you mean toy"):
        run.grade_all("tpy", [], key=b"k" * 32, budget="smoke", sandbox=False)
    (toy / "source" / "toy" / "toy.ipynb").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        course.read_source("toy")


def test_the_digest_covers_source_and_checks(toy):
    before = run.run_digest("toy")
    assert run.run_digest("toy") == before
    checks = toy / "autograder" / "assignments" / "toy" / "checks.py"
    checks.write_text("x = 2\n")
    changed = run.run_digest("toy")
    (toy / "source" / "toy" / "toy.ipynb").write_text("{}")
    assert len({before, changed, run.run_digest("toy")}) == 3


# Workers. These stand in for grading, and are run in other processes.


def echo(item: Submission) -> tuple[str, int]:
    return item.student, os.getpid()


def die_once(mark: Path, item: Submission) -> tuple[str, int]:
    if item.student == "bob":
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return echo(item)
        os._exit(1)
    return echo(item)


def die(item: Submission) -> tuple[str, int]:
    if item.student == "bob":
        os._exit(1)
    return echo(item)


def people(*names: str) -> "run.deque[Submission]":
    return run.deque(Submission(name, name, b"") for name in names)


def test_work_is_done_in_other_processes():
    done = dict(run._in_processes(echo, people("ada", "bob", "eve"), jobs=2))
    assert set(done) == {"ada", "bob", "eve"}
    assert os.getpid() not in done.values()


def test_the_work_of_a_worker_that_died_is_tried_again(tmp_path):
    done = dict(run._in_processes(partial(die_once, tmp_path / "mark"), people("ada", "bob", "eve", "joe"), jobs=2))
    assert set(done) == {"ada", "bob", "eve", "joe"}


def test_a_worker_that_dies_twice_is_no_score():
    with pytest.raises(SandboxError, match="bob.*died twice"):
        list(run._in_processes(die, people("ada", "bob", "eve"), jobs=2))


# The key


def test_the_key_is_made_once_for_its_owner_alone(toy, monkeypatch):
    monkeypatch.delenv(run.KEY_VARIABLE, raising=False)
    key = run.course_key()
    assert len(key) == 32
    assert run.course_key() == key == (toy / "course.key").read_bytes()
    assert (toy / "course.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in toy.iterdir() if "key" in path.name] == ["course.key"]


def test_two_who_make_the_key_at_once_get_the_same(toy, monkeypatch):
    monkeypatch.delenv(run.KEY_VARIABLE, raising=False)
    keys, barrier = [], threading.Barrier(8)

    def ask():
        barrier.wait()
        keys.append(run.course_key())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8 and len(set(keys)) == 1


def test_the_key_can_lie_elsewhere(toy, tmp_path, monkeypatch):
    (tmp_path / "key").write_bytes(b"x" * 40)
    monkeypatch.setenv(run.KEY_VARIABLE, str(tmp_path / "key"))
    assert run.course_key() == b"x" * 40
    (tmp_path / "key").write_bytes(b"x" * 8)
    with pytest.raises(InputError, match="has 8 bytes, not 32"):
        run.course_key()
    with pytest.raises(InputError, match="cannot be read"):
        run.course_key(tmp_path / "none")


# Files


def result(student: str) -> SubmissionResult:
    item = ExerciseResult(id="toy.double", verdict="fail", score=0.0, max_score=2.0, message="é", mistake="plus_two")
    counts = {"score": 0.0, "max_score": 2.0, "manual_max_score": 0.0, "seconds": 0.5}
    return SubmissionResult(student=student, path="p", digest="d", exercises=[item], repairs=[], **counts)


def of(*students: str) -> RunResult:
    submissions = [result(student) for student in students]
    return RunResult(assignment="toy", digest="d", budget="smoke", sandbox=True, submissions=submissions)


def test_a_run_is_written_in_order_and_reads_back(tmp_path):
    notebook = new_notebook(cells=[new_code_cell("1", outputs=[new_output("stream", text="\ud800")])])
    path = run.write_run(tmp_path / "out", of("bob", "ada"), {"ada": notebook, "bob": notebook})
    assert path == tmp_path / "out" / "results.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    assert [item["student"] for item in data["submissions"]] == ["ada", "bob"]
    assert RunResult.model_validate(data) == of("ada", "bob")
    assert '"score": 0.0,' in path.read_text() and '"é"' in path.read_text(encoding="utf-8")
    assert nbformat.read(run.notebook_path(tmp_path / "out", "ada"), as_version=4).cells[0].source == "1"
    assert sorted(file.name for file in (tmp_path / "out").rglob("*")) == [
        "ada.ipynb", "bob.ipynb", "executed", "results.json"
    ]  # fmt: skip


def test_a_report_is_written(tmp_path):
    assert run.write_report(tmp_path / "out", "<p>é</p>").read_text(encoding="utf-8") == "<p>é</p>"


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file.*--out"):
        run.write_run(tmp_path / "file", of("ada"), {})


def test_a_run_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = run.write_run(tmp_path, of("ada"), {})
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left.*--out"):
        run.write_run(tmp_path, of("ada", "bob"), {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    "student", ["../../etc/passwd", "/abs", "..", "", "a/b", "a\x00b", ".hidden", "x" * 30 + "/" + "y"]
)
def test_no_name_leads_out_of_the_folder(tmp_path, student):
    path = run.notebook_path(tmp_path, student)
    assert path.parent == tmp_path / "executed"
    assert path.name.endswith(".ipynb") and not path.name.startswith(".") and path.name.isprintable()


def test_names_that_look_alike_once_safe_stay_apart(tmp_path):
    names = ["a/b", "a_b", "a\\b", "a:b"]
    assert len({run.notebook_path(tmp_path, name) for name in names}) == 4
    assert run.notebook_path(tmp_path, "Ada Lovelace").name == "Ada Lovelace.ipynb"


def test_whatever_one_submission_provokes_is_a_line_and_not_the_end(monkeypatch):
    def provoked(*_, **__):
        raise RecursionError("too deep")

    monkeypatch.setattr(run, "grade", provoked)
    found = run._grade_one(source(), "toy", handed_in("ada", submission(**RIGHT)))
    assert isinstance(found, InputError)
    assert "ada.ipynb" in str(found) and "RecursionError" in str(found) and len(str(found).splitlines()) == 1


def test_a_sandbox_that_fails_is_not_the_submissions_fault(monkeypatch):
    def fails(*_, **__):
        raise SandboxError("no kernel starts")

    monkeypatch.setattr(run, "grade", fails)
    with pytest.raises(SandboxError):
        run._grade_one(source(), "toy", handed_in("ada", submission(**RIGHT)))
