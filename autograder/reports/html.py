"""Reports as HTML, on a run for instructors and on one submission for its student: each is one file that loads
nothing, runs nothing and reveals no answer."""

import base64
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any

import jinja2
from markupsafe import Markup
from nbformat import NotebookNode

from autograder import cells
from autograder.reports import work
from autograder.reports.summary import exercise_summaries, frequent_mistakes, histogram, score_shares
from autograder.results import text
from autograder.results.model import RunResult, SubmissionResult

HERE = Path(__file__).resolve().parent
MOST_MISTAKES = 12
MOST_PLOT_BYTES_OF_STUDENT = 4 * 2**20
MOST_PLOT_BYTES_OF_REPORT = 64 * 2**20


def html_report(run: RunResult, notebooks: Mapping[str, NotebookNode], assignment_source: NotebookNode) -> str:
    """The report as one self-contained HTML page.

    Shown are names and points of exercises, verdicts, messages, repairs, and the student's own plots and written
    answers; of `assignment_source` only headings outside mark schemes. All text is escaped, the page's policy
    forbids scripts and network, and pictures are PNG files that were looked at.

    Args:
        run: results of the run.
        notebooks: the executed notebook of each student that has one, by the student's name.
        assignment_source: the instructor's version of the notebook.
    """
    shares = score_shares(run)
    mistakes = frequent_mistakes(run)
    most_bytes = min(MOST_PLOT_BYTES_OF_STUDENT, MOST_PLOT_BYTES_OF_REPORT // max(len(run.submissions), 1))
    return (
        _templates()
        .get_template("report.html.jinja")
        .render(
            run=run,
            title=work.title(assignment_source) or run.assignment,
            headings=work.heading_of_exercises(assignment_source),
            shares=shares,
            mean=mean(shares) if shares else None,
            median=median(shares) if shares else None,
            full=sum(share >= 1 for share in shares),
            repaired=sum(bool(submission.repairs) for submission in run.submissions),
            by_hand=max((submission.manual_max_score for submission in run.submissions), default=0),
            bins=histogram(shares),
            exercises=exercise_summaries(run, cells.written_ids(assignment_source, run.assignment)),
            mistakes=mistakes[:MOST_MISTAKES],
            more_mistakes=max(len(mistakes) - MOST_MISTAKES, 0),
            students=[
                _student(submission, notebooks.get(submission.student), assignment_source, most_bytes)
                for submission in run.submissions
            ],
            **_style(),
        )
    )


def student_page(
    run: RunResult, submission: SubmissionResult, notebook: NotebookNode | None, assignment_source: NotebookNode
) -> str:
    """The page of one student: what `html_report` shows of a submission, and nothing of others, nor of the names that
    the checks give to known mistakes.

    Args:
        run: results of the run.
        submission: one of them.
        notebook: the student's executed notebook, where there is one.
        assignment_source: the instructor's version of the notebook.
    """
    return (
        _templates()
        .get_template("student.html.jinja")
        .render(
            run=run,
            title=work.title(assignment_source) or run.assignment,
            headings=work.heading_of_exercises(assignment_source),
            used={exercise.verdict for exercise in submission.exercises},
            student=_student(submission, notebook, assignment_source, MOST_PLOT_BYTES_OF_STUDENT),
            **_style(),
        )
    )


def _style() -> dict[str, str]:
    """The style as it stands in the file: its digest is what a page's policy allows."""
    style = (HERE / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {"style": Markup(style), "style_digest": digest}


@functools.cache
def _templates() -> jinja2.Environment:
    """Compiles each template once, and not for each of four hundred students."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "line": text.one_line,
        "name": text.name_line,
        "plain": text.plain_text,
        "points": text.number,
        "percent": lambda share: f"{100 * share:.0f}\N{NO-BREAK SPACE}%",
        "label": text.exercise_label,
    }
    environment.globals |= {"symbols": text.SYMBOLS, "meanings": text.MEANINGS}
    return environment


def _student(
    submission: SubmissionResult, notebook: NotebookNode | None, assignment_source: NotebookNode, most_bytes: int
) -> dict[str, Any]:
    return {
        "result": submission,
        "plots": work.plots(notebook, assignment_source, most_bytes) if notebook else None,
        "answers": work.written_answers(notebook, assignment_source, most_bytes) if notebook else None,
    }
