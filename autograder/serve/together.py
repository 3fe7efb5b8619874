"""Whatever waits to be written is written together: a sync to disk, which all others wait for, serves many of them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.serve.database import Database

T = TypeVar("T")


class Together:
    """Changes from several threads, in as few transactions as the disk can keep up with."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._waiting: list[tuple[Callable[[Session], Any], Future[Any]]] = []

    def write(self, change: Callable[[Session], T]) -> T:
        """What `change` returns, once it is on disk. If it raises, it alone is undone; if the database fails, nothing
        is written of any: on a full disk SQLite undoes what was before it, too."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append((change, future))
        with self._turn:
            if not future.done():  # else somebody before has taken it along
                self._write_all()
        return future.result()

    def _write_all(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, []
        outcomes: list[Callable[[], None]] = []
        failed: SQLAlchemyError | None = None
        try:
            with self._database.writing() as session:
                for change, future in taken:
                    savepoint = session.begin_nested()
                    try:
                        found = change(session)
                        savepoint.commit()
                    except SQLAlchemyError as error:
                        failed = error  # what is undone already cannot be once more, and that would be told
                        raise
                    except Exception as error:
                        savepoint.rollback()
                        outcomes.append(lambda future=future, error=error: future.set_exception(error))  # type: ignore[misc]
                    else:
                        outcomes.append(lambda future=future, found=found: future.set_result(found))  # type: ignore[misc]
        except BaseException as error:
            for _, future in taken:
                future.set_exception(failed or error)
            return
        for settle in outcomes:
            settle()
