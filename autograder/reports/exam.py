"""The page on what a class tells about the exam: how exercises did, which checks look suspicious, and what wrong
answers that are no known mistake have in common. For instructors: it shows code of students."""

from collections.abc import Iterator, Mapping

from nbformat import NotebookNode

from autograder import cells, course
from autograder.authoring.declared import broad_mistakes
from autograder.reports import work
from autograder.reports.answers import answers_in
from autograder.reports.html import style, template
from autograder.reports.statistics import SameCode, exercise_statistics
from autograder.reports.unknown import MOST_FORMS, unknown_groups
from autograder.results.model import RunResult
from autograder.results.reading import Executed, plain_notebook_in
from fixmelab.restoring.cell_text import FUNCTION


def exam_page(
    run: RunResult,
    source: NotebookNode,
    notebooks: Executed,
    same_code: SameCode,
    *,
    numbers: Mapping[tuple[str, str], str] | None = None,
) -> Iterator[str]:
    """The pieces of the page, to be written one after the other. `numbers` is as in `unknown_groups`."""

    outline = work.outline(source)

    def code_of(student: str) -> Mapping[str, str]:
        plain = plain_notebook_in(notebooks.file(student))
        return answers_in(plain, outline).code if plain else {}

    return template("exam.html.jinja").generate(
        run=run,
        title=outline.title or run.assignment,
        statistics=exercise_statistics(run, cells.written_ids(source, run.assignment)),
        same_code=same_code.found(),
        groups=unknown_groups(
            run,
            code_of,
            numbers,
            class_of=_classes(source),
            broad=broad_mistakes(run.assignment, course.ROOT),
        ),
        by_numbers=numbers is not None,
        most_forms=MOST_FORMS,
        **style(),
    )


def _classes(source: NotebookNode) -> dict[str, str]:
    """The class in whose cell an exercise stands, by the exercise's name; for methods alone."""
    found: dict[str, str] = {}
    for cell in source.cells:
        names = cells.anchors(cell)
        defined = FUNCTION.findall(cell.source)
        found |= {name: defined[0] for name in names if defined and name != defined[0]}
    return found
