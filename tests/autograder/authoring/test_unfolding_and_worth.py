"""What build makes of hints, predictions and lengths, and that a hint gives no solution away."""

import re
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from autograder import cells
from autograder.authoring.build import build
from autograder.authoring.text import source_from_text
from autograder.errors import InputError

HINTS = """\
# %% [markdown] hints="mix_noise"
# **Where to look.** At the words above.
#
# Twice, if need be.
#
# **A small case.** For $\\sigma = 0$ nothing is left to chance.

"""
PREDICT = """\
# %% [markdown] predict="start"
# What will `START` be?

"""
MINUTES = (
    ("points=2", "points=2 minutes=10"),
    ("points=1\n", "points=1 minutes=4\n"),
    ("points=1.5", "points=1.5 minutes=5"),
    ("points=3", "points=3 minutes=100"),
)
SECTION = ("# Numbers that go", "# ## 1. Lines\n#\n# Numbers that go")


def edited(root: Path, *replacements: tuple[str, str]) -> Path:
    path = root / "notebooks" / "tiny.py"
    text = path.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


def read(root: Path, *replacements: tuple[str, str]) -> dict[str, nbformat.NotebookNode]:
    notebook = source_from_text(edited(root, *replacements), "owner/course")
    MetadataValidator().validate_nb(notebook)
    return {cells.grade_id(cell): cell for cell in notebook.cells}


def above(header: str, text: str) -> tuple[str, str]:
    return header, text + header


def test_hints_unfold_one_by_one(tiny_course):
    cell = read(tiny_course, above('# %% exercise="mix_noise"', HINTS))["hints_mix_noise"]
    assert cell.metadata.nbgrader.locked and cell.cell_type == "markdown"
    assert cell.source == (
        "<details>\n<summary>Hint for <code>mix_noise</code>: where to look</summary>\n\n"
        "At the words above.\n\nTwice, if need be.\n\n</details>\n\n"
        "<details>\n<summary>Hint for <code>mix_noise</code>: a small case</summary>\n\n"
        "For $\\sigma = 0$ nothing is left to chance.\n\n</details>"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("**Where to look.** ", "", "hints begin with a label"),
        ("For $\\sigma = 0$ nothing is left to chance.", "", "the hint 'A small case' has no text"),
        ("At the words above.", "<details>x</details>", "a hint holds <details>"),
        ('hints="mix_noise"', 'hints="mixed"', "no exercise has this name"),
        ("[markdown] hints", "hints", "hints belongs to a [markdown] cell"),
    ],
)
def test_a_broken_rule_of_hints_is_one_line(tiny_course, old, new, message):
    assert old in HINTS
    with pytest.raises(InputError) as caught:
        read(tiny_course, above('# %% exercise="mix_noise"', HINTS.replace(old, new)))
    assert message in str(caught.value) and re.match(r"notebooks/tiny.py:23: .*\Z", str(caught.value))


@pytest.mark.parametrize("damage", ["", "\n\n</details>", "<summary>More</summary>", "\n\nThe text.", "<details>\n"])
def test_details_of_the_author_are_well_formed(tiny_course, damage):
    text = "<details>\n<summary>More</summary>\n\nThe text.\n\n</details>"
    commented = "".join(f"# {line}\n" for line in (text.replace(damage, "", 1) if damage else text).split("\n"))
    replacement = ("# Numbers that go through a line.\n", f"# Numbers.\n#\n{commented}")
    if not damage:
        assert any(text in cell.source for cell in read(tiny_course, replacement).values())
    else:
        with pytest.raises(InputError, match=r"notebooks/tiny.py:20: <details> is not well-formed"):
            read(tiny_course, replacement)


def test_a_hint_that_holds_a_solution_is_a_leak(tiny_course):
    hint = HINTS.replace("At the words above.", "Take `scaled = sigma * eps` first.")
    edited(tiny_course, above('# %% exercise="mix_noise"', hint))
    with pytest.raises(InputError, match=r"leak: release/tiny/tiny.ipynb, cell 5, line 4: solution: scaled = sigma"):
        build(root=tiny_course)


def test_what_unfolds_elsewhere_is_looked_through_as_well(tiny_course):
    unfolding = "# <details>\n# <summary>More</summary>\n#\n# It is `scaled = sigma * eps`.\n#\n# </details>\n"
    edited(tiny_course, ("# Numbers that go through a line.\n", unfolding))
    with pytest.raises(InputError, match="solution: scaled"):
        build(root=tiny_course)


def test_a_prediction_is_a_question_and_an_open_cell_that_nobody_grades(tiny_course):
    found = read(tiny_course, above("# %%\nprint(START)", PREDICT))
    assert found["predict_start"].source == "**Predict first.** What will `START` be?"
    assert found["predict_start"].metadata.nbgrader.locked
    place = found["prediction_start"]
    assert cells.is_prediction(place) and cells.is_answer(place) and place.source == cells.PREDICTION_STUB
    assert not (cells.is_fixme(place) or cells.is_written(place) or cells.is_tests(place))
    (done,) = build(root=tiny_course)
    released = nbformat.read(done.release, as_version=4)
    (place,) = [cell for cell in released.cells if cells.is_prediction(cell)]
    assert place.source == cells.PREDICTION_STUB and place.metadata.get("editable", True)
    assert (done.exercises, done.points) == (4, 7.5)


def test_points_stand_at_exercise_section_and_title(tiny_course):
    found = read(tiny_course, SECTION)
    assert found["mix_noise"].source.startswith("# exercise: mix_noise\n# 2 points\n")
    assert "    # exercise: second_half\n    # 1.5 points\n" in found["first_half"].source
    assert found["question_why_noise"].source.startswith("*3 points*\n\nWhy does")
    sources = [cell.source for cell in found.values()]
    assert "## 1. Lines\n\n*7.5 points*\n\nNumbers that go through a line." in sources
    assert sources[0].startswith("# Tiny\n\n*7.5 points*\n")


def test_minutes_stand_beside_them_if_the_headers_give_them(tiny_course):
    found = read(tiny_course, SECTION, *MINUTES)
    assert found["mix_noise"].source.startswith("# exercise: mix_noise\n# 2 points, about 10 minutes\n")
    assert "    # exercise: second_half\n    # 1.5 points, about 5 minutes\n" in found["first_half"].source
    assert found["question_why_noise"].source.startswith("*3 points, about 1.5 hours*\n")
    assert list(found.values())[0].source.startswith("# Tiny\n\n*7.5 points, about 2 hours*\n")


def test_ids_do_not_follow_points_and_minutes(tiny_course):
    assert list(read(tiny_course, SECTION)) == list(read(tiny_course, *MINUTES))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("points=2", "points=2 minutes=10", "tiny.py:65: only some exercises have minutes"),
        ("points=2", 'points=2 minutes="10"', "tiny.py:35: minutes='10'; write a whole number"),
        ("points=2", "points=2 minutes=0", "tiny.py:35: minutes=0; write a whole number"),
    ],
)
def test_broken_minutes_are_one_line(tiny_course, old, new, message):
    with pytest.raises(InputError) as caught:
        read(tiny_course, (old, new))
    assert message in str(caught.value) and "\n" not in str(caught.value)
