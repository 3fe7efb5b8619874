"""The instructor's report on a run: one HTML file that loads nothing, runs nothing and reveals no answer."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any

import jinja2
from markupsafe import Markup
from nbformat import NotebookNode

from autograder.grading.result import RunResult, SubmissionResult
from autograder.reports import text, work
from autograder.reports.summary import exercise_summaries, frequent_mistakes, histogram, score_shares

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
    style = (HERE / "report.css").read_text(encoding="utf-8")
    return _template().render(
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
        exercises=exercise_summaries(run),
        mistakes=mistakes[:MOST_MISTAKES],
        more_mistakes=max(len(mistakes) - MOST_MISTAKES, 0),
        students=[_student(run, submission, notebooks, assignment_source) for submission in run.submissions],
        # As in the file: its digest is what the page's policy allows.
        style=Markup(style),
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        symbols=text.SYMBOLS,
        meanings=text.MEANINGS,
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "line": text.one_line,
        "plain": text.plain_text,
        "points": text.number,
        "percent": lambda share: f"{100 * share:.0f}\N{NO-BREAK SPACE}%",
        "label": text.exercise_label,
    }
    return environment.get_template("report.html.jinja")


def _student(
    run: RunResult,
    submission: SubmissionResult,
    notebooks: Mapping[str, NotebookNode],
    assignment_source: NotebookNode,
) -> dict[str, Any]:
    notebook = notebooks.get(submission.student)
    most_bytes = min(MOST_PLOT_BYTES_OF_STUDENT, MOST_PLOT_BYTES_OF_REPORT // len(run.submissions))
    return {
        "result": submission,
        "plots": work.plots(notebook, assignment_source, most_bytes) if notebook else None,
        "answers": work.written_answers(notebook, assignment_source) if notebook else None,
    }
