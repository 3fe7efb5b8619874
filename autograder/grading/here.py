"""Judging in the process that holds the answer: an instructor's Jupyter, or plain `nbgrader autograde`.

fixmelab finds it by the entry point `fixmelab.judge`. For trusted code only.
"""

from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from IPython.core.getipython import get_ipython

from autograder import cells, course
from autograder.assignments import exercises_of
from autograder.errors import InputError
from autograder.judge.again import FOLLOWS, Leaning, leaning, second, seed_again
from autograder.judge.draw import seed_for
from autograder.judge.judging import judge
from autograder.judge.solution import checked_in
from autograder.judge.student import in_this_process
from autograder.judge.uses import uses_of
from autograder.judge.verdict import Finding
from autograder.judge.what_if import with_solution
from autograder.regions import HIDDEN_TESTS, text_in

# What was found on each exercise in this process, by id.
found: dict[str, Finding] = {}


def check_here(exercise_id: str, answer: Any, names: dict[str, Any] | None = None) -> None:
    """Judge `answer` in this process; `names` are those of its notebook.

    If it leans on others that have not passed here, it is judged again with the course's in their place. In a notebook,
    the points of parts that are right are a result of the cell, from which nbgrader takes them. Raises AssertionError
    with the message for the student on any verdict but a pass.
    """
    exercise = exercises_of(exercise_id.partition(".")[0])[exercise_id]
    seed = seed_for(b"judged in an own process", "", exercise_id)
    finding = judge(exercise, in_this_process(answer), seed)
    leans = _leans(exercise_id) if finding.verdict in FOLLOWS and names is not None else Leaning()
    if leans.borrows:
        lent = replace(with_solution(exercise, _source(exercise_id.partition(".")[0])), borrows=leans.borrows)
        again = judge(lent, in_this_process(answer, names=names), seed_again(seed))
        finding = second(finding, again, leans, is_visible=False)
    found[exercise_id] = finding
    if finding.verdict != "pass":
        if finding.earned and (shell := get_ipython()):
            shell.displayhook(finding.earned)
        raise AssertionError(f"{exercise.name}: {finding.told}")
    if finding.message:
        print(finding.message)


def run_tests(test_cell: str, names: dict[str, Any]) -> None:
    """Run the source of a test cell in a notebook's namespace, as `autograder grade` does: if a visible test fails, the
    hidden ones run all the same. They decide if another answer that is not right may be to blame, and parts of this
    one may be right.

    Raises whatever the tests raise.
    """
    id, _ = checked_in(test_cell)
    found.pop(id, None)
    try:
        exec(compile(test_cell, "test cell", "exec"), names)
    except Exception as error:
        hidden = text_in(test_cell, HIDDEN_TESTS)
        if not hidden or id in found:
            raise
        with suppress(Exception):  # what the check finds is noted, and its points are shown
            exec(compile(hidden, "test cell", "exec"), names)
        first = Finding("fail", str(error))
        found[id] = second(first, found.get(id), _leans(id), is_visible=True)
        if found[id].verdict == "pass":
            print(found[id].message)
        elif found[id] == first:
            raise
        else:
            raise AssertionError(found[id].told) from None


def _has_passed(id: str) -> bool:
    return id in found and found[id].verdict == "pass"


def _leans(id: str) -> Leaning:
    """On what an exercise leans that has not passed in this process; on nothing if no source is here."""
    assignment, _, name = id.partition(".")
    try:
        source = _source(assignment)
    except InputError:
        return Leaning()
    tests = next(cell for cell in source.cells if cells.is_tests(cell) and cells.exercise_name(cell) == name)
    passed = {other.name for other in exercises_of(assignment).values() if _has_passed(other.id)}
    return leaning(tests, uses_of(source), name, passed)


@cache
def _source(assignment: str) -> Any:
    return course.read_source(assignment)
