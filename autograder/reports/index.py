"""The page on a class: what it got, what went wrong, what that says about the exam, and a row for each student, which
can be searched, sorted and filtered. Its one script does that; without it everything can be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, median
from urllib.parse import quote

from nbformat import NotebookNode

from autograder import cells
from autograder.reports import work
from autograder.reports.html import script, style, template
from autograder.reports.statistics import exercise_statistics
from autograder.reports.summary import FrequentMistake, exercise_summaries, frequent_mistakes, histogram, score_shares
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.names import file_stem
from autograder.results.text import SYMBOLS

FOLDER = "report"
STUDENTS = "students"
EXAM = "exam.html"
MOST_MISTAKES = 12
MOST_FINDABLE = 300  # mistakes to filter by
ABSENT = " "  # in the place of a verdict on an exercise that a student's notebook does not have


@dataclass(frozen=True)
class Row:
    """A student in the list, of as few elements as can be: `verdicts` is a symbol for each exercise, `mistakes` are the
    numbers of the mistakes to filter by."""

    result: SubmissionResult
    page: str
    verdicts: str
    mistakes: str


def index_page(run: RunResult, assignment_source: NotebookNode) -> Iterator[str]:
    """The pieces of the page, to be written one after the other.

    Args:
        run: results of the run.
        assignment_source: the instructor's version of the notebook.
    """
    outline = work.outline(assignment_source)
    shares = score_shares(run)
    mistakes = frequent_mistakes(run)
    by_hand = cells.written_ids(assignment_source, run.assignment)
    exercises = list(dict.fromkeys(item.id for student in run.submissions for item in student.exercises))
    return template("index.html.jinja").generate(
        run=run,
        title=outline.title or run.assignment,
        headings=outline.headings,
        shares=shares,
        mean=mean(shares) if shares else None,
        median=median(shares) if shares else None,
        full=sum(share >= 1 for share in shares),
        repaired=sum(bool(submission.repairs) for submission in run.submissions),
        by_hand=max((submission.manual_max_score for submission in run.submissions), default=0),
        bins=histogram(shares),
        exercises=exercise_summaries(run, by_hand),
        statistics={item.id: item for item in exercise_statistics(run, by_hand)},
        mistakes=mistakes[:MOST_MISTAKES],
        more_mistakes=max(len(mistakes) - MOST_MISTAKES, 0),
        findable=mistakes[:MOST_FINDABLE],
        graded=exercises,
        rows=_rows(run, exercises, mistakes[:MOST_FINDABLE]),
        page_of=page_of,
        exam=f"{FOLDER}/{EXAM}",
        **style(),
        **script(),
    )


def page_of(student: str) -> str:
    """The address of a student's page, from the page on the class."""
    return quote(f"{FOLDER}/{STUDENTS}/{page_name(student)}")


def page_name(student: str) -> str:
    return f"{file_stem(student)}.html"


def _rows(run: RunResult, exercises: list[str], mistakes: list[FrequentMistake]) -> Iterator[Row]:
    numbers: dict[int, list[int]] = {}
    for number, mistake in enumerate(mistakes):
        for place in mistake.submissions:
            numbers.setdefault(place, []).append(number)
    for place, submission in enumerate(run.submissions):
        verdicts = {item.id: item.verdict for item in submission.exercises}
        symbols = "".join(SYMBOLS[verdicts[id]] if id in verdicts else ABSENT for id in exercises)
        found = " ".join(map(str, numbers.get(place, ())))
        yield Row(submission, page_of(submission.student), symbols, found)
