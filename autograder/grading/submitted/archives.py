"""Notebooks in zips from a learning platform. Nothing is unpacked to disk, and what is read is bounded."""

import contextlib
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from autograder.errors import InputError
from autograder.grading.submitted.entries import (
    SUFFIX,
    Entry,
    NotebookFile,
    file_of,
    is_visible,
    one_line,
)
from autograder.grading.submitted.member_names import member_names
from fixmelab.notebooks import MAX_BYTES

MAX_MEMBERS = 20_000
MAX_ZIP_BYTES = 2**30
UNIX = 3  # who has made a member, as zips number systems

_DRIVE = re.compile(r"[A-Za-z]:(?=[/\\])")


def archive_entries(path: Path, zips: contextlib.ExitStack, problems: list[str]) -> list[Entry]:
    """What lies in a zip. Raises InputError if it cannot be read, or holds no notebook."""
    shown = one_line(str(path))
    try:
        archive = zips.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise InputError(f"{shown}: is not a readable zip file; download it again") from None
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise InputError(f"{shown}: holds {len(members)} files, more than {MAX_MEMBERS}; split it")
    left = [MAX_ZIP_BYTES]
    entries: list[Entry] = []
    names, sure = member_names(members)
    if not sure:
        problems.append(
            f"{shown}: names in it are in an unknown encoding, and may read oddly; unpack it where it was made"
        )
    from_windows = not any("/" in name for name in names)
    for number, (member, name) in enumerate(zip(members, names, strict=True)):
        parts = _member_parts(name, backslashes=from_windows and member.create_system != UNIX)
        if parts and all(map(is_visible, parts)):
            label = one_line(f"{path}:{'/'.join(parts)}")
            if member.is_dir():
                entries.append(Entry(parts, label))
            else:
                read = _member_reader(archive, member, label, left)
                entries.append(file_of(parts, label, read, f"{os.path.realpath(path)}:{number}"))
    if not any(isinstance(entry, NotebookFile) for entry in entries):
        raise InputError(f"{shown}: no notebooks in this zip; expected STUDENT/*{SUFFIX} or *{SUFFIX} in it")
    return entries


def _member_parts(name: str, *, backslashes: bool) -> tuple[str, ...]:
    """A member's path as labels only: no drive, no root, no way up.

    Some programs on Windows write backslashes between them; elsewhere one is a part of a name, which a student may
    have chosen so that the rest seems to lie deeper.
    """
    on_drive = _DRIVE.match(name)
    if on_drive or backslashes:
        name = name.replace("\\", "/")
    parts = name[on_drive.end() :].split("/") if on_drive else name.split("/")
    return tuple(part for part in parts if part not in ("", ".", ".."))


def _member_reader(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, label: str, left: list[int]
) -> Callable[..., bytes]:
    def read(most: int = MAX_BYTES) -> bytes:
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{label}: is a link, and links are not followed; replace it by a copy")
        if member.flag_bits & 1:
            raise InputError(f"{label}: is encrypted; unpack the zip and give the folder")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{label}: is packed in an unusual way; unpack the zip and give the folder")
        if left[0] <= 0:
            raise InputError(
                f"{one_line(str(archive.filename))}: its notebooks exceed {MAX_ZIP_BYTES >> 20} MB; split it"
            )
        try:
            with archive.open(member) as file:  # the header may lie about the size: what comes out counts
                data = file.read(min(most, left[0]) + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
            raise InputError(f"{label}: is damaged inside the zip; download it again") from None
        left[0] -= len(data)
        return data

    return read
