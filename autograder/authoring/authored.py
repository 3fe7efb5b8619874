"""The cells of notebooks/NAME.py as their author wrote them, and what the first of them says of the whole."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from autograder.errors import InputError

_HEADER = re.compile(r"\s*#\s*%%(?:\s|$)")
_LAYOUT_KEYS = {"lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker"}  # jupytext's own


@dataclass(frozen=True)
class Authored:
    """A cell as its author wrote it. `where` is the path and line of its header."""

    where: str
    cell_type: str
    header: dict[str, Any]
    source: str

    @property
    def is_title(self) -> bool:
        """Whether the minutes of its header are those of the whole notebook."""
        return "minutes" in self.header and not {"tests", "written"} & self.header.keys()

    def error(self, message: str) -> InputError:
        return InputError(f"{self.where}: {message}")


@dataclass(frozen=True)
class Heading:
    """What a notebook says of itself: its title, and the minutes that it takes, solved, on a laptop."""

    title: str
    minutes: int


def authored_cells(path: Path, repository: str) -> tuple[Authored, ...]:
    """The cells of the text at `path`, placeholders filled in: `{{repository}}` by OWNER/REPO, `{{name}}` by NAME.

    Raises InputError if the file cannot be read, jupytext cannot parse it, or text stands above its first header.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{_shown(path)}: cannot be read ({error}); save it as UTF-8 text") from None
    return _cells_of(text.replace("{{repository}}", repository).replace("{{name}}", path.stem), _shown(path))


def heading_of(path: Path, repository: str) -> Heading:
    """The heading of the text at `path`: that of the cell whose header says `minutes`.

    Raises InputError, as `authored_cells` does and unless exactly one such cell begins with the notebook's title.
    """
    found = [cell for cell in authored_cells(path, repository) if cell.is_title]
    if not found:
        raise InputError(f"{_shown(path)}: no minutes; write above its title '# %% [markdown] minutes=5'")
    if len(found) > 1:
        raise found[1].error(f"the minutes stand already at {found[0].where}")
    minutes, first = found[0].header["minutes"], found[0].source.partition("\n")[0]
    if not isinstance(minutes, int) or isinstance(minutes, bool) or minutes <= 0:
        raise found[0].error(f"minutes={minutes!r}; write a whole number of minutes on a laptop, as minutes=5")
    if not re.match(r"# \S", first):
        raise found[0].error("minutes belong to the cell that begins with the notebook's title, as '# Title'")
    return Heading(first.removeprefix("# ").strip(), minutes)


def _shown(path: Path) -> str:
    return "/".join(path.parts[-2:])


@functools.lru_cache(maxsize=64)
def _cells_of(text: str, shown: str) -> tuple[Authored, ...]:
    """jupytext is slow, and a text is asked for its cells, its heading and its secrets."""
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # jupytext lets YAML's and its own errors through
        raise InputError(f"{shown}: jupytext cannot read it: {str(error).splitlines()[0]}") from None
    headers = [number for number, line in enumerate(text.splitlines(), 1) if _HEADER.match(line)]
    count = len(notebook.cells)
    if not headers or count == len(headers) + 1:
        raise InputError(f"{shown}:1: text stands before the first cell header; begin it with '# %%'")
    # A `# %%` inside a string is no header; then lines cannot be told apart, and the path alone is shown.
    places = [f"{shown}:{number}" for number in headers] if count == len(headers) else [shown] * count
    return tuple(
        Authored(where, cell.cell_type, _header(cell), cell.source.strip("\n"))
        for where, cell in zip(places, notebook.cells, strict=True)
    )


def _header(cell: NotebookNode) -> dict[str, Any]:
    return {key: value for key, value in cell.metadata.items() if key not in _LAYOUT_KEYS}
