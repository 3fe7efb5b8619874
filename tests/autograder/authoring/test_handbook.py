"""docs/authoring.md has all that checks can call, with examples that are Python."""

import ast
import inspect
import re

import pytest

from autograder import course
from autograder.authoring.handbook import HIDDEN, PAGE, handbook
from autograder.errors import InputError
from autograder.judge.draw import Draw
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@pytest.fixture(scope="module")
def page() -> str:
    return handbook(course.ROOT)


@pytest.mark.parametrize(("kind", "called"), [(Draw, "draw"), (expect, "expect(…)"), (Remote, "student")])
def test_every_method_has_its_place(page, kind, called):
    names = [name for name, _ in inspect.getmembers(kind) if not name.startswith("_") and name not in HIDDEN]
    assert len(names) > 3
    assert [name for name in names if f"### `{called}.{name}" not in page] == []


def test_examples_are_lines_of_checks(page):
    examples = re.findall(r"```python\n(.*?)\n```", page)
    assert len(examples) > 20
    checks = "".join(path.read_text() for path in (course.ROOT / "autograder").rglob("*.py"))
    for example in examples:
        ast.parse(example if not example.startswith("return") else f"def f():\n    {example}")
        assert example in checks


def test_the_page_is_what_build_would_write(page):
    assert (course.ROOT / PAGE).read_text(encoding="utf-8") == page


def test_a_method_without_a_docstring_is_one_line(tmp_path):
    for name in ("judge", "assignments/vae"):
        (tmp_path / "autograder" / name).mkdir(parents=True)
    for name in ("devices", "drawing", "draw"):
        (tmp_path / "autograder" / "judge" / f"{name}.py").write_text("")
    (tmp_path / "autograder" / "judge" / "draw.py").write_text('class Draw:\n    """D."""\n    def four(self): ...\n')
    with pytest.raises(InputError, match="autograder/judge: four has no docstring"):
        handbook(tmp_path)
