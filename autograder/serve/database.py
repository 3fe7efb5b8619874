"""The server's database: SQLite beside its other files, or PostgreSQL by URL."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.errors import InputError
from autograder.results.text import one_line

NAME = "serve.db"
FORMS = "give postgresql+psycopg://USER@HOST/NAME, or no --db for a file in --data"
MIGRATIONS = Path(__file__).resolve().parent / "migrations"
PAGE = 16_384  # bytes: to write a notebook with pictures takes a third less than in SQLite's usual 4 KB
PAGES = 4096  # that may gather in SQLite's log, a notebook up to 60, until whoever writes copies them over
COPY_AFTER = 0.5  # seconds, and what has gathered in SQLite's log is copied over
LOCK = 20_261_128  # of PostgreSQL's advisory locks, the one that a server holds


class Database:
    """Transactions that are all there, or not at all, and outlive a power cut once they have ended.

    Opening it brings its tables up to date. Raises InputError if `url` is none or the database cannot be used.
    """

    def __init__(self, url: str) -> None:
        try:
            found = make_url(url)
            if found.get_backend_name() not in ("sqlite", "postgresql"):
                raise InputError(f"--db {found.render_as_string()}: {FORMS}")
            self.engine = create_engine(found, **_settings(found.get_backend_name()))
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise InputError(f"--db: is no address of a database ({one_line(str(error))}); {FORMS}") from None
        self._is_sqlite = found.get_backend_name() == "sqlite"
        if self._is_sqlite:
            _be_durable(self.engine)
        # SQLite has one writer; those of this process wait here, in their order, and not by trying again.
        self._turn: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self._is_sqlite else contextlib.nullcontext()
        )
        try:
            with self.engine.connect() as connection:
                _migrate(connection)
        except SQLAlchemyError as error:
            raise InputError(f"{self}: the database cannot be used ({_why(error)}); {FORMS}") from None
        except CommandError as error:
            raise InputError(f"{self}: is a newer release's ({error}); install that, or restore a backup") from None

    def __str__(self) -> str:
        """Its address, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads, as of one moment."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is on disk when the block has ended, or is undone if the block raises."""
        engine = self.engine.execution_options(writes=True)
        with self._turn, Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def as_the_only_server(self) -> Iterator[None]:
        """Keep other servers off a PostgreSQL database while the block runs; a file is guarded by its folder.

        Raises InputError if another server uses it.
        """
        if self._is_sqlite:
            yield
            return
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
                raise InputError("--db: another server uses this database; end it, or give another database")
            yield

    @contextlib.contextmanager
    def copying_over(self) -> Iterator[None]:
        """Have SQLite's log copied into its file beside all else while the block runs: else it is done now and then by
        whoever writes, and everybody waits for that."""
        if not self._is_sqlite:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._copy_over, args=[ended], daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _copy_over(self, ended: threading.Event) -> None:
        with contextlib.closing(self.engine.raw_connection()) as connection:
            while not ended.wait(COPY_AFTER):
                with contextlib.suppress(sqlite3.Error):  # a disk that is full is told of by whoever writes
                    connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").close()

    def close(self) -> None:
        self.engine.dispose()


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    """A database that is closed when the block has ended. Raises InputError, as Database, and if the block cannot go on
    because the database fails."""
    database = Database(url)
    try:
        yield database
    except SQLAlchemyError as error:
        raise InputError(
            f"{database}: the database failed ({_why(error)}); see to its disk, or restore a backup, and give the same "
            "command again"
        ) from None
    finally:
        database.close()


def _settings(backend: str) -> dict[str, Any]:
    if backend == "sqlite":
        return {"connect_args": {"timeout": 30, "check_same_thread": False}, "pool_size": 20, "max_overflow": 60}
    # A connection that was lost while nobody asked is noticed before it is used.
    return {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 50}


def _be_durable(engine: Engine) -> None:
    """Have SQLite sync each transaction, let readers not wait for the writer, and take the write lock at the start of
    a transaction that writes, instead of failing in the middle of it."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        durable = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"wal_autocheckpoint={PAGES}")
        for setting in (f"page_size={PAGE}", *durable):  # a file that is there keeps its pages
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(connection: Connection) -> None:
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def _why(error: SQLAlchemyError) -> str:
    return one_line(str(getattr(error, "orig", None) or error), 200)
