"""Finds the submissions in what an instructor has: notebooks, folders, or zips from a learning platform."""

import contextlib
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from nbformat import NotebookNode

from autograder.errors import InputError
from autograder.grading.reading import MAX_BYTES, read_notebook, submission_digest

__all__ = ["Submission", "find_submissions", "read_notebook", "submission_digest"]

SUFFIX = ".ipynb"
MAX_MEMBERS = 20_000
MAX_DEPTH = 30  # of folders
MAX_ZIP_BYTES = 2**30
MAX_NAME = 100

# What learning platforms make of a student's name: Moodle "Ada Byron_12345_assignsubmission_file_",
# Canvas "byronada_12345_67890_vae.ipynb", and "byronada_LATE_12345_67890_vae.ipynb" after the due date.
PLATFORM = (
    re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_\w+"),
    re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d{3,})_\d{3,}_.+"),
)


@dataclass(frozen=True)
class Submission:
    """One student's notebook: `path` is for people to read, `data` the bytes as they were handed in."""

    student: str
    path: str
    data: bytes

    @property
    def digest(self) -> str:
        return submission_digest(self.data)

    def notebook(self) -> NotebookNode:
        return read_notebook(self.data, self.path)


@dataclass(frozen=True)
class _Entry:
    """A visible file or folder: its parts below the place that was given; no `read` for what is no notebook."""

    parts: tuple[str, ...]
    path: str
    read: Callable[[], bytes] | None = None
    identity: str = ""


@dataclass(frozen=True)
class _Owner:
    """Whose a notebook is; `number` is the platform's, and tells namesakes apart."""

    name: str
    number: str = ""
    in_assignment: bool = False


def find_submissions(assignment: str, paths: Iterable[Path]) -> tuple[list[Submission], list[str]]:
    """Return the submissions in `paths`, ordered by student, and a line on each thing that is wrong there.

    A path is a notebook, a zip, or a folder: STUDENT/ASSIGNMENT/*.ipynb, STUDENT/*.ipynb, *.ipynb, or a
    single STUDENT/ASSIGNMENT. Nothing is unpacked to disk, and no link inside a folder is followed. A student
    with two notebooks has none: which one counts is for a person to say.
    """
    found: dict[str, tuple[_Owner, _Entry]] = {}
    problems: list[str] = []
    with contextlib.ExitStack() as zips:
        for top, entries in _places(assignment, [Path(path) for path in paths], zips, problems):
            for owner, entry in _owned(assignment, top, entries, problems):
                found.setdefault(entry.identity, (owner, entry))
        submissions = []
        for student, entries in sorted(_by_student(found.values()).items()):
            if len(entries) > 1:
                count = "two" if len(entries) == 2 else str(len(entries))
                which = " and ".join(sorted(entry.path for entry in entries))
                problems.append(f"{count} notebooks for one student, {student}: {which}; keep one of them")
                continue
            try:
                submission = Submission(student, entries[0].path, entries[0].read())
                submission.notebook()
                submissions.append(submission)
            except InputError as error:
                problems.append(str(error))
    return submissions, list(dict.fromkeys(problems))


# Where things lie


def _places(
    assignment: str, paths: list[Path], zips: contextlib.ExitStack, problems: list[str]
) -> Iterator[tuple[tuple[str, ...], list[_Entry]]]:
    """Yield, for each place given, the names of the folders down to it and the entries in it.

    Notebooks given one by one are taken together by folder, as if the folder held these alone.
    """
    alone: dict[Path, list[_Entry]] = defaultdict(list)
    for path in paths:
        shown = _one_line(str(path))
        absolute = Path(os.path.abspath(path))  # "." has no name
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                yield absolute.parts[1:], _folder(path, problems)
            elif not stat.S_ISREG(mode):
                problems.append(f"{shown}: is not a file or folder; give a notebook, a folder or a zip")
            elif _is_notebook(path.name):
                alone[absolute.parent].append(_file(path, (path.name,)))
            elif path.suffix.lower() == ".zip":
                yield (), _unwrapped(assignment, _zip(path, zips))
            else:
                problems.append(f"{shown}: is not a notebook; give a {SUFFIX} file, a folder or a zip")
        except InputError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(_refused(path, error))
    for folder, entries in alone.items():
        yield folder.parts[1:], entries


def _refused(path: str | Path, error: OSError) -> str:
    """The line on a path that the system does not let us read."""
    shown = _one_line(str(path))
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"{shown}: does not exist; check the path"
    if isinstance(error, PermissionError):
        return f"{shown}: no permission to read it; change its permissions, or ask its owner"
    return f"{shown}: cannot be read ({error.strerror or type(error).__name__}); check the path"


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _is_notebook(name: str) -> bool:
    return PurePath(name).suffix.lower() == SUFFIX


def _file(path: Path, parts: tuple[str, ...]) -> _Entry:
    def read() -> bytes:
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
                raise InputError(f"{_one_line(str(path))}: is not a plain file; remove it")
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError(_refused(path, error)) from None

    return _Entry(parts, _one_line(str(path)), read, os.path.realpath(path))


def _folder(root: Path, problems: list[str]) -> list[_Entry]:
    refused: list[OSError] = []
    entries: list[_Entry] = []
    for at, folders, files in os.walk(root, onerror=refused.append):
        here = Path(at)
        folders[:] = sorted(filter(_is_visible, folders))
        for name in folders + sorted(filter(_is_visible, files)):
            path = here / name
            parts = path.relative_to(root).parts
            if os.path.islink(path):
                if name in folders or _is_notebook(name):
                    problems.append(
                        f"{_one_line(str(path))}: is a link, and links are not followed; replace it by a copy"
                    )
            elif name not in folders and _is_notebook(name):
                entries.append(_file(path, parts))
            else:
                entries.append(_Entry(parts, _one_line(str(path))))
        if folders and len(here.relative_to(root).parts) == MAX_DEPTH:
            problems.append(f"{_one_line(str(here))}: folders below this one are too deep; move the notebooks up")
            folders.clear()
    problems.extend(_refused(error.filename or root, error) for error in refused)
    if not refused and not any(entry.read for entry in entries):
        problems.append(
            f"{_one_line(str(root))}: no notebooks in this folder; "
            f"expected STUDENT/ASSIGNMENT/*{SUFFIX}, STUDENT/*{SUFFIX} or *{SUFFIX}"
        )
    return entries


def _zip(path: Path, zips: contextlib.ExitStack) -> list[_Entry]:
    shown = _one_line(str(path))
    try:
        archive = zips.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise InputError(f"{shown}: is not a readable zip file; download it again") from None
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise InputError(f"{shown}: holds {len(members)} files, more than {MAX_MEMBERS}; split it")
    left = [MAX_ZIP_BYTES]
    entries = []
    for number, member in enumerate(members):
        parts = _member_parts(_member_name(member))
        if parts and all(map(_is_visible, parts)):
            label = _one_line(f"{path}:{'/'.join(parts)}")
            if member.is_dir() or not _is_notebook(parts[-1]):
                entries.append(_Entry(parts, label))
            else:
                read = _member_reader(archive, member, label, left)
                entries.append(_Entry(parts, label, read, f"{os.path.realpath(path)}:{number}"))
    if not any(entry.read for entry in entries):
        raise InputError(f"{shown}: no notebooks in this zip; expected STUDENT/*{SUFFIX} or *{SUFFIX} in it")
    return entries


def _member_name(member: zipfile.ZipInfo) -> str:
    """The name in UTF-8, which many programs write without saying so; else as the old code page has it."""
    if not member.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            return member.filename.encode("cp437").decode("utf-8")
    return member.filename


def _member_parts(name: str) -> tuple[str, ...]:
    """A member's path as labels only: no drive, no root, no way up."""
    parts = re.split(r"[/\\]+", name)
    return tuple(part for part in parts if part not in ("", ".", "..") and not part.endswith(":"))


def _member_reader(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, label: str, left: list[int]
) -> Callable[[], bytes]:
    def read() -> bytes:
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{label}: is a link, and links are not followed; replace it by a copy")
        if member.flag_bits & 1:
            raise InputError(f"{label}: is encrypted; unpack the zip and give the folder")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{label}: is packed in an unusual way; unpack the zip and give the folder")
        if left[0] <= 0:
            raise InputError(
                f"{_one_line(str(archive.filename))}: its notebooks exceed {MAX_ZIP_BYTES >> 20} MB; split it"
            )
        try:
            with archive.open(member) as file:  # the header may lie about the size: what comes out counts
                data = file.read(min(MAX_BYTES, left[0]) + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
            raise InputError(f"{label}: is damaged inside the zip; download it again") from None
        left[0] -= len(data)
        return data

    return read


def _unwrapped(assignment: str, entries: list[_Entry]) -> list[_Entry]:
    """Without the one folder that holds everything when a whole folder was zipped.

    A single folder is a student's where it holds one notebook, or something named like the assignment.
    """
    notebooks = [entry.parts for entry in entries if entry.read]
    if len(notebooks) < 2 or len({parts[0] for parts in notebooks}) > 1 or _platform(notebooks[0][0]):
        return entries
    if any(len(parts) < 2 or _same(PurePath(parts[1]).stem, assignment) for parts in notebooks):
        return entries
    return [replace(entry, parts=entry.parts[1:]) for entry in entries if len(entry.parts) > 1]


# Whose they are


def _owned(
    assignment: str, top: tuple[str, ...], entries: list[_Entry], problems: list[str]
) -> list[tuple[_Owner, _Entry]]:
    """The owner of each notebook. Notes the students who certainly are ones, and have no notebook."""
    flat = _flat_folders(assignment, top, entries)
    owned = [(_owner(assignment, top, entry.parts, flat), entry) for entry in entries if entry.read]
    with_assignment = {(owner.name, owner.number) for owner, _ in owned if owner.in_assignment}
    owned = [
        (owner, entry)
        for owner, entry in owned
        if owner.in_assignment or (owner.name, owner.number) not in with_assignment
    ]
    names = {owner.name for owner, _ in owned}
    for entry in entries:
        sure = _platform(entry.parts[0])
        if len(entry.parts) == 2 and _same(entry.parts[1], assignment):
            sure = sure or _Owner(entry.parts[0])
        if sure and _file_name(sure.name) not in names:
            names.add(_file_name(sure.name))
            problems.append(f"{entry.path}: no notebook of {_file_name(sure.name)}; ask for a {SUFFIX} file")
    return owned


def _same(name: str, assignment: str) -> bool:
    return name.casefold() == assignment.casefold()


def _flat_folders(assignment: str, top: tuple[str, ...], entries: list[_Entry]) -> set[tuple[str, ...]]:
    """Folders named like the assignment that hold one notebook a student, such as vae/ada.ipynb, vae/bob.ipynb.

    Only the folder that was given, or one directly in it, can be: deeper ones lie in a student's own folder.
    """
    inside: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for entry in entries:
        if entry.read and len(entry.parts) <= 2:
            inside[entry.parts[:-1]].append(PurePath(entry.parts[-1]).stem)
    return {
        folder
        for folder, stems in inside.items()
        if _same((top + folder)[-1] if top + folder else "", assignment)
        and len(stems) > 1
        and not any(_same(stem, assignment) for stem in stems)
    }


def _owner(assignment: str, top: tuple[str, ...], parts: tuple[str, ...], flat: set[tuple[str, ...]]) -> _Owner:
    """Parent folder named like the assignment: its parent. File directly in the place: its stem. Else: the
    first folder. A file named like the assignment never names a student, so that its folder does."""
    folders, stem = parts[:-1], PurePath(parts[-1]).stem
    where = top + folders
    in_assignment = any(_same(folder, assignment) for folder in folders)
    if len(folders) > 1 and _same(folders[0], assignment):
        folders = folders[1:]
    if folders in flat:
        raw = stem
    elif len(where) > 1 and _same(where[-1], assignment):
        raw = where[-2]
    elif folders and not _same(folders[0], assignment):
        raw = folders[0]
    elif _same(stem, assignment) and where and not _same(where[-1], assignment):
        raw = where[-1]
    else:
        raw = stem
    owner = _platform(parts[-1]) if len(parts) == 1 else None
    owner = owner or _platform(raw) or _Owner(raw)
    return replace(owner, name=_file_name(owner.name), in_assignment=in_assignment)


def _platform(text: str) -> _Owner | None:
    for pattern in PLATFORM:
        if match := pattern.fullmatch(text):
            return _Owner(match["name"], match["id"])
    return None


def _by_student(found: Iterable[tuple[_Owner, _Entry]]) -> dict[str, list[_Entry]]:
    """Group by student; namesakes whom the platform tells apart by number get it behind their names."""
    found = list(found)
    numbers: dict[str, set[str]] = defaultdict(set)
    for owner, _ in found:
        numbers[owner.name].add(owner.number)
    students: dict[str, list[_Entry]] = defaultdict(list)
    for owner, entry in found:
        namesakes = owner.number and len(numbers[owner.name] - {""}) > 1
        students[f"{owner.name}_{owner.number}" if namesakes else owner.name].append(entry)
    return students


def _one_line(text: str) -> str:
    """Text of unknown origin, safe to print in one line."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _file_name(name: str) -> str:
    """A student's name that can also be the name of a file, on any system."""
    name = unicodedata.normalize("NFC", name)
    name = "".join(c if c.isprintable() and c not in '/\\<>:"|?*[]' else "_" for c in name)
    return name[:MAX_NAME].strip(". ") or "unnamed"
