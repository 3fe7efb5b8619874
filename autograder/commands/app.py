"""The instructors' command line. Exit codes: 0 done, 1 the input is wrong, 2 usage, 3 the grader failed."""

import sys

import typer

from autograder.commands.authoring import build, new, prove
from autograder.commands.doctor import doctor
from autograder.commands.explain import explain
from autograder.commands.grade import forget, grade
from autograder.commands.gradescope import gradescope
from autograder.commands.merge import merge
from autograder.commands.publish import publish
from autograder.commands.results import diff, export, policy, record
from autograder.commands.serve import serve
from autograder.commands.statistics import similar, statistics
from autograder.commands.terminal import errors
from autograder.errors import InputError, SandboxError, UsageError

app = typer.Typer(
    help="Build, prove and grade the course's notebooks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Commands import what they need themselves, since torch takes seconds and `--help` should not.
for command in (
    new,
    build,
    prove,
    grade,
    merge,
    explain,
    forget,
    diff,
    statistics,
    similar,
    export,
    record,
    gradescope,
    policy,
    publish,
    doctor,
):
    app.command()(command)
app.add_typer(serve, name="serve")


def main() -> None:
    """Run a command; end with one clear line a problem and the exit code that belongs to it."""
    try:
        app()
    except (InputError, SandboxError) as error:
        for line in str(error).splitlines():
            errors.print(f"error: {line}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, UsageError) else 1 if isinstance(error, InputError) else 3)
