"""Notebooks in zips from a learning platform, and in zips that students handed in.

Nothing is unpacked to disk, and what is read is bounded.
"""

import contextlib
import functools
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from autograder.errors import InputError
from autograder.grading.submitted.entries import (
    Entry,
    File,
    NotebookFile,
    Parts,
    file_of,
    is_notebook,
    is_visible,
    is_zip,
    one_line,
)
from autograder.grading.submitted.member_names import member_names
from autograder.grading.submitted.timestamps import GIT
from autograder.grading.submitted.timestamps import NAME as TIMESTAMP
from fixmelab.notebooks import MAX_BYTES

MAX_MEMBERS = 20_000
MAX_ZIP_BYTES = 2**30  # of all its notebooks together
MAX_OTHER_BYTES = 4 * 2**30  # of the zips in it, and of files that only their beginning tells
MAX_INNER_MEMBERS = 2_000
DIRECTORY_BYTES = 512  # of a zip's directory for one member, its name in it
END_BYTES = 2**17  # of what stands behind the directory, a comment in it
UNIX = 3  # who has made a member, as zips number systems

_DRIVE = re.compile(r"[A-Za-z]:(?=[/\\])")


def archive_entries(path: Path, zips: contextlib.ExitStack, problems: list[str]) -> list[Entry]:
    """What lies in a zip. Raises InputError if it cannot be read."""
    shown = one_line(str(path))
    archive = _opened(zips.enter_context(_Bounded(io.FileIO(path))), shown, MAX_MEMBERS)
    entries, sure = _entries(lambda: archive, os.path.realpath(path), shown, (MAX_ZIP_BYTES, MAX_OTHER_BYTES))
    if not sure:
        problems.append(
            f"{shown}: names in it are in an unknown encoding, and may read oddly; unpack it where it was made"
        )
    return entries


def with_inner(entries: list[Entry]) -> list[Entry]:
    """The entries, and behind each zip among them what lies in it, as in a folder of its name.

    A zip in a zip in what was given is not looked into, nor one that cannot be read, or is over the bounds of a zip
    in a zip.
    """
    return [found for entry in entries for found in (entry, *_inner_entries(entry))]


def _inner_entries(entry: Entry) -> list[Entry]:
    if not isinstance(entry, File) or not is_zip(entry.parts[-1]):
        return []
    with contextlib.suppress(InputError):
        bounds = (4 * MAX_BYTES, 4 * MAX_BYTES)
        found, _ = _entries(lambda: _inner(entry), entry.identity, entry.path, bounds)
        if any(isinstance(one, NotebookFile) for one in found):
            return [replace(one, parts=entry.parts + one.parts) for one in found]
    return []


@functools.lru_cache(maxsize=1)  # the notebooks of one student are read one after the other
def _inner(file: File) -> zipfile.ZipFile:
    data = file.read()
    if len(data) > MAX_BYTES:
        raise InputError(f"{file.path}: is larger than {MAX_BYTES >> 20} MB")
    return _opened(_Bounded(io.BytesIO(data)), file.path, MAX_INNER_MEMBERS)


class _TooLarge(Exception):
    """More is read at once than may be."""


class _Bounded(io.BufferedReader):
    """A file of which no more than `most` bytes are read at once, if that is not None."""

    most: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is not None and size is not None and size > self.most:
            raise _TooLarge
        return super().read(size)


def _opened(file: _Bounded, shown: str, most: int) -> zipfile.ZipFile:
    """The zip in `file`. Raises InputError if it cannot be read, or if it holds more than `most` files.

    `zipfile` reads the directory as a whole, of the size that the end of the zip tells, and makes an object of every
    entry: so the size is bounded first.
    """
    too_many = InputError(f"{shown}: holds more than {most} files; split it")
    file.most = END_BYTES + most * DIRECTORY_BYTES
    try:
        archive = zipfile.ZipFile(file)
    except _TooLarge:
        raise too_many from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise InputError(f"{shown}: is not a readable zip file; download it again") from None
    file.most = None
    if len(archive.infolist()) > most:
        raise too_many
    return archive


def _entries(
    archive: Callable[[], zipfile.ZipFile], identity: str, shown: str, bounds: tuple[int, int]
) -> tuple[list[Entry], bool]:
    """What lies in a zip, and whether the encoding of names is known.

    `bounds` are the bytes that may be read of its notebooks, and of other files.
    """
    members = archive().infolist()
    left, left_for_others = ([most] for most in bounds)
    entries: list[Entry] = []
    names, sure = member_names(members)
    from_windows = not any("/" in name for name in names)
    paths = [
        _member_parts(name, backslashes=from_windows and member.create_system != UNIX)
        for member, name in zip(members, names, strict=True)
    ]
    clones = {parts[: parts.index(GIT)] for parts in paths if GIT in parts}
    for number, (member, parts) in enumerate(zip(members, paths, strict=True)):
        if parts and all(map(is_visible, parts)) and not _is_students_timestamp(parts, clones):
            label = one_line(f"{shown}:{'/'.join(parts)}")
            if member.is_dir():
                entries.append(Entry(parts, label))
            else:
                read = _member_reader(archive, member, label, left if is_notebook(parts[-1]) else left_for_others)
                entries.append(file_of(parts, label, read, f"{identity}:{number}"))
    return entries, sure


def _is_students_timestamp(parts: Parts, clones: set[Parts]) -> bool:
    return parts[-1] == TIMESTAMP and any(parts[:depth] in clones for depth in range(len(parts)))


def _member_parts(name: str, *, backslashes: bool) -> Parts:
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
    archive: Callable[[], zipfile.ZipFile], member: zipfile.ZipInfo, label: str, left: list[int]
) -> Callable[..., bytes]:
    def read(most: int = MAX_BYTES) -> bytes:
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{label}: is a link, and links are not followed; replace it by a copy")
        if member.flag_bits & 1:
            raise InputError(f"{label}: is encrypted; unpack the zip and give the folder")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{label}: is packed in an unusual way; unpack the zip and give the folder")
        try:
            with archive().open(member) as file:  # the header may lie about the size: what comes out counts
                data = file.read(min(most, left[0]) + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
            raise InputError(f"{label}: is damaged inside the zip; download it again") from None
        if len(data) > left[0]:
            raise InputError(f"{label}: the files before it fill what is read of a zip; unpack it and give the folder")
        left[0] -= len(data)
        return data

    return read
