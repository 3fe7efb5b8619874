"""What decides before grading: which notebook it is, how long and how much it may use."""

import json

import pytest

from autograder import course
from autograder.errors import InputError
from autograder.gradescope.archive import rules_files
from autograder.gradescope.container import GRADER_BYTES, LEAST_BYTES, limits_for, the_submission, with_rules
from autograder.gradescope.form import graded
from autograder.gradescope.settings import Layout, Settings
from autograder.sandbox.limits import Limits

NOTEBOOK = course.release_path("vae").read_bytes()


@pytest.mark.parametrize("name", ["vae.ipynb", "my homework.ipynb", "deep/er/Copy of vae.ipynb"])
def test_one_notebook_is_taken_whatever_it_is_called(tmp_path, name):
    path = tmp_path / "submission" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(NOTEBOOK)
    (tmp_path / "submission" / "notes.txt").write_text("left out")
    (tmp_path / "submission" / "__MACOSX").mkdir()
    (tmp_path / "submission" / "__MACOSX" / "._vae.ipynb").write_text("left out")
    found = the_submission("vae", tmp_path / "submission")
    assert (found.student, found.path, found.data) == ("submission", name, NOTEBOOK)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there is no notebook (.ipynb) in this submission"),
        ({"vae.py": b"print()"}, "there is no notebook (.ipynb) in this submission"),
        ({"a.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK}, "there are 2 notebooks, a.ipynb, b.ipynb: hand in one"),
        ({"one/vae.ipynb": NOTEBOOK, "one/two.ipynb": NOTEBOOK + b" "}, "keep one of them"),
        ({"vae.ipynb": b"{"}, "vae.ipynb"),
        ({"vae.ipynb": b""}, "vae.ipynb"),
        ({"vae.ipynb": NOTEBOOK, "old.ipynb": b"{"}, "old.ipynb"),
    ],
)
def test_anything_else_is_refused_without_telling_where_the_grader_is(tmp_path, files, said):
    for name, data in files.items():
        path = tmp_path / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "submission").mkdir(exist_ok=True)
    with pytest.raises(InputError) as refused:
        the_submission("vae", tmp_path / "submission")
    assert said in str(refused.value) and str(tmp_path) not in str(refused.value)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "vae.ipynb").symlink_to(course.source_path("vae"))
    with pytest.raises(InputError, match="is a link"):
        the_submission("vae", tmp_path / "submission")


def test_a_notebook_ends_well_before_gradescope_does():
    limits = limits_for(Settings(assignment="vae", max_score=1), 570, None)
    assert (limits.wall, limits.notebook) == (510, 510)
    assert limits_for(Settings(assignment="vae", max_score=1), 10**4, None) == Limits()


def test_memory_is_what_the_container_leaves_unless_it_is_set():
    settings = Settings(assignment="vae", max_score=1)
    assert limits_for(settings, 570, 2 * 2**30).memory == 2 * 2**30 - GRADER_BYTES
    assert limits_for(settings, 570, 2**29).memory == LEAST_BYTES
    assert limits_for(settings, 570, 2**40).memory == Limits().memory
    own = Settings(assignment="vae", max_score=1, limits=["memory=3G", "cell=5"])
    assert (limits_for(own, 570, 2**30).memory, limits_for(own, 570, 2**30).cell) == (3 * 2**30, 5)


RULES = """
[late]
penalty = 1
free = 1

[assignments.little]
due = 2026-11-28T12:00:00Z
weights = { part_0 = 2 }

[assignments.before]
due = 2026-11-01T12:00:00Z
results = "not-in-the-archive"
"""
LEDGER = """assignment,student,exercise,action,points,reason,who,when
little,{},part_1,credit,,the test was wrong,the lecturer,2026-11-28
before,*,part_1,drop,,the test was wrong,the lecturer,2026-11-28
"""


@pytest.mark.parametrize(
    ("row", "users", "score"),
    [
        # 2 of part_0 count twice; one day of two is free
        ("ada@example.edu", [{"email": "ada@example.edu", "id": 4, "name": "Ada Byron"}], 2 * 2 + 2 - 1),
        ("gradescope 4", [{"email": "ada@example.edu", "id": 4, "name": "Ada Byron"}], 2 * 2 + 2 - 1),
        ("ada@example.edu", [{"email": "eve@example.edu", "name": "Eve"}], 2 * 2 - 1),
        ("ada@example.edu", [{"email": "ada@example.edu"}, {"email": "eve@example.edu"}], 2 * 2 - 1),
        # what students choose
        ("ada", [{"email": "ada@example.org", "name": "Mallory"}], 2 * 2 - 1),
        ("ada", [{"email": "mallory@example.edu", "name": "ada"}], 2 * 2 - 1),
        ("4", [{"email": "mallory@example.edu", "id": 5, "name": "4"}], 2 * 2 - 1),
        ("ada@example.edu", [{"email": "mallory@example.edu", "name": "ada@example.edu"}], 2 * 2 - 1),
        ("ada", "damaged", 4),
    ],
)
def test_what_course_and_ledger_say_is_applied(
    tmp_path, monkeypatch, make_run, make_submission, capsys, row, users, score
):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    (tmp_path / "course.toml").write_text(RULES)
    (tmp_path / "adjustments.csv").write_text(LEDGER.format(row))
    created = {} if users == "damaged" else {"created_at": "2026-11-29T14:00:00.000000+01:00"}
    (tmp_path / "submission_metadata.json").write_text(json.dumps({"users": users} | created))
    settings = Settings(assignment="little", max_score=4, names=["before", "little"])
    run = make_run(make_submission("submission", ("pass", ""), ("fail", "No.")))
    run = with_rules(run, settings, Layout(tmp_path, tmp_path), frozenset())
    form = graded(run, by_hand=[], visibility="visible", seconds=1.0, walls="namespaces")
    assert form["score"] == score and form["tests"][0]["max_score"] == 4.0
    assert ("Adjusted: part_1: 0 → 2 points: the test was wrong" in form["output"]) == (score == 5)
    assert ("Adjusted: late by 1 d 1 h" in form["output"]) == (users != "damaged")
    is_chosen = users != "damaged" and len(users) == 1 and score != 5 and users[0]["name"] != "Eve"
    assert (f"say of {row!r} is not applied: a student may call" in capsys.readouterr().out) == is_chosen


def test_the_archive_takes_along_what_decides_points(tmp_path, monkeypatch):
    rules = RULES.replace("little", "vae").replace("before", "gan").replace("part_0", "encode")
    (tmp_path / "course.toml").write_text(rules)
    (tmp_path / "times.csv").write_text("assignment,student,submitted\ngan,ada,2026-11-02T12:00:00+00:00\n")
    source = course.source_path("vae")
    monkeypatch.setattr(course, "source_path", lambda name, root=None: source)
    settings = Settings(assignment="vae", max_score=30, names=["gan", "vae"])
    with pytest.raises(InputError, match="not-in-the-archive: does not exist"):
        rules_files(tmp_path, settings)
    (tmp_path / "course.toml").write_text(rules.partition("results")[0])
    held = rules_files(tmp_path, settings)
    assert sorted(held) == ["course/course.toml", "course/times.csv"]
    assert held["course/times.csv"].decode() == "assignment,student,submitted\ngan,ada,2026-11-02T12:00:00+00:00\n"
    (tmp_path / "course.toml").write_text("[assignments.vae]\nweights = { encod = 2 }\n")
    with pytest.raises(InputError, match="course.toml:2: vae has no exercise 'encod'; did you mean encode"):
        rules_files(tmp_path, settings)
