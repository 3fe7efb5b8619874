"""The files of a run: each appears complete or not at all, and none outside the folder that was given."""

import hashlib
import os
import re
import secrets
from pathlib import Path

from autograder.errors import InputError

_PART = re.compile(r"\.[0-9a-f]{16}\.part")
_DIGEST_BEHIND = re.compile(r"-[0-9a-f]{8}\Z")
MOST_NAME_BYTES = 200  # of the 255 that file systems allow
ADVICE = "make room there or allow writing, or give another folder with --out"


def write(path: Path, text: str, *, durable: bool = False) -> Path:
    """Write a file by an atomic rename. With `durable` a power cut cannot leave half of it, either.

    Raises InputError where it cannot be written; then nothing of it is there, and what was there before still is.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, text, durable=durable)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); {ADVICE}") from None
    return path


def replace(path: Path, text: str, *, durable: bool) -> None:
    """What `write` does, in a folder that exists. Raises OSError."""
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        # Text out of a kernel may hold lone surrogates, which no file can.
        with temporary.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_parts(folder: Path) -> None:
    """Remove what a killed run was writing in `folder`. Raises OSError."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if _PART.fullmatch(path.name):
            path.unlink(missing_ok=True)


def notebook_path(out: Path, student: str) -> Path:
    """Where the executed notebook of a student is put: never outside `out`, and for each name another place."""
    name = re.sub(r"[^\w .@+-]", "_", student).encode("utf-8", "replace")[:MOST_NAME_BYTES].decode("utf-8", "ignore")
    name = name.strip(". ") or "unnamed"
    # A name that looks like one with a digest gets one too: nobody can call himself what another one's file is called.
    if name != student or _DIGEST_BEHIND.search(name):
        name = f"{name}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return out / "executed" / f"{name}.ipynb"
