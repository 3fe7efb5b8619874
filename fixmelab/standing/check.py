"""`lab.check()` and `fixmelab check`: the table of a notebook, found here or by its path."""

import time
from collections.abc import Callable
from pathlib import Path

from fixmelab import visible_tests
from fixmelab.standing import opened
from fixmelab.standing.dry_run import dry_run
from fixmelab.standing.found import find
from fixmelab.standing.standing import standing_of
from fixmelab.standing.table import Table

Told = Callable[[int, int], None]
SLACK = 1.0  # seconds between the clocks of a process and of its files


def check_here(name: str, path: str | Path | None = None) -> Table:
    """The table of the notebook whose cell asks, or of the one at `path`; `name` is that of the course's notebook.

    Raises NotebookError if there is no such notebook, OtherNotebookError if it is none of the course's.
    """
    notebook = opened.here(name) if path is None else opened.by_path(Path(path))
    memory = visible_tests.remembered()
    is_older = notebook.saved is not None and notebook.saved + SLACK < memory.last_run
    standing = standing_of(find(notebook.notebook, name, notebook.where), memory, is_older=is_older)
    if is_older:
        line = "cells have run since the file was saved: save it (Ctrl+S), then run this cell again"
        standing.to_mend.insert(0, line)
    saved = "" if notebook.saved is None else time.strftime(", saved at %H:%M", time.localtime(notebook.saved))
    return Table(standing, f"{notebook.where}{saved}")


def check_file(path: Path, *, run: bool = False, told: Told = lambda *_: None) -> Table:
    """The table of a notebook's file, whichever of the course's it is; with `run`, that of a dry run.

    `told` learns how many cells of how many have run. Raises as `check_here` does, and OSError if no process starts.
    """
    notebook = opened.by_path(path)
    found = find(notebook.notebook, None, str(path))
    if not run:
        return Table(standing_of(found), notebook.where)
    tried = dry_run(found, path.resolve().parent, told=told)
    standing = standing_of(found, tried.memory, is_dry_run=True)
    standing.to_mend[:0] = tried.to_mend
    return Table(standing, notebook.where)
