"""Visible tests speak in one line in a shell that is watched, and are plain asserts in every other."""

import json
import subprocess
import sys

import pytest

CELLS = [
    "x = 1 / 0",
    "# exercise: half\n# 2 points\ndef half(x):\n    raise NotImplementedError('FIXME: half')",
    "# tests: half\nassert half(2) == 1, 'half of 2 is 1'\nassert half(-4) == -2, 'the sign stays'",
    "half(3)",
    "# exercise: half\ndef half(x):\n    return abs(x) / 2",
    "# tests: half\nassert half(2) == 1, 'half of 2 is 1'\nassert half(-4) == -2, 'the sign stays'",
    "# exercise: half\ndef half(x):\n    return x.half()",
    "# tests: half\nassert half(2) == 1, 'half of 2 is 1'\nassert half(-4) == -2, 'the sign stays'",
    "# exercise: half\ndef half(x):\n    return x / 2",
    "# tests: half\nassert half(2) == 1, 'half of 2 is 1'\nassert half(-4) == -2, 'the sign stays'",
    "# tests: quarter\nassert quarter(4) == 1, 'a quarter of 4 is 1'",
    "# tests: half\nassert half(5) == 3",
    "# tests: half\nassert half(5) == 3, '" + "a long sentence, " * 12 + "'",
    "# tests: third\nraise RuntimeError('Found no NVIDIA driver on your system')",
]
RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
told = []
shell._showtraceback = lambda kind, error, lines: told.append([kind.__name__, str(error), "\\n".join(lines)])
if sys.argv[1] == "watched":
    from fixmelab.visible_tests import remembered, speak
    assert speak() is speak()
shown = []
for cell in json.loads(sys.stdin.read()):
    told.clear()
    with capture_output() as out:
        done = shell.run_cell(cell, store_history=True)
    texts = [item.data["text/plain"] for item in out.outputs]
    marks = [item.metadata for item in out.outputs if item.metadata]
    shown.append({"ok": done.success, "told": list(told), "texts": texts, "marks": marks})
if sys.argv[1] == "watched":
    shown.append({name: [one.answer, one.wrong] for name, one in remembered().outcomes.items()})
print(json.dumps(shown))
"""


def run(how: str) -> list:
    done = subprocess.run(
        [sys.executable, "-c", RUN, how], input=json.dumps(CELLS), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def watched() -> list:
    return run("watched")


def line(one: dict) -> str:
    """The one text that a cell showed, error or not."""
    return (one["texts"] or [one["told"][0][2]])[0]


def test_each_answer_gets_one_line(watched):
    assert "ZeroDivisionError" in line(watched[0]) and "Traceback" in line(watched[0])  # no test: as ever
    assert line(watched[2]) == line(watched[3]) == "✗ half: still open: fill in its cell, and run it"
    assert line(watched[5]) == "✗ half: the sign stays"
    assert line(watched[7]).startswith("✗ half: AttributeError: 'int' object has no attribute 'half' (your line 3:")
    assert line(watched[9]) == "✓ half: 2 visible tests"
    assert line(watched[10]).startswith("✗ quarter: name 'quarter' is not defined: run the cells above this one first")
    assert line(watched[11]) == "✗ half: this does not hold: assert half(5) == 3"
    lines = line(watched[12]).split("\n")
    assert len(lines) == 3 and max(map(len, lines)) <= 90
    assert line(watched[13]).startswith(
        "✗ third: It is graded without a GPU: use the device of the arguments, and CUDA"
    )


def test_a_cell_fails_as_before_and_nbgrader_finds_the_error(watched):
    for number in (2, 3, 5, 7, 10, 11, 12):
        assert not watched[number]["ok"] and len(watched[number]["told"]) == 1 and not watched[number]["texts"]
    assert watched[5]["told"][0][:2] == ["AssertionError", "the sign stays"]
    assert watched[9]["ok"] and watched[9]["told"] == []


def test_what_passed_is_remembered_with_the_answer_that_did(watched):
    ((mark,), last) = watched[9]["marks"], watched[-1]
    assert len(mark["fixmelab"]["answer"]) == 16
    assert last["half"][1].startswith("a long sentence") and last["half"][0] == mark["fixmelab"]["answer"]
    assert last["quarter"][0] == ""


def test_where_nobody_watches_asserts_work_as_asserts_do():
    alone = run("alone")
    assert [one["ok"] for one in alone] == [
        False,
        True,
        False,
        False,
        True,
        False,
        True,
        False,
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert alone[9]["texts"] == []
    assert alone[5]["told"][0][:2] == ["AssertionError", "the sign stays"] and "Traceback" in line(alone[5])
