"""Serves a judge's calls on a student's answer. Holds no reference, no expected value and no verdict."""

import traceback
from typing import Any

import torch

from fixmelab.executing.process_state import as_at_the_start, seeded
from fixmelab.judged import elsewhere, toys, wire
from fixmelab.judged.lent import Ask, Serve, StandIn, StandInMethod, StandInModule, stand_in
from fixmelab.judged.loans import Replaced

DRAWN = 8191  # a prime, so that no two rows of a matrix are the same


def _nobody(question: bytes, serve: Serve) -> bytes:
    raise wire.WireError("nobody is here to be asked")


class Probe:
    """Objects of the student's process, by handle, and the requests that a judge may make of them.

    Handle 0 is the answer itself. Requests are maps with the key `op`: `call`, `elsewhere`, `attribute`, `assign`,
    `gradient`, `redraw`, `parameters`, `nudge`, `render`, `make`, `replace`, `put_back`, `endow`, `drop`. A reply
    holds `value`, or `error` with `type`, `text` and `where`; and `changed`, the numbers of the arguments that were
    changed in place.

    While a request is served, `ask` brings questions about toys that the judge has lent to the judge. `names` are those
    of the notebook that the answer comes from, in which the judge may replace functions until `put_back` is called.
    """

    def __init__(self, answer: Any, ask: Ask = _nobody, names: dict[str, Any] | None = None) -> None:
        self._replaced = Replaced({} if names is None else names)
        self._objects = {0: answer}
        self._last = 0
        self._ask = ask
        self._borrowed: dict[int, StandIn | StandInModule] = {}

    def reply(self, body: bytes) -> bytes:
        """Return the reply body to a request body. The student's own exceptions are replies too."""
        try:
            request = wire.decode(body, self._resolve, self._borrow)
            with as_at_the_start():
                reply = getattr(self, f"_{request['op']}")(**request)
            return wire.encode(reply, self._keep)
        except (Exception, SystemExit) as error:
            return wire.encode({"error": _describe(error)})

    def put_back(self) -> None:
        """Take what was replaced back to where it was."""
        self._replaced.put_back()

    def _resolve(self, handle: wire.Handle) -> Any:
        return self._objects[handle.number]

    def _borrow(self, lent: wire.Lent) -> StandIn | StandInModule:
        if lent.number not in self._borrowed:
            self._borrowed[lent.number] = stand_in(lent, self._ask)
        return self._borrowed[lent.number]

    def _keep(self, item: Any) -> wire.Handle:
        self._last += 1
        self._objects[self._last] = item
        return wire.Handle(self._last, type(item).__name__)

    def _run(self, target: Any, name: str, args: list, kwargs: dict, seed: int) -> tuple[Any, list]:
        function = getattr(target, name) if name else target
        tensors = [(key, item) for key, item in enumerate(args) if isinstance(item, torch.Tensor)]
        tensors += [(key, item) for key, item in kwargs.items() if isinstance(item, torch.Tensor)]
        copies = [item.detach().clone().requires_grad_(item.requires_grad) for _, item in tensors]
        with seeded(seed):
            value = function(*args, **kwargs)
        changed = [key for (key, item), copy in zip(tensors, copies, strict=True) if not _is_still(item, copy)]
        return value, changed

    def _call(self, *, op: str, target: Any, name: str, args: list, kwargs: dict, seed: int, kept: bool) -> dict:
        value, changed = self._run(target, name, args, kwargs, seed)
        return {"value": self._keep(value) if kept else value, "changed": changed}

    def _elsewhere(self, *, op: str, target: Any, name: str, args: list, kwargs: dict, seed: int) -> dict:
        """Call it as if arguments and module lay on another device; only what it raises is told."""
        with seeded(seed):
            elsewhere.run(getattr(target, name) if name else target, args, kwargs)
        return {"value": None}

    def _attribute(self, *, op: str, target: Any, name: str) -> dict:
        """Of a tuple or list that has no such attribute: a list of its items' attributes."""
        if isinstance(target, list | tuple) and not hasattr(target, name):
            return {"value": [getattr(item, name) for item in target]}
        return {"value": getattr(target, name)}

    def _assign(self, *, op: str, target: Any, name: str, value: Any) -> dict:
        setattr(target, name, value)
        return {"value": None}

    def _gradient(
        self, *, op: str, target: Any, name: str, args: list, kwargs: dict, seed: int, wrt: Any, weights: list
    ) -> dict:
        """Gradient of sum_k <weights[k], output[k]> by the arguments numbered in `wrt`; where `wrt` is a module, the
        size of the largest entry for each of its parameters. None where an output carries no graph or does not depend
        on the argument."""
        if isinstance(wrt, torch.nn.Module):
            leaves = list(wrt.parameters())
        else:
            args = [_leaf(item) if number in wrt else item for number, item in enumerate(args)]
            leaves = [args[number] for number in wrt]
        with torch.enable_grad():
            value, _ = self._run(target, name, args, kwargs, seed)
            outputs = value if isinstance(value, list | tuple) else [value]
            terms = [
                (weight * output).sum()
                for weight, output in zip(weights, outputs, strict=True)
                if weight is not None and getattr(output, "requires_grad", False)
            ]
            if not terms:
                return {"value": [None] * len(leaves)}
            trained = [leaf for leaf in leaves if leaf.requires_grad]
            gradients = torch.autograd.grad(sum(terms), trained, allow_unused=True)
        found = {id(leaf): item for leaf, item in zip(trained, gradients, strict=True)}
        by_leaf = [found.get(id(leaf)) for leaf in leaves]
        if isinstance(wrt, torch.nn.Module):
            return {"value": [None if item is None else _largest(item) for item in by_leaf]}
        return {"value": by_leaf}

    def _redraw(self, *, op: str, target: Any, seed: int) -> dict:
        """Draw the matrices of the module `target` anew, with a standard deviation of 1.5 / √(fan-in), and tell whether
        all its layers have come into being: lazy ones do when they are first called.

        Vectors stay as they are, and so does a matrix that goes with other entries of the state (spectral or weight
        norm). All numbers come from some thousands, repeated: to draw millions takes longer than all else here.
        """
        state, drawn, place = target.state_dict(), torch.randn(DRAWN, generator=torch.Generator().manual_seed(seed)), 0
        for name, value in state.items():
            is_matrix = _is_there(value) and value.is_floating_point() and value.ndim >= 2
            goes_with_others = "parametrizations" in name or name.endswith(("_orig", "_v", "_g"))
            if is_matrix and value.numel() and not goes_with_others:
                enough = drawn.roll(-place).repeat(value.numel() // DRAWN + 1)[: value.numel()]
                state[name] = enough.mul_(1.5 / value[0].numel() ** 0.5).view(value.shape)
                place += value.numel()
        target.load_state_dict(state)
        return {"value": all(map(_is_there, target.parameters()))}

    def _parameters(self, *, op: str, target: Any) -> dict:
        """Names and shapes, in the order in which `_gradient` gives their sizes."""
        return {"value": [[name, list(item.shape)] for name, item in target.named_parameters()]}

    def _nudge(self, *, op: str, target: Any, name: str, seed: int) -> dict:
        """Add noise to one parameter, a tenth as large as _redraw would draw it."""
        parameter = target.get_parameter(name)
        noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))
        size = 0.15 / parameter[0].numel() ** 0.5 if parameter.ndim >= 2 and parameter.numel() else 0.05
        with torch.no_grad():
            parameter.add_((size * noise).to(parameter))
        return {"value": None}

    def _render(self, *, op: str, target: Any, pixels: int) -> dict:
        from fixmelab.judged.rendered import render  # here: only plots need matplotlib

        return {"value": render(target, pixels)}

    def _make(self, *, op: str, name: str, args: list) -> dict:
        return {"value": self._keep(toys.MADE[name](*args))}

    def _replace(self, *, op: str, names: dict) -> dict:
        """Put what is lent in the place of functions of the notebook."""
        for name, lent in names.items():
            self._replaced.put(name, lent)
        return {"value": None}

    def _put_back(self, *, op: str) -> dict:
        self.put_back()
        return {"value": None}

    def _endow(self, *, op: str, target: Any, methods: dict, own: list, state: dict | None) -> dict:
        """Put what is lent in the place of methods of an object, made of the class `target` if there is a state. It is
        handed the object's `own` methods."""
        if state is not None:
            target = _made_without_init(target, state)
        for name, lent in methods.items():
            setattr(target, name, StandInMethod(lent, target, own))
        return {"value": None if state is None else target}

    def _drop(self, *, op: str, number: int) -> dict:
        self._objects.pop(number, None)
        return {"value": None}


def _made_without_init(kind: type, state: dict) -> Any:
    """An object of a class whose __init__ is not called, with these attributes; a module's tensors are buffers."""
    made: Any = object.__new__(kind)
    if isinstance(made, torch.nn.Module):
        torch.nn.Module.__init__(made)
    for name, value in state.items():
        if isinstance(made, torch.nn.Module) and isinstance(value, torch.Tensor):
            made.register_buffer(name, value)
        else:
            setattr(made, name, value)
    return made


def _is_there(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and not torch.nn.parameter.is_lazy(value)


def _is_still(item: torch.Tensor, copy: torch.Tensor) -> bool:
    """Whether a tensor is what it was. Not by its version, which writing through `data` or NumPy leaves as it is."""
    if item.layout != torch.strided:
        item, copy = item.to_dense(), copy.to_dense()
    if item.dtype != copy.dtype or item.requires_grad != copy.requires_grad:
        return False
    return torch.equal(item.detach().nan_to_num(), copy.detach().nan_to_num())


def _leaf(item: torch.Tensor) -> torch.Tensor:
    return item.detach().clone().requires_grad_()


def _largest(gradient: torch.Tensor) -> float:
    """The size of its largest entry: NaN or infinite where any entry is, and 0 only where all are."""
    return float(gradient.abs().max()) if gradient.numel() else 0.0


def _describe(error: BaseException) -> dict:
    """Type, text and the line of the student's own cell, where the traceback passes through one."""
    where = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if "ipykernel" in frame.filename or "<ipython-input" in frame.filename:
            where = f"line {frame.lineno} of the cell: {frame.line}"
    return {"type": type(error).__name__, "text": str(error)[:2000], "where": where[:200]}
