"""Finds the notebook that is open here, and reads it: in Colab, JupyterLab, VS Code, or by its path."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from fixmelab.notebooks import NotebookError, read_notebook
from fixmelab.restoring.nodes import from_dict

SECONDS = 20  # that Colab may take to hand over the notebook


@dataclass(frozen=True)
class Opened:
    """A notebook that was read, and the bytes of its file. `saved` is when the file was, in seconds since 1970; None
    without a file."""

    notebook: NotebookNode
    where: str
    saved: float | None
    data: bytes


def by_path(path: Path) -> Opened:
    """The notebook in a file. Raises NotebookError if it cannot be read, or is no notebook."""
    if str(path).startswith(("http:", "https:")):
        raise NotebookError("that is an address, not a file: download the notebook, and give the path of your copy")
    try:
        data, saved = path.read_bytes(), path.stat().st_mtime
    except OSError as error:
        raise NotebookError(f"{path} cannot be read: {error.strerror}; give the path of your notebook") from None
    return Opened(_read(data, str(path)), path.name, saved, data)


def here(name: str) -> Opened:
    """The notebook whose cell asks; `name` is that of the course's notebook.

    Raises NotebookError if it cannot be found, and says what to do.
    """
    if "google.colab" in sys.modules:
        data = _from_colab()
        return Opened(_read(data, "this notebook"), "this notebook", None, data)
    tried = list(_paths(name))
    for path in tried:
        if path.is_file():
            return by_path(path)
    looked = f" (looked for {tried[0]})" if tried else ""
    raise NotebookError(f'the file of this notebook was not found{looked}: save it, and name it: lab.check("PATH")')


def _paths(name: str) -> Iterator[Path]:
    """Where the file may be: what Jupyter and VS Code say of it, else its usual name in this folder."""
    if session := os.environ.get("JPY_SESSION_NAME"):
        yield Path(session)
        yield Path.cwd() / Path(session).name
    if path := _variable("__vsc_ipynb_file__"):
        yield Path(path)
    yield Path.cwd() / f"{name}.ipynb"


def _variable(name: str) -> Any:
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    return None if shell is None else shell.user_ns.get(name)


def _from_colab() -> bytes:
    try:
        from google.colab import _message

        found = _message.blocking_request("get_ipynb", request="", timeout_sec=SECONDS)
        return json.dumps(found["ipynb"]).encode()
    except Exception as error:  # Colab says no kinds
        what = f"Colab did not hand over the notebook ({type(error).__name__})"
        raise NotebookError(f"{what}: reload the page, reconnect, and run this cell again") from None


def _read(data: bytes, where: str) -> NotebookNode:
    try:
        return from_dict(read_notebook(data))
    except NotebookError as error:
        raise NotebookError(f"{where} {error}") from None
