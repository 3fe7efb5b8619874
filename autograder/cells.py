"""What the cells of a notebook are: what `fixmelab.cells` says of any, and more of those of a source."""

import re
from typing import Any

from fixmelab.cells import (
    ANCHOR,
    ANSWER_STUB,
    HINTS_PREFIX,
    NOT_EXECUTED,
    PREDICT_PREFIX,
    PREDICTION_PREFIX,
    PREDICTION_STUB,
    QUESTION_PREFIX,
    TEST_PREFIX,
    TESTS,
    anchors,
    exercise_name,
    grade_id,
    is_answer,
    is_executed_in_grading,
    is_fixme,
    is_prediction,
    is_tests,
    is_written,
    nbgrader_metadata,
    points,
    tags,
    whose,
)

__all__ = [
    "ANCHOR",
    "ANSWER_STUB",
    "HINTS_PREFIX",
    "NOT_EXECUTED",
    "PREDICTION_PREFIX",
    "PREDICTION_STUB",
    "PREDICT_PREFIX",
    "QUESTION_PREFIX",
    "TESTS",
    "TEST_PREFIX",
    "anchors",
    "exercise_name",
    "exercises_and_points",
    "grade_id",
    "is_answer",
    "is_executed_in_grading",
    "is_fixme",
    "is_prediction",
    "is_tests",
    "is_written",
    "nbgrader_metadata",
    "points",
    "tags",
    "whose",
    "without_worth",
    "written_ids",
]


# What build writes below an anchor: "# 2 points, about 15 minutes".
_WORTH = re.compile(rf"({ANCHOR.pattern}\n[ \t]*# )[\d.e+]+ points?(?:, about .*)?$", re.MULTILINE)


def without_worth(code: str) -> str:
    """The code of a cell, whatever its exercises are worth: as many lines, but without points and minutes."""
    return _WORTH.sub(r"\1", code)


def written_ids(source: Any, assignment: str) -> frozenset[str]:
    """The ids, "ASSIGNMENT.NAME", of the exercises of a source that a person grades."""
    return frozenset(f"{assignment}.{exercise_name(cell)}" for cell in source.cells if is_written(cell))


def exercises_and_points(source: Any) -> tuple[int, float]:
    """How many exercises a source has, judged and written, and what they are worth together."""
    graded = [cell for cell in source.cells if is_tests(cell) or is_written(cell)]
    return len(graded), sum(map(points, graded))
