"""Moodle's grading worksheet and Blackboard's file of "Work Offline", filled in and read back."""

import csv
import io

import pytest

from autograder.errors import InputError
from autograder.exports.export import export
from autograder.exports.filling import fill_in
from autograder.exports.platform import BLACKBOARD, CANVAS, MOODLE
from autograder.exports.roster import read_roster
from autograder.points.course_file import CourseFile
from autograder.points.rules import Rules

MOODLE_HEADER = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"'
)
SUBMITTED = '"Submitted for grading - "'
DAY = '"Saturday, 28 November 2026, 11:58 PM"'
BLACKBOARD_HEADER = (
    '"Last Name","First Name","Username","Student ID","Last Access","Availability",'
    '"Weighted Total [Total Pts: up to 10 Score] |100",'
    '"Little [Total Pts: 4 Score] |534283","Other [Total Pts: 9 Score] |534284"'
)


def moodle(number: int, name: str, mail: str, grade: str = "", most: str = "4.00") -> str:
    return f'"Participant {number}","{name}",{mail},{SUBMITTED},"{grade}",{most},Yes,{DAY},-,"<p>Well, done</p>"'


def blackboard(last: str, first: str, user: str, grade: str = "") -> str:
    return f'"{last}","{first}","{user}","S{user}","2026-11-28 10:00:00","Yes","","{grade}","7.00"'


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def roster(tmp_path):
    def make(platform, *lines: str):
        path = tmp_path / "roster.csv"
        path.write_bytes("\ufeff".encode() + "\n".join(lines).encode())
        return read_roster(path, platform)

    return make


@pytest.fixture
def run(make_run, make_submission):
    """A function that returns a run of students by name, each with an account or "", who have 2 of 4 points."""

    def make(**accounts: str):
        found = (make_submission(name, ("pass", ""), ("fail", "")) for name in accounts)
        return make_run(*(item.model_copy(update={"account": accounts[item.student]}) for item in found))

    return make


def test_moodle_is_filled_in_by_its_own_number(run, roster):
    lines = (
        MOODLE_HEADER,
        moodle(12, "Ada Byron", "ada@example.edu"),
        moodle(13, "Ada Byron", "ada.b@example.edu"),
        moodle(14, "=cmd()", "emil@example.edu", "1.50"),
        moodle(15, "Noor Khan", "noor@example.edu", "-"),
    )
    before = rows("\n".join(lines))
    found = fill_in(run(Ada="moodle 13", emil="", nobody="moodle 99", noor=""), roster(MOODLE, *lines))
    expected = [list(row) for row in before]
    expected[2][4] = expected[3][4] = expected[4][4] = "2"
    expected[3][1] = "'=cmd()"
    assert rows(found.text) == expected
    assert found.notes == [
        "'nobody' is not in the roster: left out",
        "'=cmd(): 1.50 → 2".replace("'=", "="),
        "Noor Khan: - → 2",
        "filled in, and empty before: 1; as they were: 0",
        "3 of 4 submissions are filled in, 1 left out; 1 of 4 students of the roster have none",
    ]


def test_moodle_passes_over_points_above_its_maximum(run, roster):
    found = fill_in(run(ada=""), roster(MOODLE, MOODLE_HEADER, moodle(1, "Ada", "ada@x.edu", most="3.00")))
    said = "3.00 points possible, the results 4: scores are as graded; Moodle passes over any above its maximum"
    assert found.notes[0] == f"Moodle has {said}"
    with pytest.raises(InputError, match="there is no column 'Grade'; download the grading worksheet"):
        fill_in(run(ada=""), roster(MOODLE, MOODLE_HEADER.replace(",Grade,", ",Bewertung,"), moodle(1, "Ada", "a@x")))


def test_who_is_locked_in_moodle_is_left_out_and_named(run, roster):
    header = MOODLE_HEADER.replace("Maximum Grade", "Maximum grade")  # as some versions write it
    lines = header, moodle(1, "Ada", "ada@x.edu", most="1.00"), moodle(2, "Bob", "bob@x.edu", "3.00")
    found = fill_in(run(ada="", bob=""), roster(MOODLE, *lines[:2], lines[2].replace(",Yes,", ",No,")))
    assert [row[4] for row in rows(found.text)] == ["Grade", "2", "3.00"]
    assert [note.partition(":")[0] for note in found.notes] == [
        "Moodle has 1.00 points possible, the results 4",
        "filled in, and empty before",
        "Moodle would pass over 1 of the scores (Ada",
        "locked in Moodle, which takes no grade of theirs",
        "1 of 2 submissions are filled in, 1 left out; 0 of 2 students of the roster have none",
    ]
    assert ": 1: bob; left as they were" in found.notes[3]


def test_a_bonus_above_the_maximum_of_a_platform_is_named(run, roster):
    graded = run(ada="", bob="")
    bonus = graded.submissions[0].model_copy(update={"score": 4.5})
    graded = graded.model_copy(update={"submissions": [bonus, graded.submissions[1]]})
    sheet = roster(MOODLE, MOODLE_HEADER, moodle(1, "Ada", "ada@x.edu"), moodle(2, "Bob", "bob@x.edu"))
    said = "(Ada: 4.5 of 4); raise the maximum there"
    told = f"Moodle would pass over 1 of the scores {said}, and download the worksheet again"
    assert told in fill_in(graded, sheet).notes
    sheet = roster(BLACKBOARD, BLACKBOARD_HEADER, blackboard("Ada", "", "ada"), blackboard("Bob", "", "bob"))
    assert f"Blackboard has fewer points possible than 1 of the scores {said}" in fill_in(graded, sheet).notes
    sheet = roster(CANVAS, "Student,ID,SIS Login ID,Section,Little (7)", "Ada,1,ada,A,", "Bob,2,bob,A,")
    assert not any("maximum" in note for note in fill_in(graded, sheet).notes)  # which takes more


def test_blackboard_is_filled_in_by_username(run, roster):
    lines = (
        BLACKBOARD_HEADER,
        blackboard("Byron", "Ada", "ada", "Needs Grading"),
        blackboard("Post", "+Emil", "emil", "1.00"),
        blackboard("Khan", "Noor", "noor"),
    )
    found = fill_in(run(ada="", emil="", KhanNoor=""), roster(BLACKBOARD, *lines))
    expected = rows("\n".join(lines))
    for row in expected[1:]:
        row[7] = "2"
    expected[2][1] = "'+Emil"
    assert rows(found.text) == expected
    assert found.text.startswith('\ufeff"Last Name","First Name"')
    assert "1 are found by the name that they show alone, which students choose: check them" in found.notes
    for column, said in (
        ("534284", "9 points possible"),
        ("Little", ""),
        ("77", "there is no column '77'; there are: Weighted"),
    ):
        made = roster(BLACKBOARD, *lines)
        if "no column" in said:
            with pytest.raises(InputError, match=said):
                fill_in(run(ada=""), made, column=column, overwrite=True)
        else:
            assert said in fill_in(run(ada=""), made, column=column, overwrite=True).notes[0]
    with pytest.raises(InputError, match="there is no column 'little'; make it in Blackboard first"):
        fill_in(run(ada=""), roster(BLACKBOARD, BLACKBOARD_HEADER.replace("Little", "Large"), *lines[1:]))


@pytest.mark.parametrize("platform", [MOODLE, BLACKBOARD])
@pytest.mark.parametrize(
    ("old", "loss"),
    [("2.50", "would be lowered"), ("B+", "holds no number"), ("Exempt", "is excused in"), ("1.00", ""), ("", "")],
)
def test_nothing_higher_is_lost_unasked(run, roster, platform, old, loss):
    line = moodle(1, "Ada", "ada@x.edu", old) if platform is MOODLE else blackboard("Byron", "Ada", "ada", old)
    header = MOODLE_HEADER if platform is MOODLE else BLACKBOARD_HEADER
    if loss:
        with pytest.raises(InputError, match=f"{loss}.*\n.*nothing is written; --overwrite") as raised:
            fill_in(run(ada=""), roster(platform, header, line))
        assert f"{old} → 2" in str(raised.value).splitlines()[0].replace("B+", "B+")
    found = fill_in(run(ada=""), roster(platform, header, line), overwrite=bool(loss))
    assert rows(found.text)[1][4 if platform is MOODLE else 7] == "2"


@pytest.mark.parametrize(
    ("platform", "header", "line", "cell"),
    [
        (CANVAS, "Student,ID,SIS Login ID,Section,Little (7)", '"Byron, Ada",1,ada,A,', "EX"),
        (MOODLE, MOODLE_HEADER, moodle(1, "Ada", "ada@x.edu", "1"), "1"),
        (BLACKBOARD, BLACKBOARD_HEADER, blackboard("Byron", "Ada", "ada"), ""),
    ],
)
def test_an_excuse_is_written_where_a_platform_takes_it(run, roster, platform, header, line, cell):
    excused = run(ada="").submissions[0].model_copy(update={"excused": "ill", "score": 0.0, "exercises": []})
    place = {"Canvas": 4, "Moodle": 4, "Blackboard": 7}[platform.name]
    found = fill_in(run(), roster(platform, header, line), excused=[excused])
    assert rows(found.text)[1][place] == cell
    told = f"excused, which {platform.name} takes from no file: 1: ada; left as they were"
    assert (told in found.notes) == (platform is not CANVAS)
    if platform is CANVAS:
        with pytest.raises(InputError, match="Byron, Ada: 3 → EX: would be excused"):
            fill_in(run(), roster(platform, header, line[:-1] + ",3"), excused=[excused])


def test_a_group_has_its_excused_who_handed_in_nothing(run, write_graded, monkeypatch):
    text = {
        "groups": {"tuesday": ["ada", "eve"]},
        "assignments": {"little": {"excused": {"eve": "ill", "sam": "ill"}}},
    }
    rules = Rules("little", CourseFile.model_validate(text))
    monkeypatch.setattr("autograder.exports.export.read_rules", lambda name: rules)
    monkeypatch.setattr("autograder.course.read_source", lambda name: None)
    monkeypatch.setattr("autograder.cells.written_ids", lambda source, name: frozenset())
    graded = write_graded(run(ada="", bob=""))
    alone = rows(export(graded, "canvas", group="tuesday").text)[2:]
    assert [(row[0], row[-1]) for row in alone] == [("ada", "2"), ("eve", "EX")]
    every = rows(export(graded, "canvas").text)[2:]
    assert [(row[0], row[-1]) for row in every] == [("ada", "2"), ("bob", "2"), ("eve", "EX"), ("sam", "EX")]


def test_by_the_command_and_what_is_no_such_file(run, write_graded, tmp_path):
    graded = write_graded(run(ada="moodle 12"))
    path = tmp_path / "sheet.csv"
    path.write_text("\n".join([MOODLE_HEADER, moodle(12, "Ada Byron", "x@example.edu")]))
    assert rows(export(graded, "moodle", roster=path).text)[1][4] == "2"
    with pytest.raises(
        InputError, match="does not begin with the columns Last Name and First Name and Username; give the"
    ):
        export(graded, "blackboard", roster=path)
