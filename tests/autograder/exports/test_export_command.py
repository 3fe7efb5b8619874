"""The command: what is printed, what is written where, and what is one line."""

import json
from xml.etree import ElementTree as XML

import pytest
from typer.testing import CliRunner

from autograder.commands import app as cli
from autograder.errors import InputError, UsageError

FORMS = ("junit", "csv", "canvas", "markdown")


def export(*arguments: object):
    return CliRunner().invoke(cli.app, ["export", *map(str, arguments)])


@pytest.fixture
def graded(make_run, make_submission, write_graded):
    submissions = [make_submission("ada"), make_submission("emil", ("missing", ""))]
    return write_graded(make_run(*submissions).model_copy(update={"assignment": "vae"}))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_printed_is_what_is_written(graded, tmp_path, form):
    printed = export(graded, "--to", form)
    assert printed.exit_code == 0
    out = tmp_path / "new" / "out.txt"
    written = export(graded, "--to", form, "--out", out)
    assert written.exit_code == 0 and str(out) in written.stdout
    assert out.read_bytes() == printed.stdout_bytes
    assert (b"2 students" if form == "markdown" else b"emil") in out.read_bytes()  # a class is not named there
    before = out.stat().st_mtime_ns, sorted(path.name for path in out.parent.iterdir())
    assert export(graded, "--to", form, "--out", out).exit_code == 0
    assert before[1] == sorted(path.name for path in out.parent.iterdir()) == ["out.txt"]


def test_times_of_the_run_are_in_junit(graded):
    root = XML.fromstring(export(graded, "--to", "junit").stdout_bytes)
    assert [suite.get("time") for suite in root] == ["1.250", "1.250"]


def test_a_page_a_student_beside_the_results(graded):
    done = export(graded / "results.json", "--to", "html")
    assert done.exit_code == 0
    assert sorted(path.name for path in (graded / "feedback").iterdir()) == ["ada.html", "emil.html"]
    assert "'ada' has no executed notebook" in done.stderr and str(graded / "feedback") in done.stdout


def test_one_student_in_one_file(graded, tmp_path):
    done = export(graded, "--to", "html", "--out", tmp_path / "page.html")
    assert isinstance(done.exception, InputError) and "there are 2 submissions; give a folder" in str(done.exception)
    run = json.loads((graded / "results.json").read_text())
    (graded / "results.json").write_text(json.dumps(run | {"submissions": run["submissions"][:1]}))
    assert export(graded, "--to", "html", "--out", tmp_path / "page.html").exit_code == 0
    assert (tmp_path / "page.html").is_file() and not (graded / "feedback").exists()


def test_who_is_not_in_the_roster_is_said_on_stderr_and_counted(graded, tmp_path):
    (tmp_path / "roster.csv").write_text('Student,ID,SIS Login ID,Section,vae (5)\n"Post, Emil",7,emil,A,\n')
    done = export(graded, "--to", "canvas", "--roster", tmp_path / "roster.csv", "--column", "5")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == ['"Post, Emil",7,emil,A,0']
    assert done.stderr.splitlines() == [
        "'ada' is not in the roster: left out",
        "filled in, and empty before: 1; as they were: 0",
        "1 of 2 submissions are filled in, 1 left out; 0 of 1 students of the roster have none",
    ]


@pytest.mark.parametrize(
    ("form", "options"),
    [
        *(("csv", ["--roster", "x.csv"]), ("csv", ["--column", "vae"]), ("html", ["--overwrite"])),
        *(("junit", ["--marks"]), ("csv", ["--db", "sqlite://"]), ("moodle", []), ("blackboard", ["--column", "vae"])),
    ],
)
def test_what_does_not_belong_to_a_form_is_a_matter_of_usage(graded, form, options):
    assert isinstance(export(graded, "--to", form, *options).exception, UsageError)
    assert export(graded, "--to", "yaml").exit_code == 2
    assert export(graded).exit_code == 2


def test_an_assignment_that_is_not_here_is_one_line(graded):
    text = (graded / "results.json").read_text().replace('"assignment":"vae"', '"assignment":"../vae"')
    (graded / "results.json").write_text(text)
    done = export(graded, "--to", "html")
    assert isinstance(done.exception, InputError) and "there is no assignment '../vae'" in str(done.exception)


def test_an_output_that_cannot_be_written_is_one_line(graded, tmp_path):
    (tmp_path / "grades.csv").write_text("mine")
    before = (graded / "results.json").read_bytes()
    for form, out, said in (
        ("csv", tmp_path, "is a folder; give a file"),
        ("csv", graded / "results.json" / "below", "cannot be written"),
        ("csv", graded / "results.json", "holds the results themselves"),
        ("html", tmp_path / "grades.csv", "is a file; give a folder"),
    ):
        done = export(graded, "--to", form, "--out", out)
        assert isinstance(done.exception, InputError) and said in str(done.exception)
    assert (graded / "results.json").read_bytes() == before and (tmp_path / "grades.csv").read_text() == "mine"
    assert not list(tmp_path.glob(".*.part"))


def test_points_that_are_not_those_of_the_exercises_are_refused(graded):
    path = graded / "results.json"
    results = json.loads(path.read_text())
    for change in ({"score": 99.0}, {"max_score": 0.0}, {"exercises": []}):
        changed = [{**results["submissions"][0], **change}]
        path.write_text(json.dumps({**results, "submissions": changed}))
        done = export(graded, "--to", "csv")
        assert isinstance(done.exception, InputError) and "are not those of the exercises" in str(done.exception)


def test_no_name_leads_out_of_the_folder(make_run, make_submission, write_graded, tmp_path):
    names = ["../../evil", "/etc/evil", "..", "a/b", "a\\b"]
    run = make_run(*map(make_submission, names)).model_copy(update={"assignment": "vae"})
    folder = write_graded(run)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert export(folder, "--to", "html").exit_code == 0
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert len(new) == len(names) and {path.parent for path in new} == {folder / "feedback"}
