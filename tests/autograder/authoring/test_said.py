"""What a student would be told of a wrong answer, and whether it is true of it."""

from dataclasses import replace

import pytest

from autograder.authoring.mutation.said import (
    NAMED,
    NUMBERS,
    OUTPUT,
    RAISED,
    SENTENCE,
    SLIP,
    WHERE,
    Messages,
    Said,
    said_of,
)
from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.expect import expect
from autograder.judge.solution import Solution

CELL = """# exercise: doubled
def doubled(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION"""


def check(student, draw):
    for rows in (3, 4, 5):
        x = draw.normal(rows, 2)
        expect(student(x)).close(2 * x)


TRIPLED = Mistake("tripled", "It is tripled.", lambda x: 3 * x)
EXERCISE = Exercise("toy.doubled", check, (TRIPLED,), solution=Solution(CELL, "doubled", ()))


class Changing:
    """An answer that is another one after so many calls."""

    def __init__(self, first, calls, then):
        self.first, self.left, self.then = first, calls, then

    def __call__(self, x):
        self.left -= 1
        return (self.first if self.left >= 0 else self.then)(x)


def first_row_wrong(x):
    y = 2 * x
    y[0] += x[0] ** 2
    return y


@pytest.mark.parametrize(
    ("answer", "kind", "begins"),
    [
        (TRIPLED.answer, NAMED, "It is tripled."),
        (lambda x: -2 * x, SLIP, "The numbers come out as if the result had the other sign."),
        (first_row_wrong, WHERE, "Only the first row is wrong."),
        (lambda x: 1 / 0, RAISED, "It raised ZeroDivisionError"),
        (lambda x: x[:1], SENTENCE, "The result has shape (1, 2)"),
        (lambda x: x**2, OUTPUT, "The result has the right shape, but its numbers are wrong."),
    ],
)
def test_the_kind_of_what_is_said_and_that_it_is_true(answer, kind, begins):
    said = said_of(EXERCISE, lambda: answer)
    assert (said.kind, said.untrue) == (kind, "") and begins in said.message


@pytest.mark.parametrize(("first", "begins"), [(TRIPLED.answer, "It is tripled."), (lambda x: -2 * x, "The result")])
def test_what_does_not_hold_on_fresh_inputs_is_not_true(first, begins):
    answer = Changing(first, 9, lambda x: 7 * x + 1)  # three inputs on each of three seeds
    said = said_of(EXERCISE, lambda: answer)
    assert said.untrue.startswith(begins)


def test_what_the_check_itself_names_again_is_true():
    def naming(student, draw):
        x = draw.normal(3)
        expect(student(x)).close(2 * x, mistake="tripled")

    assert said_of(replace(EXERCISE, check=naming), lambda: lambda x: 5 * x).untrue == ""


def test_an_answer_that_keeps_what_it_gave_is_made_anew_for_each_seed():
    def remembering():
        kept = {}
        return lambda x: kept.setdefault(x.shape, 2 * x)

    def again(student, draw):
        for rows in draw.again(3, 4):
            x = draw.normal(rows, 2)
            expect(student(x)).close(2 * x)

    said = said_of(replace(EXERCISE, check=again), remembering)
    assert said.kind == SLIP and "an earlier result were given again" in said.message and not said.untrue


def test_the_least_helpful_message_counts():
    answer = Changing(TRIPLED.answer, 6, lambda x: x**2)
    said = said_of(EXERCISE, lambda: answer)
    assert said.kind == OUTPUT


def test_an_exercise_with_one_output_says_nothing_by_naming_it():
    messages = Messages()
    for exercise, message in (("a", "y is wrong"), ("a", "y is wrong"), ("b", "y is wrong"), ("b", "z is wrong")):
        messages.note(Said(exercise, OUTPUT, message), exercise)
    assert messages.counts() == {NUMBERS: 2, OUTPUT: 2}
