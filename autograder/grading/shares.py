"""Which share of a class one of several machines grades."""

import hashlib
import re
from dataclasses import dataclass

from autograder.errors import UsageError
from autograder.grading.submissions import Submission


@dataclass(frozen=True)
class Share:
    """Share `number` of `count`: whoever is in it stays in it, whatever others hand in."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Share":
        """The share that `text`, such as "2/4", names. Raises UsageError if it names none."""
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        number, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            raise UsageError(f"--shard {text!r}: give K/N with K from 1 to N, for example 2/4")
        return cls(number, count)

    def has(self, submission: Submission) -> bool:
        """The platform's number says who that is, if it is known: a name may differ from machine to machine."""
        who = submission.account or submission.student
        digest = hashlib.sha256(who.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1
