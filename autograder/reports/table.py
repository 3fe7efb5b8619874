"""The table that the terminal shows after a run of `autograder grade`."""

from collections import Counter

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from autograder.judge.verdict import Verdict
from autograder.results.model import ExerciseResult, RunResult
from autograder.results.text import SYMBOLS, and_more, exercise_label, name_line, number, one_line

MOST_SYMBOLS = 20
MOST_LOSSES_OF_SUBMISSION = 4
MOST_SUBMISSIONS_WITH_LOSSES = 12

STYLES: dict[Verdict, str] = {
    "pass": "green",
    "fail": "bold red",
    "error": "bold magenta",
    "timeout": "bold yellow",
    "oom": "bold yellow",
    "crashed": "bold yellow",
    "missing": "dim",
    "manual": "cyan",
    "fault": "bold white on red",
}


def results_table(run: RunResult) -> Table:
    """A row for each submission and, for at most twelve submissions, a list of what each one lost.

    Names and messages are shown as they are: neither rich's markup nor terminal sequences in them take effect.
    """
    parts: list[Table | Text] = [_submissions(run)]
    if len(run.submissions) <= MOST_SUBMISSIONS_WITH_LOSSES and any(_lost(s.exercises) for s in run.submissions):
        parts += [Text("\nLost", "bold underline"), _losses(run)]
    whole = Table.grid()
    whole.add_row(Group(*parts))
    return whole


def _submissions(run: RunResult) -> Table:
    table = Table(box=box.SIMPLE_HEAD, caption=_caption(run), caption_justify="left", pad_edge=False)
    table.add_column("student", max_width=28)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("exercises")
    table.add_column("repairs", justify="right", no_wrap=True)
    for submission in run.submissions:
        table.add_row(
            _single(one_line(submission.student)),
            Text(f"{number(submission.score)} / {number(submission.max_score)}"),
            _verdicts(submission.exercises),
            Text(str(len(submission.repairs)) if submission.repairs else ""),
        )
    return table


def _verdicts(exercises: list[ExerciseResult]) -> Text:
    if len(exercises) <= MOST_SYMBOLS:
        return Text.assemble(*((SYMBOLS[exercise.verdict], STYLES[exercise.verdict]) for exercise in exercises))
    counts = Counter(exercise.verdict for exercise in exercises)
    return Text("  ").join(
        Text(f"{counts[verdict]} {verdict}", STYLES[verdict]) for verdict in SYMBOLS if counts[verdict]
    )


def _caption(run: RunResult) -> Text:
    if not run.submissions:
        return Text("no submissions", "dim")
    used = {exercise.verdict for submission in run.submissions for exercise in submission.exercises}
    legend = Text("   ").join(
        Text.assemble((SYMBOLS[verdict], STYLES[verdict]), (f" {verdict}", "dim"))
        for verdict in SYMBOLS
        if verdict in used
    )
    by_hand = max(submission.manual_max_score for submission in run.submissions)
    if by_hand:
        legend.append(f"\n{number(by_hand)} more points are graded by a person", "dim")
    return legend


def _losses(run: RunResult) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, max_width=26)
    table.add_column(no_wrap=True)
    table.add_column()
    for submission in run.submissions:
        lost = _lost(submission.exercises)
        if lost:
            table.add_row(Text(name_line(submission.student, 24), "bold"))
        wrong = [exercise for exercise in lost if exercise.verdict != "missing"]
        for exercise in wrong[:MOST_LOSSES_OF_SUBMISSION]:
            table.add_row(*_loss(exercise_label(exercise.id, run.assignment), exercise.verdict, exercise.message))
        if more := and_more(len(wrong) - MOST_LOSSES_OF_SUBMISSION):
            table.add_row(_single(f"  {more}"))
        missing = [exercise_label(exercise.id, run.assignment) for exercise in lost if exercise.verdict == "missing"]
        if missing:
            table.add_row(*_loss(f"{len(missing)} not answered", "missing", ", ".join(missing)))
    return table


def _loss(what: str, verdict: Verdict, message: str) -> tuple[Text, Text, Text]:
    return _single(f"  {what}"), Text(verdict, STYLES[verdict]), _single(one_line(message))


def _lost(exercises: list[ExerciseResult]) -> list[ExerciseResult]:
    return [exercise for exercise in exercises if exercise.verdict not in ("pass", "manual", "fault")]


def _single(text: str) -> Text:
    """Text that is cut, not wrapped, where the column is too narrow."""
    return Text(text, no_wrap=True, overflow="ellipsis")
