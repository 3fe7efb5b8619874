"""How the server starts and goes on: without a sandbox, with a crew that fails, and from the command line."""

import contextlib
import socket
from functools import partial
from pathlib import Path

import nbformat
import pytest
import trustme
from small_class import notebook
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import SQLAlchemyError
from toy_course import source, submission
from typer.testing import CliRunner

from autograder import assignments
from autograder.commands.app import app
from autograder.errors import InputError, SandboxError, UsageError
from autograder.grading import loaded, nursery
from autograder.grading.grading import Grading
from autograder.grading.regrade import Regrading
from autograder.grading.workers import CrewError
from autograder.judge.verdict import Finding
from autograder.results.model import Basis, Judged
from autograder.serve import server
from autograder.serve.claimed import Claimed
from autograder.serve.database import NAME, Database, opened
from autograder.serve.graded import Graded, grade_claimed
from autograder.serve.tables import Student, Submission
from autograder.serve.working import ReadAnewError, Working
from fixmelab.submitting.connection import Connection, ServerError


class Enough(BaseException):
    """The end of a server that would go on for ever."""


class FailingCrew:
    """A crew that takes what it is given, makes nothing of it, and fails; once `most` have, the test is over."""

    def __init__(self, seen: list[list[str]], most: int) -> None:
        self._seen = seen
        self._most = most

    def __enter__(self) -> "FailingCrew":
        if len(self._seen) == self._most:
            raise Enough
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def outcomes(self, work, submissions, seconds, *, more):
        taken = [*submissions, *iter(more, None)]
        self._seen.append([claimed.student for claimed in taken])
        yield from [(claimed, SandboxError("no kernel starts")) for claimed in taken]
        raise CrewError("no kernel starts, again and again")


def test_without_a_sandbox_nobody_is_listened_to(here):
    @contextlib.contextmanager
    def no_crew(gradings):
        raise SandboxError("bubblewrap is not installed")
        yield

    with server.listen("127.0.0.1", 0) as listening, pytest.raises(SandboxError, match="bubblewrap is not installed"):
        server.grade_while_listening(here.service, dict, no_crew, listening, print)


def test_a_certificate_that_is_none_is_one_line(here, tmp_path):
    (tmp_path / "no.pem").write_text("no certificate")
    with server.listen("127.0.0.1", 0) as listening, pytest.raises(InputError, match="no.pem: cannot be used") as said:
        server.grade_while_listening(
            here.service, dict, contextlib.nullcontext, listening, print, certificate=tmp_path / "no.pem"
        )
    assert len(str(said.value).splitlines()) == 1


def test_students_reach_a_server_whose_certificate_their_machine_trusts_and_no_other(here, tmp_path, monkeypatch):
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    own.write_to_path(str(tmp_path / "own.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    listening = server.listen("127.0.0.1", 0)
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    with listening, server._listener(here.service, listening, tmp_path / "own.pem", None):
        with pytest.raises(ServerError, match=f"{url}: its certificate is not valid .* name it in SSL_CERT_FILE"):
            Connection(url, here.tokens["ada"]).ask("me")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        assert Connection(url, here.tokens["ada"]).ask("me")["student"] == "ada"


def test_a_crew_that_fails_later_ends_nothing_and_blames_nobody(here, course_root, monkeypatch):
    monkeypatch.setattr(server, "PAUSE", 0.0)
    monkeypatch.setattr(server, "Working", WorkingWithout)
    here.send("ada", notebook())
    here.send("bob", notebook())
    seen: list[list[str]] = []
    said: list[str] = []

    def serve(most: int) -> None:
        with server.listen("127.0.0.1", 0) as listening, pytest.raises(Enough):
            crew = FailingCrew(seen, most)
            server.grade_while_listening(here.service, dict, lambda gradings: crew, listening, said.append)

    serve(3)
    assert seen == [["ada", "bob"], ["a source"], ["a source"]], "students' work is not spent on finding out"
    assert said[0] == "not graded: no kernel starts"
    assert said[-1] == "nothing is graded at the moment: no kernel starts; trying again"
    assert here.get("instructor", "class/little").json()["trouble"] == said[-1:]
    (told,) = here.get("ada", "assignments/little/submissions").json()
    assert told["line"] == "is next"
    for _ in range(2):  # whatever brings it about each time is set aside
        seen.clear()
        serve(1)
    assert here.get("ada", "assignments/little/submissions").json()[0]["state"] == "fault" and here.claim() is None


def test_a_server_whose_code_has_changed_grades_nothing_until_it_is_started_again(here, monkeypatch):
    """Its walls would be those of before, and its results noted as of now."""
    monkeypatch.setattr(server, "PAUSE", 0.0)
    said: list[str] = []

    class Asked:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def work(self, crew: object) -> None:
            monkeypatch.setattr(loaded, "AT_THE_START", ("", ""))
            raise ReadAnewError

    def say(line: str) -> None:
        said.append(line)
        raise Enough

    monkeypatch.setattr(server, "Working", Asked)
    with server.listen("127.0.0.1", 0) as listening, pytest.raises(Enough):
        server.grade_while_listening(here.service, dict, contextlib.nullcontext, listening, say)
    assert said == [
        "nothing is graded at the moment: the grader's code has changed since this was started; start it again; "
        "trying again"
    ]


def test_checks_that_cannot_be_imported_are_no_submissions_doing(tmp_path, monkeypatch):
    """Else one who mends a check on the evening that something is due has a fault made of whatever comes."""
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "__init__.py").write_text("EXERCISES = ('double',)\n")
    (tmp_path / "half" / "double.py").write_text("def double(student, draw:\n")
    monkeypatch.setattr(assignments, "__path__", [*assignments.__path__, str(tmp_path)])
    grading = Grading("half", source(), b"k" * 32)
    made = Claimed(student="ada", path="half/ada", held=nbformat.writes(submission()).encode(), assignment="half")
    outcome = nursery._outcome(partial(grade_claimed, {"half": (grading, Regrading("", {}, {}))}), made, None)
    assert isinstance(outcome, SandboxError) and "the checks of half cannot be imported (SyntaxError" in str(outcome)


class WorkingWithout(server.Working):
    """Without a grading, and so without limits and a source."""

    def _seconds(self) -> float:
        return 1.0

    def _trial(self) -> Claimed:
        return Claimed(student="a source", path="", held=b"")


def test_a_result_that_cannot_be_kept_ends_the_server_for_nobody(here):
    said: list[str] = []
    here.send("ada", notebook())
    here.send("bob", notebook())
    working = Working(here.service, {}, said.append)
    basis = Basis(source="", check="", shared="", grader="", package="", library="", settings="", key="")
    judged = Judged(finding=Finding("fail", "\ud800"), basis=basis, conditions="")  # what UTF-8 has no bytes for
    claimed = here.claim()
    record = here.record(claimed, ("fail", "")).model_copy(update={"judged": {"part_0": judged}})
    working._settle(claimed, nursery._outcome(lambda claimed, _: Graded.of(claimed, record, {}), claimed, None))
    working._settle(here.claim(), SandboxError("\x1b[2Jno kernel\ud800 starts"))
    told = [here.get(who, "assignments/little/submissions").json()[0]["state"] for who in ("ada", "bob")]
    assert told == ["fault", "fault"]
    assert (
        "could not be graded (PydanticSerializationError" in said[0] and said[1] == "not graded: no kernel\ufffd starts"
    )


ROSTER = "student,name\nada,Ada L.\n"


def run(*arguments: object):
    return CliRunner().invoke(app, ["serve", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (["vea", "--roster", "roster.csv"], InputError, "there is no assignment 'vea'; did you mean vae"),
        (["vae", "--roster", "nowhere.csv"], InputError, "nowhere.csv: cannot be read"),
        (["vae"], InputError, "nobody is enrolled yet; give --roster FILE"),
        (["vae", "--key-file", "key.pem"], UsageError, "--key-file belongs to --certificate"),
        (["vae", "gan", "--dask", "tls://h:1"], UsageError, "--dask serves one assignment"),
        (["vae", "--limit", "memry=3G"], UsageError, "there is no limit 'memry'"),
        (["results", "vae", "--out", "graded"], InputError, "served: no server has worked there; name the folder"),
        (["results", "vea", "--out", "graded"], InputError, "did you mean vae"),
        (["verify-receipt", "roster.csv"], InputError, "roster.csv: is no receipt"),
        (["tokens", "--out", "roster.csv"], InputError, "roster.csv: is there already"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, monkeypatch, arguments, kind, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIXMELAB_KEY_FILE", "key")
    (tmp_path / "key").write_bytes(b"k" * 32)
    (tmp_path / "roster.csv").write_text(ROSTER)
    done = run(*arguments)
    assert isinstance(done.exception, kind) and said in str(done.exception)
    assert len(str(done.exception).splitlines()) == 1
    assert arguments[0] != "results" or not (tmp_path / "served").exists()


def test_a_port_that_is_taken_is_one_line_and_nothing_is_lost(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIXMELAB_KEY_FILE", "key")
    (tmp_path / "key").write_bytes(b"k" * 32)
    (tmp_path / "roster.csv").write_text(ROSTER)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("vae", "--roster", "roster.csv", "--port", taken.getsockname()[1])
    assert "cannot listen there" in str(done.exception)
    (found,) = (tmp_path / "served").glob("tokens-*.csv")
    assert len(found.read_text().splitlines()) == 3
    database = Database(f"sqlite:///{tmp_path}/served/{NAME}")
    with database.reading() as session:
        assert session.scalars(select(Student.account)).all() == ["ada"]
        assert session.scalars(select(Submission)).all() == []
    database.close()
    assert "nothing of vae is graded yet" in str(run("results", "vae", "--out", "graded").exception)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE alembic_version SET version_num = 'later'", "is a newer release's"),
        ("DROP TABLE submissions", "the database failed (no such table: submissions)"),
    ],
    ids=["newer", "damaged"],
)
def test_a_database_that_cannot_be_read_is_one_line(tmp_path: Path, statement, said):
    with opened(f"sqlite:///{tmp_path}/{NAME}") as database, database.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    done = run("results", "vae", "--data", tmp_path, "--out", tmp_path / "graded")
    assert isinstance(done.exception, InputError) and said in str(done.exception)
    assert len(str(done.exception).splitlines()) == 1


def test_tokens_that_were_not_issued_are_in_no_file(tmp_path: Path):
    out = tmp_path / "new.csv"

    def refuse(_: object) -> None:
        if out.exists():
            raise SQLAlchemyError("the disk is full")

    event.listen(Engine, "commit", refuse)
    try:
        done = run("tokens", "--data", tmp_path, "--out", out)
    finally:
        event.remove(Engine, "commit", refuse)
    assert "the database failed (the disk is full)" in str(done.exception) and not out.exists()
    assert run("tokens", "--data", tmp_path, "--out", out).exit_code == 0 and out.exists()
