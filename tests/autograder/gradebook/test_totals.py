"""Totals of the gradebook, for Canvas."""

import csv
import io
import json

import pytest
from fabricated_results import Student, write_results
from test_record import AUTOMATIC, MANUAL, mark
from typer.testing import CliRunner

from autograder.commands import app as cli
from autograder.errors import InputError, UsageError
from autograder.gradebook.database import one_transaction, parse_url
from autograder.gradebook.record import record


def export(*arguments: object):
    return CliRunner().invoke(cli.app, ["export", *map(str, arguments)])


def test_points_by_people_reach_canvas_and_who_waits_is_named(tmp_path, course_folder, db, opened):
    graded = write_results(tmp_path / "graded", {"ada": Student(), "bob": Student(written={"two_forms": None})})
    record(graded, db=db, root=course_folder)
    book = opened(db)
    mark(book, "ada", "two_forms", 2.5)
    book.find_grade("two_forms", "vae", "vae", "ada").extra_credit = 1.0
    book.find_submission("vae", "bob").notebooks[0].late_submission_penalty = 2.0
    book.db.commit()
    done = export(graded, "--to", "canvas", "--marks", "--db", db, "--course", course_folder)
    assert done.exit_code == 0, done.output
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[1][-1] == f"{AUTOMATIC + MANUAL:g}"
    assert [(row[0], float(row[-1])) for row in rows[2:]] == [("ada", AUTOMATIC + 3.5), ("bob", AUTOMATIC - 2)]
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


def test_a_gradebook_without_marks_is_refused(tmp_path):
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    assert isinstance(export(graded, "--to", "canvas", "--db", "sqlite://").exception, UsageError)
