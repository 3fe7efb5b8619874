"""The tests that students see: right answers of any style pass them, and most known mistakes do not."""

import contextlib
import io

import matplotlib.pyplot as plt
import pytest
import torch

from autograder import cells, course
from autograder.assignments import exercises_of
from autograder.authoring.folding import WIDTH
from autograder.authoring.proof import judged_expressions
from autograder.regions import visible

LEAST_CAUGHT = 0.7  # of the known mistakes of a notebook: the others show in gradients, draws, dtypes or other rows
LEAST_IN_ONE = 0.2  # of those of any exercise


def passes(code, namespace: dict) -> bool:
    torch.manual_seed(0)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, namespace)
    except Exception:
        return False
    finally:
        plt.close("all")
    return True


@pytest.fixture(scope="module", params=course.assignment_names())
def tried(request, tmp_path_factory) -> dict[str, tuple[list[str], dict[str, bool]]]:
    """Exercise → right answers that its visible tests refuse, and mistakes, each with whether they let it pass."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIXMELAB_BUDGET", "smoke")
        patch.setenv("FIXMELAB_DATA", "garments")
        patch.setenv("FIXMELAB_WORK", str(tmp_path_factory.mktemp("work")))
        patch.setattr("matplotlib.pyplot.show", lambda *args, **kwargs: None)
        return _tried(request.param)


def _tried(name: str) -> dict[str, tuple[list[str], dict[str, bool]]]:
    source = course.read_source(name)
    expressions, exercises = judged_expressions(source), exercises_of(name)
    namespace, found = {"__name__": "notebook"}, {}
    for cell in source.cells:
        if not cells.is_executed_in_grading(cell):
            continue
        code = compile(visible(cell.source) if cells.is_tests(cell) else cell.source, cell.id, "exec")
        if cells.is_tests(cell):
            id = f"{name}.{cells.exercise_name(cell)}"
            rights, mistakes = exercises[id].equivalents, exercises[id].mistakes
            refused = [one.name for one in rights if not passes(code, namespace | {expressions[id]: one.answer})]
            let_pass = {}
            for one in mistakes:
                passed = passes(code, namespace | {expressions[id]: one.answer})
                let_pass[one.name] = passed and let_pass.get(one.name, True)
            found[id] = refused, let_pass
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, namespace)
    return found


@pytest.mark.slow
def test_right_answers_pass_and_most_mistakes_do_not(tried):
    assert {id: refused for id, (refused, _) in tried.items() if refused} == {}
    shares = {id: 1 - sum(let_pass.values()) / len(let_pass) for id, (_, let_pass) in tried.items()}
    assert [id for id, share in shares.items() if share < LEAST_IN_ONE] == []
    caught = [not passed for _, let_pass in tried.values() for passed in let_pass.values()]
    assert sum(caught) / len(caught) >= LEAST_CAUGHT


@pytest.mark.parametrize("name", course.assignment_names())
def test_students_read_visible_tests_without_scrolling(name):
    tests = [cell for cell in course.read_release(name).cells if cells.is_tests(cell)]
    assert [line for cell in tests for line in cell.source.split("\n") if len(line) > WIDTH] == []


@pytest.mark.parametrize("name", course.assignment_names())
def test_hints_stand_at_long_exercises_and_predictions_all_over(name):
    source = course.read_source(name)
    hinted = {cells.grade_id(cell).removeprefix(cells.HINTS_PREFIX) for cell in source.cells}
    long = {
        anchor
        for cell in source.cells
        if cells.is_fixme(cell) and "class " not in cell.source
        for anchor in cells.anchors(cell)
        if _solution_lines(cell.source) > 5
    }
    assert long - hinted == set()
    assert sum(map(cells.is_prediction, source.cells)) >= 4


def _solution_lines(source: str) -> int:
    solution = source.partition("### BEGIN SOLUTION\n")[2].partition("### END SOLUTION")[0]
    return len([line for line in solution.split("\n") if line.strip()])
