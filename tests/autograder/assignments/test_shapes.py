"""No check makes anything large of tensors of odd shapes: shapes are looked at before there is arithmetic."""

import math
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from autograder.assignments import exercises_of
from autograder.assignments.diffusion import reference, trials
from autograder.course import assignment_names
from autograder.judge.draw import Draw, seed_for
from autograder.judge.expect import expect
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process, student_of
from autograder.judge.verdict import ExpectationFailed
from fixmelab.judged import wire
from fixmelab.judged.probe import Probe

EXERCISES = [item for name in assignment_names() for item in exercises_of(name).values()]
MANY = 20_000
# As few numbers in all, whatever they meet: a column, a row, and a row in one dimension more.
SWELLINGS = [
    lambda dims: (MANY, *[1] * (max(dims, 2) - 1)),
    lambda dims: (*[1] * (max(dims, 2) - 1), MANY),
    lambda dims: (*[1] * dims, MANY),
]


class Largest(TorchDispatchMode):
    """The most bytes that any tensor takes that is made meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here: so there is nothing to skip, which takes long for each operation."""
        return False

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for item in (made,) if isinstance(made, torch.Tensor) else tree_leaves(made):
            if isinstance(item, torch.Tensor) and item.layout == torch.strided:
                self.count = max(self.count, item.untyped_storage().nbytes())
        return made


class Swelling(Probe):
    """Answers rightly, but for one reply, whose tensors have another shape, and all alike after it."""

    at, swell, asked = 0, SWELLINGS[0], 0

    def reply(self, body):
        frame = super().reply(body)
        self.asked += 1
        return frame if self.asked <= self.at else wire.encode(self._swollen(wire.decode(frame)))

    def _swollen(self, item):
        if isinstance(item, dict):
            return {key: self._swollen(value) for key, value in item.items()}
        if isinstance(item, list):
            return [self._swollen(value) for value in item]
        if isinstance(item, torch.Tensor):
            return torch.ones(type(self).swell(item.ndim), dtype=item.dtype)
        return item


def run(exercise, serve):
    """What a run takes at most, how many replies it has, and whether it passes."""
    probes, answer = [], exercise.equivalents[0].answer

    class Kept(serve):
        def __init__(self, *given):
            super().__init__(*given)
            self.count = 0
            probes.append(self)

        def reply(self, body):
            self.count += 1
            return super().reply(body)

    with Largest() as largest:
        found = judge(unnamed(exercise), in_this_process(answer, Kept), seed_for(b"s", "", exercise.id))
    return largest.count, probes[0].count, found.verdict


def unnamed(exercise):
    return replace(exercise, mistakes=(), equivalents=())


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda item: item.id)
def test_a_reply_of_an_odd_shape_is_refused_before_it_is_used(exercise, monkeypatch):
    most, replies, verdict = run(exercise, Probe)
    assert verdict == "pass"
    # All early replies, where checks differ, and some of the many alike that follow.
    places = sorted({*range(min(replies, 4)), math.floor(replies / 3), math.floor(2 * replies / 3), replies - 1})
    for number, at in enumerate(places):
        monkeypatch.setattr(Swelling, "swell", SWELLINGS[number % len(SWELLINGS)])
        monkeypatch.setattr(Swelling, "at", at)
        taken, _, _ = run(exercise, Swelling)
        assert taken <= max(most, 200 * MANY), f"after reply {at}"


@pytest.mark.parametrize(
    "x",
    [torch.zeros(2, 2, 1, 40_000), torch.zeros(3, 2, 4, 4), torch.zeros(2, 2, 40_000, 1), torch.zeros(1, 2, 4, 4)],
    ids=lambda x: str(tuple(x.shape)),
)
def test_what_a_toy_was_shown_is_looked_at_first(x):
    student, _ = student_of(in_this_process(reference.Diffusion), Draw(b"x" * 8))
    trial = trials.trial_on_toy(student, Draw(b"x" * 8), size=4, channels=2, steps=5)
    for k in reversed(range(5)):
        trial.toy(x, torch.full((len(x),), k))
    with Largest() as largest, pytest.raises(ExpectationFailed, match="shape"):
        trials.expect_chain(trial, (2, 2, 4, 4))
    assert largest.count <= 16 * x.numel()


def test_a_check_cannot_compute_with_a_tensor_of_unknown_shape():
    with pytest.raises(RuntimeError, match="before it has looked at its shape"):
        expect(torch.ones(3)).finite().value  # noqa: B018
    assert expect(torch.ones(3)).shape(3).value.sum() == 3
    assert expect(4.0).value == 4.0
