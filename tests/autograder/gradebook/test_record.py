"""Recording: automatic scores are ours, marks are people's, and all of it is written or nothing."""

import csv
import datetime
import hashlib
import json
import subprocess
from pathlib import Path

import nbformat
import pytest
from fabricated_results import BLACK, Student, write_results
from nbgrader.api import Gradebook
from sqlalchemy import create_engine, inspect

from autograder import cells, course
from autograder.errors import InputError
from autograder.gradebook import record as recording
from autograder.gradebook.lines import report_lines
from autograder.gradebook.record import record
from autograder.grading.submitted.timestamps import read_timestamp
from fixmelab.notebooks import MAX_BYTES, MAX_CELLS
from tests.plain_nbgrader import nbgrader
from tests.warm import InThisProcess

pytestmark = pytest.mark.slow

AUTOMATIC, MANUAL = 32.0, 22.0  # points of the VAE notebook
WRONG = ("fail", "Rows and columns are swapped: z_i belongs to the columns, z_j to the rows.")


def grade_of(book: Gradebook, student: str, cell: str):
    return book.find_grade(cell, "vae", "vae", student)


def mark(book: Gradebook, student: str, cell: str, score: float, comment: str = "", answer: str = "") -> None:
    """What formgrader does where a person types a score and a comment."""
    grade = grade_of(book, student, cell)
    grade.manual_score, grade.needs_manual_grade = score, False
    if comment:
        book.find_comment(answer or cell, "vae", "vae", student).manual_comment = comment
    book.db.commit()


def laid(folder: Path, student: str) -> nbformat.NotebookNode:
    return nbformat.read(folder / "autograded" / student / "vae" / "vae.ipynb", as_version=4)


def contents(url: str) -> dict[str, list]:
    """All rows of a database, but for nothing."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {
                name: sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"').fetchall()))
                for name in inspect(engine).get_table_names()
            }
    finally:
        engine.dispose()


def files_of(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if "gradebook.db" not in path.name)
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in paths}


def test_scores_are_the_verdicts_and_written_answers_wait(tmp_path, course_folder, db, opened):
    students = {
        "ada": Student(verdicts={"gaussian_kl": ("fail", "The trace is missing.")}),
        "bob": Student(written={"two_forms": None}),
    }
    recorded = record(write_results(tmp_path / "graded", students), db=db, root=course_folder)
    assert [(entry.student, entry.score, entry.is_added) for entry in recorded.entries] == [
        ("ada", AUTOMATIC - 2, True),
        ("bob", AUTOMATIC, True),
    ]
    book = opened(db)
    assert book.find_submission("vae", "ada").score == AUTOMATIC - 2
    assert book.find_submission("vae", "ada").max_score == AUTOMATIC + MANUAL
    failed = grade_of(book, "ada", "test_gaussian_kl")
    assert (failed.auto_score, failed.needs_manual_grade, failed.failed_tests) == (0.0, False, True)
    assert book.find_comment("gaussian_kl", "vae", "vae", "ada").comment == "The trace is missing."
    written = grade_of(book, "ada", "two_forms")
    assert (written.auto_score, written.needs_manual_grade) == (None, True)
    untouched = grade_of(book, "bob", "two_forms")
    assert (untouched.auto_score, untouched.needs_manual_grade) == (0.0, False)
    assert book.find_comment("two_forms", "vae", "vae", "bob").comment == "No response."
    # A plot has its automatic points at once, and a person looks at the picture.
    plot = grade_of(book, "ada", "test_plot_latents")
    assert (plot.auto_score, plot.needs_manual_grade, plot.score) == (3.0, True, 3.0)


def test_what_the_gradebook_knows_of_an_assignment_is_what_nbgrader_itself_saves(tmp_path, course_folder, opened):
    """`nbgrader generate_assignment`, on the same source, finds nothing to change."""
    ours, theirs = f"sqlite:///{tmp_path / 'ours.db'}", f"sqlite:///{tmp_path / 'theirs.db'}"
    record(write_results(tmp_path / "graded", {"ada": Student()}), db=ours, root=course_folder)
    nbgrader(course_folder, "generate_assignment", "vae", f"--db={theirs}")

    def structure(url: str) -> dict:
        notebook = opened(url).find_notebook("vae", "vae")
        kinds = (notebook.grade_cells, notebook.solution_cells, notebook.source_cells)
        forget = {"id", "notebook", "assignment"}
        rows = [sorted(str({k: v for k, v in cell.to_dict().items() if k not in forget}) for cell in x) for x in kinds]
        return {"kernel": notebook.kernelspec, "rows": rows}

    assert structure(ours) == structure(theirs)
    # And the other way round: recording finds what nbgrader saved, and adds nothing to it.
    record(tmp_path / "graded", db=theirs, root=course_folder)
    assert structure(ours) == structure(theirs)


def test_a_second_recording_keeps_what_people_gave(tmp_path, course_folder, db, opened):
    graded = tmp_path / "graded"
    record(write_results(graded, {"ada": Student(verdicts={"plot_latents": WRONG})}), db=db, root=course_folder)
    book = opened(db)
    mark(book, "ada", "two_forms", 2.5, "Why is the first step allowed?")
    mark(book, "ada", "test_plot_latents", 1.0, "Axes without names.", answer="plot_latents")
    grade_of(book, "ada", "test_encode").extra_credit = 1.5
    book.find_submission_notebook("vae", "vae", "ada").flagged = True
    book.db.commit()
    before = contents(db)

    same = record(graded, db=db, root=course_folder)
    assert (same.entries[0].changes, same.entries[0].marks) == ([], [])
    assert same.entries[0].extra == 1.5
    assert contents(db) == before

    book.db.expire_all()
    better = Student(verdicts={"gaussian_kl": ("error", "ValueError: no")})
    again = record(write_results(graded, {"ada": better}), db=db, root=course_folder)
    (entry,) = again.entries
    assert [(c.exercise, c.old, c.new, c.message) for c in entry.changes] == [
        ("gaussian_kl", 2.0, 0.0, "ValueError: no"),
        ("plot_latents", 0.0, 3.0, ""),
    ]
    assert [(m.exercise, m.score) for m in entry.marks] == [("plot_latents", 1.0)]
    said = list(report_lines(again))
    assert "ada: 34 → 32 of 54" in said
    assert "  gaussian_kl: 2 → 0, error: ValueError: no" in said
    assert "  plot_latents: the mark 1 of 3 is kept; what it was given for has changed, so look again" in said
    kept = {name: grade_of(book, "ada", name) for name in ("two_forms", "test_plot_latents", "test_encode")}
    assert {name: grade.manual_score for name, grade in kept.items()} == {
        "two_forms": 2.5,
        "test_plot_latents": 1.0,
        "test_encode": None,
    }
    assert {name: grade.needs_manual_grade for name, grade in kept.items()} == {
        "two_forms": False,
        "test_plot_latents": True,
        "test_encode": False,
    }
    assert kept["test_encode"].extra_credit == 1.5
    assert book.find_comment("two_forms", "vae", "vae", "ada").comment == "Why is the first step allowed?"
    assert book.find_comment("plot_latents", "vae", "vae", "ada").comment == "Axes without names."
    assert book.find_submission_notebook("vae", "vae", "ada").flagged
    assert book.find_submission("vae", "ada").score == AUTOMATIC - 2 - 3 + 1 + 2.5 + 1.5


def test_an_answer_that_was_marked_and_is_another_now_waits_again(tmp_path, course_folder, opened):
    graded, db = tmp_path / "graded", f"sqlite:///{tmp_path / 'gradebook.db'}"
    record(write_results(graded, {"ada": Student()}), db=db, root=course_folder)
    book = opened(db)
    for name in ("two_forms", "sampling", "test_plot_latents", "test_encode"):
        mark(book, "ada", name, 1.0)
    other = Student(written={"two_forms": "Another proof."}, code={"VAE": "\n# another"}, plot=BLACK)
    (entry,) = record(write_results(graded, {"ada": other}), db=db, root=course_folder).entries
    assert [m.exercise for m in entry.marks] == ["two_forms", "encode", "plot_latents"]
    book.db.expire_all()
    waits = {name: grade_of(book, "ada", name).needs_manual_grade for name in ("two_forms", "sampling", "test_encode")}
    assert waits == {"two_forms": True, "sampling": False, "test_encode": True}
    assert laid(course_folder, "ada").cells != []
    # An answer that is taken back keeps its mark too, and somebody decides.
    gone = Student(written={"two_forms": None, "sampling": None})
    record(write_results(graded, {"ada": gone}), db=db, root=course_folder)
    book.db.expire_all()
    row = grade_of(book, "ada", "sampling")
    assert (row.auto_score, row.manual_score, row.needs_manual_grade) == (0.0, 1.0, True)


def test_a_failure_in_the_middle_leaves_everything_as_it_was(tmp_path, course_folder, db, monkeypatch):
    students = {"ada": Student(), "bob": Student()}
    record(write_results(tmp_path / "graded", students), db=db, root=course_folder)
    before = contents(db), files_of(course_folder)
    worse = {name: Student(verdicts={"encode": ("fail", "No.")}, plot=BLACK) for name in ("ada", "bob", "eve")}
    graded = write_results(tmp_path / "again", worse)

    def fail(*arguments, **options):
        raise RuntimeError("in the middle")

    real = recording.Placing.place

    def placed_and_failed(placing):
        real(placing)
        fail()

    for place, replacement in (
        ("_write_penalty", fail),
        ("_absent", fail),
        ("Placing.prepare", fail),
        ("Placing.place", placed_and_failed),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"autograder.gradebook.record.{place}", replacement)
            with pytest.raises(RuntimeError, match="in the middle"):
                record(graded, db=db, root=course_folder)
        assert (contents(db), files_of(course_folder)) == before, place
    record(graded, db=db, root=course_folder)
    assert contents(db) != before[0]


def test_a_folder_without_settings_is_no_course(tmp_path, course_folder):
    """nbgrader, run there, would put rubrics into the feedback."""
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    (course_folder / "nbgrader_config.py").unlink()
    with pytest.raises(InputError, match="course: is no course folder, since there is no nbgrader_config.py; copy /"):
        record(graded, root=course_folder)
    assert not (course_folder / "gradebook.db").exists() and not (course_folder / "autograded").exists()


def test_a_second_notebook_that_cannot_be_placed_takes_back_the_first(tmp_path, course_folder):
    db = f"sqlite:///{tmp_path / 'gradebook.db'}"
    record(write_results(tmp_path / "graded", {"ada": Student()}), db=db, root=course_folder)
    in_the_way = course_folder / "autograded" / "bob" / "vae" / "vae.ipynb"
    (in_the_way / "not a file").mkdir(parents=True)
    before = contents(db), files_of(course_folder)
    graded = write_results(tmp_path / "again", {"ada": Student(plot=BLACK), "bob": Student()})
    with pytest.raises(InputError, match="bob.*nothing was recorded"):
        record(graded, db=db, root=course_folder)
    assert (contents(db), files_of(course_folder)) == before


def test_a_failure_makes_no_gradebook(tmp_path, course_folder, monkeypatch):
    monkeypatch.setattr(recording, "_absent", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        record(write_results(tmp_path / "graded", {"ada": Student()}), root=course_folder)
    assert not (course_folder / "gradebook.db").exists()
    assert not (course_folder / "autograded").exists()


def test_a_dry_run_says_it_all_and_writes_nothing(tmp_path, course_folder, db):
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    first = record(graded, db=db, dry_run=True, root=course_folder)
    assert first.entries[0].is_added and "dry run: nothing was written" in list(report_lines(first))
    assert not (course_folder / "autograded").exists()
    assert not (tmp_path / "gradebook.db").exists()
    if db.startswith("postgresql"):
        assert contents(db) == {}
    record(graded, db=db, root=course_folder)
    before = contents(db), files_of(course_folder)
    worse = write_results(tmp_path / "graded", {"ada": Student(verdicts={"encode": ("fail", "No.")})})
    (entry,) = record(worse, db=db, dry_run=True, root=course_folder).entries
    assert [(change.exercise, change.new) for change in entry.changes] == [("encode", 0.0)]
    assert (contents(db), files_of(course_folder)) == before


def test_the_roster_is_the_gradebook(tmp_path, course_folder, db, opened):
    with Gradebook(db, "fixmelab") as book:
        for name in ("ada", "tove"):
            book.add_student(name, first_name=name.title())
    graded = write_results(tmp_path / "graded", {"ada": Student(), "eve": Student()})
    with pytest.raises(InputError, match="not in the gradebook: eve; nothing was recorded"):
        record(graded, db=db, strict=True, root=course_folder)
    book = opened(db)
    assert book.assignments == [] and not (course_folder / "autograded").exists()
    recorded = record(graded, db=db, root=course_folder)
    assert [entry.is_added for entry in recorded.entries] == [False, True]
    assert recorded.missing == ["tove"]
    said = "\n".join(report_lines(recorded))
    assert "not in the gradebook before, now added: 1: eve" in said and "no submission: 1: tove" in said
    assert book.find_student("ada").first_name == "Ada"
    # A later run without eve leaves her points alone.
    later = record(write_results(tmp_path / "later", {"ada": Student()}), db=db, root=course_folder)
    assert later.others == ["eve"] and later.missing == ["tove"]
    assert book.find_submission("vae", "eve").score == AUTOMATIC


def test_late_is_by_due_date_and_extension_and_the_courses_plugin(tmp_path, course_folder, db, opened):
    with Gradebook(db, "fixmelab") as book:
        book.add_assignment("vae", duedate=datetime.datetime(2030, 5, 1, 12))
    with (course_folder / "nbgrader_config.py").open("a") as file:
        file.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    times = {
        "early": "2030-05-01 11:59:00 UTC",
        "late": "2030-05-01 15:30:00 UTC",
        "granted": "2030-05-02 01:00:00 UTC",
    }
    for name, text in times.items():
        (course_folder / "submitted" / name / "vae").mkdir(parents=True)
        (course_folder / "submitted" / name / "vae" / "timestamp.txt").write_text(text)
    graded = write_results(tmp_path / "graded", {name: Student() for name in (*times, "unknown")})
    recorded = record(graded, db=db, root=course_folder)
    late = {entry.student: (entry.late, entry.penalty) for entry in recorded.entries}
    assert late == {"early": (0, 0), "late": (12600, AUTOMATIC), "granted": (46800, AUTOMATIC), "unknown": (0, 0)}
    said = list(report_lines(recorded))
    assert "late: 3 h 30 min late, penalty 32" in said and "no time of submission: 1 of 4" in said
    book = opened(db)
    assert book.find_submission("vae", "late").late_submission_penalty == AUTOMATIC
    assert book.find_submission("vae", "unknown").timestamp is None
    # Marks and an extension come later: recording again makes the penalty anew.
    mark(book, "late", "two_forms", 3.0)
    book.grant_extension("vae", "granted", days=1)
    (course_folder / "submitted" / "early" / "vae" / "timestamp.txt").unlink()  # its time stays
    again = record(graded, db=db, root=course_folder)
    assert "no time of submission: 1 of 4" in list(report_lines(again))
    late = {entry.student: (entry.late, entry.penalty) for entry in again.entries}
    assert late["late"] == (12600, AUTOMATIC + 3) and late["granted"] == (0, 0)
    book.db.expire_all()
    assert book.find_submission("vae", "granted").late_submission_penalty == 0


@pytest.mark.parametrize("clone", ["", "submitted/ada", "submitted/ada/vae"])
def test_a_timestamp_of_ones_own_says_nothing(tmp_path, course_folder, opened, clone):
    """One that lies beside what was graded is for `grade` to judge."""
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    for place in (tmp_path / "in" / "ada" / "vae", course_folder / "submitted" / "ada" / "vae"):
        place.mkdir(parents=True)
        (place / "vae.ipynb").write_text("the notebook of ada")
    (tmp_path / "in/ada/vae/timestamp.txt").write_text("2030-01-01 12:00:00 UTC")
    if clone:
        (course_folder / clone / ".git").mkdir()
        (course_folder / "submitted/ada/vae/timestamp.txt").write_text("2030-01-01 12:00:00 UTC")
    digest = hashlib.sha256(b"the notebook of ada").hexdigest()
    _edited(graded, lambda run: run["submissions"][0].update(path="in/ada/vae/vae.ipynb", digest=digest))
    record(graded, root=course_folder)
    assert opened(f"sqlite:///{course_folder / 'gradebook.db'}").find_submission("vae", "ada").timestamp is None


def test_a_name_that_is_somebody_elses_in_the_gradebook_is_said(tmp_path, course_folder, opened):
    graded = write_results(tmp_path / "graded", {"ada": Student(), "eve": Student()})
    _edited(graded, lambda run: run["submissions"][0].update(canvas_id="111"))
    db = f"sqlite:///{course_folder / 'gradebook.db'}"
    record(graded, root=course_folder)
    again = _edited(graded, lambda run: run["submissions"][1].update(canvas_id="333"))
    said = "\n".join(report_lines(record(again, root=course_folder)))
    assert "known by the name alone that they show in Canvas, whose numbers are noted now; check them: 1: eve" in said
    assert "known by the name" not in "\n".join(report_lines(record(again, root=course_folder)))
    worse = write_results(tmp_path / "other", {"ada": Student(verdicts={"encode": ("fail", "No.")}), "eve": Student()})
    _edited(worse, lambda run: run["submissions"][0].update(canvas_id="222"))
    recorded = record(worse, root=course_folder)
    assert [entry.student for entry in recorded.entries] == ["eve"]
    assert "the number 111 in Canvas, and this submission is of 222" in recorded.left_out["ada"]
    assert opened(db).find_submission("vae", "ada").score == AUTOMATIC


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2030-05-01 12:00:00.5 UTC\n", datetime.datetime(2030, 5, 1, 12, 0, 0, 500_000)),
        ("2030-05-01T12:00:00Z", datetime.datetime(2030, 5, 1, 12)),
        ("2030-05-01T12:00+02:00", datetime.datetime(2030, 5, 1, 10)),
        ("2030-05-01 12:00:00 +0000", datetime.datetime(2030, 5, 1, 12)),
        ("2030-05-01 12:00:00 EST", datetime.datetime(2030, 5, 1, 17)),
        ("2030-05-01T12:00:00 EST", datetime.datetime(2030, 5, 1, 17)),  # nbgrader would take it for UTC
        ("2030-05-01", datetime.datetime(2030, 5, 1)),
        (" ", None),
    ],
)
def test_times_with_the_year_first_are_read(tmp_path, text, time):
    (tmp_path / "timestamp.txt").write_text(text)
    assert read_timestamp(tmp_path / "timestamp.txt") == time


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yesterday, about noon", "is no time"),
        ("03.05.2030 09:00", "is no time"),  # March or May?
        ("05/03/2030", "is no time"),
        ("2030-13-01", "is no time"),  # nbgrader would read January 13
        ("2030-05-01 25:00", "is no time"),
        ("2030-05-01 12:00:00 +02:00", "is no time"),
        ("2030-05-01 12:00:00 UTC or so", "is no time"),
        ("2030-05-01 noon", "is no time"),
        ("2030-05-01 12:00:00 " + "A" * 10_000, "is no time"),
        ("2030-05-01 12:00:00 NOON", "is no time"),  # nbgrader would take it for UTC
        ("0001-01-01T00:00:00+02:00", "is no time"),
        # A date before a zone in numbers would become a wrong lateness without a word: nbgrader reads 200 seconds.
        ("2030-05-01 12:00:00 +0200", "misreads such a zone"),
    ],
)
def test_other_times_are_refused_rather_than_guessed(tmp_path, text, said):
    (tmp_path / "timestamp.txt").write_text(text)
    with pytest.raises(InputError, match=f"timestamp.txt: .*{said}.* UTC"):
        read_timestamp(tmp_path / "timestamp.txt")


def test_nbgrader_exports_and_gives_feedback_with_all_points_together(tmp_path, course_folder, db, opened):
    with Gradebook(db, "fixmelab") as book:
        book.add_student("tove")
    graded = write_results(tmp_path / "graded", {"ada": Student(verdicts={"encode": ("fail", "The **mean** is off.")})})
    record(graded, db=db, root=course_folder)
    book = opened(db)
    mark(book, "ada", "two_forms", 2.5, "Why is the first step allowed?")
    grade_of(book, "ada", "test_decode").extra_credit = 1.0
    book.db.commit()
    book.close()
    for command in (["export", "--to", "grades.csv"], ["generate_feedback", "vae"]):
        nbgrader(course_folder, *command, f"--db={db}")
    with (course_folder / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    total = AUTOMATIC - 2 + 2.5 + 1
    assert (float(rows["ada"]["score"]), float(rows["ada"]["max_score"])) == (total, AUTOMATIC + MANUAL)
    assert (float(rows["tove"]["score"]), rows["tove"]["timestamp"]) == (0.0, "")
    page = (course_folder / "feedback" / "ada" / "vae" / "vae.html").read_text()
    assert f"Score: {total} / {AUTOMATIC + MANUAL}" in page
    assert "Why is the first step allowed?" in page and "The <strong>mean</strong> is off." in page
    # What students get holds neither rubrics nor hidden tests; those who grade see the rubrics.
    assert "MARK SCHEME" not in page and "HIDDEN TESTS" not in page and "fixmelab.probe" not in page
    assert "### BEGIN MARK SCHEME" in "\n".join(cell.source for cell in laid(course_folder, "ada").cells)


def test_where_feedback_would_show_rubrics_they_are_not_laid_out(tmp_path, course_folder):
    with (course_folder / "nbgrader_config.py").open("a") as file:
        file.write("\ndel c.GenerateFeedback.preprocessors\n")
    recorded = record(write_results(tmp_path / "graded", {"ada": Student()}), root=course_folder)
    text = "\n".join(cell.source for cell in laid(course_folder, "ada").cells)
    assert "MARK SCHEME" not in text and "Question: two forms" in text
    assert any("rubrics are left out" in line for line in report_lines(recorded))


def test_a_locked_cell_that_was_reworded_is_no_reason_to_refuse(tmp_path, course_folder, opened, monkeypatch):
    graded, db = tmp_path / "graded", f"sqlite:///{tmp_path / 'gradebook.db'}"
    record(write_results(graded, {"ada": Student()}), db=db, root=course_folder)
    book = opened(db)
    mark(book, "ada", "two_forms", 2.0)
    source = course.read_source("vae")
    (index,) = [i for i, cell in enumerate(source.cells) if cell.id.startswith("cell-")][:1]
    source.cells[index].id = source.cells[index].metadata.nbgrader.grade_id = "cell-reworded"
    (written,) = [cell for cell in source.cells if cells.grade_id(cell) == "two_forms"]
    written.metadata.nbgrader.points = 4
    monkeypatch.setattr(course, "read_source", lambda name: source)
    record(write_results(graded, {"ada": Student()}), db=db, root=course_folder)
    book.db.expire_all()
    assert "cell-reworded" in {cell.name for cell in book.find_notebook("vae", "vae").source_cells}
    assert (grade_of(book, "ada", "two_forms").manual_score, grade_of(book, "ada", "two_forms").max_score) == (2.0, 4.0)
    # A question that has been marked does not vanish.
    source.cells = [cell for cell in source.cells if cells.grade_id(cell) != "two_forms"]
    with pytest.raises(InputError, match="marks or comments that people gave to 'two_forms'"):
        record(write_results(graded, {"ada": Student()}), db=db, root=course_folder)
    source.cells = [cell for cell in source.cells if cells.grade_id(cell) != "sampling"] + [written]
    record(write_results(graded, {"ada": Student()}), db=db, root=course_folder)
    book.db.expire_all()
    assert "sampling" not in {cell.name for cell in book.find_notebook("vae", "vae").grade_cells}


def no_results(folder: Path) -> Path:
    return folder / "nowhere"


def other_json(folder: Path) -> Path:
    (folder / "results.json").write_text('{"answer": 42}')
    return folder


def no_notebook(folder: Path) -> Path:
    (folder / "executed" / "ada.ipynb").unlink()
    return folder


def _edited(folder: Path, edit) -> Path:
    run = json.loads((folder / "results.json").read_text())
    edit(run)
    (folder / "results.json").write_text(json.dumps(run))
    return folder


def unknown_assignment(folder: Path) -> Path:
    return _edited(folder, lambda run: run.update(assignment="vea"))


def other_exercises(folder: Path) -> Path:
    return _edited(folder, lambda run: run["submissions"][0]["exercises"][0].update(id="vae.of_old"))


def too_many_points(folder: Path) -> Path:
    return _edited(folder, lambda run: run["submissions"][0]["exercises"][1].update(score=99))


def a_name_that_is_a_path(folder: Path) -> Path:
    return _edited(folder, lambda run: run["submissions"][0].update(student="../../ada"))


def one_student_twice(folder: Path) -> Path:
    return _edited(folder, lambda run: run["submissions"].append(run["submissions"][0]))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (no_results, "does not exist; give the folder that `autograder grade` wrote"),
        (other_json, "is no results.json"),
        (no_notebook, "the executed notebook of ada is missing"),
        (unknown_assignment, "did you mean vae?"),
        (other_exercises, "another version of vae"),
        (too_many_points, "the points of 'ada' are not those of the exercises"),
        (a_name_that_is_a_path, "cannot be a student's name"),
        (one_student_twice, "names the student 'ada' twice"),
    ],
    ids=lambda item: getattr(item, "__name__", None),
)
def test_bad_input_is_one_line_and_records_nothing(tmp_path, course_folder, damage, said):
    given = damage(write_results(tmp_path / "graded", {"ada": Student()}))
    with pytest.raises(InputError) as error:
        record(given, root=course_folder)
    assert said in str(error.value) and "\n" not in str(error.value)
    assert not (course_folder / "gradebook.db").exists() and not (course_folder / "autograded").exists()


def of_mal(folder: Path) -> tuple[Path, dict]:
    path = folder / "executed" / "mal.ipynb"
    return path, json.loads(path.read_text())


def odd_name(folder: Path, _course: Path) -> str:
    _edited(folder, lambda run: run["submissions"][2].update(student="mal[1]"))
    return "'mal[1]' cannot be a student's name in the gradebook; rename the submission and grade it again"


def lost_notebook(folder: Path, _course: Path) -> str:
    of_mal(folder)[0].unlink()
    return "the executed notebook of mal is missing; give the whole folder"


def cut_notebook(folder: Path, _course: Path) -> str:
    of_mal(folder)[0].write_bytes(of_mal(folder)[0].read_bytes()[:5000])
    return "mal.ipynb: is no sound notebook; grade mal again"


def notebook_of_nothing(folder: Path, _course: Path) -> str:
    of_mal(folder)[0].write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [7]}')
    return "mal.ipynb: is no sound notebook; grade mal again"


def notebook_that_is_a_folder(folder: Path, _course: Path) -> str:
    path, _ = of_mal(folder)
    path.unlink()
    path.mkdir()
    return "mal.ipynb: cannot be read (Is a directory)"


def lost_cells(folder: Path, _course: Path) -> str:
    path, notebook = of_mal(folder)
    del notebook["cells"][20:]
    path.write_text(json.dumps(notebook))
    return "is not in it; grade mal again"


def no_time(_folder: Path, course_folder: Path) -> str:
    (course_folder / "submitted" / "mal" / "vae").mkdir(parents=True)
    (course_folder / "submitted" / "mal" / "vae" / "timestamp.txt").write_text("soon")
    return "'soon' is no time"


def time_that_is_a_folder(_folder: Path, course_folder: Path) -> str:
    (course_folder / "submitted" / "mal" / "vae" / "timestamp.txt").mkdir(parents=True)
    return "timestamp.txt: cannot be read"


def empty_submission(_folder: Path, course_folder: Path) -> str:
    with Gradebook(f"sqlite:///{course_folder / 'gradebook.db'}", "fixmelab") as book:
        book.add_assignment("vae")
        book.add_student("mal")
        book.add_submission("vae", "mal")
    return "mal: the gradebook's submission of vae has no notebook; remove it there"


ONE_SUBMISSION = [
    odd_name,
    lost_notebook,
    cut_notebook,
    notebook_of_nothing,
    notebook_that_is_a_folder,
    lost_cells,
    no_time,
    time_that_is_a_folder,
    empty_submission,
]


@pytest.mark.parametrize("damage", ONE_SUBMISSION, ids=lambda item: item.__name__)
def test_what_is_wrong_with_one_submission_leaves_out_that_one(tmp_path, course_folder, opened, damage):
    graded = write_results(tmp_path / "graded", {"ada": Student(), "eve": Student(), "mal": Student()})
    said = damage(graded, course_folder)
    before = files_of(course_folder)
    with pytest.raises(InputError, match="nothing was recorded"):
        record(graded, root=course_folder, strict=True)
    assert files_of(course_folder) == before
    recorded = record(graded, root=course_folder)
    assert [entry.student for entry in recorded.entries] == ["ada", "eve"] and recorded.missing == []
    lines = []
    with pytest.raises(InputError) as error:
        lines.extend(report_lines(recorded))
    (student,) = recorded.left_out
    assert str(error.value).startswith(f"{student}: left out: ") and said in str(error.value)
    assert "\n" not in str(error.value)
    assert opened(f"sqlite:///{course_folder / 'gradebook.db'}").find_submission("vae", "eve").score == AUTOMATIC
    assert sorted(path.name for path in (course_folder / "autograded").iterdir()) == ["ada", "eve"]


def test_one_that_is_left_out_keeps_what_was_recorded_of_him(tmp_path, course_folder, opened):
    graded = write_results(tmp_path / "graded", {"ada": Student(), "mal": Student()})
    record(graded, root=course_folder)
    book = opened(f"sqlite:///{course_folder / 'gradebook.db'}")
    mark(book, "mal", "two_forms", 2.0)
    worse = {name: Student(verdicts={"encode": ("fail", "No.")}) for name in ("ada", "mal")}
    cut_notebook(write_results(graded, worse), course_folder)
    recorded = record(graded, root=course_folder)
    assert (list(recorded.left_out), recorded.others, recorded.missing) == (["mal"], [], [])
    book.db.expire_all()
    assert book.find_submission("vae", "ada").score == AUTOMATIC - 2
    assert book.find_submission("vae", "mal").score == AUTOMATIC + 2
    assert laid(course_folder, "mal").cells != []


def test_an_executed_notebook_may_be_larger_than_what_students_may_hand_in(tmp_path, course_folder):
    graded = write_results(tmp_path / "graded", {"ada": Student(), "mal": Student()})
    path, notebook = of_mal(graded)
    notebook["cells"] += [nbformat.v4.new_markdown_cell("x") for _ in range(MAX_CELLS)]
    output = nbformat.v4.new_output("stream", text="x" * (MAX_BYTES // 10))
    notebook["cells"].append(nbformat.v4.new_code_cell("x", outputs=[output] * 11))
    path.write_text(json.dumps(notebook))
    assert path.stat().st_size > MAX_BYTES
    recorded = record(graded, root=course_folder)
    assert (len(recorded.entries), recorded.left_out) == (2, {})
    assert len(laid(course_folder, "mal").cells) > MAX_CELLS


def test_where_nothing_can_be_recorded_nothing_is(tmp_path, course_folder):
    graded = write_results(tmp_path / "graded", {"ada": Student(), "eve": Student()})
    for path in (graded / "executed").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"notebook of ada is missing.*\(1 more cannot be recorded either"):
        record(graded, root=course_folder)
    assert not (course_folder / "gradebook.db").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("gradebook.db", "cannot be understood: give sqlite:"),
        ("mysql://root:secret@host/x", "not supported|cannot be understood"),
        ("postgresql+psycopg://ada:secret@127.0.0.1:1/x", "nothing was recorded"),
        ("sqlite:////nowhere/at/all/gradebook.db", "unable to open database file"),
    ],
)
def test_a_gradebook_that_cannot_be_opened_is_one_line_without_its_password(tmp_path, course_folder, url, said):
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    with pytest.raises(InputError, match=said) as error:
        record(graded, db=url, root=course_folder)
    assert "secret" not in str(error.value) and "\n" not in str(error.value)
    assert not (course_folder / "autograded").exists()


def test_a_file_that_is_no_gradebook_is_left_alone(tmp_path, course_folder):
    (tmp_path / "notes.txt").write_text("not a database, but dear to somebody " * 40)
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    with pytest.raises(InputError, match="not a database"):
        record(graded, db=f"sqlite:///{tmp_path / 'notes.txt'}", root=course_folder)
    assert (tmp_path / "notes.txt").read_text().startswith("not a database, but dear")


def test_a_gradebook_that_is_being_written_to_is_waited_for_and_then_said(tmp_path, course_folder, monkeypatch):
    from autograder.gradebook import database

    db = f"sqlite:///{tmp_path / 'gradebook.db'}"
    graded = write_results(tmp_path / "graded", {"ada": Student()})
    record(graded, db=db, root=course_folder)
    monkeypatch.setattr(database, "SECONDS_TO_WAIT", 0)
    engine = create_engine(db)
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match="another program is writing to it"):
            record(graded, db=db, root=course_folder)
    engine.dispose()
    record(graded, db=db, root=course_folder)


def test_the_command_says_who_changed(tmp_path, course_folder, monkeypatch):
    autograder = InThisProcess(monkeypatch)

    def run() -> subprocess.CompletedProcess:
        return autograder("record", tmp_path / "graded", "--course", course_folder)

    write_results(tmp_path / "graded", {"[red]ada": Student()})
    first = run()
    assert first.returncode == 1 and first.stderr.count("error: ") == 1 and "Traceback" not in first.stderr
    write_results(tmp_path / "graded", {"ada": Student()})
    assert run().returncode == 0
    write_results(tmp_path / "graded", {"ada": Student(verdicts={"encode": ("fail", "[bold]No.")})})
    done = run()
    assert done.returncode == 0 and "error" not in done.stderr
    assert "ada: 32 → 30 of 54\n  encode: 2 → 0, fail: [bold]No.\n" in done.stdout
    assert "vae: 0 new, 1 changed, 0 the same" in done.stdout
    write_results(tmp_path / "graded", {"ada": Student(), "[red]eve": Student(), "mal": Student()})
    done = run()
    assert done.returncode == 1 and done.stderr.count("error: ") == 1
    assert "error: [red]eve: left out: '[red]eve' cannot be a student's name" in " ".join(done.stderr.split())
    assert "vae: 1 new, 1 changed, 0 the same" in done.stdout
