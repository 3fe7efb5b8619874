"""A small assignment, runs of it and pictures, made by hand."""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.reports.report import write_report
from autograder.results import files
from autograder.results.model import ExerciseResult, Repair, RunResult, SubmissionResult

STUB = "*Write your answer here.*"


def _metadata(grade_id: str, grade: bool = False, solution: bool = False, points: float = 0) -> dict:
    flags = {"grade": grade, "solution": solution, "locked": not solution, "points": points}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, "task": False, **flags}}


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.fixture
def make_png() -> Callable[..., str]:
    """A function that returns base64 of a one-coloured PNG file; `claimed` is the size that its header states."""

    def make(width: int = 40, height: int = 30, grey: int = 128, claimed: tuple[int, int] | None = None) -> str:
        header = struct.pack(">IIBBBBB", *(claimed or (width, height)), 8, 0, 0, 0, 0)
        pixels = zlib.compress((b"\0" + bytes([grey]) * width) * height)
        chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
        return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()

    return make


@pytest.fixture
def source() -> NotebookNode:
    """The instructor's version: two exercises, one written question, a cell that plots."""
    rubric = "### BEGIN MARK SCHEME\n# SECRET-RUBRIC\n### END MARK SCHEME"
    solution = "# exercise: kl\n### BEGIN SOLUTION\nSECRET_SOLUTION\n### END SOLUTION"
    hidden = "assert True\n### BEGIN HIDDEN TESTS\nSECRET_TEST\n### END HIDDEN TESTS"
    cells = [
        new_markdown_cell("# The **little** notebook\n\n```\n# not a heading\n```", metadata=_metadata("cell-1")),
        new_markdown_cell("## 1 The `KL` term", metadata=_metadata("cell-2")),
        new_code_cell(solution, metadata=_metadata("kl", solution=True)),
        new_code_cell(hidden, metadata=_metadata("test_kl", grade=True, points=2)),
        new_code_cell("show()", metadata=_metadata("cell-3")),
        new_markdown_cell(f"Explain it.\n{rubric}", metadata=_metadata("question_why")),
        new_markdown_cell(STUB, metadata=_metadata("why", grade=True, solution=True, points=3)),
        new_markdown_cell("## 2 A [map](https://example.org)", metadata=_metadata("cell-4")),
        new_code_cell("# exercise: grid\nSECRET_SOLUTION", metadata=_metadata("grid", solution=True)),
        new_code_cell(hidden, metadata=_metadata("test_grid", grade=True, points=1.5)),
    ]
    return new_notebook(cells=cells)


@pytest.fixture
def executed(source: NotebookNode) -> Callable[..., NotebookNode]:
    """A function that returns an executed notebook: lists of mime bundles by cell id, and the written answer."""

    def make(outputs: dict[str, list[dict]] | None = None, answer: str = STUB) -> NotebookNode:
        notebook = NotebookNode(source, cells=[NotebookNode(cell) for cell in source.cells])
        for cell in notebook.cells:
            name = cell.metadata["nbgrader"]["grade_id"]
            if name == "why":
                cell["source"] = answer
            if cell.cell_type == "code":
                bundles = (outputs or {}).get(name, [])
                cell["outputs"] = [new_output("display_data", data=bundle) for bundle in bundles]
        return notebook

    return make


@pytest.fixture
def submission() -> Callable[..., SubmissionResult]:
    """A function that returns one student's result; `kl` and `grid` are verdict, message, mistake."""

    def make(
        student: str,
        kl: tuple = ("pass", "", None),
        grid: tuple = ("pass", "", None),
        repairs: tuple[Repair, ...] = (),
    ) -> SubmissionResult:
        exercises = [ExerciseResult(id="little.why", verdict="manual", score=0, max_score=3)]
        for name, most, (verdict, message, mistake) in (("kl", 2, kl), ("grid", 1.5, grid)):
            score = most if verdict == "pass" else 0
            exercises.append(
                ExerciseResult(
                    id=f"little.{name}",
                    verdict=verdict,
                    score=score,
                    max_score=most,
                    message=message,
                    mistake=mistake,
                )
            )
        return SubmissionResult(
            student=student,
            path="/nowhere/little.ipynb",
            digest="0123456789abcdef",
            score=sum(exercise.score for exercise in exercises),
            max_score=3.5,
            manual_max_score=3,
            exercises=exercises,
            repairs=list(repairs),
        )

    return make


@pytest.fixture
def make_run() -> Callable[..., RunResult]:
    """A function that returns the run of some submissions."""

    def make(*submissions: SubmissionResult, sandbox: bool = True) -> RunResult:
        return RunResult(
            assignment="little", digest="feedbeef", budget="smoke", sandbox=sandbox, submissions=list(submissions)
        )

    return make


@pytest.fixture
def hostile_name() -> str:
    return "<script>document.title='ran'</script>[bold]eve[/bold]\x1b[31m\x1b]0;owned\x07\u202e"


@pytest.fixture
def write_class(tmp_path, source) -> Callable[..., Path]:
    """A function that writes the report on a run and the executed notebooks of its students, and returns the folder."""

    def write(run: RunResult, notebooks: dict[str, NotebookNode] | None = None, **options) -> Path:
        for student, notebook in (notebooks or {}).items():
            files.write(files.notebook_path(tmp_path, student), json.dumps(notebook))
        write_report(tmp_path, run, source, **options)
        return tmp_path

    return write


@pytest.fixture
def hostile_report(submission, make_run, executed, write_class, make_png, hostile_name) -> Path:
    """The folder of a report in which every text that a student controls tries to run a script or to load something."""
    attack = "<script>document.title='ran'</script><img src='http://127.0.0.1:9/x' onerror=\"document.title='ran'\">"
    unbroken = attack + "x" * 500
    repair = Repair(exercise=f"little.{attack}", how="name", confidence=0.5, what=unbroken)
    outputs = [
        {"text/html": attack, "image/svg+xml": f"<svg onload=\"document.title='ran'\">{attack}</svg>"},
        {"image/png": "\"><script>document.title='ran'</script>"},
        {"image/png": base64.b64encode(b"<svg onload=alert(1)>").decode()},
        {"image/png": make_png(1200, 300)},
    ]
    run = make_run(
        submission(hostile_name, kl=("fail", unbroken, attack), grid=("error", attack, None), repairs=(repair,)),
        submission("ada"),
        submission("y" * 90, kl=("crashed", "", None), grid=("missing", "z" * 400, None)),
    )
    notebook = executed({"cell-3": outputs}, answer=f"</pre></style>{unbroken}")
    for cell in notebook.cells:
        if cell.metadata["nbgrader"]["grade_id"] in ("kl", "grid"):
            cell["source"] = f"# exercise: {cell.metadata['nbgrader']['grade_id']}\n</pre></script>{unbroken}\n"
    return write_class(run, {hostile_name: notebook})
