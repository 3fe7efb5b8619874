"""What the report writes: only what has changed, nothing of those who are gone, nothing half."""

import os

import pytest

from autograder.errors import InputError
from autograder.reports import html
from autograder.reports.index import page_name

KL = ("fail", "the numbers are wrong", None)


def age(folder):
    """Make all files old, so that those which are written anew can be told."""
    for path in folder.rglob("*.html"):
        os.utime(path, (1, 1))


def renewed(folder):
    return {path.name for path in folder.rglob("*.html") if path.stat().st_mtime != 1}


def test_only_pages_that_changed_are_written_anew(submission, make_run, executed, write_class, make_png):
    students = [submission("ada"), submission("emil", kl=KL), submission("noor")]
    notebooks = {student.student: executed() for student in students}
    folder = write_class(make_run(*students), notebooks)
    assert renewed(folder) == {"report.html", "exam.html", "ada.html", "emil.html", "noor.html"}
    whole = {"report.html", "exam.html"}
    age(folder)
    write_class(make_run(*students))
    assert renewed(folder) == whole
    age(folder)
    mended = [students[0], submission("emil"), students[2]]
    write_class(make_run(*mended))
    assert renewed(folder) == whole | {"emil.html"}
    age(folder)
    adjusted = students[0].model_copy(update={"adjustments": ["kl: dropped: it was ambiguous"]})
    write_class(make_run(adjusted, *mended[1:]))
    assert renewed(folder) == whole | {"ada.html"}
    age(folder)
    write_class(make_run(adjusted, *mended[1:]), {"noor": executed({"cell-3": [{"image/png": make_png()}]})})
    assert renewed(folder) == whole | {"noor.html"}
    age(folder)
    write_class(make_run(adjusted, *mended[1:], sandbox=False))  # which all pages say
    assert len(renewed(folder)) == 5


def test_pages_of_those_who_are_gone_go_and_others_files_stay(submission, make_run, write_class):
    folder = write_class(make_run(submission("ada"), submission("emil")))
    pages = folder / "report" / "students"
    (pages / "my own.html").write_text("<p>notes")
    write_class(make_run(submission("ada")))
    assert sorted(path.name for path in pages.iterdir()) == ["ada.html", "my own.html"]
    assert "emil" not in (folder / "report.html").read_text()


def test_a_page_that_was_damaged_is_made_again(submission, make_run, write_class):
    folder = write_class(make_run(submission("ada")))
    path = folder / "report" / "students" / page_name("ada")
    whole = path.read_text()
    path.write_text("")
    write_class(make_run(submission("ada")))
    assert path.read_text() == whole


def test_students_of_odd_names_have_pages_that_the_list_leads_to(submission, make_run, write_class):
    names = ["Ada Lovelace", "ADA", "ada", "a+b@c", "O’Brien", "é%20#?", "x" * 90]
    folder = write_class(make_run(*map(submission, names)))
    assert len(list((folder / "report" / "students").iterdir())) == len(names)
    import re
    from urllib.parse import unquote

    links = re.findall(r'<li><a href="([^"]+)">', (folder / "report.html").read_text())
    assert len(links) == len(names) and all((folder / unquote(link)).is_file() for link in links)


def test_a_place_that_cannot_be_written_to_is_named(submission, make_run, write_class, tmp_path):
    (tmp_path / "report").touch()
    with pytest.raises(InputError, match="report.*--out"):
        write_class(make_run(submission("ada")))
    assert not (tmp_path / "report.html").exists()


def test_progress_is_told(submission, make_run, write_class):
    seen = []
    write_class(make_run(submission("ada"), submission("emil")), on_step=lambda *step: seen.append(step))
    assert seen == [(0, 2), (1, 2), (2, 2)]


def test_all_templates_can_be_compiled_ahead():
    html._templates.cache_clear()
    html.prepare()
    compiled = {key[1] for key in html._templates().cache}
    assert compiled == {path.name for path in html.HERE.glob("*.jinja")}
