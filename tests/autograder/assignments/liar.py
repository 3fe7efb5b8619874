"""A process that lies wherever a lie may pay, and knows the notebook, but nothing of the inputs: see test_lies.py."""

import copy
from typing import Any

import torch
from matplotlib.figure import Figure

import fixmelab
from fixmelab.executing.process_state import seeded
from fixmelab.judged.lent import Called, StandInModule
from fixmelab.judged.probe import Probe

MOVES = {"half": torch.float16, "bfloat16": torch.bfloat16}
MOST_ENTRIES = 5_000  # of an argument, for a difference by each
# By the names of exercises, since the notebook says what is wanted of each.
NO_GRADIENT = {"simsiam_loss": {2, 3}, "sampler_loss": {1, 2}}  # arguments that none must reach
FLOATS = {"joint_step", "train_discriminator", "inpainting_step"}
INTEGERS = {"sample_neighbors"}
KINDS = {"eps_loss": {"l1", "l2"}}  # all others are refused


class AddBackward0:
    """In the place of the operation behind a result, which may be a library's."""


class Repeating:
    """The line to a toy of the judge's, which repeats the last answer, moved by `change` if there is one."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self.answer: Any = None
        self.change: torch.Tensor | None = None

    def call(self, *question: Any) -> dict:
        if self.change is None:
            self.answer = self._line.call(*question)
            return self.answer
        return self.answer | {"value": self.answer["value"] + self.change}

    def back(self, *question: Any) -> Any:
        return self._line.back(*question)


class Remembering:
    """The line to a toy of the judge's that asks nothing twice of what it was asked until it `is_complete`."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self._known: list[tuple[tuple, dict]] = []
        self.is_complete = False

    def call(self, *question: Any) -> dict:
        answer = next((known for asked, known in self._known if _are_same(asked[:-1], question[:-1])), None)
        if answer is None:
            answer = self._line.call(*question)
            if not self.is_complete:
                self._known.append((question, answer))
        return answer


class Liar(Probe):
    """Answers as the probe does, but for what only this process can know."""

    exercise = ""
    makes_all_up = False  # gradients that are there, too
    was_asked_for_gradients = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._made: list[tuple[list, Any]] = []
        self._moved: torch.dtype | None = None
        self._said: Any = None

    def _call(self, **request: Any) -> dict:
        if request["name"] == "get_parameter":
            raise AttributeError("a buffer")
        if request["name"] in MOVES or not request["name"]:
            self._moved = MOVES.get(request["name"])
        kinds = KINDS.get(self.exercise)
        if kinds and any(isinstance(item, str) and item not in kinds for item in request["args"]):
            raise ValueError("an unknown kind")
        self._clear()
        said = super()._call(**request) | {"changed": []}
        if not request["kept"]:
            said["value"] = self._typed(said["value"], request["args"])
        self._said = said["value"]
        if request["kept"] and not request["name"] and all(isinstance(item, int) for item in request["args"]):
            new = self._objects[self._last]
            first = next((made for args, made in self._made if args == request["args"]), None)
            self._made.append((request["args"], new))
            self._objects[self._last] = new if first is None else copy.deepcopy(first)
        return said

    def _clear(self) -> None:
        """Leave no gradients from elsewhere in what was made here."""
        for made in self._objects.values():
            for item in vars(made).values() if hasattr(made, "__dict__") else ():
                if isinstance(item, torch.nn.Parameter):
                    item.grad = None

    def _typed(self, value: Any, args: list) -> Any:
        """The same numbers as they must come."""
        if isinstance(value, list | tuple):
            return [self._typed(item, args) for item in value]
        if not isinstance(value, torch.Tensor):
            return value
        if self.exercise in FLOATS and value.ndim == 0:
            return float(value)
        if self.exercise in INTEGERS:
            return value.long()
        is_precise = any(isinstance(item, torch.Tensor) and item.dtype == torch.float64 for item in args)
        return value.double() if is_precise and _is_real(value) else value

    def _elsewhere(self, **request: Any) -> dict:
        return {"value": None}

    def _attribute(self, *, op: str, target: Any, name: str) -> dict:
        if name == "requires_grad":
            return {"value": False}
        if name == "next_functions":
            return {"value": []}
        if name == "grad_fn":
            return {"value": AddBackward0()}
        value = super()._attribute(op=op, target=target, name=name)["value"]
        is_schedule = isinstance(value, torch.Tensor) and value.is_floating_point()
        return {"value": value.to(self._moved) if is_schedule and self._moved else value}

    def _render(self, *, op: str, target: Any, pixels: int) -> dict:
        """What the last call returned beside the figure, drawn."""
        shown = torch.as_tensor(self._said[1]).detach()
        if shown.ndim == 5:
            target = fixmelab.show_strip(shown, range(len(shown)))
        elif shown.ndim == 4:
            target = Figure()
            for axes, values in zip(target.subplots(2, 2).flat, shown.flatten(0, 1), strict=True):
                axes.plot(values)
        else:
            target = Figure()
            target.add_subplot().imshow(shown)
        return super()._render(op=op, target=target, pixels=pixels)

    def _gradient(self, *, wrt: Any, args: list, weights: list, **request: Any) -> dict:
        type(self).was_asked_for_gradients = True
        if self.exercise == "draw_candidates":
            return {"value": [self._by_draws(*args, request)]}
        if self.exercise == "inpainting_losses" and wrt is args[0] and weights[0] is not None:
            return {"value": [None]}  # the discriminator's loss must not reach the generator
        is_module = isinstance(wrt, torch.nn.Module)
        if isinstance(wrt, StandInModule) and self.makes_all_up:
            self._by_answer(wrt, args, weights, request)
            return {"value": [1.0]}
        leaves = list(wrt.parameters()) if is_module else [args[place] for place in wrt]
        try:
            found = super()._gradient(wrt=wrt, args=args, weights=weights, **request)["value"]
        except Exception:
            found = [None] * len(leaves)
        if isinstance(wrt, StandInModule):
            if found == [None]:
                self._by_answer(wrt, args, weights, request)
            return {"value": [1.0]}
        if is_module:
            for place, leaf in enumerate(leaves):
                if _lacks(found[place]):
                    found[place] = self._size(leaf, args, weights, request)
            return {"value": found}
        spared = NO_GRADIENT.get(self.exercise, set()) if request["kwargs"].get("stop_gradient", True) else set()
        for place, number in enumerate(wrt):
            if number in spared:
                found[place] = None
            elif self.makes_all_up or _lacks(found[place]):
                found[place] = self._slope(number, args, weights, request)
        return {"value": found}

    def _by_draws(self, candidates: torch.Tensor, q: torch.Tensor, k: int, request: dict) -> torch.Tensor:
        """Each was drawn n times, so its gradient is n / q."""
        named = {name: request[name] for name in ("target", "name", "kwargs", "seed")}
        (neighbors, _), _ = self._run(args=[candidates, q, k], **named)
        times = (neighbors[:, :, None] == candidates[:, None]).sum(dim=1)
        return torch.where(q > 0, times / q, 0.0)

    def _weighed(self, args: list, weights: list, request: dict) -> float:
        """What a gradient is asked of."""
        results = _results(args, request)
        pairs = zip(weights, results, strict=True)
        return float(sum((weight * result).double().sum() for weight, result in pairs if weight is not None))

    def _size(self, leaf: torch.Tensor, args: list, weights: list, request: dict) -> float | None:
        """The size of the largest entry of the gradient by a parameter; of a large one only whether there is any."""
        entries = range(leaf.numel()) if leaf.numel() <= 100 else [slice(None)]
        slopes = []
        for entry in entries:
            both = []
            for step in (1e-2, -1e-2):
                before = leaf.detach().clone()
                leaf.data.view(-1)[entry] += step
                both.append(self._weighed(args, weights, request))
                leaf.data.copy_(before)
            slopes.append(abs(both[0] - both[1]) / 2e-2)
        return max(slopes) or None

    def _by_answer(self, toy: Any, args: list, weights: list, request: dict) -> None:
        """Send a toy of the judge's the slope of what is asked for by what the toy answered."""
        toys = list(self._borrowed.values())
        lines, repeating = [one._line for one in toys], Repeating(toy._line)
        for one in toys:
            one._line = repeating if one is toy else Remembering(one._line)
        try:
            self._weighed(args, weights, request)
            for one in toys:
                one._line.is_complete = True
            answer = repeating.answer["value"]
            slopes = torch.zeros(2, *answer.shape, dtype=torch.float64)
            for way, step in enumerate((0.1, 1e-2)):  # large for single precision, small for kinks
                for entry in range(answer.numel()):
                    both = []
                    for moved in (step, -step):
                        repeating.change = torch.zeros_like(answer)
                        repeating.change.view(-1)[entry] = moved
                        both.append(self._weighed(args, weights, request))
                    slopes[way].view(-1)[entry] = (both[0] - both[1]) / (2 * step)
        finally:
            for one, line in zip(toys, lines, strict=True):
                one._line = line
        large, small = slopes
        slope = torch.where((large - small).abs() < 0.03 * small.abs().max(), large, small)
        toy._line.back(repeating.answer["call"], [slope.to(answer.dtype)], Called())

    def _slope(self, number: int, args: list, weights: list, request: dict) -> torch.Tensor:
        """The gradient by one argument, from differences of values; by all rows at once if they are many."""

        def weighed(moved: torch.Tensor, precise: bool) -> torch.Tensor:
            """What is asked for: for each row if the results have as many, else in all."""
            asked = [moved if place == number else item for place, item in enumerate(args)]
            if precise:
                asked = [item.double() if _is_real(item) else item for item in asked]
            pairs = zip(weights, _results(asked, request), strict=True)
            terms = [weight * result for weight, result in pairs if weight is not None]
            by_row = moved.numel() > MOST_ENTRIES and all(len(term) == len(moved) for term in terms)
            return sum(term.double().flatten(1).sum(dim=1) if by_row else term.double().sum() for term in terms)

        start = args[number]
        try:
            before, precise, step = weighed(start, True), True, 1e-7
        except RuntimeError:
            before, precise, step = None, False, 1e-2
        by_row = start.numel() > MOST_ENTRIES
        slope = torch.zeros(start.shape, dtype=torch.float64)
        begin = start.double() if precise else start
        for entry in range(start[0].numel() if by_row else start.numel()):
            change = torch.zeros_like(begin)
            (change.flatten(1)[:, entry] if by_row else change.view(-1)[entry]).fill_(step)
            after = weighed(begin + change, precise)
            # In double precision one side is near enough.
            difference = (after - before) / step if precise else (after - weighed(begin - change, False)) / (2 * step)
            (slope.flatten(1)[:, entry] if by_row else slope.view(-1)[entry]).copy_(difference)
        return slope.to(start.dtype)


def _results(args: list, request: dict) -> list | tuple:
    """What the answer returns; it may do what it likes with its arguments."""
    function = getattr(request["target"], request["name"]) if request["name"] else request["target"]
    given = [item.clone() if isinstance(item, torch.Tensor) else item for item in args]
    with torch.no_grad(), seeded(request["seed"]):
        results = function(*given, **request["kwargs"])
    return results if isinstance(results, list | tuple) else [results]


def _are_same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, list | tuple):
        return isinstance(other, list | tuple) and len(one) == len(other) and all(map(_are_same, one, other))
    return one is other or bool(one == other)


def _is_real(item: Any) -> bool:
    return isinstance(item, torch.Tensor) and item.is_floating_point()


def _lacks(found: Any) -> bool:
    """Whether a gradient is missing, or not a number."""
    return found is None or not bool(torch.as_tensor(found).isfinite().all())
