"""Which answers give the same numbers, whatever their code is."""

import pytest
import torch

from autograder.judge import numbers as numbers_module
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise
from autograder.judge.expect import expect
from autograder.judge.numbers import numbers_of
from autograder.judge.student import in_this_process

SEED = seed_for(b"key", "the class", "toy.mean")


def check(student, draw):
    x = draw.normal(4, 300)
    expect(student(x)).shape(4).close(x.mean(dim=1))


EXERCISE = Exercise("toy.mean", check)


def numbers(answer):
    return numbers_of(EXERCISE, in_this_process(answer), SEED)


def raises(text):
    def answer(x):
        raise ValueError(text)

    return answer


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x: x.sum(dim=1), lambda x: sum(x[:, index] for index in range(300))),
        (lambda x: x.mean(dim=1) * 2, lambda x: (x.double().sum(dim=1) / 150).float()),
        (lambda x: None, lambda y: None),
        (lambda x: torch.full((4,), torch.nan), lambda x: x[:, 0] / 0 * 0),
        (raises("3 of 5"), raises("8 of 9")),
    ],
)
def test_the_same_numbers_by_another_way(one, other):
    assert numbers(one) == numbers(other)


def test_other_numbers_shapes_dtypes_and_errors_differ():
    answers = [
        lambda x: x.sum(dim=1),
        lambda x: x.sum(dim=1) * 1.02,
        lambda x: -x.sum(dim=1),
        lambda x: x.sum(dim=0),
        lambda x: x.sum(dim=1).double(),
        lambda x: x.sum(dim=1).tolist(),
        lambda x: {"sums": x.sum(dim=1)},
        lambda x: {"other": x.sum(dim=1)},
        lambda x: x.sum(dim=1) > 0,
        lambda x: x.sum(dim=1) < 0,
        lambda x: torch.full((4,), torch.nan),
        lambda x: None,
        raises("one thing"),
        raises("another"),
    ]
    assert len({numbers(answer) for answer in answers}) == len(answers)


def test_a_check_that_fails_and_inputs_of_another_seed():
    def broken(student, draw):
        raise ZeroDivisionError

    assert numbers_of(Exercise("toy.broken", broken), in_this_process(lambda x: x), SEED)
    other = numbers_of(EXERCISE, in_this_process(lambda x: x.sum(dim=1)), SEED[::-1])
    assert other != numbers(lambda x: x.sum(dim=1))


def test_large_replies_are_read_piece_by_piece(monkeypatch):
    """The text of all their numbers would be many times as large as they are."""
    texts, whole = [], numbers_module._text
    monkeypatch.setattr(numbers_module, "_text", lambda value: texts.append(whole(value)) or texts[-1])
    monkeypatch.setattr(numbers_module, "MOST_AT_ONCE", 1000)
    large = torch.linspace(-1, 1, 2001)
    changed = [large.index_fill(0, torch.tensor([place]), 0.5) for place in (0, 1000, 2000)]
    replies = [large, *changed, (1000 * large).long(), [large, [1.0] * 9], torch.ones(0)]
    found = [numbers(lambda x, reply=reply: reply) for reply in replies]
    assert len(set(found)) == len(found)
    assert max(map(len, texts)) < 1000
