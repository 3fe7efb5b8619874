"""Text to source: the metadata that headers become, and one clear line for each broken rule."""

from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from autograder import cells
from autograder.authoring.text import source_from_text, to_json
from autograder.errors import InputError

ALL = ["tiny.mix_noise", "tiny.first_half", "tiny.second_half"]


def read(root: Path, *replacements: tuple[str, str], known: set[str] | None = None) -> nbformat.NotebookNode:
    """The source of the tiny text, parts of it replaced."""
    path = root / "notebooks" / "tiny.py"
    text = path.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return source_from_text(path, "owner/course", known)


def by_id(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    return {cells.grade_id(cell): cell for cell in notebook.cells}


def test_each_header_becomes_the_metadata_of_nbgrader(tiny_course):
    notebook = read(tiny_course, known=ALL)
    found = {
        id: tuple(cell.metadata.nbgrader[key] for key in ("grade", "solution", "locked"))
        for id, cell in by_id(notebook).items()
        if not id.startswith("cell-")
    }
    fixme, tests, question, answer = (
        (False, True, False),
        (True, False, True),
        (False, False, True),
        (True, True, False),
    )
    assert found == {
        "mix_noise": fixme,
        "test_mix_noise": tests,
        "first_half": fixme,
        "test_first_half": tests,
        "test_second_half": tests,
        "question_why_noise": question,
        "why_noise": answer,
    }
    graded = {cells.exercise_name(cell): cells.points(cell) for cell in notebook.cells if cells.points(cell)}
    assert graded == {"mix_noise": 2, "first_half": 1, "second_half": 1.5, "why_noise": 3}
    assert by_id(notebook)["why_noise"].source == cells.ANSWER_STUB


def test_all_other_cells_are_locked_and_keep_their_tags(tiny_course):
    others = [cell for cell in read(tiny_course).cells if cells.grade_id(cell).startswith("cell-")]
    assert len(others) == 7
    assert all(cell.metadata.nbgrader.locked and not cell.metadata.nbgrader.solution for cell in others)
    assert [cells.tags(cell) for cell in others if cells.tags(cell)] == [["train"]]


def test_the_notebook_is_valid_and_holds_nothing_of_jupytext(tiny_course):
    notebook = read(tiny_course)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert "jupytext" not in to_json(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"nbgrader", "tags"} for cell in notebook.cells)


def test_names_of_repository_and_notebook_are_filled_in(tiny_course):
    sources = [cell.source for cell in read(tiny_course).cells]
    assert "github/owner/course/blob/main/release/tiny/tiny.ipynb" in sources[0]
    assert sources[1] == "%pip install -q git+https://github.com/owner/course"


def test_the_same_text_gives_the_same_bytes(tiny_course):
    assert to_json(read(tiny_course)) == to_json(read(tiny_course))
    assert to_json(read(tiny_course)).endswith("}\n")


def test_ids_follow_content_not_position(tiny_course):
    before = [cell.id for cell in read(tiny_course).cells]
    inserted = read(tiny_course, ("# %%\nimport math", "# %%\nprint(7)\n\n# %%\nimport math"))
    after = [cell.id for cell in inserted.cells]
    assert [id for id in after if id in before] == before
    assert len(after) == len(before) + 1


def test_equal_cells_get_different_ids(tiny_course):
    same = [cell for cell in read(tiny_course).cells if cell.source == "print(START)"]
    assert [cell.id for cell in same] == [same[0].id, f"{same[0].id}-2"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('exercise="mix_noise"', 'exercise="mix_noise" point=2', 23, "unknown header key 'point'"),
        ("# %%\nimport math", "# %% Setup\nimport math", 15, "unknown header key 'title'"),
        ('exercise="mix_noise"', "exercise=mix_noise", 23, "cannot be read"),
        ('exercise="mix_noise"', 'exercise="mix noise"', 23, "is no name"),
        ('exercise="mix_noise"', 'exercise="mix"', 23, "first line of the cell must be '# exercise: mix'"),
        ("# exercise: mix_noise", "# exercise mix_noise", 23, "first line of the cell must be"),
        ("# exercise: mix_noise", "\nx = 1\n# exercise: mix_noise", 23, "first line of the cell must be"),
        ("    # exercise: second_half", "    #exercise: second_half", 43, "an anchor is misspelt"),
        ('exercise="mix_noise"', "", 23, "SOLUTION belongs to a cell with exercise"),
        ("print(START)", "# exercise: other\nprint(START)", 32, "whose header lacks exercise=\"other\""),
        ('tests="mix_noise"', 'tests="mixed"', 35, "no cell above has the line '# exercise: mixed'"),
        ('tests="second_half"', 'tests="first_half"', 73, "'first_half' is taken already, at notebooks/tiny.py:65"),
        ("# exercise: second_half", "# exercise: third", 73, "no cell above has the line"),
        ("    # exercise: second_half\n", "    # exercise: first_half\n", 43, "'first_half' is taken already"),
        ('written="why_noise"', 'written="mix_noise"', 86, "'mix_noise' is taken already"),
        (" points=2", "", 35, "no points; write a positive number"),
        (" points=2", " points=-2", 35, "points=-2; write a positive number"),
        (" points=2", ' points="2"', 35, "points='2'; write a positive number"),
        (" points=2", " points=NaN", 35, "points=nan; write a positive number"),
        (" points=3", "", 86, "no points; write a positive number"),
        ("    # exercise: second_half\n", "    # exercise: x\n    # exercise: second_half\n", 43, "0 solution regions"),
        ("    # exercise: second_half\n", "", 43, "2 solution regions follow '# exercise: first_half'"),
        ("    ### END SOLUTION\n", "", 23, "BEGIN SOLUTION has no END SOLUTION"),
        ("    ### BEGIN SOLUTION\n", "", 23, "END SOLUTION has no BEGIN SOLUTION"),
        ("### BEGIN SOLUTION\n", "### BEGIN SOLUTION\n    ### BEGIN SOLUTION\n", 23, "inside a region"),
        ("### BEGIN SOLUTION\n", "# the BEGIN SOLUTION\n", 23, "must stand alone on its line"),
        ('check("tiny.mix_noise"', 'check("vae.mix_noise"', 35, 'lack check("tiny.mix_noise", …)'),
        ('check("tiny.mix_noise", mix_noise)', "pass", 35, 'lack check("tiny.mix_noise", …)'),
        ('check("tiny.mix_noise"', 'check("tiny.x", 1)\ncheck("tiny.mix_noise"', 35, "check 'tiny.x'"),
        ('check("tiny.mix_noise", mix_noise)', "check(", 35, "not valid Python"),
        ("### BEGIN HIDDEN TESTS\n", "", 35, "END HIDDEN TESTS has no BEGIN"),
        ("### END HIDDEN TESTS\n", "### END HIDDEN TESTS\nprint(1)\n", 35, "they must end the cell"),
        ("# ### END MARK SCHEME\n", "", 86, "BEGIN MARK SCHEME has no END"),
        ("# ### END MARK SCHEME\n", "# ### END HIDDEN TESTS\n", 86, "END HIDDEN TESTS has no BEGIN"),
        ("# Why does the noise enter from outside?\n#\n", "", 86, "no question stands outside"),
        ('tags=["train"]', 'tags=["train", "slow"]', 83, "known are keep, train"),
        ('tests="mix_noise"', 'tests="mix_noise" tags=["train"]', 35, "unknown header key 'tags'"),
        ('[markdown] written="why_noise"', 'written="why_noise"', 86, "written belongs to a [markdown] cell"),
        ('exercise="mix_noise"', 'exercise="mix_noise" tests="mix_noise"', 23, "both exercise and tests"),
        ("# %%\nimport math", "# %% minutes=3\nimport math", 15, "minutes belongs to a [markdown] cell"),
        ("# %%\nimport math", "# %% [raw]\n# import math", 15, "a raw cell"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_one_line_that_names_the_header(tiny_course, old, new, line, message):
    with pytest.raises(InputError) as caught:
        read(tiny_course, (old, new))
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"notebooks/tiny.py:{line}: ")
    assert "\n" not in str(caught.value)


def test_an_anchor_without_tests_is_refused(tiny_course):
    start, end = '# %% tests="second_half"', "# %%\nprint(START)\n\n# %% tags"
    text = (tiny_course / "notebooks/tiny.py").read_text()
    removed = text[text.index(start) : text.index(end)]
    with pytest.raises(InputError, match=r"tiny.py:43: exercise 'second_half' has no test cell"):
        read(tiny_course, (removed, ""))


def test_an_empty_solution_is_refused(tiny_course):
    solution = "    scaled = sigma * eps  # not its square\n    return mu + scaled\n"
    with pytest.raises(InputError, match=r"tiny.py:23: a solution region is empty"):
        read(tiny_course, (solution, ""))


def test_a_mark_scheme_is_required(tiny_course):
    text = (tiny_course / "notebooks/tiny.py").read_text()
    scheme = text[text.index("# ### BEGIN MARK") :]
    with pytest.raises(InputError, match=r"tiny.py:86: no mark scheme"):
        read(tiny_course, (scheme, ""))


def test_names_that_give_one_id_are_refused(tiny_course):
    with pytest.raises(InputError, match=r"two cells get the id 'test_mix_noise'"):
        read(tiny_course, ('written="why_noise"', 'written="test_mix_noise"'))


def test_text_above_the_first_header_is_refused(tiny_course):
    with pytest.raises(InputError, match=r"tiny.py:1: text stands before the first cell header"):
        read(tiny_course, ("# %% [markdown] minutes=2\n", "x = 1\n\n# %% [markdown] minutes=2\n"))


def test_a_header_inside_a_string_starts_no_cell(tiny_course):
    notebook = read(tiny_course, ("START = 1.5", 'START = 1.5\ntext = """\n# %% no header\n"""'))
    assert len(notebook.cells) == len(read(tiny_course).cells) == 14
    with pytest.raises(InputError, match=r"^notebooks/tiny.py: no points"):
        read(tiny_course, (" points=2", ""))


def test_every_exercise_needs_a_check_and_every_check_an_exercise(tiny_course):
    with pytest.raises(InputError, match=r"tiny.py:73: 'tiny.second_half' has no check"):
        read(tiny_course, known=ALL[:2])
    with pytest.raises(InputError, match=r"the check of 'tiny.more' has no test cell"):
        read(tiny_course, known=[*ALL, "tiny.more"])


def test_a_text_that_cannot_be_read_is_one_line(tiny_course):
    path = tiny_course / "notebooks" / "tiny.py"
    path.write_bytes(b"# %%\nx = '\xff'\n")
    with pytest.raises(InputError, match=r"notebooks/tiny.py: cannot be read"):
        source_from_text(path, "owner/course")
    with pytest.raises(InputError, match=r"notebooks/none.py: cannot be read"):
        source_from_text(path.with_name("none.py"), "owner/course")
