"""Which exercises use which, which are judged again for it, and what comes of that."""

from dataclasses import replace

import nbformat.v4 as v4
import pytest

from autograder.judge.again import Leaning, leaning, second, seed_again
from autograder.judge.uses import leans_of, uses_of
from autograder.judge.verdict import Finding


def fixme(source: str):
    return v4.new_code_cell(source, metadata={"nbgrader": {"grade": False, "solution": True, "grade_id": "x"}})


def judging(name: str, judged: str = "", visible: str = ""):
    hidden = f"### BEGIN HIDDEN TESTS\ncheck('toy.{name}', {judged or name})\n### END HIDDEN TESTS"
    about = {"grade": True, "solution": False, "grade_id": f"test_{name}", "points": 1}
    return v4.new_code_cell(f"{visible}\n{hidden}", metadata={"nbgrader": about})


METHODS = """# exercise: Model
class Model:
    def __init__(self):
        self.scale = schedule()

    # exercise: code
    def code(self, x):
        return self.scale * x

    # exercise: whole
    def whole(self, x):
        return self.code(self.code(x))
"""
SOURCE = v4.new_notebook(
    cells=[
        fixme("# exercise: schedule\ndef schedule(): return 2"),
        judging("schedule"),
        fixme("# exercise: later\ndef later(): return early()"),  # and early uses later
        fixme("# exercise: early\ndef early(x=1): return later() + schedule()"),
        judging("early"),
        judging("later"),
        fixme(METHODS),
        judging("code", "Model"),
        judging("whole", "Model"),
        judging("Model"),
        fixme("# exercise: last\ndef last(whole): return later()"),  # whole is an argument
        judging("last", visible="assert last(1) == schedule()"),
    ]
)


def test_what_is_used_directly_and_by_way_of_others_if_it_is_judged_earlier():
    assert uses_of(SOURCE) == {
        "schedule": (),
        "early": ("schedule",),
        "later": ("schedule", "early"),
        "code": (),
        "whole": ("code",),
        "Model": ("schedule", "code", "whole"),
        "last": ("schedule", "early", "later"),
    }


def test_a_verdict_may_hang_on_what_the_solution_or_visible_tests_use():
    assert leans_of(SOURCE)["whole"] == {"code"}
    assert leans_of(SOURCE)["last"] == {"schedule", "early", "later"}
    tests = v4.new_notebook(cells=[judging("a"), judging("b", visible="assert b(1) == a(1)")])
    assert leans_of(tests) == {"a": frozenset(), "b": {"a"}}


def test_what_has_not_passed_is_lent_if_the_solution_uses_it():
    uses = {"a": (), "b": (), "c": ("a",)}
    cell = judging("c", visible="assert c(1) == b(1)")
    assert leaning(cell, uses, "c", {"a", "b"}) == Leaning()
    assert leaning(cell, uses, "c", {"b"}) == Leaning(("a",))
    assert leaning(cell, uses, "c", {"a"}) == Leaning(seen=("b",))
    assert leaning(cell, uses, "a", set()) == Leaning()


FAILED = Finding("fail", "Wrong.")
ONE, TWO, SEEN = Leaning(("a",)), Leaning(("a", "b")), Leaning(seen=("a",))
LESS = Finding("fail", "Own.", earned=1.0, credit="1 of 2 points: for this, but not for that.", borrowed=True)
RIGHT = Finding("pass", "Right: judged without your a, which has not passed.")


@pytest.mark.parametrize(
    ("again", "leans", "is_visible", "found"),
    [
        (None, ONE, False, FAILED),
        (Finding("pass", borrowed=True), ONE, False, RIGHT),
        (
            Finding("pass", borrowed=True),
            TWO,
            True,
            Finding("pass", "Right: judged without your a and b, which have not passed."),
        ),
        (Finding("pass"), ONE, False, FAILED),  # it did not ask for a, so a is not to blame
        (Finding("pass"), ONE, True, Finding("pass", "Right: its visible tests use your a, which has not passed.")),
        (
            Finding("pass"),
            SEEN,
            True,
            Finding("pass", "Right: its visible tests use your a, which has not passed."),
        ),
        (Finding("fail", "Own.", "own", borrowed=True), ONE, False, Finding("fail", "Own.", "own")),
        (Finding("fault", "x", borrowed=True), ONE, False, Finding("fault", "x", borrowed=True)),
        (Finding("fault", "x"), Leaning(), True, Finding("fault", "x")),  # it may have parts that are right
        (Finding("error", "It raised RuntimeError", borrowed=True), ONE, False, FAILED),
        (Finding("fail", "Own.", "own"), ONE, True, Finding("fail", "Own.", "own")),
        (Finding("fail", "Own. Odd.", clue="Odd."), ONE, True, Finding("fail", "Wrong. Odd.")),
        (Finding("fail", "Own."), ONE, False, FAILED),
        (LESS, ONE, False, LESS),
        (replace(LESS, verdict="error"), ONE, False, replace(LESS, verdict="error")),
        (replace(LESS, borrowed=False), ONE, True, replace(LESS, message="Wrong.")),
    ],
)
def test_what_is_found_in_the_end(again, leans, is_visible, found):
    assert second(FAILED, again, leans, is_visible=is_visible) == found


@pytest.mark.parametrize("verdict", ["fail", "error"])
def test_of_two_judgings_that_both_fail_the_one_that_earned_more_counts(verdict):
    more = Finding("fail", "Wrong.", earned=2.0, credit="2 of 3 points: for these, but not for that.")
    assert second(more, replace(LESS, verdict=verdict), ONE, is_visible=False) is more
    assert second(more, Finding("pass", borrowed=True), ONE, is_visible=False) == RIGHT
    more_again = replace(LESS, verdict=verdict, earned=2.5)
    assert second(more, more_again, ONE, is_visible=False) is more_again


def test_inputs_of_the_second_time_are_others():
    assert seed_again(b"x" * 32) != b"x" * 32 and len(seed_again(b"x" * 32)) == 32
