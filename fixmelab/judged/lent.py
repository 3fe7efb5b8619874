"""Toys that the judge lends to a student's process: what stands there for an object that stays with the judge.

A call of a stand-in travels to the judge as a question, and is answered and recorded there. Nothing about the toy can
be read here but what it shows, and where an answer differentiates through it, forward and backward pass are questions.
A function that an answer hands to what is lent stays here: the judge calls it while it answers.
"""

import builtins
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from fixmelab.judged import elsewhere, toys, wire

Serve = Callable[[bytes], bytes]
Ask = Callable[[bytes, Serve], bytes]  # a question, and what serves the calls that the judge makes while it answers


class Called:
    """Functions and modules that an answer hands to what is lent. The judge calls them while it answers a question."""

    def __init__(self) -> None:
        self._functions: list[Callable] = []
        self._leaves: list[list[Tensor]] = []
        self._outputs: list[list[Tensor]] = []
        self._upstream: dict[int, list[Tensor | None]] = {}

    def keep(self, item: Any) -> wire.Handle:
        """What stands for a function on the wire. Raises WireError for anything else."""
        if not callable(item):
            raise wire.WireError(f"a {type(item).__name__} cannot travel over the wire")
        self._functions.append(item)
        return wire.Handle(len(self._functions) - 1, "function")

    def serve(self, body: bytes) -> bytes:
        """The reply to a call of a function, or to a backward pass through an earlier one; also what it raises."""
        try:
            match wire.decode(body):
                case ["call", number, items, keys, moving]:
                    return wire.encode(self._call(self._functions[number], items, keys, moving))
                case ["back", call, upstream]:
                    return wire.encode({"value": self._back(call, upstream)})
        except Exception as error:
            return wire.encode({"raised": type(error).__name__, "text": str(error)[:2000]})
        raise wire.WireError("the judge sent what is no call")

    def _call(self, function: Callable, items: list, keys: list[str], moving: list[int]) -> dict:
        leaves = [items[place].requires_grad_() for place in moving]
        split = len(items) - len(keys)
        with torch.enable_grad():
            value = function(*items[:split], **dict(zip(keys, items[split:], strict=True)))
        self._leaves.append(leaves)
        self._outputs.append(list(value) if isinstance(value, list | tuple) else [value])
        return {"value": value, "call": len(self._leaves) - 1}

    def _back(self, call: int, upstream: list[Tensor | None]) -> list[Tensor | None]:
        self._upstream[call] = upstream
        leaves, outputs = self._leaves[call], self._outputs[call]
        pairs = [pair for pair in zip(outputs, upstream, strict=True) if pair[1] is not None and _moves(pair[0])]
        if not pairs or not leaves:
            return [None] * len(leaves)
        found, gradients = zip(*pairs, strict=True)
        return list(torch.autograd.grad(found, leaves, gradients, retain_graph=True, allow_unused=True))

    def moving(self) -> list[Tensor]:
        """All outputs that carry a graph, which may lead to more than the judge can see."""
        return [output for outputs in self._outputs for output in outputs if _moves(output)]

    def pulls(self) -> list[Tensor | None]:
        """Gradients by these, of the last backward pass."""
        found: list[Tensor | None] = []
        for call, outputs in enumerate(self._outputs):
            upstream = self._upstream.get(call, [None] * len(outputs))
            found += [pull for output, pull in zip(outputs, upstream, strict=True) if _moves(output)]
        self._upstream.clear()
        return found


def _moves(item: Any) -> bool:
    return isinstance(item, Tensor) and item.requires_grad


class Line:
    """The way to one toy of the judge's."""

    def __init__(self, ask: Ask, number: int) -> None:
        self._ask = ask
        self._number = number

    def __deepcopy__(self, _: dict) -> "Line":
        return self  # a copy of a model is shown the same toy

    def call(self, name: str, items: list, keys: list[str], moving: list[int], training: bool, called: Called) -> dict:
        """Have the toy's method `name` called; the last of `items` are keyword arguments, called `keys`.

        `moving` are the places of items by which may be differentiated; functions among the items are `called` here.
        Raises what the toy raises.
        """
        return self._question([self._number, "call", name, items, keys, moving, training], called)

    def back(self, call: int, upstream: list[Tensor | None], called: Called) -> list[Tensor | None]:
        """Gradients by the moving items of an earlier call, from those by its outputs."""
        return self._question([self._number, "back", call, upstream], called)["value"]

    def _question(self, question: list, called: Called) -> dict:
        answer = wire.decode(self._ask(wire.encode(question, called.keep), called.serve))
        if "raised" in answer:
            kind: Any = getattr(builtins, answer["raised"], None)
            is_error = isinstance(kind, type) and issubclass(kind, Exception)
            raise (kind if is_error else RuntimeError)(answer["text"])
        return answer


class _Asked(torch.autograd.Function):
    """A call of a toy in a graph: the backward pass, too, is the judge's."""

    @staticmethod
    def forward(ctx: Any, line: Line, answer: dict, items: list, called: Called, count: int, *leaves: Tensor) -> Any:
        """The first `count` leaves are the call's own, the others outputs of functions that were called meanwhile."""
        ctx.line, ctx.call, ctx.called = line, answer["call"], called
        ctx.devices = [leaf.device for leaf in leaves[:count]]
        return _placed(answer["value"], items)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor | None) -> Any:
        found = ctx.line.back(ctx.call, list(upstream), ctx.called)
        pairs = zip(found, ctx.devices, strict=False)  # a module's parameters may be more than the one that stands here
        own = tuple(item if item is None else item.to(device) for item, device in pairs)
        return (None,) * 5 + own + tuple(ctx.called.pulls())


def _placed(value: Any, items: list) -> Any:
    """What came from the judge, on the device of the first tensor that went there."""
    device = next((item.device for item in items if isinstance(item, Tensor)), None)
    if isinstance(value, list):
        return tuple(_placed(item, items) for item in value)
    return value.to(device) if isinstance(value, Tensor) and device is not None else value


def _asked(
    line: Line, name: str, args: tuple, kwargs: dict, anchor: Tensor | None = None, training: bool = True
) -> Any:
    items, keys = [_dense(item) for item in (*args, *kwargs.values())], list(kwargs)
    return elsewhere.ask(lambda: _answered(line, name, items, keys, anchor, training), items, name)


def _dense(item: Any) -> Any:
    return item.to_dense() if isinstance(item, Tensor) and item.layout != torch.strided else item


def _answered(line: Line, name: str, items: list, keys: list[str], anchor: Tensor | None, training: bool) -> Any:
    is_moving = torch.is_grad_enabled()
    moving = [place for place, item in enumerate(items) if is_moving and _moves(item)]
    called = Called()
    answer = line.call(name, items, keys, moving, training, called)
    leaves = [items[place] for place in moving] + ([] if anchor is None else [anchor])
    others = called.moving() if is_moving else []
    if is_moving and (leaves or others):
        return _Asked.apply(line, answer, items, called, len(leaves), *leaves, *others)
    return _placed(answer["value"], items)


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


class StandInMethod:
    """Stands for a method of `owner`, an object of the student's, whose toy network it calls if it has one.

    The methods named in `own` are handed to it before all arguments.
    """

    def __init__(self, whole: StandIn, owner: Any, own: list[str]) -> None:
        self._line, self._owner, self._own = whole._line, owner, own
        inner = owner.modules() if isinstance(owner, nn.Module) else ()
        self._network = [module for module in inner if isinstance(module, StandInModule)][:1]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args = (*(getattr(self._owner, name) for name in self._own), *args)
        if not self._network:
            return _asked(self._line, "__call__", args, kwargs)
        (network,) = self._network
        return _asked(self._line, "__call__", args, kwargs, network.weight, network.inside.training)


def stand_in(lent: wire.Lent, ask: Ask) -> StandIn | StandInModule:
    """What stands for a toy that the judge lends."""
    kind = toys.LENT[lent.kind]
    made = StandInModule if issubclass(kind, nn.Module) else StandIn
    return made(Line(ask, lent.number), kind.calls, lent.shown)
