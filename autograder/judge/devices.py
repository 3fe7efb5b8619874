"""Whether an answer would work where its arguments lie on a GPU: judged on any machine."""

from typing import Any

from autograder.judge.student import Target
from autograder.judge.verdict import AnswerRaised, ExpectationFailed

SENTENCE = "A new tensor lies on the CPU, so the answer would stop on a GPU: make it on its arguments' device."


def expect_any_device(answer: Target, *args: Any, mistake: str | None = None, **kwargs: Any) -> None:
    """Raise ExpectationFailed if a call of the answer makes a tensor on the CPU that would have to lie elsewhere.

    `mistake` names the known mistake. Whatever else the call raises is no fault of the answer's: it has been judged
    without this.
    """
    try:
        answer.elsewhere(*args, **kwargs)
    except AnswerRaised as raised:
        if raised.kind == "OtherDevice":
            raise ExpectationFailed(SENTENCE, mistake) from None
