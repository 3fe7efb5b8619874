"""What the server knows of an assignment's source while it serves: what belongs to students, and hints."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.points.course_file import Serve
from autograder.reports.work import Outline, outline

# As `build` writes them: see authoring/unfolding.py.
_HINT = re.compile(
    r"<details>\n<summary>Hint for <code>([^<\n]+)</code>: ([^\n]+)</summary>\n\n(.+?)\n\n</details>", re.S
)


@dataclass(frozen=True)
class Source:
    """The source of an assignment: its `outline`, and the hints of each exercise by its name, the plainest last."""

    outline: Outline
    hints: Mapping[str, tuple[str, ...]]


def source_of(notebook: NotebookNode) -> Source:
    hints: dict[str, tuple[str, ...]] = {}
    for cell in notebook.cells:
        for name, label, text in _HINT.findall(cell.source) if cell.cell_type == "markdown" else ():
            hints[name] = (*hints.get(name, ()), f"{label}: {' '.join(text.split())}")
    return Source(outline(notebook), hints)


def unlocked(own: Serve, wrong: int, hints: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the hints of an exercise that so many different wrong answers have unlocked."""
    if own.told != "hint":
        return ()
    told_of = wrong if own.tries_per_exercise is None else min(wrong, own.tries_per_exercise)
    return hints[: told_of // own.hint_after]
