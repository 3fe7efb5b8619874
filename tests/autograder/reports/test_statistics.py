"""What a class tells about the exam, against values worked out by hand."""

import math

import nbformat
import numpy
import pytest
from typer.testing import CliRunner

from autograder import course
from autograder.commands.app import app
from autograder.points.adjusting import adjusted
from autograder.points.course_file import CourseFile
from autograder.points.ledger import Adjustment
from autograder.points.rules import Rules
from autograder.reports.answers import MOST_CHARACTERS, Answers, added_code, answers_in, bare_code
from autograder.reports.index import index_page
from autograder.reports.statistics import SameCode, discrimination, exercise_statistics, statistics_csv
from autograder.reports.work import outline

WRONG, RIGHT, LATE = ("fail", "no", None), ("pass", "", None), ("timeout", "late", None)


def test_discrimination_is_point_biserial():
    """Those who have it have a rest of 0.8 and 0.6, the others of 0.2, 0.4 and 0: means 0.7 and 0.2, standard deviation
    of all sqrt(0.08), shares 2/5 and 3/5. r = (0.7 − 0.2) / sqrt(0.08) · sqrt(2/5 · 3/5) = sqrt(0.75)."""
    found = discrimination(numpy.array([1.0, 1, 0, 0, 0]), numpy.array([0.8, 0.6, 0.2, 0.4, 0.0]))
    assert found.value == pytest.approx(math.sqrt(0.75)) and found.count == 5 and found.why == ""
    # Fisher: artanh(0.8660) = 1.3170; ± 1.96 / sqrt(2) = 1.3859
    assert (found.low, found.high) == pytest.approx((math.tanh(-0.0689), math.tanh(2.7029)), abs=1e-3)


def test_discrimination_agrees_with_scipy():
    from scipy.stats import pointbiserialr

    random = numpy.random.default_rng(0)
    rest = random.random(200)
    share = (rest + random.normal(size=200) > 0.5).astype(float)
    assert discrimination(share, rest).value == pytest.approx(pointbiserialr(share, rest).statistic)


@pytest.mark.parametrize(
    ("shares", "rest", "why"),
    [
        ([1.0], [0.5], "fewer than two students"),
        ([1.0, 1, 1], [0.1, 0.5, 0.9], "all have the same points for it"),
        ([0.0, 1, 1], [0.5, 0.5, 0.5], "all have the same points for everything else"),
    ],
)
def test_what_is_undefined_says_why(shares, rest, why):
    found = discrimination(numpy.array(shares), numpy.array(rest))
    assert math.isnan(found.value) and found.why == why and found.count == len(shares)


def test_three_students_have_no_interval_and_a_perfect_one_has_no_width():
    assert math.isnan(discrimination(numpy.array([0.0, 1, 1]), numpy.array([0.1, 0.5, 0.9])).low)
    found = discrimination(numpy.array([0.0, 0, 1, 1]), numpy.array([0.2, 0.2, 0.7, 0.7]))
    assert found.value == found.low == found.high == pytest.approx(1)


def test_difficulty_counts_partial_credit_and_leaves_faults_out(submission, make_run):
    students = [submission("a"), submission("b", kl=WRONG), submission("c", kl=("fault", "", None)), submission("d")]
    half = students[3].exercises[1].model_copy(update={"score": 1.0, "verdict": "fail"})
    students[3] = students[3].model_copy(
        update={"exercises": [students[3].exercises[0], half, students[3].exercises[2]]}
    )
    kl, grid = exercise_statistics(make_run(*students), {"little.why"})
    assert (kl.id, kl.judged, kl.right, kl.difficulty) == ("little.kl", 3, 1, pytest.approx((1 + 0 + 0.5) / 3))
    assert (grid.judged, grid.right, grid.discrimination.why) == (4, 4, "all have the same points for it")
    assert exercise_statistics(make_run(), set()) == []


def test_an_exercise_that_counts_for_nothing_has_no_statistics(submission, make_run):
    student = submission("a")
    dropped = student.exercises[1].model_copy(update={"score": 0.0, "max_score": 0.0})
    student = student.model_copy(update={"exercises": [dropped, student.exercises[2]]})
    assert [item.id for item in exercise_statistics(make_run(student), set())] == ["little.grid"]


def test_a_check_that_good_students_fail_is_suspicious(submission, make_run, source):
    """Twelve have the other exercise and lose this one; twelve are the other way round."""
    good = [submission(f"g{number}", kl=WRONG) for number in range(12)]
    weak = [submission(f"w{number}", grid=LATE) for number in range(12)]
    kl, grid = exercise_statistics(make_run(*good, *weak), {"little.why"})
    assert kl.discrimination.value == pytest.approx(-1)
    assert any("more of the other points" in sentence for sentence in kl.suspicions)
    assert "6 of the 6 best students, who have 80% of the other points or more, lose it." in kl.suspicions
    page = "".join(index_page(make_run(*good, *weak), source))
    assert "Look at its check: 6 of the 6 best students" in page


def test_points_that_people_give_to_everybody_hide_no_suspicion(submission, make_run):
    students = [submission(f"g{number}", kl=WRONG) for number in range(12)]
    students += [submission(f"w{number}", grid=LATE) for number in range(12)]
    run = make_run(*students)
    rows = [Adjustment("", "*", "kl", "credit", 0, "a bad test"), Adjustment("", "*", "grid", "add", 0.5, "a gift")]
    file = CourseFile.model_validate({"assignments": {run.assignment: {"weights": {"kl": 0.25}}}})
    counts, _ = adjusted(run, rules=Rules(run.assignment, file, rows), people=True)
    assert counts.submissions[0].score > run.submissions[0].score
    assert exercise_statistics(counts, {"little.why"}) == exercise_statistics(run, {"little.why"})
    excused = [item.model_copy(update={"excused": "ill"}) for item in run.submissions[:3]]
    assert exercise_statistics(make_run(*excused, *run.submissions[3:]), set())[0].judged == 21
    drops = Rules(run.assignment, ledger=[Adjustment("", "w0", "kl", "drop", 0, "their data")])
    assert exercise_statistics(adjusted(run, rules=drops, people=True)[0], {"little.why"})[0].judged == 23


def test_a_fair_exam_is_not_suspicious(submission, make_run):
    good = [submission(f"g{number}") for number in range(12)]
    weak = [submission(f"w{number}", kl=WRONG, grid=WRONG) for number in range(11)]
    mixed = [submission("m", kl=WRONG)]
    assert not any(item.suspicions for item in exercise_statistics(make_run(*good, *weak, *mixed), {"little.why"}))


def test_the_csv_has_what_is_undefined_as_empty(submission, make_run):
    text = statistics_csv(exercise_statistics(make_run(submission("a"), submission("b")), {"little.why"}))
    header, kl, _ = text.splitlines()
    assert header == "exercise,judged,right,difficulty,discrimination,low,high,rests_on,why_none,look_at"
    assert kl == "little.kl,2,2,1.0000,,,,2,all have the same points for it,"


def test_the_same_code_right_and_wrong_is_found(submission, executed, source):
    def answered(kl: str, grid: str):
        notebook = executed()
        for cell in notebook.cells:
            name = cell.metadata["nbgrader"]["grade_id"]
            if name in ("kl", "grid"):
                cell["source"] = f"# exercise: {name}\n{kl if name == 'kl' else grid}"
        return answers_in(notebook, outline(source))

    same = SameCode()
    same.note_all(submission("ada"), answered("def kl(m):\n    return m", "kl(3)"))
    same.note_all(submission("bob", kl=WRONG), answered("def kl( m ):  # mine\n  return m", "kl(3)"))
    same.note_all(submission("eve", kl=WRONG, grid=WRONG), answered("def kl(m):\n    return -m", "kl(3)"))
    assert same.found() == [("little.kl", "ada", ["bob"])]  # grid leans on another kl


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f('#a')", "f('#b')"),
        ("if x:\n  f()\ng()", "if x:\n  f()\n  g()"),
        ("#" * MOST_CHARACTERS + "\nf()", "#" * MOST_CHARACTERS + "\ng()"),
        ("!echo '#a' [", "!echo '#b' ["),
    ],
)
def test_code_is_the_same_only_if_it_does_the_same(one, other):
    assert bare_code(one) != bare_code(other)
    assert bare_code("if x:  # so\n    f( x )\n\n") == bare_code("if x:\n  f(x)\n# done")


@pytest.mark.parametrize(
    "name", ["double", "ｄｏｕｂｌｅ", "𝐝𝐨𝐮𝐛𝐥𝐞", "dᵒuble"], ids=["plain", "wide", "bold", "raised"]
)
def test_an_answer_leans_on_what_it_names_in_whatever_letters(name):
    of_double = ("def double(x): return 2 * x", "def double(x): return x + x")
    square = f"def square(x): return {name}(x) * x / 2"
    found = {Answers({}, {}, {"double": double, "square": square}).leaning("square") for double in of_double}
    space: dict = {}
    exec(f"{of_double[0]}\n{square}", space)
    assert space["square"](3) == 9 and len(found) == 2


def test_code_that_a_student_adds_is_known_from_the_courses_and_from_answers(source):
    from nbformat.v4 import new_code_cell

    handed_in = nbformat.from_dict(
        {**source, "cells": [*source.cells, new_code_cell("def helper(): return 1  # mine")]}
    )
    assert added_code(source, source) == "" and added_code(handed_in, source) == bare_code("def helper(): return 1")


def test_a_cell_of_several_exercises_is_divided_at_its_anchors():
    from nbformat.v4 import new_code_cell, new_notebook

    metadata = {"nbgrader": {"grade_id": "Net", "solution": True, "grade": False, "locked": False}}
    text = "# exercise: Net\nclass Net:\n    one = 1\n\n    # exercise: step\n    def step(self):\n        return 2\n"
    solved = outline(new_notebook(cells=[new_code_cell(text, metadata=metadata)]))
    handed_in = new_notebook(cells=[new_code_cell("import math\n" + text, metadata=metadata)])
    found = answers_in(handed_in, solved)
    assert found.code == {
        "Net": "import math\n# exercise: Net\nclass Net:\n    one = 1",
        "step": "# exercise: step\ndef step(self):\n    return 2",
    }
    handed_in.cells[0].source = text.replace("# exercise: step", "")
    assert set(answers_in(handed_in, solved).code.values()) == {handed_in.cells[0].source}


def test_the_command_writes_page_and_csv(submission, make_run, executed, write_class, source, monkeypatch):
    def answered(body):
        notebook = executed()
        for cell in notebook.cells:
            if cell.metadata["nbgrader"]["grade_id"] == "kl":
                cell["source"] = f"# exercise: kl\ndef kl(mu):\n    return {body}"
        return notebook

    monkeypatch.setattr(course, "read_source", lambda name: source)
    monkeypatch.setattr(course, "require_assignment", lambda name: name)
    run = make_run(submission("ada"), submission("bob", kl=WRONG), submission("eve", kl=WRONG), submission("sam"))
    folder = write_class(
        run, {"ada": answered("mu"), "bob": answered("-mu"), "eve": answered("mu"), "sam": answered("2")}
    )
    (folder / "report" / "exam.html").unlink()
    (folder / "results.json").write_text(run.model_dump_json())
    done = CliRunner().invoke(app, ["statistics", str(folder), "--csv", str(folder / "out.csv")])
    assert done.exit_code == 0, done.output
    assert (folder / "out.csv").read_text().splitlines()[1].startswith("little.kl,4,2,0.5000,")
    page = (folder / "report" / "exam.html").read_text()
    assert "The answer of ada is right, and the same code is wrong for eve" in page
    assert "2<small>×</small>" in page and "bob, eve" in page
    assert "@mistake(&#34;" in page and "def name_of_the_mistake(mu):\n    return -mu" in page
    done = CliRunner().invoke(app, ["statistics", str(folder), "--limit", "cell=5"])
    assert done.exit_code == 1 and "belong to --numbers" in str(done.exception)
