"""The ledger of adjustments: read row by row, applied to all points, and shown."""

import pytest

from autograder import course
from autograder.errors import InputError
from autograder.exports.junit import junit
from autograder.exports.markdown import markdown
from autograder.exports.spreadsheet import spreadsheet
from autograder.points.adjusting import adjusted
from autograder.points.course_file import CourseFile
from autograder.points.ledger import COLUMNS, read_ledger
from autograder.points.rules import Rules
from tests.autograder.exports.test_junit import WRITTEN

HEADER = ",".join(COLUMNS)
TAIL = "a reason,lecturer,2026-11-28"


@pytest.fixture
def ledger(tmp_path):
    """A function that writes a ledger of rows, given without what each must have, and reads it."""

    def make(*rows: str, tail: str = TAIL):
        path = tmp_path / "adjustments.csv"
        path.write_text("\n".join([HEADER, *(f"little,{row},{tail}" for row in rows)]), encoding="utf-8")
        return Rules("little", ledger=read_ledger("little", CourseFile(), tmp_path))

    return make


@pytest.fixture(autouse=True)
def source(monkeypatch):
    """An assignment of which a person grades part_3."""
    monkeypatch.setattr(course, "read_source", lambda name: None)
    monkeypatch.setattr("autograder.cells.written_ids", lambda source, name: frozenset({"little.part_3"}))


@pytest.fixture
def run(make_run, make_submission):
    found = ("pass", ""), ("fail", "x"), ("missing", ""), ("manual", "")
    return make_run(*(make_submission(name, *found, manual=2.0) for name in ("ada", "bob")))


def points(run):
    return [(item.score, item.max_score, item.manual_max_score) for item in run.submissions]


@pytest.mark.parametrize(
    ("row", "ada", "bob", "said"),
    [
        ("*,part_1,drop,", (2.0, 4.0, 2.0), (2.0, 4.0, 2.0), "part_1: dropped: a reason"),
        ("*,part_1,credit,", (4.0, 6.0, 2.0), (4.0, 6.0, 2.0), "part_1: 0 → 2 points: a reason"),
        ("ada,part_0,set,0.5", (0.5, 6.0, 2.0), (2.0, 6.0, 2.0), "part_0: 2 → 0.5 points: a reason"),
        ("ada,part_0,add,1", (3.0, 6.0, 2.0), (2.0, 6.0, 2.0), "part_0: 2 → 3 points: a reason"),
        ("ada,part_0,add,-9", (0.0, 6.0, 2.0), (2.0, 6.0, 2.0), "part_0: 2 → 0 points: a reason"),
        ("ada,,add,1.5", (3.5, 6.0, 2.0), (2.0, 6.0, 2.0), "+1.5 points: a reason"),
        ("ada,,add,-9", (0.0, 6.0, 2.0), (2.0, 6.0, 2.0), "-9 points: a reason"),
        ("*,part_3,drop,", (2.0, 6.0, 0.0), (2.0, 6.0, 0.0), "part_3: dropped: a reason"),
        (
            "ada,part_3,set,1",
            (2.0, 6.0, 2.0),
            (2.0, 6.0, 2.0),
            "part_3: adjusted when a person has graded it: a reason",
        ),
    ],
)
def test_what_each_row_does(run, ledger, row, ada, bob, said):
    found, notes = adjusted(run, rules=ledger(row))
    assert points(found) == [ada, bob] and notes == []
    assert found.submissions[0].adjustments == [said]
    assert found.submissions[1].adjustments == ([said] if row.startswith("*") else [])
    assert adjusted(run, rules=Rules("little"))[0] == run and "adjustments" not in found.model_dump_json()


def test_rows_apply_in_their_order_and_people_count_if_their_marks_are_in(run, ledger):
    rows = ledger("ada,part_3,set,1.5", "ada,part_0,set,1", "*,part_0,add,0.5")
    assert points(adjusted(run, rules=rows)[0]) == [(1.5, 6.0, 2.0), (2.5, 6.0, 2.0)]
    marked = run.model_copy(
        update={
            "submissions": [
                item.model_copy(update={"max_score": 8.0, "manual_max_score": 0.0}) for item in run.submissions
            ]
        }
    )
    assert points(adjusted(marked, rules=rows, people=True)[0]) == [(3.0, 8.0, 0.0), (2.5, 8.0, 0.0)]


def test_every_form_shows_them(run, ledger):
    found, _ = adjusted(run, rules=ledger("ada,part_1,credit,", tail='"=a <reason>, wrong *data*",lecturer,2026-11-28'))
    sheet = spreadsheet(found)
    assert '"4","6","2","by hand","","","part_1: 0 → 2 points: =a <reason>, wrong *data*"' in sheet
    assert "Adjusted: part_1: 0 → 2 points: =a &#60;reason&#62;, wrong &#42;data&#42;" in markdown(found)
    assert 'name="adjusted" value="part_1: 0 → 2 points: =a &lt;reason&gt;' in junit(found, written=WRITTEN)
    assert not any("lecturer" in text or "2026-11-28" in text for text in (sheet, markdown(found)))


@pytest.mark.parametrize(
    ("row", "tail", "said"),
    [
        ("ada,part_0,give,1", TAIL, "the action 'give' is none of drop, credit, set, add"),
        ("ada,part_0,set,", TAIL, "points are ''; write a number"),
        ("ada,part_0,add,nan", TAIL, "points are 'nan'"),
        ("ada,part_0,set,-1", TAIL, "less than 0"),
        ("ada,part_0,drop,1", TAIL, "drop takes no points"),
        ("ada,,drop,", TAIL, "drop needs an exercise"),
        (",part_0,drop,", TAIL, "student is empty"),
        ("ada,part_0,drop,", ",lecturer,2026-11-28", "reason is empty"),
        ("ada,part_0,drop,", "reason,,2026-11-28", "who is empty"),
        ("ada,part_0,drop,", "reason,lecturer,yesterday", "when is 'yesterday'; write a date"),
        ("ada,part_0,drop,", "reason, with commas,lecturer,2026-11-28", "has 9 cells, not 8; put a text with commas"),
    ],
)
def test_a_row_that_is_wrong_is_one_line_with_its_number(ledger, row, tail, said):
    with pytest.raises(InputError) as raised:
        ledger("", row, tail=tail)
    lines = str(raised.value).splitlines()
    assert any(line.startswith("adjustments.csv:3: ") and said in line for line in lines)


def test_who_and_what_is_not_there(run, ledger, tmp_path):
    assert adjusted(run, rules=ledger("adda,part_0,drop,"))[1] == [
        "adjustments.csv:2: there is no result of 'adda'; did you mean ada?"
    ]
    assert adjusted(run, rules=ledger("bob,part_0,set,2", "bob,part_0,set,15"))[1] == [
        "adjustments.csv:3: sets 15 points, and part_0 has 2"
    ]
    with pytest.raises(InputError, match="adjustments.csv:2: little has no exercise 'part_O'; did you mean part_"):
        adjusted(run, rules=ledger("*,part_O,drop,"))
    path = tmp_path / "adjustments.csv"
    path.write_text(HEADER.replace(",", ";"))
    with pytest.raises(InputError, match="adjustments.csv:1: the columns must be assignment,student.*, with commas"):
        read_ledger("little", CourseFile(), tmp_path)
    assert read_ledger("little", CourseFile(), tmp_path / "none") == []
    for row, said in (
        (f"litle,*,part_0,drop,,{TAIL}", "adjustments.csv:2: there is no assignment 'litle'; there are .*little"),
        (f"little,@tues,part_0,drop,,{TAIL}", "adjustments.csv:2: course.toml has no group 'tues'"),
        ("x" * 200_000, "adjustments.csv: is no sound CSV"),
    ):
        path.write_text(f"{HEADER}\n{row}\n")
        with pytest.raises(InputError, match=said):
            read_ledger("little", CourseFile(), tmp_path)
