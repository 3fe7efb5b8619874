"""Functions of a student's that they hand to what is lent: the judge calls them while it answers a question."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fixmelab.judged import wire

Ask = Callable[[list[Any]], dict[str, Any]]  # raises WireError for what is no reply


class Callback:
    """A function of the student's, by its number. `anchor` is a leaf by which all that it gives is reached."""

    def __init__(self, number: int, ask: Ask, anchor: Tensor) -> None:
        self._number, self._ask, self._anchor = number, ask, anchor

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives, a tensor or several. Raises RuntimeError for what it raises."""
        items, keys = [*args, *kwargs.values()], list(kwargs)
        moving = [place for place, item in enumerate(items) if isinstance(item, Tensor) and item.requires_grad]
        leaves = [items[place] for place in moving]
        return _Called.apply(self._ask, self._number, items, keys, moving, self._anchor, *leaves)


class _Called(torch.autograd.Function):
    """A call in a graph: both passes are the student's."""

    @staticmethod
    def forward(
        ctx: Any, ask: Ask, number: int, items: list[Any], keys: list[str], moving: list[int], *leaves: Tensor
    ) -> Any:
        plain = [item.detach() if isinstance(item, Tensor) else item for item in items]
        reply = ask(["call", number, plain, keys, moving])
        ctx.ask, ctx.call, ctx.leaves = ask, reply.get("call"), leaves[1:]  # the first is the anchor
        value = reply.get("value")
        outputs = value if isinstance(value, list) else [value]
        if not outputs or not all(isinstance(output, Tensor) for output in outputs):
            raise RuntimeError("a function that was handed on gives no tensor")
        return tuple(outputs) if isinstance(value, list) else value

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor | None) -> Any:
        found = ctx.ask(["back", ctx.call, list(upstream)]).get("value")
        if not isinstance(found, list) or len(found) != len(ctx.leaves) or not all(map(_fits, found, ctx.leaves)):
            raise wire.WireError("the frame is not a list of gradients")
        return (None,) * 6 + tuple(found)


def _fits(gradient: Any, leaf: Tensor) -> bool:
    return gradient is None or (
        isinstance(gradient, Tensor) and gradient.shape == leaf.shape and gradient.dtype == leaf.dtype
    )
