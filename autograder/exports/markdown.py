"""A run as Markdown for the job summary of a CI service."""

import re
from collections import Counter
from collections.abc import Iterator

from autograder.results.model import RunResult, SubmissionResult
from autograder.results.text import SYMBOLS, exercise_label, name_line, number, one_line

# GitHub drops a step's summary above 1 MiB whole; what is left is for other lines of the step.
MOST_BYTES = 1_000_000
MOST_MESSAGE = 500
MOST_NAME = 80
SPACE = "\N{NO-BREAK SPACE}"

# All that can begin Markdown, HTML, a link, a formula or a short name of a picture inside a line.
# An underscore within a word does nothing, nor a colon before a space.
_MARKUP = re.compile(r"[\\`*~<>&|\[\]#$@^{}]|:(?=\S)|(?<![a-z0-9])_|_(?![a-z0-9])|(?<=www)\.", re.I)


def markdown(run: RunResult, *, most_bytes: int = MOST_BYTES) -> str:
    """A heading and a table a student, one row an exercise with verdict, points and message; several students have a
    table of totals above.

    Text from students and results can make neither markup nor a row, and the whole holds at most `most_bytes` bytes
    of UTF-8: what does not fit is left out, which the last line says.
    """
    lines = list(_lines(run))
    if _size(lines) <= most_bytes:
        return "".join(lines)
    tail = "\n**Cut here:** a job summary holds 1 MiB at most. results.json has everything.\n"
    left = most_bytes - len(tail.encode())
    kept = []
    for line in lines:
        left -= len(line.encode())
        if left < 0:
            break
        kept.append(line)
    return "".join(kept) + tail


def escaped(text: str, limit: int) -> str:
    """Text as one line that Markdown shows as it is: character references build no structure."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", one_line(text, limit))


def _lines(run: RunResult) -> Iterator[str]:
    yield f"## {escaped(run.assignment, MOST_NAME)}: results\n"
    if not run.sandbox:
        yield "\n**Graded without the sandbox:** trust this as far as the code that was graded.\n"
    if not run.submissions:
        yield "\nNo submissions.\n"
    if len(run.submissions) > 1:
        yield "\n| student | points | verdicts |\n| --- | ---: | --- |\n"
        for submission in run.submissions:
            yield f"| {_name(submission)} | {_points(submission)} | {_counts(submission)} |\n"
    for submission in run.submissions:
        unit = "" if submission.excused else " points"
        yield f"\n### {_name(submission)}: {_points(submission)}{unit}\n"
        if submission.waiting:
            yield f"\nUp to {number(submission.waiting)} more points are given by a person.\n"
        for line in submission.adjustments:
            yield f"\nAdjusted: {escaped(line, MOST_MESSAGE)}\n"
        yield "\n| exercise | verdict | points | message |\n| --- | --- | ---: | --- |\n"
        for exercise in submission.exercises:
            earned = "·" if exercise.is_open else number(exercise.score)
            name = escaped(exercise_label(exercise.id, run.assignment), MOST_NAME)
            verdict = f"{SYMBOLS[exercise.verdict]}{SPACE}{exercise.verdict}"
            message = escaped(exercise.message, MOST_MESSAGE)
            yield f"| {name} | {verdict} | {earned}{SPACE}/{SPACE}{number(exercise.max_score)} | {message} |\n"


def _name(submission: SubmissionResult) -> str:
    return escaped(name_line(submission.student, MOST_NAME), MOST_NAME) or "(no name)"


def _points(submission: SubmissionResult) -> str:
    if submission.excused:
        return "excused"
    return f"{number(submission.score)}{SPACE}/{SPACE}{number(submission.max_score)}"


def _counts(submission: SubmissionResult) -> str:
    counts = Counter(exercise.verdict for exercise in submission.exercises)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in SYMBOLS if counts[verdict])


def _size(lines: list[str]) -> int:
    return sum(len(line.encode()) for line in lines)
