"""Grades the one submission that lies in Gradescope's container, and writes results.json."""

import json
import sys
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from autograder import cells, course
from autograder.errors import InputError, SandboxError
from autograder.gradescope.form import graded, refused
from autograder.gradescope.settings import Layout, Settings
from autograder.grading.key import course_key
from autograder.grading.run import begin_run
from autograder.grading.submissions import Submission, find_submissions
from autograder.grading.submitted.entries import one_line
from autograder.points.adjusting import adjusted_submission
from autograder.points.rules import Rules, read_rules
from autograder.results import files
from autograder.results.model import RunResult
from autograder.results.names import student_name
from autograder.sandbox import layers
from autograder.sandbox.limits import Limits
from autograder.sandbox.other_user import require_other_user

# What the grader holds beside a submission, and the least that a submission gets.
GRADER_BYTES, LEAST_BYTES = 2**30, 2**28
# Before and after the notebook's own time: imports, reading, the last verdicts.
AROUND_SECONDS = 60
CONTAINER_MEMORY = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def main(root: str, place: str, seconds: str) -> None:
    """Grade what lies in ROOT/submission within about `seconds`. Exit code 3 if sandbox or worker fail."""
    began = time.monotonic()
    layout = Layout(Path(root), Path(place))
    settings = layout.settings()
    try:
        form = _graded(layout, settings, float(seconds), began)
    except InputError as error:
        form = refused(str(error).splitlines(), settings.max_score, seconds=time.monotonic() - began)
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(3)
    files.write(layout.results, json.dumps(form, indent=1) + "\n")


def _graded(layout: Layout, settings: Settings, seconds: float, began: float) -> dict:
    submission = the_submission(settings.assignment, layout.submission)
    user = _other_user(layout)
    with begin_run(
        settings.assignment,
        limits=limits_for(settings, seconds, container_bytes()),
        sandbox=user is None,
        user=user,
        key=course_key(course.ROOT / "course.key"),
        names=settings.names,
    ) as run:
        result = run.grade([submission])
        # A check that failed costs the student nothing else: the staff read of it, and have it graded again.
        for line in run.tally.failures.lines(None):
            print(f"error: {line}", file=sys.stderr)
        run.tally.failures.clear()
        run.finish()
    walls = "namespaces" if user is None else "user"
    print(f"The student's code was held by {'bubblewrap' if user is None else f'being of user {user}'}.")
    by_hand = cells.written_ids(run.grading.source, settings.assignment)
    result = with_rules(result, settings, layout, by_hand)
    seconds = time.monotonic() - began
    return graded(result, by_hand=by_hand, visibility=settings.visibility, seconds=seconds, walls=walls)


def with_rules(run: RunResult, settings: Settings, layout: Layout, by_hand: Collection[str]) -> RunResult:
    """The run of the one submission with course.toml and adjustments.csv of the archive applied, if it holds them.

    Gradescope says whose it is and when it was handed in. Of several who hand in together nobody's own rows apply, only
    those for everybody: Gradescope has one result for them all.
    """
    rules = replace(read_rules(settings.assignment, course.ROOT, settings.names), folder=None)
    try:
        metadata = json.loads(layout.metadata.read_text(encoding="utf-8"))
        users = [user for user in metadata["users"] if isinstance(user, dict)]
        submitted = str(metadata.get("created_at", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        users, submitted = [], ""
    (submission,) = run.submissions
    student = _called(users[0], rules) if len(users) == 1 else ""
    if len(users) > 1:
        print("Several handed in together: what course.toml and adjustments.csv say of one of them is not applied.")
    update = {"student": student, "submitted": submitted}
    counts = adjusted_submission(submission.model_copy(update=update), rules, by_hand)
    return run.model_copy(update={"submissions": [counts.model_copy(update={"student": submission.student})]})


def _called(user: dict, rules: Rules) -> str:
    """What the course's files call a student, "" if they say nothing of them in particular.

    Their address or Gradescope's number, which nobody else has: their name, and the part of an address before "@", they
    may have chosen so that somebody else's rows apply to them.
    """
    email, name = str(user.get("email", "")), str(user.get("name", ""))
    student = next((own for own in (email, f"gradescope {user.get('id', '')}") if own and rules.names(own)), "")
    chosen = filter(None, (email.partition("@")[0], name, student_name(name)))
    if not student and (other := next(filter(rules.names, chosen), "")):
        said = f"What course.toml and adjustments.csv say of {one_line(other)!r} is not applied"
        print(f"{said}: a student may call themselves so. If it is this one, write {one_line(email)!r} there.")
    return student


def _other_user(layout: Layout) -> int | None:
    """None if bubblewrap holds the student's code; else the user who does. Raises SandboxError if neither can."""
    try:
        layers.require_sandbox()
    except SandboxError:
        user = layout.user
        private = [layout.root, layout.source, course.ROOT, course.source_path(layout.settings().assignment)]
        private += [course.ROOT / "course.key", layout.results.parent, layout.results, layout.submission]
        require_other_user(user, private)
        return user
    return None


def the_submission(assignment: str, folder: Path) -> Submission:
    """The one notebook in `folder`, called as it lies there. Raises InputError, a line for each thing that is wrong."""
    found, problems = find_submissions(assignment, [folder], is_class=False)
    problems = [line.replace(f"{folder}/", "") for line in problems]
    if not found and len(problems) == 1 and "no notebooks in this folder" in problems[0]:
        problems = ["there is no notebook (.ipynb) in this submission: hand in the notebook of the assignment"]
    names = [str(Path(submission.path).relative_to(folder)) for submission in found]
    if len(found) > 1:
        problems.append(f"there are {len(found)} notebooks, {', '.join(names)}: hand in one")
    if problems:
        raise InputError("\n".join(problems))
    return replace(found[0], student="submission", path=names[0])


def limits_for(settings: Settings, seconds: float, container: int | None) -> Limits:
    """The limits of an archive, within the time that is left and, unless they say otherwise, the memory there is."""
    limits = Limits.parse(settings.limits)
    wall = min(limits.wall, max(seconds - AROUND_SECONDS, 30.0))
    limits = replace(limits, wall=wall, notebook=min(limits.notebook, wall))
    if container is not None and not any(item.startswith("memory=") for item in settings.limits):
        limits = replace(limits, memory=min(limits.memory, max(container - GRADER_BYTES, LEAST_BYTES)))
    return limits


def container_bytes() -> int | None:
    """The memory that this container may use, if it is bounded."""
    for name in CONTAINER_MEMORY:
        try:
            text = Path(name).read_text().strip()
        except OSError:
            continue
        return int(text) if text.isdigit() and int(text) < 2**50 else None
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
