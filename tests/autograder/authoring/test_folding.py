"""Asserts are folded to fit a cell, and mean what they meant."""

import ast

import pytest

from autograder.authoring.folding import WIDTH, folded

LONG = "a message that goes on, and on, and says in the end what is wrong with the answer of a student"


@pytest.mark.parametrize(
    "source",
    [
        f'assert answer == 1, "{LONG}"',
        f'for value in (1, 2):\n    assert value, f"{LONG}: {{value!r:>{{width}}}} and {{{{braces}}}} {LONG}"',
        f'x = 1\nassert call(\n    x\n), "{LONG}"\ny = 2',
        f"assert x, '{LONG}, \\'{LONG}\\''",
    ],
)
def test_a_long_message_gets_lines_of_its_own(source):
    made = folded(source)
    assert max(map(len, made.split("\n"))) <= WIDTH < max(map(len, source.split("\n")))
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(source))
    assert folded(made) == made


@pytest.mark.parametrize(
    "source",
    [
        'assert x, "short"',
        f'assert x, message("{LONG}")',
        f'assert {" + ".join(["value"] * 12)} > 0, "{LONG}"',
        f'assert x, "{LONG}"  # and why',
        f'if x: assert y, "{LONG}"',
        f'assert (, "{LONG}"',
    ],
)
def test_what_cannot_be_folded_stays(source):
    assert folded(source) == source
