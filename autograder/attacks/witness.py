"""The witness: an honest submission, which must get the same result beside and after attacks as alone."""

import nbformat
from nbformat import NotebookNode

from autograder import cells
from autograder.attacks.corpus import notebook_of
from autograder.grading.source_text import answer_text

ASSIGNMENT = "vae"
# Attacks and witness are graded on the assignment's beginning, up to this heading: enough for every trick, and quick.
UP_TO = "## 2."

# A known mistake of one exercise, by what it makes of the solution, and an exercise that is left open.
_RIGHT, _WRONG = "d_sigma = dl_dz * eps + sigma", "d_sigma = dl_dz + sigma"
_OPEN = "score_function_gradient"


def excerpt(source: NotebookNode) -> NotebookNode:
    """The beginning of the assignment, on which attacks are graded."""
    end = next(index for index, cell in enumerate(source.cells) if cell.source.startswith(UP_TO))
    return NotebookNode({**source, "cells": source.cells[:end]})


def witness(source: NotebookNode, canary: str) -> bytes:
    """The notebook: the solution, but for one known mistake and one exercise left open.

    Raises ValueError if the solution no longer holds the line that is made a mistake.
    """
    fixmes = [cell for cell in source.cells if cells.is_fixme(cell) and _OPEN not in cells.anchors(cell)]
    right = "\n\n".join(["# %%\n# " + canary, *("# %%\n" + answer_text(cell) for cell in fixmes)])
    if right.count(_RIGHT) != 1:
        raise ValueError(f"the solution holds the line {_RIGHT!r} {right.count(_RIGHT)} times, not once")
    return nbformat.writes(notebook_of(right.replace(_RIGHT, _WRONG))).encode()
