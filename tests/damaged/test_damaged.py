"""Damaged notebooks are restored: every answer comes to its exercise, and everything else is the source's."""

import copy
from pathlib import Path

import damages
import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from small_notebook import STUB, fixme, other_source, released, small_source, solved

from autograder import cells
from autograder.errors import InputError
from autograder.grading.restoring import Restored, restore
from autograder.grading.source_text import is_untouched

BUILT = sorted((Path(__file__).parents[2] / "source").glob("*/*.ipynb"))


@pytest.fixture(params=[None, *BUILT], ids=lambda path: path.stem if path else "small")
def source(request) -> NotebookNode:
    """The small assignment, and each one of the course."""
    return nbformat.read(request.param, as_version=4) if request.param else small_source()


def essence(text: str) -> list[str]:
    """The words of an answer, without comments, magics and the kind of its spaces."""
    lines = [line for line in text.split("\n") if not line.strip().startswith(("#", "%"))]
    return " ".join(lines).split()


def cell_of(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    (found,) = [cell for cell in notebook.cells if cells.grade_id(cell) == grade_id]
    return found


def added_to(notebook: NotebookNode) -> list[str]:
    """Texts of the cells that the student added."""
    return [cell.source for cell in notebook.cells if not cells.grade_id(cell)]


def assert_sound(source: NotebookNode, restored: Restored) -> None:
    """The source's cells stand in its order, and restoring the result again mends nothing."""
    nbformat.validate(restored.notebook)
    kept = [cell for cell in restored.notebook.cells if cells.grade_id(cell)]
    assert [cell.metadata for cell in kept] == [cell.metadata for cell in source.cells]
    for cell, original in zip(kept, source.cells, strict=True):
        assert cell.cell_type == original.cell_type
        if not cells.is_answer(original):
            assert cell.source == original.source
    again = restore(source, restored.notebook)
    assert again.repairs == []
    assert again.notebook == restored.notebook


def assert_answered(source: NotebookNode, submission: NotebookNode, restored: Restored) -> None:
    """Each answer of the submission stands in its exercise."""
    for cell in filter(cells.is_answer, source.cells):
        name = cells.grade_id(cell)
        assert essence(cell_of(restored.notebook, name).source) == essence(cell_of(submission, name).source), name
        assert not is_untouched(cell, cell_of(restored.notebook, name))


def whats(restored: Restored, exercise: str | None) -> list[str]:
    return [repair.what for repair in restored.repairs if repair.exercise == exercise]


@pytest.mark.parametrize("damage", damages.KEEPING, ids=lambda damage: damage.__name__)
def test_no_answer_is_lost(source, damage):
    submission = solved(source)
    damaged = damage(submission)
    before = copy.deepcopy((source, damaged))
    restored = restore(source, damaged)
    assert (source, damaged) == before
    assert_answered(source, submission, restored)
    assert_sound(source, restored)
    assert (restored.repairs == []) == (damage in damages.HARMLESS)


@pytest.mark.parametrize("below", [False, True])
def test_of_a_stub_and_an_edited_copy_the_edited_one_counts(source, below):
    submission = solved(source)
    restored = restore(source, damages.with_stubs(submission, source, below=below))
    assert_answered(source, submission, restored)
    assert_sound(source, restored)
    assert added_to(restored.notebook) == []
    assert {repair.what for repair in restored.repairs} == {"2 copies of this cell; the edited one was taken"}


def test_an_undamaged_submission_needs_no_repair(source):
    for submission in (released(source), solved(source)):
        restored = restore(source, submission)
        assert restored.repairs == []
        assert_sound(source, restored)


def test_the_untouched_release_is_untouched(source):
    restored = restore(source, released(source))
    assert all(
        is_untouched(cell, cell_of(restored.notebook, cells.grade_id(cell)))
        for cell in source.cells
        if cells.is_answer(cell)
    )


def test_outputs_stay_where_grading_does_not_run_the_cell(source):
    submission = solved(source)
    for damaged in (submission, damages.metadata_stripped(submission), damages.cells_doubled(submission)):
        restored = restore(source, damaged).notebook
        for cell in filter(lambda cell: cell.cell_type == "code", restored.cells):
            run = cell_of(submission, cells.grade_id(cell))
            expected = [] if cells.is_executed_in_grading(cell) else run.outputs
            assert cell.outputs == expected


def test_how_a_cell_was_found_is_noted():
    source, submission = small_source(), solved(small_source())
    found = {}
    for damage in (
        damages.metadata_stripped,
        damages.ids_swapped,
        damages.anchors_removed_and_stripped,
        damages.turned_raw,
    ):
        repairs = restore(source, damage(submission), assignment="small").repairs
        found[damage.__name__] = [(r.how, r.confidence) for r in repairs if r.exercise == "small.mean_of"]
    assert found == {
        "metadata_stripped": [("anchor", 1.0)],
        "ids_swapped": [("anchor", 1.0)],
        "anchors_removed_and_stripped": [("name", 0.9)],
        "turned_raw": [("id", 1.0), ("source", 1.0)],  # the second one is on its tests
    }


def test_an_answer_without_any_name_is_found_by_its_likeness():
    source = small_source()
    submission = damages.anchors_removed_and_stripped(solved(source))
    mean = next(cell for cell in submission.cells if "def mean_of" in cell.source)
    mean.source = mean.source.replace("def mean_of", "def average")
    restored = restore(source, submission)
    assert cell_of(restored.notebook, "mean_of").source == mean.source
    (repair,) = [repair for repair in restored.repairs if repair.exercise == "mean_of"]
    assert repair.how == "similarity" and 0.6 <= repair.confidence < 1
    assert_sound(source, restored)


def test_a_deleted_answer_is_the_stub_again(source):
    submission = solved(source)
    gone = damages.fixmes(submission)[0]
    submission.cells.remove(gone)
    restored = restore(source, submission)
    name = cells.grade_id(gone)
    assert cell_of(restored.notebook, name).source == cell_of(released(source), name).source
    assert whats(restored, cells.anchors(gone)[0]) == ["no answer was found; the empty cell was put in"]
    assert_sound(source, restored)


def test_of_two_edited_copies_the_last_counts():
    source, submission = small_source(), solved(small_source())
    for name in ("mean_of", "why_mean"):
        cell = cell_of(submission, name)
        later = copy.deepcopy(cell)
        later.source += "\n# once more"
        submission.cells.append(later)
    restored = restore(source, submission)
    for name in ("mean_of", "why_mean"):
        assert cell_of(restored.notebook, name).source.endswith("# once more")
        assert whats(restored, name) == ["2 copies of this cell; the last edited one was taken"]
    assert added_to(restored.notebook) == []
    assert_sound(source, restored)


def test_parts_of_a_written_answer_are_joined():
    source, submission = small_source(), solved(small_source())
    cell = cell_of(submission, "why_mean")
    part = copy.deepcopy(cell)
    part.source = "Second, extreme values are squared in the variance as well."
    submission.cells.insert(submission.cells.index(cell) + 1, part)
    restored = restore(source, submission)
    assert cell_of(restored.notebook, "why_mean").source == f"{cell.source}\n\n{part.source}"
    assert_sound(source, restored)


@pytest.mark.parametrize("stripped", [False, True])
def test_an_answer_below_its_question_is_found_with_its_pictures(stripped):
    source, submission = small_source(), released(small_source())
    at = submission.cells.index(cell_of(submission, "why_mean"))
    picture = {"image.png": {"image/png": "aGk="}}
    text = nbformat.v4.new_markdown_cell("See ![image.png](attachment:image.png)", attachments=picture)
    submission.cells.insert(at + 1, text)
    restored = restore(source, damages.metadata_stripped(submission) if stripped else submission)
    answer = cell_of(restored.notebook, "why_mean")
    assert answer.source == text.source
    assert answer.attachments == picture
    assert "the answer was found below its question" in whats(restored, "why_mean")
    assert cell_of(restored.notebook, "limits").source == STUB
    assert_sound(source, restored)


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("helper_above", [False, True])
def test_an_answer_split_into_two_cells_runs_in_the_student_s_order(stripped, helper_above):
    source, submission = small_source(), solved(small_source())
    cell = cell_of(submission, "mean_of")
    helper = copy.deepcopy(cell)  # splitting a cell copies its metadata
    helper.source = "def add_up(x):\n    return sum(x)"
    cell.source = cell.source.replace("sum(x)", "add_up(x)")
    submission.cells.insert(submission.cells.index(cell) + (not helper_above), helper)
    restored = restore(source, damages.metadata_stripped(submission) if stripped else submission)
    order = [c.source for c in restored.notebook.cells]
    mean, tests = order.index(cell.source), order.index(cell_of(source, "test_mean_of").source)
    assert order.index(helper.source) == (mean - 1 if helper_above else mean + 1)
    assert mean < tests and order.index(helper.source) < tests
    assert_sound(source, restored)


def test_an_anchor_above_a_helper_does_not_hide_the_answer():
    source, submission = small_source(), solved(small_source())
    cell = cell_of(submission, "mean_of")
    below = copy.deepcopy(cell)
    below.source = cell.source.replace("# exercise: mean_of\n", "").replace("sum(x)", "add_up(x)")
    cell.source = "# exercise: mean_of\ndef add_up(x):\n    return sum(x)"
    submission.cells.insert(submission.cells.index(cell) + 1, below)
    restored = restore(source, submission)
    order = [c.source for c in restored.notebook.cells]
    assert order.index(cell.source) < order.index(below.source) < order.index(cell_of(source, "test_mean_of").source)
    assert_sound(source, restored)


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("anchored", [False, True])
def test_two_answers_in_one_cell_serve_both_and_run_once(stripped, anchored):
    source, submission = small_source(), solved(small_source())
    first, second = cell_of(submission, "mean_of"), cell_of(submission, "scale_by")
    first.source += "\n\n" + second.source
    if not anchored:
        first.source = first.source.replace("# exercise: scale_by\n", "")
    submission.cells.remove(second)
    restored = restore(source, damages.metadata_stripped(submission) if stripped else submission)
    assert cell_of(restored.notebook, "mean_of").source == first.source
    pointer = cell_of(restored.notebook, "scale_by")
    assert all(line.startswith("#") for line in pointer.source.split("\n"))
    assert not is_untouched(cell_of(source, "scale_by"), pointer)
    assert "the answer stood in one cell with that of mean_of" in whats(restored, "scale_by")
    assert sum("def scale_by" in cell.source for cell in restored.notebook.cells) == 1
    assert_sound(source, restored)


def test_an_answer_written_into_another_cell_wins_over_its_stub():
    source, submission = small_source(), released(small_source())
    answer = new_code_cell("def mean_of(x):\n    return sum(x) / len(x)")
    submission.cells.append(answer)
    restored = restore(source, submission)
    assert cell_of(restored.notebook, "mean_of").source == answer.source
    assert added_to(restored.notebook) == []
    assert_sound(source, restored)


def test_tests_are_the_source_s_whatever_the_student_made_of_them():
    source, submission = small_source(), solved(small_source())
    for damage, what in [
        (damages.tests_edited, "edited"),
        (damages.tests_deleted, "missing"),
        (damages.cells_doubled, "copied"),
    ]:
        restored = restore(source, damage(submission))
        assert f"tests {what}; the source's stand" in whats(restored, "mean_of")
        assert cell_of(restored.notebook, "test_mean_of") == cell_of(source, "test_mean_of")


def test_what_a_locked_cell_lent_to_the_answers_is_kept():
    source, submission = small_source(), solved(small_source())
    setup = next(cell for cell in submission.cells if cell.source.startswith("import math"))
    setup.source = (
        "import statistics\n" + setup.source + "\n\n@staticmethod\ndef helper(x):\n    return x\n\nNUMBERS = []"
    )
    restored = restore(source, submission)
    order = [cell.source for cell in restored.notebook.cells]
    assert added_to(restored.notebook) == ["import statistics\n@staticmethod\ndef helper(x):\n    return x"]
    assert order.index(added_to(restored.notebook)[0]) == order.index(cell_of(source, "cell-0002").source) + 1
    assert_sound(source, restored)


def test_added_cells_stay_where_they_were_and_count_for_nothing():
    source, submission = small_source(), solved(small_source())
    planted = new_code_cell("print('hello')")
    planted.metadata["nbgrader"] = {"grade": True, "points": 100, "grade_id": "test_planted", "solution": False}
    planted.outputs = [nbformat.v4.new_output("stream", text="hello")]
    submission.cells.insert(0, nbformat.v4.new_markdown_cell("My name is above."))
    submission.cells.insert(3, planted)
    submission.cells.append(new_code_cell("print('the end')"))
    restored = restore(source, submission).notebook
    texts = [cell.source for cell in restored.cells]
    assert [texts.index(text) for text in added_to(restored)] == [0, 3, len(texts) - 1]
    assert restored.cells[3].metadata == {} and restored.cells[3].outputs == []


def test_a_helper_comes_before_its_use_whatever_the_order():
    source, submission = small_source(), solved(small_source())
    mean, scale = cell_of(submission, "mean_of"), cell_of(submission, "scale_by")
    helper = new_code_cell("def add_up(x):\n    return sum(x)")
    mean.source = mean.source.replace("sum(x)", "add_up(x)")
    rest = [cell for cell in submission.cells if cell not in (mean, scale)]
    submission.cells = [*rest, scale, helper, mean]  # done last, and out of order
    texts = [cell.source for cell in restore(source, submission).notebook.cells]
    assert texts.index(helper.source) < texts.index(mean.source)


@pytest.mark.parametrize("stripped", [False, True])
def test_a_near_copy_of_a_locked_cell_is_that_cell(stripped):
    source, submission = small_source(), solved(small_source())
    setup = next(cell for cell in submission.cells if cell.source.startswith("import math"))
    near = new_code_cell(setup.source.replace("seed(0)", "seed(1)"))
    own = new_code_cell(setup.source.replace("NUMBERS", "MINE"))  # defines a name of its own
    submission.cells += [near, own]
    restored = restore(source, damages.metadata_stripped(submission) if stripped else submission)
    assert added_to(restored.notebook) == [own.source]
    assert_sound(source, restored)


def test_a_notebook_of_another_assignment_is_refused():
    source, other = small_source(), other_source()
    submission = solved(other)
    submission.cells = [cell for cell in submission.cells if "mean" not in cell.source]
    with pytest.raises(InputError, match="^ada.ipynb is not a notebook of small: none of its 7 exercises is in it"):
        restore(source, submission, assignment="small", where="ada.ipynb")
    with pytest.raises(InputError, match="none of its 7 exercises is in it; it belongs to other$"):
        restore(source, submission, assignment="small", where="ada.ipynb", others={"other": other})


def test_a_shared_name_does_not_make_it_a_notebook_of_this_assignment():
    source, other = small_source(), other_source()
    with pytest.raises(InputError, match="only 1 of its 7 exercises are in it; it belongs to other$"):
        restore(source, solved(other), assignment="small", others={"other": other, "small": source})
    few = solved(source)
    few.cells = [cell for cell in few.cells if "mean_of" in cell.source]
    restored = restore(source, few, assignment="small", others={"other": other})
    assert_sound(source, restored)


def test_a_notebook_without_cells_is_refused():
    with pytest.raises(InputError, match="none of its 7 exercises"):
        restore(small_source(), nbformat.v4.new_notebook())


def test_two_exercises_may_define_the_same_name():
    source = small_source()
    again = "# exercise: mean_again\ndef mean_of(x):\n    ### BEGIN SOLUTION\n    return 0\n    ### END SOLUTION"
    source.cells.append(fixme(again))
    submission = solved(source)
    cell_of(submission, "mean_of").source = cell_of(released(source), "mean_of").source
    restored = restore(source, submission)
    assert restored.repairs == []
    assert is_untouched(cell_of(source, "mean_of"), cell_of(restored.notebook, "mean_of"))
    assert_sound(source, restored)


def _doubled(notebook: NotebookNode, at: int, to: int) -> None:
    notebook.cells.insert(to % (len(notebook.cells) + 1), copy.deepcopy(notebook.cells[at % len(notebook.cells)]))


def _stripped(notebook: NotebookNode, at: int, to: int) -> None:
    notebook.cells[at % len(notebook.cells)].metadata = NotebookNode()


def _moved(notebook: NotebookNode, at: int, to: int) -> None:
    cell = notebook.cells.pop(at % len(notebook.cells))
    notebook.cells.insert(to % (len(notebook.cells) + 1), cell)


def _retyped(notebook: NotebookNode, at: int, to: int) -> None:
    damages.retype(notebook.cells[at % len(notebook.cells)], ("code", "markdown", "raw")[to % 3])


def _deleted(notebook: NotebookNode, at: int, to: int) -> None:
    if len(notebook.cells) > 1:
        notebook.cells.pop(at % len(notebook.cells))


STEP = st.tuples(
    st.sampled_from([_doubled, _stripped, _moved, _retyped, _deleted]),
    st.integers(0, 60),
    st.integers(0, 60),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(steps=st.lists(STEP, max_size=25))
def test_whatever_happened_each_answer_that_is_left_counts_once(steps):
    source, submission = small_source(), solved(small_source())
    submission.cells.insert(4, new_code_cell("def helper(x):\n    return x + 1"))
    answers = {cells.grade_id(cell): cell.source for cell in submission.cells if cells.is_fixme(cell)}
    for change, at, to in steps:
        change(submission, at, to)
    left = [cell.source for cell in submission.cells]
    try:
        restored = restore(source, submission)
    except InputError:
        assert not set(answers.values()) & set(left)
        return
    texts = [cell.source for cell in restored.notebook.cells]
    for name, answer in answers.items():
        assert texts.count(answer) == (answer in left)
        assert (cell_of(restored.notebook, name).source == answer) == (answer in left)
    assert texts.count("def helper(x):\n    return x + 1") == left.count("def helper(x):\n    return x + 1")
    assert_sound(source, restored)
