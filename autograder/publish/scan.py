"""Looks for the course's secrets in the tree that is published, and in all that its history can show."""

import base64
import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from bz2 import BZ2File
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from autograder import course
from autograder.build.leaks import ALLOWED, Leak, find_leaks
from autograder.build.secrecy import Secrets
from autograder.grading.key import KEY_VARIABLE
from autograder.publish.history import Object

BATCH = 2 * 2**20  # bytes that are looked through together
ENOUGH = 100  # leaks; the rest is not looked for, since a list of thousands helps nobody
MOST_UNPACKED = 256 * 2**20  # bytes that an archive may hold
MOST_MEMBERS = 10_000
LEAST_KEY = 16  # bytes; fewer may stand anywhere by chance
_ONLY_IN_RELEASES = ("output", "execution count")
_PROBE, _PROBES_LINE = next(iter(ALLOWED.items()))


def course_keys(root: Path) -> list[bytes]:
    """The course's keys, as far as they are on this machine. None is made."""
    named = os.environ.get(KEY_VARIABLE)
    keys = []
    for path in (root / "course.key", course.ROOT / "course.key", *([Path(named)] if named else [])):
        try:
            keys.append(path.read_bytes())
        except OSError:
            continue
    return list(dict.fromkeys(key for key in keys if len(key) >= LEAST_KEY))


def leaks_in_tree(files: Mapping[str, bytes], secrets: Secrets, keys: Iterable[bytes]) -> list[Leak]:
    """Every secret in the files, by path, archives opened."""
    return _leaks(((path, path, content) for path, content in files.items()), secrets, keys)


def leaks_in_history(history: Iterable[Object], secrets: Secrets, keys: Iterable[bytes]) -> list[Leak]:
    """Every secret in the objects. A tree's names and a commit's message count as well."""
    return _leaks(((item.where, _path(item), item.content) for item in history), secrets, keys)


def _path(item: Object) -> str:
    """A path by which the scan knows what sort of text it is. What no path is known of may be code or a notebook."""
    if item.kind == "tree":
        return ""
    if item.path or item.kind not in ("blob", "LFS file"):
        return item.path
    return "release/unknown.ipynb" if item.content.lstrip()[:1] == b"{" else "unknown.py"


def _leaks(items: Iterable[tuple[str, str, bytes]], secrets: Secrets, keys: Iterable[bytes]) -> list[Leak]:
    """Leaks in (where it is, path that says of what sort it is, content)."""
    forms = [form for key in keys for form in _forms_of_key(key)]
    leaks: list[Leak] = []
    batch: dict[str, bytes] = {}
    labels: dict[str, tuple[str, str]] = {}
    size = 0

    def look() -> None:
        for leak in find_leaks(batch, secrets):
            number = leak.where.split("/", 1)[0]
            where, path = labels[number]
            if leak.kind in _ONLY_IN_RELEASES and not path.startswith("release/"):
                continue
            rest = leak.where.removeprefix(f"{number}/{path}")
            leaks.append(Leak(where + rest, leak.kind, leak.excerpt))
        batch.clear()
        labels.clear()

    for where, path, outer in items:
        for inside, content in _opened(outer):
            if any(form in content for form in forms):
                leaks.append(Leak(where + inside, "course key", "(not shown)"))
            kind = path if not inside else inside.rpartition(", ")[2]
            if path in (_PROBE, "unknown.py"):
                content = content.replace(_PROBES_LINE.encode(), b"")
            number = str(len(labels))
            labels[number] = (where + inside, kind)
            batch[f"{number}/{kind}"] = _as_utf8(content)
            size += len(content)
            if size > BATCH:
                look()
                size = 0
        if len(leaks) >= ENOUGH:
            break
    look()
    return list(dict.fromkeys(leaks))


def _forms_of_key(key: bytes) -> list[bytes]:
    """The key as it is, in hexadecimal, and in base64 wherever it begins in the encoded text."""
    forms = [key, key.hex().encode(), key.hex().upper().encode()]
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + key)
        middle = text[(4 if shift else 0) : -4]  # only these letters are the key's alone
        forms += [middle, middle.replace(b"+", b"-").replace(b"/", b"_")]
    return [form for form in (*forms, key.strip()) if len(form) >= LEAST_KEY]


def _as_utf8(content: bytes) -> bytes:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace").encode("utf-8", "replace")
    return content


def _opened(content: bytes, inside: str = "", depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """The content, and what is packed in it: zip, gzip, bzip2, xz and tar, one in another up to three deep."""
    yield inside, content
    if depth == 3:
        return
    for opens in (_zipped, _compressed, _tarred):
        try:
            for name, data in opens(content):
                yield from _opened(data, f"{inside}, {name}", depth + 1)
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError):
            continue
        except (NotImplementedError, RuntimeError):  # encrypted, or packed in an unknown way
            continue


def _zipped(content: bytes) -> Iterator[tuple[str, bytes]]:
    if b"PK\x05\x06" not in content[-70_000:]:
        return
    left = MOST_UNPACKED
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist()[:MOST_MEMBERS]:
            with archive.open(member) as file:
                data = file.read(left)
            left -= len(data)
            yield member.filename, data


_PACKERS: tuple[tuple[bytes, Callable], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
)


def _compressed(content: bytes) -> Iterator[tuple[str, bytes]]:
    for magic, opens in _PACKERS:
        if content.startswith(magic):
            with opens(io.BytesIO(content)) as file:
                yield "unpacked.py", file.read(MOST_UNPACKED)


def _tarred(content: bytes) -> Iterator[tuple[str, bytes]]:
    if content[257:262] != b"ustar":
        return
    left = MOST_UNPACKED
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for number, member in enumerate(archive):
            file = archive.extractfile(member) if member.isfile() else None
            if file and number < MOST_MEMBERS:
                data = file.read(left)
                left -= len(data)
                yield member.name, data
