"""A PostgreSQL server of one's own, and empty databases on it."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The folder of the socket of a PostgreSQL server of one's own, which listens nowhere else."""
    programs = {name: shutil.which(name) for name in ("initdb", "pg_ctl", "postgres")}
    if missing := [name for name, path in programs.items() if path is None]:
        pytest.skip(f"there is no {' and no '.join(missing)} on the path: PostgreSQL's server is not installed")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    as_user: list[str] = []
    user = pwd.getpwuid(os.geteuid())
    if user.pw_uid == 0:  # PostgreSQL refuses to be run by root
        user = pwd.getpwnam("nobody")
        if shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no setpriv to become another user")
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    # Not in pytest's folder, into which no other user can look; short, since a socket's path is.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    os.chown(folder, user.pw_uid, user.pw_gid)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}

    def run(*command: str) -> None:
        done = subprocess.run(
            [*as_user, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data = str(folder / "data")
    try:
        run(programs["initdb"], "-D", data, "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run(programs["pg_ctl"], "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield str(folder)
        finally:
            run(programs["pg_ctl"], "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_database(postgres_server: str) -> Callable[[], str]:
    """A function that makes an empty database and returns its address."""
    import psycopg

    def make() -> str:
        name = f"test_{secrets.token_hex(4)}"
        with psycopg.connect(host=postgres_server, user="grader", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://grader@/{name}?host={postgres_server}"

    return make
