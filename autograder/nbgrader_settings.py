"""nbgrader's settings, the same for `autograder build` and for nbgrader's own commands (nbgrader_config.py)."""

import os
import sys
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions, Execute, NbGraderPreprocessor
from traitlets.config import Config

from autograder import cells

_UNNAMED_STUB = 'raise NotImplementedError("FIXME")'
# Short lines: formgrader's window is narrow.
_NO_BUTTON = """refused: there is no sandbox here. Nothing has changed.
In a terminal, run autograder grade and autograder record."""


class NameStubs(NbGraderPreprocessor):
    """Gives each stub the name of the exercise whose anchor stands nearest above it.

    nbgrader has one stub for all solutions of a language.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        lines = cell.source.split("\n")
        name = ""
        for number, line in enumerate(lines):
            if anchor := cells.ANCHOR.fullmatch(line):
                name = anchor[1]
            elif name and line.strip() == _UNNAMED_STUB:
                lines[number] = line.replace("FIXME", f"FIXME: {name}")
        cell.source = "\n".join(lines)
        return cell, resources


class TrimCells(NbGraderPreprocessor):
    """Takes away the blank lines that a cleared region leaves at the end of a cell."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        cell.source = cell.source.rstrip()
        return cell, resources


class AutogradedNotebook(NotebookExporter):
    """What `nbgrader autograde` writes. Formgrader's button is refused, before it has removed anything.

    It would run a submission without a sandbox in the server of those who grade, and undo what was recorded.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        server = sys.modules.get("jupyter_server.serverapp")  # loaded by nobody else
        if server and server.ServerApp.initialized():
            self.log.error(_NO_BUTTON)
            raise NbGraderException(_NO_BUTTON)


class ExecuteTests(Execute):
    """Runs test cells as `autograder grade` does: a mistake in one answer costs no points of others that use it, and an
    answer that fails has the points of its parts that are right, which are the first result of the cell."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        source = cell.source
        if cells.is_tests(cell):
            cell.source = f"from autograder.grading.here import run_tests\nrun_tests({source!r}, globals())"
        try:
            return super().preprocess_cell(cell, resources, index)
        finally:
            cell.source = source


def take_small_budget(**_: Any) -> None:
    """Have the kernels of plain `nbgrader autograde` run on the smoke budget, unless another one is set."""
    os.environ.setdefault("FIXMELAB_BUDGET", "smoke")


def settings() -> Config:
    """nbgrader's configuration for this course."""
    config = Config()
    config.CourseDirectory.course_id = "fixmelab"

    steps = list(GenerateAssignment.class_traits()["preprocessors"].default())
    # Before the checksums are taken and the locked cells are saved to the gradebook.
    steps.insert(steps.index(ClearSolutions) + 1, NameStubs)
    steps.insert(steps.index(ClearMarkScheme) + 1, TrimCells)
    config.GenerateAssignment.preprocessors = steps
    config.ClearSolutions.code_stub = {"python": _UNNAMED_STUB}
    config.ClearSolutions.text_stub = cells.ANSWER_STUB
    # Mark schemes stand in locked question cells; nbgrader expects them in "task" cells only.
    config.ClearMarkScheme.enforce_metadata = False

    # Feedback is for students: rubrics with model answers, which those who grade see in formgrader, are not in it.
    shown = list(GenerateFeedback.class_traits()["preprocessors"].default())
    config.GenerateFeedback.preprocessors = [ClearHiddenTests, ClearMarkScheme, *shown]

    config.Autograde.exporter_class = AutogradedNotebook
    run = list(Autograde.class_traits()["autograde_preprocessors"].default())
    config.Autograde.autograde_preprocessors = [ExecuteTests if step is Execute else step for step in run]
    config.Autograde.pre_convert_hook = take_small_budget
    config.Execute.timeout = 600  # seconds a cell; nbgrader's 30 are too few for a training cell
    # nbgrader gives a right answer no points where its test cell prints to stderr: a warning, a progress bar.
    config.IgnorePattern.enabled = True
    config.IgnorePattern.pattern = ".*"
    return config
