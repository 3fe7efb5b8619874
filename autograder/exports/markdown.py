"""A run as Markdown for the job summary of a CI service."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import mean, median

from autograder.judge.verdict import Verdict
from autograder.reports.summary import BINS, exercise_summaries, frequent_mistakes, histogram, score_shares
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.text import SYMBOLS, exercise_label, name_line, number, one_line

# GitHub drops a step's summary above 1 MiB whole; what is left is for other lines of the step.
MOST_BYTES = 1_000_000
MOST_MESSAGE = 500
MOST_NAME = 80
MOST_EXERCISES = 200
MOST_MISTAKES = 12
MOST_ADJUSTMENTS = 6
SPACE = "\N{NO-BREAK SPACE}"

# All that can begin Markdown, HTML, a link, a formula or a short name of a picture inside a line.
# An underscore within a word does nothing, nor a colon before a space.
_MARKUP = re.compile(r"[\\`*~<>&|\[\]#$@^{}]|:(?=\S)|(?<![a-z0-9])_|_(?![a-z0-9])|(?<=www)\.", re.I)


def markdown(run: RunResult, *, most_bytes: int = MOST_BYTES) -> str:
    """Of one student, a table with verdict, points and message of each exercise; of several, the class's numbers: how
    scores spread, how exercises did, and what went wrong most often. That does not grow with the class, and names
    nobody.

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
        yield from _class(run)
    for submission in run.submissions if len(run.submissions) == 1 else ():
        yield from _student(run, submission)


def _class(run: RunResult) -> Iterator[str]:
    shares = score_shares(run)
    yield f"\n{len(run.submissions)} students"
    if shares:
        full = sum(share >= 1 for share in shares)
        yield f", mean {_percent(mean(shares))}, median {_percent(median(shares))}, {full} with full score"
    yield ".\n"
    for count, one, many in (
        (sum(item.waiting > 0 for item in run.submissions), "waits", "wait for points that a person gives"),
        (sum(item.has_fault for item in run.submissions), "has", "have an exercise that the grader failed to judge"),
    ):
        if count:
            yield f"{count} {one if count == 1 else many.partition(' ')[0]} {many.partition(' ')[2]}.\n"
    adjustments = Counter(line for item in run.submissions for line in item.adjustments)
    for line, count in adjustments.most_common(MOST_ADJUSTMENTS):
        yield f"\nAdjusted: {escaped(line, MOST_MESSAGE)}{f' ({count} students)' if count > 1 else ''}\n"
    if len(adjustments) > MOST_ADJUSTMENTS:
        yield f"\nThere are {len(adjustments) - MOST_ADJUSTMENTS} other adjustments.\n"
    if shares:
        yield "\n| points | students |\n| --- | ---: |\n"
        for place, count in enumerate(histogram(shares)):
            yield f"| {100 // BINS * place} to {100 // BINS * (place + 1)}{SPACE}% | {count} |\n"
    by_hand = {item.id for student in run.submissions for item in student.exercises if item.verdict == "manual"}
    yield "\n| exercise | right | verdicts |\n| --- | ---: | --- |\n"
    for exercise in exercise_summaries(run, by_hand)[:MOST_EXERCISES]:
        name = escaped(exercise_label(exercise.id, run.assignment), MOST_NAME)
        yield f"| {name} | {_percent(exercise.passed / exercise.judged)} | {_counts(exercise.verdicts)} |\n"
    mistakes = frequent_mistakes(run)
    if mistakes:
        yield "\n| students | exercise | most frequent mistakes |\n| ---: | --- | --- |\n"
    for mistake in mistakes[:MOST_MISTAKES]:
        name = escaped(exercise_label(mistake.exercise, run.assignment), MOST_NAME)
        yield f"| {len(mistake.submissions)} | {name} | {escaped(mistake.sentence, MOST_MESSAGE)} |\n"
    yield "\nThe report has each student.\n"


def _student(run: RunResult, submission: SubmissionResult) -> Iterator[str]:
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


def _percent(share: float) -> str:
    return f"{100 * share:.0f}{SPACE}%"


def _counts(counts: Mapping[Verdict, int]) -> str:
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in SYMBOLS if counts[verdict])


def _size(lines: list[str]) -> int:
    return sum(len(line.encode()) for line in lines)
