"""What a worker makes of a submission that was claimed: all that takes long is done there, and not in the process that
students talk to."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from autograder.errors import InputError, SandboxError
from autograder.grading.grading import Grading
from autograder.grading.regrade import Regrading, record_of, with_outputs
from autograder.reports.answers import added_code, answers_in
from autograder.reports.work import outline
from autograder.results.model import Record
from autograder.sandbox.zygote import Address
from autograder.serve.claimed import Claimed
from autograder.serve.outcome import LEVEL, pack_judged, storable


@dataclass(frozen=True)
class Refused:
    """A submission that is no notebook of its assignment: `line` says why, for its student."""

    line: str


@dataclass(frozen=True)
class Graded:
    """A submission's record without the executed notebook, and what is kept beside it, compressed: the notebook as it
    was `sent`, None if that is compressed already, and as it was `executed`, and on what its verdicts rest. `answers`
    are digests of what was answered, by the exercise's id."""

    record: Record
    sent: bytes | None
    executed: bytes
    judged: bytes
    answers: dict[str, str]

    @classmethod
    def of(cls, claimed: Claimed, record: Record, answers: Mapping[str, str]) -> "Graded":
        """What is kept of a submission of which the grading came to this record."""
        executed = record.executed
        if record.is_known and claimed.executed:  # no cell was run
            executed = with_outputs(executed, zlib.decompress(claimed.executed).decode())
        return cls(
            record.model_copy(update={"executed": ""}),
            None if claimed.is_again else zlib.compress(claimed.data, LEVEL),
            zlib.compress(storable(executed).encode(), LEVEL),
            pack_judged(record.judged),
            dict(answers),
        )


Made: TypeAlias = "Graded | Refused | InputError | SandboxError"


def grade_claimed(
    gradings: Mapping[str, tuple[Grading, Regrading]], claimed: Claimed, zygote: Address
) -> "Graded | Refused":
    """Grade a submission of whichever assignment. Raises SandboxError if no kernel starts."""
    grading, regrading = gradings[claimed.assignment]
    try:
        record = record_of(grading, regrading, claimed, zygote)
    except InputError as error:
        return Refused(str(error).removeprefix(f"{claimed.path}: "))
    return Graded.of(claimed, record, digests_of(grading, json.loads(record.executed)))


def digests_of(grading: Grading, executed: Mapping[str, Any]) -> dict[str, str]:
    """A digest of what was answered, by the exercise's id, of an executed notebook: comments and white space do not
    count, but code that the student has added anywhere does, since an answer may use it."""
    found, added = answers_in(executed, outline(grading.source)), added_code(executed, grading.source)
    texts = {f"{grading.assignment}.{name}": f"{found.leaning(name)}\n{added}" for name in found.cells}
    return {id: hashlib.sha256(text.encode()).hexdigest() for id, text in texts.items()}
