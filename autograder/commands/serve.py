"""`autograder serve`: the judge while students work, and what belongs to it."""

import contextlib
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from autograder.commands.grade import say
from autograder.commands.options import CORES, Jobs, SandboxLimits
from autograder.errors import InputError, UsageError

if TYPE_CHECKING:
    from autograder.grading.crews import AnyCrew
    from autograder.serve.database import Database

START = "start"
NICENESS = 10  # of grading: whoever hands in does not wait for it
Data = Annotated[Path, typer.Option(metavar="FOLDER", help="For what the server keeps.")]
Db = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Its database, as postgresql+psycopg://HOST/NAME; else SQLite in --data."),
]


class _Group(TyperGroup):
    """`autograder serve vae` is `autograder serve start vae`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = [START, *args]
        return super().resolve_command(ctx, args)


serve = typer.Typer(
    cls=_Group, no_args_is_help=True, help="Take submissions while students work, and tell what came of them."
)


@serve.command(START)
def start(
    assignments: Annotated[list[str], typer.Argument(metavar="ASSIGNMENT...", help="For example vae.")],
    data: Data = Path("served"),
    roster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who is in the class: a CSV file, or nbgrader's gradebook.db.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any that is free.")] = 8080,
    db: Db = None,
    certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="For https: a certificate, in PEM.")] = None,
    key_file: Annotated[Path | None, typer.Option(metavar="FILE", help="And its private key.")] = None,
    jobs: Jobs = CORES,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, whose workers grade (docs/cluster.md).")
    ] = None,
    limit: SandboxLimits = None,
) -> None:
    """Serve assignments until Ctrl-C: `autograder serve vae --roster roster.csv`; the word start may be left out.

    Whoever on the roster has no token gets one, in a file in --data. What was received survives whatever ends the
    server, and is graded when it starts again.
    """
    from autograder import course
    from autograder.grading.workers import Crew
    from autograder.sandbox.limits import Limits

    for name in assignments:
        course.require_assignment(name)
    limits = Limits.parse(limit or [])
    if key_file and not certificate:
        raise UsageError("--key-file belongs to --certificate: give both")
    if dask and len(assignments) > 1:
        raise UsageError("--dask serves one assignment: start a server for each, with a --data of its own")
    with _libraries():
        from autograder.grading.answered import OtherSources
        from autograder.grading.grading import Grading
        from autograder.grading.key import course_key
        from autograder.grading.run import cluster
        from autograder.points.course_file import read_course_file
        from autograder.serve.doors import LiveRules
        from autograder.serve.server import alone_in, grade_while_listening, listen
        from autograder.serve.service import Service, require_roster
    rules = LiveRules(assignments)
    with alone_in(data), _opened(data, db) as database, database.as_the_only_server():
        if roster:
            _enrol(database, data, roster)
        require_roster(database)
        key = course_key()

        def read_gradings() -> dict[str, Grading]:
            file, _ = read_course_file()
            return {
                name: Grading(
                    name,
                    course.read_source(name),
                    key=key,
                    limits=limits,
                    others=OtherSources(name),
                    messages=file.messages_of(name),
                )
                for name in assignments
            }

        def new_crew(gradings: Mapping[str, Grading]) -> "contextlib.AbstractContextManager[AnyCrew]":
            if dask:
                return cluster(dask, gradings[assignments[0]], [])
            return Crew(assignments[0], jobs=jobs, niceness=NICENESS)

        service = Service(database, rules, assignments, key)
        with listen(host, port) as listening, _ended_by_signals():
            scheme, at = "https" if certificate else "http", listening.getsockname()[1]
            say(f"serving   {', '.join(assignments)} at {scheme}://{host}:{at}, until Ctrl-C")
            if not certificate and host not in ("127.0.0.1", "localhost", "::1"):
                say("note: without --certificate tokens travel unencrypted; let a proxy do TLS (docs/serve.md)")
            grade_while_listening(
                service,
                read_gradings,
                new_crew,
                listening,
                say,
                certificate=certificate,
                key_file=key_file,
            )


@serve.command()
def tokens(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="A new CSV file for the tokens; they are shown only there.")
    ],
    data: Data = Path("served"),
    db: Db = None,
    roster: Annotated[Path | None, typer.Option(metavar="FILE", help="Enrol these students first.")] = None,
    revoke: Annotated[
        list[str] | None, typer.Option(metavar="STUDENT", help="Revoke this student's token, and issue another.")
    ] = None,
    revoke_instructors: Annotated[
        bool, typer.Option("--revoke-instructors", help="Revoke the instructors' tokens, and issue one.")
    ] = False,
) -> None:
    """Issue a token to each student who has none, and to the instructors if they have none."""
    import time

    with _libraries():
        from autograder.serve import tokens as issuing
        from autograder.serve.roster import enrol, read_roster
    if out.exists():
        raise InputError(f"{out}: is there already, and may hold tokens; name another file")
    students = read_roster(roster) if roster else {}
    with _opened(data, db) as database, database.writing() as session:
        enrol(session, students)
        issuing.revoke(session, revoke or [], time.time())
        if revoke_instructors:
            issuing.revoke_instructors(session, time.time())
        rows = issuing.issue_missing(session, time.time())
        issuing.write_tokens(session, out, rows)
    say(f"tokens    {out}: {len(rows)}; only their digests are kept, so keep the file until all have theirs")


@serve.command()
def results(
    assignment: Annotated[str, typer.Argument(help="For example vae.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to.")],
    data: Data = Path("served"),
    db: Db = None,
) -> None:
    """Write what counts as `autograder grade` does, for `export`, `record` and all the others; also while it serves."""
    from autograder import course
    from autograder.commands.grade import write_report
    from autograder.points.rules import read_rules

    course.require_assignment(assignment)
    with _libraries():
        from autograder.serve.counting import write_results
    rules = read_rules(assignment)
    with _opened(data, db, is_there=True) as database, database.reading() as session:
        run = write_results(session, rules, out)
    report = write_report(out, run)
    if run.ungraded:
        say(f"note: {len(run.ungraded)} students have submissions that wait; give the same command again later")
    say(f"results   {out / 'results.json'}\nreport    {report}")


@serve.command("verify-receipt")
def verify_receipt(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The JSON file that a student has.")],
    notebook: Annotated[Path | None, typer.Argument(metavar="NOTEBOOK", help="The notebook that it is for.")] = None,
) -> None:
    """Say whether a receipt is genuine: signed by the course's key, and with NOTEBOOK, for just that notebook."""
    from autograder.grading.key import course_key
    from autograder.serve.receipts import check_receipt

    found = check_receipt(course_key(), receipt, notebook)
    say(f"genuine: {found.student} handed in {found.assignment} at {found.received}, SHA-256 {found.digest}")


@contextlib.contextmanager
def _libraries() -> Iterator[None]:
    """Say in one line what to install if the server's libraries are not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is not installed: pip install -c constraints.txt -e './autograder[serve]'"
        ) from None


@contextlib.contextmanager
def _opened(data: Path, db: str | None, *, is_there: bool = False) -> "Iterator[Database]":
    """The database, which is made if it need not be there. Raises InputError."""
    with _libraries():
        from autograder.serve.database import NAME, opened
    if db is None and is_there and not (data / NAME).exists():
        raise InputError(f"{data}: no server has worked there; name the folder of yours with --data")
    if db is None and not data.is_dir():
        try:
            data.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise InputError(f"{data}: cannot be made ({error.strerror}); give another folder with --data") from None
    with opened(db or f"sqlite:///{(data / NAME).resolve()}") as database:
        yield database


def _enrol(database: "Database", data: Path, roster: Path) -> None:
    """Enrol a roster, and write tokens for whoever has none."""
    import time

    from autograder.results.text import listed, name_line
    from autograder.serve import tokens as issuing
    from autograder.serve.roster import enrol, read_roster

    students = read_roster(roster)
    with database.writing() as session:
        others = enrol(session, students)
        rows = issuing.issue_missing(session, time.time())
        if rows:
            number = next(n for n in range(1, 10**6) if not (data / f"tokens-{n}.csv").exists())
            issuing.write_tokens(session, data / f"tokens-{number}.csv", rows)
    if rows:
        say(f"tokens    {data / f'tokens-{number}.csv'}: {len(rows)} new; give each student theirs")
    if others:
        named = listed([name_line(account, 80) for account in others], 12)
        say(f"note: enrolled before and not in {roster}: {named}; they may still hand in (tokens --revoke)")


class _Ended(BaseException):
    """A signal has asked this process to end."""


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the server, which is how it is meant to end: exit code 0."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise _Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Ended:
        say("ended; what was received is kept, and the same command goes on with it")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
