"""The notebooks that people grade: what is in them, what is not, and that they are placed all or none."""

import nbformat
import pytest
from fabricated_results import BLACK, GREY
from nbformat import v4
from nbgrader.utils import determine_grade

from autograder import cells, course
from autograder.gradebook import safe
from autograder.gradebook.layout import Placing, laid_out, works
from autograder.gradebook.structure import without_solutions


@pytest.fixture(scope="module")
def saved() -> nbformat.NotebookNode:
    return without_solutions(course.read_source("vae"))


def test_the_laid_out_notebook_is_valid_and_holds_every_cell_of_the_assignment(saved):
    executed = course.read_source("vae")
    for cell in executed.cells:
        if cells.is_tests(cell):
            cell.outputs = [v4.new_output("error", ename="fail", evalue="no", traceback=["fail: no"])]
    executed.cells.insert(2, v4.new_code_cell("x = 1", outputs=[v4.new_output("execute_result", {"text/plain": "99"})]))
    notebook = laid_out(executed, saved, rubrics=True)
    nbformat.validate(notebook)
    assert [cell.metadata for cell in notebook.cells if cells.grade_id(cell)] == [c.metadata for c in saved.cells]
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "HIDDEN TESTS" not in text and "check(" not in text and "### BEGIN MARK SCHEME" in text
    assert "MARK SCHEME" not in "\n".join(c.source for c in laid_out(executed, saved, rubrics=False).cells)
    # nbgrader itself reads the same points out of what the test cells show.
    assert {determine_grade(cell)[0] for cell in notebook.cells if cells.is_tests(cell)} == {0}
    added = notebook.cells[2]
    assert (added.source, added.metadata, added.outputs[0].output_type) == ("x = 1", {}, "display_data")


def test_a_cell_that_takes_the_id_of_another_has_no_say(saved):
    executed = course.read_source("vae")
    forged = v4.new_code_cell("forged", metadata={"nbgrader": {"grade_id": "test_encode", "grade": True, "points": 99}})
    notebook = laid_out(nbformat.from_dict(dict(executed, cells=[*executed.cells, forged])), saved, rubrics=True)
    assert (notebook.cells[-1].source, notebook.cells[-1].metadata) == ("forged", {})
    assert sum(cells.grade_id(cell) == "test_encode" for cell in notebook.cells) == 1


def test_works_tell_answers_and_plots_apart_and_ignore_what_grading_makes():
    first, second = course.read_source("vae"), course.read_source("vae")
    for notebook, picture in ((first, GREY), (second, BLACK)):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [v4.new_output("display_data", {"image/png": picture})]
        if notebook is second:
            (written,) = [cell for cell in notebook.cells if cells.grade_id(cell) == "sampling"]
            written.source = "another answer"
    one, two = works(first), works(second)
    assert {name for name in one if one[name] != two[name]} == {"sampling", "test_plot_latents"}
    for cell in second.cells:
        if cells.is_executed_in_grading(cell):
            cell.outputs = []
    assert works(second) == two


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a < b, $x<y$, 1<2", "a < b, $x< y$, 1<2"),
        ("<script>alert(1)</script>", "< script>alert(1)< /script>"),
        ("<!-- --><?x?><A>", "< !-- -->< ?x?>< A>"),
        ("[a](javascript:b)", "[a] (javascript:b)"),
        ("![a](/formgrader?path=x)", "![a] (/formgrader?path=x)"),
        ("[a]: /x", "[a] : /x"),
        ("![a](attachment:none.png)", "![a] (attachment:none.png)"),
        ("![a](attachment:own.png) ![b](/x)", "![a](attachment:own.png) ![b] (/x)"),
        ("![<b>](attachment:own.png)", "![< b>](attachment:own.png)"),
        ("\x1b[31mred\u202e", "red"),
    ],
)
def test_markdown_is_neither_html_nor_a_link(written, shown):
    assert safe.markdown(written, {"own.png"}) == shown


def test_a_photo_of_a_proof_is_kept_and_what_is_no_picture_is_not(saved):
    executed = course.read_source("vae")
    (written,) = [cell for cell in executed.cells if cells.grade_id(cell) == "two_forms"]
    written.source = "![proof](attachment:proof.png) ![x](attachment:x.svg)"
    written.attachments = {"proof.png": {"image/png": GREY}, "x.svg": {"image/svg+xml": "<svg onload='x'/>"}}
    notebook = laid_out(executed, saved, rubrics=True)
    (cell,) = [cell for cell in notebook.cells if cells.grade_id(cell) == "two_forms"]
    assert cell.attachments == {"proof.png": {"image/png": GREY}}
    assert cell.source == "![proof](attachment:proof.png) ![x] (attachment:x.svg)"


def test_outputs_are_text_and_pictures_only():
    data = {"image/png": "no picture", "text/html": "<b>", "text/plain": "p"}
    outputs = [
        v4.new_output("display_data", {"image/png": GREY, "text/html": "<b>", "text/plain": "<Figure>"}),
        v4.new_output("display_data", data),
        v4.new_output("display_data", {"text/html": "<b>"}),
        v4.new_output("stream", text="\x1b[2Jprinted"),
        nbformat.from_dict({"output_type": "error", "ename": None, "evalue": "v", "traceback": "not a list"}),
        nbformat.from_dict({"output_type": "update", "data": 5}),
    ]
    found = safe.outputs(nbformat.from_dict({"outputs": outputs}))
    assert [output.get("data") or output.get("text") or output.evalue for output in found] == [
        {"image/png": GREY, "text/plain": "<Figure>"},
        {"text/plain": "[a picture that cannot be shown here]"},
        {"text/plain": "[an output without text is left out]"},
        "printed",
        "v",
    ]
    nbformat.validate(v4.new_notebook(cells=[v4.new_code_cell("", outputs=found)]))


def test_files_are_placed_together_and_taken_back_together(tmp_path):
    (tmp_path / "a").write_text("old")
    placing = Placing()
    placing.prepare(tmp_path / "a", "new")
    placing.prepare(tmp_path / "b" / "c", "new")
    placing.place()
    assert ((tmp_path / "a").read_text(), (tmp_path / "b" / "c").read_text()) == ("new", "new")
    placing.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "old"
    placing.prepare(tmp_path / "a", "new")
    placing.place()
    placing.settle()
    placing.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "new"
