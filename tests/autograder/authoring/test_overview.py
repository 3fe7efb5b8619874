"""README's table of notebooks: written by build, compared by build --check, and one line for what is missing."""

import pytest

from autograder.authoring.build import build
from autograder.errors import InputError

OPENED = "https://colab.research.google.com/github/owner/course/blob/main/release"
BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
WRITTEN = f"""\
# A course
Words of its author.
<!-- notebooks: written by autograder build -->

| topic | exercises | points | minutes on a laptop | |
|---|---:|---:|---:|---|
| [Other \\| more](release/other/other.ipynb) | 0 | 0 | 15 | {BADGE}({OPENED}/other/other.ipynb) |
| [Tiny](release/tiny/tiny.ipynb) | 4 | 7.5 | 2 | {BADGE}({OPENED}/tiny/tiny.ipynb) |

`autograder prove` tries the checks on 3 wrong answers: each must lose its points and be named to the student.
It tries 1 other right ones, too: each must keep its points.

<!-- end of notebooks -->
More words.
"""
MORE_MISTAKES = """

@scales_by_variance.also
class ScalesByVariance:
    pass


@mistake("It forgets the mean.")
def forgets_the_mean(mu, sigma, eps):
    return sigma * eps
"""


@pytest.fixture
def two_notebooks(tiny_course):
    (tiny_course / "notebooks/other.py").write_text("# %% [markdown] minutes=15\n# # Other | more\n")
    (tiny_course / "autograder/assignments/other").mkdir()
    with (tiny_course / "autograder/assignments/tiny/mix_noise.py").open("a") as module:
        module.write(MORE_MISTAKES)
    return tiny_course


def test_build_writes_a_row_for_each_notebook_and_leaves_the_rest(two_notebooks):
    build(["tiny"], root=two_notebooks)
    assert (two_notebooks / "README.md").read_text() == WRITTEN
    build(["tiny"], check=True, root=two_notebooks)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("README.md", "| 7.5 |", "| 8 |"),
        ("notebooks/tiny.py", "minutes=2", "minutes=3"),
        ("notebooks/tiny.py", "# # Tiny", "# # Small"),
        ("pyproject.toml", "owner/course", "owner/other"),
        ("autograder/assignments/tiny/mix_noise.py", "@equivalent", "# none"),
    ],
)
def test_check_says_in_one_line_that_the_table_is_out_of_date(tiny_course, path, old, new):
    build(root=tiny_course)
    text = (tiny_course / path).read_text()
    assert old in text
    (tiny_course / path).write_text(text.replace(old, new))
    with pytest.raises(InputError) as caught:
        build(check=True, root=tiny_course)
    assert str(caught.value).splitlines()[-1] == "README.md is out of date: run autograder build"
    assert "README" not in "".join(str(caught.value).splitlines()[:-1])


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("<!-- end of notebooks -->", ""),
        lambda text: text.replace("<!-- notebooks: written by autograder build -->", ""),
        lambda text: text * 2,
        lambda text: "\n".join(reversed(text.split("\n"))),
    ],
    ids=["no end", "no begin", "twice", "reversed"],
)
def test_missing_marks_are_one_line_and_nothing_is_written(tiny_course, damage, check):
    readme = tiny_course / "README.md"
    readme.write_text(damage(readme.read_text()))
    before = readme.read_text()
    with pytest.raises(InputError) as caught:
        build(check=check, root=tiny_course)
    assert str(caught.value) == (
        "README.md: write the lines <!-- notebooks: written by autograder build --> and <!-- end of notebooks --> "
        "once each: the table of notebooks goes there"
    )
    assert readme.read_text() == before and not (tiny_course / "release").exists()


def test_a_missing_readme_is_one_line(tiny_course):
    (tiny_course / "README.md").unlink()
    with pytest.raises(InputError, match=r"^README.md: cannot be read \(.*\); the table of notebooks belongs there$"):
        build(root=tiny_course)


def test_readme_is_left_alone_if_asked(tiny_course):
    (tiny_course / "README.md").unlink()
    build(readme=False, root=tiny_course)
    build(check=True, readme=False, root=tiny_course)
    assert not (tiny_course / "README.md").exists()


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (" minutes=2", "", "", "no minutes; write above its title '# %% [markdown] minutes=5'"),
        ("# %% [markdown]\n# Numbers", "# %% [markdown] minutes=5\n# Numbers", 20, "already at notebooks/tiny.py:8"),
        ("minutes=2", "minutes=0", 8, "minutes=0; write a whole number"),
        ("minutes=2", "minutes=2.5", 8, "minutes=2.5; write a whole number"),
        ("minutes=2", "minutes=true", 8, "minutes=True; write a whole number"),
        ("minutes=2", 'minutes="2"', 8, "minutes='2'; write a whole number"),
        ("# # Tiny", "# ## Tiny", 8, "begins with the notebook's title, as '# Title'"),
    ],
)  # fmt: skip
def test_a_notebook_says_its_title_and_minutes_once(tiny_course, old, new, line, message):
    text = tiny_course / "notebooks/tiny.py"
    assert old in text.read_text()
    text.write_text(text.read_text().replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        build(root=tiny_course)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"notebooks/tiny.py{f':{line}' if line else ''}: ")
