"""Judges wrong answers of a class once more, all on the same inputs, to tell which of them give the same numbers."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.errors import InputError, SandboxError
from autograder.grading.execute import execute
from autograder.grading.grading import Grading
from autograder.grading.restoring import restore
from autograder.grading.submissions import Submission
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise
from autograder.judge.numbers import numbers_of
from autograder.judge.server import JudgeServer
from autograder.judge.student import Channel
from autograder.judge.verdict import Finding
from autograder.results import files

if TYPE_CHECKING:
    from autograder.grading.workers import Crew
    from autograder.sandbox.zygote import Address

SAME_FOR_ALL = "the class"  # in the place of a submission's digest, from which inputs are drawn otherwise


def numbers_in_class(
    grading: Grading,
    folder: Path,
    wanted: Mapping[str, Collection[str]],
    crew: "Crew",
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """What tells whose answers give the same numbers, by student and id of the exercise; and a line on each student
    whose notebook could not be executed again.

    Args:
        grading: how the class was graded.
        folder: where the executed notebooks lie, which are executed once more.
        wanted: names of exercises by student.
        crew: who does it.
        on_step: is told how many of how many students are done.
    """
    submissions, lines = [], []
    for student in wanted:
        path = files.notebook_path(folder, student)
        try:
            submissions.append(Submission(student, str(path), path.read_bytes()))
        except OSError as error:
            lines.append(f"{path}: cannot be read ({error.strerror})")
    work: Any = partial(_numbers, grading, {student: frozenset(names) for student, names in wanted.items()})
    found: dict[tuple[str, str], str] = {}
    on_step(0, len(submissions))
    for done, (submission, outcome) in enumerate(crew.outcomes(work, submissions, grading.limits.submission), 1):
        if isinstance(outcome, InputError | SandboxError):
            lines.append(str(outcome))
        else:
            told: Any = outcome  # a crew hands on whatever its work gives
            found |= {(submission.student, id): said for id, said in told.items()}
        on_step(done, len(submissions))
    return found, lines


def _numbers(
    grading: Grading, wanted: Mapping[str, Collection[str]], submission: Submission, zygote: "Address"
) -> dict[str, str]:
    """In a worker: restore, execute, and ask the wanted answers."""
    notebook = submission.notebook()
    restored = restore(grading.source, notebook, assignment=grading.assignment, where=submission.path)
    found: dict[str, str] = {}

    def ask(exercise: Exercise, channel: Channel, seed: bytes) -> Finding:
        if exercise.name in wanted[submission.student]:
            found[exercise.id] = numbers_of(exercise, channel, seed)
        return Finding("pass")

    execute(
        restored.notebook,
        source=grading.source,
        exercises=grading.checks(),
        seed=partial(seed_for, grading.key, SAME_FOR_ALL),
        budget=grading.budget,
        zygote=zygote,
        limits=grading.limits,
        server=partial(JudgeServer, decide=ask),
        numbers=restored.numbers,
    )
    return found
