"""`autograder explain`: how a verdict comes about, for instructors alone."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.options import SandboxLimits, Unconfined
from autograder.commands.terminal import console, errors
from autograder.errors import InputError

MOST_CHARACTERS = 1_000_000


def explain(
    assignment: Annotated[str, typer.Argument(help="For example vae.")],
    student: Annotated[str, typer.Argument(help="The name, as the report has it.")],
    exercise: Annotated[
        str | None, typer.Argument(help="For example gaussian_kl; else all that are not right.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder that grade wrote.")] = Path("graded"),
    submitted: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Where the submission lies, if it was moved since.")
    ] = None,
    limit: SandboxLimits = None,
    unsafe_no_sandbox: Unconfined = False,
) -> None:
    """Say how verdicts come about: the answer, each call with its inputs and result, what was wanted, known mistakes.

    For instructors: it shows expected values. The submission is judged again, with the same inputs, and nothing is
    written.
    """
    from autograder.grading.explain import explained, graded_submission, grading_of
    from autograder.grading.key import course_key
    from autograder.grading.workers import Crew
    from autograder.results.reading import read_results
    from autograder.results.text import plain_text
    from autograder.sandbox.limits import Limits

    run = read_results(out).run
    if run.assignment != assignment:
        raise InputError(f"{out}: holds the results of {run.assignment}, and not of {assignment}; give another --out")
    submission = graded_submission(run, student, submitted)
    grading = grading_of(run, course_key(), Limits.parse(limit or []))
    # Confined, whatever the run was: its results may stand beside those of notebooks that somebody trusted.
    with Crew(assignment, sandbox=not unsafe_no_sandbox) as crew, errors.status("judging again"):
        told = explained(grading, exercise, crew, submission)
    for text in told.values():
        console.print(plain_text(text, MOST_CHARACTERS) + "\n", markup=False, highlight=False, soft_wrap=True)
    if not told:
        console.print("all that was answered is right", highlight=False)
