"""Canvas: the file that its gradebook imports, alone and filled into what it exported."""

import csv
import io
from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.exports.canvas import canvas
from autograder.exports.export import export
from autograder.exports.filling import fill_in
from autograder.exports.platform import CANVAS
from autograder.exports.roster import read_roster
from autograder.grading.submissions import find_submissions

HEADER = "Student,ID,SIS User ID,SIS Login ID,Section,Notes,Little (77),Other task (78),Current Score,Final Score"
POINTS = "    Points Possible,,,,,,4,10,(read only),(read only)"
ADA = '"Byron, Ada",101,u1,ada@example.edu,A,- came late,,9.5,95,95'
EMIL = '"Post, Emil",102,u2,emil,A,,1,,0,0'
NOOR = '"Khan, Noor",103,u3,khan7,"A and B",,,EX,0,0'
TEST_STUDENT = '"Student, Test",104,,0815,A,,,,0,0'


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.fixture
def roster(tmp_path):
    """A function that writes an exported file of lines and reads it."""

    def make(*lines: str, encoding: str = "utf-8"):
        path = tmp_path / "roster.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return read_roster(path, CANVAS)

    return make


@pytest.fixture
def run(make_run, make_submission):
    """A function that returns a run of students who passed one exercise of two."""
    return lambda *names: make_run(*(make_submission(name, ("pass", ""), ("fail", "")) for name in names))


def test_without_a_roster_students_are_found_by_login(run):
    found = canvas(run("ada", "=cmd()"))
    assert rows(found.text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "little"],
        ["    Points Possible", "", "", "", "", "4"],
        ["ada", "", "", "ada", "", "2"],
        ["'=cmd()", "", "", "'=cmd()", "", "2"],
    ]
    assert not found.text.startswith("\ufeff")
    assert rows(canvas(run("ada"), column="Little (77)").text)[0][-1] == "Little (77)"


def test_only_the_cells_of_the_assignment_change(run, roster):
    lines = [HEADER, ",,,,,,Manual Posting,,,", POINTS, ADA, EMIL, NOOR, TEST_STUDENT]
    before = rows("\n".join(lines))
    found = fill_in(run("ada", "emil", "bob"), roster(*lines, encoding="utf-8-sig"))
    expected = [list(row) for row in before]
    expected[3][6] = expected[4][6] = "2"
    assert rows(found.text) == expected
    assert found.filled == 2
    assert found.notes == [
        "'bob' is not in the roster: left out",
        "Post, Emil: 1 → 2",
        "filled in, and empty before: 1; as they were: 0",
        "2 of 3 submissions are filled in, 1 left out; 2 of 4 students of the roster have none",
    ]


@pytest.mark.parametrize(
    "name", ["KHAN7", "u3", "103", "khan, noor", "Noor Khan", "khannoor", "khannoor_103", "Noor_Khan_103"]
)
def test_keys_by_which_a_student_is_found(run, roster, name):
    found = fill_in(run(name), roster(HEADER, POINTS, ADA, EMIL, NOOR))
    is_known = name != "Noor_Khan_103"
    is_name = name in ("khan, noor", "Noor Khan", "khannoor")
    assert any("found by the name that they show alone" in note for note in found.notes) == is_name
    assert [row[6] for row in rows(found.text)[2:]] == ["", "1", "2" if is_known else ""]


@pytest.mark.parametrize(
    ("old", "loss"),
    [
        *(("EX", "is excused in Canvas"), ("excused", "is excused in Canvas"), ("2.5", "would be lowered")),
        *(("2,01", "would be lowered"), ("B+", "holds no number")),
        *(("", ""), ("1.5", ""), ("2", ""), ("2.00", ""), ("MI", "")),
    ],
)
def test_no_excuse_and_no_higher_grade_is_lost_unasked(run, roster, old, loss):
    made = roster(HEADER, POINTS, EMIL.replace(",A,,1,", f',A,,"{old}",'), ADA)
    cells = lambda found: [row[6] for row in rows(found.text)[2:]]  # noqa: E731
    if loss:
        with pytest.raises(InputError) as raised:
            fill_in(run("emil", "ada"), made)
        first, last = str(raised.value).splitlines()
        assert first == f"Post, Emil: {old} → 2: {loss}"
        assert "1 cell would lose what stands there, nothing is written; --overwrite" in last
        made = roster(HEADER, POINTS, EMIL.replace(",A,,1,", f',A,,"{old}",'), ADA)
    found = fill_in(run("emil", "ada"), made, overwrite=bool(loss))
    is_same = old in ("2", "2.00")
    assert cells(found) == [old if is_same else "2", "2"]
    assert (f"Post, Emil: {old} → 2" in found.notes) == bool(old and not is_same)
    assert f"filled in, and empty before: {1 + (not old)}; as they were: {int(is_same)}" in found.notes


def test_whose_check_failed_is_left_out(make_run, make_submission, write_graded, tmp_path):
    graded = write_graded(make_run(make_submission("ada", ("fault", "")), make_submission("emil")))
    path = tmp_path / "roster.csv"
    path.write_text("\n".join([HEADER, POINTS, ADA, EMIL]))
    done = export(graded, "canvas", roster=path, overwrite=True)
    assert [row[6] for row in rows(done.text)[2:]] == ["", "2"]
    assert done.notes[0] == "'ada' is left out: a check failed; mend it and grade again"


def test_the_login_goes_before_the_name(run, roster):
    namesake = '"Ada, Byron",105,u5,byronada,A,,,,0,0'
    found = fill_in(run("byronada"), roster(HEADER, POINTS, ADA, namesake))
    assert [row[6] for row in rows(found.text)[2:]] == ["", "2"]


@pytest.fixture
def handed_in(tmp_path, make_run, make_submission):
    """A function that returns a run of students who passed one exercise of two, in files named as Canvas does."""

    def make(*names: str):
        (tmp_path / "in").mkdir()
        for name in names:
            (tmp_path / "in" / name).write_bytes(b'{"cells": [], "nbformat": 4}')
        found, problems = find_submissions("little", [tmp_path / "in"])
        assert problems == [] and len(found) == len(names)
        results = {item.account: make_submission(item.student, ("pass", ""), ("fail", "")) for item in found}
        return make_run(*(result.model_copy(update={"account": id}) for id, result in results.items()))

    return make


@pytest.mark.parametrize("shown", ["ada", "emil", "102", "u2", "byronada", "ada@example.edu"])
def test_the_number_goes_before_any_name(handed_in, roster, shown):
    """Noor shows a name that is another's login, number or name; those others have handed in nothing."""
    run = handed_in(f"{shown}_103_5000_little.ipynb")
    found = fill_in(run, roster(HEADER, POINTS, ADA, EMIL, NOOR))
    assert [row[6] for row in rows(found.text)[2:]] == ["", "1", "2"]
    alone = rows(canvas(run).text)[2]
    assert (alone[1], alone[3]) == ("103", "")


def test_a_number_that_is_not_in_the_roster_is_nobodys(handed_in, roster):
    found = fill_in(handed_in("emil_999_5000_little.ipynb"), roster(HEADER, POINTS, ADA, EMIL))
    assert [row[6] for row in rows(found.text)[2:]] == ["", "1"]
    assert found.notes[0] == "'emil' is not in the roster: left out"


def test_a_file_that_begins_with_a_number_is_read_with_the_roster(handed_in, roster):
    """Of what its name can mean, the roster holds one; if it holds both, nobody gets it."""
    run = handed_in("byronada_101_5000_4711_little.ipynb")
    found = fill_in(run, roster(HEADER, POINTS, ADA, EMIL))
    assert [row[6] for row in rows(found.text)[2:]] == ["2", "1"]
    forger = "byronada_101,5000,u9,forger,A,,,,0,0"
    found = fill_in(run, roster(HEADER, POINTS, ADA, EMIL, forger))
    assert [row[6] for row in rows(found.text)[2:]] == ["", "1", ""]
    assert found.notes[0] == "'byronada_101_5000_4711_little' fits 2 rows of the roster: left out"


def test_who_fits_two_rows_is_in_none(run, roster):
    twin = '"Byron, Ada",105,u5,byron5,A,,,,0,0'
    found = fill_in(run("Ada Byron"), roster(HEADER, POINTS, ADA, twin))
    assert [row[6] for row in rows(found.text)[2:]] == ["", ""]
    assert found.notes[0] == "'Ada Byron' fits 2 rows of the roster: left out"


def test_two_submissions_of_one_student_are_refused(run, roster):
    with pytest.raises(InputError, match="'ada' and 'u1' are both 'Byron, Ada'"):
        fill_in(run("ada", "u1"), roster(HEADER, POINTS, ADA))


@pytest.mark.parametrize(("column", "place"), [("Other task", 7), ("78", 7), ("other TASK (78)", 7), (None, 6)])
def test_the_column_is_found(run, roster, column, place):
    found = fill_in(run("emil"), roster(HEADER, POINTS, EMIL), column=column)
    row = rows(found.text)[2]
    assert row[place] == "2"
    assert [cell for index, cell in enumerate(row) if index != place] == [
        cell for index, cell in enumerate(rows(EMIL)[0]) if index != place
    ]


def test_a_column_that_is_not_there_is_one_line(run, roster):
    with pytest.raises(InputError, match=r"no column 'Final Score'; there are: Notes, Little \(77\), Other task"):
        fill_in(run("emil"), roster(HEADER, POINTS, EMIL), column="Final Score")
    with pytest.raises(InputError, match="2 columns fit 'little'; give one whole with --column"):
        fill_in(run("emil"), roster(f"{HEADER},Little (79)", POINTS, EMIL))


def test_without_a_column_of_that_name_one_is_added(run, roster):
    header, points, emil = (line.replace("Little", "Big") for line in (HEADER, POINTS, EMIL))
    found = fill_in(run("emil"), roster(header, points, emil))
    assert [row[-1] for row in rows(found.text)] == ["little", "4", "2"]
    assert "no column 'little'" in found.notes[0]


def test_other_points_possible_are_said_and_kept(run, roster):
    found = fill_in(run("emil"), roster(HEADER, POINTS.replace(",4,", ",100,"), EMIL))
    assert found.notes[0] == "Canvas has 100 points possible, the results 4: scores are as graded"
    assert rows(found.text)[1][6] == "100"


def test_semicolons_stay_semicolons(run, roster):
    lines = ["Student;ID;SIS Login ID;Section;Little (77)", "    Points Possible;;;;4,0", "Post, Emil;102;emil;A;1,0"]
    found = fill_in(run("emil"), roster(*lines))
    assert rows(found.text, ";")[2] == ["Post, Emil", "102", "emil", "A", "2"]
    assert found.notes[0] == "Post, Emil: 1,0 → 2" and len(found.notes) == 3


def test_first_and_last_names_in_columns_of_their_own(run, roster):
    header = "LastName,FirstName,ID,SIS Login ID,Section,Little (77)"
    found = fill_in(run("Emil Post"), roster(header, "    Points Possible,,,,,4", "Post,Emil,102,ep,A,"))
    assert rows(found.text)[2][-1] == "2"


def test_names_that_students_chose_are_no_formulas(run, roster):
    names = ["=1+1", "  @x", '"=""=1+1"""']
    found = fill_in(run("s1"), roster(HEADER, POINTS, *(f"{n},{i},,s{i},A,,,,," for i, n in enumerate(names))))
    assert [row[0] for row in rows(found.text)[2:]] == ["'=1+1", "'@x", '="=1+1"']


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not begin with the columns"),
        (b"name,points\nada,3\n", "does not begin with the columns"),
        ("Student,ID\nJosé,1".encode("latin-1"), "is not UTF-8"),
        (b"Student,ID,Section,A,A\n", "has two columns 'A'"),
        (b"Student,ID,Section,A\nada,1,x,2,3\n", "longer than its header"),
        (b'Student,ID,Section\n"' + b"x" * 200_000 + b'",1,x\n', "is no sound CSV"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_roster_is_one_line(tmp_path: Path, content, said):
    if content is not None:
        (tmp_path / "roster.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as raised:
        read_roster(tmp_path / "roster.csv", CANVAS)
    assert "\n" not in str(raised.value) and "roster.csv" in str(raised.value)
