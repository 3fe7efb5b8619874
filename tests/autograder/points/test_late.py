"""What late work costs, who is excused, what weighs how much: all through the one function, with a reason for each."""

import csv
import io

import pytest

from autograder import course
from autograder.errors import InputError
from autograder.exports.markdown import markdown
from autograder.exports.spreadsheet import spreadsheet
from autograder.points.adjusting import adjusted, excused_without_result
from autograder.points.rules import read_rules
from autograder.reports.policy import Policy

DUE = "[assignments.little]\ndue = 2026-11-28T12:00:00Z\n"
NAMES = ("little", "before", "after")


@pytest.fixture(autouse=True)
def assignments(monkeypatch):
    monkeypatch.setattr(course, "assignment_names", lambda root=None: list(NAMES))
    monkeypatch.setattr(course, "read_source", lambda name: None)
    monkeypatch.setattr("autograder.cells.written_ids", lambda source, name: frozenset({"little.part_3"}))


@pytest.fixture
def result(make_run, make_submission):
    """A function that returns a run of students who have 4 of 6 points, each handed in at the time that is given."""

    def make(**submitted: str):
        found = [("pass", ""), ("pass", ""), ("fail", ""), ("manual", "")]
        return make_run(
            *(
                make_submission(name, *found, manual=2.0).model_copy(update={"submitted": time})
                for name, time in submitted.items()
            )
        )

    return make


@pytest.fixture
def applied(tmp_path, result):
    """A function that applies a course.toml, and what other files there are, to students by their times."""

    def make(text: str, submitted: dict[str, str], **files: str):
        (tmp_path / "course.toml").write_text(text)
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_text(content)
        run, notes = adjusted(result(**submitted), rules=read_rules("little", tmp_path))
        return {item.student: item for item in run.submissions}, notes

    return make


@pytest.mark.parametrize(
    ("late", "submitted", "score", "said"),
    [
        ('penalty = "10%"', "2026-11-28T12:00:00Z", 4.0, ""),
        (
            'penalty = "10%"',
            "2026-11-28T12:00:01Z",
            3.4,
            "late by 1 min (due 2026-11-28 12:00 UTC): 1 day begun: 4 → 3.4",
        ),
        ('penalty = "10%"', "2026-11-29T13:30:00Z", 2.8, "late by 1 d 1 h (due 2026-11-28 12:00 UTC): 2 days begun"),
        ('penalty = "10%"\nmost = "15%"', "2026-12-05T12:00:00Z", 3.1, "7 days begun"),
        ('penalty = "20%"\nleast = "50%"', "2026-12-05T12:00:00Z", 3.0, "7 days begun"),
        ('penalty = "20%"\nleast = "90%"', "2026-12-05T12:00:00Z", 4.0, "7 days begun"),
        ("penalty = 3", "2026-12-05T12:00:00Z", 0.0, "4 → 0 points"),
        ('every = "hour"\npenalty = 0.25', "2026-11-28T14:10:00Z", 3.25, "late by 2 h 10 min"),
        ("penalty = 0\nuntil = 2", "2026-11-30T12:00:00Z", 4.0, "2 days begun"),
        ("penalty = 0\nuntil = 2", "2026-11-30T12:00:01Z", 0.0, "3 days begun"),
        ("penalty = 1\nfree = 1", "2026-11-29T13:00:00Z", 3.0, "2 days begun, 1 of them free: 4 → 3 points"),
        ("penalty = 1\nfree = 3", "2026-11-29T13:00:00Z", 4.0, "2 days begun, which the student's free ones cover"),
    ],
)
def test_what_late_work_costs(applied, late, submitted, score, said):
    found, notes = applied(f"[late]\n{late}\n{DUE}", {"ada": submitted})
    assert found["ada"].score == pytest.approx(score) and notes == []
    assert said in "".join(found["ada"].adjustments) and bool(said) == bool(found["ada"].adjustments)


def test_an_extension_an_excuse_and_a_group(applied):
    text = (
        'time_zone = "Europe/Berlin"\n[late]\npenalty = 1\n[groups]\nsick = ["bob", "eve"]\n'
        + DUE
        + '[assignments.little.extensions]\n"@sick" = 2026-11-29T13:00:00\n'
        + '[assignments.little.excused]\ncarol = "ill"\ngone = "moved"\n'
    )
    time = "2026-11-29T12:00:00Z"  # 13:00 in Berlin, in winter
    found, notes = applied(text, dict.fromkeys(["ada", "bob", "carol"], time))
    assert {name: (item.score, item.max_score, item.late) for name, item in found.items()} == {
        "ada": (3.0, 6.0, "1 day"),
        "bob": (4.0, 6.0, "no"),
        "carol": (0.0, 0.0, "1 day"),
    }
    assert found["carol"].adjustments == ["excused: ill"] and found["bob"].groups == ["sick"]
    assert notes == [
        "course.toml:12: there is no result of 'gone'",
        "course.toml:5: there is no result of 'eve'",
    ]


def test_names_in_groups_and_times_that_fit_nobody_are_said(applied):
    text = (
        '[groups]\nunused = ["nobody"]\nsick = ["ada", "bbo", "x"]\nout = ["caroll"]\n'
        + DUE
        + 'extensions = { "@sick" = 2026-11-29T13:00:00Z }\n'
    )
    head = "assignment,student,submitted\n"
    rows = "little,carl,2026-11-28 12:00Z\nbefore,unknown,2026-11-28 12:00Z\nlittle,ada,2026-11-28 12:00Z\n"
    ledger = "assignment,student,exercise,action,points,reason,who,when\nlittle,@out,,add,1,bonus,lecturer,2026-11-28\n"
    times = dict.fromkeys(["ada", "bob", "carol"], "2026-11-28T12:00:00Z")
    _, notes = applied(text, times, times=head + rows, adjustments=ledger)
    assert notes == [
        "course.toml:3: there is no result of 'bbo' (did you mean bob?), 'x'",
        "course.toml:4: there is no result of 'caroll' (did you mean carol?)",
        "times.csv: there is no result of 'carl' (did you mean carol?)",
    ]


def test_an_unknown_time_costs_nothing_and_is_said_in_one_line(applied):
    found, notes = applied(f"[late]\npenalty = 1\n{DUE}", {"ada": "", "bob": "", "eve": "2026-11-29T12:00:00Z"})
    assert [(item.score, item.late) for item in found.values()] == [(4.0, "unknown"), (4.0, "unknown"), (3.0, "1 day")]
    (note,) = notes
    assert note.startswith(
        "little is due 2026-11-28 12:00 UTC, and when 2 of the students (ada, bob) handed in is not known"
    )
    header = "assignment,student,submitted\n"
    found, notes = applied(
        f"[late]\npenalty = 1\n{DUE}",
        {"ada": "", "eve": "2026-12-29T12:00:00Z"},
        times=f"{header}little,ada,2026-11-30 12:00 UTC\nlittle,eve,2026-11-28T12:00:00+00:00\n",
    )
    assert [item.score for item in found.values()] == [2.0, 4.0] and notes == []


def test_the_bank_of_free_days_is_for_the_whole_term(applied, result, tmp_path):
    text = (
        f"[late]\npenalty = 1\nfree = 2\n{DUE}"
        "[assignments.after]\ndue = 2026-12-24T12:00:00Z\n[assignments.before]\ndue = 2026-11-01T12:00:00Z\n"
    )
    times = dict.fromkeys(["ada", "bob"], "2026-11-30T12:00:00Z")
    found, notes = applied(text, times)
    assert [item.score for item in found.values()] == [4.0, 4.0]
    assert len(notes) == 1 and "free days: nobody knows what before took of them" in notes[0]
    (tmp_path / "graded-before").mkdir()
    earlier = result(ada="2026-11-02T12:00:00Z", bob="").model_copy(update={"assignment": "before"})
    (tmp_path / "graded-before" / "results.json").write_text(earlier.model_dump_json())
    found, notes = applied(text + 'results = "graded-before"\n', times)
    assert [item.score for item in found.values()] == [3.0, 4.0] and notes == []
    with pytest.raises(InputError, match=r"none: does not exist"):
        applied(text + 'results = "none"\n', times)


@pytest.mark.parametrize(
    ("before", "rule", "score"),
    [
        # Due at the same time: "before" is graded first by its name, and only "little" finds the bank empty.
        ("2026-11-28T12:00:00Z", "", 2.0),
        # What counts for nothing takes nothing of the bank.
        ("2026-11-01T12:00:00Z", "until = 1\n", 4.0),
    ],
)
def test_the_bank_is_charged_once_and_only_for_what_counts(applied, tmp_path, before, rule, score):
    text = f"[late]\npenalty = 2\nfree = 1\n{rule}{DUE}[assignments.before]\ndue = {before}\n"
    times = "assignment,student,submitted\nlittle,ada,2026-11-29 12:00Z\nbefore,ada,2026-11-29 12:00Z\n"
    found, notes = applied(text, {"ada": ""}, times=times)
    assert found["ada"].score == score and notes == []
    own = found["ada"].model_copy(update={"submitted": ""})
    late = read_rules("before", tmp_path, NAMES).lateness(own)
    assert late.free == (0 if rule else 1)


@pytest.mark.parametrize(("time", "days"), [("22:59:59", "1 day"), ("23:00:01", "2 days")])
def test_a_day_is_24_hours_when_clocks_change(applied, time, days):
    """Clocks in Berlin go back on the morning of 25 October 2026: from midnight to midnight are 25 hours."""
    text = 'time_zone = "Europe/Berlin"\n[assignments.little]\ndue = 2026-10-25T00:00:00\n'
    found, _ = applied(text, {"ada": f"2026-10-25T{time}"})
    assert found["ada"].late == days


def test_the_order_is_ledger_weights_bonus_late(applied):
    text = f'[late]\npenalty = "10%"\n{DUE}weight = 0.5\nweights = {{ part_0 = 2 }}\n'
    head = "assignment,student,exercise,action,points,reason,who,when\n"
    rows = "little,*,part_2,credit,,bad test,lecturer,2026-11-28\nlittle,ada,,add,1,bonus,lecturer,2026-11-28\n"
    found, _ = applied(text, {"ada": "2026-11-29T12:00:00Z"}, adjustments=head + rows)
    # part_0: 2 of 2, part_1: 1 of 1, part_2: 1 of 1, the written part_3 1 by hand; and 1 more, less 10% of 4
    ada = found["ada"]
    assert (ada.score, ada.max_score, ada.manual_max_score) == pytest.approx((4.6, 4.0, 1.0))
    assert [line.partition(":")[0] for line in ada.adjustments] == [
        "part_2",
        "weights",
        "+1 points",
        "late by 1 d (due 2026-11-28 12",
    ]
    assert [(item.score, item.max_score) for item in ada.exercises] == [(2.0, 2.0), (1.0, 1.0), (1.0, 1.0), (0.0, 1.0)]


def test_forms_show_it(applied, make_run):
    text = f'[late]\npenalty = 1\n[groups]\ntue = ["ada"]\n{DUE}[assignments.little.excused]\nbob = "ill"\n'
    found, _ = applied(text, {"ada": "2026-11-30T12:00:00Z", "bob": ""})
    run = make_run(*found.values())
    rows = list(csv.reader(io.StringIO(spreadsheet(run))))
    by_name = [dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]]
    assert [(row["total"], row["state"], row["late"], row["groups"]) for row in by_name] == [
        ("2", "by hand", "2 days", "tue"),
        ("", "excused", "unknown", ""),
    ]
    assert "Adjusted: late by 2 d (due 2026-11-28 12&#58;00 UTC): 2 days begun: 4 → 2 points" in markdown(run)
    assert "### bob: excused\n" in markdown(make_run(found["bob"]))
    assert [line.partition(":")[0] for line in Policy.parse("under=50%").violations(run)] == ["ada"]
    assert run.submissions[0].late not in run.model_dump_json()


def test_who_is_excused_and_handed_in_nothing(tmp_path, result):
    (tmp_path / "course.toml").write_text(
        '[groups]\nsick = ["eve"]\n[assignments.little.excused]\nada = "ill"\nbob = "ill"\n"@sick" = "ill"\n'
    )
    found = excused_without_result(result(ada=""), read_rules("little", tmp_path))
    assert [(item.student, item.excused, item.exercises) for item in found] == [("bob", "ill", []), ("eve", "ill", [])]
