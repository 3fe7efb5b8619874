"""What is packed in a file: compressed data, packs of Git, tar and zip archives.

Each function returns None for what is not of its sort, and raises UnreadError for what it cannot read.
"""

import bz2
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autograder.errors import InputError
from autograder.publish import history
from autograder.publish.parts import Part, Room, UnreadError, name_of

MOST_MEMBERS = 10_000
DAMAGED = "is an archive that is damaged or cut off"
_CHUNK = 2**20
_ZIP_MEMBER, _ZIP_END, _ZIP_END_LENGTH = b"PK\x03\x04", b"PK\x05\x06", 22

_CLOSED = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"!<arch>\n": "ar",
}


def _closed(content: bytes, room: Room) -> Iterable[Part] | None:
    for magic, kind in _CLOSED.items():
        if content.startswith(magic):
            raise UnreadError(f"is packed with {kind}, which is not opened here")
    return None


# By what each begins with, no less than a text never begins with.
_PACKERS: tuple[tuple[re.Pattern[bytes], Callable[[], Any]], ...] = (
    (re.compile(rb"\x1f\x8b\x08"), lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor),
    (re.compile(rb"\xfd7zXZ\0"), lzma.LZMADecompressor),
    (re.compile(rb"\]\0\0.\0(?:\xff{8}|.{5}\0{3})", re.DOTALL), lzma.LZMADecompressor),
)
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda]")


def _streams(content: bytes, room: Room) -> Iterable[Part] | None:
    for magic, new in _PACKERS:
        if magic.match(content):
            return _unpacked(content, magic, new, room)
    if _ZLIB.match(content):
        try:
            return list(_unpacked(content, _ZLIB, zlib.decompressobj, room))
        except (zlib.error, EOFError):
            return None  # two letters that any text may begin with
    return None


def _unpacked(content: bytes, magic: re.Pattern[bytes], new: Callable[[], Any], room: Room) -> Iterator[Part]:
    """All streams that stand one behind another, as one, and what follows them."""
    at, pieces, left = 0, [], room.left
    while magic.match(content, at):
        stream = new()
        while not stream.eof:
            chunk = content[at : at + _CHUNK]
            if not chunk:
                raise EOFError
            pieces.append(stream.decompress(chunk, left + 1))
            left -= len(pieces[-1])
            if left < 0:
                room.take(room.left + 1)
            at += len(chunk) - len(stream.unused_data)
    data = b"".join(pieces)
    yield Part(", unpacked", name_of(data), data)
    yield from _rest(content[at:])


def _rest(content: bytes) -> Iterator[Part]:
    """What stands behind the end of an archive; zeros are often put there to fill a block."""
    content = content.lstrip(b"\0")
    if content:
        yield Part(", behind its end", name_of(content), content)


def _pack(content: bytes, room: Room) -> Iterable[Part] | None:
    """What `git bundle` makes, or Git's own packs."""
    if content.startswith((b"# v2 git bundle\n", b"# v3 git bundle\n")):
        content = content.partition(b"\n\n")[2]
    elif not content.startswith(b"PACK\0\0\0"):
        return None
    return _packed(content)


def _packed(content: bytes) -> Iterator[Part]:
    try:
        for item in history.packed(content):
            yield Part(f", {item.kind} {item.id[:10]}", name_of(item.content), item.content)
    except InputError:
        raise UnreadError("is a pack of Git that cannot be read, or lacks what it builds on") from None


def _tar(content: bytes, room: Room) -> Iterable[Part] | None:
    try:
        tarfile.TarInfo.frombuf(content[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return _tarred(content, room)


def _tarred(content: bytes, room: Room) -> Iterator[Part]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for number, member in enumerate(archive):
            _count(number)
            file = archive.extractfile(member) if member.isfile() else None
            if file:
                yield Part(f", {member.name}", member.name, _read(file, room))
        end = archive.offset
    if content[end : end + 512].strip(b"\0"):  # tarfile stops there, as at an end
        raise UnreadError(DAMAGED)
    yield from _rest(content[end:])


def _zip(content: bytes, room: Room) -> Iterable[Part] | None:
    end = content.rfind(_ZIP_END)
    if end >= 0:
        end += _ZIP_END_LENGTH
        return _zipped(content, end + int.from_bytes(content[end - 2 : end], "little"), room)
    if content.startswith(_ZIP_MEMBER):
        raise UnreadError(DAMAGED)
    return None


def _zipped(content: bytes, end: int, room: Room) -> Iterator[Part]:
    with zipfile.ZipFile(io.BytesIO(content[:end])) as archive:
        members = archive.infolist()
        _count(len(members) - 1)
        for member in members:
            inside = f", {member.filename}"
            try:
                with archive.open(member) as file:
                    data = _read(file, room)
            except UnreadError:
                raise
            except Exception:
                yield Part(inside, member.filename, b"", "is damaged or encrypted")
            else:
                yield Part(inside, member.filename, data)
        start = min([archive.start_dir, *(member.header_offset for member in members)])
    if start > 0:
        yield Part(", before the archive", name_of(content), content[:start])
    yield from _rest(content[end:])


def _count(number: int) -> None:
    if number >= MOST_MEMBERS:
        raise UnreadError(f"holds more than {MOST_MEMBERS} files")


def _read(file: Any, room: Room) -> bytes:
    """All of a member. What is unpacked is counted where it is looked at; here it is only bounded."""
    data = file.read(room.left + 1)
    if len(data) > room.left:
        room.take(len(data))
    return data


SORTS = (_closed, _streams, _pack, _tar, _zip)
