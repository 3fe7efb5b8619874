"""Totals of the gradebook, for Canvas."""

import csv
import datetime
import io
import json
from types import SimpleNamespace

import pytest
from fabricated_results import Student, write_results
from test_record import AUTOMATIC, MANUAL, mark
from typer.testing import CliRunner

from autograder.commands import app as cli
from autograder.errors import InputError, UsageError
from autograder.gradebook.database import one_transaction, parse_url
from autograder.gradebook.record import record
from autograder.gradebook.totals import marked
from autograder.points.adjusting import adjusted_submission
from autograder.points.rules import read_rules


def export(*arguments: object):
    return CliRunner().invoke(cli.app, ["export", *map(str, arguments)])


def test_points_by_people_reach_canvas_and_who_waits_is_named(tmp_path, course_folder, db, opened):
    graded = write_results(tmp_path / "graded", {"ada": Student(), "bob": Student(written={"two_forms": None})})
    record(graded, db=db, root=course_folder)
    book = opened(db)
    mark(book, "ada", "two_forms", 2.5)
    book.find_grade("two_forms", "vae", "vae", "ada").extra_credit = 1.0
    book.find_assignment("vae").duedate = datetime.datetime(2030, 5, 1, 12)
    book.find_submission("vae", "bob").timestamp = datetime.datetime(2030, 5, 1, 13)
    with (course_folder / "nbgrader_config.py").open("a") as file:
        file.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    book.db.commit()
    done = export(graded, "--to", "canvas", "--marks", "--db", db, "--course", course_folder)
    assert done.exit_code == 0, done.output
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[1][-1] == f"{AUTOMATIC + MANUAL:g}"
    assert [(row[0], float(row[-1])) for row in rows[2:]] == [("ada", AUTOMATIC + 3.5), ("bob", 0)]
    assert "2 of 2 wait for a person still: ada, bob" in done.stderr
    plain = list(csv.reader(io.StringIO(export(graded, "--to", "canvas").stdout)))
    assert [float(row[-1]) for row in plain[2:]] == [AUTOMATIC, AUTOMATIC]


def test_who_is_not_recorded_is_named(tmp_path, course_folder, db):
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    more = write_results(tmp_path / "more", {"ada": Student(), "bob": Student()})
    options = ("--to", "canvas", "--marks", "--db", db, "--course", course_folder)
    with pytest.raises(InputError, match=r": ada: these results are not recorded there; run autograder record first$"):
        raise export(graded, *options).exception
    record(graded, db=db, root=course_folder)
    with pytest.raises(InputError, match=r": bob: these results are not"):
        raise export(more, *options).exception
    regraded = write_results(tmp_path / "regraded", {"ada": Student(verdicts={"encode": ("fail", "No.")})})
    with pytest.raises(InputError, match=r": ada: these results are not"):
        raise export(regraded, *options).exception
    with one_transaction(parse_url(db), "fixmelab") as book:
        book.add_student("bob")
        with book.db.no_autoflush:
            book.add_submission("vae", "bob")
    with pytest.raises(InputError, match=r": bob: these results are not"):
        raise export(more, *options).exception


def test_the_marks_of_a_namesake_are_not_ones_own(tmp_path, course_folder):
    db = f"sqlite:///{tmp_path / 'gradebook.db'}"
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    path = graded / "results.json"

    def say_number(number: str) -> None:
        run = json.loads(path.read_text())
        run["submissions"][0]["canvas_id"] = number
        path.write_text(json.dumps(run))

    say_number("111")
    record(graded, db=db, root=course_folder)
    options = ("--to", "canvas", "--marks", "--db", db, "--course", course_folder)
    assert export(graded, *options).exit_code == 0
    say_number("222")
    with pytest.raises(InputError, match=r": ada: these results are not recorded there"):
        raise export(graded, *options).exception


RULES = """
[late]
penalty = "10%"

[assignments.vae]
due = 2030-05-01T12:00:00Z
excused.bob = "ill"
"""
LEDGER = """assignment,student,exercise,action,points,reason,who,when
vae,*,gaussian_kl,drop,,the question was ambiguous,the lecturer,2030-05-02
vae,ada,two_forms,add,0.5,a good idea,the lecturer,2030-05-02
"""


def test_the_rules_of_the_course_stand_beside_what_was_judged_and_pages_hold_marks(
    tmp_path, course_folder, monkeypatch, opened
):
    (tmp_path / "course.toml").write_text(RULES)
    (tmp_path / "adjustments.csv").write_text(LEDGER)
    for place in ("gradebook.record", "exports.export"):
        monkeypatch.setattr(f"autograder.{place}.read_rules", lambda name: read_rules(name, tmp_path))
    graded = write_results(tmp_path / "graded", {name: Student() for name in ("ada", "bob", "eve")})
    run = json.loads((graded / "results.json").read_text())
    for item, time in zip(run["submissions"], ("2030-05-01T11:00:00", "", "2030-05-02T13:00:00"), strict=True):
        item["submitted"] = f"{time}+00:00" if time else ""
    (graded / "results.json").write_text(json.dumps(run))
    db = f"sqlite:///{tmp_path / 'gradebook.db'}"
    record(graded, db=db, root=course_folder)
    book = opened(db)
    mark(book, "ada", "two_forms", 2.5, comment="Well put <b>indeed</b>.")
    recorded = record(graded, db=db, root=course_folder)
    possible = AUTOMATIC + MANUAL - 2
    lost = {"ada": 2 - 0.5, "bob": 0.0, "eve": 2 + 2 * 0.1 * possible}
    book.db.expire_all()
    for student, points in lost.items():
        submission = book.find_submission("vae", student)
        assert submission.late_submission_penalty == pytest.approx(points), student
        judged = AUTOMATIC + (2.5 if student == "ada" else 0)
        assert submission.score == judged
    told = {entry.student: entry.adjustments for entry in recorded.entries}
    assert told["bob"] == ["excused: ill"] and "the question was ambiguous" in told["ada"][0]
    assert "late by 1 d 1 h (due 2030-05-01 12:00 UTC): 2 days begun" in told["eve"][-1]
    assert book.find_submission("vae", "eve").timestamp == datetime.datetime(2030, 5, 2, 13)

    options = ("--marks", "--db", db, "--course", course_folder)
    rows = list(csv.DictReader(io.StringIO(export(graded, "--to", "csv", *options).stdout.removeprefix("\ufeff"))))
    totals = {row["student"]: (row["total"], row["max"], row["state"]) for row in rows}
    assert totals["ada"] == (f"{AUTOMATIC - 2 + 3:g}", f"{possible:g}", "by hand") and totals["bob"][2] == "excused"
    assert float(totals["eve"][0]) == pytest.approx(AUTOMATIC - lost["eve"], abs=0.01)
    done = export(graded, "--to", "html", "--out", tmp_path / "pages", *options)
    assert done.exit_code == 0, done.output
    ada, bob = ((tmp_path / "pages" / f"{name}.html").read_text() for name in ("ada", "bob"))
    assert "Well put &lt;b&gt;indeed&lt;/b&gt;." in ada and "<code>two_forms</code>" in ada
    assert f"{AUTOMATIC - 2 + 3:g} of {possible:g}</b> points" in ada and "automatic points" not in ada
    assert "two_forms: 2.5 → 3 points: a good idea" in ada and "Test cell" not in ada
    assert "<b>excused</b>" in bob and "excused: ill" in bob


@pytest.mark.parametrize(
    ("submitted", "late"), [("", "1 day"), ("2030-05-01T11:00:00Z", "no"), ("2030-05-03T11:00:00Z", "2 days")]
)
def test_the_gradebooks_time_counts_if_nothing_else_tells_any(make_submission, tmp_path, submitted, late):
    (tmp_path / "course.toml").write_text(RULES)
    rules = read_rules("vae", tmp_path)
    notebook = SimpleNamespace(name="vae", grades=[], comments=[], score=1.0, max_score=2.0)
    recorded = SimpleNamespace(notebooks=[notebook], timestamp=datetime.datetime(2030, 5, 2, 11))
    result = make_submission("ada").model_copy(update={"submitted": submitted})
    found = marked(result, recorded, SimpleNamespace(cells=[]), None, rules)
    assert adjusted_submission(found, rules).late == late


def test_a_gradebook_without_marks_is_refused(tmp_path):
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    assert isinstance(export(graded, "--to", "canvas", "--db", "sqlite://").exception, UsageError)
