"""What waits to be written shares a transaction, and nobody's mistake is another's."""

import threading

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import SQLAlchemyError

from autograder.serve.receiving import RefusedError
from autograder.serve.tables import Student
from autograder.serve.together import Together


def enrolling(name: str, error: Exception | None = None):
    def change(session) -> str:
        session.add(Student(account=name))
        session.flush()
        if error:
            raise error
        return name

    return change


def written(together: Together, changes, first) -> dict[str, object]:
    """What came of changes that all wait while a first one is being written."""
    is_first, others_wait = threading.Event(), threading.Event()
    found: dict[str, object] = {}

    def slow(session) -> str:
        is_first.set()
        assert others_wait.wait(30)
        return first(session)

    def write(name: str, change) -> None:
        try:
            found[name] = together.write(change)
        except Exception as error:
            found[name] = error

    threads = [threading.Thread(target=write, args=("first", slow))]
    threads[0].start()
    assert is_first.wait(30)
    threads += [threading.Thread(target=write, args=item) for item in changes.items()]
    for thread in threads[1:]:
        thread.start()
    while len(together._waiting) < len(changes):
        pass
    others_wait.set()
    for thread in threads:
        thread.join()
    return found


def test_what_waits_is_one_transaction_and_who_fails_is_undone_alone(database):
    commits: list[object] = []
    event.listen(database.engine, "commit", commits.append)
    refused = RefusedError(403, "closed")
    changes = {name: enrolling(name, refused if name == "eve" else None) for name in ("bob", "eve", "joe")}
    assert written(Together(database), changes, enrolling("ada")) == {
        "first": "ada",
        "bob": "bob",
        "eve": refused,
        "joe": "joe",
    }
    assert len(commits) == 2
    with database.reading() as session:
        assert sorted(session.scalars(select(Student.account))) == ["ada", "bob", "joe"]


def test_a_full_disk_undoes_what_was_before_it_and_nobody_is_told_otherwise(database):
    """SQLite then undoes the transaction by itself, and would begin another for what comes after."""

    def too_large(session) -> None:
        connection = session.connection()
        most = connection.exec_driver_sql("PRAGMA page_count").scalar() + 1
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")
        session.execute(insert(Student), {"account": "eve", "name": "x" * 100_000})

    together = Together(database)
    found = written(together, {"bob": enrolling("bob"), "eve": too_large, "joe": enrolling("joe")}, enrolling("ada"))
    with database.reading() as session:
        on_disk = sorted(session.scalars(select(Student.account)))
    assert [name for name, told in found.items() if isinstance(told, str)] == ["first"] and on_disk == ["ada"]
    assert "full" in str(found["bob"]), "whoever looks after the server can read why"


def test_nobody_is_told_of_what_is_not_on_disk(database):
    """If the transaction itself fails, it fails for all that share it, and the next one is another."""
    full = SQLAlchemyError("the disk is full")

    def fail(session) -> None:
        def refuse(_: object) -> None:
            event.remove(database.engine, "commit", refuse)
            raise full

        event.listen(database.engine, "commit", refuse)

    together = Together(database)
    found = written(together, {"bob": fail, "joe": enrolling("joe")}, enrolling("ada"))
    assert (found["first"], found["bob"], found["joe"]) == ("ada", full, full)
    assert together.write(enrolling("joe")) == "joe"
    with database.reading() as session:
        assert sorted(session.scalars(select(Student.account))) == ["ada", "joe"]
    with pytest.raises(SQLAlchemyError):
        together.write(enrolling("joe"))
