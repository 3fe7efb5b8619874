"""Finds the submissions in what an instructor has: notebooks, folders, or zips from a learning platform."""

import contextlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from autograder.errors import InputError
from autograder.grading.reading import read_notebook, submission_digest
from autograder.grading.submitted.archives import archive_entries, with_inner
from autograder.grading.submitted.attempts import Answered, counting, is_one_beside_rough_work
from autograder.grading.submitted.entries import SUFFIX, Entry, NotebookFile, Place, is_zip, one_line, refused
from autograder.grading.submitted.folders import file_entry, folder_entries
from autograder.grading.submitted.lookalikes import lines_on_lookalikes
from autograder.grading.submitted.spool import Kept, Spool
from autograder.grading.submitted.students import Owner, by_student, owned, single_student
from autograder.grading.submitted.wrappers import told_apart, unwrapped
from autograder.points.rules import Rules


@dataclass(frozen=True)
class Submission:
    """One student's notebook: `path` is for people to read, `held` the bytes as they were handed in, or where they are
    kept. `account` is the student's on a learning platform, as in "canvas 12345", and `submitted` when it was handed
    in, as in results.json; each is "" if it is not known. `is_one_of_several` says that other attempts of the student
    are graded, too, and the best will count."""

    student: str
    path: str
    held: bytes | Kept = field(repr=False)
    account: str = ""
    submitted: str = ""
    is_one_of_several: bool = False

    def __getstate__(self) -> dict[str, object]:
        """With the bytes: what is kept is kept for this process."""
        return vars(self) | {"held": self.data}

    @property
    def data(self) -> bytes:
        return self.held if isinstance(self.held, bytes) else self.held.read()

    @cached_property
    def digest(self) -> str:
        return submission_digest(self.data)

    def notebook(self) -> NotebookNode:
        return read_notebook(self.data, self.path)


def find_submissions(
    assignment: str,
    paths: Iterable[Path],
    answered: Answered | None = None,
    notes: list[str] | None = None,
    *,
    is_class: bool = True,
    rules: Rules | None = None,
    name_of: Callable[[str, str, Collection[str]], str] | None = None,
) -> tuple[list[Submission], list[str]]:
    """Return the submissions in `paths`, ordered by student, and a line on each thing that is wrong there.

    A path is a notebook, a zip, or a folder: STUDENT/ASSIGNMENT/*.ipynb, STUDENT/*.ipynb, *.ipynb, or a
    single STUDENT/ASSIGNMENT; a folder that holds all of it is passed over. Nothing is unpacked to disk, and no link
    inside a folder is followed; a zip that lies in what was given is looked into, one in that is not. Of several
    notebooks of a student the newest attempt counts, or the one that the `rules` of the course say, or all do if these
    want the best; `notes` gets a line on each of the others. If no platform tells which is the newest, the student has
    none: a person must say which counts. Names that look alike get a line in `notes`, too.
    The rules may call a student otherwise than the platform does now: `name_of` says how, from the platform's name, the
    account, and all of the platform's names.
    `answered` tells how many exercises a notebook answers, None if it is of another assignment: those do not count, and
    those without an answer only if there are no others. In what a whole class has handed in, a line names whatever
    holds no notebook.
    """
    found: dict[str, tuple[Owner, NotebookFile]] = {}
    problems: list[str] = []
    told: list[str] = [] if notes is None else notes
    spool = Spool()
    with contextlib.ExitStack() as zips:
        places = told_apart(assignment, _places(assignment, [Path(path) for path in paths], zips, problems))
        one_student = _are_one_students(assignment, places)
        # If a file lies in several of them, the outermost decides.
        for place in sorted(places, key=lambda place: len(place.top)):
            lacking = problems if is_class else []
            single = single_student(assignment, place, certain=one_student)
            if single is None and is_one_beside_rough_work(place, answered):
                single = place.top[-1]
            for owner, entry in owned(assignment, place, lacking, single):
                found.setdefault(entry.identity, (owner, entry))
        submissions = []
        students = by_student(found.values())
        told += lines_on_lookalikes(students)
        for student, attempts in sorted(students.items()):
            called = name_of(student, attempts[0][0].account, students) if name_of else student
            counts = counting(assignment, student, attempts, answered, rules, problems, told, called=called)
            for owner, path, data in counts:
                kept, is_one_of_several = spool.keep(data), len(counts) > 1
                submissions.append(Submission(student, path, kept, owner.account, owner.time, is_one_of_several))
    return submissions, list(dict.fromkeys(problems))


def _are_one_students(assignment: str, places: list[Place]) -> bool:
    """Whether the places that may be one student's each are, as in submitted/*/vae: most of them look like it."""
    possible = [place for place in places if single_student(assignment, place, certain=True)]
    likely = [place for place in possible if single_student(assignment, place)]
    return len(possible) > 1 and 2 * len(likely) >= len(possible)


def _places(assignment: str, paths: list[Path], zips: contextlib.ExitStack, problems: list[str]) -> Iterator[Place]:
    """The places that were given, without the folders that hold everything.

    Notebooks given one by one are taken together by folder, as if the folder held these alone.
    """
    alone: dict[Path, list[Entry]] = defaultdict(list)
    for path in paths:
        shown = one_line(str(path))
        absolute = Path(os.path.abspath(path))  # "." has no name
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                said, entries = len(problems), with_inner(folder_entries(path, problems))
                if len(problems) == said and not any(isinstance(entry, NotebookFile) for entry in entries):
                    expected = f"STUDENT/ASSIGNMENT/*{SUFFIX}, STUDENT/*{SUFFIX} or *{SUFFIX}"
                    problems.append(f"{shown}: no notebooks in this folder; expected {expected}")
                yield unwrapped(assignment, Place(absolute.parts[1:], entries))
            elif not stat.S_ISREG(mode):
                problems.append(f"{shown}: is not a file or folder; give a notebook, a folder or a zip")
            elif is_zip(path.name):
                entries = with_inner(archive_entries(path, zips, problems))
                if not any(isinstance(entry, NotebookFile) for entry in entries):
                    problems.append(f"{shown}: no notebooks in this zip; expected STUDENT/*{SUFFIX} or *{SUFFIX} in it")
                yield unwrapped(assignment, Place((path.stem,), entries, packed=True))
            elif isinstance(entry := file_entry(path, (path.name,)), NotebookFile):
                alone[absolute.parent].append(entry)
            else:
                problems.append(f"{shown}: is not a notebook; give a {SUFFIX} file, a folder or a zip")
        except InputError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(refused(path, error))
    for folder, entries in alone.items():
        yield Place(folder.parts[1:], entries)
