"""A run as the CSV file that Canvas's gradebook imports, without one that Canvas exported."""

import csv
from collections.abc import Iterable

from autograder.exports.filling import Gradebook
from autograder.exports.platform import CANVAS
from autograder.exports.roster import POINTS_POSSIBLE
from autograder.exports.spreadsheet import as_csv, guarded
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.text import number

IDENTITY = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


def canvas(run: RunResult, *, excused: Iterable[SubmissionResult] = (), column: str | None = None) -> Gradebook:
    """A file without a roster: Canvas finds students by ID, or else by SIS Login ID, for which their names in the
    results are given.

    `excused` are results of people who are excused and have none. `column` is the assignment's column in Canvas,
    "TITLE (ID)"; the assignment's name where it is not given.
    """
    most = max((submission.max_score for submission in run.submissions), default=0.0)
    rows = [[*IDENTITY, column or run.assignment], [f"    {POINTS_POSSIBLE}", "", "", "", "", number(most)]]
    for submission in [*run.submissions, *excused]:
        name, id = guarded(submission.student), submission.number_in("canvas")
        # Not the name as a login, too, if the number is known: students choose the names that they show.
        points = CANVAS.excused if submission.excused else number(submission.score)
        rows.append([name, id, "", "" if id else name, "", points])
    note = "without --roster Canvas matches students by their login: check what it shows before you confirm"
    # All in quotes, as in `spreadsheet`.
    return Gradebook(as_csv(rows, quoting=csv.QUOTE_ALL), len(rows) - 2, [note])
