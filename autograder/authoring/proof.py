"""`autograder prove`: the checks of an assignment are shown to be right before they grade anybody."""

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from multiprocessing import get_context
from typing import Any

from nbformat import NotebookNode

from autograder import cells
from autograder.assignments import exercises_of
from autograder.errors import InputError
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise, Mistake
from autograder.judge.judging import finding_of, judge, run_to_name
from autograder.judge.solution import checked_in, judged_in
from autograder.judge.student import in_this_process
from autograder.judge.verdict import Finding, Verdict
from fixmelab.executing.process_state import on_one_thread

# The solution and the blank release are judged on every seed, the many other answers on the first few.
SEEDS_OF_OTHERS = 3
SEEDS_AT_ONCE = 10  # so that no process is left with a long trial when all others are done


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


Outcome = tuple[list[str], list[Confusion]]  # problems and confusions


@dataclass(frozen=True)
class Trial:
    """One answer to one exercise, and what must come of it on each of the seeds."""

    exercise: Exercise
    who: str
    answer: Any
    seeds: range
    verdict: Verdict

    def take(self) -> Outcome:
        """Judge it, up to the first seed on which something else comes of it."""
        for k in self.seeds:
            found = judge(self.exercise, in_this_process(self.answer), seed_of(k, self.exercise))
            if found.verdict != self.verdict:
                must = "pass" if self.verdict == "pass" else f"be {self.verdict}"
                return [_problem(self.exercise, f"{self.who} must {must}", k, found)], []
        return [], []


@dataclass(frozen=True)
class MistakesTrial:
    """All mistakes of one exercise: each must fail, be named and earn just what it states on each of the seeds."""

    exercise: Exercise
    seeds: range

    def take(self) -> Outcome:
        """Judge them. On one seed each is run twice, to be judged and to be known again, and not for all others too."""
        problems: dict[int, str] = {}
        names: list[list[str]] = [[] for _ in self.exercise.mistakes]
        for k in self.seeds:
            seed = seed_of(k, self.exercise)
            runs = [run_to_name(self.exercise, in_this_process(one.answer), seed) for one in self.exercise.mistakes]
            for number, wrong in enumerate(self.exercise.mistakes):
                known = {other: runs[other] for other in range(len(runs)) if other != number}
                found = finding_of(self.exercise, seed, runs[number], known)
                names[number].append(found.mistake or "")
                if not _loses_its_points_as(wrong, found):
                    wanted = f"mistake {wrong.name} must fail, be named and earn {wrong.earns:g}"
                    problems.setdefault(number, _problem(self.exercise, wanted, k, found))
        pairs = zip(self.exercise.mistakes, names, strict=True)
        confusions = [_confusion(self.exercise, wrong, called) for wrong, called in pairs]
        return [problems[number] for number in sorted(problems)], [one for one in confusions if one]


def _loses_its_points_as(wrong: Mistake, found: Finding) -> bool:
    is_named = found.verdict != "pass" and found.mistake == wrong.name
    return is_named and abs(found.earned - wrong.earns) < 1e-9


def _problem(exercise: Exercise, wanted: str, k: int, found: Finding) -> str:
    # What the check itself raised is for its author, and the student's message says nothing of it.
    said = found.told if found.verdict != "fault" else f"the check raised {found.traceback.rstrip().splitlines()[-1]}"
    seen = f"{found.verdict}, {found.mistake or 'unnamed'}: {said}"
    return f"{exercise.id}: {wanted}; on seed {k} it got {seen}"


def _confusion(exercise: Exercise, wrong: Mistake, names: list[str]) -> Confusion | None:
    """How a mistake was confused with others, if it was."""
    others = Counter(name for name in names if name != wrong.name)
    if not others:
        return None
    called = tuple(name for name, _ in others.most_common())
    return Confusion(f"{exercise.id}.{wrong.name}", names.count(wrong.name), len(names), called)


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

    The solution must pass and the blank release be missing on `seeds` seeds alike; every mistake must fail, be named
    and earn just what it states, and every equivalent must pass, on the first few of them. `on_trial` is told how many
    of how many trials are done.

    Raises InputError where a cell of the solution does not run.
    """
    on_one_thread()
    exercises = exercises_of(assignment)
    proof = Proof(assignment, seeds, len(exercises))
    proof.mistakes = sum(len(item.mistakes) for item in exercises.values())
    proof.equivalents = sum(len(item.equivalents) for item in exercises.values())
    expressions = judged_expressions(source)
    trials = list(_trials(exercises, answers_of(source, expressions), answers_of(release, expressions), seeds))
    gc.freeze()  # else figures, which are full of circles, have all that was imported looked through again and again
    with ProcessPoolExecutor(jobs, get_context("fork"), _take_trials, (trials,)) as pool:
        for done, (problems, confusions) in enumerate(pool.map(_take, range(len(trials))), 1):
            on_trial(done, len(trials))
            proof.problems += problems
            proof.confusions += confusions
    return proof


_inherited: list[Trial | MistakesTrial] = []


def _take_trials(trials: list[Trial | MistakesTrial]) -> None:
    """In a worker: answers cannot be pickled, so they are inherited by the fork."""
    _inherited.extend(trials)


def _take(number: int) -> Outcome:
    return _inherited[number].take()


def _trials(
    exercises: dict[str, Exercise], solution: dict[str, Any], blank: dict[str, Any], seeds: int
) -> Iterator[Trial | MistakesTrial]:
    few = range(min(seeds, SEEDS_OF_OTHERS))
    for id, exercise in exercises.items():
        if id not in solution:
            raise InputError(f"{id} has a check, but no test cell of the notebook calls check({id!r}, …)")
        for first in range(0, seeds, SEEDS_AT_ONCE):
            some = range(first, min(first + SEEDS_AT_ONCE, seeds))
            yield Trial(exercise, "the solution", solution[id], some, "pass")
            yield Trial(exercise, "the blank release", blank[id], some, "missing")
        for right in exercise.equivalents:
            yield Trial(exercise, f"equivalent {right.name}", right.answer, few, "pass")
        yield MistakesTrial(exercise, few)


def seed_of(k: int, exercise: Exercise) -> bytes:
    """The proof's k-th seed for an exercise."""
    return seed_for(b"proof", hashlib.sha256(str(k).encode()).hexdigest(), exercise.id)


def judged_expressions(source: NotebookNode) -> dict[str, str]:
    """Exercise id → what its test cell hands to check(), as code: {"vae.encode": "VAE", …}."""
    return dict(checked_in(cell.source) for cell in source.cells if cells.is_tests(cell) and judged_in(cell.source))


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
