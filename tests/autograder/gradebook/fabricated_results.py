"""Results to record, without grading anything."""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from autograder import cells, course
from autograder.results import files
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult

# One grey pixel, and one black one.
GREY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
BLACK = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="


@dataclass
class Student:
    """What a fabricated submission is like; where nothing is said every answer is right, and written ones are there.

    `verdicts` holds (verdict, message) by exercise, `written` texts of written answers (None: nothing is written),
    `code` text added to answers, `plot` the picture in every cell that keeps the student's outputs.
    """

    verdicts: dict[str, tuple[str, str]] = field(default_factory=dict)
    written: dict[str, str | None] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    plot: str = GREY


def write_results(folder: Path, students: dict[str, Student], *, assignment: str = "vae") -> Path:
    """Write results.json and executed/ as `autograder grade` does."""
    source = course.read_source(assignment)
    submissions = []
    for name, student in sorted(students.items()):
        notebook, exercises = copy.deepcopy(source), []
        for cell in notebook.cells:
            kept = cell.cell_type == "code" and not cells.is_executed_in_grading(cell)
            exercise = cells.exercise_name(cell)
            if kept:
                cell.outputs = [nbformat.v4.new_output("display_data", {"image/png": student.plot})]
            if cells.is_fixme(cell):
                cell.source += student.code.get(exercise, "")
            elif cells.is_tests(cell):
                verdict, message = student.verdicts.get(exercise, ("pass", ""))
                cell.outputs = [nbformat.v4.new_output("stream", text=f"{verdict}: {message}\n")]
                score = cells.points(cell) if verdict == "pass" else 0.0
                exercises.append((exercise, verdict, score, cells.points(cell), message))
            elif cells.is_written(cell):
                text = student.written.get(exercise, f"My answer to {exercise}.")
                cell.source = text if text is not None else cell.source
                verdict = "missing" if text is None else "manual"
                exercises.append((exercise, verdict, 0.0, cells.points(cell), ""))
        results = [
            ExerciseResult(id=f"{assignment}.{id}", verdict=verdict, score=score, max_score=most, message=message)
            for id, verdict, score, most, message in exercises
        ]
        manual = sum(cells.points(cell) for cell in source.cells if cells.is_written(cell))
        submissions.append(
            SubmissionResult(
                student=name,
                path=f"nowhere/{name}.ipynb",
                digest="0" * 64,
                score=sum(item.score for item in results),
                max_score=sum(item.max_score for item in results) - manual,
                manual_max_score=manual,
                exercises=results,
                repairs=[],
            )
        )
        path = files.notebook_path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")
    run = RunResult(assignment=assignment, digest="1" * 64, budget="smoke", sandbox=True, submissions=submissions)
    (folder / "results.json").write_text(run.model_dump_json(), encoding="utf-8")
    return folder
