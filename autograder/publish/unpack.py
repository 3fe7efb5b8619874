"""What a file holds beneath its surface: archives, compressed data, packs of Git, base64 and the text of HTML."""

import base64
import bz2
import html
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from autograder.errors import InputError
from autograder.publish import history

MOST_UNPACKED = 256 * 2**20  # bytes that a file may hold, all that is packed in it together
MOST_MEMBERS = 10_000
DEEPEST = 8  # of archives in archives
_CHUNK = 2**20
_DAMAGED = "is an archive that is damaged or cut off"
_ZIP_MEMBER, _ZIP_END, _ZIP_END_LENGTH = b"PK\x03\x04", b"PK\x05\x06", 22

_PLAIN = ", without markup"
_MARKUP = re.compile(rb"</[A-Za-z]|&(?:#\w+|[A-Za-z]+);")
_TAG = re.compile(r"<[^<>]*>")
# Runs of letters that may be base64 or hexadecimal, over several lines too: indented, quoted, as strings of Python
# or JSON. The lines of one are equally long but for the last.
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{32,}")
_NEXT_LINE = re.compile(rb"(?:[\s\"',>#*|]|\\[nr]){1,40}([A-Za-z0-9+/_-]+)")
_HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2}){16,}")


@dataclass(frozen=True)
class Part:
    """`inside` says how it is wrapped, "" for the file itself; `name` is a path that tells what sort of text it is.

    `problem` says why the part, or something in it, could not be read.
    """

    inside: str
    name: str
    content: bytes
    problem: str = ""


class _UnreadError(Exception):
    """Why something cannot be read to its end."""


class _Room:
    """Counts what is unpacked, so that a small file cannot fill the memory."""

    def __init__(self) -> None:
        self.left = MOST_UNPACKED
        self.seen: set[tuple[str, bytes]] = set()

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise _UnreadError(f"holds more than {MOST_UNPACKED // 2**20} MB unpacked")


def name_of(content: bytes) -> str:
    """A path for what no path is known of: it may be code or a notebook."""
    return "unknown.ipynb" if content.lstrip()[:1] == b"{" else "unknown.py"


def opened(content: bytes, name: str) -> Iterator[Part]:
    """The content itself, and all that is in it, one in another. What cannot be read is a part with a problem."""
    return _opened(Part("", name, content), _Room(), 0)


def _opened(part: Part, room: _Room, depth: int) -> Iterator[Part]:
    yield part
    if part.problem:
        return
    try:
        for inner in _inner(part, room):
            if depth == DEEPEST:
                raise _UnreadError(f"holds something packed more than {DEEPEST} deep")
            key = inner.name, inner.content
            if inner.problem or key not in room.seen:
                room.seen.add(key)
                room.take(len(inner.content))
                yield from _opened(replace(inner, inside=part.inside + inner.inside), room, depth + 1)
    except _UnreadError as error:
        yield Part(part.inside, part.name, b"", str(error))


def _inner(part: Part, room: _Room) -> Iterator[Part]:
    content = part.content
    for opens in (_closed, _streams, _pack, _tar, _zip):
        parts = opens(content, room)
        if parts is not None:
            try:
                yield from parts
            except _UnreadError:
                raise
            except Exception:  # what a library says of a damaged file may be anything
                raise _UnreadError(_DAMAGED) from None
            return
    text = as_utf8(content)
    if not part.inside.endswith(_PLAIN * 2):  # HTML may be quoted in HTML; more often it is none
        yield from _without_markup(part.name, text)
    yield from _decoded(text)


def as_utf8(content: bytes) -> bytes:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace").encode("utf-8", "replace")
    return content


# Archives: each returns None for what is not of its sort.

_CLOSED = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"!<arch>\n": "ar",
}


def _closed(content: bytes, room: _Room) -> Iterable[Part] | None:
    for magic, kind in _CLOSED.items():
        if content.startswith(magic):
            raise _UnreadError(f"is packed with {kind}, which is not opened here")
    return None


# By what each begins with, no less than a text never begins with.
_PACKERS: tuple[tuple[re.Pattern[bytes], Callable[[], Any]], ...] = (
    (re.compile(rb"\x1f\x8b\x08"), lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor),
    (re.compile(rb"\xfd7zXZ\0"), lzma.LZMADecompressor),
    (re.compile(rb"\]\0\0.\0(?:\xff{8}|.{5}\0{3})", re.DOTALL), lzma.LZMADecompressor),
)
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda]")


def _streams(content: bytes, room: _Room) -> Iterable[Part] | None:
    for magic, new in _PACKERS:
        if magic.match(content):
            return _unpacked(content, magic, new, room)
    if _ZLIB.match(content):
        try:
            return list(_unpacked(content, _ZLIB, zlib.decompressobj, room))
        except (zlib.error, EOFError):
            return None  # two letters that any text may begin with
    return None


def _unpacked(content: bytes, magic: re.Pattern[bytes], new: Callable[[], Any], room: _Room) -> Iterator[Part]:
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


def _pack(content: bytes, room: _Room) -> Iterable[Part] | None:
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
        raise _UnreadError("is a pack of Git that cannot be read, or lacks what it builds on") from None


def _tar(content: bytes, room: _Room) -> Iterable[Part] | None:
    try:
        tarfile.TarInfo.frombuf(content[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return _tarred(content, room)


def _tarred(content: bytes, room: _Room) -> Iterator[Part]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for number, member in enumerate(archive):
            _count(number)
            file = archive.extractfile(member) if member.isfile() else None
            if file:
                yield Part(f", {member.name}", member.name, _read(file, room))
        end = archive.offset
    if content[end : end + 512].strip(b"\0"):  # tarfile stops there, as at an end
        raise _UnreadError(_DAMAGED)
    yield from _rest(content[end:])


def _zip(content: bytes, room: _Room) -> Iterable[Part] | None:
    end = content.rfind(_ZIP_END)
    if end >= 0:
        end += _ZIP_END_LENGTH
        return _zipped(content, end + int.from_bytes(content[end - 2 : end], "little"), room)
    if content.startswith(_ZIP_MEMBER):
        raise _UnreadError(_DAMAGED)
    return None


def _zipped(content: bytes, end: int, room: _Room) -> Iterator[Part]:
    with zipfile.ZipFile(io.BytesIO(content[:end])) as archive:
        members = archive.infolist()
        _count(len(members) - 1)
        for member in members:
            inside = f", {member.filename}"
            try:
                with archive.open(member) as file:
                    data = _read(file, room)
            except _UnreadError:
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
        raise _UnreadError(f"holds more than {MOST_MEMBERS} files")


def _read(file: Any, room: _Room) -> bytes:
    """All of a member. What is unpacked is counted where it is looked at; here it is only bounded."""
    data = file.read(room.left + 1)
    if len(data) > room.left:
        room.take(len(data))
    return data


# Text in another form


def _without_markup(name: str, content: bytes) -> Iterator[Part]:
    """The text of HTML as it is read: without tags and entities. An exported notebook has tags around every word."""
    if b"\0" not in content and _MARKUP.search(content):
        text = html.unescape(_TAG.sub(_newlines, content.decode("utf-8", "replace")))
        text = text.replace("\\n", "\n").replace('\\"', '"')  # HTML in a notebook's output
        read = text.encode("utf-8", "replace")
        if read != content:
            yield Part(_PLAIN, "unknown.md" if name.endswith(".ipynb") else name, read)


def _newlines(tag: re.Match[str]) -> str:
    return "\n" * tag[0].count("\n")


def _decoded(content: bytes) -> Iterator[Part]:
    """What stands in base64, or in hexadecimal."""
    end = 0
    for match in _RUN.finditer(content):
        if match.start() < end:
            continue
        run, end = _run(content, match)
        letters = run.translate(bytes.maketrans(b"-_", b"+/"))
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        data = base64.b64decode(letters + b"=" * (-len(letters) % 4))
        yield Part(", in base64", name_of(data), data)
        digits = _HEXADECIMAL.match(run)
        if digits:
            data = bytes.fromhex(digits[0].decode())
            yield Part(", in hexadecimal", name_of(data), data)


def _run(content: bytes, match: re.Match[bytes]) -> tuple[bytes, int]:
    """A run with the lines that follow, and where its last full line ends: a shorter one may belong to another run."""
    lines, end, at = [match[0]], match.end(), match.end()
    while (following := _NEXT_LINE.match(content, at)) and len(following[1]) <= len(match[0]):
        lines.append(following[1])
        at = following.end()
        if len(following[1]) < len(match[0]):
            break
        end = at
    return b"".join(lines), end
