"""Whose a notebook is: the outermost name decides, since all that lies below it is the student's own."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from autograder.grading.submitted.entries import SUFFIX, NotebookFile, Place, same_name
from autograder.grading.submitted.platforms import account_in, readings
from autograder.results.names import student_name

_NUMBER_BEHIND = re.compile(r"_[0-9]+\Z")

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Owner:
    """Whose a notebook is. `platform` and `number` are empty unless a learning platform has said it."""

    name: str
    platform: str = ""
    number: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """What tells one from all others: numbers before names, which students choose for themselves."""
        return (self.platform, self.number) if self.number else ("", self.name)

    @property
    def canvas_id(self) -> str:
        return self.number if self.platform == "canvas" else ""


def owned(assignment: str, place: Place, problems: list[str], *, one_student: bool) -> list[tuple[Owner, NotebookFile]]:
    """The owner of each notebook. Notes the students who certainly are ones, and have no notebook.

    Of a student's notebooks only those in a folder named like the assignment count, if there are any. `one_student`
    says that the place is one student's, if it may be.
    """
    if single := single_student(assignment, place, certain=one_student):
        inside = same_name(place.top[-1], assignment)
        notebooks = place.notebooks if inside else _of_assignment(assignment, place.notebooks, ())
        return [(_called(single), notebook) for notebook in notebooks]
    parties: dict[Parts, list[NotebookFile]] = defaultdict(list)
    for notebook in place.notebooks:
        parties[_party(assignment, notebook.parts)].append(notebook)
    _note_lacking(assignment, place, parties, problems)
    found = []
    for party, notebooks in parties.items():
        owner = _owner(assignment, place, party, is_file=any(notebook.parts == party for notebook in notebooks))
        found += [(owner, notebook) for notebook in _of_assignment(assignment, notebooks, party)]
    return found


def single_student(assignment: str, place: Place, *, certain: bool = False) -> str | None:
    """The name of the one student whose folder was given, or None if the place holds the work of many.

    STUDENT and STUDENT/ASSIGNMENT are one student's. But ASSIGNMENT may also hold all students: it does if there are
    several notebooks or folders in it, none called like the assignment, or names by a platform. `certain` says that it
    does not.
    """
    if place.top and same_name(place.top[-1], assignment):
        above, inside = place.top[:-1], [notebook.parts for notebook in place.notebooks]
    else:
        within = [notebook for notebook in place.notebooks if _is_in_assignment(assignment, notebook.parts)]
        above, inside = place.top, [notebook.parts[1:] for notebook in within]
    if not above or not inside:
        return None
    first = {parts[0] for parts in inside}
    stems = [PurePath(parts[0]).stem for parts in inside if len(parts) == 1]
    if not certain and all(readings(name) for name in first):
        return None
    is_single = certain or (len(first) == 1 and stems) or any(same_name(stem, assignment) for stem in stems)
    return above[-1] if is_single else None


def _is_in_assignment(assignment: str, parts: Parts) -> bool:
    return len(parts) > 1 and same_name(parts[0], assignment)


def _party(assignment: str, parts: Parts) -> Parts:
    """The outermost file or folder that is a student's. What is named like the assignment holds those of all."""
    return parts[:2] if _is_in_assignment(assignment, parts) else parts[:1]


def _of_assignment(assignment: str, notebooks: list[NotebookFile], party: Parts) -> list[NotebookFile]:
    """Of one student's notebooks, those in a folder named like the assignment; all if there are none."""
    inside = [
        notebook
        for notebook in notebooks
        if any(same_name(folder, assignment) for folder in notebook.parts[len(party) : -1])
    ]
    return inside or notebooks


def _owner(assignment: str, place: Place, party: Parts, *, is_file: bool) -> Owner:
    name, stem = party[-1], PurePath(party[-1]).stem
    if not is_file or account_in(name):
        return _called(name)
    # The assignment's name is nobody's: then the folder that was given has the student's.
    if same_name(stem, assignment) and len(party) == 1 and place.top and not same_name(place.top[-1], assignment):
        return _called(place.top[-1])
    return Owner(student_name(stem))


def _called(name: str) -> Owner:
    account = account_in(name)
    if account is None:
        return Owner(student_name(name))
    return Owner(student_name(account.name), account.platform, account.number)


def _note_lacking(assignment: str, place: Place, parties: Iterable[Parts], problems: list[str]) -> None:
    known = {*parties, ()}
    for entry in place.entries:
        party = _party(assignment, entry.parts)
        is_student = readings(party[-1]) or (len(entry.parts) == 2 and same_name(entry.parts[1], assignment))
        if is_student and party not in known:
            known.add(party)
            owner = _owner(assignment, place, party, is_file=False)
            problems.append(f"{entry.path}: no notebook of {owner.name}; ask for a {SUFFIX} file")


def by_student(found: Iterable[tuple[Owner, NotebookFile]]) -> dict[str, tuple[Owner, list[NotebookFile]]]:
    """Group by student. If several share a name, or if it could be taken for a name and a number, the platform's
    number stands behind it."""
    found = sorted(found, key=lambda item: (item[0].name, item[1].path))
    names: dict[tuple[str, str], str] = {}
    for owner, _ in found:
        names.setdefault(owner.identity, owner.name)
    bearers = Counter(names.values())
    students: dict[str, tuple[Owner, list[NotebookFile]]] = {}
    for owner, notebook in found:
        name = names[owner.identity]
        if owner.number and (bearers[name] > 1 or _NUMBER_BEHIND.search(name)):
            name = f"{name}_{owner.number}"
        students.setdefault(name, (owner, []))[1].append(notebook)
    return students
