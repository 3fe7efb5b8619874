"""A submission's bytes as a notebook that can be restored, by the students' package's own reader."""

import hashlib

from nbformat import NotebookNode

from autograder.errors import InputError
from fixmelab import notebooks
from fixmelab.restoring.nodes import from_dict


def submission_digest(data: bytes) -> str:
    """SHA-256 of a submission's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_notebook(data: bytes, where: str) -> NotebookNode:
    """Return the notebook in `data`, in nbformat 4 and with every cell well formed.

    Raises InputError, which names `where`, for what is no notebook at all.
    """
    try:
        return from_dict(notebooks.read_notebook(data))
    except notebooks.NotebookError as error:
        raise InputError(f"{where}: {error}") from None
