"""`autograder record`: the results of a run into nbgrader's gradebook, and its notebooks to where formgrader looks.

What is wrong with one submission leaves out that one; what is wrong with the run as a whole refuses it.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timezone
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry, Student, SubmittedAssignment

from autograder import cells, course
from autograder.errors import InputError
from autograder.gradebook.database import one_transaction, parse_url, shown
from autograder.gradebook.layout import Placing
from autograder.gradebook.penalty import nbgraders_lateness, nbgraders_penalty
from autograder.gradebook.prepared import Prepared, prepare
from autograder.gradebook.scores import Entry, write_scores
from autograder.gradebook.settings import Course, read_course
from autograder.gradebook.structure import complete, save_structure, without_solutions
from autograder.gradebook.totals import marked
from autograder.points.adjusting import adjusted_submission, not_here
from autograder.points.rules import Rules, read_rules
from autograder.results.model import RunResult
from autograder.results.reading import read_results


@dataclass
class Recorded:
    """What a recording did, or would do in a dry run.

    `missing` are students of the gradebook without a submission; `others` were recorded before, and are not in these
    results. `left_out` says by student why a submission could not be recorded; `notes` are lines on rules of the course
    that are for nobody here. `rubrics` says whether mark schemes are shown to those who grade.
    """

    assignment: str
    gradebook: str
    folder: Path
    entries: list[Entry] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rubrics: bool = True
    is_dry_run: bool = False


def record(
    results: Path,
    *,
    db: str | None = None,
    dry_run: bool = False,
    strict: bool = False,
    root: Path | None = None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> Recorded:
    """Write the results of a run to nbgrader's gradebook.

    Automatic scores are set; manual scores, extra credit, manual comments and flags are kept. Where the answer or the
    score that a mark was given for has changed, the cell waits for a person again. Notebooks and gradebook are written
    together or not at all.

    Args:
        results: results.json, or the folder that holds it with executed/.
        db: address of the gradebook; the course's own where it is not given.
        dry_run: write nothing, only say what would be.
        strict: refuse a student who is not in the gradebook, rather than add them, and all if one would be left out.
        root: folder of the course; this repository where it is not given.
        on_step: told how many of how many submissions are done.

    Raises:
        InputError: something of the input does not fit, or cannot be written; nothing was recorded then.
    """
    found = read_results(results)
    run, folder = found.run, found.folder
    source = course.read_source(course.require_assignment(run.assignment))
    _require_same_exercises(run, source)
    target = read_course(root)
    url = parse_url(db or target.directory.db_url)
    saved = without_solutions(source)
    recorded = Recorded(
        run.assignment,
        shown(url),
        target.folder("autograded_directory", "*", run.assignment),
        rubrics=target.hides_rubrics,
        is_dry_run=dry_run,
    )
    rules = read_rules(run.assignment)
    rules.require_exercises({exercise.id.partition(".")[2] for item in run.submissions for exercise in item.exercises})
    setting = _Setting(target, rules, source)
    recorded.notes = list(not_here([item.student for item in run.submissions], rules))
    prepared = []
    for number, item in enumerate(run.submissions, 1):
        on_step(number, 2 * len(run.submissions))
        with _left_out(recorded, item.student, strict=strict):
            prepared.append(prepare(run.assignment, item, folder, target, saved))
    if run.submissions and not prepared:
        raise InputError(_none_left(recorded))
    placing = Placing()
    try:
        with one_transaction(url, target.directory.course_id, dry_run=dry_run) as gradebook:
            _require_students(gradebook, prepared, strict=strict)
            save_structure(gradebook, run.assignment, saved)
            for number, work in enumerate(prepared, 1):
                on_step(len(run.submissions) + number, len(run.submissions) + len(prepared))
                with _left_out(recorded, work.result.student, strict=strict):
                    recorded.entries.append(_record(gradebook, run.assignment, work, setting))
            recorded.missing, recorded.others = _absent(gradebook, run)
            if not dry_run:
                gradebook.db.flush()
                for work in prepared:
                    if work.result.student not in recorded.left_out:
                        placing.prepare(work.path, nbformat.writes(work.notebook) + "\n")
                placing.place()
    except BaseException:
        placing.undo()
        raise
    placing.settle()
    return recorded


@contextlib.contextmanager
def _left_out(recorded: Recorded, student: str, *, strict: bool) -> Iterator[None]:
    """What is wrong with a student's submission is noted, and the others go on."""
    try:
        yield
    except InputError as error:
        if strict:
            raise InputError(f"{error}; nothing was recorded (--strict)") from None
        recorded.left_out[student] = str(error)


def _none_left(recorded: Recorded) -> str:
    first, *more = recorded.left_out.values()
    return f"{first} ({len(more)} more cannot be recorded either, so nothing was)" if more else first


def _require_same_exercises(run: RunResult, source: NotebookNode) -> None:
    """Results of another version of the assignment would put points where they do not belong."""
    wanted = {
        f"{run.assignment}.{cells.exercise_name(cell)}": cells.points(cell)
        for cell in source.cells
        if cells.is_tests(cell) or cells.is_written(cell)
    }
    for item in run.submissions:
        found = {exercise.id: exercise.max_score for exercise in item.exercises}
        if found != wanted:
            other = sorted(found.items() ^ wanted.items())[0][0]
            raise InputError(
                f"the results of {item.student} are of another version of {run.assignment} ({other} differs): "
                "grade again, then record"
            )


def _require_students(gradebook: Gradebook, prepared: Iterable[Prepared], *, strict: bool) -> None:
    if not strict:
        return
    known = {student.id for student in gradebook.students}
    if unknown := [work.result.student for work in prepared if work.result.student not in known]:
        raise InputError(
            f"not in the gradebook: {', '.join(unknown)}; nothing was recorded: add them with "
            "nbgrader db student add, or leave out --strict"
        )


@dataclass(frozen=True)
class _Setting:
    """What is the same for all submissions: the course that is recorded to, its rules, the assignment's source."""

    target: Course
    rules: Rules
    source: NotebookNode


def _record(gradebook: Gradebook, assignment: str, work: Prepared, setting: _Setting) -> Entry:
    student = work.result.student
    is_added, is_by_name = _bring_in(gradebook, student, work.result.number_in("canvas"))
    try:
        submission, known = gradebook.find_submission(assignment, student), True
    except MissingEntry:
        with gradebook.db.no_autoflush:
            submission, known = gradebook.add_submission(assignment, student), False
    submitted = next((item for item in submission.notebooks if item.name == assignment), None)
    if submitted is None:  # the submission was made before the notebook was known
        raise InputError(f"{student}: the gradebook's submission of {assignment} has no notebook; remove it there")
    complete(gradebook, submitted)
    moment = setting.rules.handed_in(student, work.result.submitted)
    timestamp = moment.astimezone(timezone.utc).replace(tzinfo=None) if moment else work.timestamp
    if timestamp is not None and submission.timestamp != timestamp:
        submission.timestamp = timestamp
    # A submission that `nbgrader` or formgrader made, but nothing graded yet, has no score to change.
    has_scores = known and any(grade.auto_score is not None for grade in submitted.grades)
    before = float(submitted.score) if has_scores else None
    is_due = setting.rules.has_due_date or submission.assignment.duedate is not None
    lacks_time = is_due and submission.timestamp is None
    entry = Entry(student, before, lacks_time=lacks_time, is_added=is_added, is_by_name=is_by_name)
    write_scores(entry, submitted, work.result, work.notebook, work.changed)
    gradebook.db.flush()
    _write_penalty(entry, submission, work, setting)
    return entry


def _bring_in(gradebook: Gradebook, student: str, canvas_id: str) -> tuple[bool, bool]:
    """See to it that the student is in the gradebook, with their number in Canvas; whether they had to be added, and
    whether they were there and only their name says so.

    Raises InputError if somebody else is there under that name: another number in Canvas tells.
    """
    try:
        known = gradebook.find_student(student)
    except MissingEntry:
        gradebook.add_student(student, lms_user_id=canvas_id or None)
        return True, False
    if not canvas_id or known.lms_user_id == canvas_id:
        return False, False
    if known.lms_user_id:
        raise InputError(
            f"{student} in the gradebook has the number {known.lms_user_id} in Canvas, and this submission is of "
            f"{canvas_id}: two who have the same name; rename the submission and grade it again"
        )
    known.lms_user_id = canvas_id
    return False, True


def _write_penalty(entry: Entry, submission: SubmittedAssignment, work: Prepared, setting: _Setting) -> None:
    """What the rules of the course, or nbgrader's own for late work, take off the score or add to it: nbgrader has one
    number for that, beside what was judged and marked, and it may be below 0."""
    (submitted,) = (item for item in submission.notebooks if item.name == submission.assignment.name)
    rules = setting.rules
    penalty = None
    if not rules.has_due_date:
        entry.late = nbgraders_lateness(submission)
        penalty = nbgraders_penalty(submission, setting.target)
        entry.penalty = penalty or 0.0
    own = marked(work.result, submission, setting.source, setting.target, rules)
    counts = adjusted_submission(own, rules)
    entry.adjustments = counts.adjustments
    if counts.excused:
        penalty = None
    elif counts.adjustments:
        penalty = round(float(submitted.score) - counts.score, 6)
    if submitted.late_submission_penalty != penalty:
        submitted.late_submission_penalty = penalty


def _absent(gradebook: Gradebook, run: RunResult) -> tuple[list[str], list[str]]:
    """Students without a submission; and those with one that is not in these results."""
    here = {item.student for item in run.submissions}
    with_one = {item.student_id for item in gradebook.assignment_submissions(run.assignment)}
    every = [student for (student,) in gradebook.db.query(Student.id).order_by(Student.id)]
    missing = [name for name in every if name not in with_one | here]  # one that was left out is not missing
    return missing, [name for name in every if name in with_one - here]
