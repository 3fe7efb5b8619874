"""What numbers an answer gives, as a text that is the same for answers which give the same ones for the same inputs."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy
import torch

from autograder.judge.exercise import Exercise
from autograder.judge.forms import form
from autograder.judge.running import run
from autograder.judge.student import Channel

STEPS = 500  # a tensor's numbers are told apart in as many steps of its largest: far coarser than rounding
MOST_AT_ONCE = 2**20  # numbers of a tensor, so that a large one takes little memory


def numbers_of(exercise: Exercise, channel: Channel, seed: bytes) -> str:
    """A digest of all that an answer replies to its check, with inputs drawn from `seed`; of what it raises, the kind.

    Two answers that differ in the order of operations alone have the same one, unless a number lies just between two
    steps.
    """
    digest = hashlib.sha256()
    for asked, reply in run(exercise, channel, seed).transcript:
        digest.update(_text((asked, form(reply))))
        for piece in _coarse(reply):
            digest.update(piece)
    return digest.hexdigest()


def _coarse(value: Any) -> Iterator[bytes]:
    """The numbers in a reply, piece by piece, coarse enough that rounding does not show; its form says how many."""
    match value:
        case numpy.ndarray() if value.dtype.kind in "fiub":
            yield from _coarse(torch.as_tensor(value))
        case torch.Tensor():
            yield from _of_tensor(value.detach().flatten())
        case float():
            yield _text(f"{value:.2e}")
        case list() | tuple():
            for item in value:
                yield from _coarse(item)
        case dict():
            yield from _coarse(list(value.values()))
        case None | bool() | int() | str() | bytes():
            yield _text(value)


def _of_tensor(numbers: torch.Tensor) -> Iterator[bytes]:
    parts = [numbers[start : start + MOST_AT_ONCE] for start in range(0, len(numbers), MOST_AT_ONCE)]
    if not numbers.is_floating_point():
        yield from (part.numpy().tobytes() for part in parts)
        return
    scale = max((float(_finite(part).abs().max()) for part in parts), default=0.0)
    yield _text(f"{scale:.2e}")
    if scale:
        yield from (torch.round(_finite(part) / scale * STEPS).short().numpy().tobytes() for part in parts)


def _finite(part: torch.Tensor) -> torch.Tensor:
    return part.double().nan_to_num(0.0, 0.0, 0.0)


def _text(value: Any) -> bytes:
    return repr(value).encode("utf-8", "replace")
