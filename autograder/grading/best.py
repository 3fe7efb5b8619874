"""Which of several graded attempts of a student counts, if the course wants the best."""

from collections import defaultdict

from autograder.points.adjusting import adjusted_submission
from autograder.points.rules import read_rules
from autograder.results.model import SubmissionResult
from autograder.results.text import name_line, number


def best_of(assignment: str, results: list[SubmissionResult], notes: list[str] | None = None) -> list[SubmissionResult]:
    """One result a student: of several the one with the most automatic points after late work, of equals the last.

    `notes` gets a line on each student with several. Raises InputError for rules that are wrong.
    """
    attempts: dict[str, list[SubmissionResult]] = defaultdict(list)
    for result in results:
        attempts[result.student].append(result)
    if len(attempts) == len(results):
        return results
    rules, best = read_rules(assignment), []
    for student, own in attempts.items():
        scores = [adjusted_submission(item, rules).score for item in own]
        at = max(range(len(own)), key=lambda place: (scores[place], place))
        best.append(own[at])
        if len(own) > 1 and notes is not None:
            points = ", ".join(map(number, scores))
            notes.append(
                f"{own[at].path}: counts for {name_line(student, 80)}, the best of {len(own)} ({points} points)"
            )
    return best
