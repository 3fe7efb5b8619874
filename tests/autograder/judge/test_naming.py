"""Which mistake an answer is called by, and what its numbers look like if it is none that is known."""

from dataclasses import replace

import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from autograder import cells
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.expect import expect
from autograder.judge.judging import judge
from autograder.judge.solution import solution_of
from autograder.judge.student import in_this_process
from autograder.judge.what_if import with_solution

SEED = seed_for(b"key", "digest", "toy.scaled")

CELL = """# exercise: scaled
def scaled(mu, sigma, k):
    ### BEGIN SOLUTION
    total = (mu - 2.0 * sigma**2).cumsum(dim=0)
    return 0.5 * total / (k - 1)
    ### END SOLUTION"""


def notebook():
    solution = new_code_cell(CELL, metadata={"nbgrader": {"grade_id": "scaled", "solution": True, "grade": False}})
    tests = new_code_cell(
        'check("toy.scaled", scaled)',
        metadata={"nbgrader": {"grade_id": "test_scaled", "solution": False, "grade": True, "points": 1}},
    )
    return new_notebook(cells=[new_code_cell("import torch"), solution, tests])


def right(mu, sigma, k):
    return 0.5 * (mu - 2 * sigma**2).cumsum(dim=0) / (k - 1)


def check(student, draw):
    for k, rows in ((3, 4), (5, 6), (2, 5)):
        mu, sigma = draw.normal(rows, 3), draw.positive(rows, 3)
        expect(student(mu, sigma, k)).close(right(mu, sigma, k))


def by_k_less_two(mu, sigma, k):  # of k = 3 nothing is left to divide by
    return right(mu, sigma, k) * (k - 1) / max(k - 2, 1)


MISTAKES = (
    Mistake("not_divided", "Divide.", lambda mu, sigma, k: right(mu, sigma, k) * (k - 1)),
    Mistake("negative", "The sign.", lambda mu, sigma, k: -right(mu, sigma, k)),
)
EXERCISE = Exercise("toy.scaled", check, MISTAKES)


def found(answer, exercise=EXERCISE):
    return judge(exercise, in_this_process(answer), SEED)


def test_a_mistake_that_fits_on_the_first_input_alone_is_not_named():
    assert found(MISTAKES[0].answer).mistake == "not_divided"
    finding = found(by_k_less_two)
    assert finding.verdict == "fail" and finding.mistake is None


def asked_twice(student, draw):
    for rows in (4, 6, 5):
        x = draw.normal(rows, 3)
        doubled, plain = student(x, True), student(x, False)
        expect(doubled).close(2 * x)
        expect(plain).close(x)


def test_an_answer_asked_twice_before_it_is_compared_is_named_by_both_replies():
    never = Mistake("never_doubled", "Double it.", lambda x, doubles: x)
    exercise = Exercise("toy.asked_twice", asked_twice, (never,))

    def once(x, doubles):
        return x + (len(x) != 4) if doubles else x

    assert found(never.answer, exercise).mistake == "never_doubled"
    assert found(once, exercise).mistake is None


def test_an_answer_with_a_slip_more_is_named_if_half_of_what_is_wrong_is_the_same():
    once = found(lambda mu, sigma, k: -right(mu, sigma, k) * (2 if k == 5 else 1))
    twice = found(lambda mu, sigma, k: -right(mu, sigma, k) * (1 if k == 3 else k + 1))
    assert once.mistake == "negative" and twice.mistake is None


def test_of_two_mistakes_that_fit_alike_none_is_named_and_of_two_that_do_not_the_better():
    same = Mistake("downwards", "It goes down.", lambda mu, sigma, k: -right(mu, sigma, k))
    assert found(same.answer, replace(EXERCISE, mistakes=(*MISTAKES, same))).mistake is None
    less = Mistake("less", "Less.", lambda mu, sigma, k: -right(mu, sigma, k) * (2 if k == 5 else 1))
    both = replace(EXERCISE, mistakes=(*MISTAKES, less))
    assert found(less.answer, both).mistake == "less" and found(MISTAKES[1].answer, both).mistake == "negative"


def test_a_check_goes_on_after_wrong_numbers_but_what_comes_later_is_no_part_of_the_finding():
    asked = []

    def breaks_later(mu, sigma, k):
        asked.append(k)
        if k == 5:
            raise ValueError("too many")
        return 3 * mu

    finding = found(breaks_later)
    assert asked == [3, 5]
    assert (finding.verdict, finding.message) == ("fail", "The result has the right shape, but its numbers are wrong.")


@pytest.fixture(scope="module")
def solved():
    source = notebook()
    assert cells.anchors(source.cells[1]) and solution_of(source, "scaled") is not None
    return with_solution(EXERCISE, source)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda mu, sigma, k: 2 * right(mu, sigma, k), "the result were doubled"),
        (lambda mu, sigma, k: 0.5 * (mu - 2 * sigma).cumsum(dim=0) / (k - 1), "sigma were not squared"),
        (lambda mu, sigma, k: 0.5 * (mu - sigma**2).cumsum(dim=0) / (k - 1), "a factor 2 were missing"),
        (lambda mu, sigma, k: (mu / 2 + sigma**2).cumsum(dim=0) / (k - 1), "a term with sigma had the other sign"),
        (lambda mu, sigma, k: -sigma.square().cumsum(dim=0) / (k - 1), "the term mu were missing"),
        (lambda mu, sigma, k: 0.5 * (mu - 2 * sigma**2) / (k - 1), "a running sum were missing"),
        (lambda mu, sigma, k: 0.5 * (mu - 2 * sigma**2).cumsum(dim=0) / k, "a constant term were missing"),
        (lambda mu, sigma, k: right(mu, sigma, k).flip(0), "the result stood in reverse order"),
    ],
)
def test_an_unknown_mistake_is_told_by_the_slip_that_gives_its_numbers(solved, answer, words):
    finding = found(answer, solved)
    assert (finding.verdict, finding.mistake) == ("fail", None)
    assert finding.message.endswith(f"numbers are wrong. The numbers come out as if {words}.")


def test_nothing_is_told_if_no_slip_fits_everywhere_and_a_known_mistake_goes_first(solved):
    assert found(lambda mu, sigma, k: (2 if k == 3 else 1) * right(mu, sigma, k), solved).clue == ""
    assert found(torch.add, solved).clue == ""
    assert found(MISTAKES[1].answer, solved).message == "The sign."


def test_where_it_is_wrong_is_told_if_that_is_the_same_on_all_inputs():
    def last_row(mu, sigma, k):
        return torch.cat([right(mu, sigma, k)[:-1], right(mu, sigma, k)[-1:] + mu[-1:] ** 2])

    assert found(last_row).clue == "Only the last row is wrong."
    some = found(lambda mu, sigma, k: right(mu, sigma, k) + (k == 3) * mu.clamp(min=0))
    assert some.clue == ""  # it is wrong for one input of three, which are all of one kind


def test_the_kind_of_input_that_is_wrong_is_told_if_all_else_is_right():
    def check_sizes(student, draw):
        for rows, dtype in ((3, torch.float32), (1, torch.float32), (4, torch.float64)):
            x = draw.normal(rows, 2, dtype=dtype)
            expect(student(x)).close(2 * x)

    exercise = Exercise("toy.twice", check_sizes, (Mistake("once", "Twice.", lambda x: x),))
    one_row = found(lambda x: 2 * x if len(x) > 1 else x**2, exercise)
    assert one_row.clue == "It is wrong only if argument 1 has one row; all else that was tried is right."
    double = found(lambda x: 2 * x if x.dtype == torch.float32 else x**2, exercise)
    assert double.clue == "It is wrong only in double precision; all else that was tried is right."
    assert found(lambda x: x**2, exercise).clue == ""


def test_a_class_is_called_by_a_mistake_whatever_its_own_name_is():
    class Model:
        def __init__(self, factor):
            self.factor = factor

        def twice(self, x):
            return self.factor * x

    class Thrice(Model):
        def twice(self, x):
            return 3 * self.factor * x

    class Mine(Model):
        def twice(self, x):
            return self.factor * (x + 2 * x)

    def check_model(student, draw):
        x = draw.normal(3)
        expect(student.kept(1.0).twice(x)).close(2 * x)

    exercise = Exercise("toy.model", check_model, (Mistake("Thrice", "It is tripled.", Thrice),))
    assert found(Mine, exercise).mistake == "Thrice" and found(Model, exercise).mistake is None
