"""A student's notebook beside the released one that it was made from."""

from dataclasses import dataclass

from nbformat import NotebookNode

from fixmelab import cells, restoring
from fixmelab.restoring.belonging import nearest
from fixmelab.restoring.sides import as_it_is
from fixmelab.standing import released


@dataclass(frozen=True)
class Found:
    """A student's notebook beside the released one. `restored` has the released cells in order, answers in them."""

    name: str
    release: NotebookNode
    notebook: NotebookNode
    restored: restoring.Restored

    @property
    def filled(self) -> list[NotebookNode]:
        """The restored cells in the places of the released ones, without what the student added."""
        ids = {cells.grade_id(cell): cell for cell in self.restored.notebook.cells if cells.grade_id(cell)}
        return [ids[cells.grade_id(cell)] for cell in self.release.cells]


def find(notebook: NotebookNode, name: str | None, where: str) -> Found:
    """A student's notebook, put in order by the release that it was made from; `name` says which, if that is known.

    Raises OtherNotebookError if it is none of the course's.
    """
    known = {other: released.notebook(other) for other in released.names()}
    if name not in known:
        name = nearest(known, notebook, as_it_is)
        if not name:
            listed = ", ".join(known)
            raise restoring.OtherNotebookError(f"{where} is no notebook of this course ({listed}): check the file")
    restored = restoring.restore(known[name], notebook, assignment="", where=where, others=known)
    return Found(name, known[name], notebook, restored)
