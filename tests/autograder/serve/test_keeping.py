"""What the server keeps: its tables, rosters, tokens, and results as `autograder grade` writes them."""

import csv
import json
import sqlite3
import stat
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from nbformat.v4 import new_code_cell, new_notebook
from small_class import CONDITIONS, NOON, notebook, serve
from sqlalchemy import select
from toy_course import EXERCISES, source, submission

from autograder.errors import InputError
from autograder.exports.export import export
from autograder.grading.grading import Grading
from autograder.points.rules import read_rules
from autograder.results.reading import read_results
from autograder.serve import queue, tokens
from autograder.serve.counting import write_results
from autograder.serve.database import COPY_AFTER, Database
from autograder.serve.graded import digests_of
from autograder.serve.roster import enrol, read_roster
from autograder.serve.server import alone_in, listen
from autograder.serve.tables import Base, Student, Submission


def test_migrations_make_just_the_tables_that_the_code_reads(database):
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_answer_is_another_if_code_that_it_may_use_is():
    """Else one could try as often as one likes, and be told each time."""

    def digests(helper: str, double: str = "return helper(x)") -> dict[str, str]:
        answered = [cell for cell in submission(double=double).cells if "def double" in cell.source]
        answered[0].metadata = source().cells[1].metadata
        executed = new_notebook(cells=[new_code_cell(f"def helper(x):\n    {helper}"), *answered])
        return digests_of(Grading("toy", source(), b"k", exercises=EXERCISES), executed)

    same = digests("return x + 2")
    assert same.keys() == {"toy.double"} and same == digests("return x+2  # or more")
    assert same != digests("return x + 3") and same != digests("return x + 2", "return helper(2 * x)")


@pytest.mark.slow
def test_the_same_on_postgresql(course_root, new_database, make_submission):
    url = new_database()
    database = Database(url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    here = serve(database, make_submission)
    assert [here.send("ada", notebook(str(n))).status_code for n in (0, 0, 1, 2, 3, 4, 5, 6)] == [
        201,
        200,
        *[201] * 5,
        429,
    ]
    here.grade(("pass", ""), ("fail", "No.\0"))
    claimed = here.claim()
    with database.writing() as session:
        queue.requeue_running(session)
    assert not here.keep(claimed) and here.claim().id == claimed.id
    first = here.get("ada", "assignments/little/submissions").json()[-1]
    assert [item["message"] for item in first["exercises"]] == ["", "No."]
    seen = here.get("instructor", "class/little").json()
    assert (seen["waiting"], seen["running"], seen["students"][0]["tries"]) == (4, 1, 6)
    assert seen["mistakes"] == [{"exercise": "part_1", "message": "No.", "students": 1}]
    assert here.get("instructor", "class/little/students/%00").status_code == 404
    other = Database(url)
    with database.as_the_only_server(), pytest.raises(InputError, match="another server"), other.as_the_only_server():
        pass
    for each in (database, other):
        each.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://h/x", "give postgresql"),
        ("nonsense", "is no address"),
        ("sqlite:////nowhere/at/all.db", "cannot be used"),
        ("postgresql+psycopg://ada:secret@127.0.0.1:1/x", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_is_one_line(url, said):
    with pytest.raises(InputError, match=said) as raised:
        Database(url)
    assert len(str(raised.value).splitlines()) == 1 and "secret" not in str(raised.value)


def test_what_gathers_in_the_log_is_copied_over_beside_all_else(tmp_path, database):
    """Else whoever hands in does so for all before, and everybody waits."""
    text = "x" * 300_000

    def was_copied(within: float) -> bool:
        until = time.monotonic() + within
        while (size := (tmp_path / "serve.db").stat().st_size) < len(text) and time.monotonic() < until:
            time.sleep(0.05)
        return size > len(text)

    with database.writing() as session:
        session.add(Student(account="ada", name=text))
    assert not was_copied(2 * COPY_AFTER)
    with database.copying_over():
        assert was_copied(60)
    with database.reading() as session:
        assert session.scalar(select(Student.name)) == text


def test_rosters(tmp_path, database):
    path = tmp_path / "roster.csv"
    path.write_text("\ufeffstudent,name\r\nada,Ada L.\r\nbob,\r\n", encoding="utf-8")
    assert read_roster(path) == {"ada": "Ada L.", "bob": ""}
    path.write_text("id,first_name,last_name,email\nada,Ada,Lovelace,a@b.c\n")
    assert read_roster(path) == {"ada": "Ada Lovelace"}
    with sqlite3.connect(tmp_path / "gradebook.db") as book:
        book.execute("CREATE TABLE student (id, first_name, last_name)")
        book.execute("INSERT INTO student VALUES ('eve', 'Eve', NULL)")
    assert read_roster(tmp_path / "gradebook.db") == {"eve": "Eve"}
    with database.writing() as session:
        assert enrol(session, {"ada": "", "bob": ""}) == []
        assert enrol(session, {"ada": "Ada L.", "eve": ""}) == ["bob"]
        assert sorted(session.scalars(select(Student.name))) == ["", "", "Ada L."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists nobody"),
        ("login\nada\n", "roster.csv:1: has no column student"),
        ("student\nada\nada\n", "roster.csv:3: ada is on the list twice"),
        ("student,name\n,Ada\n", "roster.csv:2: names no student"),
        ("student\n../ada\n", "roster.csv:2: '../ada' cannot be the name of a folder"),
    ],
)
def test_a_roster_that_is_wrong_is_a_line_each(tmp_path, text, said):
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        read_roster(tmp_path / "roster.csv")


def test_tokens_are_shown_once_to_their_owner_alone(tmp_path, database):
    with database.writing() as session:
        enrol(session, {"ada": "Ada, L."})
        tokens.write_tokens(session, tmp_path / "tokens.csv", tokens.issue_missing(session, NOON))
        assert tokens.issue_missing(session, NOON) == []
        with pytest.raises(InputError, match="eve: not on the roster"):
            tokens.revoke(session, ["ada", "eve"], NOON)
        tokens.revoke_instructors(session, NOON)
        assert [row[0] for row in tokens.issue_missing(session, NOON)] == ["instructor"]
    assert stat.S_IMODE((tmp_path / "tokens.csv").stat().st_mode) == 0o600
    rows = list(csv.DictReader((tmp_path / "tokens.csv").open()))
    assert [(row["role"], row["student"], row["name"]) for row in rows] == [
        ("instructor", "", ""),
        ("student", "ada", "Ada, L."),
    ]
    with database.writing() as session, pytest.raises(InputError, match="is there already"):
        tokens.write_tokens(session, tmp_path / "tokens.csv", [])


@pytest.mark.parametrize(("attempt", "score"), [("last", 0.0), ("first", 0.0), ("best", 4.0), ("last before due", 4.0)])
def test_what_counts_is_written_as_grade_does(here, course_root, tmp_path, attempt, score):
    due = "[assignments.little]\ndue = 2027-01-15T10:00:00\n" if attempt == "last before due" else ""
    (course_root / "course.toml").write_text(f'time_zone = "UTC"\nattempt = "{attempt}"\n{due}')
    for hours, verdict in ((0, "fail"), (1, "pass"), (1.5, "error")):
        here.now = NOON + 3600 * (hours + (1 if verdict == "error" else 0))
        here.send("ada", notebook(verdict))
        here.grade((verdict, "No." if verdict != "pass" else ""), (verdict, ""))
    here.send("bob", notebook())
    with here.service.database.reading() as session:
        run = write_results(session, read_rules("little"), tmp_path / "out")
    assert run.ungraded == ["bob"]
    with pytest.raises(InputError, match="has not come to its end: 1 submission is not graded"):
        read_results(tmp_path / "out")
    with here.service.database.writing() as session:
        assert queue.refuse(session, queue.claim(session, ["little"]), "is of vae")
    with here.service.database.reading() as session:
        write_results(session, read_rules("little"), tmp_path / "out")
    found = read_results(tmp_path / "out")
    (result,) = found.run.submissions
    assert (result.student, result.score, result.max_score) == ("ada", score, 4.0)
    assert found.run.conditions == {"conditions": CONDITIONS} and found.run.sandbox
    assert json.loads((tmp_path / "out" / "executed" / "ada.ipynb").read_text()) == {"cells": []}
    assert found.seconds == {result.path: 1.5}
    text = export(tmp_path / "out", "csv").text
    assert text and '"ada"' in text


def test_without_anything_graded_there_are_no_results(here, tmp_path):
    here.send("ada", notebook())
    with here.service.database.reading() as session, pytest.raises(InputError, match="nothing of little is graded"):
        write_results(session, read_rules("little"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_servers_never_share_a_folder_or_a_port(tmp_path):
    with alone_in(tmp_path), pytest.raises(InputError, match="another server is at work there"), alone_in(tmp_path):
        pass
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(InputError, match=f"--port {port}: cannot listen there"):
            listen("127.0.0.1", port)


def test_what_fails_in_the_middle_leaves_nothing(database):
    with pytest.raises(RuntimeError), database.writing() as session:
        enrol(session, {"ada": ""})
        raise RuntimeError
    with database.reading() as session:
        assert not session.scalars(select(Student)).all() and not session.scalars(select(Submission)).all()
