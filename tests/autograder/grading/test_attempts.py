"""Which of several attempts counts, when it was handed in, and that a name is not taken for another's."""

import shutil
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from autograder.grading.best import best_of
from autograder.grading.keeping import Earlier
from autograder.grading.submissions import Submission, find_submissions
from autograder.points.course_file import CourseFile
from autograder.points.rules import Rules, read_rules
from autograder.results.reading import Results
from tests.autograder.grading.test_submissions import notebook, put

BLACKBOARD = "HW 1_ada_attempt_2026-11-{}-12-00-00_vae.ipynb"
DAYS = ("27", "28", "29", "30")
EVENING = "HW 1_bob_attempt_2026-11-27-23-15-30_vae.ipynb"


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ({}, ["30"]),
        ({"attempt": "last"}, ["30"]),
        ({"attempt": "first"}, ["27"]),
        ({"attempt": "last before due"}, ["28"]),
        ({"attempt": "last before due", "assignments": {"vae": {"due": "2026-11-01"}}}, ["30"]),
        ({"assignments": {"vae": {"due": "2026-11-28", "attempt": "first"}}}, ["27"]),
        ({"attempt": "best"}, list(DAYS)),
    ],
)
def test_the_attempt_that_the_course_says_counts(tmp_path, text, counts):
    own = {"due": "2026-11-28"} | text.pop("assignments", {"vae": {}})["vae"]
    own["due"] = date.fromisoformat(own["due"])
    file = CourseFile.model_validate(text | {"time_zone": "Europe/Berlin", "assignments": {"vae": own}})
    notes: list[str] = []
    place = put(tmp_path, *(BLACKBOARD.format(day) for day in DAYS), EVENING)
    found, problems = find_submissions("vae", [place], notes=notes, rules=Rules("vae", file))
    *ada, bob = found
    assert problems == [] and bob.submitted == "2026-11-27T23:15:30" and not bob.is_one_of_several
    assert [item.submitted for item in ada] == [f"2026-11-{day}T12:00:00" for day in counts]
    assert len(notes) == len(DAYS) - len(counts)
    earlier = [note for note in notes if "an earlier attempt of ada" in note]
    assert len(earlier) == sum(day < counts[0] for day in DAYS) * (len(counts) == 1)


@pytest.mark.parametrize(
    ("path", "stamp", "submitted"),
    [
        ("ada/vae/vae.ipynb", "2026-11-28 12:00:00 UTC", "2026-11-28T12:00:00+00:00"),
        ("ada/vae/vae.ipynb", "soon", ""),
        ("Ada_12_assignsubmission_file_/vae/vae.ipynb", "2026-11-28 12:00:00 UTC", ""),
        ("ada/ada/vae/vae.ipynb", "2026-11-28 12:00:00 UTC", ""),
        ("12-34 - Ada Byron - Nov 28, 2026 1015 AM/vae.ipynb", "", "2026-11-28T10:15:00"),
        ("12-34 - Ada Byron - Nov 28, 2026 1015 AM - vae.ipynb", "", "2026-11-28T10:15:00"),
        # a time in the name that a student shows, and in that of their file
        ("12-34 - Ada - Jan 1, 2026 1000 AM - Nov 28, 2026 1015 AM/vae.ipynb", "", "2026-11-28T10:15:00"),
        ("12-34 - Ada - Jan 1, 2026 1000 AM - Nov 28, 2026 1015 AM - vae.ipynb", "", "2026-11-28T10:15:00"),
        ("12-34 - Ada - Nov 28, 2026 1015 AM - Jan 1, 2026 1000 AM - vae.ipynb", "", "2026-11-28T10:15:00"),
        ("12-34 - Ada - class of 2026 - Nov 28, 2026 1015 AM - vae.ipynb", "", "2026-11-28T10:15:00"),
        ("Byron_Ada_adabyron_12345/20261128101530_vae.ipynb", "", "2026-11-28T10:15:30"),
        ("Byron_Ada_adabyron_12345/20261130101530_hand_in.zip/20261101000000_vae.ipynb", "", "2026-11-30T10:15:30"),
        ("Byron_Ada_adabyron_12345/20261130101530_hand_in.zip/x/20261101000000_vae.ipynb", "", "2026-11-30T10:15:30"),
        ("Byron_Ada_adabyron_12345/mine/20261101000000_vae.ipynb", "", ""),
    ],
)
def test_a_time_is_the_courses_or_the_platforms(tmp_path, path, stamp, submitted):
    put(tmp_path / "class", path, "eve/vae/vae.ipynb")
    for zipped in (tmp_path / "class").rglob("*.zip"):
        packed(zipped, zipped)
    if stamp:
        (tmp_path / "class" / path).with_name("timestamp.txt").write_text(stamp)
    found, _ = find_submissions("vae", [tmp_path / "class"])
    assert {item.submitted for item in found if item.student != "eve"} == {submitted}


@pytest.mark.parametrize(
    ("attempt", "written", "counts"),
    [
        ("last", "aaaa", ["30"]),
        ("first", "aaaa", ["27"]),
        ("best", "aaaa", ["27"]),
        ("last before due", "aaaa", ["28"]),  # the last of those in time
        ("last before due", "abba", ["28"]),
        ("last before due", "aabb", ["28"]),
        ("best", "abab", ["27", "28"]),
        ("last", "abab", ["30"]),
    ],
)
def test_the_same_handed_in_again_costs_nothing_unless_the_last_counts(tmp_path, attempt, written, counts):
    text = {"time_zone": "Europe/Berlin", "attempt": attempt, "assignments": {"vae": {"due": date(2026, 11, 28)}}}
    place = put(tmp_path, *(BLACKBOARD.format(day) for day in DAYS))
    for day, what in zip(DAYS, written, strict=True):
        (place / BLACKBOARD.format(day)).write_bytes(notebook(what))
    notes: list[str] = []
    rules = Rules("vae", CourseFile.model_validate(text))
    found, problems = find_submissions("vae", [place], notes=notes, rules=rules)
    assert problems == [] and [item.submitted[8:10] for item in found] == counts
    assert len(notes) == len(DAYS) - len(counts)


@pytest.mark.parametrize(("own_time", "counts"), [(None, "28"), (27, "30"), (29, "30")])
def test_a_time_that_people_write_down_goes_before_those_of_all_attempts(tmp_path, own_time, counts):
    """Whichever attempt counts was handed in then: all are in time, or none is."""
    text = {"attempt": "last before due", "assignments": {"vae": {"due": date(2026, 11, 28)}}, "time_zone": "UTC"}
    place = put(tmp_path, *(BLACKBOARD.format(day) for day in DAYS))
    times = {("vae", "ada"): datetime(2026, 11, own_time, 12, tzinfo=timezone.utc)} if own_time else {}
    rules = Rules("vae", CourseFile.model_validate(text), times=times)
    found, _ = find_submissions("vae", [place], rules=rules)
    assert [item.submitted[8:10] for item in found] == [counts]


def test_an_extension_under_the_name_of_earlier_results_decides_what_is_in_time(tmp_path, make_run, make_submission):
    """The platform shows another name now, by which the rules do not know the student."""
    place = put(tmp_path, *(f"12-34 - Ada B - Nov {day}, 2026 1015 AM/vae.ipynb" for day in ("27", "29", "30")))
    own = {"due": date(2026, 11, 28), "extensions": {"ada": date(2026, 11, 29)}}
    text = {"time_zone": "Europe/Berlin", "attempt": "last before due", "assignments": {"vae": own}}
    rules = Rules("vae", CourseFile.model_validate(text))
    (new,), _ = find_submissions("vae", [place], rules=rules)
    assert new.submitted[8:10] == "27"
    earlier = make_submission("ada").model_copy(update={"account": new.account})
    known = Earlier(Results(make_run(earlier), Path(), None, {}))
    found, _ = find_submissions("vae", [place], rules=rules, name_of=known.name_of)
    assert [(item.student, item.submitted[8:10]) for item in known.named_alike(found)] == [("ada", "29")]


STAMP = "2026-11-28 12:00:00 UTC"


@pytest.mark.parametrize(
    ("given", "members", "believed"),
    [
        ("class", ["ada/vae/", "eve/vae/"], True),
        ("class/ada/vae", ["ada/vae/"], True),
        ("class.zip", ["ada/vae/", "eve/vae/"], True),
        ("class.zip", ["export/ada/vae/", "export/eve/vae/"], True),
        # a student's own zip
        ("ada.zip", ["vae/"], False),
        ("ada.zip", ["ada/vae/"], False),
        ("hand_in.zip", ["ada/vae/"], False),
        ("class", ["ada.zip/vae/"], False),
        ("class", ["ada.zip/ada/vae/", "eve/"], False),
        ("class", ["ada.zip/vae/", "eve.zip/vae/"], False),
        ("class", ["ada/hand_in.zip/ada/vae/", "eve/"], False),
        ("class.zip", ["ada.zip/vae/", "eve.zip/vae/"], False),
        # a clone
        ("class", ["ada/.git/", "ada/vae/", "eve/"], False),
        ("class", ["ada/vae/.git/", "ada/vae/", "eve/"], False),
        ("class/ada/vae", ["ada/.git/", "ada/vae/"], False),
        ("class/homework", ["homework/.git/", "homework/ada/vae/"], False),
        ("class.zip", ["ada/.git/", "ada/vae/", "eve/.git/", "eve/vae/"], False),
    ],
)
def test_a_timestamp_of_ones_own_says_nothing(tmp_path, given, members, believed):
    """In every folder or zip lie a notebook and a timestamp.txt."""
    (tmp_path / ".git").mkdir()  # the course's own: what lies further down is no clone for that
    for member in members:
        (tmp_path / "class" / member).mkdir(parents=True, exist_ok=True)
        (tmp_path / "class" / member / "timestamp.txt").write_text(STAMP)
        (tmp_path / "class" / member / "vae.ipynb").write_bytes(notebook(member))
    for folder in sorted((tmp_path / "class").rglob("*.zip"), reverse=True):
        packed(folder, folder)
    if given.endswith(".zip"):
        packed(tmp_path / "class", tmp_path / given)
    found, problems = find_submissions("vae", [tmp_path / given])
    (ada,) = (item for item in found if item.student in ("ada", "hand_in"))
    assert problems == [] and ada.submitted == ("2026-11-28T12:00:00+00:00" if believed else "")


def packed(folder: Path, path: Path) -> None:
    """Put a zip of what lies in a folder in its place."""
    made = shutil.make_archive(str(path.with_name("made")), "zip", folder)
    shutil.rmtree(folder)
    Path(made).rename(path)


def submission(student: str, account: str) -> Submission:
    return Submission(student, f"in/{student}.ipynb", b"{}", account)


@pytest.mark.parametrize(
    ("earlier", "now", "called", "gone"),
    [
        # Ada is alone at first, then there are two: she keeps her name, and her result is replaced.
        ({"Ada": "moodle 123"}, {"Ada_123": "moodle 123", "Ada_456": "moodle 456"}, ["Ada", "Ada_456"], []),
        # There are two at first, then one is graded anew, alone.
        ({"Ada_123": "moodle 123", "Ada_456": "moodle 456"}, {"Ada": "moodle 456"}, ["Ada_456"], []),
        # Another of the name must not take the place of the first.
        ({"Ada": "moodle 123"}, {"Ada": "moodle 456"}, ["Ada_456"], []),
        # The name is taken by somebody in a folder of that name: the old result goes all the same.
        ({"Ada": "moodle 123"}, {"Ada_123": "moodle 123", "Ada": ""}, ["Ada_123", "Ada"], []),
        ({"Eve": "canvas 1"}, {"Eva": "canvas 1", "Eve": ""}, ["Eva", "Eve"], []),
        ({"Eve": "canvas 1", "Bob": ""}, {"Bob": "canvas 2"}, ["Bob"], []),
        ({"Eve": "", "Bob": ""}, {"Bob": ""}, ["Bob"], []),
    ],
)
def test_results_are_by_the_students_number(make_run, make_submission, earlier, now, called, gone):
    results = [make_submission(name).model_copy(update={"account": account}) for name, account in earlier.items()]
    known = Earlier(Results(make_run(*results), Path(), None, {}))
    found = list(known.named_alike(submission(*item) for item in now.items()))
    assert [item.student for item in found] == called
    students = [item.student for item in [*known.beside(set(called)), *found]]
    accounts = [item.account for item in [*known.beside(set(called)), *found] if item.account]
    assert len(set(students)) == len(students) and len(set(accounts)) == len(accounts)
    assert bool(known.notes) == (called != list(now) or "Eva" in now or now == {"Ada_123": "moodle 123", "Ada": ""})
    # Until the new result is there, the old one stays.
    assert {item.student for item in known.beside(set())} == set(earlier)


def test_the_best_counts_after_what_late_work_costs(make_submission, tmp_path, monkeypatch):
    (tmp_path / "course.toml").write_text(
        "[late]\npenalty = 3\n[assignments.vae]\ndue = 2026-11-28T12:00:00Z\nattempt = 'best'\n"
    )
    monkeypatch.setattr("autograder.grading.best.read_rules", lambda name: read_rules(name, tmp_path))
    right, wrong = ("pass", ""), ("fail", "")
    attempts = [(wrong, "27"), (right, "28"), (right, "28"), (right, "30")]
    made = [
        make_submission("ada", verdict, right).model_copy(
            update={"submitted": f"2026-11-{day}T10:00:00Z", "path": f"{place}.ipynb"}
        )
        for place, (verdict, day) in enumerate(attempts)
    ]
    notes: list[str] = []
    (best,) = best_of("vae", made, notes)
    assert best.path == "2.ipynb" and best.score == 4.0  # as judged: what late work costs is applied later
    assert notes == ["2.ipynb: counts for ada, the best of 4 (2, 4, 4, 0 points)"]
