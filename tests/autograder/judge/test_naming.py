"""Which mistake an answer is called by, and what its numbers look like if it is none that is known."""

import ast
from dataclasses import replace

import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from autograder import cells
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.expect import expect
from autograder.judge.judging import judge
from autograder.judge.slipped import slips_of
from autograder.judge.solution import Solution, solution_of
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


SOLUTION = Solution("def twice(values):\n    return values + values", "twice", ("import torch",))
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
        (lambda mu, sigma, k: 0.5 * (mu - 4 * sigma).cumsum(dim=0) / (k - 1), "sigma were doubled and not squared"),
        (lambda mu, sigma, k: (k - 1) / (0.5 * (mu - 2 * sigma**2).cumsum(dim=0)), "a fraction stood upside down"),
        (
            lambda mu, sigma, k: 0.5 * (mu - 2 * 2**sigma).cumsum(dim=0) / (k - 1),
            "the base of a power and its exponent had changed places",
        ),
        (
            lambda mu, sigma, k: right(mu, sigma, k).mean(0, keepdim=True).expand_as(mu),
            "the mean of all rows stood in each row of the result",
        ),
        (lambda mu, sigma, k: 0 * right(mu, sigma, k), "a number in the formula were zero"),
    ],
)
def test_an_unknown_mistake_is_told_by_the_slip_that_gives_its_numbers(solved, answer, words):
    finding = found(answer, solved)
    assert (finding.verdict, finding.mistake) == ("fail", None)
    assert finding.message.endswith(f"numbers are wrong. The numbers come out as if {words}.")


@pytest.mark.parametrize(
    ("formula", "words", "slip"),
    [
        ("x - y", "a difference were taken the other way round", "y - x"),
        ("x @ y", "a product of matrices were taken entry by entry", "x * y"),
        ("2 * x", "a number in the formula were one too large", "3 * x"),
        ("-0.5 * x", "a number in the formula had the other sign", "0.5 * x"),
        ("-2 * x", "a number in the formula were one too small", "-3 * x"),
        ("x < 2", "a number in the formula were one too small", "x < 1"),
        ("f(x, 0.5)", "a number in the formula were half as large", "f(x, 0.25)"),
    ],
)
def test_a_formula_has_these_slips(formula, words, slip):
    assert (words, f"return {slip}") in slips_in(f"return {formula}")


def test_indices_dimensions_and_choices_are_no_numbers_of_a_formula():
    assert not any("a number" in words for words, _ in slips_in("return x[2].sum(dim=1, keepdim=True)"))


def test_the_notebook_s_number_in_the_place_of_an_argument_is_a_slip_if_there_is_one(solved):
    def by_the_notebook(mu, sigma, k):
        return right(mu, sigma, 4)

    source = notebook()
    source.cells[0].source += "\nn, k = 'four', 4"
    told = found(by_the_notebook, with_solution(EXERCISE, source)).clue
    assert told == "The numbers come out as if the notebook's k stood in the place of the argument k."
    assert found(by_the_notebook, solved).clue == ""


def slips_in(line):
    """The words of each slip in the last line of a function, and that line with it."""
    cell = f"# exercise: f\ndef f(x, y):\n    ### BEGIN SOLUTION\n    {line}\n    ### END SOLUTION"
    return [(words, ast.unparse(tree).splitlines()[-1].strip()) for words, tree in slips_of(cell, "f")]


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
    one_row = found(lambda x: 2 * x if len(x) > 1 else x**2, replace(exercise, solution=SOLUTION))
    assert one_row.clue == "It is wrong only if values has one row; all else that was tried is right."
    double = found(lambda x: 2 * x if x.dtype == torch.float32 else x**2, exercise)
    assert double.clue == "It is wrong only in double precision; all else that was tried is right."
    assert found(lambda x: x**2, exercise).clue == ""


def test_large_and_small_inputs_that_are_wrong_are_told_if_all_else_is_right():
    def check_steps(student, draw):
        for steps in (2, 40, 5, 3):
            expect(student(draw.normal(3), steps=steps)).close(torch.full((3,), float(steps)))

    def only(condition):
        return found(lambda x, steps: x**2 if condition(steps) else torch.full((3,), float(steps)), exercise).clue

    exercise = Exercise("toy.steps", check_steps, (Mistake("square", "Not squared.", lambda x, steps: x**2),))
    assert only(lambda steps: steps > 9) == "It is wrong only if steps is large; all else that was tried is right."
    assert only(lambda steps: steps > 4) == "" == only(lambda steps: steps < 3)  # 5 and 3, 3 and 2 are of one kind
    assert only(lambda steps: steps > 3) == "" == only(lambda steps: steps in (3, 40))


def test_a_mistake_has_its_name_in_each_form_that_checks_take():
    def check_both(student, draw):
        x = draw.normal(3, 4)
        total, sums = expect(student(x)).items(2)
        expect(total).close(x.sum())
        for row, wanted in zip(expect(sums).items(3), x.sum(dim=1), strict=True):
            expect(row).close(wanted)

    mistake = Mistake("means", "Sums.", lambda x: (x.sum() / 12, x.mean(dim=1)))
    exercise = Exercise("toy.both", check_both, (mistake,))
    assert found(mistake.answer, exercise).mistake == "means"
    assert found(lambda x: [x.mean().item(), x.mean(dim=1).tolist()], exercise).mistake == "means"
    assert found(lambda x: [x.mean().item() + 1, x.mean(dim=1).tolist()], exercise).mistake is None
    assert found(lambda x: (x.mean(), x.mean(dim=1).numpy()), exercise).mistake is None  # it is an array besides


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
