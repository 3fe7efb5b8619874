"""`autograder prove --mutants`: what the checks let through of mistakes that nobody wrote down."""

import gc
import os
import pickle
import resource
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import takewhile
from multiprocessing import get_context
from random import Random
from typing import Any

import torch
from nbformat import NotebookNode

from autograder import cells
from autograder.assignments import exercises_of
from autograder.authoring.mutation.mutate import Mutant, mutants_of
from autograder.authoring.mutation.said import Messages, Said, said_of
from autograder.authoring.proof import SEEDS_OF_OTHERS, judged_expressions, run_cell, run_source, seed_of
from autograder.judge.exercise import Exercise
from autograder.judge.judging import judge
from autograder.judge.running import run
from autograder.judge.student import in_this_process
from autograder.judge.what_if import with_solution
from autograder.regions import visible
from fixmelab.executing.process_state import on_one_thread

# A mutant may loop for ever or ask for all memory there is; the right answers take a second and one GB at most.
MOST_SECONDS = 10  # of processor time
MOST_SECONDS_OF_MESSAGES = 120
MOST_BYTES = 16 * 2**30


@dataclass(frozen=True)
class Cell:
    """A cell that a student fills, with what stands before it and the exercises that judge it."""

    source: str
    number: int
    namespace: dict[str, Any]
    exercises: dict[str, Exercise]
    expressions: dict[str, str]
    visible_tests: str

    @property
    def harmless(self) -> dict[str, str]:
        """The mutants of this cell that are right answers, and why, by one of Mutant.names."""
        return {change: reason for one in self.exercises.values() for change, reason in one.harmless.items()}


@dataclass
class Mutation:
    """What became of the mutants of one assignment, by operator; `problems` is empty if all is in order."""

    assignment: str
    made: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)  # by the tests that students see
    harmless: Counter[str] = field(default_factory=Counter)
    messages: Messages = field(default_factory=Messages)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """Whether a mutant lost its points, whether the visible tests refuse it, and what is said of it, if that was asked
    and something was."""

    killed: bool
    seen: bool
    said: Said | None = None


def prove_mutants(
    assignment: str,
    source: NotebookNode,
    *,
    sample: int | None = None,
    only: Sequence[str] = (),
    messages: bool = False,
    jobs: int = 1,
    on_mutant: Callable[[int, int], None] = lambda done, total: None,
) -> Mutation:
    """Judge the mutants of an assignment's solutions, each on the proof's first seeds and in a process of its own.

    A mutant is killed if on each of these seeds an exercise of its cell refuses it. `sample` takes that many of all,
    the same ones each time; `only` names exercises. With `messages` those that lose their points are judged on as
    many seeds once more, for what is said of them.

    Raises InputError if a cell of the solution does not run.
    """
    on_one_thread()
    found = Mutation(assignment)
    trials: list[tuple[Cell, Mutant]] = []
    for cell in _cells(assignment, source):
        if only and not set(only) & {one.name for one in cell.exercises.values()}:
            continue
        # Here, so that what they import at their first call is there in every fork.
        outcome = _outcome(cell, cell.source, messages=False)
        for one in cell.exercises.values() if messages else ():
            for item in one.mistakes:
                run(one, in_this_process(item.answer), seed_of(0, one))
        if outcome.killed or outcome.seen:
            found.problems.append(f"{' '.join(cell.exercises)}: the solution itself is refused")
        trials += [(cell, mutant) for mutant in mutants_of(cell.source, frozenset(cell.namespace))]
    stale = {(cell.number, name) for cell, _ in trials for name in cell.harmless}
    stale -= {(cell.number, name) for cell, mutant in trials for name in mutant.names}
    for number, name in sorted(stale):
        found.problems.append(f"{assignment}, cell {number}: {name!r} is called harmless, but no mutant")
    if sample is not None and sample < len(trials):
        trials = Random(assignment).sample(trials, sample)
    gc.freeze()  # else each fork has all that was imported looked through, and copied by that
    with ProcessPoolExecutor(jobs, get_context("fork"), _take_trials, (trials, messages)) as pool:
        for done, outcome in enumerate(pool.map(_try, range(len(trials))), 1):
            _count(found, *trials[done - 1], outcome)
            on_mutant(done, len(trials))
    return found


def _cells(assignment: str, source: NotebookNode) -> Iterator[Cell]:
    """The cells with solutions, the notebook run up to each."""
    exercises, expressions = exercises_of(assignment), judged_expressions(source)
    namespace: dict[str, Any] = {"__name__": "notebook"}
    for number, cell in enumerate(source.cells):
        after = _up_to_its_tests(source, number) if cells.is_fixme(cell) else []
        if after:
            names = judged_expressions(NotebookNode(cells=after))
            judged = {id: with_solution(exercises[id], source) for id in names}
            seen = "\n".join(visible(one.source) for one in after)
            yield Cell(cell.source, number, dict(namespace), judged, expressions, seen)
        run_cell(number, cell, namespace)
        if cells.is_tests(cell):  # later ones use what it names
            run_source(number, visible(cell.source), namespace)


def _up_to_its_tests(source: NotebookNode, number: int) -> list[NotebookNode]:
    """The cells that are run after one with a solution, up to the last test before the next solution."""
    after = list(takewhile(lambda cell: not cells.is_fixme(cell), source.cells[number + 1 :]))
    last = max((place for place, cell in enumerate(after) if cells.is_tests(cell)), default=-1)
    return [cell for cell in after[: last + 1] if cells.is_tests(cell) or cells.is_executed_in_grading(cell)]


def _count(found: Mutation, cell: Cell, mutant: Mutant, outcome: Outcome) -> None:
    found.made[mutant.operator] += 1
    found.seen[mutant.operator] += outcome.killed and outcome.seen
    where = f"{' '.join(cell.exercises)}: {mutant.operator}: {mutant.change!r}"
    if outcome.said:
        found.messages.note(outcome.said, where)
    if outcome.killed:
        found.killed[mutant.operator] += 1
        if mutant.change in cell.harmless:
            found.problems.append(f"{where} is called harmless, but loses its point")
    elif mutant.names & cell.harmless.keys():
        found.harmless[mutant.operator] += 1
    else:
        found.problems.append(f"{where} keeps its points")


_inherited: list[tuple[Cell, Mutant]] = []
_asked: list[bool] = []  # whether messages are


def _take_trials(trials: list[tuple[Cell, Mutant]], messages: bool) -> None:
    _inherited.extend(trials)
    _asked.append(messages)


def _try(number: int) -> Outcome:
    """What becomes of a mutant: in a fork of this process, which is ended if it takes too much, and then the mutant
    loses its points and is refused by the visible tests as well."""
    (cell, mutant), messages = _inherited[number], _asked[0]
    most = MOST_SECONDS_OF_MESSAGES if messages else MOST_SECONDS
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (most, most))
            resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
            os.write(writer, pickle.dumps(_outcome(cell, mutant.code, messages=messages)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(told) if told else Outcome(killed=True, seen=True)


def _outcome(cell: Cell, code: str, *, messages: bool) -> Outcome:
    compiled = compile(code, f"cell {cell.number}", "exec")

    def answers() -> tuple[dict[str, Any], dict[str, Any]]:
        namespace = dict(cell.namespace)
        exec(compiled, namespace)
        return namespace, {id: eval(cell.expressions[id], namespace) for id in cell.exercises}

    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        try:
            namespace, given = answers()
        except Exception:
            return Outcome(killed=True, seen=True)
        refused = [_refused_by(cell, given, k) for k in range(SEEDS_OF_OTHERS)]
        said = None
        if messages and all(refused):
            said = said_of(cell.exercises[refused[0]], lambda: answers()[1][refused[0]])
        torch.manual_seed(0)
        try:
            exec(compile(cell.visible_tests, "visible tests", "exec"), namespace)
        except Exception:
            return Outcome(all(refused), True, said)
    return Outcome(all(refused), False, said)


def _refused_by(cell: Cell, answers: dict[str, Any], k: int) -> str:
    """The first exercise that refuses an answer on the proof's k-th seed; "" if none does. What a mistake is called
    costs more than that it is one, and is not asked here."""
    for id, exercise in cell.exercises.items():
        unnamed = replace(exercise, mistakes=(), equivalents=(), solution=None)
        if judge(unnamed, in_this_process(answers[id]), seed_of(k, exercise)).verdict != "pass":
            return id
    return ""
