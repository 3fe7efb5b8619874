"""What decides a result, beside the submission."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autograder.errors import SandboxError
from autograder.sandbox.limits import Limits

# Late, so that the crew starts at once: see workers.py.
if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.judge.exercise import Exercise
    from autograder.points.course_file import Messages
    from autograder.results.model import Budget


@dataclass(frozen=True)
class Grading:
    """How submissions are graded. It travels whole, from the run to its workers.

    Exercises, their order and their points are those of `source`, the instructor's notebook. `key` is the course's
    secret, from which the inputs of the checks are drawn. `exercises` holds the checks by id, or nothing for those of
    the assignment; `others` the sources of other assignments, for a submission that belongs to one of them. `messages`
    is how much students are told.
    """

    assignment: str
    source: "NotebookNode"
    key: bytes = field(repr=False)
    budget: "Budget" = "smoke"
    limits: Limits = Limits()
    sandbox: bool = True
    exercises: Mapping[str, "Exercise"] | None = None
    others: Mapping[str, "NotebookNode"] = field(default_factory=dict)
    messages: "Messages" = "full"

    def checks(self) -> dict[str, "Exercise"]:
        """The checks by name of the exercise. Raises SandboxError if they cannot be imported: that is no submission's
        doing."""
        from autograder.assignments import exercises_of

        try:
            found = self.exercises or exercises_of(self.assignment)
        except Exception as error:
            why = f"{type(error).__name__}: {str(error)[:200]}"
            raise SandboxError(f"the checks of {self.assignment} cannot be imported ({why}); mend them") from None
        return {item.name: item for item in found.values()}
