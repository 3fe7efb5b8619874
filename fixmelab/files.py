"""Files that are either whole or not there."""

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_LEFTOVER = re.compile(r"\.[0-9a-f]{16}\.part")


def remove_leftovers(folder: Path) -> None:
    """Remove from `folder` what processes killed inside `write_whole` have left; none may be running there."""
    for path in folder.glob(".*.part"):
        if _LEFTOVER.fullmatch(path.name) and path.is_file():
            with suppress(OSError):
                path.unlink()


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then move it there: a crash leaves what was there before.

    Folders are made. Raises what `write` raises, and OSError where nothing can be written; nothing is left behind then.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
