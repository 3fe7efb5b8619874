"""Which of a student's notebooks counts."""

from collections.abc import Callable

from nbformat import NotebookNode

from autograder.errors import InputError
from autograder.grading.reading import read_notebook
from autograder.grading.submitted.entries import NotebookFile, Place
from autograder.grading.submitted.platforms import readings
from autograder.grading.submitted.students import Owner, of_assignment
from autograder.points.rules import Rules
from fixmelab.cells import anchors
from fixmelab.notebooks import MAX_BYTES

# How many exercises a notebook answers; None if it is of another assignment.
Answered = Callable[[NotebookNode], int | None]
Attempt = tuple[Owner, str, bytes]
# Of one student, and of their notebooks that lie beside one another.
MOST_BYTES = 4 * MAX_BYTES
MOST_TOGETHER = 5


def is_one_beside_rough_work(place: Place, answered: Answered | None) -> bool:
    """Whether a folder is one student's by what is in it: one notebook of the assignment, the others of none."""
    notebooks = place.notebooks
    if answered is None or not place.top or not 1 < len(notebooks) <= MOST_TOGETHER:
        return False
    if any(len(one.parts) > 1 or " - " in one.parts[0] or readings(one.parts[0]) for one in notebooks):
        return False
    try:
        contents = [read_notebook(one.read(), one.path) for one in notebooks]
    except InputError:
        return False
    of_course = [content for content in contents if any(map(anchors, content.cells))]
    return len(of_course) == 1 and answered(of_course[0]) is not None


def counting(
    assignment: str,
    student: str,
    found: list[tuple[Owner, NotebookFile]],
    answered: Answered | None,
    rules: Rules | None,
    problems: list[str],
    notes: list[str],
    *,
    called: str = "",
) -> list[Attempt]:
    """Owner, path and bytes of the notebook that counts, or of each attempt if the best will; none if there is none, or
    if a person must say which. `called` is what the rules call the student, if that is another name."""
    owners = {notebook.identity: owner for owner, notebook in found}
    kept: dict[bytes, tuple[NotebookFile, int]] = {}
    foreign: list[NotebookFile] = []
    by_path = sorted((notebook for _, notebook in found), key=lambda one: (one.is_in_zip, len(one.path), one.path))
    left_to_read = MOST_BYTES
    called = called or student
    # The newest first: who hands in again what they had handed in before means that, unless an earlier attempt counts.
    for notebook in sorted(by_path, key=lambda one: owners[one.identity].order, reverse=True):
        if left_to_read <= 0:
            much = f"{student}'s others hold more than {MOST_BYTES >> 20} MB"
            problems.append(f"{notebook.path}: is not read, since {much}; keep one of them")
            continue
        try:
            data = notebook.read()
            left_to_read -= len(data)
            content = read_notebook(data, notebook.path)
        except InputError as error:
            problems.append(str(error))
            continue
        answers = answered(content) if answered and len(found) > 1 else 1
        if answers is None:
            foreign.append(notebook)
        elif data in kept:
            same, other = kept[data][0], notebook
            if _counts_before(owners[other.identity], owners[same.identity], called, rules):
                same, other = other, same
                kept[data] = same, answers
            notes.append(f"{other.path}: the same as {same.path}, and both are {student}'s")
        else:
            kept[data] = notebook, answers
    if len({owner.number or owner.party for owner, _ in found}) > 1:
        # Two say that they are this student: nobody is believed, and neither is graded.
        problems.append(_several(student, [notebook for _, notebook in found]))
        return []
    if not kept:
        if foreign:
            which = " and ".join(notebook.path for notebook in foreign)
            problems.append(f"{which}: no notebook of {assignment}, and {student} has no other; check the files")
        return []
    most = any(count for _, count in kept.values())
    left = [(notebook, data) for data, (notebook, count) in kept.items() if count or not most]
    orders = [owners[notebook.identity].order for notebook, _ in left]
    is_ordered = len(set(orders)) == len(orders)
    if rules is None or rules.attempt == "last":
        is_ordered = is_ordered or orders.count(max(orders)) == 1
    if len(left) > 1 and is_ordered:
        left.sort(key=lambda item: owners[item[0].identity].order)
        if rules and rules.attempt == "best":
            return [(owners[notebook.identity], notebook.path, data) for notebook, data in left]
        at = counting_place([owners[notebook.identity].time for notebook, _ in left], called, rules)
        counts = left.pop(at)
        for place, (other, _) in enumerate(left):
            which = "an earlier" if place < at else "a later"
            notes.append(f"{other.path}: {which} attempt of {student}; {counts[0].path} counts")
        left = [counts]
    in_the_open = [notebook for notebook, _ in left if not notebook.is_in_zip]
    if in_the_open:
        for other, _ in left:
            if other.is_in_zip:
                notes.append(f"{other.path}: lies in a zip of {student}'s; {in_the_open[0].path} counts before it")
        left = [item for item in left if not item[0].is_in_zip]
    in_folder = {notebook.identity for notebook in of_assignment(assignment, [notebook for notebook, _ in left])}
    left = [item for item in left if item[0].identity in in_folder]
    if len(left) > 1:
        problems.append(_several(student, [notebook for notebook, _ in left]))
        return []
    ((notebook, data),) = left
    return [(owners[notebook.identity], notebook.path, data)]


def _counts_before(older: Owner, newer: Owner, student: str, rules: Rules | None) -> bool:
    """Whether of two attempts of the same bytes the older one counts: it was handed in with less delay."""
    if rules is None or older.order >= newer.order:
        return False
    in_time = [rules.is_in_time(student, owner.time) for owner in (older, newer)]
    return rules.attempt in ("first", "best") or (rules.attempt == "last before due" and in_time == [True, False])


def counting_place(times: list[str], student: str, rules: Rules | None) -> int:
    """Which of a student's attempts counts, of which these are the times, from the first to the last; "best" is not
    decided by times, and counts as "last" here."""
    attempt = rules.attempt if rules else "last"
    if attempt == "first":
        return 0
    in_time = [place for place, time in enumerate(times) if rules and rules.is_in_time(student, time)]
    return in_time[-1] if attempt == "last before due" and in_time else len(times) - 1


def _several(student: str, notebooks: list[NotebookFile]) -> str:
    count = "two" if len(notebooks) == 2 else str(len(notebooks))
    which = " and ".join(sorted(notebook.path for notebook in notebooks))
    return f"{count} notebooks for one student, {student}: {which}; keep one of them{_or_are_they_a_class(notebooks)}"


def _or_are_they_a_class(notebooks: list[NotebookFile]) -> str:
    """What else to do if they lie in different folders of one that is taken for a student's."""
    apart = {one.parts[:2] for one in notebooks if len(one.parts) > 2}
    return ", or give the folders of students as paths of their own" if len(apart) > 1 else ""
