"""The graders that are compared. Each works in a folder of its own and grades, by one command, all that lies there."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import copies
import nbformat
from measuring import BenchmarkError
from nbformat import NotebookNode

from autograder import cells, course

PEERS_PYTHON = str(Path(__file__).resolve().parent / ".peers" / "bin" / "python")
# One torch thread each: on two cores nbgrader is not faster with more, and every grader has the same.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "FIXMELAB_BUDGET": "smoke",
    # Templates of nbconvert, which the peers' environment sees no more than any other file that is no module.
    "JUPYTER_PATH": str(Path(sys.prefix, "share", "jupyter")),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}

_NBGRADERS_OWN_STEPS = """
from nbgrader.converters import Autograde

c.Autograde.autograde_preprocessors = list(Autograde.class_traits()["autograde_preprocessors"].default())
"""


class Grader(Protocol):
    """How a grader is used: a folder is set up for an assignment, work is handed in, a command grades it."""

    def set_up(self, folder: Path, source: NotebookNode) -> None:
        """Make of an empty folder what an instructor has who gives out the notebook `source`."""

    def hand_in(self, folder: Path, student: str, notebook: NotebookNode) -> None:
        """Put a solved notebook where this grader looks for it."""

    def command(self, folder: Path, students: list[str]) -> list[str]:
        """What grades the notebooks of `students`; it is run in the folder, with ENVIRONMENT."""

    def marks(self, folder: Path) -> dict[str, float]:
        """Student → the points that the grader gave without a person, for all whom it gave any mark."""


class Fixmelab:
    """This project: the command line, two jobs, the sandbox on."""

    def __init__(self, *options: str) -> None:
        self.options = options

    def set_up(self, folder: Path, source: NotebookNode) -> None:
        pass  # the source is the repository's

    def hand_in(self, folder: Path, student: str, notebook: NotebookNode) -> None:
        _write(folder / "submitted", student, notebook)

    def command(self, folder: Path, students: list[str]) -> list[str]:
        grade = [sys.executable, "-m", "autograder", "grade", copies.ASSIGNMENT, str(folder / "submitted")]
        return [*grade, "--jobs", "2", "--out", str(folder / "out"), *self.options]

    def marks(self, folder: Path) -> dict[str, float]:
        run = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
        if not run["sandbox"]:
            raise BenchmarkError("fixmelab graded without its sandbox")
        return {item["student"]: item["score"] for item in run["submissions"]}


class Nbgrader:
    """Plain nbgrader: a course with a gradebook, one process for all notebooks, hidden tests included."""

    def __init__(self, *options: str) -> None:
        self.options = options

    def set_up(self, folder: Path, source: NotebookNode) -> None:
        name = copies.ASSIGNMENT
        (folder / "source" / name).mkdir(parents=True)
        nbformat.write(source, folder / "source" / name / f"{name}.ipynb")
        (folder / "nbgrader_config.py").write_text(_config(), encoding="utf-8")
        _run([sys.executable, "-m", "nbgrader", "generate_assignment", name], folder)

    def hand_in(self, folder: Path, student: str, notebook: NotebookNode) -> None:
        _write(folder / "submitted", student, notebook)

    def command(self, folder: Path, students: list[str]) -> list[str]:
        return [sys.executable, "-m", "nbgrader", "autograde", copies.ASSIGNMENT, *self.options]

    def marks(self, folder: Path) -> dict[str, float]:
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{folder}/gradebook.db", "fixmelab") as gradebook:
            return {
                submission.student.id: sum(
                    grade.auto_score or 0.0
                    for grade in submission.notebooks[0].grades
                    if grade.name.startswith(cells.TEST_PREFIX)
                )
                for submission in gradebook.assignment_submissions(copies.ASSIGNMENT)
            }


@dataclass(frozen=True)
class _OneByOne:
    """A peer that grades one notebook after the other, by an archive with its tests. `way` is one of grade_each.py's,
    and `seconds` how long the grading of each notebook may take."""

    way: str
    seconds: float = 3600.0

    def set_up(self, folder: Path, source: NotebookNode) -> None:
        if not Path(PEERS_PYTHON).exists():
            raise BenchmarkError("the peers' environment is missing: run `make benchmarks/.peers/ready`")
        self.write_archive(folder, source)

    def write_archive(self, folder: Path, source: NotebookNode) -> None:
        """Write autograder.zip."""
        raise NotImplementedError

    def given_out(self, notebook: NotebookNode) -> NotebookNode:
        """The notebook as this peer's students have it."""
        raise NotImplementedError

    def hand_in(self, folder: Path, student: str, notebook: NotebookNode) -> None:
        (folder / "submitted").mkdir(exist_ok=True)
        nbformat.write(self.given_out(notebook), folder / "submitted" / f"{student}.ipynb")

    def command(self, folder: Path, students: list[str]) -> list[str]:
        program = str(Path(__file__).with_name("grade_each.py"))
        notebooks = [str(folder / "submitted" / f"{student}.ipynb") for student in students]
        return [PEERS_PYTHON, program, self.way, "autograder.zip", "marks.json", str(self.seconds), *notebooks]

    def marks(self, folder: Path) -> dict[str, float]:
        marks: dict[str, float] = json.loads((folder / "marks.json").read_text(encoding="utf-8"))
        return marks


@dataclass(frozen=True)
class Otter(_OneByOne):
    """Otter-grader without containers.

    Its way is "otter", the command `otter run` for each notebook, or "otter-api", what is behind it in one process,
    which saves most of its start-up. `hidden` says whether hidden tests are among the tests.
    """

    way: str = "otter"
    hidden: bool = False

    def write_archive(self, folder: Path, source: NotebookNode) -> None:
        (folder / "tests").mkdir(parents=True)
        for name, text in copies.otter_tests(source, hidden=self.hidden).items():
            (folder / "tests" / f"{name}.py").write_text(text, encoding="utf-8")
        _run([PEERS_PYTHON, "-m", "otter", "generate", "-t", "tests", "-o", "autograder.zip"], folder)

    def given_out(self, notebook: NotebookNode) -> NotebookNode:
        return copies.for_otter(notebook)


@dataclass(frozen=True)
class GradescopeUtils(_OneByOne):
    """gradescope-utils as in Gradescope's example for Python, without a container: tests import what was handed in."""

    way: str = "gradescope"

    def write_archive(self, folder: Path, source: NotebookNode) -> None:
        made = folder / "tests"
        for name, text in copies.gradescope_archive(source).items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_text(text, encoding="utf-8")
        shutil.make_archive(str(folder / "autograder"), "zip", made)

    def given_out(self, notebook: NotebookNode) -> NotebookNode:
        return copies.for_gradescope(notebook)


PEERS: Mapping[str, Callable[[], Grader]] = {
    "nbgrader": Nbgrader,
    "otter": Otter,
    "otter-api": lambda: Otter("otter-api"),
}


def start(command: list[str], folder: Path) -> subprocess.Popen:
    """Start a grader's command in its folder; what it says goes to log.txt there."""
    environment = os.environ | ENVIRONMENT | {"FIXMELAB_WORK": str(folder / "work")}
    with (folder / "log.txt").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def require_full_marks(name: str, grader: Grader, folder: Path, code: int, count: int) -> None:
    """Raises BenchmarkError unless the command ended well and every one of `count` students got every point."""
    if code:
        log = (folder / "log.txt").read_text(errors="replace")
        raise BenchmarkError(f"{name} ended with exit code {code}:\n{log[-2000:]}")
    full = copies.automatic_points(copies.source())
    marks = grader.marks(folder)
    if len(marks) != count or set(marks.values()) != {full}:
        lowest = min(marks.values(), default=0.0)
        raise BenchmarkError(
            f"{name} gave marks to {len(marks)} of {count} solved notebooks, the lowest {lowest:g} of {full:g} points: "
            "its speed means nothing"
        )


def _config() -> str:
    """The course's configuration, but test cells are run by nbgrader's own step, not by this project's."""
    return (course.ROOT / "nbgrader_config.py").read_text(encoding="utf-8") + _NBGRADERS_OWN_STEPS


def _write(folder: Path, student: str, notebook: NotebookNode) -> None:
    name = copies.ASSIGNMENT
    (folder / student / name).mkdir(parents=True)
    nbformat.write(notebook, folder / student / name / f"{name}.ipynb")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=os.environ | ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
