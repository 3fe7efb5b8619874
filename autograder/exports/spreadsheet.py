"""A run as CSV for a spreadsheet: a row a student."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Literal

from autograder.results.model import RunResult, SubmissionResult
from autograder.results.text import number, one_line

# Without it Excel reads UTF-8 as the machine's own encoding. Python and pandas skip it.
BOM = "\ufeff"
# What makes a spreadsheet take a cell for a formula; some programs fold the full-width forms.
FORMULA = tuple("=+-@＝＋－＠")


def spreadsheet(run: RunResult) -> str:
    """The CSV text: student, the score of each exercise, total, max, points by hand, state, late, groups and adjusted.

    An exercise that a person grades has an empty cell until then, and does not count in total and max; so has one
    whose check failed, which does count in max. `state` is "graded", "by hand" if a person has to grade something,
    "empty" if nothing was answered, "fault" if a check failed, or "excused", and then there is no total. `late` is
    "no", "unknown", how many hours or days have begun, or empty if there is no due date. UTF-8 with a byte-order mark,
    for Excel; no cell begins a formula.
    """
    ids = list(dict.fromkeys(exercise.id for submission in run.submissions for exercise in submission.exercises))
    header = ["student", *ids, "total", "max", "max by hand", "state", "late", "groups", "adjusted"]
    rows = [[guarded(name) for name in header]]
    for submission in run.submissions:
        decided = [item for item in submission.exercises if not item.is_open]
        scores = {item.id: number(item.score) for item in decided}
        rows.append(
            [
                guarded(submission.student),
                *(scores.get(id, "") for id in ids),
                "" if submission.excused else number(submission.score),
                number(submission.max_score),
                number(submission.manual_max_score),
                state(submission),
                submission.late,
                guarded(" ".join(submission.groups)),
                guarded("; ".join(submission.adjustments)),
            ]
        )
    # All in quotes: Excel of some countries splits at semicolons, and what follows one could begin a formula.
    return BOM + as_csv(rows, quoting=csv.QUOTE_ALL)


def state(submission: SubmissionResult) -> str:
    """What is left to do: "graded", "by hand", "empty", "fault" or "excused"."""
    verdicts = {exercise.verdict for exercise in submission.exercises}
    if submission.excused:
        return "excused"
    if submission.has_fault:
        return "fault"
    if verdicts <= {"missing"}:
        return "empty"
    return "by hand" if submission.waiting else "graded"


def guarded(text: str) -> str:
    """Text as one line that no spreadsheet takes for a formula: an apostrophe before what could begin one."""
    line = one_line(text)
    return f"'{line}" if line.startswith(FORMULA) else line


def as_csv(
    rows: Iterable[Sequence[str]], delimiter: str = ",", quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL
) -> str:
    """Rows as CSV text with the line ends of RFC 4180."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=quoting).writerows(rows)
    return text.getvalue()
