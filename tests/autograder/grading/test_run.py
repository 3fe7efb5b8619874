"""Many submissions, graded side by side: what comes out depends on nothing but them."""

import contextlib
import json
import time
from dataclasses import replace
from importlib import metadata

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from toy_course import EXERCISES, RIGHT, source, submission

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading.digest import run_digest
from autograder.grading.forget import forget
from autograder.grading.grading import Grading
from autograder.grading.numbers import numbers_in_class
from autograder.grading.run import Run, begin_run
from autograder.grading.store import Store
from autograder.grading.submissions import Submission
from autograder.judge.exercise import Exercise
from autograder.results.comparing import compare
from autograder.results.files import notebook_path
from autograder.results.reading import read_results
from autograder.results.writing import write_run
from autograder.sandbox.limits import Limits

KEY = b"k" * 32


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


def toy_grading(**conditions) -> Grading:
    return Grading("toy", **{"source": course.read_source("toy"), "key": KEY, "exercises": EXERCISES} | conditions)


@pytest.mark.slow
def test_serial_and_parallel_runs_in_any_order_agree(toy, crew, monkeypatch):
    students = [
        handed_in("ada", submission(**RIGHT)),
        handed_in("bob", submission(double="return x + 2", square="import os; os._exit(0)")),
        handed_in("eve", submission(double="return 2 * x", square="return [0] * 10**12")),
    ]
    limits = Limits(cell=20)
    run = Run(toy_grading(limits=limits), crew)
    parallel, seen = run.grade(students), run.tally.records
    monkeypatch.setattr(crew, "_jobs", 1)
    serial = Run(toy_grading(limits=limits), crew).grade(students[::-1])
    assert serial.model_dump_json() == parallel.model_dump_json()
    assert serial.version == metadata.version("fixmelab-autograder")
    assert [(item.student, item.score) for item in serial.submissions] == [("ada", 3.5), ("bob", 0.0), ("eve", 2.0)]
    verdicts = {item.student: [found.verdict for found in item.exercises] for item in serial.submissions}
    assert verdicts["bob"] == ["fail", "missing", "crashed"] and verdicts["eve"][2] == "oom"
    assert sorted((record.result for record in seen), key=lambda result: result.student) == parallel.submissions
    assert all(nbformat.reads(record.executed, as_version=4).cells for record in seen)


def test_what_is_wrong_with_one_submission_does_not_stop_the_rest(toy, crew):
    stranger = handed_in("bob", new_notebook(cells=[new_code_cell("x = 1")]))
    run, steps = Run(toy_grading(), crew), []
    result = run.grade([stranger, handed_in("ada", submission())], on_step=lambda *step: steps.append(step))
    assert [item.student for item in result.submissions] == ["ada"]
    assert len(run.tally.problems) == 1 and "bob.ipynb" in run.tally.problems[0]
    assert steps == [(0, 2), (1, 2), (2, 2)]
    with pytest.raises(InputError, match="bob.ipynb"):
        run.finish()


def test_a_hostile_class_ends_with_the_minutes_that_are_given(toy, crew, tmp_path):
    """Each takes all that it may, here 80 seconds of processor time; a later run goes on with those who are left."""
    bodies = ("while True: pass", "import time; time.sleep(10**6)", "while True: print('x' * 1000)")
    hostile = [handed_in(f"eve{number}", submission(double=f"pass\n{body}")) for number, body in enumerate(bodies)]
    limits, began = Limits(cell=40, idle=40, notebook=80), time.monotonic()
    with Store(tmp_path / "out") as store:
        run = Run(toy_grading(limits=limits), crew, store)
        result = run.grade(hostile, minutes=0.02)
    assert time.monotonic() - began < 30
    assert result.submissions == [] and result.ungraded == ["eve0", "eve1", "eve2"]
    assert run.tally.problems == [
        "0.02 minutes are over: 3 of 3 not graded; the same command goes on with them: eve0, eve1, eve2"
    ]


def test_answers_that_give_the_same_numbers_are_known_by_them(toy, crew, tmp_path):
    """By whatever code, and although the inputs of each were others when they were graded."""
    bodies = {"ada": "return x * 3", "bob": "return x + x + x", "eve": "return x * 4", "sam": "return 2 * x"}
    for student, body in bodies.items():
        path = notebook_path(tmp_path / "out", student)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(submission(double=body, square=RIGHT["square"]), path)
    wanted = {student: ["double"] for student in ("ada", "bob", "eve", "gone")}
    steps = []
    found, lines = numbers_in_class(toy_grading(), tmp_path / "out", wanted, crew, lambda *step: steps.append(step))
    assert set(found) == {(student, "toy.double") for student in ("ada", "bob", "eve")}
    assert found["ada", "toy.double"] == found["bob", "toy.double"] != found["eve", "toy.double"]
    assert len(lines) == 1 and "gone" in lines[0] and steps[-1] == (3, 3)


def test_a_second_run_grades_only_what_is_new(toy, crew, tmp_path):
    students = [handed_in("ada", submission(**RIGHT)), handed_in("bob", submission())]

    def known(*submissions: Submission, again: bool = False, key: bytes = KEY) -> dict[str, bool]:
        with Store(tmp_path / "out") as store:
            run = Run(toy_grading(key=key), crew, store)
            run.grade(submissions, again=again)
        return {record.result.student: record.is_known for record in run.tally.records}

    assert known(students[0]) == {"ada": False}
    assert known(*students) == {"ada": True, "bob": False}
    assert known(*students) == {"ada": True, "bob": True}
    assert known(handed_in("ada", submission()), students[1]) == {"ada": False, "bob": True}
    assert known(*students, again=True) == {"ada": False, "bob": False}
    assert known(*students, key=b"x" * 32) == {"ada": False, "bob": False}


def test_nobody_who_is_not_named_is_removed(toy, crew, tmp_path):
    out = tmp_path / "out"

    def grade(*submissions: Submission, **options) -> tuple[dict[str, float], list[str]]:
        with Store(out) as store:
            run = Run(toy_grading(), crew, store, **options)
            write_run(out, run.grade(submissions), run.tally.records)
            removed = run.finish()
        return {item.student: item.score for item in read_results(out).run.submissions}, removed

    ada, bob, eve = (handed_in(name, submission()) for name in ("ada", "bob", "eve"))
    assert grade(ada, bob, eve) == ({"ada": 0.0, "bob": 0.0, "eve": 0.0}, [])
    first = (out / "results.json").read_bytes()
    better = handed_in("bob", submission(**RIGHT))
    assert grade(better) == ({"ada": 0.0, "bob": 3.5, "eve": 0.0}, [])
    assert all(notebook_path(out, name).exists() for name in ("ada", "bob", "eve"))
    assert sorted(json.loads((out / "timings.json").read_text())) == ["ada.ipynb", "bob.ipynb", "eve.ipynb"]
    grade(bob)
    assert (out / "results.json").read_bytes() == first

    with pytest.raises(InputError, match="no result of 'evi'; did you mean eve"):
        forget(out, ["ada", "evi"])
    assert [item.student for item in forget(out, ["ada"]).submissions] == ["bob", "eve"]
    assert not notebook_path(out, "ada").exists()
    assert grade(eve, only_these=True) == ({"eve": 0.0}, ["bob"])
    assert not notebook_path(out, "bob").exists() and len(list((out / ".results").glob("*.json"))) == 1


def raises(student, draw):
    student(draw.normal(2)).no_such_thing()


def test_who_changed_and_why_and_what_failed(toy, crew, tmp_path):
    """A dry run writes nothing; a check that fails costs nobody a point, and is told to its author."""
    out, bob = tmp_path / "out", handed_in("bob", submission(double="return x + 2"))

    def grade(*submissions: Submission, dry_run: bool = False, **conditions) -> list[str]:
        with Store(out) as store:
            run = Run(toy_grading(**conditions), crew, store, dry_run=dry_run)
            result = run.grade(submissions)
            if not dry_run:
                write_run(out, result, run.tally.records)
            lines = list(compare(run.earlier.run, result).lines(together=True)) if run.earlier.run else []
            run.finish()
        return lines

    grade(handed_in("ada", submission()), bob)
    ada = handed_in("ada", submission(**RIGHT))
    (toy / "autograder" / "assignments" / "toy" / "double.py").write_text("x = 2\n")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    told = grade(ada, dry_run=True)
    assert told == [
        "double: missing 0 → pass 2, because of the submission and its check: 1: ada",
        "square: missing 0 → pass 1.5, because of the submission: 1: ada",
        "1 changed, 1 the same",
    ]
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert grade(ada) == told and len(read_results(out).run.conditions) == 2

    broken = EXERCISES | {"toy.square": Exercise("toy.square", raises)}
    for _ in range(2):  # what failed is tried again
        with pytest.raises(SandboxError, match=r"toy.square: its check failed for 1 student: Attr.*:\d+; mend"):
            grade(ada, exercises=broken, key=b"x" * 32)
        (result,) = (item for item in read_results(out).run.submissions if item.student == "ada")
        assert [item.verdict for item in result.exercises] == ["pass", "missing", "fault"] and result.score == 2.0
        assert "Traceback" in (out / "faults.txt").read_text()
        assert "Traceback" not in (out / "results.json").read_text()
    assert grade(ada)[0] == "square: fault → pass 1.5, because of the key: 1: ada"
    assert not (out / "faults.txt").exists()


def test_a_run_goes_on_from_its_own_assignment_alone(toy, crew, tmp_path):
    out = tmp_path / "out"
    with Store(out) as store:
        run = Run(toy_grading(), crew, store)
        path = write_run(out, run.grade([handed_in("ada", submission())]), run.tally.records)
    for text, said in (
        (path.read_text().replace('"toy"', '"vae"'), "results of vae, and this is toy"),
        ("{", "is lost"),
    ):
        path.write_text(text)
        with Store(out) as store, pytest.raises(InputError, match=said):
            Run(toy_grading(), crew, store)
        assert path.read_text() == text


def test_who_still_waits_in_an_earlier_run_is_not_forgotten(toy, crew, tmp_path):
    out = tmp_path / "out"
    ada, bob = (handed_in(name, submission()) for name in ("ada", "bob"))
    with Store(out) as store:
        run = Run(toy_grading(), crew, store)
        write_run(out, run.grade([ada]).model_copy(update={"ungraded": ["bob", "eve"]}), run.tally.records)
    for student, left in ((ada, ["bob", "eve"]), (bob, ["eve"])):
        with Store(out) as store:
            run = Run(toy_grading(), crew, store)
            assert run.grade([student]).ungraded == left
    assert forget(out, ["eve"]).ungraded == ["bob"]


def test_results_are_written_as_they_come(toy, crew, tmp_path):
    students = [handed_in(name, submission()) for name in ("ada", "bob", "eve", "joe", "sue")]
    out, seen = tmp_path / "out", []

    def look(done: int, total: int) -> None:
        if done:
            data = json.loads((out / "results.json").read_text())
            seen.append((done, len(data["submissions"]), len(data["ungraded"])))
            with pytest.raises(InputError, match=r"has not come to its end: \d submissions? (is|are) not graded; give"):
                read_results(out)

    with Store(out) as store:
        run = Run(toy_grading(), crew, store)
        result = run.grade(students, on_step=lambda *step: step == (5, 5) or look(*step))
    assert seen == [(1, 1, 4), (2, 2, 3), (3, 2, 3), (4, 4, 1)]
    assert (out / "executed" / "ada.ipynb").exists() or (out / "executed" / "bob.ipynb").exists()
    assert result.ungraded == [] and "ungraded" not in write_run(out, result, run.tally.records).read_text()
    assert len(read_results(out).run.submissions) == 5


def test_results_that_cannot_be_kept_are_a_line(toy, crew, tmp_path, monkeypatch):
    students = [handed_in(name, submission()) for name in ("ada", "bob")]
    keep = Store.keep

    def no_room_for_bob(store, item, record):
        if item.student == "bob":
            raise OSError(28, "No space left on device")
        return keep(store, item, record)

    monkeypatch.setattr(Store, "keep", no_room_for_bob)
    with Store(tmp_path / "out") as store:
        run = Run(toy_grading(), crew, store)
        result = run.grade(students)
    problems = run.tally.problems
    assert [item.student for item in result.submissions] == ["ada"]
    assert len(problems) == 1 and "No space left on device" in problems[0] and "bob" in problems[0]


def test_without_a_sandbox_that_works_nothing_is_graded(toy, monkeypatch):
    monkeypatch.setenv("PATH", str(toy))
    with pytest.raises(SandboxError, match="bubblewrap"), begin_run("toy", key=KEY):
        pytest.fail("there is a crew")


def test_an_assignment_that_is_not_built_says_what_to_do(toy):
    (toy / "notebooks" / "other.py").touch()
    with pytest.raises(InputError, match="autograder build other"):
        course.read_source("other")
    with pytest.raises(InputError, match="did you mean toy"), begin_run("tpy", key=KEY):
        pytest.fail("there is a crew")
    (toy / "source" / "toy" / "toy.ipynb").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        course.read_source("toy")


def test_the_digest_covers_all_that_decides_a_result(toy):
    grading = toy_grading()
    found = [run_digest(grading)]
    assert run_digest(grading) == found[0]
    for other in ({"key": b"x" * 32}, {"budget": "cpu"}, {"limits": Limits(cell=1)}, {"sandbox": False}):
        found.append(run_digest(replace(grading, **other)))
    (toy / "autograder" / "assignments" / "toy" / "double.py").write_text("x = 2\n")
    found.append(run_digest(grading))
    (toy / "source" / "toy" / "toy.ipynb").write_text("{}")
    found.append(run_digest(grading))
    assert len(set(found)) == len(found)


def test_messages_are_as_course_toml_says_and_a_change_of_them_grades_anew(toy, monkeypatch):
    monkeypatch.setattr("autograder.grading.run.Crew", lambda *args, **options: contextlib.nullcontext())
    digests = {}
    for messages in ("full", "plain"):
        (toy / "course.toml").write_text(f'messages = "{messages}"\n[assignments.elsewhere]\nweight = 2\n')
        with begin_run("toy", key=KEY, names=["elsewhere", "toy"]) as run:
            digests[run.grading.messages] = run_digest(run.grading)
    assert digests.keys() == {"full", "plain"} and digests["full"] != digests["plain"]
