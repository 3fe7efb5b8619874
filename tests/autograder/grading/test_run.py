"""Many submissions, graded side by side: what comes out depends on nothing but them."""

from importlib import metadata

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from toy_course import EXERCISES, RIGHT, source, submission

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading.digest import run_digest
from autograder.grading.run import grade_all
from autograder.grading.store import Store
from autograder.grading.submissions import Submission
from autograder.grading.workers import Crew
from autograder.sandbox.limits import Limits

SETTINGS = {"key": b"k" * 32, "budget": "smoke", "exercises": EXERCISES}


def handed_in(student: str, notebook) -> Submission:
    return Submission(student, f"{student}.ipynb", nbformat.writes(notebook).encode())


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A repository with the toy course in it."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    for folder in ("notebooks", "source/toy", "autograder/assignments/toy"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "notebooks" / "toy.py").touch()
    (tmp_path / "autograder" / "assignments" / "toy" / "double.py").write_text("x = 1\n")
    nbformat.write(source(), tmp_path / "source" / "toy" / "toy.ipynb")
    return tmp_path


@pytest.fixture(scope="module")
def crew():
    with Crew(jobs=2) as running:
        yield running


@pytest.mark.slow
def test_serial_and_parallel_runs_in_any_order_agree(toy, crew):
    students = [
        handed_in("ada", submission(**RIGHT)),
        handed_in("bob", submission(double="return x + 2", square="import os; os._exit(0)")),
        handed_in("eve", submission(double="return 2 * x", square="return [0] * 10**12")),
    ]
    limits = Limits(cell=20)
    seen = []
    parallel = grade_all("toy", students, crew=crew, limits=limits, on_result=seen.append, **SETTINGS)
    serial = grade_all("toy", students[::-1], jobs=1, limits=limits, **SETTINGS)
    assert serial.model_dump_json() == parallel.model_dump_json()
    assert serial.version == metadata.version("fixmelab-autograder")
    assert [(item.student, item.score) for item in serial.submissions] == [("ada", 3.5), ("bob", 0.0), ("eve", 2.0)]
    verdicts = {item.student: [found.verdict for found in item.exercises] for item in serial.submissions}
    assert verdicts["bob"] == ["fail", "missing", "crashed"] and verdicts["eve"][2] == "oom"
    assert sorted((record.result for record in seen), key=lambda result: result.student) == parallel.submissions
    assert all(nbformat.reads(record.executed, as_version=4).cells for record in seen)


def test_what_is_wrong_with_one_submission_does_not_stop_the_rest(toy, crew):
    stranger = handed_in("bob", new_notebook(cells=[new_code_cell("x = 1")]))
    problems = []
    run = grade_all(
        "toy", [stranger, handed_in("ada", submission())], crew=crew, on_problem=problems.append, **SETTINGS
    )
    assert [item.student for item in run.submissions] == ["ada"]
    assert len(problems) == 1 and "bob.ipynb" in problems[0]
    with pytest.raises(InputError, match="bob.ipynb"):
        grade_all("toy", [stranger], crew=crew, **SETTINGS)


def test_a_second_run_grades_only_what_is_new(toy, crew, tmp_path):
    students = [handed_in("ada", submission(**RIGHT)), handed_in("bob", submission())]
    seen = []

    def known(*submissions: Submission, again: bool = False, key: bytes = b"k" * 32) -> dict[str, bool]:
        seen.clear()
        with Store(tmp_path / "out") as store:
            settings = SETTINGS | {"key": key}
            grade_all("toy", submissions, crew=crew, store=store, again=again, on_result=seen.append, **settings)
        return {record.result.student: record.is_known for record in seen}

    assert known(students[0]) == {"ada": False}
    assert known(*students) == {"ada": True, "bob": False}
    assert known(*students) == {"ada": True, "bob": True}
    assert known(handed_in("ada", submission()), students[1]) == {"ada": False, "bob": True}
    assert known(*students, again=True) == {"ada": False, "bob": False}
    assert known(*students, key=b"x" * 32) == {"ada": False, "bob": False}


def test_results_that_cannot_be_kept_are_a_line(toy, crew, tmp_path, monkeypatch):
    students = [handed_in(name, submission()) for name in ("ada", "bob")]
    keep = Store.keep

    def no_room_for_bob(store, digest, item, record):
        if item.student == "bob":
            raise OSError(28, "No space left on device")
        keep(store, digest, item, record)

    monkeypatch.setattr(Store, "keep", no_room_for_bob)
    problems = []
    with Store(tmp_path / "out") as store:
        run = grade_all("toy", students, crew=crew, store=store, on_problem=problems.append, **SETTINGS)
    assert [item.student for item in run.submissions] == ["ada"]
    assert len(problems) == 1 and "No space left on device" in problems[0] and "bob" in problems[0]


def test_without_a_sandbox_that_works_nothing_is_graded(toy, monkeypatch):
    monkeypatch.setenv("PATH", str(toy))
    with pytest.raises(SandboxError, match="bubblewrap"):
        grade_all("toy", [handed_in("ada", submission())], **SETTINGS)


def test_an_assignment_that_is_not_built_says_what_to_do(toy):
    (toy / "notebooks" / "other.py").touch()
    with pytest.raises(InputError, match="autograder build other"):
        course.read_source("other")
    with pytest.raises(InputError, match="did you mean toy"):
        grade_all("tpy", [], **SETTINGS)
    (toy / "source" / "toy" / "toy.ipynb").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        course.read_source("toy")


def test_the_digest_covers_all_that_decides_a_result(toy):
    settings = {"key": b"k" * 32, "budget": "smoke"}
    found = [run_digest("toy", **settings)]
    assert run_digest("toy", **settings) == found[0]
    for other in ({"key": b"x" * 32}, {"budget": "cpu"}, {"limits": Limits(cell=1)}, {"sandbox": False}):
        found.append(run_digest("toy", **settings | other))
    (toy / "autograder" / "assignments" / "toy" / "double.py").write_text("x = 2\n")
    found.append(run_digest("toy", **settings))
    (toy / "source" / "toy" / "toy.ipynb").write_text("{}")
    found.append(run_digest("toy", **settings))
    assert len(set(found)) == len(found)
