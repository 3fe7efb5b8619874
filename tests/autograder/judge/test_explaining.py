"""How a verdict comes about, told to an instructor."""

import pytest
import torch

from autograder.judge.draw import seed_for
from autograder.judge.exercise import Equivalent, Exercise, Mistake
from autograder.judge.expect import expect
from autograder.judge.explaining import difference, explain
from autograder.judge.judging import judge
from autograder.judge.parts import part
from autograder.judge.student import in_this_process

SEED = seed_for(b"key", "digest", "toy.double")


def check(student, draw):
    expect(student(draw.normal(3), scale=1.0)).shape(3)
    x = draw.normal(2, 40, dtype=torch.float64)
    expect(student(x, scale=2.0)).close(2 * x)


def plus_two(x, scale):
    return x + 2 if scale == 2.0 else x


def of_another_shape(x, scale):
    return x[:1]


EXERCISE = Exercise(
    "toy.double",
    check,
    (Mistake("plus_two", "Times, not plus.", plus_two), Mistake("of_another_shape", "All rows.", of_another_shape)),
    (Equivalent("times", lambda x, scale: x * scale),),
)


def test_all_that_leads_to_a_failure_is_told():
    finding, text = explain(EXERCISE, in_this_process(lambda x, scale: x * scale + 0.5 * (scale == 2.0)), SEED)
    assert finding == judge(EXERCISE, in_this_process(lambda x, scale: x * scale + 0.5 * (scale == 2.0)), SEED)
    for said in (
        "verdict: fail\nThe result has the right shape, but its numbers are wrong.",
        "1. call (args=[Tensor (3,) torch.float32 [",
        "2. call (args=[Tensor (2, 40) torch.float64 [",
        "kwargs={scale: 2.0}",
        "   → Tensor (2, 40) torch.float64 [",
        "wanted: Tensor (2, 40)",
        "they differ first at [0, 0]: ",
        "in 80 of 80 numbers, by at most 0.5",
        "- plus_two: agrees in 1 of 2 replies; they differ first at [0, 0]: ",
        "- of_another_shape: agrees in 0 of 2 replies",
    ):
        assert said in text
    assert text.count("call (") == 2


def test_a_known_mistake_agrees_in_all_and_a_right_answer_has_nothing_to_compare():
    finding, text = explain(EXERCISE, in_this_process(plus_two), SEED)
    assert finding.mistake == "plus_two" and "- plus_two: agrees in 2 of 2 replies" in text
    finding, text = explain(EXERCISE, in_this_process(lambda x, scale: scale * x), SEED)
    assert finding.verdict == "pass" and "mistakes" not in text and text.count("→ Tensor") == 2


@pytest.mark.parametrize("answer", [lambda x, scale: 1 / 0, lambda x, scale: None, lambda x, scale: object()])
def test_whatever_an_answer_does_is_told(answer):
    finding, text = explain(EXERCISE, in_this_process(answer), SEED)
    assert finding.verdict in ("fail", "error") and "1. call (" in text and "2. call" not in text


def test_a_check_that_raises_is_told_with_its_traceback():
    def broken(student, draw):
        raise KeyError("in the check")

    finding, text = explain(Exercise("toy.x", broken, EXERCISE.mistakes), in_this_process(plus_two), SEED)
    assert finding.verdict == "fault" and "in broken\n" in text and "call (" not in text


def test_where_tensors_differ():
    wanted = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    got = torch.tensor([[1.0, 2.0], [3.5, torch.nan]])
    assert difference(got, wanted) == ("they differ first at [1, 0]: 3.5 and not 3; in 2 of 4 numbers, by at most inf")
    assert difference(wanted + 1e-6, wanted) == "they differ in rounding alone"
    assert difference(wanted[0], wanted) == difference(None, wanted) == ""


def test_what_comes_after_a_part_that_raised_stands_beside_its_own_reply():
    def in_parts(student, draw):
        for name, size in (("small", 2), ("large", 30)):
            with part(name):
                x = draw.normal(size)
                expect(student(x, scale=2.0)).close(2 * x)

    def small_is_too_few(x, scale):
        return x[5] + plus_two(x, scale)

    item = Exercise("toy.double", in_parts, EXERCISE.mistakes, parts={"small": 1, "large": 2})
    finding, text = explain(item, in_this_process(small_is_too_few), SEED)
    assert (finding.verdict, finding.earned) == ("error", 0.0)
    assert "   → 'IndexError'\n2. call (args=[Tensor (30,)" in text and "   → Tensor (30,)" in text

    finding, text = explain(item, in_this_process(lambda x, scale: x[5] * 0 + scale * x), SEED)
    assert text.startswith("verdict: error\n2 of 3 points: for large, but not for small. It raised IndexError: ")
