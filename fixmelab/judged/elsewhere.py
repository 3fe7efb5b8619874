"""Runs an answer as if its arguments lay on another device, where there is none: on a GPU, say.

All numbers are computed as usual. But it is noted which tensors follow from the arguments, and which were made without
a device, such as torch.rand(n, k), and would lie on the CPU. If two of them meet, PyTorch would stop, and so does this.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

_MOVES = (Tensor.to, Tensor.type_as, Tensor.copy_, Tensor.cpu, Tensor.cuda)  # from one device to another
_ITEMS = (Tensor.__getitem__, Tensor.__setitem__)


class OtherDevice(RuntimeError):
    """A tensor that would lie on the CPU met one that lies where the arguments do, or was returned."""


class Elsewhere(TorchFunctionMode):
    """While it is entered, `there` are on the other device. Raises OtherDevice where a tensor of the CPU meets them.

    A tensor of which neither is known, such as one that was made before, may meet any. So may one without dimensions,
    as on a GPU.
    """

    def __init__(self, there: Iterable[Any]) -> None:
        super().__init__()
        self._is_there = WeakIdKeyDictionary()  # True: with the arguments; False: on the CPU
        self._is_paused = False
        self._mark(list(there), True)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if self._is_paused:
            return func(*args, **kwargs)
        given = [*_tensors(args), *_tensors(list(kwargs.values()))]
        if func in _ITEMS:  # an index may lie on the CPU, and a slice is filled from anywhere
            if self._knows(args[0], False) and args[0].ndim and self._any_there(_tensors(args[1])):
                raise _meeting("indexing")
        elif func not in _MOVES:
            self.meet(given, getattr(func, "__name__", "a function"))
        value = func(*args, **kwargs)
        if func in _MOVES:
            is_moved = kwargs.get("device") is not None or any(not isinstance(item, torch.dtype) for item in args[1:])
            place = True if is_moved else self._is_there.get(args[0])
        elif given:
            place = self._place_of(given)
        else:
            place = kwargs.get("device") is not None
        if place is not None:
            self._mark(value, place)
        return value

    def meet(self, items: Iterable[Any], name: str) -> None:
        """Raise OtherDevice if some of the items are on the CPU and others are not."""
        tensors = list(_tensors(list(items)))
        if self._any_there(tensors) and any(self._knows(item, False) and item.ndim for item in tensors):
            raise _meeting(name)

    def ask(self, answer: Callable[[], Any], items: list, name: str) -> Any:
        """What the judge answers to a question with these items; how it is brought is no part of an answer."""
        self.meet(items, name)
        self._is_paused = True
        try:
            value = answer()
        finally:
            self._is_paused = False
        if (place := self._place_of(list(_tensors(items)))) is not None:
            self._mark(value, place)
        return value

    def require(self, value: Any) -> None:
        """Raise OtherDevice if what an answer returns would lie on the CPU."""
        if any(self._knows(item, False) and item.ndim for item in _tensors(value)):
            raise OtherDevice("a result lies on the CPU; its arguments need not")

    def _place_of(self, given: list[Tensor]) -> bool | None:
        if any(self._knows(item, True) for item in given):
            return True
        return False if given and all(self._knows(item, False) for item in given) else None

    def _knows(self, item: Any, place: bool) -> bool:
        return isinstance(item, Tensor) and self._is_there.get(item) is place

    def _any_there(self, items: Iterable[Any]) -> bool:
        return any(self._knows(item, True) and item.ndim for item in items)

    def _mark(self, value: Any, place: bool) -> None:
        for item in _tensors(value):
            self._is_there[item] = place


_entered: list[Elsewhere] = []


def run(function: Callable, args: list, kwargs: dict) -> None:
    """Call `function` as if arguments, what they hold, and its module's parameters and buffers lay on another device.

    Raises OtherDevice if that would not work.
    """
    owner = getattr(function, "__self__", function)
    state = [*owner.parameters(), *owner.buffers()] if isinstance(owner, torch.nn.Module) else []
    held = [vars(item) for item in args if hasattr(item, "__dict__") and not isinstance(item, Tensor)]  # a graph's
    mode = Elsewhere([*args, *kwargs.values(), *state, *held])
    _entered.append(mode)
    try:
        with mode:
            value = function(*args, **kwargs)
        mode.require(value)
    finally:
        _entered.pop()


def ask(answer: Callable[[], Any], items: list, name: str) -> Any:
    """Around a question to the judge: a toy, too, is asked with tensors of one device, and answers on it."""
    return _entered[-1].ask(answer, items, name) if _entered else answer()


def _meeting(name: str) -> OtherDevice:
    return OtherDevice(f"{name} met a tensor of the CPU and one of the arguments' device")


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested lists, tuples and maps."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
