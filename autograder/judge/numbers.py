"""What numbers an answer gives, as a text that is the same for answers which give the same ones for the same inputs."""

import hashlib
from typing import Any

import numpy
import torch

from autograder.judge.exercise import Exercise
from autograder.judge.forms import form
from autograder.judge.running import run
from autograder.judge.student import Channel

STEPS = 500  # a tensor's numbers are told apart in as many steps of its largest: far coarser than rounding


def numbers_of(exercise: Exercise, channel: Channel, seed: bytes) -> str:
    """A digest of all that an answer replies to its check, with inputs drawn from `seed`; of what it raises, the kind.

    Two answers that differ in the order of operations alone have the same one, unless a number lies just between two
    steps.
    """
    transcript = run(exercise, channel, seed).transcript
    said = [(asked, form(reply), _coarse(reply)) for asked, reply in transcript]
    return hashlib.sha256(repr(said).encode("utf-8", "replace")).hexdigest()


def _coarse(value: Any) -> Any:
    """The numbers in a reply, coarse enough that rounding does not show."""
    match value:
        case numpy.ndarray() if value.dtype.kind in "fiub":
            return _coarse(torch.as_tensor(value))
        case torch.Tensor() if value.is_floating_point():
            finite = value.detach().double().nan_to_num(0.0, 0.0, 0.0)
            scale = float(finite.abs().max()) if finite.numel() else 0.0
            steps = torch.round(finite * (STEPS / scale)).long().flatten().tolist() if scale else []
            return f"{scale:.2e}", steps
        case torch.Tensor():
            return value.flatten().tolist()
        case float():
            return f"{value:.2e}"
        case list() | tuple():
            return [_coarse(item) for item in value]
        case dict():
            return [(repr(key), _coarse(item)) for key, item in value.items()]
        case None | bool() | int() | str() | bytes():
            return value
    return None
