"""A student's notebook beside the released one that it was made from."""

from dataclasses import dataclass

from nbformat import NotebookNode

from fixmelab import cells, restoring
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
        name = max(known, key=lambda other: _shared(known[other], notebook), default="")
        if not name or not _shared(known[name], notebook):
            listed = ", ".join(known)
            raise restoring.OtherNotebookError(f"{where} is no notebook of this course ({listed}): check the file")
    restored = restoring.restore(known[name], notebook, assignment="", where=where, others=known)
    return Found(name, known[name], notebook, restored)


def _shared(release: NotebookNode, notebook: NotebookNode) -> int:
    """How many exercises of a release show in a notebook by anchor or id."""
    own = {task.name for task in released.tasks(release)}
    shown = {name for cell in notebook.cells for name in (*cells.anchors(cell), cells.grade_id(cell))}
    return len(own & shown)
