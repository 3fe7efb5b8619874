"""The names that learning platforms give to what they export, and whom they mean.

Moodle makes folders "Ada Byron_12345_assignsubmission_file_", or files that begin so; Canvas makes files
"byronada_12345_67890_vae.ipynb", and "byronada_LATE_12345_67890_vae.ipynb" after the due date. What stands in front of
the number students choose for themselves, and what stands behind it, too: the name of their file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<number>[0-9]{1,20})_assignsubmission_[a-z]+_?", re.S)
_MOODLE_FILE = re.compile(r"_(?P<number>[0-9]{1,20})_assignsubmission_[a-z]+_(?=.)", re.S)
_CANVAS = re.compile(r"_(?:LATE_)?(?=(?P<number>[0-9]{3,20})_[0-9]{3,20}_.)", re.S)


@dataclass(frozen=True)
class Account:
    """Whom a name means: `name` as it stands there, `number` the platform's own, which tells namesakes apart."""

    platform: str
    name: str
    number: str


def account_in(text: str) -> Account | None:
    """Whom the name of a file or folder means; None if no platform has made it, or if it can be read in two ways."""
    found = readings(text)
    return found[0] if len(found) == 1 else None


def readings(text: str) -> list[Account]:
    """All that a name can mean.

    The name of a folder is read from its right end, where the platform's part stands. That of a file has the
    student's own name on the left and the student's own file on the right: either can be made to look like the
    platform's part, and then nobody can tell which it is.
    """
    if folder := _MOODLE_FOLDER.fullmatch(text):
        return [Account("moodle", folder["name"], folder["number"])]
    return [*_within("moodle", _MOODLE_FILE, text), *_within("canvas", _CANVAS, text)]


def _within(platform: str, pattern: re.Pattern[str], text: str) -> Iterator[Account]:
    for match in pattern.finditer(text):
        if match.start():
            yield Account(platform, text[: match.start()], match["number"])
