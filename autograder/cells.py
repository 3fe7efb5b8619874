"""What the cells of a notebook are: what `fixmelab.cells` says of any, and more of those of a source."""

from typing import Any

from fixmelab.cells import (
    ANCHOR as ANCHOR,
)
from fixmelab.cells import (
    ANSWER_STUB as ANSWER_STUB,
)
from fixmelab.cells import (
    HINTS_PREFIX as HINTS_PREFIX,
)
from fixmelab.cells import (
    NOT_EXECUTED as NOT_EXECUTED,
)
from fixmelab.cells import (
    PREDICT_PREFIX as PREDICT_PREFIX,
)
from fixmelab.cells import (
    PREDICTION_PREFIX as PREDICTION_PREFIX,
)
from fixmelab.cells import (
    PREDICTION_STUB as PREDICTION_STUB,
)
from fixmelab.cells import (
    QUESTION_PREFIX as QUESTION_PREFIX,
)
from fixmelab.cells import (
    TEST_PREFIX as TEST_PREFIX,
)
from fixmelab.cells import (
    TESTS as TESTS,
)
from fixmelab.cells import (
    anchors as anchors,
)
from fixmelab.cells import (
    exercise_name as exercise_name,
)
from fixmelab.cells import (
    grade_id as grade_id,
)
from fixmelab.cells import (
    is_answer as is_answer,
)
from fixmelab.cells import (
    is_executed_in_grading as is_executed_in_grading,
)
from fixmelab.cells import (
    is_fixme as is_fixme,
)
from fixmelab.cells import (
    is_prediction as is_prediction,
)
from fixmelab.cells import (
    is_tests as is_tests,
)
from fixmelab.cells import (
    is_written as is_written,
)
from fixmelab.cells import (
    nbgrader_metadata as nbgrader_metadata,
)
from fixmelab.cells import (
    points as points,
)
from fixmelab.cells import (
    tags as tags,
)


def written_ids(source: Any, assignment: str) -> frozenset[str]:
    """The ids, "ASSIGNMENT.NAME", of the exercises of a source that a person grades."""
    return frozenset(f"{assignment}.{exercise_name(cell)}" for cell in source.cells if is_written(cell))


def exercises_and_points(source: Any) -> tuple[int, float]:
    """How many exercises a source has, judged and written, and what they are worth together."""
    graded = [cell for cell in source.cells if is_tests(cell) or is_written(cell)]
    return len(graded), sum(map(points, graded))
