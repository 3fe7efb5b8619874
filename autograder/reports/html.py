"""Pages as HTML on one submission, for its student and for instructors: each is one file that loads nothing, runs
nothing and reveals no answer. And what all pages of reports share: templates and style."""

import base64
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup
from nbformat import NotebookNode

from autograder.reports import work
from autograder.reports.answers import answers_in
from autograder.results import text
from autograder.results.model import RunResult, SubmissionResult

HERE = Path(__file__).resolve().parent
MOST_PLOT_BYTES_OF_STUDENT = 4 * 2**20


def student_page(
    run: RunResult, submission: SubmissionResult, notebook: NotebookNode | None, assignment_source: NotebookNode
) -> str:
    """The page of one student, for them: verdicts, messages, repairs, their own plots and written answers, and nothing
    of others, nor of the names that the checks give to known mistakes.

    All text is escaped, the page's policy forbids scripts and network, and pictures are PNG files that were looked at.

    Args:
        run: results of the run.
        submission: one of them.
        notebook: the student's executed notebook, where there is one.
        assignment_source: the instructor's version of the notebook; of it only headings outside mark schemes are shown.
    """
    return _page_of(run, submission, notebook, work.outline(assignment_source))


def instructors_page(
    run: RunResult,
    submission: SubmissionResult,
    notebook: NotebookNode | None,
    source: work.Outline,
    *,
    index: str = "../../report.html",
    digest: str = "",
) -> str:
    """The page of one student in the report on a class: what `student_page` shows, the names of known mistakes, and
    the code of each answer beside its verdict.

    `index` is where the page on the class lies, from here; `digest` stands in the page, to know it by.
    """
    code = answers_in(notebook, source).code if notebook else {}
    return _page_of(run, submission, notebook, source, code=code, index=index, page_digest=digest)


def _page_of(
    run: RunResult,
    submission: SubmissionResult,
    notebook: NotebookNode | None,
    source: work.Outline,
    *,
    code: Mapping[str, str] | None = None,
    index: str = "",
    page_digest: str = "",
) -> str:
    most = MOST_PLOT_BYTES_OF_STUDENT
    student = {
        "result": submission,
        "plots": work.plots(notebook, source, most) if notebook else None,
        "answers": work.written_answers(notebook, source, most) if notebook else None,
        "code": code or {},
    }
    return template("student.html.jinja").render(
        run=run,
        title=source.title or run.assignment,
        headings=source.headings,
        used={exercise.verdict for exercise in submission.exercises},
        student=student,
        index=index,
        page_digest=page_digest,
        **style(),
    )


def style() -> dict[str, str]:
    """The style as it stands in the file: its digest is what a page's policy allows."""
    css, digest = _inline("report.css")
    return {"style": css, "style_digest": digest}


def script() -> dict[str, str]:
    """The same of the script, the only one that a policy allows: that of the page on a class."""
    code, digest = _inline("find.js")
    return {"script": code, "script_digest": digest}


@functools.cache
def _inline(name: str) -> tuple[str, str]:
    content = (HERE / name).read_text(encoding="utf-8")
    return Markup(content), base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def template(name: str) -> jinja2.Template:
    return _templates().get_template(name)


def prepare() -> None:
    """Compile all templates, so that the first page takes no longer than another."""
    for path in HERE.glob("*.jinja"):
        template(path.name)


def templates_in(folder: Path) -> jinja2.Environment:
    """Templates that escape all that they are given and fail on what they are not, with filters for text and points."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"line": text.one_line, "plain": text.plain_text, "points": text.number}
    return environment


@functools.cache
def _templates() -> jinja2.Environment:
    """Compiles each template once, and not for each of four hundred students."""
    environment = templates_in(HERE)
    environment.filters |= {
        "name": text.name_line,
        "percent": lambda share: f"{100 * share:.0f}\N{NO-BREAK SPACE}%",
        "signed": lambda value: f"{value:+.2f}".replace("-", "\N{MINUS SIGN}"),
        "label": text.exercise_label,
    }
    environment.globals |= {"symbols": text.SYMBOLS, "meanings": text.MEANINGS}
    return environment
