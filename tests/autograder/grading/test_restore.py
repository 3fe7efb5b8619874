"""What the text of a cell says, which restoring and grading go by."""

import pytest
from nbformat import NotebookNode

from autograder.grading.source_text import is_untouched, release_text
from fixmelab.restoring.cell_text import (
    DEFINITIONS,
    IMPORTS,
    MAX_PARSED,
    SETTINGS,
    additions,
    parsed,
    syntax_of,
    tidy,
    with_plain_spaces,
    without_fence,
)
from fixmelab.restoring.likeness import similarity, tokens

TWO = """# exercise: push
class Store:
    def push(self, item):
        ### BEGIN SOLUTION
        self.items.append(item)
        ### END SOLUTION

    # exercise: total
    def total(self):
        start = 0
        ### BEGIN SOLUTION
        return sum(self.items, start)
        ### END SOLUTION
        return start"""

RELEASED = """# exercise: push
class Store:
    def push(self, item):
        raise NotImplementedError("FIXME: push")

    # exercise: total
    def total(self):
        start = 0
        raise NotImplementedError("FIXME: total")
        return start"""


def code(text: str) -> NotebookNode:
    return NotebookNode(cell_type="code", metadata={"nbgrader": {"grade_id": "x", "solution": True}}, source=text)


def markdown(text: str) -> NotebookNode:
    return NotebookNode(code(text), cell_type="markdown")


def test_the_release_has_no_solution_hidden_test_or_mark_scheme():
    assert release_text(code(TWO)) == RELEASED
    hidden = "assert f(1) == 1\n### BEGIN HIDDEN TESTS\ncheck('x', f)\n### END HIDDEN TESTS"
    assert release_text(code(hidden)) == "assert f(1) == 1"
    scheme = "Why?\n\n### BEGIN MARK SCHEME\nBecause.\n### END MARK SCHEME\nSay it briefly."
    assert release_text(markdown(scheme)) == "Why?\n\nSay it briefly."


def answered(*exercises: str) -> str:
    text = RELEASED
    for name in exercises:
        text = text.replace(f'raise NotImplementedError("FIXME: {name}")', "return self.items")
    return text


@pytest.mark.parametrize(
    ("text", "untouched"),
    [
        (RELEASED, {"push", "total"}),
        (RELEASED.replace("\n", "\r\n") + "\n\n", {"push", "total"}),
        ("", {"push", "total"}),
        ("# nothing yet", {"push", "total"}),
        (answered("push"), {"total"}),
        (answered("total"), {"push"}),
        (answered("push", "total"), set()),
        (RELEASED.replace("start = 0", "start = 0\n        more = self.items"), {"push", "total"}),
        (RELEASED.replace("start = 0", "return 0"), {"push"}),  # the FIXME was left below the answer
        (RELEASED.replace("start = 0", "if 1:\n            return 0"), {"push"}),
        (RELEASED.replace("start = 0", "def f():\n            return 0"), {"push", "total"}),
        (RELEASED.replace("raise Not", "# raise Not").replace("start = 0", "pass"), set()),
        (RELEASED.replace("start = 0", "start = ("), set()),  # not Python: that is for the kernel to say
        ("%%time\n" + RELEASED, {"push", "total"}),
    ],
)
def test_a_fixme_is_untouched_while_it_raises(text, untouched):
    source = code(TWO)
    text = text if "# raise" not in text else text.replace("item):\n", "item):\n        pass\n")
    assert {name for name in ("push", "total") if is_untouched(source, code(text), name)} == untouched
    assert is_untouched(source, code(text)) == (untouched == {"push", "total"})


@pytest.mark.parametrize(
    ("text", "untouched"),
    [
        ("*Write your answer here.*", True),
        ("  *Write  your answer here.*\n", True),
        ("", True),
        (" \n\u00a0", True),
        ("*Write your answer here.*\n\nIt depends.", False),
        ("1", False),
    ],
)
def test_a_written_answer_is_untouched_while_it_is_the_stub(text, untouched):
    assert is_untouched(markdown("*Write your answer here.*"), markdown(text)) == untouched


def test_names():
    text = (
        "import a.b, c as d\nfrom e import f\nasync def g(): pass\nclass H: i = 1\nj, (k, *l) = m\nn: int = 1\no += 1"
    )
    assert syntax_of(text).names.functions == {"g", "H"}
    assert syntax_of(text).names.others == {"a", "d", "f", "j", "k", "l", "n"}


def test_names_where_the_text_is_not_python():
    text = "import a\ndef f(x:\nclass G:\nh = 1\nif i == 1:\n    j = 2\nk: int = (\n%%time"
    assert syntax_of(text).names.functions == {"f", "G"}
    assert syntax_of(text).names.others == {"h", "k"}


def test_magics_do_not_hide_the_code():
    text = "%%time\n!pip install x\nif True:\n    %matplotlib inline\ndef f(): pass"
    assert syntax_of(text).names.functions == {"f"}
    assert parsed("7 \\\n% 4") is not None  # no magic, but a remainder


@pytest.mark.parametrize(
    "text", ["-" * 9_000 + "1", "1" + "+1" * 4_500, "a" + ".b" * 4_500, "(" * 5_000, "\0", "x" * (MAX_PARSED + 1)]
)
def test_hostile_text_is_only_no_python(text):
    parsed(text)
    assert syntax_of(text + "\ndef f(): return (").names.functions == {"f"}
    assert not is_untouched(code(TWO), code(text))


def test_additions_are_what_binds_names_of_one_s_own():
    known, own = frozenset({"a", "c", "f"}), frozenset({"c"})
    text = "import a, b\nimport c\n\n@d\ndef e():\n    return 1\n\nf = 2\ng = h = 3\nclass G:\n    pass\nprint(f)\n"
    text += "try:\n    import k\nexcept ImportError:\n    f = k = None\nif f:\n    m = 4\nfor n in ():\n    pass"
    everything = additions(text, known, own, IMPORTS + DEFINITIONS + SETTINGS)
    assert everything == "import a, b\n@d\ndef e():\n    return 1\ng = h = 3\nclass G:\n    pass\nif f:\n    m = 4"
    assert additions(text, known, own, IMPORTS) == "import a, b"
    assert additions("import a\n(", known, own, IMPORTS) == ""


def test_similarity_goes_by_words():
    one = tokens("def f(x):\n    return x + 1")
    assert similarity(one, tokens("def f( x ):  return x+1"), 0.0) == 1.0
    assert similarity(one, tokens("def g(x):\n    return x + 1"), 0.0) == pytest.approx(9 / 10)
    assert similarity(one, tokens("def g(x):\n    return x + 1"), 0.95) == 0.0
    assert similarity([], [], 0.0) == 0.0


def test_spaces():
    assert tidy("\n a \u00a0b \r\nc\u200b\r") == " a  b\nc"
    assert with_plain_spaces("x\u00a0= 1") == "x = 1"
    assert with_plain_spaces("x = 'a\u00a0b'") == "x = 'a\u00a0b'"  # it is Python as it stands
    assert with_plain_spaces("x\u00a0= (") == "x\u00a0= ("


def test_fences():
    assert without_fence("```python\nx = 1\n```\n") == "x = 1"
    assert without_fence("So:\n```\nx = 1\n```") == "So:\n```\nx = 1\n```"
