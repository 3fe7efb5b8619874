"""`autograder prove`: the checks of an assignment are shown to be right before they grade anybody."""

import ast
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from multiprocessing import get_context
from typing import Any

import torch
from nbformat import NotebookNode

from autograder import cells
from autograder.assignments import exercises_of
from autograder.errors import InputError
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process
from autograder.judge.verdict import Finding

# The solution and the blank release are judged on every seed, the many other answers on the first few.
SEEDS_OF_OTHERS = 3


@dataclass(frozen=True)
class Confusion:
    """A mistake that did not have its own name on every seed: on how many of how many it had, and what it was called on
    the others, most often first; "" is no name."""

    mistake: str
    named: int
    seeds: int
    others: tuple[str, ...]


@dataclass
class Proof:
    """What was shown for one assignment. `problems` is empty where all of it held."""

    assignment: str
    seeds: int
    exercises: int = 0
    mistakes: int = 0
    equivalents: int = 0
    problems: list[str] = field(default_factory=list)
    confusions: list[Confusion] = field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """One answer to one exercise, and what must come of it; `mistake` is its name if it is one."""

    exercise: Exercise
    who: str
    answer: Any
    seeds: int
    is_right: Callable[[Finding], bool]
    wanted: str
    mistake: str = ""


def prove(
    assignment: str,
    source: NotebookNode,
    release: NotebookNode,
    *,
    seeds: int,
    jobs: int = 1,
    on_trial: Callable[[int, int], None] = lambda done, total: None,
) -> Proof:
    """Judge solution, blank release, mistakes and equivalents of an assignment, in `jobs` processes.

    The solution must pass and the blank release be missing on `seeds` seeds alike; every mistake must lose its point
    and be named and every equivalent must pass, on the first few of them. `on_trial` is told how many of how many
    answers are done.

    Raises InputError where a cell of the solution does not run.
    """
    torch.set_num_threads(1)  # before the fork, which threads would not survive
    exercises = exercises_of(assignment)
    proof = Proof(assignment, seeds, len(exercises))
    proof.mistakes = sum(len(item.mistakes) for item in exercises.values())
    proof.equivalents = sum(len(item.equivalents) for item in exercises.values())
    expressions = judged_expressions(source)
    trials = list(_trials(exercises, answers_of(source, expressions), answers_of(release, expressions), seeds))
    with ProcessPoolExecutor(jobs, get_context("fork"), _take_trials, (trials,)) as pool:
        for done, (problem, names) in enumerate(pool.map(_try, range(len(trials))), 1):
            on_trial(done, len(trials))
            if problem:
                proof.problems.append(problem)
            if confusion := _confusion(trials[done - 1], names):
                proof.confusions.append(confusion)
    return proof


_inherited: list[Trial] = []


def _take_trials(trials: list[Trial]) -> None:
    """In a worker: answers cannot be pickled, so they are inherited by the fork."""
    _inherited.extend(trials)


def _try(number: int) -> tuple[str | None, list[str]]:
    """Judge one answer on its seeds. Returns what went wrong on the first seed on which something did, and what the
    answer was called on each: on all of them if it is a mistake, up to that one otherwise."""
    trial, problem, names = _inherited[number], None, []
    for k in range(trial.seeds):
        found = judge(trial.exercise, in_this_process(trial.answer), seed_of(k, trial.exercise))
        names.append(found.mistake or "")
        if problem is None and not trial.is_right(found):
            seen = f"{found.verdict}, {found.mistake or 'unnamed'}: {found.message}"
            problem = f"{trial.exercise.id}: {trial.who} {trial.wanted}; on seed {k} it got {seen}"
        if problem and not trial.mistake:
            break
    return problem, names


def _confusion(trial: Trial, names: list[str]) -> Confusion | None:
    """How a mistake was confused with others, if it was."""
    others = Counter(name for name in names if name != trial.mistake)
    if not trial.mistake or not others:
        return None
    named, called = names.count(trial.mistake), tuple(name for name, _ in others.most_common())
    return Confusion(f"{trial.exercise.id}.{trial.mistake}", named, len(names), called)


def _trials(
    exercises: dict[str, Exercise], solution: dict[str, Any], blank: dict[str, Any], seeds: int
) -> Iterator[Trial]:
    few = min(seeds, SEEDS_OF_OTHERS)

    passes = partial(_has_verdict, "pass")
    for id, exercise in exercises.items():
        if id not in solution:
            raise InputError(f"{id} has a check, but no test cell of the notebook calls check({id!r}, …)")
        yield Trial(exercise, "the solution", solution[id], seeds, passes, "must pass")
        is_missing = partial(_has_verdict, "missing")
        yield Trial(exercise, "the blank release", blank[id], seeds, is_missing, "must be missing")
        for right in exercise.equivalents:
            yield Trial(exercise, f"equivalent {right.name}", right.answer, few, passes, "must pass")
        for wrong in exercise.mistakes:
            is_named = partial(_loses_its_point_as, wrong.name)
            wanted = "must fail and be named"
            yield Trial(exercise, f"mistake {wrong.name}", wrong.answer, few, is_named, wanted, wrong.name)


def _has_verdict(verdict: str, found: Finding) -> bool:
    return found.verdict == verdict


def _loses_its_point_as(name: str, found: Finding) -> bool:
    return found.verdict != "pass" and found.mistake == name


def seed_of(k: int, exercise: Exercise) -> bytes:
    """The proof's k-th seed for an exercise."""
    return seed_for(b"proof", hashlib.sha256(str(k).encode()).hexdigest(), exercise.id)


def judged_expressions(source: NotebookNode) -> dict[str, str]:
    """Exercise id → what its test cell hands to check(), as code: {"vae.encode": "VAE", …}."""
    found = {}
    for cell in source.cells:
        for node in ast.walk(ast.parse(cell.source)) if cells.is_tests(cell) else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check":
                found[ast.literal_eval(node.args[0])] = ast.unparse(node.args[1])
    return found


def answers_of(notebook: NotebookNode, expressions: dict[str, str]) -> dict[str, Any]:
    """Exercise id → answer, after running the notebook's cells in this process: trusted notebooks only.

    Test cells, and cells that need a trained model, are left out. A cell that shows what an unfilled FIXME would
    give raises NotImplementedError, which is passed over.

    Raises InputError where a cell raises anything else.
    """
    namespace: dict[str, Any] = {"__name__": "notebook"}
    for number, cell in enumerate(notebook.cells):
        run_cell(number, cell, namespace)
    return {id: eval(expression, namespace) for id, expression in expressions.items()}


def run_cell(number: int, cell: NotebookNode, namespace: dict[str, Any]) -> None:
    """Run one cell in a namespace, as `answers_of` says. Raises InputError likewise."""
    if not cells.is_tests(cell) and cells.is_executed_in_grading(cell):
        run_source(number, cell.source, namespace)


def run_source(number: int, source: str, namespace: dict[str, Any]) -> None:
    """Run what stands in a cell. Raises InputError if it raises anything but NotImplementedError."""
    try:
        with redirect_stdout(StringIO()):
            exec(compile(source, f"cell {number}", "exec"), namespace)
    except NotImplementedError:
        return
    except Exception as error:
        raise InputError(f"cell {number} of the notebook raised {type(error).__name__}: {error}") from error
