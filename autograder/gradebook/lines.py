"""What a recording did, in lines for a person to read."""

from collections.abc import Iterator

from autograder.errors import InputError
from autograder.gradebook.record import Recorded
from autograder.gradebook.scores import Change, Entry
from autograder.results.text import listed, name_line, number, one_line

MOST_NAMES = 12


def report_lines(recorded: Recorded) -> Iterator[str]:
    """Who is new, who changed and why, who is late, who is missing, and where it all lies; plain text, no markup.

    Raises InputError behind the last line where a submission was left out: the rest is done, and this is to be mended.
    """
    new = [entry for entry in recorded.entries if entry.before is None]
    changed = [entry for entry in recorded.entries if entry.before is not None and _is_changed(entry)]
    same = len(recorded.entries) - len(new) - len(changed)
    for entry in recorded.entries:
        if entry in changed:
            yield from _changes(entry)
    for entry in recorded.entries:
        if entry.late > 0:
            penalty = f"penalty {number(entry.penalty)}" if entry.penalty else "no penalty"
            yield f"{one_line(entry.student)}: {_duration(entry.late)} late, {penalty}"
    yield from recorded.notes
    adjusted: dict[str, list[str]] = {}
    for entry in recorded.entries:
        for line in entry.adjustments:
            adjusted.setdefault(one_line(line, 300), []).append(entry.student)
    for line, students in adjusted.items():
        yield f"{line}: {len(students)}: {_names(students)}"
    if lacking := sum(entry.lacks_time for entry in recorded.entries):
        yield f"no time of submission: {lacking} of {len(recorded.entries)}"
    for what, names in (
        (
            "known by the name alone that they show in Canvas, whose numbers are noted now; check them",
            [entry.student for entry in recorded.entries if entry.is_by_name],
        ),
        ("not in the gradebook before, now added", [entry.student for entry in recorded.entries if entry.is_added]),
        ("no submission", recorded.missing),
        ("recorded before and not in these results, left as they were", recorded.others),
    ):
        if names:
            yield f"{what}: {len(names)}: {_names(names)}"
    if not recorded.rubrics:
        yield (
            "rubrics are left out of the notebooks: the course's nbgrader_config.py would show them to students in "
            "feedback (docs/gradebook.md)"
        )
    would = "would be " if recorded.is_dry_run else ""
    yield f"{recorded.assignment}: {len(new)} {would}new, {len(changed)} {would}changed, {same} the same"
    to_grade = sum(entry.to_grade for entry in recorded.entries)
    yield f"to grade by hand: {to_grade} cells of {sum(entry.to_grade > 0 for entry in recorded.entries)} submissions"
    yield f"gradebook  {recorded.gradebook}"
    yield f"notebooks  {recorded.folder}"
    if recorded.is_dry_run:
        yield "dry run: nothing was written"
    if recorded.left_out:
        left_out = [f"{name_line(student, 40)}: {would}left out: {why}" for student, why in recorded.left_out.items()]
        raise InputError("\n".join(left_out))


def _is_changed(entry: Entry) -> bool:
    return bool(entry.changes or entry.marks or entry.before != entry.score)


def _changes(entry: Entry) -> Iterator[str]:
    old, new = number(entry.before or 0.0), number(entry.score)
    yield f"{one_line(entry.student)}: {old} → {new} of {number(entry.max_score)}"
    for change in entry.changes:
        yield f"  {change.exercise}: {_score(change.old)} → {_score(change.new)}, {_why(change)}"
    for mark in entry.marks:
        kept = f"{number(mark.score)} of {number(mark.max_score)}"
        yield f"  {mark.exercise}: the mark {kept} is kept; what it was given for has changed, so look again"


def _score(score: float | None) -> str:
    return "to be graded" if score is None else number(score)


def _why(change: Change) -> str:
    return f"{change.verdict}: {one_line(change.message)}" if change.message else change.verdict


def _names(names: list[str]) -> str:
    return listed([name_line(name, 40) for name in names], MOST_NAMES)


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    days, hours = divmod(minutes // 60, 24)
    parts = [(days, "d"), (hours, "h"), (minutes % 60, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "less than a minute"
