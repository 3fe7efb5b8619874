"""Whose a notebook is, by the names of folders and files."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePath

from autograder.grading.submitted.entries import SUFFIX, Entry, NotebookFile, file_name, same_name

# What learning platforms make of a student's name: Moodle "Ada Byron_12345_assignsubmission_file_",
# Canvas "byronada_12345_67890_vae.ipynb", and "byronada_LATE_12345_67890_vae.ipynb" after the due date.
PLATFORM = (
    re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_\w+"),
    re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d{3,})_\d{3,}_.+"),
)


@dataclass(frozen=True)
class Owner:
    """Whose a notebook is; `number` is the platform's, and tells namesakes apart."""

    name: str
    number: str = ""
    in_assignment: bool = False


def owned(
    assignment: str, top: tuple[str, ...], entries: list[Entry], problems: list[str]
) -> list[tuple[Owner, NotebookFile]]:
    """The owner of each notebook. Notes the students who certainly are ones, and have no notebook."""
    flat = _flat_folders(assignment, top, entries)
    notebooks = [entry for entry in entries if isinstance(entry, NotebookFile)]
    found = [(_owner(assignment, top, notebook.parts, flat), notebook) for notebook in notebooks]
    with_assignment = {(owner.name, owner.number) for owner, _ in found if owner.in_assignment}
    found = [
        (owner, notebook)
        for owner, notebook in found
        if owner.in_assignment or (owner.name, owner.number) not in with_assignment
    ]
    names = {owner.name for owner, _ in found}
    for entry in entries:
        sure = platform_owner(entry.parts[0])
        if len(entry.parts) == 2 and same_name(entry.parts[1], assignment):
            sure = sure or Owner(entry.parts[0])
        if sure and file_name(sure.name) not in names:
            names.add(file_name(sure.name))
            problems.append(f"{entry.path}: no notebook of {file_name(sure.name)}; ask for a {SUFFIX} file")
    return found


def _flat_folders(assignment: str, top: tuple[str, ...], entries: list[Entry]) -> set[tuple[str, ...]]:
    """Folders named like the assignment that hold one notebook a student, such as vae/ada.ipynb, vae/bob.ipynb.

    Only the folder that was given, or one directly in it, can be: deeper ones lie in a student's own folder.
    """
    inside: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, NotebookFile) and len(entry.parts) <= 2:
            inside[entry.parts[:-1]].append(PurePath(entry.parts[-1]).stem)
    return {
        folder
        for folder, stems in inside.items()
        if same_name((top + folder)[-1] if top + folder else "", assignment)
        and len(stems) > 1
        and not any(same_name(stem, assignment) for stem in stems)
    }


def _owner(assignment: str, top: tuple[str, ...], parts: tuple[str, ...], flat: set[tuple[str, ...]]) -> Owner:
    """Parent folder named like the assignment: its parent. File directly in the place: its stem. Else: the
    first folder. A file named like the assignment never names a student, so that its folder does."""
    folders, stem = parts[:-1], PurePath(parts[-1]).stem
    where = top + folders
    in_assignment = any(same_name(folder, assignment) for folder in folders)
    if len(folders) > 1 and same_name(folders[0], assignment):
        folders = folders[1:]
    if folders in flat:
        raw = stem
    elif len(where) > 1 and same_name(where[-1], assignment):
        raw = where[-2]
    elif folders and not same_name(folders[0], assignment):
        raw = folders[0]
    elif same_name(stem, assignment) and where and not same_name(where[-1], assignment):
        raw = where[-1]
    else:
        raw = stem
    owner = platform_owner(parts[-1]) if len(parts) == 1 else None
    owner = owner or platform_owner(raw) or Owner(raw)
    return replace(owner, name=file_name(owner.name), in_assignment=in_assignment)


def platform_owner(text: str) -> Owner | None:
    for pattern in PLATFORM:
        if match := pattern.fullmatch(text):
            return Owner(match["name"], match["id"])
    return None


def by_student(found: Iterable[tuple[Owner, NotebookFile]]) -> dict[str, list[NotebookFile]]:
    """Group by student; namesakes whom the platform tells apart by number get it behind their names."""
    found = list(found)
    numbers: dict[str, set[str]] = defaultdict(set)
    for owner, _ in found:
        numbers[owner.name].add(owner.number)
    students: dict[str, list[NotebookFile]] = defaultdict(list)
    for owner, entry in found:
        namesakes = owner.number and len(numbers[owner.name] - {""}) > 1
        students[f"{owner.name}_{owner.number}" if namesakes else owner.name].append(entry)
    return students
