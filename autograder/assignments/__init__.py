"""What is graded: a folder an assignment, a module an exercise.

NAME/__init__.py has the order of the exercises, NAME/EXERCISE.py the check, mistakes and equivalents of one,
NAME/common.py what several of them share, NAME/reference.py the right answers.
"""

from functools import cache
from importlib import import_module

from autograder.judge.exercise import Exercise, exercise_of


@cache
def exercises_of(assignment: str) -> dict[str, Exercise]:
    """The judged exercises of an assignment by id, for example "vae.gaussian_kl", in the notebook's order.

    Raises ValueError if a module declares none, several, or another exercise than its name says.
    """
    package = f"{__name__}.{assignment}"
    found = {}
    for name in import_module(package).EXERCISES:
        exercise = exercise_of(import_module(f"{package}.{name}"))
        if exercise.id != f"{assignment}.{name}":
            raise ValueError(f"{package}.{name} declares the exercise {exercise.id!r}: its id must be that of the file")
        found[exercise.id] = exercise
    return found
