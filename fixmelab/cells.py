"""What the cells of a notebook are: read from nbgrader's metadata and from the exercise anchors."""

import re
from typing import Any, Literal

Whose = Literal["course", "test", "answer", "student"]

ANCHOR = re.compile(r"^[ \t]*# exercise: ([A-Za-z_]\w*)[ \t]*$", re.MULTILINE)
TESTS = re.compile(r"\A\s*# tests: ([A-Za-z_]\w*)[ \t]*$", re.MULTILINE)
TEST_PREFIX = "test_"
QUESTION_PREFIX = "question_"
PREDICT_PREFIX = "predict_"
PREDICTION_PREFIX = "prediction_"
HINTS_PREFIX = "hints_"
ANSWER_STUB = "*Write your answer here.*"
PREDICTION_STUB = "*Write what you expect here.*"
NOT_EXECUTED = frozenset({"train", "keep"})


def nbgrader_metadata(cell: Any) -> dict:
    """The cell's nbgrader metadata, or an empty dict where there is none or it is damaged."""
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, dict) else {}


def grade_id(cell: Any) -> str:
    """nbgrader's id of the cell, or an empty string."""
    found = nbgrader_metadata(cell).get("grade_id", "")
    return found if isinstance(found, str) else ""


def anchors(cell: Any) -> list[str]:
    """Names of the exercises whose `# exercise: NAME` lines stand in a code cell, in order."""
    return ANCHOR.findall(cell["source"]) if cell["cell_type"] == "code" else []


def is_fixme(cell: Any) -> bool:
    """A code cell in which the student writes an answer."""
    data = nbgrader_metadata(cell)
    return bool(data.get("solution")) and not data.get("grade")


def is_tests(cell: Any) -> bool:
    """A locked code cell that earns an exercise's points."""
    data = nbgrader_metadata(cell)
    return bool(data.get("grade")) and not data.get("solution")


def is_written(cell: Any) -> bool:
    """A Markdown cell in which the student writes an answer that a person grades."""
    data = nbgrader_metadata(cell)
    return bool(data.get("grade")) and bool(data.get("solution"))


def is_prediction(cell: Any) -> bool:
    """A Markdown cell in which the student writes what they expect to see. Nobody grades it, and nbgrader passes it
    over: it would take no solution in Markdown that has no points."""
    is_open = not any(nbgrader_metadata(cell).get(flag) for flag in ("grade", "solution", "locked"))
    return is_open and grade_id(cell).startswith(PREDICTION_PREFIX)


def is_answer(cell: Any) -> bool:
    """A cell that belongs to the student: FIXME, written or prediction."""
    return bool(nbgrader_metadata(cell).get("solution")) or is_prediction(cell)


def exercise_name(cell: Any) -> str:
    """Name of the exercise that a test cell or a written cell earns points for."""
    return grade_id(cell).removeprefix(TEST_PREFIX) if is_tests(cell) else grade_id(cell)


def points(cell: Any) -> float:
    return float(nbgrader_metadata(cell).get("points", 0.0))


def tags(cell: Any) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))


def whose(cell: Any, *, is_students: bool) -> Whose:
    """Whose a cell is when it is executed; `is_students` says that it is the student's own or came out of one."""
    if is_students:
        return "answer" if is_fixme(cell) else "student"
    return "test" if is_tests(cell) else "course"


def is_executed_in_grading(cell: Any) -> bool:
    """Code cells run in grading, but for those tagged `train` or `keep`: their outputs are the student's."""
    return cell["cell_type"] == "code" and not NOT_EXECUTED & set(tags(cell))
