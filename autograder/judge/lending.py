"""Toys of the judge's, lent to a student's process: its questions are answered, and remembered, here."""

import math
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor, nn

from autograder.judge.calling import Callback
from fixmelab.judged import wire
from fixmelab.judged.loans import Loan
from fixmelab.judged.toys import LENT

MOST_QUESTIONS = 5_000
MOST_BYTES = 2**28  # of all that a session asks, is answered and has differentiated
QUESTION_BYTES = 2**12  # what a question costs at least
MOST_ITEMS = 16  # arguments of a call
MOST_KEPT_BYTES = 2**26  # of what backward passes may still need
MOST_NUMBERS = 2**26  # of all that arguments of a loan may come to if they are broadcast
MOST_COUNT = 10_000  # of anything, in an argument of a loan
MOST_DEPTH = 8  # of questions within calls within questions

Answer = Callable[[bytes, Callable[[bytes], bytes]], bytes]  # to a question, and what calls the student's functions


class Lender:
    """What one session has lent. A toy is a usual object of the check's, which reads its records there."""

    def __init__(self) -> None:
        self._toys: list[Any] = []
        self._passes: list[tuple[list[Tensor], list[Any], Tensor]] = []
        self._questions = self._bytes = self._kept = 0
        self._calls: list[Callable[[bytes], bytes]] = []  # of the questions that are being answered

    def lend(self, toy: Any) -> wire.Lent:
        """What stands for `toy` on the wire, the same at each call."""
        number = next((number for number, known in enumerate(self._toys) if known is toy), len(self._toys))
        if number == len(self._toys):
            self._toys.append(toy)
        return wire.Lent(number, type(toy).__name__, {name: getattr(toy, name) for name in toy.shows})

    def answer(self, body: bytes, call: Callable[[bytes], bytes]) -> bytes:
        """The answer to a question. What a toy raises is an answer too. `call` calls functions of the student's.

        Raises WireError for what is no question, or one too many.
        """
        self._questions += 1
        self._spend(len(body) + QUESTION_BYTES)
        if len(self._calls) == MOST_DEPTH:
            raise wire.WireError("its calls of a function that it was given are nested too deeply")
        self._calls.append(call)
        try:
            return self._answered(body)
        finally:
            self._calls.pop()

    def _answered(self, body: bytes) -> bytes:
        anchor = torch.zeros((), requires_grad=True)
        question = wire.decode(body, lambda handle: Callback(handle.number, self._called, anchor))
        try:
            match question:
                case [int(number), "call", str(name), list(items), list(keys), list(moving), bool(training)]:
                    return wire.encode(self._call(self._toys[number], name, items, keys, moving, training, anchor))
                case [int(number), "back", int(call), list(upstream)]:
                    return wire.encode({"value": self._back(self._toys[number], call, upstream)})
        except wire.WireError:
            raise
        except Exception as error:
            return wire.encode({"raised": type(error).__name__, "text": str(error)[:2000]})
        raise wire.WireError("the frame is no question")

    def _called(self, request: list[Any]) -> dict[str, Any]:
        """The student's reply to a call of a function that they handed on. Raises RuntimeError for what it raises."""
        body = wire.encode(request)
        self._spend(len(body) + QUESTION_BYTES)
        frame = self._calls[-1](body)
        self._spend(len(frame))
        reply = wire.decode(frame)
        if not isinstance(reply, dict):
            raise wire.WireError("the frame is not a reply")
        if "raised" in reply:
            raise RuntimeError(f"{str(reply['raised'])[:100]}: {str(reply.get('text'))[:2000]}")
        return reply

    def _spend(self, count: int) -> None:
        """What costs the judge time and memory grows with the bytes that it handles."""
        self._bytes += count
        if self._questions > MOST_QUESTIONS or self._bytes > MOST_BYTES:
            raise wire.WireError("its calls of a network or function that it was given are too many")

    def _call(
        self,
        toy: Any,
        name: str,
        items: list[Any],
        keys: list[Any],
        moving: list[Any],
        training: bool,
        anchor: Tensor,
    ) -> dict[str, Any]:
        if type(toy).__name__ not in LENT or name not in toy.calls:
            raise AttributeError(f"{type(toy).__name__} has no {name!r}")
        if len(items) > MOST_ITEMS or len(set(moving)) != len(moving) or len(keys) > len(items):
            raise ValueError("a call has a few arguments, each by itself")
        # As many bytes as they have in the dtype of the toy's own numbers, before anything is done with them.
        self._spend(sum(8 * item.numel() for item in items if isinstance(item, Tensor)))
        if isinstance(toy, Loan):
            _require_modest(items)
        elif any(isinstance(item, Callback) for item in items):
            raise TypeError("a function cannot be handed to it")
        if (network := _network(toy)) is not None:
            network.train(training)
        leaves = [items[place].requires_grad_() for place in moving]
        args, kwargs = items[: len(items) - len(keys)], dict(zip(keys, items[len(items) - len(keys) :], strict=True))
        with torch.enable_grad():
            value = getattr(toy, name)(*args, **kwargs)
        outputs = list(value) if isinstance(value, tuple) else [value]
        numbers = [output for output in outputs if isinstance(output, Tensor)]
        self._spend(_bytes_of(numbers))
        # What has no graph here may be a part of one there, in which it gets no gradients.
        held = outputs if any(output.requires_grad for output in numbers) else [None] * len(outputs)
        self._kept += _bytes_of([*leaves, *(output for output in held if isinstance(output, Tensor))])
        if self._kept > MOST_KEPT_BYTES:
            raise wire.WireError("its calls of a network or function that it was given hold too much")
        self._passes.append((leaves, held, anchor))
        detached = [output.detach() if isinstance(output, Tensor) else output for output in outputs]
        return {"value": detached if isinstance(value, tuple) else detached[0], "call": len(self._passes) - 1}

    def _back(self, toy: Any, call: int, upstream: list[Any]) -> list[Tensor | None]:
        """By the moving items of the call and then, for what is or calls a module, by its parameters."""
        if call < 0:
            raise IndexError("no such call")
        leaves, outputs, anchor = self._passes[call]
        self._spend(_bytes_of([*leaves, *(output for output in outputs if isinstance(output, Tensor))]))
        pairs = [
            (output, gradient)
            for output, gradient in zip(outputs, upstream, strict=True)
            if gradient is not None and isinstance(output, Tensor) and output.requires_grad
        ]
        network = _network(toy)
        wanted = [*leaves, *(() if network is None else network.parameters())]
        if not pairs:
            return [None] * len(wanted)
        found, gradients = zip(*pairs, strict=True)
        by_all = torch.autograd.grad(found, [*wanted, anchor], gradients, retain_graph=True, allow_unused=True)
        return list(by_all[:-1])


def _network(toy: Any) -> nn.Module | None:
    return toy if isinstance(toy, nn.Module) else getattr(toy, "module", None)


def _require_modest(items: list[Any]) -> None:
    """The course's answers look at no sizes themselves. Raises ValueError for what could fill the judge's memory."""
    if any(isinstance(item, int) and abs(item) > MOST_COUNT for item in items):
        raise ValueError(f"a number is larger than {MOST_COUNT}")
    sizes = [item.shape[::-1] for item in items if isinstance(item, Tensor)]
    largest = [max(column) for column in zip_longest(*sizes, fillvalue=1)]
    if math.prod(largest) > MOST_NUMBERS:
        raise ValueError("the arguments are too large, or of shapes that do not go together")


def _bytes_of(tensors: list[Tensor]) -> int:
    return sum(tensor.numel() * tensor.itemsize for tensor in tensors)
