"""What a process that knows the notebook, and nothing of the inputs, could still forge: the table of docs/security.md.

Every known mistake is judged once more, in a process that lies wherever a lie may pay: no argument was changed, no
graph is carried, every gradient is there, the network is in the mode that is wanted. The table names the mistakes that
these lies hide; all others lose their points all the same, since what the judge compares does not lie with the student.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.assignments import exercises_of
from autograder.course import ROOT, assignment_names
from autograder.judge.draw import seed_for
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process
from fixmelab.judged import lent
from fixmelab.judged.probe import Probe

PAGE = Path(ROOT, "docs", "security.md")
TRAINS = {"p_losses", "forward"}  # all others want evaluation mode


class Liar(Probe):
    """Answers as the probe does, but for what only this process can know."""

    def _call(self, **request: Any) -> dict:
        return super()._call(**request) | {"changed": []}

    def _attribute(self, *, op: str, target: Any, name: str) -> dict:
        return {"value": False} if name == "requires_grad" else super()._attribute(op=op, target=target, name=name)

    def _gradient(self, *, wrt: Any, args: list, **request: Any) -> dict:
        try:
            found = super()._gradient(wrt=wrt, args=args, **request)["value"]
        except Exception:
            found = [None] * (len(list(wrt.parameters())) if isinstance(wrt, torch.nn.Module) else len(wrt))
        if isinstance(wrt, torch.nn.Module):
            return {"value": [1.0 for _ in found]}
        made_up = [torch.ones_like(args[number]) for number in wrt]
        return {"value": [other if value is None else value for value, other in zip(found, made_up, strict=True)]}


def forged(assignment: str, monkeypatch) -> set[tuple[str, str]]:
    """The exercises and mistakes of an assignment that pass by lying."""
    found = set()
    call = lent.Line.call
    for id, exercise in exercises_of(assignment).items():
        wanted = exercise.name in TRAINS
        monkeypatch.setattr(
            lent.Line,
            "call",
            lambda self, name, items, keys, moving, training, wanted=wanted: call(
                self, name, items, keys, moving, wanted
            ),
        )
        for mistake in exercise.mistakes:
            if judge(exercise, in_this_process(mistake.answer, Liar), seed_for(b"lies", "", id)).verdict == "pass":
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
