"""What is found on each exercise: how its cells ended, what the judge says, and the sentence that a student reads."""

from collections.abc import Mapping
from dataclasses import replace

from nbformat import NotebookNode

from autograder import cells
from autograder.grading import messages
from autograder.grading.source_text import is_untouched
from autograder.grading.stopped import Stopped, about_the_machine
from autograder.judge.again import FOLLOWS, Leaning, leaning
from autograder.judge.running import UNFILLED
from autograder.judge.uses import identifiers, uses_of
from autograder.judge.verdict import Finding, followed_by, is_out_of_memory
from autograder.sandbox.kernel import CellError, Ending
from autograder.sandbox.limits import Limits
from fixmelab.machine import NO_GPU
from fixmelab.restoring.cell_text import syntax_of


class Findings:
    """The findings on the exercises of one notebook. Cells are known by their index in it, exercises by their name.

    `counts` says which cell an execution count means; it changes with the kernels. `numbers` says which number a cell
    has in what was handed in.
    """

    def __init__(
        self,
        source: NotebookNode,
        notebook: NotebookNode,
        limits: Limits,
        counts: Mapping[int, int],
        numbers: Mapping[int, int],
    ) -> None:
        self.by_name: dict[str, Finding] = {}
        self._notebook = notebook
        self._limits = limits
        self._counts = counts
        self._numbers = numbers
        self._stopped = Stopped()
        self._answers, self._unfilled = _answers(source, notebook)
        self._solutions = {name: cell.source for cell in source.cells for name in cells.anchors(cell)}
        self._tests = {cells.exercise_name(cell): cell for cell in source.cells if cells.is_tests(cell)}
        self._uses = uses_of(source)
        given = [cell.source for cell in source.cells if cell.cell_type == "code" and not cells.is_fixme(cell)]
        self._variables = set().union(*map(messages.variables, given))
        # What went wrong in a cell, and the line of it in words.
        self._errors: dict[int, tuple[CellError, str]] = {}

    def note_errors(self, index: int, errors: tuple[CellError, ...]) -> None:
        """Remember how a cell ended, and its statements: it may be why a later test cell fails."""
        cell = self._notebook.cells[index]
        self._stopped.forget(syntax_of(cell.source).names.all)
        if not errors:
            return
        self._errors[index] = errors[0], self._line(errors[0])
        number = self._numbers.get(index)
        self._stopped.note(f"cell {number}" if number else f"the cell {cells.grade_id(cell)}", cell.source, errors)

    def lose(self, index: int, ending: Ending) -> str:
        """The exercises that this cell answers are lost, if they are not decided yet. Returns why, in words."""
        finding = self._broken_off(ending)
        for name, answer in self._answers.items():
            if answer == index:
                self.by_name.setdefault(name, finding)
        return finding.message

    def not_reached(self, name: str, over: Ending) -> None:
        """The notebook was over before an exercise was judged."""
        assert over.how != "ok", "such an ending is no verdict"
        late = f"The whole notebook took more than {self._limits.notebook:g} s: this was not reached."
        message = late if over.reason == "notebook" else self._why_broken_off(over)
        self.by_name.setdefault(name, Finding(over.how, message))

    def settle(self, name: str, finding: Finding) -> None:
        """Take this for the finding on an exercise, its message made safe to show."""
        if name in self._unfilled and finding.verdict in ("fail", "error", "fault"):
            finding = Finding("missing", UNFILLED)
        told = replace(finding, message=self._explained(finding)).told
        self.by_name[name] = replace(finding, message=messages.clean(told))

    def _explained(self, finding: Finding) -> str:
        """The message, and what lies behind it: a cell that stopped, or what is not there where it is graded."""
        if finding.mistake is not None or finding.verdict not in ("fail", "error"):
            return finding.message
        if why := self._stopped.why(finding.message):
            return followed_by(finding.message, why)
        about = about_the_machine(finding.message)
        if not about:
            return finding.message
        return about if about == NO_GPU else followed_by(finding.message, about)

    def decide(self, index: int, ending: Ending, judged: Finding | None) -> Finding:
        """The finding on an exercise, from how its test cell ended and what the judge found, if it came to that."""
        name = cells.exercise_name(self._notebook.cells[index])
        if not ending.alive:
            # It may have waited for a judge who took long to name a mistake.
            is_waiting = ending.reason == "idle" and judged is not None and judged.verdict == "fail"
            return judged if is_waiting and judged is not None else self._broken_off(ending)
        if judged is not None and judged.verdict != "pass":
            elsewhere = judged.verdict == "missing" and name not in self._unfilled
            return Finding("error", "It uses a FIXME that is not filled in yet.") if elsewhere else judged
        if ending.error is None:
            return judged or Finding("error", "The check of this exercise did not run to its end.")
        error, line = ending.error, self._line(ending.error)
        answer = self._answers[name]
        if error.name == "NameError" and answer is not None and answer in self._errors:
            # Nothing is defined because the answer's own cell failed.
            error, line = self._errors[answer]
        unfilled = messages.unfilled_name(error)
        if unfilled == name:
            return Finding("missing", UNFILLED)
        if unfilled in self._answers:
            return Finding("error", messages.not_filled(unfilled))
        if is_out_of_memory(error.name, error.text):
            return self._broken_off(Ending("oom", error, "memory"))
        if error.name == "AssertionError" and about_the_machine(error.text) != NO_GPU:
            return Finding("fail", messages.clean(error.text) or self._assertion(index, error))
        return Finding("fail" if judged else "error", messages.raised(error, line))

    def leans(self, name: str, finding: Finding) -> Leaning:
        """On what an exercise leans that is not right, if that may be why it is not."""
        if name in self._unfilled or finding.verdict not in FOLLOWS or NO_GPU in finding.message:
            return Leaning()
        passed = {other for other, found in self.by_name.items() if found.verdict == "pass"}
        return leaning(self._tests[name], self._uses, name, passed)

    def add_hints(self) -> None:
        """Say it if an answer that failed uses another that failed, or else a variable that is none of its own."""
        known = {name: self.by_name[name].verdict for name in self._answers}
        verdicts = {name: verdict for name, verdict in known.items() if verdict != "fault"}  # that says nothing of it
        for name, answer in self._answers.items():
            finding = self.by_name[name]
            is_said = finding.verdict in ("pass", "missing", "fault") or finding.borrowed or NO_GPU in finding.message
            if is_said or answer is None:
                continue
            used = identifiers(self._notebook.cells[answer].source, name)
            hint = messages.leans_on(used, verdicts)
            if not hint and finding.mistake is None:
                # What the solution uses is meant to be used.
                needed = identifiers(self._solutions.get(name, ""), name)
                hint = messages.strays_to(self._notebook.cells[answer].source, used - needed, self._variables)
            if hint not in finding.message:
                self.by_name[name] = replace(finding, message=followed_by(finding.message, hint))

    def _broken_off(self, ending: Ending) -> Finding:
        assert ending.how != "ok", "such an ending is no verdict"
        return Finding(ending.how, self._why_broken_off(ending))

    def _why_broken_off(self, ending: Ending) -> str:
        line = self._line(ending.error) if ending.error else ""
        where = f", {line}" if line else ""
        limits = self._limits
        match ending.reason:
            case "memory":
                return f"This took more than {limits.memory >> 20} MB of memory and was stopped{where}."
            case "processes":
                return f"This started more than {limits.processes} processes and threads and was stopped."
            case "flood":
                return "This sent far more output than is kept and was stopped."
            case "idle":
                waited = f"{limits.idle:g} s"
                return f"This waited {waited} without computing anything and was stopped{where}: look for sleep()."
            case "notebook":
                return f"The whole notebook took more than {limits.notebook:g} s, up to here{where}."
            case "kernels":
                return "Cells ended the kernel again and again: this was not reached."
            case "":
                return "The kernel ended while this ran: exit() or a crash in compiled code does that."
        return f"This did not end in time and was stopped{where}: look for a loop that never ends."

    def _line(self, error: CellError) -> str:
        """The innermost line of an answer in a traceback, in words."""
        for count, line in reversed(messages.frames(error)):
            index = self._counts.get(count)
            if index is not None and cells.is_fixme(self._notebook.cells[index]):
                return f"line {line} of the cell {cells.grade_id(self._notebook.cells[index])}"
        return ""

    def _assertion(self, index: int, error: CellError) -> str:
        """The line of a test cell whose assertion failed without a word."""
        lines = self._notebook.cells[index].source.splitlines()
        for count, line in messages.frames(error):
            if self._counts.get(count) == index and 0 < line <= len(lines):
                return f"This does not hold: {lines[line - 1].strip().removeprefix('assert ')}"
        return "An assertion does not hold."


def _answers(source: NotebookNode, notebook: NotebookNode) -> tuple[dict[str, int | None], set[str]]:
    """For each exercise with a test cell, the index in `notebook` of the FIXME cell that answers it; and the
    exercises that are not filled in."""
    indices = {cells.grade_id(cell): index for index, cell in enumerate(notebook.cells) if cells.is_fixme(cell)}
    answers: dict[str, int | None] = {cells.exercise_name(cell): None for cell in source.cells if cells.is_tests(cell)}
    unfilled = set()
    for cell in source.cells:
        index = indices.get(cells.grade_id(cell)) if cells.is_fixme(cell) else None
        if index is None:
            continue
        for name in cells.anchors(cell):
            answers[name] = index
            if is_untouched(cell, notebook.cells[index], name):
                unfilled.add(name)
    return answers, unfilled
