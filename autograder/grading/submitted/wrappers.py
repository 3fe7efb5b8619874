"""Folders and zips that hold everything and say nothing of whose it is: taken off a place."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath

from autograder.grading.submitted.entries import Entry, NotebookFile, Place, is_zip, same_name, stem
from autograder.grading.submitted.platforms import readings

# The folder that a course's own tree has its notebooks in, one folder an assignment.
COURSE_TREE = "release"
# Nobody is called so.
NEUTRAL = frozenset({COURSE_TREE, "submissions", "submitted", "submission", "export", "downloads"})
# The parts in which Google Drive hands out a folder: its name, a time, and a number.
_PART = re.compile(r".+-[0-9]{8}T[0-9]{6}Z(-[0-9]+)?-[0-9]{3}(\.zip)?")


def unwrapped(assignment: str, place: Place) -> Place:
    """The place without the folders, one in another, that hold everything in it."""
    place = _without_parts(place)
    while wrapper := _wrapper(assignment, place):
        inside: list[Entry] = [
            replace(entry, parts=entry.parts[1:]) if entry.parts[0] == wrapper else entry
            for entry in place.entries
            if entry.parts != (wrapper,)
        ]
        name = stem(wrapper) if is_zip(wrapper) else wrapper
        place = Place((*place.top, name) if place.top else (), inside, place.packed or is_zip(wrapper))
    return place


def told_apart(assignment: str, places: Iterable[Place]) -> list[Place]:
    """The places; if several hold all in a folder of one name, it tells nobody apart, and their own names stand above.

    So it is if every student hands in a zip of the same folder.
    """
    places = list(places)
    folders = [_only_folder(assignment, place) for place in places]
    times = Counter(folders)
    return [
        replace(place, entries=[replace(entry, parts=(place.top[-1], *entry.parts)) for entry in place.entries])
        if folder and times[folder] > 1 and place.top
        else place
        for place, folder in zip(places, folders, strict=True)
    ]


def _only_folder(assignment: str, place: Place) -> str:
    """The one folder in which all notebooks lie, "" if there is none, or if a platform or the course names it so."""
    first = {parts[0] if len(parts) > 1 else "" for parts in (notebook.parts for notebook in place.notebooks)}
    name = first.pop() if len(first) == 1 else ""
    return "" if name == COURSE_TREE or same_name(name, assignment) or readings(name) else name


def _without_parts(place: Place) -> Place:
    """The place as it was before Google Drive handed it out in parts."""
    first = {notebook.parts[0] for notebook in place.notebooks}
    if not first or not all(_PART.fullmatch(name) and not readings(name) for name in first):
        return place
    inside = [replace(entry, parts=entry.parts[1:]) for entry in place.entries if len(entry.parts) > 1]
    return Place(place.top, inside, place.packed or any(map(is_zip, first)))


def _wrapper(assignment: str, place: Place) -> str:
    """The one folder in which all notebooks lie, "" if there is none or it is a student's: if it holds one notebook, or
    something named like the assignment."""
    notebooks = [entry.parts for entry in place.entries if isinstance(entry, NotebookFile)]
    if not notebooks or any(len(parts) < 2 for parts in notebooks) or len({parts[0] for parts in notebooks}) > 1:
        return ""
    first, second = notebooks[0][0], [parts[1] for parts in notebooks]
    if readings(first) or same_name(first, assignment) or COURSE_TREE in (first, *second):
        return ""
    if is_zip(first) and all(entry.parts[0] == first for entry in place.entries):
        return first  # as if it had been given by itself
    if all(readings(name) for name in second):
        return first
    if any(same_name(PurePath(name).stem, assignment) for name in second):
        return ""
    return first if len(notebooks) > 1 or first.lower() in NEUTRAL else ""
