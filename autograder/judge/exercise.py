"""An exercise as an assignment writes it down: its check, known mistakes and equivalents, together in one module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    numbers goes before it.
    """

    name: str
    sentence: str
    answer: Any
    broad: bool = False

    def also(self, answer: Any) -> "Mistake":
        """Declare another form of the same mistake, which the check cannot tell from it: `@drops_a_step.also`."""
        return Mistake(self.name, self.sentence, answer, self.broad)


@dataclass(frozen=True)
class Equivalent:
    """Another right answer, which must keep the point."""

    name: str
    answer: Any


@dataclass(frozen=True)
class Exercise:
    """One gradable thing. `id` is "assignment.name"; `harmless` are the mutants of its solution that are right answers,
    by change, formula or operator, each with the reason; `solution` is the notebook's, where it is known."""

    id: str
    check: Check
    mistakes: tuple[Mistake, ...] = field(default=(), compare=False)
    equivalents: tuple[Equivalent, ...] = field(default=(), compare=False)
    harmless: Mapping[str, str] = field(default_factory=dict, compare=False)
    solution: Solution | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        return self.id.partition(".")[2]


def exercise(id: str) -> Callable[[Check], Exercise]:
    """Declare a check: `@exercise("vae.gaussian_kl") def gaussian_kl(student, draw): …`."""
    return lambda check: Exercise(id, check)


def mistake(sentence: str, *, broad: bool = False) -> Callable[[Any], Mistake]:
    """Declare a wrong answer to the module's exercise; its name is that of the function or class below."""
    return lambda answer: Mistake(answer.__name__, sentence, answer, broad)


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
    return Exercise(
        found[0].id,
        found[0].check,
        tuple(item for item in declared if isinstance(item, Mistake)),
        tuple(item for item in declared if isinstance(item, Equivalent)),
        vars(module).get("HARMLESS", {}),
    )
