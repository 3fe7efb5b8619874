"""CSV: a row a student, read back with a CSV reader; no cell is a formula."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.exports.spreadsheet import guarded, spreadsheet


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.encode().decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_a_row_a_student(make_run, make_submission, every_verdict):
    run = make_run(
        make_submission("ada", *every_verdict, manual=2.0),
        make_submission("Émile 龍", ("pass", "")),
        make_submission("noor", ("missing", ""), ("missing", "")),
    )
    text = spreadsheet(run)
    assert text.encode().startswith(b"\xef\xbb\xbf") and text.endswith("\r\n")
    header, ada, emile, noor = rows(text)
    ids = [f"little.part_{index}" for index in range(9)]
    assert header == ["student", *ids, "total", "max", "max by hand", "state", "late", "groups", "adjusted"]
    assert ada == ["ada", "2", *["0"] * 6, "", "", "2", "16", "2", "fault", "", "", ""]
    assert emile == ["Émile 龍", "2", *[""] * 8, "2", "2", "0", "graded", "", "", ""]
    assert noor == ["noor", "0", "0", *[""] * 7, "0", "4", "0", "empty", "", "", ""]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1", "\r\n=1", "\u00a0=1", "＝1"])
def test_a_name_is_no_formula(make_run, make_submission, name):
    cell = rows(spreadsheet(make_run(make_submission(name))))[1][0]
    assert cell == f"'{name.strip()}"


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('=+-@,;"\t\r\n \x00a\u200e\u2028')) | st.text())
def test_no_name_forges_a_cell_or_a_row(make_run, make_submission, name):
    text = spreadsheet(make_run(make_submission(name), make_submission("ada")))
    found = rows(text)
    assert [len(row) for row in found] == [9, 9, 9] and found[2][0] == "ada"
    for delimiter in ",;\t":
        cells = [cell for row in rows(text, delimiter) for cell in row]
        assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r"))]


def test_what_begins_no_formula_stays():
    assert [guarded(text) for text in ("ada", "a=b", "a-b@c", "")] == ["ada", "a=b", "a-b@c", ""]
