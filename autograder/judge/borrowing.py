"""What the course lends while an answer is judged that uses others of the student's: its own answers to those."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from fixmelab.judged.loans import Loan
from fixmelab.judged.probe import Probe
from fixmelab.judged.toys import LENT


@dataclass(frozen=True)
class Twin:
    """What the course makes of the arguments of a student's class, to whose object its methods are lent."""

    made: Any
    methods: Mapping[str, Loan]
    own: tuple[str, ...]  # methods that stay the student's, and are called by those that are lent
    state: Mapping[str, Any] | None

    def assign(self, name: str, value: Any) -> None:
        """What a check sets on the student's object holds for the twin, too."""
        setattr(self.made, name, value)

    def redraw(self, seed: int) -> None:
        """What Remote.redraw does."""
        Probe(None)._redraw(op="redraw", target=self.made, seed=seed)


@dataclass
class Borrowing:
    """Exercises by name, taken from the notebook's solution.

    Args:
        names: of the exercises; right: what the solution defines, by name; kind: the name of the class that is judged,
            or of the function.
    """

    names: tuple[str, ...]
    right: Mapping[str, Any] = field(repr=False)
    kind: str = ""
    _loans: list[Loan] = field(default_factory=list)
    _has_made: bool = False

    @property
    def was_asked(self) -> bool:
        """Whether the student's answer used anything of it."""
        return self._has_made or any(loan.asked for loan in self._loans)

    def functions(self) -> dict[str, Loan]:
        """What takes the place of functions of the student's notebook."""
        found = {name: self.right[name] for name in self.names if callable(self.right.get(name))}
        return {name: self._loan(one) for name, one in found.items() if not isinstance(one, type)}

    def twin(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Twin | None:
        """The twin of an object that the student's class makes of toys and plain values, if any of its methods, or how
        it is made, is to be lent.

        Raises whatever the class raises.
        """
        kind = self.right.get(self.kind)
        methods = [name for name in self.names if isinstance(kind, type) and callable(getattr(kind, name, None))]
        if not isinstance(kind, type) or not (methods or self.kind in self.names):
            return None
        made = kind(*args, **kwargs)
        toys = [one for one in (*args, *kwargs.values()) if isinstance(one, torch.nn.Module)]
        has_layers = isinstance(made, torch.nn.Module) and not toys and any(True for _ in made.parameters())
        own = tuple(name for name in vars(kind) if has_layers and name[0] != "_" and name not in self.names)
        loans = {name: self._loan(_with(made, own, name), toys[0] if toys else None) for name in methods}
        state = _state(made) if self.kind in self.names else None
        self._has_made |= state is not None
        return Twin(made, loans, own, state)

    def _loan(self, right: Any, module: torch.nn.Module | None = None) -> Loan:
        self._loans.append(Loan(right, module))
        return self._loans[-1]


def _with(made: Any, own: tuple[str, ...], name: str) -> Callable[..., Any]:
    """A method of the course's object, which is first given the student's for others of its methods."""

    def called(*args: Any, **kwargs: Any) -> Any:
        for other, method in zip(own, args, strict=False):
            setattr(made, other, method)
        return getattr(made, name)(*args[len(own) :], **kwargs)

    return called


def _state(made: Any) -> dict[str, Any] | None:
    """All that an object holds, if it can travel: toys, plain values and tensors that are no parameters; else None."""
    if not isinstance(made, torch.nn.Module):
        return dict(vars(made))
    held = dict(made.named_children())
    if any(type(one).__name__ not in LENT for one in held.values()) or any(
        True for _ in made.parameters(recurse=False)
    ):
        return None
    inside = set(vars(torch.nn.Module()))
    plain = {name: value for name, value in vars(made).items() if name not in inside}
    return {**plain, **dict(made.named_buffers(recurse=False)), **held}
