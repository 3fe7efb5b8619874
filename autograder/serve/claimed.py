"""A submission on its way to a worker; apart, since a worker that takes it knows no database."""

from dataclasses import dataclass, field

from autograder.grading.regrade import Due


@dataclass(frozen=True)
class Claimed(Due):
    """A submission that is being graded: its number in the database, and which attempt at grading this is. `is_again`
    says that it has a grading, and that nobody has decided yet whether another is to count; `executed` is its notebook
    as it was executed then, compressed."""

    id: int = 0
    assignment: str = ""
    attempt: int = 0
    is_again: bool = False
    executed: bytes | None = field(default=None, repr=False)
