"""What a run has come to: records, what is wrong with the input, and what failed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

# Late, as in run.py.
if TYPE_CHECKING:
    from autograder.results.model import ExerciseResult, Record, SubmissionResult

NAME = "faults.txt"
_PLACE = re.compile(r'File "[^"\n]*?([^"/\n]+/[^"/\n]+)", line (\d+)')


@dataclass
class Failure:
    """One exercise whose check failed: for how many students, and how it did for the first of them."""

    first: str
    traceback: str
    count: int = 1


class Failures:
    """The failures of checks by exercise."""

    def __init__(self) -> None:
        self._found: dict[str, Failure] = {}

    def note(self, result: "SubmissionResult") -> None:
        for item in result.exercises:
            if item.verdict != "fault":
                continue
            if item.id in self._found:
                self._found[item.id].count += 1
            else:
                self._found[item.id] = Failure(result.student, item.traceback)

    def __len__(self) -> int:
        return len(self._found)

    def clear(self) -> None:
        self._found.clear()

    def lines(self, out: Path | None, told: Iterable[str] = ()) -> list[str]:
        """A line for each exercise. With `out`, OUT/faults.txt holds the tracebacks, or what other runs have `told` of
        them; if nothing failed, it is removed.

        Raises InputError if that cannot be.
        """
        from autograder.results import files
        from autograder.results.text import name_line, one_line

        own = [f"{id}, first for {name_line(item.first, 80)}\n{item.traceback}" for id, item in self._found.items()]
        if out and own:
            files.write(out / NAME, "\n".join(list(told) or own))
        elif out:
            files.remove(out / NAME)
        where = f"; see {out / NAME}" if out else ""
        lines = []
        for id, item in self._found.items():
            place = [":".join(found) for found in _PLACE.findall(item.traceback)]
            error = one_line(item.traceback.strip().rpartition("\n")[2], 200)
            students = "1 student" if item.count == 1 else f"{item.count} students"
            what = f": {error}" + (f" at {place[-1]}" if place else "") if error else ""
            lines.append(f"{id}: its check failed for {students}{what}; mend it and grade again{where}")
        return lines


@dataclass
class Tally:
    """What a run has come to so far.

    `problems` are lines on what is wrong with the input, such as a submission of another assignment; `faults` lines
    on what sandbox or workers could not do in several tries; `failures` the failures of checks, by exercise. None of
    them stops the rest of the run. `notes` are lines on what was decided, such as which of several attempts counts.
    """

    records: "list[Record]" = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    failures: "Failures" = field(default_factory=Failures)
    notes: list[str] = field(default_factory=list)
    _known: "dict[ExerciseResult, ExerciseResult]" = field(default_factory=dict, repr=False)

    def note(self, record: "Record") -> None:
        """Take a record, in a tenth of its memory: what was found for an exercise is much the same in a class."""
        exercises = [self._known.setdefault(item, item) for item in record.result.exercises]
        result = record.result.model_copy(update={"exercises": exercises})
        self.records.append(record.model_copy(update={"result": result}))

    @property
    def count(self) -> int:
        return len(self.records) + len(self.problems) + len(self.faults)
