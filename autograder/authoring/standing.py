"""What `build` writes so that students know where they stand: what matters first, the line by which a test cell is
known, and the last cell. `fixmelab.visible_tests` and `fixmelab.standing` do the rest."""

import re
from collections.abc import Iterable

from nbformat import NotebookNode, v4

from autograder.authoring.authored import Authored
from autograder.authoring.folding import folded

CHECK = "lab.check()"
CHECK_ID = "check_before_handing_in"
_LAB = re.compile(r"^lab = fixmelab\.setup\(", re.MULTILINE)
_BADGE = re.compile(r"^\[!\[Open in Colab\]\([^\n]*\n", re.MULTILINE)
_FIRST = """
**First of all.** In Colab, choose *File → Save a copy in Drive*: what you see is not yours yet, and would be gone when
you close the tab. *Run all* stops at the first exercise that is still open: fill it in, or run the cells below it one
by one. The tests you see are not all of them: hidden tests go further when your notebook is graded. The last cell,
`lab.check()`, says where you stand.
"""


def sets_up_a_lab(authored: Iterable[Authored]) -> bool:
    """Whether a notebook has the `lab` that the last cell asks."""
    return any(cell.cell_type == "code" and _LAB.search(cell.source) for cell in authored)


def below_badge(title: str) -> str:
    """The first cell of a notebook with what matters first, below its badge or, without one, at its end."""
    badge = _BADGE.search(title + "\n")
    place = badge.end() if badge else len(title)
    return (title[:place].rstrip("\n") + "\n" + _FIRST + "\n" + title[place:].lstrip("\n")).rstrip("\n")


def with_first_line(name: str, source: str) -> str:
    """A test cell that says of which exercise it is, so that its tests can speak in one line; long ones are folded."""
    return f"# tests: {name}\n{folded(source)}"


def last_cell() -> NotebookNode:
    """The cell that says where a student stands."""
    flags = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False}
    return v4.new_code_cell(CHECK, id=CHECK_ID, metadata={"nbgrader": {**flags, "grade_id": CHECK_ID}})
