"""What students are told: safe text, and hints read from their code."""

import pytest
from nbformat import NotebookNode

from autograder.grading import messages
from autograder.grading.findings import Findings
from autograder.grading.stopped import Stopped
from autograder.judge import uses
from autograder.judge.verdict import Finding
from autograder.sandbox.kernel import CellError, Ending
from autograder.sandbox.limits import Limits


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x00b\rc\x9bd", "a b c d"),
        ("left\u202eright\ud800", "left right"),
        ("<f at 0x7f3a12345678>", "<f at 0x…>"),
        ("two\nlines ", "two\nlines"),
        ("x" * 900, "x" * 499 + "…"),
    ],
)
def test_text_of_a_kernel_is_made_safe(raw, shown):
    assert messages.clean(raw) == shown


def test_cleaning_a_huge_text_is_quick():
    assert len(messages.clean("\x1b" * 50_000_000)) < 501


def test_frames_of_cells_are_found_in_a_coloured_traceback():
    traceback = "\x1b[36mCell\x1b[39m \x1b[32mIn[4]\x1b[39m\x1b[32m, line 1\x1b[39m\n\nFile /x/y.py:3, in f\n"
    traceback += "Cell In[2], line 12, in g"
    assert messages.frames(CellError("E", "", traceback)) == [(4, 1), (2, 12)]


def test_an_error_is_told_with_its_place_and_without_temporary_files():
    error = CellError("SyntaxError", "invalid syntax (1234567.py, line 3)", "")
    assert messages.raised(error, "line 3 of the cell f") == "SyntaxError: invalid syntax (line 3 of the cell f)"
    assert messages.raised(CellError("ValueError", "", "")) == "ValueError"


@pytest.mark.parametrize(
    ("name", "text", "exercise"),
    [
        ("NotImplementedError", "FIXME: gaussian_kl", "gaussian_kl"),
        ("NotImplementedError", "later", None),
        ("ValueError", "FIXME: gaussian_kl", None),
    ],
)
def test_a_fixme_is_known_by_its_error(name, text, exercise):
    assert messages.unfilled_name(CellError(name, text, "")) == exercise


TWO = """# exercise: encode
class VAE:
    def encode(self, x):
        return split(x)

    # exercise: forward
    def forward(self, x):
        mu = self.encode(x)
        return reparameterize(mu)
"""


def test_identifiers_are_those_of_the_exercises_own_lines():
    assert uses.identifiers(TWO, "encode") >= {"split"}
    assert not uses.identifiers(TWO, "encode") & {"reparameterize", "forward"}
    assert uses.identifiers(TWO, "forward") >= {"encode", "reparameterize"}
    assert "split" not in uses.identifiers(TWO, "forward")
    assert uses.identifiers("def f(x:", "f") == set()
    assert uses.identifiers("def f(g, x):\n    return g(h(x))", "f") == {"h"}  # g is whatever is handed in


def test_the_hint_names_the_first_exercise_that_is_not_right():
    verdicts = {"a": "pass", "b": "fail", "c": "missing"}
    assert messages.leans_on({"a", "b", "c"}, verdicts) == "It uses b, which has not passed; mend that first."
    assert messages.leans_on({"c"}, verdicts) == "It uses c, which is not filled in yet; do that first."
    assert messages.leans_on({"a", "x"}, verdicts) == ""


def test_variables_are_those_that_a_cell_sets_at_its_top():
    assert messages.variables("a, b = 1, 2\nfor c in range(3):\n    d = c\ndef f():\n    e = 1") == {"a", "b", "c", "d"}
    assert messages.variables("a = (") == set()


def test_what_an_answer_sets_itself_is_no_stray():
    source = "def f(x, *, a=1):\n    b = [c for c in x]\n    return a * b * len(x) * table"
    used = uses.identifiers(source, "f")
    assert messages.strays_to(source, used, {"a", "b", "c", "x"}) == ""
    assert messages.strays_to(source, used, {"a", "table"}).startswith("It reads table, ")


def test_a_traceback_with_an_endless_line_number_is_read():
    forged = CellError("E", "x", f"Cell In[1], line {'9' * 5000}\nCell In[{'1' * 5000}], line 2")
    assert all(0 <= line < 10**9 for _, line in messages.frames(forged))


@pytest.mark.parametrize("line", [0, 1, 2, 3, 10**5])
def test_a_line_that_a_kernel_makes_up_is_no_line_of_a_cell(line):
    stopped = Stopped()
    stopped.note("cell 7", "x = y\nz = x", (CellError("ValueError", "wrong", "", line),))
    why = stopped.why("NameError: name 'x' is not defined")
    assert why == ("" if line == 2 else f"Cell 7 stopped{' at `x = y`' if line == 1 else ''}: ValueError: wrong")


def test_a_kernel_that_waits_for_the_judge_does_not_change_what_it_found():
    cell = NotebookNode(
        cell_type="code", source="", metadata={"nbgrader": {"grade_id": "test_f", "grade": True, "points": 1}}
    )
    notebook = NotebookNode(cells=[cell])
    findings = Findings(notebook, notebook, Limits(), {}, {})
    idle = Ending("timeout", reason="idle")
    wrong, unread = Finding("fail", "Its numbers are wrong."), Finding("error", "Its answer could not be read.")
    assert findings.decide(0, idle, wrong) == wrong
    full = Ending("oom", reason="memory")
    for ending, judged in ((idle, None), (idle, unread), (idle, Finding("pass")), (full, wrong)):
        assert findings.decide(0, ending, judged).verdict == ending.how
