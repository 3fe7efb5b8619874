"""Toys that the judge lends to a student's process: what stands there for an object that stays with the judge.

A call of a stand-in travels to the judge as a question, and is answered and recorded there. Nothing about the toy can
be read here but what it shows, and where an answer differentiates through it, forward and backward pass are questions.
"""

import builtins
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from fixmelab.judged import elsewhere, toys, wire

Ask = Callable[[bytes], bytes]


class Line:
    """The way to one toy of the judge's."""

    def __init__(self, ask: Ask, number: int) -> None:
        self._ask = ask
        self._number = number

    def __deepcopy__(self, _: dict) -> "Line":
        return self  # a copy of a model is shown the same toy

    def call(self, name: str, items: list, keys: list[str], moving: list[int], training: bool) -> dict:
        """Have the toy's method `name` called; the last of `items` are keyword arguments, called `keys`.

        `moving` are the places of items by which may be differentiated. Raises what the toy raises.
        """
        return self._question([self._number, "call", name, items, keys, moving, training])

    def back(self, call: int, upstream: list[Tensor | None]) -> list[Tensor | None]:
        """Gradients by the moving items of an earlier call, from those by its outputs."""
        return self._question([self._number, "back", call, upstream])["value"]

    def _question(self, question: list) -> dict:
        answer = wire.decode(self._ask(wire.encode(question)))
        if "raised" in answer:
            kind: Any = getattr(builtins, answer["raised"], None)
            is_error = isinstance(kind, type) and issubclass(kind, Exception)
            raise (kind if is_error else RuntimeError)(answer["text"])
        return answer


class _Asked(torch.autograd.Function):
    """A call of a toy in a graph: both passes are the judge's."""

    @staticmethod
    def forward(
        ctx: Any,
        line: Line,
        name: str,
        items: list,
        keys: list[str],
        moving: list[int],
        training: bool,
        *leaves: Tensor,
    ) -> Any:
        answer = line.call(name, items, keys, moving, training)
        ctx.line, ctx.call, ctx.devices = line, answer["call"], [leaf.device for leaf in leaves]
        return _placed(answer["value"], items)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor | None) -> Any:
        found = ctx.line.back(ctx.call, list(upstream))
        pairs = zip(found, ctx.devices, strict=False)  # a module's parameters may be more than the one that stands here
        return (None,) * 6 + tuple(item if item is None else item.to(device) for item, device in pairs)


def _placed(value: Any, items: list) -> Any:
    """What came from the judge, on the device of the first tensor that went there."""
    device = next((item.device for item in items if isinstance(item, Tensor)), None)
    if isinstance(value, list):
        return tuple(_placed(item, items) for item in value)
    return value.to(device) if isinstance(value, Tensor) and device is not None else value


def _asked(
    line: Line, name: str, args: tuple, kwargs: dict, anchor: Tensor | None = None, training: bool = True
) -> Any:
    items, keys = [*args, *kwargs.values()], list(kwargs)
    return elsewhere.ask(lambda: _answered(line, name, items, keys, anchor, training), items, name)


def _answered(line: Line, name: str, items: list, keys: list[str], anchor: Tensor | None, training: bool) -> Any:
    moving = [place for place, item in enumerate(items) if isinstance(item, Tensor) and item.requires_grad]
    if torch.is_grad_enabled() and (moving or anchor is not None):
        leaves = [items[place] for place in moving] + ([] if anchor is None else [anchor])
        return _Asked.apply(line, name, items, keys, moving, training, *leaves)
    return _placed(line.call(name, items, keys, [], training)["value"], items)


class StandIn:
    """Stands for a toy that is no module. What the toy shows are attributes."""

    def __init__(self, line: Line, calls: tuple[str, ...], shown: dict[str, int]) -> None:
        self._line, self._calls = line, calls
        vars(self).update(shown)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__getattr__("__call__")(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name not in vars(self).get("_calls", ()):
            raise AttributeError(f"a toy of the judge's has no attribute {name!r}")
        return lambda *args, **kwargs: _asked(self._line, name, args, kwargs)


class StandInModule(nn.Module):
    """Stands for a toy that is a module: it has a parameter, by which gradients tell that they arrived, and a mode."""

    def __init__(self, line: Line, calls: tuple[str, ...], shown: dict[str, int]) -> None:
        super().__init__()
        self._line, self._calls = line, calls
        self.weight = nn.Parameter(torch.ones(()))
        self.inside = nn.Identity()  # eval() reaches it, an attribute that is set does not
        vars(self).update(shown)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.__getattr__("forward")(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in vars(self).get("_calls", ()):
            return lambda *args, **kwargs: _asked(self._line, name, args, kwargs, self.weight, self.inside.training)
        return super().__getattr__(name)


def stand_in(lent: wire.Lent, ask: Ask) -> StandIn | StandInModule:
    """What stands for a toy that the judge lends."""
    kind = toys.LENT[lent.kind]
    made = StandInModule if issubclass(kind, nn.Module) else StandIn
    return made(Line(ask, lent.number), kind.calls, lent.shown)
