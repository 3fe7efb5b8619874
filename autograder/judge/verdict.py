"""What a judge finds, and the exceptions that lead to it inside a check."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

_NUMBERS = re.compile(r"0x[0-9a-f]+|[\d.\[\]()x, -]+")

Verdict = Literal["pass", "fail", "error", "timeout", "oom", "crashed", "missing", "manual", "fault"]


@dataclass(frozen=True)
class Finding:
    """The judge's verdict on one exercise, with a message for the student and the known mistake, if it is one.

    `clue` is the part of the message that says what an unknown mistake looks like, if anything does. `earned` are the
    points of those parts that are right, of an answer that is not, and `credit` is a sentence on them. A `fault` is the
    grader's own: the check raised what no answer is to blame for, and `traceback` is for its author. It is `borrowed`
    if the answer used what the course lent it in the place of others.
    """

    verdict: Verdict
    message: str = ""
    mistake: str | None = None
    clue: str = field(default="", compare=False)
    traceback: str = field(default="", compare=False)
    earned: float = 0.0
    credit: str = ""
    borrowed: bool = field(default=False, compare=False)

    @property
    def told(self) -> str:
        """All that the student reads: which parts earn something, and what is wrong."""
        return f"{self.credit} {self.message}".strip()


def followed_by(text: str, sentence: str) -> str:
    """`text`, which ends a sentence, and one more."""
    return f"{text} {sentence}" if text.endswith((".", "?", "!")) else f"{text}. {sentence}"


def is_out_of_memory(kind: str, text: str) -> bool:
    """Whether an exception, by its type's name and its text, says that memory was refused."""
    if kind in ("MemoryError", "_ArrayMemoryError", "OutOfMemoryError"):
        return True
    return kind in ("RuntimeError", "OSError") and ("allocate memory" in text or "bad_alloc" in text)


class ExpectationFailed(Exception):
    """The answer is not right. `mistake` names the known mistake where the expectation itself tells which; `got` and
    `wanted` are the numbers that were compared, if any were, for `autograder explain` alone."""

    def __init__(self, message: str, mistake: str | None = None) -> None:
        super().__init__(message)
        self.mistake = mistake
        self.got: Any = None
        self.wanted: Any = None


class WrongNumbers(ExpectationFailed):
    """Numbers of the right shape and dtype are wrong: a check could compute on with them."""


class AnswerRaised(Exception):
    """The student's own code raised an exception when it was called."""

    def __init__(self, kind: str, text: str, where: str) -> None:
        super().__init__(f"{kind}: {text}" + (f" ({where})" if where else ""))
        self.kind = kind
        # A mistake is known by what it raises, whatever the sizes and numbers in its text.
        self.likeness = f"{kind}: {_NUMBERS.sub('', text)}"[:200]
        self.is_out_of_memory = is_out_of_memory(kind, text)
        self.is_unfilled = kind == "NotImplementedError" and text.startswith("FIXME")
