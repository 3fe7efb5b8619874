"""`autograder prove --pairs`: a mistake in one answer costs no points of another, and two mistakes are both named.

Each exercise that uses others is tried with each known mistake of one of them in the notebook: once with its own right
solution, which must keep its points, and once with a known mistake of its own, which must lose them by its own name.
"""

import gc
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from multiprocessing import get_context
from random import Random
from typing import Any

import torch
from nbformat import NotebookNode

from autograder import cells
from autograder.assignments import exercises_of
from autograder.authoring.grafting import changes_of, grafted
from autograder.authoring.proof import run_cell, run_source
from autograder.grading import here
from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.solution import judged_in
from autograder.judge.uses import leans_of
from autograder.judge.verdict import Finding
from autograder.regions import visible
from fixmelab.executing.process_state import on_one_thread


@dataclass(frozen=True)
class Pair:
    """A mistake of an exercise, in a notebook with the right solution of another that uses it, or with a mistake of
    that."""

    used: Exercise
    mistake: Mistake
    by: Exercise
    own: Mistake | None = None

    @property
    def words(self) -> str:
        own = f"mistake {self.own.name}" if self.own else "the solution"
        return f"{self.by.id}: {own}, with {self.used.name}.{self.mistake.name} in the notebook"


@dataclass
class Pairs:
    """What was shown for one assignment: on how many right and wrong answers, and what is not as it must be.

    `leaning` of the right ones would lose their points if the course lent no answers.
    """

    assignment: str
    right: int = 0
    wrong: int = 0
    leaning: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Stage:
    """A test cell, and the notebook's names as they are when it is reached."""

    tests: NotebookNode
    names: dict[str, Any]


def prove_pairs(
    assignment: str,
    source: NotebookNode,
    *,
    sample: int | None = None,
    only: Collection[str] = (),
    jobs: int = 1,
    on_pair: Callable[[int, int], None] = lambda done, total: None,
) -> Pairs:
    """Run the test cells of an assignment's solution with known mistakes of other exercises in the notebook.

    `sample` takes that many pairs of all, the same ones each time; `only` names exercises that use others. Raises
    InputError if a cell of the solution does not run.
    """
    on_one_thread()
    shown, names = Pairs(assignment), dict[str, Any]()
    stages = _stages(source, names)
    pairs = [pair for pair in _pairs(exercises_of(assignment), source) if not only or pair.by.name in only]
    if sample is not None and sample < len(pairs):
        pairs = Random(assignment).sample(pairs, sample)
    gc.freeze()  # else figures, which are full of circles, have all that was imported looked through again and again
    with ProcessPoolExecutor(jobs, get_context("fork"), _take, (pairs, stages, names)) as pool:
        for done, finding in enumerate(pool.map(_try, range(len(pairs))), 1):
            _count(shown, pairs[done - 1], finding)
            on_pair(done, len(pairs))
    return shown


def _count(shown: Pairs, pair: Pair, finding: Finding) -> None:
    if pair.own is None:
        shown.right += 1
        shown.leaning += finding.verdict != "pass" or finding.borrowed
        is_right, wanted = finding.verdict == "pass", "must pass"
    else:
        shown.wrong += 1
        is_right, wanted = finding.verdict != "pass" and finding.mistake == pair.own.name, "must be named"
    if not is_right:
        seen = f"{finding.verdict}, {finding.mistake or 'unnamed'}: {finding.message}"
        shown.problems.append(f"{pair.words}: {wanted}; it got {seen}")


def _stages(source: NotebookNode, names: dict[str, Any]) -> dict[str, Stage]:
    """The notebook, run in `names`, at each test cell, by exercise."""
    names["__name__"] = "notebook"
    found = {}
    for number, cell in enumerate(source.cells):
        if cells.is_tests(cell):
            found[cells.exercise_name(cell)] = Stage(cell, dict(names))
            run_source(number, visible(cell.source), names)
        else:
            run_cell(number, cell, names)
    return found


def _pairs(exercises: dict[str, Exercise], source: NotebookNode) -> Iterator[Pair]:
    leans, by_name = leans_of(source), {one.name: one for one in exercises.values()}
    for name, used in leans.items():
        for other in (by_name[one] for one in leans if one in used):
            for number, mistake in enumerate(other.mistakes):
                yield Pair(other, mistake, by_name[name])
                changed = changes_of(mistake.answer)  # in one place there is no room for two
                own = [one for one in by_name[name].mistakes if _is_seen_without(by_name[name], other, one, changed)]
                if own:
                    yield Pair(other, mistake, by_name[name], own[number % len(own)])


def _is_seen_without(by: Exercise, used: Exercise, own: Mistake, changed: set[str]) -> bool:
    """Whether a mistake in the exercise `by` can be seen beside one in `used`, which changes these methods."""
    own_changes = changes_of(own.answer)
    return not changed & own_changes and (used.name not in by.without or "__init__" in own_changes)


_inherited: list[Any] = []


def _take(*given: Any) -> None:
    """In a worker: notebooks cannot be pickled, so they are inherited by the fork."""
    _inherited[:] = given


def _try(number: int) -> Finding:
    """What is found on the exercise that uses the other one."""
    pairs, stages, names = _inherited
    pair: Pair = pairs[number]
    names.clear()  # functions of the notebook hold this very map
    names.update(stages[pair.by.name].names)
    kinds = {name: judged_in(stage.tests.source) for name, stage in stages.items()}
    kind, own = kinds[pair.by.name], pair.own
    if own is not None:
        names[kind] = own.answer
    is_one_class = kinds[pair.used.name] == kind
    names[kinds[pair.used.name]] = grafted(pair.mistake.answer, names[kind]) if is_one_class else pair.mistake.answer
    return _run(pair, stages[pair.by.name].tests.source, names)


def _run(pair: Pair, tests: str, names: dict[str, Any]) -> Finding:
    """What is found by a test cell if all other exercises have passed, but not the one with the mistake."""
    others = {id for id in exercises_of(pair.by.id.partition(".")[0]) if id not in (pair.used.id, pair.by.id)}
    here.found.clear()
    here.found.update(dict.fromkeys(others, Finding("pass")))
    torch.manual_seed(0)
    try:
        with redirect_stdout(StringIO()):
            here.run_tests(tests, names)
    except Exception as error:
        return here.found.get(pair.by.id) or Finding("fail", f"{type(error).__name__}: {error}")
    return here.found[pair.by.id]
