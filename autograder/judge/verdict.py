"""What a judge finds, and the exceptions that lead to it inside a check."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "error", "timeout", "oom", "crashed", "missing", "manual"]


@dataclass(frozen=True)
class Finding:
    """The judge's verdict on one exercise, with a message for the student and the known mistake, if it is one."""

    verdict: Verdict
    message: str = ""
    mistake: str | None = None


class ExpectationFailed(Exception):
    """The answer is not right. `mistake` names the known mistake where the expectation itself tells which."""

    def __init__(self, message: str, mistake: str | None = None) -> None:
        super().__init__(message)
        self.mistake = mistake


class AnswerRaised(Exception):
    """The student's own code raised an exception when it was called."""

    def __init__(self, kind: str, text: str, where: str) -> None:
        super().__init__(f"{kind}: {text}" + (f" ({where})" if where else ""))
        self.kind = kind
        self.is_unfilled = kind == "NotImplementedError" and text.startswith("FIXME")
