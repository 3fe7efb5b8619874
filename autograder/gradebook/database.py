"""nbgrader's gradebook, opened so that all that is recorded is there, or none of it."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from nbgrader.api import Gradebook, InvalidEntry
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import scoped_session, sessionmaker

from autograder.errors import InputError

SECONDS_TO_WAIT = 20  # for another program that is writing
FORMS = "give sqlite:////PATH/gradebook.db or postgresql+psycopg://USER@HOST/NAME"


def parse_url(text: str) -> URL:
    """The address of a gradebook. Raises InputError where it is none."""
    try:
        url = make_url(text)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # Nothing of it is repeated: it may hold a password.
        raise InputError(f"the address of the gradebook cannot be understood: {FORMS}") from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise InputError(f"a gradebook on {url.get_backend_name()} is not supported: {FORMS}")
    return url


def shown(url: URL) -> str:
    """The address without its password."""
    return url.render_as_string(hide_password=True)


@contextlib.contextmanager
def one_transaction(url: URL, course_id: str, *, dry_run: bool = False) -> Iterator[Gradebook]:
    """Open a gradebook, whose changes are all written at the end, and none after an exception or in a dry run.

    nbgrader's own methods commit as they go; here these commits only bring changes to the database's transaction. A
    gradebook that is not there yet is made, in memory for a dry run.

    Raises InputError where there is no such server, no driver, no permission, or where something else keeps writing.
    """
    made = _missing_file(url)
    with _database_errors(url):
        if dry_run and _is_empty(url):
            made, url = None, make_url("sqlite://")
        try:
            with _alembic_on_the_path():
                gradebook = Gradebook(url.render_as_string(hide_password=False), course_id)
            with gradebook, gradebook.engine.connect() as connection:
                _lock(connection)
                outer = connection.get_transaction() or connection.begin()
                gradebook.db.remove()
                gradebook.db = scoped_session(sessionmaker(bind=connection, join_transaction_mode="rollback_only"))
                try:
                    yield gradebook
                    gradebook.db.flush()
                except BaseException:
                    outer.rollback()
                    raise
                if dry_run:
                    outer.rollback()
                else:
                    outer.commit()
        except BaseException:
            if made:
                made.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _alembic_on_the_path() -> Iterator[None]:
    """nbgrader asks alembic, by its bare name, for its latest schema; it lies beside Python."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([before, str(Path(sys.executable).parent)])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _missing_file(url: URL) -> Path | None:
    """The file that opening the gradebook would make."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    path = Path(url.database)
    return None if path.exists() else path


def _is_empty(url: URL) -> bool:
    if _missing_file(url):
        return True
    engine = create_engine(url)
    try:
        return not inspect(engine).get_table_names()
    finally:
        engine.dispose()


def _lock(connection: Connection) -> None:
    """Begin to write now: two that record at once take turns, and marks that are being given are seen or wait."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {SECONDS_TO_WAIT * 1000}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{SECONDS_TO_WAIT}s'")
        connection.exec_driver_sql("LOCK TABLE assignment, grade, comment IN SHARE ROW EXCLUSIVE MODE")


@contextlib.contextmanager
def _database_errors(url: URL) -> Iterator[None]:
    """Errors of the database as one clear line."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = {"psycopg": "'psycopg[binary]'", "psycopg2": "psycopg2-binary"}.get(error.name or "", error.name)
        raise InputError(f"{shown(url)}: {error.name} is missing: pip install {package}") from None
    except (DBAPIError, InvalidEntry) as error:
        original = getattr(error, "orig", None) or error
        reason = " ".join(str(original).split()) or type(error).__name__
        raise InputError(f"{shown(url)}: nothing was recorded: {reason}; {_advice(reason)}") from None
    except SQLAlchemyError as error:
        raise InputError(f"{shown(url)}: nothing was recorded: {' '.join(str(error).split())[:300]}") from None


def _advice(reason: str) -> str:
    if "locked" in reason or "lock timeout" in reason:
        return "another program is writing to it: try again in a moment"
    if "no such column" in reason or "does not exist" in reason and "column" in reason:
        return "it was made by an older nbgrader: run nbgrader db upgrade"
    if "not a database" in reason or "malformed" in reason:
        return "the file is damaged: restore it from a backup"
    return "check the address, the server and the permissions"
