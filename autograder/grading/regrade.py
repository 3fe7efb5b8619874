"""Judges only what needs a new verdict of a submission, and keeps the others.

A verdict is kept if nothing has changed on which it rests: the code down to its test cell, its check and what that
imports, what is common to all, and, unless the answer is right by itself, the verdicts on others that it uses. One that
a limit or a crash brought about rests on time and memory, too, which all
exercises share, so it is kept only if nothing is executed. Faults are never kept.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from autograder import cells
from autograder.grading.digest import code_digests, short_digest
from autograder.grading.grading import Grading
from autograder.grading.restoring import Restored
from autograder.grading.submissions import Submission
from autograder.judge.again import may_lean
from autograder.results.comparing import reasons
from autograder.results.model import Basis, Judged, Record
from autograder.sandbox.zygote import Address
from fixmelab.json_values import json_text, json_value

BROKEN_OFF = ("timeout", "oom", "crashed")
WRONG = ("fail", "error")
BESIDE_OTHERS = "a limit or crash beside it"
WHAT_IT_USES = "an exercise that it uses"


@dataclass(frozen=True)
class Due(Submission):
    """A submission whose verdicts are not all known to hold: what is `kept` of them by name of the exercise, and the
    `seconds` that it took."""

    kept: Mapping[str, Judged] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def of(cls, submission: Submission, kept: Mapping[str, Judged] | None = None, seconds: float = 0.0) -> "Due":
        own = {item.name: getattr(submission, item.name) for item in fields(Submission)}
        return cls(**own, kept=kept or {}, seconds=seconds)


@dataclass(frozen=True)
class Regrading:
    """On what verdicts rest in this run: its `conditions` by their digest, and for each exercise by name what of them
    decides it and which others it uses. With `only`, all others of a submission keep the verdicts that they have, on
    whatever these rest, unless they use what is judged anew."""

    conditions: str
    bases: Mapping[str, Basis]
    leans: Mapping[str, frozenset[str]]
    only: frozenset[str] | None = None

    def bases_for(self, restored: Restored) -> dict[str, Basis]:
        """On what the verdicts on one submission rest: its own code as well."""
        code = code_digests(restored.notebook, restored.numbers)
        both = {name: short_digest(f"{basis.source} {code[name]}".encode()) for name, basis in self.bases.items()}
        return {name: basis.model_copy(update={"source": both[name]}) for name, basis in self.bases.items()}

    def parted(
        self, kept: Mapping[str, Judged], bases: Mapping[str, Basis]
    ) -> tuple[dict[str, Judged], dict[str, tuple[str, ...]]]:
        """The verdicts that hold, and why each of the others is to be found anew: nothing where none is kept."""
        holds, anew = {}, dict[str, tuple[str, ...]]()
        for name, basis in bases.items():
            judged = kept.get(name)
            is_passed_over = self.only is not None and name not in self.only
            if judged is None:
                anew[name] = ()
            elif judged.basis != basis and not is_passed_over:
                anew[name] = tuple(reasons(judged.basis, basis))
            else:
                holds[name] = judged
        if anew and self.only is None:
            broken_off = [name for name, judged in holds.items() if judged.finding.verdict in BROKEN_OFF]
            anew |= dict.fromkeys(broken_off, (BESIDE_OTHERS,))
        for name in bases:  # in the notebook's order: what is used comes first
            if name in holds and name not in anew and may_lean(holds[name].finding) and self.leans[name] & anew.keys():
                anew[name] = (WHAT_IT_USES,)
        return {name: judged for name, judged in holds.items() if name not in anew}, anew


def record_of(grading: Grading, regrading: Regrading, submission: Submission, zygote: Address) -> Record:
    """The record of a submission as it is now: of what is kept of a `Due` one, what holds, and the rest judged anew.

    If all holds, no kernel is started, and the executed notebook has no outputs but those of test cells. Raises
    InputError if the submission is no notebook of this assignment, SandboxError if no kernel starts.
    """
    # Needs torch, which only workers have: the command itself imports this module.
    from autograder.grading.grade import executed, restored_of, result_of

    began = time.monotonic()
    kept, seconds = (submission.kept, submission.seconds) if isinstance(submission, Due) else ({}, 0.0)
    restored = restored_of(grading, submission)
    bases = regrading.bases_for(restored)
    holds, anew = regrading.parted(kept, bases)
    findings = {name: judged.finding for name, judged in holds.items()}
    execution = executed(grading, submission, restored, zygote, findings)
    if findings and any(execution.alone[name].verdict in WRONG for name in anew):
        # It may need what being asked by the other checks leaves behind.
        execution = executed(grading, submission, restored, zygote, findings, asks_all=True)
    now = regrading.conditions
    judged = {
        name: Judged(finding=execution.alone[name], basis=basis, conditions=now)
        for name, basis in bases.items()
        if execution.alone[name].verdict != "fault"
    }
    # What was passed over rests on what it did.
    judged |= {name: item for name, item in holds.items() if item.basis != bases[name]}
    result = result_of(grading, submission, restored, execution)
    own = {f"{grading.assignment}.{name}": item.conditions for name, item in judged.items() if item.conditions != now}
    exercises = [item.model_copy(update={"conditions": own.get(item.id, "")}) for item in result.exercises]
    return Record(
        result=result.model_copy(update={"exercises": exercises, "conditions": now}),
        seconds=round(time.monotonic() - began, 3) if anew else seconds,
        executed=json_text(json_value(execution.notebook)),
        judged=judged,
        anew=anew,
    )


def with_outputs(executed: str, before: str) -> str:
    """The text of a notebook of which no cell was run, with the outputs of the same cells when they were."""
    notebook, other = json.loads(executed), json.loads(before)
    for cell, ran in zip(_run_cells(notebook), _run_cells(other), strict=False):
        if not cells.is_tests(cell) and cell["source"] == ran["source"]:
            cell["outputs"], cell["execution_count"] = ran["outputs"], ran["execution_count"]
    return json_text(notebook)


def _run_cells(notebook: Mapping[str, Any]) -> Iterable[Any]:
    return [cell for cell in notebook["cells"] if cells.is_executed_in_grading(cell)]
