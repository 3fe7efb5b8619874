"""What came of a submission that was graded again, as the database keeps it until somebody decides."""

import zlib
from typing import Any

from pydantic import BaseModel, TypeAdapter

from autograder.results.model import Judged, Record

LEVEL = 1  # of zlib: notebooks with pictures are hardly smaller at a higher one, which takes far longer
_JUDGED = TypeAdapter(dict[str, Judged])


class Outcome(BaseModel):
    """A grading that may take the place of another, but for the executed notebook: `answers` are digests of what was
    answered, by the exercise's id, and `at` is when."""

    record: Record
    answers: dict[str, str]
    at: float

    def packed(self) -> bytes:
        return zlib.compress(self.model_dump_json().encode(), LEVEL)

    @classmethod
    def unpacked(cls, data: bytes) -> "Outcome":
        return cls.model_validate_json(zlib.decompress(data))


def pack_judged(judged: dict[str, Judged]) -> bytes:
    """What verdicts rest on, by name of the exercise, compressed."""
    return zlib.compress(_JUDGED.dump_json(judged), LEVEL)


def unpack_judged(data: bytes | None) -> dict[str, Any]:
    return _JUDGED.validate_json(zlib.decompress(data)) if data else {}


def storable(text: str) -> str:
    """Text that every database can hold: neither NUL nor lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
