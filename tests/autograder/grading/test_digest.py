"""On what a verdict rests: a change of anything else regrades nobody."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from toy_course import RIGHT, source, submission

from autograder import cells, course
from autograder.grading import digest
from autograder.grading.digest import bases_of, code_digests, conditions_of
from autograder.grading.grading import Grading
from autograder.grading.imports import Imports
from autograder.grading.regrade import BESIDE_OTHERS, Due, Regrading, with_outputs
from autograder.grading.restoring import restore
from autograder.grading.stopped import INSTALLED
from autograder.judge.verdict import Finding
from autograder.results.comparing import reasons
from autograder.results.model import Basis, Judged
from autograder.sandbox.limits import Limits

MODULES = {
    "__init__": "EXERCISES = ('double', 'square')\n",
    "double": "from autograder.judge.expect import expect\n",
    "square": "def check():\n    from . import common\n",
    "common": "from autograder.assignments.toy.reference import right\n",
    "reference": "from autograder.assignments.toy import common\nright = 1\n",
    "trials": "seeds = 3\n",
}
BOTH = {"double", "square"}


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A course whose second check imports two modules that import each other, and whose first imports the judge; it
    stands for the whole repository."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    for name, value in (("GRADER", tmp_path / "autograder"), ("STUDENTS_PACKAGE", tmp_path / "fixmelab")):
        monkeypatch.setattr(digest, name, value)
    monkeypatch.setattr(digest, "PARTS", ("judge",))
    for folder in ("source/toy", "autograder/assignments/toy", "autograder/judge", "fixmelab"):
        (tmp_path / folder).mkdir(parents=True)
    for place in ("autograder/judge/expect.py", "fixmelab/probe.py", "autograder/unused.py"):
        (tmp_path / place).touch()
    for name, text in MODULES.items():
        (tmp_path / "autograder/assignments/toy" / f"{name}.py").write_text(text)
    nbformat.write(source(), course.source_path("toy"))
    return tmp_path


def rests_on(handed_in=None, **changed) -> dict[str, Basis]:
    grading = Grading("toy", course.read_source("toy"), b"k" * 32)
    grading = replace(grading, **changed)
    restored = restore(grading.source, handed_in or submission(**RIGHT), assignment="toy")
    return Regrading("now", bases_of(grading, conditions_of(grading)), {}).bases_for(restored)


def changed(before: dict[str, Basis], after: dict[str, Basis]) -> dict[str, list[str]]:
    """Which exercises rest on something else, and on what."""
    return {name: why for name in before if (why := reasons(before[name], after[name]))}


def in_file(path: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        with (root / path).open("a") as file:
            file.write("mended = True\n")

    return change


def in_module(name: str) -> Callable[[Path], None]:
    return in_file(f"autograder/assignments/toy/{name}.py")


def in_source(change: Callable) -> Callable[[Path], None]:
    def rewrite(root: Path) -> None:
        notebook = course.read_source("toy")
        change(notebook.cells)
        nbformat.write(notebook, course.source_path("toy"))

    return rewrite


def text(index: int, old: str, new: str) -> Callable[[Path], None]:
    def change(cells: list) -> None:
        assert old in cells[index].source
        cells[index].source = cells[index].source.replace(old, new)

    return in_source(change)


@pytest.mark.parametrize(
    ("change", "whom", "why"),
    [
        (text(3, "*Write", "*Please write"), set(), ""),
        (in_source(lambda cells: cells.insert(0, new_markdown_cell("A typo."))), set(), ""),
        (in_source(lambda cells: cells[2].metadata.nbgrader.update(points=7)), set(), ""),
        (text(1, "double\n", "double\n# 7 points, about 10 minutes\n"), BOTH, "the source"),  # a line more
        (in_source(lambda cells: cells[0].update(execution_count=3)), set(), ""),
        (in_module("trials"), set(), ""),
        (in_file("autograder/unused.py"), set(), ""),
        (in_file("autograder/judge/expect.py"), BOTH, "the grader"),
        (in_file("fixmelab/probe.py"), BOTH, "the students' package"),
        (in_module("double"), {"double"}, "its check"),
        (in_module("square"), {"square"}, "its check"),
        (in_module("common"), {"square"}, "what checks share"),
        (in_module("reference"), {"square"}, "what checks share"),
        (in_module("__init__"), {"square"}, "what checks share"),
        (in_file("autograder/assignments/toy/table.json"), BOTH, "what checks share"),
        (in_file("autograder/assignments/toy/.double.py.swp"), set(), ""),
        (text(0, "import torch", "import torch, math"), BOTH, "the source"),
        (text(1, "2 * x", "x + x"), BOTH, "the source"),
        (text(4, "x * x", "x**2"), {"square"}, "the source"),
        (text(2, "at 0", "At 0"), BOTH, "the source"),
        (text(5, "at 0", "At 0"), {"square"}, "the source"),
        (in_source(lambda cells: cells.append(new_code_cell("lab.check()"))), {"square"}, "the source"),
        (in_source(lambda cells: cells[0].metadata.update(tags=["keep"])), BOTH, "the source"),
    ],
)
def test_a_change_of_the_course_regrades_what_rests_on_it(toy, change, whom, why):
    before = rests_on()
    change(toy)
    assert changed(before, rests_on()) == {name: [why] for name in whom}


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"key": b"x" * 32}, "the key"),
        ({"budget": "cpu"}, "budget, limits or sandbox"),
        ({"limits": Limits(cell=1)}, "budget, limits or sandbox"),
        ({"sandbox": False}, "budget, limits or sandbox"),
    ],
)
def test_a_change_of_what_all_share_regrades_all(toy, condition, why):
    assert changed(rests_on(), rests_on(**condition)) == dict.fromkeys(BOTH, [why])


def test_the_version_of_each_library_that_answers_may_use_counts():
    text = (Path(digest.STUDENTS_PACKAGE).parent / "pyproject.toml").read_text(encoding="utf-8")
    needed = set(re.findall(r'^    "([\w-]+)>=', text.partition("dependencies = [")[2].partition("]")[0], re.MULTILINE))
    assert {"torch", "tqdm"} < needed <= {*digest.LIBRARIES, "typer"}
    assert set(re.findall(r"\w+", INSTALLED)) - {"and", "fixmelab"} <= set(digest.LIBRARIES)


def test_code_of_the_students_counts_with_the_number_by_which_messages_call_it(toy):
    """As the restored notebook has it, whatever became of it on the way."""
    plain, added, moved = (submission(**RIGHT) for _ in range(3))
    added.cells.insert(4, new_code_cell("x = 1"))
    moved.cells.insert(0, new_markdown_cell("Mine."))
    moved.cells.insert(5, new_code_cell("x = 1"))
    found = [rests_on(notebook) for notebook in (plain, added, moved)]
    assert set(changed(found[0], found[1])) == {"square"}
    assert set(changed(found[1], found[2])) == BOTH  # all cells have another number


def test_the_modules_that_a_check_imports_are_found_in_whatever_form(toy):
    place = toy / "autograder/assignments/toy"
    names = {path.stem for path in Imports(toy).of([place / "square.py"])}
    assert names == {"__init__", "common", "reference"}
    (place / "parts").mkdir()
    (place / "parts/__init__.py").write_text("from ..common import right as wrong\nfrom ... import there_is_none\n")
    (place / "parts/small.py").write_text("import os, autograder.assignments.toy.parts.deep as deep\n")
    (place / "parts/deep.py").write_text("not Python (")
    (place / "double.py").write_text("def check():\n    from .parts import small\n")
    found = {path.relative_to(place).as_posix() for path in Imports(toy).of([place / "double.py"])}
    assert found == {"__init__.py", "parts/__init__.py", "parts/small.py", "parts/deep.py", "common.py", "reference.py"}
    (place / "trials.py").write_text("import autograder.assignments.toy as whole\n")  # and whole.common is at hand
    assert {path.name for path in Imports(toy).of([place / "trials.py"])} >= {"common.py", "square.py", "deep.py"}
    beside = [place / "parts", place / "common.py"]
    assert Imports(toy, beside=beside).of([place / "double.py"]) == {place / "__init__.py"}


def test_points_and_minutes_that_stand_in_code_count_for_nothing():
    """The lines that build writes below anchors, as they stand in all notebooks; and no other comment."""
    for name in course.assignment_names():
        for cell in filter(cells.is_fixme, course.read_source(name).cells):
            other = re.sub(r"# [\d.]+ points?.*", "# 1.5 points, about 2 hours", cell.source)
            assert other != cell.source and cells.without_worth(other) == cells.without_worth(cell.source)
            assert cells.without_worth(other).count("\n") == other.count("\n")
    for code in ("x = 1\n# 2 points", "# exercise: f\n# 2 points of view", "# exercise: f\nprint('# 2 points')"):
        assert cells.without_worth(code) == code


def test_every_check_of_the_course_rests_on_all_that_it_imports():
    """Nothing is imported by a name that is made while it runs."""
    folder = course.ROOT / "autograder/assignments"
    imports = Imports(course.ROOT, beside=[course.ROOT / "autograder" / part for part in digest.PARTS])
    for name in course.assignment_names():
        checks = [path for path in (folder / name).glob("*.py") if path.stem not in course.NO_EXERCISE]
        assert not [path for path in checks if "importlib" in path.read_text() or "__import__" in path.read_text()]
        assert {folder / name / "reference.py", folder / name / "common.py"} <= imports.of(checks), name


NEW = Basis(**dict.fromkeys(Basis.model_fields, "1"))
OLD = NEW.model_copy(update={"check": "0"})


def kept(verdict: str, basis: Basis = NEW) -> Judged:
    return Judged(finding=Finding(verdict), basis=basis, conditions="then")


@pytest.mark.parametrize(
    ("verdicts", "only", "anew"),
    [
        ({"a": kept("pass"), "b": kept("fail")}, None, {}),
        ({"a": kept("pass"), "b": kept("fail", OLD)}, None, {"b": ("its check",)}),
        ({"a": kept("pass")}, None, {"b": ()}),
        # What rests on time and memory, too, is judged as soon as something else is.
        ({"a": kept("timeout"), "b": kept("fail")}, None, {}),
        ({"a": kept("timeout"), "b": kept("fail", OLD)}, None, {"a": (BESIDE_OTHERS,), "b": ("its check",)}),
        ({"a": kept("oom", OLD), "b": kept("crashed", OLD)}, None, {"a": ("its check",), "b": ("its check",)}),
        # Others are passed over, whatever has changed; of nothing no verdict can be kept.
        ({"a": kept("timeout", OLD), "b": kept("fail", OLD)}, {"b"}, {"b": ("its check",)}),
        ({"a": kept("pass", OLD), "b": kept("fail")}, {"b"}, {}),
        ({"b": kept("fail")}, {"b"}, {"a": ()}),
    ],
)
def test_which_verdicts_hold(verdicts, only, anew):
    leans = {"a": frozenset[str](), "b": frozenset[str]()}
    regrading = Regrading("now", {"a": NEW, "b": NEW}, leans, frozenset(only) if only else None)
    holds, found = regrading.parted(verdicts, regrading.bases)
    assert found == anew and holds == {name: verdicts[name] for name in {"a", "b"} - anew.keys()}


def test_a_due_submission_is_the_submission_it_was_made_of(toy):
    from autograder.grading.submissions import Submission

    one = Submission("ada", "ada.ipynb", b"{}", "canvas 1", "2026-11-28", True)
    due = Due.of(one, {"double": kept("pass")}, 0.5)
    assert (due.digest, due.account, due.is_one_of_several, due.seconds) == (one.digest, "canvas 1", True, 0.5)


def test_outputs_are_those_of_the_same_cells(toy):
    before, now = source(), source()
    for number, cell in enumerate(cell for cell in before.cells if cell.cell_type == "code"):
        cell.update(execution_count=number, outputs=[{"output_type": "stream", "name": "stdout", "text": str(number)}])
    now.cells.insert(1, new_markdown_cell("A note."))
    now.cells[5].source = "changed"
    filled = json.loads(with_outputs(json.dumps(now), json.dumps(before)))
    assert [len(cell.get("outputs", ())) for cell in filled["cells"]] == [1, 0, 1, 0, 0, 0, 0]
    assert filled["cells"][2]["outputs"][0]["text"] == "1" and code_digests(now).keys() == BOTH
