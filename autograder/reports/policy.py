"""When CI is to fail on a result: never, under a score, or on any exercise that is not right."""

import math
import re
from dataclasses import dataclass
from typing import Literal

from autograder.errors import UsageError
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.text import exercise_label, listed, name_line, number, one_line

_UNDER = re.compile(r"under=(\d{1,6}(?:\.\d{1,6})?)(%?)", re.ASCII)
_EARNED = ("pass", "manual")  # what a person grades is not for CI to fail on
_MOST_NAMED = 5


@dataclass(frozen=True)
class Policy:
    """`least` belongs to "under": points, or a share of those that are judged automatically."""

    kind: Literal["never", "any", "under"]
    least: float = 0.0
    is_share: bool = False

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """`never`, `any`, `under=POINTS` or `under=PERCENT%`. Raises UsageError on anything else."""
        if text == "never":
            return cls("never")
        if text == "any":
            return cls("any")
        found = _UNDER.fullmatch(text)
        if not found or (found[2] and float(found[1]) > 100):
            raise UsageError(f"--fail {one_line(text, 60)!r} is no policy; write never, any, under=8 or under=60%")
        return cls("under", float(found[1]) / (100 if found[2] else 1), bool(found[2]))

    def violations(self, run: RunResult) -> list[str]:
        """A line on each submission that the policy does not let pass; one line where nothing was graded.

        Raises UsageError where it asks for more points than anybody can earn.
        """
        if not run.submissions:
            return [] if self.kind == "never" else ["no submission was graded"]
        most = max(submission.max_score for submission in run.submissions)
        if not self.is_share and self.least > most:
            raise UsageError(f"--fail under={number(self.least)}: only {number(most)} points are judged automatically")
        lines = (self._violation(run.assignment, submission) for submission in run.submissions)
        return [line for line in lines if line]

    def _violation(self, assignment: str, submission: SubmissionResult) -> str:
        student = name_line(submission.student, 80)
        if submission.excused:
            return ""
        if self.kind == "any":
            wrong = [
                item for item in submission.exercises if item.verdict not in _EARNED and item.score < item.max_score
            ]
            if wrong:
                named = [f"{exercise_label(item.id, assignment)} ({item.verdict})" for item in wrong]
                return f"{student}: not right: {listed(named, _MOST_NAMED)}"
        elif self.kind == "under":
            least = self.least * submission.max_score if self.is_share else self.least
            # A sum of points, or a share of them, may have come out a little less than it is.
            if not (math.isfinite(submission.score) and submission.score >= least - 1e-9):
                return f"{student}: {number(submission.score)} of {number(submission.max_score)}, under {number(least)}"
        return ""
