"""What a submission loses or gains beside its marks: nbgrader's penalty for late work, and the rules of the course."""

from nbgrader.api import SubmittedAssignment
from nbgrader.preprocessors import AssignLatePenalties

from autograder.gradebook.settings import Course


def nbgraders_lateness(submission: SubmittedAssignment) -> float:
    """By how many seconds it is late, by the gradebook's due date and extension; 0 if there is no due date."""
    return float(submission.total_seconds_late) if submission.assignment.duedate else 0.0


def nbgraders_penalty(submission: SubmittedAssignment, target: Course) -> float | None:
    """The points that the course's own plugin for late submissions takes off; None if it takes none."""
    late = nbgraders_lateness(submission)
    if late <= 0:
        return None
    step = AssignLatePenalties(config=target.config)
    step.init_plugin()
    score = float(submission.score)
    penalty = step.plugin_inst.late_submission_penalty(submission.student_id, score, late)
    return None if penalty is None else min(max(float(penalty), 0.0), score)
