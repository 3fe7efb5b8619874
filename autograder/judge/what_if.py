"""What an answer's numbers would come from: the solution with one slip that gives just these.

It is tried only if an answer is wrong and is no known mistake.
"""

import time
from dataclasses import replace
from typing import Any

from autograder.judge.exercise import Exercise
from autograder.judge.naming import agrees_throughout
from autograder.judge.running import Run
from autograder.judge.solution import Solution, solution_of

MOST_SLIPS = 400
MOST_SECONDS = 4.0  # of processor time


def with_solution(exercise: Exercise, source: Any) -> Exercise:
    """The exercise, with how the notebook's source solves it."""
    return replace(exercise, solution=solution_of(source, exercise.name))


def what_if(exercise: Exercise, solution: Solution, seed: bytes, answered: Run) -> str:
    """One sentence on the slip with which the solution says just what the answer says, wherever either is wrong.

    It is empty if no slip does or if trying them takes too long. If slips of different words come to the same, the
    shortest words are taken.
    """
    began, found = time.thread_time(), set()
    for number, (words, answer) in enumerate(solution.answers(exercise.name)):
        if number == MOST_SLIPS or time.thread_time() - began > MOST_SECONDS:
            return ""
        if words not in found and agrees_throughout(exercise, answer, seed, answered):
            found.add(words)
    return f"The numbers come out as if {min(sorted(found), key=len)}." if found else ""
