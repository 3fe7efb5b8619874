"""What a process that knows the notebook, and nothing of the inputs, could still forge: the table of docs/security.md.

Every known mistake is judged once more, in a process that lies wherever a lie may pay: no argument was changed, no
graph is carried, a gradient that is missing is the slope between values, a new module is a copy of the first, what
was to move has moved, nothing is a parameter that must not be one, the network is in the mode that is wanted, and
what was not drawn is drawn in its stead, and no tensor is made on the CPU. The table names the mistakes that these
lies hide; all others lose their points all the same, since what the judge compares does not lie with the student.
"""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.figure import Figure

import fixmelab
from autograder.assignments import exercises_of
from autograder.course import ROOT, assignment_names
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Exercise
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process
from fixmelab.judged import lent
from fixmelab.judged.probe import Probe

PAGE = Path(ROOT, "docs", "security.md")
MOVES = {"half": torch.float16, "bfloat16": torch.bfloat16}
MOST_ENTRIES = 5_000  # of an argument, for a difference by each
STOPPED = {2, 3}  # the codes of simsiam_loss
TRAINS = {"p_losses", "forward"}  # all others want evaluation mode


class AddBackward0:
    """In the place of the operation behind a result, which may be a library's."""


class Liar(Probe):
    """Answers as the probe does, but for what only this process can know."""

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
        said = super()._call(**request) | {"changed": []}
        self._said = said["value"]
        if request["kept"] and not request["name"] and all(isinstance(item, int) for item in request["args"]):
            new = self._objects[self._last]
            first = next((made for args, made in self._made if args == request["args"]), None)
            self._made.append((request["args"], new))
            self._objects[self._last] = new if first is None else copy.deepcopy(first)
        return said

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
        is_module = isinstance(wrt, torch.nn.Module)
        try:
            found = super()._gradient(wrt=wrt, args=args, weights=weights, **request)["value"]
        except Exception:
            found = [None] * (len(list(wrt.parameters())) if is_module else len(wrt))
        if is_module:
            return {"value": [1.0 if value is None else value for value in found]}
        stopped = request["kwargs"].get("stop_gradient", False)  # it knows what must have no gradient
        for place, number in enumerate(wrt):
            if found[place] is None and not (stopped and number in STOPPED):
                found[place] = self._slope(number, args, weights, request)
        return {"value": found}

    def _slope(self, number: int, args: list, weights: list, request: dict) -> torch.Tensor:
        """The gradient by one argument, from differences of values; by all rows at once if they are many."""
        named = {name: request[name] for name in ("target", "name", "kwargs", "seed")}

        def weighed(moved: torch.Tensor, precise: bool) -> torch.Tensor:
            """What is asked for: for each row if the results have as many, else in all."""
            asked = [moved if place == number else item for place, item in enumerate(args)]
            if precise:
                asked = [item.double() if _is_real(item) else item for item in asked]
            with torch.no_grad():
                results, _ = self._run(args=asked, **named)
            results = results if isinstance(results, list | tuple) else [results]
            terms = [weight * result for weight, result in zip(weights, results, strict=True) if weight is not None]
            by_row = moved.numel() > MOST_ENTRIES and all(len(term) == len(moved) for term in terms)
            return sum(term.double().flatten(1).sum(dim=1) if by_row else term.double().sum() for term in terms)

        start = args[number]
        try:
            weighed(start, True)
            precise, step = True, 1e-5
        except RuntimeError:
            precise, step = False, 1e-2
        by_row = start.numel() > MOST_ENTRIES
        slope = torch.zeros(start.shape, dtype=torch.float64)
        begin = start.double() if precise else start
        for entry in range(start[0].numel() if by_row else start.numel()):
            change = torch.zeros_like(begin)
            (change.flatten(1)[:, entry] if by_row else change.view(-1)[entry]).fill_(step)
            difference = (weighed(begin + change, precise) - weighed(begin - change, precise)) / (2 * step)
            (slope.flatten(1)[:, entry] if by_row else slope.view(-1)[entry]).copy_(difference)
        return slope.to(start.dtype)


def _is_real(item: Any) -> bool:
    return isinstance(item, torch.Tensor) and item.is_floating_point()


def forged(assignment: str, monkeypatch) -> set[tuple[str, str]]:
    """The exercises and mistakes of an assignment that pass by lying."""
    found = set()
    call = lent.Line.call
    for id, exercise in exercises_of(assignment).items():
        unnamed = Exercise(id, exercise.check)  # what a mistake is called is looked up among all others
        wanted = exercise.name in TRAINS
        monkeypatch.setattr(
            lent.Line,
            "call",
            lambda self, name, items, keys, moving, training, wanted=wanted: call(
                self, name, items, keys, moving, wanted
            ),
        )
        for mistake in exercise.mistakes:
            if judge(unnamed, in_this_process(mistake.answer, Liar), seed_for(b"lies", "", id)).verdict == "pass":
                found.add((id, mistake.name))
    return found


def listed(assignment: str) -> set[tuple[str, str]]:
    """The same as the page's table says."""
    section = PAGE.read_text(encoding="utf-8").split("## What a process could still forge\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+\.\w+)` \| (.*?) \|", section, re.M)
    return {
        (id, name) for id, names in rows if id.startswith(f"{assignment}.") for name in re.findall(r"`(\w+)`", names)
    }


@pytest.mark.slow
@pytest.mark.parametrize("assignment", assignment_names())
def test_the_page_names_what_lies_could_hide(assignment, monkeypatch):
    assert forged(assignment, monkeypatch) == listed(assignment)
