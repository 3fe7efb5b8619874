"""An exercise as an assignment writes it down: its check, known mistakes and equivalents, together in one module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from autograder.judge.draw import Draw
from autograder.judge.solution import Solution
from autograder.judge.student import Remote

Check = Callable[[Remote, Draw], None]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that must lose the point, and the sentence that a student should read.

    A broad one stands for a kind: the check says whether an answer is of it, and a mistake that gives the answer's very
    numbers goes before it. `earns` are the points that it must still get, of the parts that are right in it.
    """

    name: str
    sentence: str
    answer: Any
    broad: bool = False
    earns: float = 0.0

    def also(self, answer: Any) -> "Mistake":
        """Declare another form of the same mistake, which the check cannot tell from it: `@drops_a_step.also`."""
        return replace(self, answer=answer)


@dataclass(frozen=True)
class Equivalent:
    """Another right answer, which must keep the point."""

    name: str
    answer: Any


@dataclass(frozen=True)
class Exercise:
    """One gradable thing. `id` is "assignment.name"; `harmless` are the mutants of its solution that are right answers,
    by change, formula or operator, each with the reason; `solution` is the notebook's, where it is known, and `borrows`
    the exercises that are taken from it while this one is judged; `parts` are the points of each part, by its name, if
    it has any; `tells_slips` says whether a message may say which slip in the solution gives the same numbers;
    `without` are the checks that judge a class whose methods of these names are not right."""

    id: str
    check: Check
    mistakes: tuple[Mistake, ...] = field(default=(), compare=False)
    equivalents: tuple[Equivalent, ...] = field(default=(), compare=False)
    harmless: Mapping[str, str] = field(default_factory=dict, compare=False)
    solution: Solution | None = field(default=None, compare=False)
    borrows: tuple[str, ...] = field(default=(), compare=False)
    parts: Mapping[str, float] = field(default_factory=dict, compare=False)
    tells_slips: bool = field(default=True, compare=False)
    without: Mapping[str, Check] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        return self.id.partition(".")[2]


def exercise(
    id: str, *, parts: Mapping[str, float] | None = None, without: Mapping[str, Check] | None = None
) -> Callable[[Check], Exercise]:
    """Declare a check: `@exercise("vae.gaussian_kl") def gaussian_kl(student, draw): …`.

    `parts` gives the points of each part by the name that students read, `parts={"the steps": 2, "the history": 1}`.
    Together they are the points that the notebook gives the exercise. `without` gives a check of what is left to judge
    of a class if one of its methods is not right and none of the course's can stand for it, by the method's name: its
    layers are the student's own. Raises ValueError for a single part, or one without points.
    """
    parts = dict(parts or {})
    if len(parts) == 1 or not all(points > 0 for points in parts.values()):
        raise ValueError(f"{id}: give at least two parts, each with its points, or none")
    return lambda check: Exercise(id, check, parts=parts, without=without or {})


def mistake(sentence: str, *, broad: bool = False, earns: float = 0.0) -> Callable[[Any], Mistake]:
    """Declare a wrong answer to the module's exercise; its name is that of the function or class below.

    `earns` are the points of those parts of the exercise that it has right, and must still get.
    """
    return lambda answer: Mistake(answer.__name__, sentence, answer, broad, earns)


def equivalent(answer: Any) -> Equivalent:
    """Declare another right answer to the module's exercise."""
    return Equivalent(answer.__name__, answer)


def exercise_of(module: ModuleType) -> Exercise:
    """The exercise that a module declares, with the mistakes and equivalents that stand in it, in their order, and the
    mutants that its HARMLESS names.

    Raises ValueError unless the module declares exactly one.
    """
    declared = list(vars(module).values())
    found = [item for item in declared if isinstance(item, Exercise)]
    if len(found) != 1:
        raise ValueError(f"{module.__name__} declares {len(found)} exercises: one @exercise a module")
    return replace(
        found[0],
        mistakes=tuple(item for item in declared if isinstance(item, Mistake)),
        equivalents=tuple(item for item in declared if isinstance(item, Equivalent)),
        harmless=vars(module).get("HARMLESS", {}),
    )
