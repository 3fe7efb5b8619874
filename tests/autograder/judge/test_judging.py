"""Judging an answer: verdicts, messages, and the naming of mistakes."""

import math
from dataclasses import replace
from types import ModuleType

import numpy
import pytest
import torch

from autograder.judge.draw import Draw, seed_for
from autograder.judge.exercise import Exercise, Mistake, equivalent, exercise, exercise_of, mistake
from autograder.judge.expect import expect
from autograder.judge.judging import judge
from autograder.judge.running import FAULT
from autograder.judge.student import in_this_process
from autograder.judge.verdict import ExpectationFailed

SEED = seed_for(b"key", "digest", "toy.double")


@mistake("It is squared, not doubled.")
def squares(x):
    return x**2


@mistake("It breaks for a batch of one.")
def one_is_too_few(x):
    if len(x) == 1:
        raise IndexError("no second row")
    return 2 * x


@mistake("It adds noise.")
def adds_noise(x):
    return 2 * x + torch.randn_like(x)


@mistake("It works in place.")
def changes_its_argument(x):
    return x.mul_(2)


@mistake("It is negative.")
def negative(x):
    return -2 * x.abs() - 1


@equivalent
def adds(x):
    return x + x


@exercise("toy.double")
def check_double(student, draw):
    x = draw.normal(3, 2)
    got = student(x)
    expect(got).shape(3, 2).holds(bool((got > -1).any()), "It is never positive.", "negative")
    expect(got).close(2 * x)
    x = draw.normal(1, 2, dtype=torch.float64)
    expect(student(x)).close(2 * x).dtype(torch.float64)
    weight = draw.normal(4, 2)
    (gradient,) = student.gradient(draw.normal(4, 2), wrt=[0], weights=[weight])
    expect(gradient).holds(gradient is not None, "No gradient.").close(2 * weight)


def module(name, *items):
    made = ModuleType(name)
    vars(made).update({f"item_{number}": item for number, item in enumerate(items)})
    return made


ANSWERS = squares, one_is_too_few, adds_noise, changes_its_argument, negative, adds
DOUBLE = exercise_of(module("double", check_double, *ANSWERS))


def finding(answer):
    return judge(DOUBLE, in_this_process(answer), SEED)


def test_right_answers_pass():
    assert finding(lambda x: 2 * x).verdict == "pass"
    assert finding(adds.answer).verdict == "pass"


@pytest.mark.parametrize("known", DOUBLE.mistakes, ids=lambda item: item.name)
def test_known_mistakes_lose_and_are_named(known):
    found = finding(known.answer)
    assert found.verdict in ("fail", "error")
    assert (found.mistake, found.message) == (known.name, known.sentence)


def test_an_unknown_mistake_has_the_message_of_the_expectation():
    found = finding(lambda x: 3 * x)
    assert found.verdict == "fail" and found.mistake is None
    assert "numbers are wrong" in found.message


class AlwaysEqual:
    def __eq__(self, other):
        return True

    def __bool__(self):
        return True


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


class EqualNumber(float):
    def __eq__(self, other):
        return True

    def __float__(self):
        return 0.0


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: AlwaysEqual(),
        lambda x: x.as_subclass(LyingTensor),
        lambda x: EqualNumber(1.0),
        lambda x: None,
        lambda x: "pass",
        lambda x: {"verdict": "pass"},
        lambda x: [x, x],
        lambda x: x.numpy() * 2,
        lambda x: numpy.array([object()]),
        lambda x: x * math.nan,
        lambda x: (2 * x).detach(),
        lambda x: (2 * x).half(),
        lambda x: (2 * x).float(),
        lambda x: (2 * x).to_sparse(),
        lambda x: (2 * x).to(torch.complex64),
        lambda x: torch.zeros(2**26),
        lambda x: 1 / 0,
        lambda x: exit(0),
        lambda: None,
        42,
        None,
    ],
)
def test_nothing_but_the_right_numbers_passes(answer):
    assert finding(answer).verdict in ("fail", "error")


def test_an_unfilled_stub_is_missing():
    def stub(x):
        raise NotImplementedError("FIXME: double")

    assert finding(stub).verdict == "missing"


def test_an_exception_is_shown_with_its_type_and_text():
    def raises(x):
        raise KeyError("sigma")

    found = finding(raises)
    assert found.verdict == "error" and "KeyError: 'sigma'" in found.message


def test_a_check_that_raises_before_it_asks_is_at_fault_and_names_no_mistake():
    def stumbles(student, draw):
        raise ZeroDivisionError("in the check")

    broken = Exercise("toy.double", stumbles, DOUBLE.mistakes, DOUBLE.equivalents)
    for answer in (adds.answer, squares.answer, lambda x: None):
        found = judge(broken, in_this_process(answer), SEED)
        assert (found.verdict, found.message, found.mistake) == ("fault", FAULT, None)
        assert "stumbles" in found.traceback and found.traceback.endswith("ZeroDivisionError: in the check\n")


@pytest.mark.parametrize("known", [(), (squares, adds)], ids=["nothing known", "a mistake and an equivalent"])
def test_a_check_that_raises_at_an_ordinary_answer_is_at_fault(known):
    def stumbles(student, draw):
        got = student(draw.normal(2))
        expect(got).shape(2).close(f"{got:.2f}")

    broken = exercise_of(module("double", Exercise("toy.double", stumbles), *known))
    assert judge(broken, in_this_process(lambda x: 3 * x), SEED).verdict == "fault"
    exits = Exercise("toy.double", lambda student, draw: exit(student(torch.ones(2))))
    assert judge(exits, in_this_process(lambda x: x), SEED).verdict == "fault"


@pytest.mark.parametrize("odd", [None, "two", [], {"x": 1}, math.nan, 7, torch.ones(3), numpy.ones(2)])
def test_an_answer_of_a_form_that_nobody_foresees_is_the_students(odd):
    def trusting(student, draw):
        x = draw.normal(2)
        got = student(x)
        expect(round(float(got.float()[0])) ** 2).holds(True, "")
        expect(torch.stack([got, x])).shape(2, 2)

    double = exercise_of(module("double", Exercise("toy.double", trusting), squares, adds))
    assert judge(double, in_this_process(adds.answer), SEED).verdict == "pass"
    found = judge(double, in_this_process(lambda x: odd), SEED)
    assert found.verdict == "error" and found.message.startswith("Its answer is of a kind that cannot be judged (")


def test_a_mistake_that_ended_earlier_says_nothing_of_a_later_odd_answer():
    """Its replies are those of the odd answer, but for the one at which the check stumbles."""

    def trusting(student, draw):
        for x in draw.normal(3), draw.normal(3):
            got = student(x)
            expect(torch.stack([got, 2 * x])[0]).close(2 * x)

    said = iter((lambda x: 2 * x, lambda x: None))
    double = exercise_of(module("double", Exercise("toy.double", trusting), squares, adds))
    assert judge(double, in_this_process(lambda x: next(said)(x)), SEED).verdict == "error"


def test_an_answer_that_has_the_judge_fill_its_memory_is_to_blame_for_it():
    """What it says looks like any answer; what it has toys keep, or lent functions make, does not show in it."""

    def keeping(student, draw):
        asked = student(torch.ones(3))
        torch.empty(2**60 if asked[0] > 2 else 1)  # what it was asked, say
        expect(asked).close(2 * torch.ones(3))

    double = exercise_of(module("double", Exercise("toy.double", keeping, (), DOUBLE.equivalents), adds))
    assert judge(double, in_this_process(lambda x: 3 * x), SEED).verdict == "error"
    always = replace(double, check=lambda student, draw: torch.empty(2**60))
    assert judge(always, in_this_process(lambda x: 2 * x), SEED).verdict == "fault"


def test_if_a_right_answer_makes_a_check_raise_an_odd_one_is_not_to_blame():
    def stumbles(student, draw):
        student(draw.normal(2)).no_such_thing()

    broken = Exercise("toy.double", stumbles, (), DOUBLE.equivalents)
    assert judge(broken, in_this_process(lambda x: None), SEED).verdict == "fault"


def test_messages_hold_no_expected_numbers():
    secret = 0.123456789

    def check(student, draw):
        expect(student(torch.ones(2))).close(torch.full((2,), secret))

    for answer in (lambda x: x, lambda x: 1.0, lambda x: x[0], lambda x: x * math.nan):
        assert "0.1234" not in judge(Exercise("toy.x", check), in_this_process(answer), SEED).message


@pytest.mark.parametrize("checks", [(), (check_double, check_double)], ids=["none", "two"])
def test_a_module_holds_one_exercise(checks):
    with pytest.raises(ValueError, match=f"module_of_{len(checks)} declares {len(checks)} exercises"):
        exercise_of(module(f"module_of_{len(checks)}", *checks, squares))


def test_another_form_of_a_mistake_has_its_name_and_sentence():
    other = squares.also(lambda x: x**2 + 0)
    assert (other.name, other.sentence) == (squares.name, squares.sentence)


def test_the_very_numbers_go_before_a_broad_mistake():
    @exercise("toy.third")
    def check(student, draw):
        x = draw.normal(3)
        got = student(x)
        expect(got).shape(3).holds(bool((got < 0).any()), "It is wrong.", "never_negative")
        expect(got).close(x / 3)

    never_negative = mistake("It is never negative.", broad=True)(lambda x: x.abs() + 1)
    never_negative = never_negative.also(never_negative.answer)
    known = Exercise("toy.third", check.check, (replace(never_negative, name="never_negative"), squares))
    for answer, name in ((lambda x: x**2, "squares"), (lambda x: x**2 + 1, "never_negative"), (lambda x: x, None)):
        assert judge(known, in_this_process(answer), SEED).mistake == name


def test_draws_depend_on_key_submission_and_exercise_alone():
    def first(*arguments):
        return Draw(seed_for(*arguments)).normal(3)

    base = first(b"key", "digest", "toy.double")
    assert torch.equal(base, first(b"key", "digest", "toy.double"))
    for other in ((b"other", "digest", "toy.double"), (b"key", "d", "toy.double"), (b"key", "digest", "toy.half")):
        assert not torch.equal(base, first(*other))


def test_the_first_case_comes_again_at_the_end():
    assert Draw(SEED).again((3, 2), (4, 1)) == ((3, 2), (4, 1), (3, 2))


def test_positive_numbers_stay_away_from_zero_and_one():
    drawn = Draw(SEED).positive(1000)
    assert float(drawn.min()) >= 0.2 and float(drawn.max()) <= 3.01
    assert not ((drawn > 0.81) & (drawn < 1.24)).any()
    assert (drawn < 1).sum() == 500


def test_numbers_near_zero_are_held_to_the_scale_of_the_whole():
    wanted = torch.tensor([1000.0, 0.0])
    expect(torch.tensor([1000.0, 0.01])).close(wanted)
    with pytest.raises(ExpectationFailed):
        expect(torch.tensor([1000.0, 1.0])).close(wanted)


def test_a_pair_that_is_kept_tells_of_both():
    def check(student, draw):
        assert student.kept().attribute("requires_grad") == [False, True]

    pair = torch.ones(2), torch.ones(2, requires_grad=True)
    assert judge(Exercise("toy.x", check), in_this_process(lambda: pair), SEED).verdict == "pass"


def test_a_dropped_object_is_gone():
    def check(student, draw):
        kept = student.kept()
        expect(kept.attribute("real")).holds(kept.attribute("real") == 1.0, "It is there at first.")
        kept.drop()
        kept.attribute("real")

    found = judge(Exercise("toy.x", check), in_this_process(lambda: 1 + 2j), SEED)
    assert found.verdict == "error" and "KeyError" in found.message


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.mul_(2),
        lambda x: x.data.mul_(2),
        lambda x: x.numpy().__imul__(2),
        lambda x: x.detach().fill_(math.nan),
        lambda x: x.resize_(2),
        lambda x: x.requires_grad_(),
    ],
)
def test_an_argument_that_was_changed_is_found_however_it_was_done(change):
    def check(student, draw):
        student(draw.normal(3, 2), torch.tensor([True]), torch.tensor([3]), torch.tensor([math.nan]))

    def answer(x, *others):
        change(x)
        return torch.ones(())

    finding = judge(Exercise("toy.x", check), in_this_process(answer), SEED)
    assert finding.verdict == "fail" and "in place" in finding.message
    assert judge(Exercise("toy.x", check), in_this_process(lambda x, *others: x.sum()), SEED).verdict == "pass"


def test_all_that_an_answer_says_is_bounded_together(monkeypatch):
    monkeypatch.setattr("autograder.judge.student.MOST_BYTES", 5000)

    def check(student, draw):
        for _ in range(8):
            expect(student(torch.ones(()))).shape(200)

    finding = judge(Exercise("toy.x", check), in_this_process(lambda x: x.expand(200)), SEED)
    assert finding.verdict == "error" and "MB in all" in finding.message
    monkeypatch.undo()
    assert judge(Exercise("toy.x", check), in_this_process(lambda x: x.expand(200)), SEED).verdict == "pass"


def test_an_answer_like_no_other_is_asked_more_and_its_wrong_part_named():
    def check(student, draw):
        x = draw.normal(3)
        expect(student(x)).close(2 * x, otherwise=lambda: "odd" if student(-x)[0] != -student(x)[0] else None)

    def mistakes(*answers):
        return tuple(
            Mistake(answer.__name__, f"It is {answer.__name__}.", answer, answer.__name__ == "odd")
            for answer in answers
        )

    def odd(x):
        return 2 * x + 1

    def half(x):
        return x

    item = Exercise("toy.x", check, mistakes(odd, half))
    found = [judge(item, in_this_process(lambda x, k=k: 2 * x + k), SEED) for k in (1, 7)]
    assert {(finding.verdict, finding.mistake) for finding in found} == {("fail", "odd")}
    assert judge(item, in_this_process(lambda x: x), SEED).mistake == "half"
    assert judge(item, in_this_process(lambda x: 3 * x), SEED).mistake is None

    def raises_then(x, calls=[]):  # noqa: B006
        calls.append(x)
        return 3 * x if len(calls) == 1 else 1 / 0

    finding = judge(item, in_this_process(raises_then), SEED)
    assert finding.verdict == "fail" and "numbers are wrong" in finding.message


def test_a_mistake_that_raises_is_known_by_the_same_exception_alone():
    def raising(error):
        def answer(x):
            if len(x) == 1:
                raise error
            return 2 * x

        return answer

    def named(error):
        return judge(DOUBLE, in_this_process(raising(error)), SEED).mistake

    assert named(IndexError("no second row")) == "one_is_too_few"
    assert named(IndexError("index 3 is out of bounds")) is None
    assert named(RuntimeError("expected m1 and m2 to have the same dtype")) is None


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("the draws", "The draws have the right shape, but their numbers"),
        ("with both, the norms at the first time", "With both, the norms at the first time have"),
        ("betas", "Betas have"),
        ("the loss", "The loss has the right shape, but its numbers"),
        ("the canvas", "The canvas has"),
        ("what losses returns", "What losses returns has"),
        ("the sum of the eigenvalues, which is ‖W‖²,", "The sum of the eigenvalues, which is ‖W‖², has"),
        ("the gradient of weights", "The gradient of weights has"),
    ],
)
def test_a_sentence_has_the_verb_of_its_subject(label, said):
    with pytest.raises(ExpectationFailed) as raised:
        expect(torch.zeros(2), label).close(torch.ones(2))
    assert str(raised.value).startswith(said)
