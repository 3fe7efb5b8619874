"""A class graded again after a change: who is judged anew, and that all comes out as if graded from scratch."""

from pathlib import Path

import nbformat
import pytest
from toy_course import EXERCISES, RIGHT, source, submission

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading.digest import bases_of, conditions_of
from autograder.grading.grading import Grading
from autograder.grading.named import judged_names
from autograder.grading.regrade import WHAT_IT_USES, Due, Regrading, record_of
from autograder.grading.regraded import Regraded
from autograder.grading.run import Run
from autograder.grading.store import Store
from autograder.grading.submissions import Submission
from autograder.judge.exercise import Exercise
from autograder.judge.expect import expect
from autograder.judge.uses import leans_of
from autograder.judge.verdict import Finding
from autograder.results.files import notebook_path
from autograder.results.model import Basis, Judged, Record
from autograder.results.reading import read_results
from autograder.results.writing import write_run
from autograder.sandbox.zygote import Address

# Bob's second answer leans on his first, which is wrong, and eve's second ends the kernel.
ANSWERS = {
    "ada": RIGHT,
    "bob": {"double": "return x * 3", "square": "return double(x) * x"},
    "eve": {"double": RIGHT["double"], "square": "import os; os._exit(0)"},
}


def any_number(student, draw) -> None:
    student(draw.normal(5, 3))


def wants_a_cube(student, draw) -> None:
    x = draw.normal(5)
    expect(student(x)).close(x**3)


def raises(student, draw) -> None:
    student(draw.normal(2)).no_such_thing()


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A course in a folder of its own, in which exercises may be changed as if their modules were."""
    root = tmp_path_factory.mktemp("course")
    for folder in ("notebooks", "source/toy", "autograder/assignments/toy"):
        (root / folder).mkdir(parents=True)
    (root / "notebooks/toy.py").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "ROOT", root)
        nbformat.write(source(), course.source_path("toy"))
        yield Course(root)


class Course:
    def __init__(self, root: Path) -> None:
        self.root, self.exercises = root, dict(EXERCISES)
        self.class_ = [
            Submission(name, f"{name}.ipynb", nbformat.writes(submission(**answers)).encode())
            for name, answers in ANSWERS.items()
        ]
        for name in ("double", "square"):
            self.mend(name, self.exercises[f"toy.{name}"])

    def mend(self, name: str, exercise: Exercise) -> None:
        """Change a check: its module counts, as the digests see it, and its function, as it is called."""
        path = self.root / f"autograder/assignments/toy/{name}.py"
        path.write_text((path.read_text() if path.exists() else "") + "mended = True\n")
        self.exercises[f"toy.{name}"] = exercise

    def edit(self, change) -> None:
        notebook = course.read_source("toy")
        change(notebook.cells)
        nbformat.write(notebook, course.source_path("toy"))

    def grading(self) -> Grading:
        return Grading("toy", course.read_source("toy"), key=b"k" * 32, exercises=self.exercises)

    def grade(self, crew, out: Path, *, exercises=(), again=False, count=3, dry_run=False) -> list[str]:
        grading = self.grading()
        only = judged_names(grading.source, "toy", exercises) if exercises else None
        with Store(out) as store:
            run = Run(grading, crew, store, only=only, dry_run=dry_run)
            result = run.grade(self.class_[:count], again=again)
            if not dry_run:
                write_run(out, result, run.tally.records)
            run.finish()
        return list(run.regraded.lines())

    def points(self, out: Path) -> dict[str, tuple[float, ...]]:
        run = read_results(out).run
        return {item.student: tuple(one.score for one in item.exercises) for item in run.submissions}

    def message(self, out: Path, student: str, name: str) -> str:
        (result,) = (item for item in read_results(out).run.submissions if item.student == student)
        return next(item.message for item in result.exercises if item.id == f"toy.{name}")


def what_stands_in(out: Path) -> dict[str, str]:
    paths = [out / "results.json", *(notebook_path(out, name) for name in ANSWERS)]
    return {path.name: path.read_text() for path in paths}


def test_a_class_graded_again_is_as_if_graded_from_scratch(toy, crew, tmp_path):
    out = tmp_path / "out"

    def again(*lines: str) -> None:
        """Grade again, be told these lines, and find what a first run writes."""
        toy.grade(crew, tmp_path / lines[0])
        assert toy.grade(crew, out) == list(lines)
        assert what_stands_in(out) == what_stands_in(tmp_path / lines[0])

    toy.grade(crew, out)
    assert toy.points(out) == {"ada": (2.0, 0.0, 1.5), "bob": (0.0, 0.0, 0.0), "eve": (2.0, 0.0, 0.0)}
    assert toy.message(out, "bob", "square").endswith("It uses double, which has not passed; mend that first.")

    def reword(cells: list) -> None:
        cells[3].source = cells[3].source.replace("Write", "Please write")
        cells[2].metadata.nbgrader.points = 5

    toy.edit(reword)
    before = what_stands_in(out)
    assert toy.grade(crew, out, dry_run=True) == ["nobody was judged anew"] and what_stands_in(out) == before
    again("nobody was judged anew")
    assert toy.points(out) == {"ada": (5.0, 0.0, 1.5), "bob": (0.0, 0.0, 0.0), "eve": (5.0, 0.0, 0.0)}

    # By a mended check bob's first answer is right, so that his second no longer leans on anything wrong. Eve's second,
    # which ends the kernel, rests on time and memory as well.
    toy.mend("double", Exercise("toy.double", any_number))
    again(
        "3 students: double was judged anew, because of its check",
        "1 student: square was judged anew, because of a limit or crash beside it",
    )
    assert toy.points(out) == {"ada": (5.0, 0.0, 1.5), "bob": (5.0, 0.0, 0.0), "eve": (5.0, 0.0, 0.0)}
    assert "double" not in toy.message(out, "bob", "square")


def test_an_answer_that_rests_on_what_an_earlier_check_has_asked_stays_right(toy, crew, tmp_path, monkeypatch):
    """Its own visible test asks with a number, and the check with a tensor."""
    double = "global asked\n    asked = torch.is_tensor(x)\n    return 2 * x"
    answered = nbformat.writes(submission(double, "return x * x if asked else 0 * x")).encode()
    monkeypatch.setattr(toy, "class_", [Submission("ada", "ada.ipynb", answered)])
    right, points = toy.exercises["toy.square"], []
    for check in (right, Exercise("toy.square", wants_a_cube), right):
        toy.mend("square", check)
        said = toy.grade(crew, tmp_path)
        points.append(toy.points(tmp_path)["ada"][2])
    assert points == [1.5, 0.0, 1.5] and said == ["1 student: square was judged anew, because of its check"]


def test_exercises_that_are_named_are_judged_alone(toy, crew, tmp_path):
    out = tmp_path / "out"
    toy.grade(crew, out, count=2)
    for name in ("double", "square"):
        toy.mend(name, Exercise(f"toy.{name}", any_number))
    with pytest.raises(InputError, match="toy has no check of 'squares'; did you mean square"):
        toy.grade(crew, out, exercises=["double", "squares"])

    # Who has no verdicts yet is graded whole, and is not told of; the others keep what they have.
    assert toy.grade(crew, out, exercises=["toy.square"]) == [
        "2 students: square was judged anew, because of its check"
    ]
    first = read_results(out).run
    assert [item.conditions != "" for item in first.submissions[1].exercises] == [True, False, False]
    assert len(first.conditions) == 2 and not first.submissions[2].exercises[0].conditions
    assert toy.grade(crew, out, exercises=["square"]) == ["nobody was judged anew"]
    assert toy.grade(crew, out, exercises=["square"], again=True) == [
        "3 students: square was judged anew, because of --again"
    ]
    assert read_results(out).run == first
    assert toy.grade(crew, out)[0] == "2 students: double was judged anew, because of its check"
    toy.grade(crew, tmp_path / "scratch")
    assert what_stands_in(out) == what_stands_in(tmp_path / "scratch")

    # What failed is tried again, and alone.
    toy.mend("double", Exercise("toy.double", raises))
    with pytest.raises(SandboxError, match="toy.double: its check failed for 3 students"):
        toy.grade(crew, out)
    toy.exercises["toy.double"] = EXERCISES["toy.double"]
    assert toy.grade(crew, out)[0] == "3 students: double was judged anew, because of its check, which had failed"


def test_if_all_verdicts_hold_no_kernel_is_started(toy, zygote, tmp_path):
    grading = toy.grading()
    regrading = Regrading("now", bases_of(grading, conditions_of(grading)), leans_of(grading.source))
    (tmp_path / "sessions").mkdir()
    nobody = Address(str(tmp_path / "nobody"), str(tmp_path / "sessions"), sandbox=True)
    with pytest.raises(SandboxError, match="did not start"):
        record_of(grading, regrading, toy.class_[0], nobody)
    first = record_of(grading, regrading, toy.class_[0], zygote)
    held = record_of(grading, regrading, Due.of(toy.class_[0], first.judged, first.seconds), nobody)
    assert held.is_known and not first.is_known
    assert (held.result, held.judged, held.seconds) == (first.result, first.judged, first.seconds)


@pytest.mark.parametrize(
    ("b", "is_anew"),
    [
        (Finding("fail"), True),
        (Finding("pass", borrowed=True), True),
        (Finding("pass"), False),
        (Finding("missing"), False),
    ],
)
@pytest.mark.parametrize("only", [None, frozenset(("a",))])
def test_what_uses_an_exercise_that_is_judged_anew_is_judged_anew_unless_it_is_right_by_itself(b, is_anew, only):
    now, before = (Basis(**dict.fromkeys(Basis.model_fields, "")).model_copy(update={"check": one}) for one in "ab")
    leans = {"a": frozenset[str](), "b": frozenset("a"), "c": frozenset("b"), "d": frozenset[str]()}
    regrading = Regrading("now", dict.fromkeys("abcd", now), leans, only)
    found = {"a": Finding("fail"), "b": b, "c": Finding("fail"), "d": Finding("fail")}
    kept = {
        name: Judged(finding=one, basis=before if name == "a" else now, conditions="") for name, one in found.items()
    }
    _, anew = regrading.parted(kept, regrading.bases)
    used = {"b": (WHAT_IT_USES,), "c": (WHAT_IT_USES,)} if is_anew else {}
    assert anew == {"a": ("its check",)} | used
    assert regrading.parted({**kept, "a": kept["a"].model_copy(update={"basis": now})}, regrading.bases)[1] == {}


def test_what_was_judged_anew_is_told_with_its_reasons(make_submission):
    def record(student: str, anew: dict, digest: str = "0123456789abcdef") -> Record:
        result = make_submission(student, ("fault", ""), *[("pass", "")] * 5).model_copy(update={"digest": digest})
        judged = Judged(finding=Finding("pass"), basis=Basis(**dict.fromkeys(Basis.model_fields, "")), conditions="")
        names = [f"part_{number}" for number in range(6)]
        return Record(result=result, seconds=1.0, judged=dict.fromkeys(names, judged), anew=anew)

    regraded = Regraded({name: record(name, {}).result for name in ("ada", "bob", "eve", "joe")})
    regraded.note(record("new", {"part_1": ()}), again=False)
    regraded.note(record("joe", {}), again=False)
    assert list(regraded.lines()) == ["nobody was judged anew"]
    regraded.note(record("ada", {"part_0": (), "part_1": (), "part_2": ("the key", "a library")}), again=False)
    regraded.note(record("bob", {f"part_{number}": () for number in range(6)}, "another"), again=False)
    regraded.note(record("eve", {f"part_{number}": () for number in range(1, 6)}), again=False)
    regraded.note(record("joe", {"part_2": ("the key", "a library")}), again=False)
    assert list(regraded.lines()) == [
        "2 students: part_2 was judged anew, because of the key and a library",
        "1 student: part_0 was judged anew, because of its check, which had failed",
        "1 student: part_1 was judged anew, because of a verdict that was not kept",
        "1 student: all 6 exercises were judged anew, because of the submission",
        "1 student: 5 exercises were judged anew, because of verdicts that were not kept",
    ]


def test_each_of_several_attempts_is_told_of_as_what_it_is_and_counts_as_one_student(make_submission):
    def record(digest: str, why: tuple[str, ...]) -> Record:
        result = make_submission("ada", ("pass", ""), ("pass", "")).model_copy(update={"digest": digest})
        return Record(result=result, seconds=1.0, anew={"part_0": why, "part_1": why})

    def told(*records: Record, again: bool = False) -> list[str]:
        regraded = Regraded({"ada": record("counts", ()).result})
        for one in records:
            regraded.note(one, again=again)
        return list(regraded.lines())

    checks = "1 student: part_0 and part_1 were judged anew, because of their checks"
    assert told(record("counts", ("its check",)), record("earlier", ("its check",))) == [checks]
    again = "1 student: part_0 and part_1 were judged anew, because of --again"
    assert told(record("counts", ()), record("earlier", ()), again=True) == [again]
    new = "1 student: part_0 and part_1 were judged anew, because of the submission"
    assert told(record("counts", ("its check",)), record("new", ())) == [checks, new]
