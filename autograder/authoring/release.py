"""From the source notebook to the release, by nbgrader's own generate_assignment."""

import functools
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory

from autograder.authoring.text import to_json
from autograder.errors import InputError
from autograder.nbgrader_settings import settings


class _Record(logging.Handler):
    """Keeps the error lines that nbgrader logs: its exceptions do not say what was wrong."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += record.getMessage().strip().splitlines()


def release_from_source(source: NotebookNode, name: str) -> NotebookNode:
    """The student's version of the source notebook of assignment `name`.

    nbgrader runs in a temporary course folder, without a gradebook (its own option `--no-db`), which the release
    does not depend on; it changes the working directory of the process while it runs.

    Raises InputError where nbgrader refuses the notebook.
    """
    return nbformat.reads(_release(to_json(source), name), as_version=nbformat.NO_CONVERT)


@functools.lru_cache(maxsize=32)
def _release(source: str, name: str) -> str:
    """The same in JSON. nbgrader is slow, and makes the same of the same notebook."""
    log, record = logging.Logger("nbgrader"), _Record()
    log.addHandler(record)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "source" / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(source, encoding="utf-8")
        config = settings()
        config.CourseDirectory.root = folder
        config.CourseDirectory.assignment_id = name
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
        course = CourseDirectory(config=config, log=log)
        try:
            GenerateAssignment(coursedir=course, config=config, log=log).start()
        except Exception as error:  # nbgrader raises many kinds, SystemExit not among them
            # The first traceback is that of the cause; the others say that something failed.
            reason = next((line for line in record.lines if "Error: " in line), str(error))
            raise InputError(f"nbgrader makes no release of {name}: {reason}") from None
        return Path(folder, "release", name, f"{name}.ipynb").read_text(encoding="utf-8")
