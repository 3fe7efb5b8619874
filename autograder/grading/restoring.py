"""Restores a submission from a source: `fixmelab.restoring`, which students check their notebooks by as well."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from nbformat import NotebookNode

from autograder.errors import InputError
from autograder.grading.source_text import release_text
from autograder.results.model import Repair
from fixmelab import restoring


@dataclass(frozen=True)
class Restored:
    """The notebook to execute, and what had to be mended to get it; `numbers` as of `fixmelab.restoring.Restored`."""

    notebook: NotebookNode
    repairs: list[Repair]
    numbers: dict[int, int]


def restore(
    source: NotebookNode,
    submission: NotebookNode,
    *,
    assignment: str = "",
    where: str = "the notebook",
    others: Mapping[str, NotebookNode] | None = None,
) -> Restored:
    """The source's notebook with the student's answers in it, as `fixmelab.restoring.restore` makes it.

    Raises InputError, which names `where`, if the submission is of another assignment.
    """
    try:
        restored = restoring.restore(
            source, submission, assignment=assignment, where=where, others=others, stub_of=release_text
        )
    except restoring.OtherNotebookError as error:
        raise InputError(str(error)) from None
    repairs = [Repair(**asdict(repair)) for repair in restored.repairs]
    return Restored(restored.notebook, repairs, restored.numbers)
