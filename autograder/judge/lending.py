"""Toys of the judge's, lent to a student's process: its questions are answered, and remembered, here."""

from typing import Any

import torch
from torch import Tensor, nn

from fixmelab.judged import wire
from fixmelab.judged.toys import LENT

MOST_QUESTIONS = 5_000
MOST_BYTES = 2**28  # of all that a session asks, is answered and has differentiated
QUESTION_BYTES = 2**12  # what a question costs at least
MOST_ITEMS = 16  # arguments of a call
MOST_KEPT_BYTES = 2**26  # of what backward passes may still need


class Lender:
    """What one session has lent. A toy is a usual object of the check's, which reads its records there."""

    def __init__(self) -> None:
        self._toys: list[Any] = []
        self._passes: list[tuple[list[Tensor], list[Tensor]]] = []
        self._questions = self._bytes = self._kept = 0

    def lend(self, toy: Any) -> wire.Lent:
        """What stands for `toy` on the wire, the same at each call."""
        number = next((number for number, known in enumerate(self._toys) if known is toy), len(self._toys))
        if number == len(self._toys):
            self._toys.append(toy)
        return wire.Lent(number, type(toy).__name__, {name: getattr(toy, name) for name in toy.shows})

    def answer(self, body: bytes) -> bytes:
        """The answer to a question. What a toy raises is an answer too.

        Raises WireError for what is no question, or one too many.
        """
        self._questions += 1
        self._spend(len(body) + QUESTION_BYTES)
        question = wire.decode(body)
        try:
            match question:
                case [int(number), "call", str(name), list(items), list(keys), list(moving), bool(training)]:
                    return wire.encode(self._call(self._toys[number], name, items, keys, moving, training))
                case [int(number), "back", int(call), list(upstream)]:
                    return wire.encode({"value": self._back(self._toys[number], call, upstream)})
        except wire.WireError:
            raise
        except Exception as error:
            return wire.encode({"raised": type(error).__name__, "text": str(error)[:2000]})
        raise wire.WireError("the frame is no question")

    def _spend(self, count: int) -> None:
        """What costs the judge time and memory grows with the bytes that it handles."""
        self._bytes += count
        if self._questions > MOST_QUESTIONS or self._bytes > MOST_BYTES:
            raise wire.WireError("its calls of a network or function that it was given are too many")

    def _call(
        self, toy: Any, name: str, items: list[Any], keys: list[Any], moving: list[Any], training: bool
    ) -> dict[str, Any]:
        if type(toy).__name__ not in LENT or name not in toy.calls:
            raise AttributeError(f"{type(toy).__name__} has no {name!r}")
        if len(items) > MOST_ITEMS or len(set(moving)) != len(moving) or len(keys) > len(items):
            raise ValueError("a call has a few arguments, each by itself")
        # As many bytes as they have in the dtype of the toy's own numbers, before anything is done with them.
        self._spend(sum(8 * item.numel() for item in items if isinstance(item, Tensor)))
        if isinstance(toy, nn.Module):
            toy.train(training)
        leaves = [items[place].requires_grad_() for place in moving]
        args, kwargs = items[: len(items) - len(keys)], dict(zip(keys, items[len(items) - len(keys) :], strict=True))
        with torch.enable_grad():
            value = getattr(toy, name)(*args, **kwargs)
        outputs = list(value) if isinstance(value, tuple) else [value]
        self._spend(_bytes_of(outputs))
        if any(output.requires_grad for output in outputs):
            self._kept += _bytes_of([*leaves, *outputs])
            if self._kept > MOST_KEPT_BYTES:
                raise wire.WireError("its calls of a network or function that it was given hold too much")
            self._passes.append((leaves, outputs))
        detached = [output.detach() for output in outputs]
        return {"value": detached if isinstance(value, tuple) else detached[0], "call": len(self._passes) - 1}

    def _back(self, toy: Any, call: int, upstream: list[Any]) -> list[Tensor | None]:
        """By the moving items of the call and then, for a module, by its parameters."""
        if call < 0:
            raise IndexError("no such call")
        leaves, outputs = self._passes[call]
        self._spend(_bytes_of([*leaves, *outputs]))
        pairs = [
            (output, gradient)
            for output, gradient in zip(outputs, upstream, strict=True)
            if gradient is not None and output.requires_grad
        ]
        wanted = [*leaves, *(toy.parameters() if isinstance(toy, nn.Module) else ())]
        if not pairs or not wanted:
            return [None] * len(wanted)
        found, gradients = zip(*pairs, strict=True)
        return list(torch.autograd.grad(found, wanted, gradients, retain_graph=True, allow_unused=True))


def _bytes_of(tensors: list[Tensor]) -> int:
    return sum(tensor.numel() * tensor.itemsize for tensor in tensors)
