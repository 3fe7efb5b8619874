"""A mistake that a check names is one that its exercise declares: any other name would be dropped without a word."""

import ast
import inspect
import sys

import pytest

from autograder.assignments import exercises_of
from autograder.course import assignment_names
from autograder.judge.draw import seed_for
from autograder.judge.expect import expect
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process

EXERCISES = [item for name in assignment_names() for item in exercises_of(name).values()]
NAMED = {"mistakes", "others", "candidates"}  # what checks call dictionaries with the names of mistakes


def written(module) -> set[str]:
    """The names in the dictionaries of a check, which are looked up only when something is wrong."""
    dictionaries = [
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in NAMED and isinstance(node.value, ast.Dict)
    ]
    keys = [key for dictionary in dictionaries for key in dictionary.keys if isinstance(key, ast.Constant)]
    return {key.value for key in keys if isinstance(key.value, str)}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda item: item.id)
def test_every_mistake_that_a_check_names_is_declared(exercise, monkeypatch):
    said: set[str | None] = set()
    holds = expect.holds

    def note(self, condition, message, mistake=None):
        said.add(mistake)
        return holds(self, condition, message, mistake)

    monkeypatch.setattr(expect, "holds", note)
    # A right answer meets every expectation; one is enough.
    found = judge(exercise, in_this_process(exercise.equivalents[0].answer), seed_for(b"names", "", exercise.id))
    assert found.verdict == "pass"
    said |= written(sys.modules[exercise.check.__module__])
    declared = {item.name for item in exercise.mistakes} | {None}
    assert said <= declared
