"""The course's secret key, from which the inputs of checks are drawn."""

import os
import secrets
import tempfile
from pathlib import Path

from autograder import course
from autograder.errors import InputError

KEY_BYTES = 32
KEY_VARIABLE = "FIXMELAB_KEY_FILE"


def course_key(path: Path | None = None) -> bytes:
    """The key: 32 random bytes.

    It stands in `path`, else in the file that FIXMELAB_KEY_FILE names, else in course.key at the repository's root,
    which is made if it is missing. Raises InputError if the file cannot be read or holds fewer bytes.
    """
    named = path or os.environ.get(KEY_VARIABLE)
    file = Path(named) if named else course.ROOT / "course.key"
    try:
        if not named and not file.exists():
            _make_key(file)
        key = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: the course's key cannot be read ({error.strerror}): mend {KEY_VARIABLE}") from None
    if len(key) < KEY_BYTES:
        raise InputError(
            f"{file}: the course's key has {len(key)} bytes, not {KEY_BYTES}: restore it, or make a new one"
        )
    return key


def _make_key(file: Path) -> None:
    """Make a key that only its owner can read; if two do so at once, both use the one that was first."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".course.key-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(KEY_BYTES))
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
