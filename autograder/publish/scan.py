"""Looks for the course's secrets in the tree that is published, and in all that its history can show."""

import base64
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder import course
from autograder.authoring.leaks import Leak, find_leaks
from autograder.authoring.secrecy import Secrets
from autograder.grading.key import KEY_VARIABLE
from autograder.publish.history import Object
from autograder.publish.parts import name_of
from autograder.publish.texts import as_utf8
from autograder.publish.unpack import opened
from autograder.results.text import and_more

BATCH = 2 * 2**20  # bytes that are looked through together
ENOUGH = 100  # files with leaks; the rest is not looked for, since a list of thousands helps nobody
LEAST_KEY = 16  # bytes; fewer may stand anywhere by chance
UNSEARCHED = "cannot be searched"  # the kind of a leak that may be one
WHITE_SPACE = b" \t\r\n\v\f"
_NAME = "name.txt"  # what sort of text a file's name is
_LFS_POINTER = re.compile(
    rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v1\r?\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\b"
)
_ONLY_IN_RELEASES = ("output", "execution count")
# Trees that were published by version 0.1 show this line in fixmelab/probe.py: in their history it is no secret.
_PUBLIC = b"from autograder.assignments import check_here"


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


@dataclass(frozen=True)
class Leaks(Leak):
    """The first leak of a file, and how many more are in it."""

    more: int = 0

    def __str__(self) -> str:
        return super().__str__() + (f" ({and_more(self.more)} in this file)" if self.more else "")


def leaks_in_tree(
    files: Mapping[str, bytes], secrets: Secrets, keys: Iterable[bytes], lfs: Collection[str] = ()
) -> list[Leaks]:
    """Secrets in the files and in their names, archives opened. `lfs` are the ids of files of Git LFS that are here."""
    named = ((f"{path}, its name", _NAME, os.fsencode(path)) for path in files)
    held = ((path, path, content) for path, content in files.items())
    return _leaks((*named, *held), secrets, keys, lfs)


def leaks_in_history(
    history: Iterable[Object], secrets: Secrets, keys: Iterable[bytes], lfs: Collection[str] = ()
) -> list[Leaks]:
    """Secrets in the objects. Paths, a tree's names and a commit's message count as well."""
    return _leaks(_named(history), secrets, keys, lfs)


def _named(history: Iterable[Object]) -> Iterator[tuple[str, str, bytes]]:
    named = {""}
    for item in history:
        if item.path not in named:
            named.add(item.path)
            yield f"{item.where}, its path", _NAME, os.fsencode(item.path)
        yield item.where, _path(item), item.content


def _path(item: Object) -> str:
    """A path by which the scan knows what sort of text it is. What no path is known of may be code or a notebook."""
    if item.kind == "tree":
        return ""
    if item.path or item.kind not in ("blob", "LFS file"):
        return item.path
    name = name_of(item.content)
    return f"release/{name}" if name.endswith(".ipynb") else name


def _leaks(
    items: Iterable[tuple[str, str, bytes]], secrets: Secrets, keys: Iterable[bytes], lfs: Collection[str]
) -> list[Leaks]:
    """Leaks in (where it is, path that says of what sort it is, content)."""
    forms = [form for key in keys for form in _forms_of_key(key)]
    found: dict[str, list[Leak]] = {}
    batch: dict[str, bytes] = {}
    labels: dict[str, tuple[str, str, str]] = {}
    size = 0

    def add(where: str, leak: Leak) -> None:
        found.setdefault(where, []).append(leak)

    def look() -> None:
        for leak in _find(batch, secrets):
            number = leak.where.split("/", 1)[0]
            where, place, path = labels[number]
            if leak.kind in _ONLY_IN_RELEASES and not path.startswith("release/"):
                continue
            rest = leak.where.removeprefix(f"{number}/{path}")
            add(where, Leak(place + rest, leak.kind, leak.excerpt))
        batch.clear()
        labels.clear()

    for where, path, outer in items:
        for part in opened(outer, path):
            place, content = where + part.inside, as_utf8(part.content)
            if part.problem:
                add(where, Leak(place, UNSEARCHED, part.problem))
                continue
            pointer = _LFS_POINTER.match(content)
            if pointer and pointer[1].decode() not in lfs:
                add(where, Leak(place, UNSEARCHED, "its content is kept by Git LFS: run git lfs fetch --all"))
            spaceless = content.translate(None, WHITE_SPACE)
            if any(form in part.content or form in spaceless for form in forms):
                add(where, Leak(place, "course key", "(not shown)"))
            content = content.replace(_PUBLIC, b"")
            number = str(len(labels))
            labels[number] = (where, place, part.name)
            batch[f"{number}/{part.name}"] = content
            size += len(content)
            if size > BATCH:
                look()
                size = 0
        if len(found) >= ENOUGH:
            break
    look()
    files = [_of_one_file(list(dict.fromkeys(found[where]))) for where in sorted(found)]
    return sorted(files, key=_by_weight)


def _of_one_file(leaks: list[Leak]) -> Leaks:
    first = min(leaks, key=_by_weight)
    return Leaks(first.where, first.kind, first.excerpt, len(leaks) - 1)


def _by_weight(leak: Leak) -> bool:
    return leak.kind == UNSEARCHED  # a secret says more


def _find(batch: dict[str, bytes], secrets: Secrets) -> list[Leak]:
    """Leaks in a batch; one by one where a file in it is made to exhaust what looks through it."""
    try:
        return find_leaks(batch, secrets)
    except RecursionError:
        if len(batch) == 1:
            return [Leak(next(iter(batch)), UNSEARCHED, "is nested too deeply")]
        return [leak for path, content in batch.items() for leak in _find({path: content}, secrets)]


def _forms_of_key(key: bytes) -> list[bytes]:
    """How a key may stand in a text: as it is, in hexadecimal, as Python prints it, and in base64.

    A text is also searched without white space, so that these are without it, too.
    """
    text = key.strip()
    forms = [key, text, text.translate(None, WHITE_SPACE)]
    for raw in dict.fromkeys((key, text, *_from_hexadecimal(text))):
        forms += [raw, raw.hex().encode(), raw.hex().upper().encode()]
        forms += [repr(raw)[2:-1].encode(), ",".join(map(str, raw)).encode()]
        for shift in range(3):
            letters = base64.b64encode(b"\0" * shift + raw)
            middle = letters[(4 if shift else 0) : -4]  # only these letters are the key's alone
            forms += [middle, middle.replace(b"+", b"-").replace(b"/", b"_")]
    return list(dict.fromkeys(form for form in forms if len(form) >= LEAST_KEY))


def _from_hexadecimal(text: bytes) -> list[bytes]:
    try:
        return [bytes.fromhex(text.decode())]
    except ValueError:
        return []
