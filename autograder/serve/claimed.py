"""A submission on its way to a worker; apart, since a worker that takes it knows no database."""

from dataclasses import dataclass

from autograder.grading.regrade import Due


@dataclass(frozen=True)
class Claimed(Due):
    """A submission that is being graded: its number in the database, and which attempt at grading this is. `is_again`
    says that it has a grading, and that nobody has decided yet whether another is to count."""

    id: int = 0
    assignment: str = ""
    attempt: int = 0
    is_again: bool = False
