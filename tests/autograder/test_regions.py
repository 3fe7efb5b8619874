"""What stands in the marked regions of a cell."""

from autograder.regions import HIDDEN_TESTS, MARK_SCHEME, SOLUTION, text_in

CELL = "a\n  ### BEGIN SOLUTION\n  b\n  ### END SOLUTION\nc\n### BEGIN HIDDEN TESTS\nd\n### END HIDDEN TESTS\ne"


def test_the_lines_of_a_kind_are_found():
    assert text_in(CELL, SOLUTION) == "  b"
    assert text_in(CELL, HIDDEN_TESTS) == "d"
    assert text_in(CELL, MARK_SCHEME) == ""
    assert text_in(CELL, "") == "a\nc\ne"


def test_a_region_without_an_end_goes_on():
    assert text_in("a\n### BEGIN MARK SCHEME\nb\nc", MARK_SCHEME) == "b\nc"
    assert text_in("a\n### BEGIN MARK SCHEME\nb\nc", "") == "a"


def test_regions_of_one_kind_are_put_together():
    assert text_in(f"{CELL}\n{CELL}", HIDDEN_TESTS) == "d\nd"
