"""What the server's database holds. Times are seconds since 1970, in UTC."""

from sqlalchemy import Double, ForeignKey, Index, LargeBinary, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# Of a submission. A fault is the grader's own: the submission waits for somebody to have it graded again.
QUEUED, RUNNING, DONE, REFUSED, FAULT = "queued", "running", "done", "refused", "fault"
COUNTS = "counts"  # of a regrading that was let count, and is about to take its place


class Base(DeclarativeBase):
    type_annotation_map = {float: Double}


class Student(Base):
    """A student of the roster. `account` is what results call them."""

    __tablename__ = "students"

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")


class Token(Base):
    """A token that was issued: the SHA-256 of its text, and whose it is; an instructor's if no student's."""

    __tablename__ = "tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"), index=True)
    issued_at: Mapped[float]
    revoked_at: Mapped[float | None]

    student: Mapped[Student | None] = relationship(lazy="joined")


class Submission(Base):
    """What a student handed in: `digest` is the SHA-256 of its bytes, so that the same bytes are the same submission.

    `turn` counts what its student had handed in to the assignment in the hour before: whose is smaller is graded first.
    `attempts` counts how often grading began. `reason` says why it is refused, or what the fault is.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("student_id", "assignment", "digest"),
        Index("submissions_by_turn", "state", "turn", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    assignment: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[float]
    turn: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default=QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")

    student: Mapped[Student] = relationship(lazy="joined")
    grading: Mapped["Grading | None"] = relationship()


class Content(Base):
    """The bytes of a submission and of its executed notebook, and in JSON what its verdicts rest on, each compressed by
    zlib; in a table of their own, since what lists submissions reads none of them."""

    __tablename__ = "contents"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    notebook: Mapped[bytes] = mapped_column(LargeBinary)
    executed: Mapped[bytes | None] = mapped_column(LargeBinary)
    judged: Mapped[bytes | None] = mapped_column(LargeBinary)


class Grading(Base):
    """What grading came to, once for a submission. `repairs` is JSON; `conditions` the digest of those it was graded
    under, which `Condition` holds."""

    __tablename__ = "gradings"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    graded_at: Mapped[float]
    seconds: Mapped[float]
    score: Mapped[float]
    max_score: Mapped[float]
    manual_max_score: Mapped[float]
    repairs: Mapped[str] = mapped_column(Text)
    conditions: Mapped[str] = mapped_column(ForeignKey("conditions.digest"))

    verdicts: Mapped[list["Verdict"]] = relationship(order_by="Verdict.place")


class Verdict(Base):
    """The verdict on one exercise of a graded submission, in the order of the notebook. `answer` is a digest of what
    was answered, "" if that is not known."""

    __tablename__ = "verdicts"

    submission_id: Mapped[int] = mapped_column(ForeignKey("gradings.submission_id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    exercise: Mapped[str] = mapped_column(String(200))
    verdict: Mapped[str] = mapped_column(String(10))
    score: Mapped[float]
    max_score: Mapped[float]
    message: Mapped[str] = mapped_column(Text)
    mistake: Mapped[str | None] = mapped_column(String(200))
    answer: Mapped[str] = mapped_column(String(64), default="")


class Regrading(Base):
    """A submission that is graded again, while nobody has decided whether that is to count. `outcome`, in JSON, and
    `executed` are what would take the place of what it has, each compressed by zlib."""

    __tablename__ = "regradings"

    submission_id: Mapped[int] = mapped_column(ForeignKey("gradings.submission_id"), primary_key=True)
    asked_at: Mapped[float]
    state: Mapped[str] = mapped_column(String(10), default=QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[bytes | None] = mapped_column(LargeBinary)
    executed: Mapped[bytes | None] = mapped_column(LargeBinary)


class Condition(Base):
    """Conditions of grading, as results.json holds them, by their digest."""

    __tablename__ = "conditions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[str] = mapped_column(Text)


class Event(Base):
    """What an instructor did while the server ran, such as to close the doors of an assignment."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float]
    assignment: Mapped[str] = mapped_column(String(100), index=True)
    kind: Mapped[str] = mapped_column(String(40))


def table_of(entity: type[Base]) -> Table:
    """The table of a class, for what asks it for columns and not for objects."""
    assert isinstance(entity.__table__, Table)
    return entity.__table__
