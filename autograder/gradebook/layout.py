"""The notebooks that formgrader opens: autograded/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb."""

import contextlib
import copy
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode, v4
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme

from autograder import cells
from autograder.errors import InputError
from autograder.gradebook import safe
from autograder.nbgrader_settings import settings

PLOT_PREFIX = "plot_"


def laid_out(executed: NotebookNode, saved: NotebookNode, *, rubrics: bool) -> NotebookNode:
    """An executed notebook as a person grades it in formgrader.

    Cells of the assignment have the metadata of `saved` (see `structure.without_solutions`), locked ones its text
    too, without hidden tests; mark schemes are in only with `rubrics`. What the student wrote and what the cells
    show is made safe, and other cells of the student's have no metadata.
    """
    locked = {cells.grade_id(cell): cell for cell in saved.cells}
    open_parts = {cells.grade_id(cell): cell for cell in _published(saved, rubrics=rubrics).cells}
    notebook = v4.new_notebook(metadata=copy.deepcopy(saved.metadata))
    taken: set[str] = set()
    for cell in executed.cells:
        name = cells.grade_id(cell)
        known = locked.get(name) if name not in taken else None
        if known is not None and known.cell_type == cell.cell_type:
            taken.add(name)
            source = cell.source if cells.is_answer(known) else open_parts[name].source
            metadata, own = copy.deepcopy(known.metadata), cells.is_answer(known)
        else:
            source, metadata, own = cell.source, {}, True
        notebook.cells.append(_laid_out(cell, source, metadata, own, f"cell-{len(notebook.cells)}"))
    return notebook


def _laid_out(cell: NotebookNode, source: str, metadata: dict, own: bool, id: str) -> NotebookNode:
    # Put together without nbformat's validation of each cell, which would take longer than all the rest.
    made: dict[str, Any] = {
        "cell_type": "markdown",
        "id": cells.grade_id({"metadata": metadata}) or id,
        "metadata": metadata,
    }
    if cell.cell_type == "code":
        text = safe.plain_text(source, safe.MOST_CHARACTERS) if own else source
        made |= {"cell_type": "code", "source": text, "outputs": safe.outputs(cell), "execution_count": None}
    elif own:  # a raw cell, too, which would be shown as HTML
        text, pictures = safe.with_pictures(source, cell.get("attachments"))
        made |= {"source": text} | ({"attachments": pictures} if pictures else {})
    else:
        made["source"] = source
    return nbformat.from_dict(made)


def _published(saved: NotebookNode, *, rubrics: bool) -> NotebookNode:
    notebook = copy.deepcopy(saved)
    for step in (ClearHiddenTests,) if rubrics else (ClearHiddenTests, ClearMarkScheme):
        notebook, _ = step(config=settings()).preprocess(notebook, {})
    return notebook


def works(notebook: NotebookNode) -> dict[str, str]:
    """A digest of what a student did for each exercise, by the id of the cell that earns its points.

    That is the answer's text with its pictures, and for an exercise called plot_… the outputs below its test that
    the student's own run left.
    """
    found: dict[str, str] = {}
    answers: dict[str, NotebookNode] = {}
    for index, cell in enumerate(notebook.cells):
        answers |= dict.fromkeys(cells.anchors(cell), cell) if cells.is_fixme(cell) else {}
        if cells.is_written(cell):
            found[cells.grade_id(cell)] = _digest(cell.source, cell.get("attachments", {}))
        elif cells.is_tests(cell):
            name = cells.exercise_name(cell)
            answer = answers.get(name)
            shown = list(_plots_below(notebook, index)) if is_plot(name) else []
            found[cells.grade_id(cell)] = _digest(answer.source if answer else "", shown)
    return found


def is_plot(exercise: str) -> bool:
    """Whether a person looks at an exercise's picture: those called plot_…"""
    return exercise.startswith(PLOT_PREFIX)


def _plots_below(notebook: NotebookNode, index: int) -> Iterator[list]:
    for cell in notebook.cells[index + 1 :]:
        if cells.is_fixme(cell) or cells.is_written(cell) or cells.is_tests(cell):
            return
        if cell.cell_type == "code" and not cells.is_executed_in_grading(cell):
            yield list(cell.outputs)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_laid_out(path: Path) -> NotebookNode | None:
    """A notebook that was laid out before; None where there is none that can be read."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.reader.NotJSONError):
        return None


class Placing:
    """Puts many files in place, all or none: `prepare` each, then `place` them, then `settle`; else `undo`."""

    def __init__(self) -> None:
        self._parts: dict[Path, Path] = {}
        self._before: dict[Path, Path | None] = {}
        self._folders: list[Path] = []

    def prepare(self, path: Path, text: str) -> None:
        """Write a file beside where it belongs. Raises InputError where it cannot be written."""
        try:
            self._make_folder(path.parent)
            part = path.parent / f".{secrets.token_hex(8)}.part"
            self._parts[path] = part
            part.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise _unwritable(path, error) from None

    def place(self) -> None:
        """Put all files in place. Raises InputError where one cannot be; `undo` then brings back what was there."""
        for path, part in self._parts.items():
            try:
                before = path.with_name(part.name + ".old") if path.exists() else None
                if before is not None:
                    os.link(path, before)
                self._before[path] = before
                os.replace(part, path)
            except OSError as error:
                raise _unwritable(path, error) from None

    def settle(self) -> None:
        """Forget what was there before."""
        for before in self._before.values():
            if before is not None:
                before.unlink(missing_ok=True)
        self._parts, self._before = {}, {}

    def undo(self) -> None:
        """Leave everything as it was before the first `prepare`."""
        for path, part in self._parts.items():
            with contextlib.suppress(OSError):
                if path in self._before and not part.exists():
                    before = self._before[path]
                    os.replace(before, path) if before is not None else path.unlink()
                elif before := self._before.get(path):
                    before.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        for folder in reversed(self._folders):
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._parts, self._before, self._folders = {}, {}, []

    def _make_folder(self, folder: Path) -> None:
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir()
            self._folders.append(missing)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be written ({error.strerror or error}), so nothing was recorded; make room or allow writing"
    )
