"""course.toml: one line for each key that is wrong, with the number of its line."""

import re

import pytest

from autograder import cells, course
from autograder.errors import InputError
from autograder.points.course_file import line_of, read_course_file
from autograder.points.rules import read_rules

WHOLE = """\
time_zone = "Europe/Berlin"
attempt = "last before due"

[late]
every = "day"
penalty = "10%"
most = "50%"
free = 3

[groups]
tuesday = ["ada", "bob"]

[assignments.vae]
due = 2026-11-28
weight = 0.5
weights = { two_forms = 2 }
excused.carol = "ill, with a certificate"

[assignments.vae.extensions]
"@tuesday" = 2026-11-30T18:00:00
ada = 2026-12-02T12:00:00+00:00
"""


@pytest.fixture
def write(tmp_path):
    def make(text: str, name: str = "course.toml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return make


def test_what_is_in_it(write):
    found, text = read_course_file(write(WHOLE))
    due = {name: f"{found.due('vae', name):%Y-%m-%d %H:%M:%S %Z}" for name in ("ada", "bob", "eve")}
    assert due == {
        "ada": "2026-12-02 12:00:00 UTC",
        "bob": "2026-11-30 18:00:00 CET",
        "eve": "2026-11-28 23:59:59 CET",
    }
    assert found.due("vae", "eve").microsecond == 999_999  # the whole day
    assert found.excused("vae", "carol").startswith("ill") and not found.excused("vae", "ada")
    assert found.late_of("vae").penalty.of(20) == 2 and found.late_of("vae").free == 3
    assert found.groups_of("ada") == ["tuesday"] and found.due("gan", "ada") is None
    assert [
        line_of(text, ("assignments", "vae", *key)) for key in (("due",), ("excused", "carol"), ("extensions", "ada"))
    ] == [
        14,
        17,
        21,
    ]


def test_when_the_doors_are_open(write):
    text = WHOLE.replace("weight = 0.5", 'opens = 2026-11-20\ncloses = 2026-11-29\nserve.told = "verdict"')
    found, _ = read_course_file(write(text))
    assert f"{found.opens('vae'):%Y-%m-%d %H:%M %Z}" == "2026-11-20 00:00 CET"  # a date opens as its day begins
    closes = {name: f"{found.closes('vae', name):%Y-%m-%d %H:%M %Z}" for name in ("ada", "bob", "eve")}
    assert closes == {"ada": "2026-12-02 12:00 UTC", "bob": "2026-11-30 18:00 CET", "eve": "2026-11-29 23:59 CET"}
    assert found.serve_of("vae").told == "verdict" and found.serve_of("gan").told == "message"
    assert found.opens("gan") is None and found.closes("gan", "ada") is None


def test_an_assignment_has_the_messages_of_the_course_or_its_own(write):
    found, _ = read_course_file(write('messages = "plain"\n[assignments.gan]\nmessages = "full"'))
    assert [found.messages_of(name) for name in ("vae", "gan")] == ["plain", "full"]
    assert read_course_file(write(""))[0].messages_of("vae") == "full"


def test_there_may_be_none(tmp_path):
    assert read_course_file(tmp_path)[0].of("vae").due is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"Europe/Berlin"',
            '"Europe/Berln"',
            "course.toml:1: time_zone: is no time zone; write one such",
        ),
        ('time_zone = "Europe/Berlin"\n', "", "course.toml:13: assignments.vae.due: names no zone; write time_zone"),
        ('every = "day"', 'every = "week"', "course.toml:5: late.every: Input should be 'hour' or 'day'"),
        ('penalty = "10%"', 'penalty = "110%"', "course.toml:6: late.penalty: write points, as 1.5, or a share"),
        ("free = 3", "free = -3", "course.toml:8: late.free: Input should be greater than or equal to 0"),
        ("free = 3", "fre = 3", "course.toml:8: late.fre: is no key here; did you mean free?"),
        (
            "due = 2026-11-28",
            'due = "2026-11-28"',
            "course.toml:14: assignments.vae.due: write a date or a time",
        ),
        ("due = 2026-11-28\n", "", "assignments.vae.extensions: there is no due date to extend"),
        ("weight = 0.5", "wait = 0.5", "course.toml:15: assignments.vae.wait: is no key here; did you mean weight?"),
        ("[assignments.vae]", "[assignments.vea]", "course.toml:13: assignments.vea: there is no such assignment"),
        (
            '"@tuesday" =',
            '"@tusday" =',
            "course.toml:20: assignments.vae.extensions.@tusday: there is no group 'tusday'",
        ),
        (
            'attempt = "last before due"',
            'attempt = "luckiest"',
            "course.toml:2: attempt: Input should be 'last'",
        ),
        (
            "weight = 0.5",
            'messages = "short"',
            "course.toml:15: assignments.vae.messages: Input should be 'full' or 'plain'",
        ),
        ("weight = 0.5", "late.free = 2", "course.toml:15: assignments.vae.late.free: the bank is for the whole term"),
        ("weight = 0.5", 'late.every = "hour"', "course.toml:15: assignments.vae.late.every: the bank of the term"),
        ("2026-11-30T18:00:00", "2026-10-30", "course.toml:20: assignments.vae.extensions.@tuesday: is before the due"),
        ("weight = 0.5", 'serve.told = "all"', "course.toml:15: assignments.vae.serve.told: Input should be 'nothing'"),
        (
            "weight = 0.5",
            "serve.trys = 3",
            "course.toml:15: assignments.vae.serve.trys: is no key here; did you mean",
        ),
        (
            "weight = 0.5",
            "serve.tries_per_hour = 0",
            "course.toml:15: assignments.vae.serve.tries_per_hour: Input",
        ),
        ("weight = 0.5", "closes = 2026-11-27", "course.toml:15: assignments.vae.closes: is before the due date"),
        (
            "due = 2026-11-28",
            "due = 2026-11-28\nopens = 2026-12-01\ncloses = 2026-11-30",
            "course.toml:16: assignments.vae.closes: is not after opens",
        ),
        ("[groups]", "[groups", "is no sound TOML: .*line 10"),
    ],
)
def test_a_key_that_is_wrong_is_one_line(write, old, new, said):
    assert old in WHOLE
    with pytest.raises(InputError) as raised:
        read_course_file(write(WHOLE.replace(old, new, 1)))
    assert re.search(said if ".*" in said else re.escape(said), str(raised.value)), str(raised.value)
    assert len(str(raised.value).splitlines()) <= 2


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000], ids=["long", "deep"])
def test_what_toml_itself_gives_up_on_is_one_line(write, value):
    with pytest.raises(InputError, match="is no sound TOML"):
        read_course_file(write(f"weight = {value}"))


def test_a_weight_of_what_is_not_there_and_rows_that_are_wrong(write):
    folder = write(WHOLE)
    with pytest.raises(InputError, match="course.toml:16: vae has no exercise 'two_forms'; did you mean two_form"):
        read_rules("vae", folder).require_exercises(["two_form"])
    write(
        "assignment,student,submitted\nvae,ada,soon\nvae,bob,2026-11-28 12:00\nvea,bob,2026-11-28 12:00\n"
        "vae,eve,2026-11-28\n",
        "times.csv",
    )
    with pytest.raises(InputError) as raised:
        read_rules("vae", folder)
    assert str(raised.value).splitlines() == [
        "times.csv:2: 'soon' is no time; write it as 2026-11-28 23:59",
        "times.csv:4: there is no assignment 'vea'",
        "times.csv:5: '2026-11-28' lacks the time of day; write it as 2026-11-28 23:59",
    ]


def test_every_assignment_may_be_named(write):
    names = course.assignment_names()
    text = "\n".join(f"[assignments.{name}]\ndue = 2026-11-28T12:00:00Z" for name in names)
    assert set(read_course_file(write(text))[0].assignments) == set(names)


def test_the_worked_example_of_the_docs_holds(write):
    page = (course.ROOT / "docs" / "term.md").read_text(encoding="utf-8")
    ((toml,), csvs) = re.findall(r"```toml\n(.*?)```", page, re.S), re.findall(r"```\n(assignment,.*?)```", page, re.S)
    folder = write(toml)
    for name, rows in zip(("times.csv", "adjustments.csv"), csvs, strict=True):
        write(rows, name)
    rules = read_rules("vae", folder)
    names = [
        cells.exercise_name(cell)
        for cell in course.read_source("vae").cells
        if cells.is_tests(cell) or cells.is_written(cell)
    ]
    rules.require_exercises(names)
    assert len(rules.ledger) == 4 and f"{rules.file.due('vae', 'carol'):%d %H}" == "30 23"
    assert rules.file.late_of("diffusion").penalty.of(60) == 2
