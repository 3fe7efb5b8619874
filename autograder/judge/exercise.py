"""An exercise as an assignment writes it down: its check, known mistakes and equivalents."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from autograder.judge.draw import Draw
from autograder.judge.student import Remote

Check = Callable[[Remote, Draw], None]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that must lose the point, and the sentence that a student should read."""

    exercise: str
    name: str
    sentence: str
    answer: Any


@dataclass(frozen=True)
class Equivalent:
    """Another right answer, which must keep the point."""

    exercise: str
    name: str
    answer: Any


@dataclass(frozen=True)
class Exercise:
    """One gradable thing. `id` is "assignment.name"."""

    id: str
    check: Check
    mistakes: tuple[Mistake, ...] = field(default=(), compare=False)
    equivalents: tuple[Equivalent, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        return self.id.partition(".")[2]


def exercise(id: str) -> Callable[[Check], Exercise]:
    """Declare a check: `@exercise("vae.gaussian_kl") def gaussian_kl(student, draw): …`."""
    return lambda check: Exercise(id, check)


def mistake(exercise: str, sentence: str, name: str | None = None) -> Callable[[Any], Mistake]:
    """Declare a wrong answer to `exercise`; its name is that of the function or class below, unless one is given."""
    return lambda answer: Mistake(exercise, name or answer.__name__, sentence, answer)


def equivalent(exercise: str) -> Callable[[Any], Equivalent]:
    """Declare another right answer to `exercise`."""
    return lambda answer: Equivalent(exercise, answer.__name__, answer)


def collect(checks: ModuleType, answers: ModuleType) -> dict[str, Exercise]:
    """Exercises by id, from a module of checks and a module of mistakes and equivalents.

    Raises ValueError where an answer belongs to no exercise.
    """
    found = {item.id: item for item in vars(checks).values() if isinstance(item, Exercise)}
    names = {item.name for item in found.values()}
    mistakes = [item for item in vars(answers).values() if isinstance(item, Mistake)]
    equivalents = [item for item in vars(answers).values() if isinstance(item, Equivalent)]
    for item in (*mistakes, *equivalents):
        if item.exercise not in names:
            raise ValueError(f"{answers.__name__}: {item.name} is an answer to {item.exercise!r}, which has no check")
    return {
        id: Exercise(
            id,
            item.check,
            tuple(other for other in mistakes if other.exercise == item.name),
            tuple(other for other in equivalents if other.exercise == item.name),
        )
        for id, item in found.items()
    }
