"""What a judge lends to an answer in the place of other answers of the same student, and how it gets there and back."""

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from torch import nn


class Loan:
    """In the place of a student's function or method: the course's, which stays with the judge.

    Args:
        right: what is called; module: the network that it may call, a toy, if there is one.

    Attributes:
        asked: how often it was called.
    """

    calls, shows = ("__call__",), ()

    def __init__(self, right: Callable[..., Any], module: nn.Module | None = None) -> None:
        self._right, self.module = right, module
        self.asked = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return self._right(*args, **kwargs)


def _hand_on(*args: Any, _to: Callable[..., Any], **kwargs: Any) -> Any:
    return _to(*args, **kwargs)


class Replaced:
    """Functions of a notebook, in whose place others stand until they are put back.

    Args:
        names: the notebook's, which change.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._undo: list[Callable[[], object]] = []

    def put(self, name: str, stand_in: Callable[..., Any]) -> None:
        """Have `stand_in` called in the place of what is called `name`: also where a default argument, a list, a
        decorator or another name holds the function, if it is one of the notebook's."""
        own = self._names.get(name)
        inner = inspect.unwrap(own) if callable(own) else own
        if isinstance(inner, FunctionType) and inner.__globals__ is self._names and not inner.__code__.co_freevars:
            before = inner.__code__, inner.__defaults__, inner.__kwdefaults__
            self._undo.append(lambda: _set(inner, *before))
            _set(inner, _hand_on.__code__, None, {"_to": stand_in})
        if name in self._names:
            self._undo.append(lambda: self._names.__setitem__(name, own))
        else:
            self._undo.append(lambda: self._names.pop(name, None))
        self._names[name] = stand_in

    def put_back(self) -> None:
        """All as it was."""
        while self._undo:
            self._undo.pop()()


def _set(function: FunctionType, code: Any, defaults: Any, keyword_defaults: Any) -> None:
    function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, keyword_defaults
