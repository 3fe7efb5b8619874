"""Where a student stands: each exercise and question, the points within reach, and what is to be mended.

A notebook is read and put in order as grading does it. What visible tests said is read from their outputs, and from
the memory of the process if `lab.check()` asks, since the file may be older than what ran.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from fixmelab import cells
from fixmelab.restoring.cell_text import ELSEWHERE, is_still, syntax_of, tidy
from fixmelab.restoring.state import NOTHING
from fixmelab.standing import mending, released
from fixmelab.standing.found import Found
from fixmelab.visible_tests import METADATA, Memory, Outcome, answer_to, digest, tested

State = Literal["done", "open", "fails", "not run"]

NOT_RUN = "not run yet: run its cell, then its tests"
CHANGED = "changed since its tests ran: run both again"
EDITED = "its test cell was changed: copy the one that was given out"
MISSING = "its cell is missing: copy it from the notebook that was given out"


@dataclass(frozen=True)
class Row:
    """An exercise or a question. `line` says more about its state, in one sentence; it may be empty."""

    task: released.Task
    state: State
    line: str = ""


@dataclass
class Standing:
    """The table of a notebook, and what is to be mended. `notes` are in nobody's way."""

    name: str
    rows: list[Row] = field(default_factory=list)
    to_mend: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        return sum(row.task.points for row in self.rows)

    @property
    def within_reach(self) -> float:
        """The points of what is done. Hidden tests, and a person who reads, may give fewer."""
        return sum(row.task.points for row in self.rows if row.state == "done")

    @property
    def is_ready(self) -> bool:
        return not self.to_mend and all(row.state == "done" for row in self.rows)


def standing_of(
    found: Found, memory: Memory | None = None, *, is_older: bool = False, is_dry_run: bool = False
) -> Standing:
    """Where a notebook stands. `memory` is what ran in this process; the file is older than that if `is_older`.

    In a dry run it is the tests that were given out that ran; else, those that the student has.
    """
    memory = memory or Memory()
    edited = {repair.exercise for repair in found.restored.repairs if repair.what.startswith("tests edited")}
    standing = Standing(found.name)
    lost = {repair.exercise for repair in found.restored.repairs if repair.what == NOTHING}
    filled = found.filled
    for task in released.tasks(found.release):
        stub = tidy(found.release.cells[task.place].source)
        text = filled[task.place].source
        if is_older and task.name in memory.answers:
            text = memory.answers[task.name]
        if not task.is_question:
            standing.rows.append(_exercise(found, task, stub, text, memory))
        elif is_still(stub, tidy(text), is_code=False):
            standing.rows.append(Row(task, "open", "not answered yet"))
        else:
            standing.rows.append(Row(task, "done", "answered; a person reads it"))
        if task.name in edited and not is_dry_run and standing.rows[-1].state in ("done", "fails"):
            standing.rows[-1] = Row(task, "not run", EDITED)
        if task.name in lost and standing.rows[-1].state == "open":
            standing.rows[-1] = Row(task, "open", MISSING)
    if not is_older:
        standing.to_mend += mending.figures(found)
    standing.to_mend += mending.anchors(found)
    for is_in_the_way, note in mending.repairs(found):
        (standing.to_mend if is_in_the_way else standing.notes).append(note)
    return standing


def _exercise(found: Found, task: released.Task, stub: str, text: str, memory: Memory) -> Row:
    if ELSEWHERE in text:  # the answer stands in the cell of another exercise
        holders = [cell.source for cell in found.notebook.cells if task.name in cells.anchors(cell)]
        text = holders[-1] if holders else text
    if is_still(stub, tidy(text), is_code=True, exercise=task.name):
        return Row(task, "open", "to be filled in")
    if text.strip() and syntax_of(tidy(text)).open_fixmes is None:
        return Row(task, "fails", f"its cell is not valid Python{_broken_line(text)}")
    mark = digest(answer_to(task.name, text))
    outcome = memory.outcomes.get(task.name) or _outcome(found, task)
    if outcome is None:
        return Row(task, "not run", NOT_RUN)
    if outcome.answer not in ("", mark):
        return Row(task, "not run", CHANGED)
    if outcome.wrong:
        return Row(task, "fails", outcome.wrong)
    return Row(task, "done", "visible tests pass")


def _broken_line(text: str) -> str:
    try:
        compile(text, "cell", "exec")
    except SyntaxError as error:
        return f" (line {error.lineno}: {error.msg})"
    except (ValueError, RecursionError, MemoryError):
        pass
    return ""


def _outcome(found: Found, task: released.Task) -> Outcome | None:
    """What the outputs of an exercise's test cell say, those of the latest run; None if it has not run."""
    own = [cell for index, cell in enumerate(found.notebook.cells) if _tests(found, index) == task.name]
    ran = [cell for cell in own if cell.cell_type == "code" and (cell.execution_count or cell.outputs)]
    if not ran:
        return None
    latest = max(ran, key=lambda cell: cell.execution_count or 0)
    error = next((output for output in latest.outputs if output.output_type == "error"), None)
    if error is not None:
        return Outcome("", _said(task.name, error))
    for output in latest.outputs:
        mark = output.get("metadata", {}).get(METADATA)
        if isinstance(mark, dict) and isinstance(mark.get("answer"), str):
            return Outcome(mark["answer"])
    # Without the mark, the numbers of the cells tell which ran later.
    index = next((index for index, place in found.restored.places.items() if place == task.place), None)
    answer = None if index is None else found.notebook.cells[index].get("execution_count")
    is_later = answer is None or latest.execution_count is None or latest.execution_count > answer
    return Outcome("") if is_later else Outcome("ran before its answer")


def _tests(found: Found, index: int) -> str | None:
    """The exercise that a student's cell tests, by its first line, its id, or what it was found to be."""
    cell = found.notebook.cells[index]
    place = found.restored.places.get(index)
    for known in (cell, *([] if place is None else [found.release.cells[place]])):
        if name := tested(known.source) or (cells.exercise_name(known) if cells.is_tests(known) else None):
            return name
    return None


def _said(name: str, error: Any) -> str:
    """What an error in an output says, in one line."""
    line = " ".join("\n".join(error.traceback).split())
    if line.startswith(f"✗ {name}: "):
        return line.removeprefix(f"✗ {name}: ")
    text = " ".join(error.evalue.split())[:300]
    return text if error.ename == "AssertionError" and text else f"{error.ename}: {text}".rstrip(": ")
