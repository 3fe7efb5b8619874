"""Where a notebook stands: blank, filled in, and in the states between; and damaged as notebooks are on their way."""

import copy
import re
import sys
from pathlib import Path

import pytest
from filled import ANSWER, NAME, blank, cell_of, failed, filled, without
from nbformat import NotebookNode

from autograder import cells, course
from autograder.grading.restoring import restore
from autograder.grading.source_text import is_untouched
from fixmelab.restoring import OtherNotebookError
from fixmelab.standing import released
from fixmelab.standing.found import find
from fixmelab.standing.standing import CHANGED, EDITED, MISSING, NOT_RUN, Standing, standing_of
from fixmelab.standing.table import WIDTH, Table
from fixmelab.visible_tests import Memory, Outcome, answer_to, digest

sys.path.append(str(Path(__file__).resolve().parents[2] / "damaged"))
import damages


def standing(notebook: NotebookNode, memory: Memory | None = None, **more: bool) -> Standing:
    return standing_of(find(notebook, NAME, "it.ipynb"), memory, **more)


def row(found: Standing, name: str) -> tuple[str, str]:
    return next((row.state, row.line) for row in found.rows if row.task.name == name)


def test_a_blank_notebook_is_all_open_and_a_filled_one_ready():
    empty, full = standing(blank()), standing(filled())
    assert {row.state for row in empty.rows} == {"open"} and not empty.is_ready and empty.within_reach == 0
    assert [row.state for row in full.rows] == ["done"] * len(full.rows)
    assert full.is_ready and full.to_mend == full.notes == []
    exercises, points = cells.exercises_and_points(course.read_source(NAME))
    assert (
        (len(full.rows), full.within_reach, full.points)
        == (exercises, points, points)
        == (len(empty.rows), points, empty.points)
    )


def test_what_is_open_failing_changed_or_not_run_is_said():
    notebook = filled()
    cell_of(notebook, "padding").source += "\n# another thought"
    cell_of(notebook, "test_convolve").outputs = [failed("convolve", "a 1×1 kernel of 1 changes nothing")]
    run = cell_of(notebook, "test_factor_graph")
    run.outputs, run.execution_count = [], None
    cell_of(notebook, "no_independence").source = cells.ANSWER_STUB
    cell_of(notebook, "log_partition").source = cell_of(blank(), "log_partition").source
    cell_of(notebook, "tag_log_probability").source = "# exercise: tag_log_probability\ndef f(:\n    pass"
    found = standing(notebook)
    assert row(found, "padding") == ("not run", CHANGED)
    assert row(found, "convolve") == ("fails", "a 1×1 kernel of 1 changes nothing")
    assert row(found, "factor_graph") == ("not run", NOT_RUN)
    assert row(found, "no_independence") == ("open", "not answered yet")
    assert row(found, "log_partition") == ("open", "to be filled in")
    assert row(found, "tag_log_probability") == ("fails", "its cell is not valid Python (line 2: invalid syntax)")
    assert (
        found.points - found.within_reach == sum(row.task.points for row in found.rows if row.state != "done")
        and not found.is_ready
    )


def test_without_the_mark_of_the_output_the_numbers_of_the_cells_tell_which_ran_later():
    notebook = filled()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            output.pop("metadata", None)
    cell_of(notebook, "padding").execution_count = 1000
    found = standing(notebook)
    assert row(found, "padding") == ("not run", CHANGED)
    assert row(found, "convolve")[0] == "done"


def test_what_is_missing_doubled_or_shows_nothing_is_to_be_mended():
    notebook = filled()
    without(notebook, ["factor_graph"])
    cell_of(notebook, "padding").source = cell_of(notebook, "padding").source.partition("\n")[2]
    cell_of(notebook, "padding").metadata = {}
    twice = cell_of(notebook, "convolve")
    notebook.cells.insert(notebook.cells.index(twice), copy.deepcopy(twice))
    figures = [cell for cell in notebook.cells if cell.cell_type == "code" and cells.tags(cell)]
    figures[0].outputs = []
    found = standing(notebook)
    assert row(found, "factor_graph") == ("open", MISSING)
    for line in (
        "padding: its line `# exercise: padding` is missing",
        "convolve: 2 copies of this cell",
        "no output, below",
    ):
        assert any(line in mended for mended in found.to_mend), (line, found.to_mend)
    for figure in figures:
        figure.outputs = []
    assert any(f"{len(figures)} cells that draw or train" in line for line in standing(notebook).to_mend)


def test_what_ran_here_counts_while_the_file_is_older():
    notebook = blank()
    answer = cell_of(filled(), "padding").source
    memory = Memory({"padding": answer}, {"padding": Outcome(digest(answer_to("padding", answer)))})
    assert row(standing(notebook, memory, is_older=True), "padding")[0] == "done"
    assert row(standing(notebook, memory), "padding")[0] == "open"
    failing = Memory(memory.answers, {"padding": Outcome(digest(answer), "left is wrong")})
    assert row(standing(notebook, failing, is_older=True), "padding") == ("fails", "left is wrong")


def test_another_course_s_notebook_is_refused():
    notebook = blank()
    notebook.cells = notebook.cells[:1]
    with pytest.raises(OtherNotebookError, match="^it.ipynb is no notebook of this course"):
        find(notebook, None, "it.ipynb")
    assert find(blank(), None, "it.ipynb").name == NAME
    for damage in (damages.anchors_removed_and_stripped, damages.foreign_spaces, damages.retyped_and_stripped):
        assert find(damage(filled()), None, "it.ipynb").name == NAME  # as the grader knows it again
    assert released.names() == course.assignment_names()


DAMAGES = [
    damage
    for name, damage in vars(damages).items()
    if callable(damage)
    and list(getattr(damage, "__annotations__", {})) == ["notebook", "return"]
    and name not in ("copied", "fixmes")
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_of_a_damaged_notebook_it_says_what_grading_would_find(damage):
    """Done is what the grader finds an answer for; and nothing is called ready whose answers it does not find."""
    source, notebook = course.read_source(NAME), damage(filled())
    restored = {cells.grade_id(cell): cell for cell in restore(source, copy.deepcopy(notebook)).notebook.cells}
    found = standing(notebook)
    for one in found.rows:
        original = source.cells[one.task.place]
        untouched = is_untouched(original, restored[cells.grade_id(original)], one.task.name)
        assert (one.state == "open") == untouched, (one, restored[cells.grade_id(original)].source)
    if damage.__name__ in ("tests_edited", "locked_edited"):
        assert {one.line for one in found.rows if not one.task.is_question} == {EDITED}
    if damage.__name__.startswith("anchors_removed"):
        assert sum("is missing: write it" in line for line in found.to_mend) == 7
    assert all("the source" not in line for line in (*found.to_mend, *found.notes))


def test_the_table_reads_well_in_a_terminal_and_in_a_narrow_window():
    notebook = filled()
    cell_of(notebook, "test_convolve").outputs = [failed("convolve", "a very long sentence, " * 12 + "& <b>")]
    table = Table(standing(notebook), "it.ipynb")
    lines = repr(table).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0] == "it.ipynb: 11 of 12 are done, 25 of 28 points are within reach."
    assert lines[-1] == "Not ready: 1 failing." and any("Hidden tests remain" in line for line in lines)
    page = table._repr_html_()
    assert "&amp; &lt;b&gt;" in page and page.count('scope="row"') == len(table.standing.rows)
    assert repr(Table(standing(filled()), "it.ipynb")).endswith("Ready to hand in.")
    assert re.search(r"✓ padding +2  visible tests pass", repr(table))
    assert ANSWER not in repr(table)
