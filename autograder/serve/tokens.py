"""Who somebody is, by a token of 256 random bits, of which the database holds the SHA-256 alone."""

import csv
import hashlib
import hmac
import io
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from autograder.errors import InputError
from autograder.results.text import listed, name_line
from autograder.serve.tables import Student, Token, table_of

BYTES = 32
MOST_CHARACTERS = 200
MOST_NAMED = 8
_TOKENS, _STUDENTS = table_of(Token), table_of(Student)


@dataclass(frozen=True)
class Person:
    """Whoever holds a token: a student, or an instructor, who has no id."""

    student_id: int | None
    account: str

    @property
    def is_instructor(self) -> bool:
        return self.student_id is None


def person_of(session: Session, token: str) -> Person | None:
    """Whose token this is; None if it is nobody's, or was revoked."""
    if not 0 < len(token) <= MOST_CHARACTERS:
        return None
    digest = _digest(token)
    found = session.execute(
        select(_TOKENS.c.digest, _TOKENS.c.student_id, _TOKENS.c.revoked_at, _STUDENTS.c.account)
        .outerjoin(_STUDENTS, _STUDENTS.c.id == _TOKENS.c.student_id)
        .where(_TOKENS.c.digest == digest)
    ).one_or_none()
    if found is None or found.revoked_at is not None or not hmac.compare_digest(found.digest, digest):
        return None
    return Person(found.student_id, found.account or "")


def issue(session: Session, student: Student | None, now: float) -> str:
    """A new token of a student, or of an instructor if None; it is shown here and never again."""
    token = secrets.token_urlsafe(BYTES)
    session.add(Token(digest=_digest(token), student_id=student.id if student else None, issued_at=now))
    return token


def issue_missing(session: Session, now: float) -> list[tuple[str, str, str, str]]:
    """A token for each student who has none, and for an instructor if none has: rows of role, student, name, token."""
    valid = set(session.scalars(select(Token.student_id).where(Token.revoked_at.is_(None))))
    rows = [] if None in valid else [("instructor", "", "", issue(session, None, now))]
    for student in session.scalars(select(Student).order_by(Student.account)):
        if student.id not in valid:
            rows.append(("student", student.account, student.name, issue(session, student, now)))
    return rows


def revoke(session: Session, accounts: Iterable[str], now: float) -> None:
    """Revoke all tokens of these students. Raises InputError, one line, if somebody is no student."""
    accounts = list(accounts)
    known = {student.account: student.id for student in session.scalars(select(Student))}
    if unknown := [name_line(account, 80) for account in accounts if account not in known]:
        raise InputError(f"{listed(unknown, MOST_NAMED)}: not on the roster; nobody's token was revoked")
    _revoke(session, [known[account] for account in accounts], now)


def revoke_instructors(session: Session, now: float) -> None:
    """Revoke all tokens of instructors."""
    session.execute(update(Token).where(Token.student_id.is_(None), Token.revoked_at.is_(None)).values(revoked_at=now))


def _revoke(session: Session, ids: list[int], now: float) -> None:
    session.execute(update(Token).where(Token.student_id.in_(ids), Token.revoked_at.is_(None)).values(revoked_at=now))


def write_tokens(session: Session, path: Path, rows: Iterable[tuple[str, str, str, str]]) -> None:
    """Write tokens to a new CSV file that only its owner can read. If the transaction that issues them is undone, it
    goes, too. Raises InputError if it is there, or cannot be."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("role", "student", "name", "token"))
    writer.writerows(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            event.listen(session, "after_rollback", lambda _: path.unlink(missing_ok=True))
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise InputError(f"{path}: is there already, and may hold tokens; name another file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another file") from None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
