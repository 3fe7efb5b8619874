"""README's table of the notebooks: what each is about, how much it asks for, and where it opens."""

from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from autograder import cells, course
from autograder.authoring.authored import heading_of
from autograder.authoring.declared import counted_answers
from autograder.errors import InputError

BEGIN = "<!-- notebooks: written by autograder build -->"
END = "<!-- end of notebooks -->"

_HEAD = """\
| topic | exercises | points | minutes on a laptop | |
|---|---:|---:|---:|---|
"""
_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
_COLAB = "https://colab.research.google.com/github"


def with_overview(sources: Mapping[str, NotebookNode], repository: str, root: Path) -> str:
    """README.md of the course, with the overview of all its notebooks (name → source) between the two marks.

    Raises InputError if README cannot be read or lacks the marks, or a text does not say its title and minutes.
    """
    path = root / "README.md"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: cannot be read ({error}); the table of notebooks belongs there") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end or BEGIN in rest or END in after:
        raise InputError(f"{path.name}: write the lines {BEGIN} and {END} once each: the table of notebooks goes there")
    return "".join((before, begin, "\n\n", _overview(sources, repository, root), "\n", end, after))


def _overview(sources: Mapping[str, NotebookNode], repository: str, root: Path) -> str:
    rows = "".join(_row(name, source, repository, root) for name, source in sources.items())
    counts = [counted_answers(name, root) for name in sources]
    mistakes, equivalents = (sum(kind) for kind in zip(*counts, strict=True))
    return f"""{_HEAD}{rows}
`autograder prove` tries the checks on {mistakes} wrong answers: each must lose its points and be named to the student.
It tries {equivalents} other right ones, too: each must keep its points.
"""


def _row(name: str, source: NotebookNode, repository: str, root: Path) -> str:
    heading = heading_of(course.text_path(name, root), repository)
    exercises, points = cells.exercises_and_points(source)
    release = course.release_path(name, root).relative_to(root).as_posix()
    topic = f"[{heading.title.replace('|', chr(92) + '|')}]({release})"
    badge = f"[![Open in Colab]({_BADGE})]({_COLAB}/{repository}/blob/main/{release})"
    return f"| {topic} | {exercises} | {points:g} | {heading.minutes} | {badge} |\n"
