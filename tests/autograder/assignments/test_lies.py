"""What a process that knows the notebook, and nothing of the inputs, could still forge: the table of docs/security.md.

Every known mistake is judged once more, in a process that lies wherever a lie may pay: no argument was changed, no
graph is carried, a gradient that is missing is the slope between values, a new module is a copy of the first, what
was to move has moved, nothing is a parameter that must not be one, the network is in the mode that is wanted, what
was not drawn is drawn in its stead, no gradients are left from elsewhere, and no tensor is made on the CPU. The table
names the mistakes that these lies hide; all others lose their points all the same, since what the judge compares does
not lie with the student.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignments import exercises_of
from autograder.assignments.simsiam import trials
from autograder.course import ROOT, assignment_names
from autograder.judge.draw import seed_for
from autograder.judge.exercise import Mistake
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process
from autograder.judge.verdict import Finding
from fixmelab.judged import lent
from tests.autograder.assignments.liar import Liar

PAGE = Path(ROOT, "docs", "security.md")
TRAINS = {"p_losses", "forward"}  # all others want evaluation mode


def forged(assignment: str, monkeypatch) -> set[tuple[str, str]]:
    """The exercises and mistakes of an assignment that pass by lying, or earn more than they must."""
    found = set()
    call = lent.Line.call
    # To tell which mistake a simulation makes takes longest, and decides nothing here.
    monkeypatch.setattr(trials, "known_by", lambda solutions, known: None)
    for id, exercise in exercises_of(assignment).items():
        # What a mistake is called is looked up among all others.
        unnamed = replace(exercise, mistakes=(), equivalents=())
        wanted = exercise.name in TRAINS
        monkeypatch.setattr(
            lent.Line,
            "call",
            lambda self, name, items, keys, moving, training, called, wanted=wanted: call(
                self, name, items, keys, moving, wanted, called
            ),
        )
        liar = type("Liar", (Liar,), {"exercise": exercise.name})
        bolder = type("Bolder", (liar,), {"makes_all_up": True})
        for mistake in exercise.mistakes:
            seed, tried = seed_for(b"lies", "", id), [liar]
            while tried and not pays(judge(unnamed, in_this_process(mistake.answer, tried[0]), seed), mistake):
                tried = [bolder] if tried == [liar] and liar.was_asked_for_gradients else []
            if tried:
                found.add((id, mistake.name))
    return found


def pays(finding: Finding, mistake: Mistake) -> bool:
    return finding.verdict == "pass" or finding.earned > mistake.earns


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
