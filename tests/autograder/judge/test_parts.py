"""Parts of an exercise: what each is lost to, what it earns, and that nothing else earns anything."""

import pytest
import torch

from autograder.grading import here
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise, Mistake, exercise
from autograder.judge.expect import expect
from autograder.judge.judging import judge
from autograder.judge.parts import part
from autograder.judge.running import run
from autograder.judge.student import in_this_process
from fixmelab.judged.wire import WireError

SEED = seed_for(b"key", "digest", "toy.both")
WORTHS = {"the sum": 1, "the product": 0.5, "the power": 1.5}
WANTED = {"the sum": lambda x: x + x, "the product": lambda x: 3 * x, "the power": lambda x: x**2}


@exercise("toy.both", parts=WORTHS)
def check(student, draw):
    """An answer is called with the name of what is asked for."""
    for rows in (3, 4, 3, 2, 6, 5):
        x = draw.normal(rows, 2)
        expect(student("shape", x)).shape(rows, 2)  # what all parts need
        for name, wanted in WANTED.items():
            with part(name):
                expect(student(name, x), name).close(wanted(x))


def answer(**changed):
    """The right answer, but for the parts, or the shape, that are given: `the_sum=lambda x: …`."""
    others = {name.replace("_", " "): function for name, function in changed.items()}
    right = WANTED | {"shape": lambda x: x}
    return lambda name, x: (others.get(name) or right[name])(x)


def found(given, item=check):
    return judge(item, in_this_process(given), SEED)


def raises(x):
    raise ValueError("no such thing")


def unfilled(x):
    raise NotImplementedError("FIXME: both")


def twice(x):
    return 2 * WANTED["the power"](x)


class Dice:
    """Right on the first inputs alone, as if it knew them."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x**2 if self.calls == 1 else x


def test_a_right_answer_passes_and_needs_no_sentence_on_its_parts():
    finding = found(answer())
    assert (finding.verdict, finding.earned, finding.told) == ("pass", 0.0, "")


@pytest.mark.parametrize(
    ("the_power", "verdict", "said"),
    [
        (twice, "fail", "The power has the right shape, but its numbers are wrong."),
        (lambda x: x[:1] ** 2, "fail", "The power has shape (1, 2)"),
        (lambda x: "x", "fail", "The power is a str; return a torch tensor."),
        (raises, "error", "It raised ValueError: no such thing"),
        (Dice(), "fail", "The power has the right shape, but its numbers are wrong."),
        (lambda x: x.pow_(2), "fail", "It changes one of its arguments in place"),
    ],
    ids=["numbers", "shape", "kind", "raises", "right once", "in place"],
)
@pytest.mark.parametrize("mistakes", [(), (Mistake("cubes", "Not cubed.", answer(the_power=lambda x: x**3)),)])
def test_a_part_that_is_lost_costs_itself_alone(the_power, verdict, said, mistakes):
    """Without known mistakes the first wrong numbers end a part; with them, it goes on until there are several."""
    if isinstance(the_power, Dice):
        the_power = Dice()
    item = Exercise("toy.both", check.check, mistakes, parts=WORTHS)
    finding = found(answer(the_power=the_power), item)
    assert (finding.verdict, finding.earned, finding.mistake) == (verdict, 1.5, finding.mistake)
    assert finding.message.startswith(said)
    assert finding.told.startswith("1.5 of 3 points: for the sum and the product, but not for the power. " + said)


def test_many_wrong_numbers_in_one_part_hide_no_other():
    mistakes = (Mistake("cubes", "Not cubed.", answer(the_power=lambda x: x**3)),)
    item = Exercise("toy.both", check.check, mistakes, parts=WORTHS)
    finding = found(answer(the_sum=raises, the_product=torch.zeros_like), item)
    assert (finding.verdict, finding.earned) == ("error", 1.5)
    assert finding.credit == "1.5 of 3 points: for the power, but not for the sum or the product."
    nothing = found(answer(the_sum=torch.zeros_like, the_product=raises, the_power=twice), item)
    assert (nothing.verdict, nothing.earned, nothing.credit) == ("fail", 0.0, "")


def test_points_of_parts_add_up_as_people_add():
    item = Exercise("toy.both", check.check, parts={"the sum": 0.1, "the product": 0.2, "the power": 0.7})
    finding = found(answer(the_power=raises), item)
    assert (finding.earned, finding.credit.partition(":")[0]) == (0.3, "0.3 of 1 point")
    thirds = Exercise("toy.both", check.check, parts=dict.fromkeys(WORTHS, 1 / 3))
    assert found(answer(the_power=raises), thirds).credit.startswith("0.67 of 1 point: for")


@pytest.mark.parametrize("wrong", [raises, lambda x: x[:1]])
def test_what_fails_outside_of_all_parts_loses_them_all(wrong):
    calls = []

    def late(x):
        calls.append(x)
        return wrong(x) if len(calls) > 4 else x

    finding = found(answer(shape=late, the_sum=twice))
    assert (finding.verdict, finding.earned, finding.message) == (
        "fail",
        0.0,
        "The sum has the right shape, but its numbers are wrong.",
    )
    calls.clear()
    assert found(answer(shape=late)).earned == 0.0


def test_wrong_numbers_outside_of_all_parts_lose_them_all_though_the_check_goes_on():
    def shared(student, draw):
        x = draw.normal(3)
        expect(student("the product", x)).close(3 * x)
        with part("the sum"):
            expect(student("the sum", x)).close(x + x)

    item = Exercise("toy.both", shared, (Mistake("any", "Any.", answer(the_sum=raises)),), parts={"the sum": 3})
    finding = found(answer(the_product=twice), item)
    assert (finding.verdict, finding.earned) == ("fail", 0.0)


@pytest.mark.parametrize("at", [0, 1, 5, 23])
def test_a_session_that_breaks_off_earns_nothing_whatever_was_right_before(at):
    honest, asked = in_this_process(answer(the_sum=twice)), []

    def breaking(body, ask):
        asked.append(body)
        if len(asked) > at:
            raise WireError("the connection closed before the check was complete")
        return honest(body, ask)

    finding = judge(check, breaking, SEED)
    assert (finding.verdict, finding.earned) == ("error" if at < 2 else "fail", 0.0)


def test_an_answer_that_is_not_filled_in_has_no_parts():
    finding = found(answer(the_power=unfilled))
    assert (finding.verdict, finding.earned) == ("missing", 0.0)


def test_a_mistake_keeps_its_name_and_what_it_earns_beside_it():
    mistakes = (
        Mistake("cubes", "Squares, not cubes.", answer(the_power=lambda x: x**3), earns=1.5),
        Mistake("flat", "All rows.", answer(the_product=lambda x: x[:1]), earns=2.5),
        Mistake("breaks", "It is a sum.", answer(the_sum=raises), earns=2),
    )
    item = Exercise("toy.both", check.check, mistakes, parts=WORTHS)
    for mistake in mistakes:
        finding = found(mistake.answer, item)
        assert (finding.mistake, finding.message, finding.earned) == (mistake.name, mistake.sentence, mistake.earns)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (lambda: part("the end"), "declares no part 'the end'"),
        (lambda: part("the sum"), "stands inside of 'the product'"),
    ],
)
def test_a_part_that_is_not_declared_or_stands_in_another_is_the_checks_fault(body, said):
    def wrong(student, draw):
        with part("the product"), body():
            expect(student("the sum", draw.normal(2)))

    finding = run(Exercise("toy.both", wrong, parts=WORTHS), in_this_process(answer()), SEED).finding
    assert finding.verdict == "fault" and said in finding.traceback


def test_a_check_that_stumbles_over_wrong_numbers_of_a_part_goes_on_with_the_next():
    def stumbling(student, draw):
        x = draw.positive(3)
        for name, wanted in WANTED.items():
            with part(name):
                got = student(name, x)
                expect(got, name).close(wanted(x))
                assert torch.equal(got, wanted(x)), "no check may say this of an answer"

    mistakes = (Mistake("cubes", "Not cubed.", answer(the_power=lambda x: x**3)),)
    item = Exercise("toy.both", stumbling, mistakes, parts=WORTHS)
    finding = found(answer(the_sum=twice), item)
    assert (finding.verdict, finding.earned) == ("fail", 2.0)
    close = run(item, in_this_process(answer(the_sum=lambda x: 2 * x * (1 + 1e-6))), SEED).finding
    assert (close.verdict, close.earned) == ("fault", 0.0)  # nothing is wrong with these numbers


def test_no_part_is_right_without_a_comparison():
    def careless(student, draw):
        for name in WORTHS:
            with part(name):
                got = student(name, draw.normal(2))
                if name != "the product":
                    expect(got).shape(2)

    item = Exercise("toy.both", careless, parts=WORTHS)
    finding = run(item, in_this_process(answer()), SEED).finding
    assert finding.verdict == "fault" and "compares nothing in its part 'the product'" in finding.traceback
    assert run(item, in_this_process(answer(the_sum=raises)), SEED).finding.earned == 1.5


@pytest.mark.parametrize("parts", [{"all": 3}, {"one": 3, "nothing": 0}, {"one": 4, "less": -1}])
def test_an_exercise_with_one_part_or_a_worthless_one_cannot_be_declared(parts):
    with pytest.raises(ValueError, match="toy.x: give at least two parts, each with its points, or none"):
        exercise("toy.x", parts=parts)


def test_a_notebook_that_judges_itself_shows_the_points_before_it_fails(monkeypatch):
    shown = []
    shell = type("Shell", (), {"displayhook": staticmethod(shown.append)})()
    monkeypatch.setattr(here, "get_ipython", lambda: shell)
    monkeypatch.setattr(here, "exercises_of", lambda name: {"toy.both": check})
    with pytest.raises(AssertionError, match="both: 1.5 of 3 points: for the sum and the product, but not for the pow"):
        here.check_here("toy.both", answer(the_power=twice))
    with pytest.raises(AssertionError, match="both: It raised"):
        here.check_here("toy.both", raises)
    here.check_here("toy.both", answer())
    assert shown == [1.5]
