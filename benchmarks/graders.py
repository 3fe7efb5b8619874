"""The graders that are compared. Each gets a folder of its own, and each is one command that grades all copies."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import copies
import nbformat
from measuring import BenchmarkError
from nbformat import NotebookNode

from autograder import cells, course

OTTER = Path(__file__).resolve().parent / ".otter"
# One torch thread each: on two cores nbgrader is not faster with more, and every grader has the same.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "FIXMELAB_BUDGET": "smoke",
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


@dataclass(frozen=True)
class Prepared:
    """A grader that is ready to start. `marks` reads, after the command, what each student got."""

    command: list[str]
    folder: Path
    marks: Callable[[], dict[str, float]]

    def start(self) -> subprocess.Popen:
        """Start the command in its folder; what it says goes to log.txt there."""
        environment = os.environ | ENVIRONMENT | {"FIXMELAB_WORK": str(self.folder / "work")}
        with (self.folder / "log.txt").open("wb") as log:
            return subprocess.Popen(self.command, cwd=self.folder, env=environment, stdout=log, stderr=log)


def fixmelab(folder: Path, submissions: dict[str, NotebookNode]) -> Prepared:
    """This project: the command line, two jobs, the sandbox on."""
    _write(folder / "submitted", submissions)
    out = folder / "out"
    command = [sys.executable, "-m", "autograder", "grade", copies.ASSIGNMENT, str(folder / "submitted")]

    def marks() -> dict[str, float]:
        run = json.loads((out / "results.json").read_text(encoding="utf-8"))
        if not run["sandbox"]:
            raise BenchmarkError("fixmelab graded without its sandbox")
        return {item["student"]: item["score"] for item in run["submissions"]}

    return Prepared([*command, "--jobs", "2", "--out", str(out)], folder, marks)


def nbgrader(folder: Path, submissions: dict[str, NotebookNode]) -> Prepared:
    """Plain nbgrader: a course with a gradebook, one process for all copies, hidden tests included."""
    name = copies.ASSIGNMENT
    (folder / "source" / name).mkdir(parents=True)
    nbformat.write(copies.source(), folder / "source" / name / f"{name}.ipynb")
    shutil.copy(course.ROOT / "nbgrader_config.py", folder)
    _write(folder / "submitted", submissions)
    command = [sys.executable, "-m", "nbgrader"]
    _run([*command, "generate_assignment", name], folder)

    def marks() -> dict[str, float]:
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{folder}/gradebook.db", "fixmelab") as gradebook:
            return {
                submission.student.id: sum(
                    grade.auto_score or 0.0
                    for grade in submission.notebooks[0].grades
                    if grade.name.startswith(cells.TEST_PREFIX)
                )
                for submission in gradebook.assignment_submissions(name)
            }

    return Prepared([*command, "autograde", name], folder, marks)


def otter(folder: Path, submissions: dict[str, NotebookNode]) -> Prepared:
    """Otter-grader without containers: `otter run` for one copy after the other, the visible tests only."""
    return _otter(folder, submissions, "run")


def otter_api(folder: Path, submissions: dict[str, NotebookNode]) -> Prepared:
    """The same through otter's API: all copies in one process, which saves most of its start-up."""
    return _otter(folder, submissions, "api")


def _otter(folder: Path, submissions: dict[str, NotebookNode], way: str) -> Prepared:
    python = OTTER / "bin" / "python"
    if not python.exists():
        raise BenchmarkError("otter-grader's environment is missing: run `make benchmark`, which sets it up")
    (folder / "tests").mkdir(parents=True)
    for name, text in copies.otter_tests().items():
        (folder / "tests" / f"{name}.py").write_text(text, encoding="utf-8")
    _run([str(python), "-m", "otter", "generate", "-t", "tests", "-o", "autograder.zip"], folder)
    (folder / "submitted").mkdir()
    paths = {student: folder / "submitted" / f"{student}.ipynb" for student in submissions}
    for student, path in paths.items():
        nbformat.write(copies.for_otter(submissions[student]), path)
    program = str(Path(__file__).with_name("grade_with_otter.py"))

    def marks() -> dict[str, float]:
        return {Path(path).stem: score for path, score in json.loads((folder / "marks.json").read_text()).items()}

    return Prepared(
        [str(python), program, way, "autograder.zip", "marks.json", *map(str, paths.values())], folder, marks
    )


def require_full_marks(name: str, prepared: Prepared, code: int, count: int) -> None:
    """Raises BenchmarkError unless the command ended well and every one of `count` students got every point."""
    log = prepared.folder / "log.txt"
    if code:
        raise BenchmarkError(f"{name} ended with exit code {code}:\n{log.read_text(errors='replace')[-2000:]}")
    full = copies.automatic_points()
    marks = prepared.marks()
    if len(marks) != count or set(marks.values()) != {full}:
        lowest = min(marks.values(), default=0.0)
        raise BenchmarkError(
            f"{name} gave marks to {len(marks)} of {count} solved notebooks, the lowest {lowest:g} of {full:g} points: "
            "its speed means nothing"
        )


PEERS = {"nbgrader": nbgrader, "otter": otter, "otter-api": otter_api}


def _write(folder: Path, submissions: dict[str, NotebookNode]) -> None:
    name = copies.ASSIGNMENT
    for student, notebook in submissions.items():
        (folder / student / name).mkdir(parents=True)
        nbformat.write(notebook, folder / student / name / f"{name}.ipynb")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=os.environ | ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
