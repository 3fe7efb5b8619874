"""Receipts: that a notebook was received, and when, signed by the course's key, so that any copy can be checked."""

import hashlib
import hmac
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from autograder.errors import InputError
from autograder.grading.reading import submission_digest


class Receipt(BaseModel):
    """What a student keeps: who handed in what and when, and the HMAC-SHA256 of that by a key of the course."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    student: str
    assignment: str
    digest: str
    received: str
    signature: str


def receipt(key: bytes, student: str, assignment: str, digest: str, received: str) -> Receipt:
    """A receipt that is signed by the course's key."""
    signature = _signature(key, student, assignment, digest, received)
    return Receipt(student=student, assignment=assignment, digest=digest, received=received, signature=signature)


def is_genuine(key: bytes, found: Receipt) -> bool:
    """Whether the course's key has signed what a receipt says."""
    expected = _signature(key, found.student, found.assignment, found.digest, found.received)
    return hmac.compare_digest(expected.encode(), found.signature.encode("utf-8", "replace"))


def check_receipt(key: bytes, path: Path, notebook: Path | None = None) -> Receipt:
    """The receipt in a file, which the course's key has signed; with `notebook`, for just that notebook.

    Raises InputError if it is none, is not signed by the key, or is for another notebook.
    """
    try:
        found = Receipt.model_validate_json(path.read_bytes())
        data = notebook.read_bytes() if notebook else None
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from None
    except ValidationError:
        raise InputError(f"{path}: is no receipt; give the JSON file that `fixmelab submit` wrote") from None
    if not is_genuine(key, found):
        raise InputError(f"{path}: is not signed by this course's key: it was changed, or is another course's")
    if data is not None and submission_digest(data) != found.digest:
        raise InputError(f"{notebook}: is not the notebook of {path}, which was received with other content")
    return found


def _signature(key: bytes, *parts: str) -> str:
    own = hmac.new(key, b"fixmelab: receipts", hashlib.sha256).digest()
    return hmac.new(own, json.dumps(parts, ensure_ascii=True).encode(), hashlib.sha256).hexdigest()
