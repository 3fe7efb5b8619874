"""Whose a notebook is: the outermost name decides, since all that lies below it is the student's own."""

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from autograder.errors import InputError
from autograder.grading.submitted.called import Names
from autograder.grading.submitted.entries import (
    SUFFIX,
    Entry,
    File,
    NotebookFile,
    Parts,
    Place,
    is_zip,
    same_name,
    stem,
)
from autograder.grading.submitted.platforms import (
    KNOWN_FILES,
    SAKAI_RETURNED,
    Account,
    account_in,
    attempt_in,
    readings,
    time_of,
)
from autograder.grading.submitted.timestamps import MOST_CHARACTERS, is_by_exchange, timestamp_in
from autograder.grading.submitted.timestamps import NAME as TIMESTAMP
from autograder.grading.submitted.wrappers import COURSE_TREE
from autograder.results.names import student_name

ARCHIVE = re.compile(r"\.(zip|rar|7z|tar|tgz|tar\.\w+)\Z", re.I)
MOST_LINES = 40
_NUMBER_BEHIND = re.compile(r"_[0-9]+\Z")


@dataclass(frozen=True)
class Owner:
    """Whose a notebook is. `platform` and `number` are empty unless a learning platform has said it, and so is `order`,
    which grows from attempt to attempt, and `time`, when it was handed in. `party` is the folder or file that has the
    name."""

    name: str
    platform: str = ""
    number: str = ""
    order: str = ""
    time: str = ""
    party: Parts = ()

    @property
    def identity(self) -> tuple[str, str]:
        """What tells one from all others: numbers before names, which students choose for themselves."""
        return (self.platform, self.number) if self.number else ("", self.name)

    @property
    def account(self) -> str:
        return f"{self.platform} {self.number}" if self.number else ""


def owned(
    assignment: str, place: Place, problems: list[str], single: str | None = None
) -> list[tuple[Owner, NotebookFile]]:
    """The owner of each notebook: `single` if the place is one student's. Notes the students who have none, and what
    else nobody will grade."""
    files = (entry for entry in place.entries if isinstance(entry, File))
    stamps = {entry.parts[:-1]: entry for entry in files if entry.parts[-1] == TIMESTAMP}
    if single:
        owner = replace(_called(single), party=place.top)
        return [
            (
                replace(owner, time=owner.time or _exchange_time(assignment, owner, place, notebook, stamps)),
                notebook,
            )
            for notebook in place.notebooks
        ]
    called = Names(place)
    parties: dict[Parts, list[NotebookFile]] = defaultdict(list)
    for notebook in place.notebooks:
        if SAKAI_RETURNED not in notebook.parts:
            parties[_party(assignment, notebook.parts)].append(notebook)
    found: list[tuple[Owner, NotebookFile]] = []
    for party, notebooks in parties.items():
        is_file = is_zip(party[-1]) or any(notebook.parts == party for notebook in notebooks)
        owner = _owner(assignment, place, party, called, is_file=is_file)
        for notebook in notebooks:
            # The outermost name is the platform's, what lies below it the student's.
            attempt = attempt_in(party[-1] if is_file else notebook.parts[len(party)])
            time = (
                time_of(attempt)
                if owner.platform == "ilias"
                else owner.time or _exchange_time(assignment, owner, place, notebook, stamps)
            )
            owner_now = replace(owner, order=owner.order or attempt, time=time, party=place.top + party)
            found.append((owner_now, notebook))
    _note_lacking(assignment, place, {owner.identity for owner, _ in found}, parties, called, problems)
    return found


def single_student(assignment: str, place: Place, *, certain: bool = False) -> str | None:
    """The name of the one student whose folder was given, or None if the place holds the work of many.

    STUDENT and STUDENT/ASSIGNMENT are one student's, and so is a clone of the course's tree, which has its notebooks in
    one folder more. But ASSIGNMENT may also hold all students: it does if there are several notebooks or folders in it,
    none called like the assignment, or names by a platform. `certain` says that it does not.
    """
    notebooks = [notebook.parts for notebook in place.notebooks]
    if place.top and same_name(place.top[-1], assignment):
        above, inside = place.top[:-1], notebooks
        certain = certain or above[-1:] == (COURSE_TREE,)
    else:
        is_tree = bool(notebooks) and all(parts[0] == COURSE_TREE and len(parts) > 2 for parts in notebooks)
        certain = certain or is_tree or place.top[-1:] == (COURSE_TREE,)
        notebooks = [parts[1:] for parts in notebooks] if is_tree else notebooks
        above, inside = place.top, [parts[1:] for parts in notebooks if _is_in_assignment(assignment, parts)]
    if above[-1:] == (COURSE_TREE,):
        above = above[:-1]
    if not above or not inside:
        return None
    first = {parts[0] for parts in inside}
    stems = [stem(parts[0]) for parts in inside if len(parts) == 1]
    if not certain and all(readings(name) for name in first):
        return None
    is_single = certain or (len(first) == 1 and stems) or any(same_name(name, assignment) for name in stems)
    return above[-1] if is_single else None


def _is_in_assignment(assignment: str, parts: Parts) -> bool:
    return len(parts) > 1 and same_name(parts[0], assignment)


def _party(assignment: str, parts: Parts) -> Parts:
    """The outermost file or folder that is a student's. What is named like the assignment holds those of all."""
    return parts[:2] if _is_in_assignment(assignment, parts) else parts[:1]


def of_assignment(assignment: str, notebooks: list[NotebookFile]) -> list[NotebookFile]:
    """Of one student's notebooks, those in a folder named like the assignment; all if there are none."""
    inside = [one for one in notebooks if any(same_name(folder, assignment) for folder in one.parts[:-1])]
    return inside or notebooks


def _owner(assignment: str, place: Place, party: Parts, called: Names, *, is_file: bool) -> Owner:
    name, own = party[-1], stem(party[-1])
    account = called.account(party, is_file=is_file)
    if account is not None:
        return _owner_of(account)
    if not is_file:
        return Owner(student_name(name))
    # The assignment's name is nobody's: then the folder that was given has the student's.
    if same_name(own, assignment) and len(party) == 1 and place.top and not same_name(place.top[-1], assignment):
        return _called(place.top[-1])
    return Owner(student_name(own))


def _called(name: str) -> Owner:
    account = account_in(name)
    if account is None:
        return Owner(student_name(name))
    return _owner_of(account)


def _owner_of(account: Account) -> Owner:
    return Owner(student_name(account.name), account.platform, account.number, account.order, account.time)


def _exchange_time(
    assignment: str, owner: Owner, place: Place, notebook: NotebookFile, stamps: Mapping[Parts, File]
) -> str:
    """What nbgrader's exchange has noted beside a notebook; "" if it has not, or if the student may have done so."""
    if owner.platform or not is_by_exchange(place, notebook, assignment, owner.name):
        return ""
    if stamp := stamps.get(notebook.parts[:-1]):
        with contextlib.suppress(InputError):  # whatever else stands there says nothing
            moment = timestamp_in(stamp.read(MOST_CHARACTERS).decode("utf-8", "replace"), stamp.path)
            return f"{moment.isoformat()}+00:00" if moment else ""
    return ""


def _note_lacking(
    assignment: str,
    place: Place,
    owners: set[tuple[str, str]],
    parties: Iterable[Parts],
    called: Names,
    problems: list[str],
) -> None:
    """A line on each folder or file of a student, as it seems, in which nothing is found to grade, if they have none
    elsewhere."""
    known = {*parties, ()}
    held: dict[Parts, list[Entry]] = defaultdict(list)
    for entry in place.entries:
        held[_party(assignment, entry.parts)].append(entry)
    lines = []
    for party, entries in held.items():
        if party in known or (len(party) == 1 and same_name(party[0], assignment)):
            continue
        inside = [entry for entry in entries if isinstance(entry, File) and not KNOWN_FILES.fullmatch(entry.parts[-1])]
        is_file = any(isinstance(entry, File) and entry.parts == party for entry in entries)
        if (is_file and not inside) or party[-1] in ("__pycache__", "data"):
            continue
        if any(line.startswith(f"{entries[0].path}: ") for line in problems):
            continue  # it could not be looked into
        owner = _owner(assignment, place, party, called, is_file=is_file)
        if owner.identity in owners:
            continue
        path, archive = entries[0].path, next((one for one in inside if ARCHIVE.search(one.parts[-1])), None)
        if archive:
            lines.append(f"{archive.path}: is an archive in what was given; unpack it, or give it by itself")
        elif is_file:
            lines.append(f"{path}: is not a notebook, and not graded; ask {owner.name} for a {SUFFIX} file")
        else:
            lines.append(f"{path}: no notebook of {owner.name}; ask for a {SUFFIX} file")
    problems += lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        more = len(lines) - MOST_LINES
        problems.append(f"{more} more files and folders hold no notebook; give the folder of the class alone")


def by_student(found: Iterable[tuple[Owner, NotebookFile]]) -> dict[str, list[tuple[Owner, NotebookFile]]]:
    """Group by student. If several share a name, or if it could be taken for a name and a number, the platform's
    number stands behind it."""
    found = sorted(found, key=lambda item: (item[0].name, item[1].path))
    names: dict[tuple[str, str], str] = {}
    for owner, _ in found:
        names.setdefault(owner.identity, owner.name)
    bearers = Counter(names.values())
    students: dict[str, list[tuple[Owner, NotebookFile]]] = defaultdict(list)
    for owner, notebook in found:
        name = names[owner.identity]
        if owner.number and (bearers[name] > 1 or _NUMBER_BEHIND.search(name)):
            name = f"{name}_{student_name(owner.number)}"
        students[name].append((owner, notebook))
    return students
