"""An extension goes into course.toml, which stays as its author wrote it otherwise."""

from datetime import date, datetime

import pytest

from autograder import course
from autograder.errors import InputError
from autograder.points.extending import extend
from autograder.points.rules import read_rules

ZONE = 'time_zone = "UTC"  # ours\n\n'
DUE = "[assignments.vae]\ndue = 2026-11-28\n"
HEAD = ZONE + DUE
TABLE = "[assignments.vae.extensions]\n"
BOB = "bob = 2026-12-04\n"
ADA = "ada = 2026-12-02  # the reason\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, HEAD + "\n" + TABLE + ADA),
        (HEAD + TABLE + BOB, HEAD + TABLE + ADA + BOB),
        (HEAD + TABLE + "ada = 2026-11-30\n" + BOB + "[groups]\nx = []", HEAD + TABLE + ADA + BOB + "[groups]\nx = []"),
        (ZONE + TABLE + BOB + DUE, ZONE + TABLE + ADA + BOB + DUE),
        ((HEAD + TABLE + BOB).replace("\n", "\r\n"), (HEAD + TABLE + ADA + BOB).replace("\n", "\r\n")),
    ],
)
def test_one_line_is_written_and_the_others_stay(tmp_path, monkeypatch, before, after):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "assignment_names", lambda: ["vae"])
    path = tmp_path / "course.toml"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    extend("vae", "ada", date(2026, 12, 2), "the reason")
    assert path.read_bytes() == after.encode() and path.stat().st_mode & 0o777 == 0o640
    assert read_rules("vae").file.due("vae", "ada") == datetime.fromisoformat("2026-12-02T23:59:59.999999+00:00")


@pytest.mark.parametrize(
    ("text", "until", "said"),
    [
        ("", date(2026, 12, 2), "there is no due date to extend; write due"),
        (HEAD, date(2026, 11, 2), "is before the due date"),
        (HEAD + "extensions = { bob = 2026-12-04 }\n", date(2026, 12, 2), "write it by hand"),
        (HEAD + "extensions.bob = 2026-12-04\n", date(2026, 12, 2), "course.toml:3: .* write it by hand"),
    ],
)
def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path, monkeypatch, text, until, said):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "assignment_names", lambda: ["vae"])
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        extend("vae", "ada", until, "")
    assert (tmp_path / "course.toml").read_text() == text


def test_a_name_that_is_no_bare_key_is_quoted(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "assignment_names", lambda: ["vae"])
    (tmp_path / "course.toml").write_text(HEAD)
    for student in ("a.b@c.edu", 'who"else', "Zoë"):
        extend("vae", student, datetime(2026, 12, 2, 18), "")
        assert read_rules("vae").file.due("vae", student) == datetime.fromisoformat("2026-12-02T18:00:00+00:00")
