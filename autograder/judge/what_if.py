"""What an answer's numbers would come from: the solution with one slip that gives just these.

It is tried only if an answer is wrong and is no known mistake.
"""

import time
from dataclasses import replace
from typing import Any

from autograder.judge.exercise import Exercise
from autograder.judge.naming import shared
from autograder.judge.running import Run
from autograder.judge.solution import Solution, solution_of

MOST_SLIPS = 400
MOST_SECONDS = 4.0  # of processor time
AS_IF = "The numbers come out as if"


def with_solution(exercise: Exercise, source: Any) -> Exercise:
    """The exercise, with how the notebook's source solves it."""
    return replace(exercise, solution=solution_of(source, exercise.name))


def what_if(exercise: Exercise, solution: Solution, seed: bytes, answered: Run) -> str:
    """One sentence on the slip with which the solution says just what the answer says, wherever either is wrong.

    It is empty if none does of those that there is time to try. If slips of different words come to the same, the
    shortest words are taken.
    """
    began, found = time.thread_time(), set[str]()
    for number, (words, answer) in enumerate(solution.answers(exercise.name)):
        if number == MOST_SLIPS or time.thread_time() - began > MOST_SECONDS:
            break
        if words not in found and shared(exercise, answer, seed, answered) == 1:
            found.add(words)
    return as_if(min(sorted(found), key=len)) if found else ""


def as_if(words: str) -> str:
    """The sentence on a slip."""
    return f"{AS_IF} {words}."
