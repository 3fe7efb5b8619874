"""To which assignment a notebook belongs, and how much of it it answers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from autograder import cells, course
from autograder.errors import InputError
from autograder.grading.restoring import restore
from autograder.grading.source_text import is_untouched, release_text
from autograder.grading.submissions import find_submissions
from autograder.points.rules import read_rules
from fixmelab.restoring.belonging import nearest

Sources = Mapping[str, NotebookNode]


class Listed(NamedTuple):
    """A notebook, whose it is, to which assignment it belongs ("" if to none), and how many exercises it answers."""

    path: str
    student: str
    assignment: str
    answered: int


class OtherSources(Mapping[str, NotebookNode]):
    """The sources of all assignments but this one, by name: each is read when it is first asked for, which only a
    notebook of another assignment brings about. Looking one up raises InputError if it is damaged."""

    def __init__(self, assignment: str) -> None:
        names = (name for name in course.assignment_names() if name != assignment)
        self._found: dict[str, NotebookNode | None] = {
            name: None for name in names if course.source_path(name).exists()
        }

    def __getitem__(self, name: str) -> NotebookNode:
        source = self._found[name]
        if source is None:
            source = self._found[name] = course.read_source(name)
        return source

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def answered_in(assignment: str, source: NotebookNode, others: Sources) -> Callable[[NotebookNode], int | None]:
    """A function that says how many exercises of an assignment a notebook answers; None if it is of another one."""
    fillable = [cell for cell in source.cells if cells.is_fixme(cell) or cells.is_written(cell)]

    def answered(notebook: NotebookNode) -> int | None:
        try:
            restored = restore(source, notebook, assignment=assignment, others=others).notebook
        except InputError:
            return None
        found = {cells.grade_id(cell): cell for cell in restored.cells if cells.is_answer(cell)}
        return sum(not is_untouched(cell, found[cells.grade_id(cell)]) for cell in fillable)

    return answered


def list_submissions(assignment: str, paths: Iterable[Path]) -> tuple[list[Listed], list[str], list[str]]:
    """What `autograder grade` would grade, and the lines that it would say: notes, and what is wrong.

    Raises InputError for an unknown or unbuilt assignment.
    """
    course.require_assignment(assignment)
    source, others = course.read_source(assignment), OtherSources(assignment)
    answered, notes = answered_in(assignment, source, others), list[str]()
    submissions, problems = find_submissions(assignment, paths, answered, notes, rules=read_rules(assignment))
    listed = []
    for submission in submissions:
        notebook = submission.notebook()
        count = answered(notebook)
        belongs = assignment if count is not None else nearest(others, notebook, release_text)
        listed.append(Listed(submission.path, submission.student, belongs, count or 0))
    return listed, notes, problems
