"""Runs a restored notebook in a kernel, and has the answer to each exercise judged when its test cell comes."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder import cells
from autograder.errors import InputError
from autograder.grading import messages
from autograder.grading.cell_text import is_untouched
from autograder.judge.exercise import Exercise
from autograder.judge.server import JudgeServer
from autograder.judge.verdict import Finding, is_out_of_memory
from autograder.regions import HIDDEN_TESTS, text_in
from autograder.sandbox.kernel import CellError, Ending, Kernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import Address, judge_socket, session


class Session(Protocol):
    def close(self) -> Finding | None: ...


class Server(contextlib.AbstractContextManager, Protocol):
    def open(self, exercise: Exercise, seed: bytes, seconds: float) -> Session: ...


@dataclass(frozen=True)
class Execution:
    """The executed notebook, and the finding on each exercise that a test cell earns points for, by name."""

    notebook: NotebookNode
    findings: dict[str, Finding]


def execute(
    notebook: NotebookNode,
    *,
    source: NotebookNode,
    exercises: Mapping[str, Exercise],
    seed: Callable[[str], bytes],
    budget: str,
    zygote: Address,
    limits: Limits | None = None,
    server: Callable[[Path], Server] = JudgeServer,
) -> Execution:
    """Run the code cells of a restored notebook in order, and find a verdict for each test cell.

    `source` tells which cell answers which exercise, `exercises` holds the checks by name, `seed` gives the seed for
    an exercise id. Cells tagged `train` or `keep` are left as the student ran them. A cell that fails does not stop
    the rest. One that hangs or kills the kernel costs its own exercise: a new kernel is started and the cells before
    it, but for test cells, are run again. `notebook` is not changed; in the copy that is returned, the output of a
    test cell is its verdict.

    Raises InputError for a test cell without a check, SandboxError where no kernel can be started.
    """
    for cell in notebook.cells:
        if cells.is_tests(cell) and cells.exercise_name(cell) not in exercises:
            raise InputError(f"the test cell {cells.grade_id(cell)!r} has no check: write one")
    limits = limits or Limits()
    with session(zygote) as folder, server(judge_socket(folder)) as judge:
        run = _Run(
            NotebookNode(notebook, cells=[NotebookNode(cell) for cell in notebook.cells]),
            source,
            kernel=lambda left: Kernel(zygote, folder, budget=budget, limits=left),
            examine=lambda name: judge.open(exercises[name], seed(exercises[name].id), limits.wall),
            limits=limits,
        )
        return run.all()


class _Run:
    """One pass through one notebook. Cells are known by their index in it, exercises by their name."""

    def __init__(
        self,
        notebook: NotebookNode,
        source: NotebookNode,
        kernel: Callable[[Limits], Kernel],
        examine: Callable[[str], Session],
        limits: Limits,
    ) -> None:
        self._notebook = notebook
        self._new_kernel = kernel
        self._examine = examine
        self._limits = limits
        self._kernel: Kernel | None = None
        self._life = contextlib.ExitStack()
        # What is left of the notebook's processor seconds, and when its time is over.
        self._left = limits.notebook
        self._deadline = time.monotonic() + limits.wall
        # Cells to run again after a restart, those never to run again, and which cell an execution count means.
        self._done: list[int] = []
        self._culprits: set[int] = set()
        self._counts: dict[int, int] = {}
        self._last = -1
        # What went wrong in a cell, and the line of it in words.
        self._errors: dict[int, tuple[CellError, str]] = {}
        self._answers, self._unfilled = _answers(source, notebook)
        self._findings: dict[str, Finding] = {}

    def all(self) -> Execution:
        executed = [index for index, cell in enumerate(self._notebook.cells) if cells.is_executed_in_grading(cell)]
        for index in executed:
            self._cell(index).update(outputs=[], execution_count=None)
        with self._life:
            for index in executed:
                if cells.is_tests(self._cell(index)):
                    self._test(index)
                else:
                    self._plain(index)
        self._add_hints()
        for index in executed:
            if cells.is_tests(self._cell(index)):
                self._cell(index).outputs = [_shown(self._findings[cells.exercise_name(self._cell(index))])]
        return Execution(self._notebook, self._findings)

    def _cell(self, index: int) -> NotebookNode:
        return self._notebook.cells[index]

    # Cells that are not test cells

    def _plain(self, index: int) -> None:
        if not self._ready():
            return
        ending, ran = self._run(index, self._cell(index).source)
        self._cell(index).update(outputs=ran.outputs, execution_count=ran.execution_count)
        if ending.error is not None:
            self._errors[index] = ending.error, self._place(ending.error)
        if ending.alive:
            self._done.append(index)
        else:
            self._blame(index, ending)

    def _blame(self, index: int, ending: Ending) -> None:
        """Never run this cell again; the exercises that it answers are lost, if they are not decided yet."""
        self._culprits.add(index)
        message = self._broken_off(ending)
        note = f"[{message} This cell is left out from here on.]\n"
        self._cell(index).outputs.append(NotebookNode(output_type="stream", name="stderr", text=note))
        for name, answer in self._answers.items():
            if answer == index:
                self._findings.setdefault(name, Finding(ending.how, message))

    def _broken_off(self, ending: Ending) -> str:
        place = self._place(ending.error) if ending.error else ""
        where = f", {place}" if place else ""
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
            case "":
                return "The kernel ended while this ran: exit() or a crash in compiled code does that."
        return f"This did not end in time and was stopped{where}: look for a loop that never ends."

    # Test cells

    def _test(self, index: int) -> None:
        name = cells.exercise_name(self._cell(index))
        if not self._ready():
            late = f"The whole notebook took more than {self._limits.notebook:g} s: this was not reached."
            self._findings.setdefault(name, Finding("timeout", late))
        if name in self._findings:
            return
        ending, judged = self._judge(index, self._cell(index).source)
        finding = self._decide(index, ending, judged)
        hidden = text_in(self._cell(index).source, HIDDEN_TESTS)
        if hidden and judged is None and ending.how == "error" and finding.verdict in ("fail", "error"):
            # A visible assert came first: the judge may still know the mistake by name.
            _, judged = self._judge(index, hidden)
            if judged is not None and judged.mistake is not None:
                finding = Finding(finding.verdict, judged.message, judged.mistake)
        if name in self._unfilled and finding.verdict in ("fail", "error"):
            finding = Finding("missing", messages.UNFILLED)
        self._findings[name] = replace(finding, message=messages.clean(finding.message))

    def _judge(self, index: int, source: str) -> tuple[Ending, Finding | None]:
        """Run the source of a test cell with a session of the judge open for its exercise."""
        self._require_kernel()
        session = self._examine(cells.exercise_name(self._cell(index)))
        try:
            ending, _ = self._run(index, source)
        finally:
            finding = session.close()
        return ending, finding

    def _decide(self, index: int, ending: Ending, judged: Finding | None) -> Finding:
        """The finding on an exercise, from how its test cell ended and what the judge found, if it came to that."""
        name = cells.exercise_name(self._cell(index))
        if not ending.alive:
            return Finding(ending.how, self._broken_off(ending))
        if judged is not None and judged.verdict != "pass":
            elsewhere = judged.verdict == "missing" and name not in self._unfilled
            return Finding("error", "It uses a FIXME that is not filled in yet.") if elsewhere else judged
        if ending.error is None:
            return judged or Finding("error", "The check of this exercise did not run to its end.")
        error, place = ending.error, self._place(ending.error)
        if error.name == "NameError" and self._answers[name] in self._errors:
            # Nothing is defined because the answer's own cell failed.
            error, place = self._errors[self._answers[name]]
        unfilled = messages.unfilled_name(error)
        if unfilled == name:
            return Finding("missing", messages.UNFILLED)
        if unfilled in self._answers:
            return Finding("error", messages.not_filled(unfilled))
        if is_out_of_memory(error.name, error.text):
            return Finding("oom", self._broken_off(Ending("oom", error, "memory")))
        if error.name == "AssertionError":
            return Finding("fail", messages.clean(error.text) or self._assertion(index, error))
        return Finding("fail" if judged else "error", messages.raised(error, place))

    def _place(self, error: CellError) -> str:
        """The innermost line of an answer in a traceback, in words."""
        for count, line in reversed(messages.frames(error)):
            index = self._counts.get(count)
            if index is not None and cells.is_fixme(self._cell(index)):
                return f"line {line} of the cell {cells.grade_id(self._cell(index))}"
        return ""

    def _assertion(self, index: int, error: CellError) -> str:
        """The line of a test cell whose assertion failed without a word."""
        lines = self._cell(index).source.splitlines()
        for count, line in messages.frames(error):
            if self._counts.get(count) == index and 0 < line <= len(lines):
                return f"This does not hold: {lines[line - 1].strip().removeprefix('assert ')}"
        return "An assertion does not hold."

    def _add_hints(self) -> None:
        """Say it where an answer that failed uses another that failed."""
        verdicts = {name: self._findings[name].verdict for name in self._answers}
        for name, answer in self._answers.items():
            finding = self._findings[name]
            if finding.verdict in ("pass", "missing") or answer is None:
                continue
            hint = messages.leans_on(messages.identifiers(self._cell(answer).source, name), verdicts)
            if hint not in finding.message:
                self._findings[name] = replace(finding, message=f"{finding.message.rstrip('.')}. {hint}")

    # Kernels

    def _ready(self) -> bool:
        """Whether there is a kernel, and time left to run a cell in it."""
        self._require_kernel()
        return self._kernel is not None

    def _is_late(self) -> bool:
        return self._left <= 0 or time.monotonic() > self._deadline

    def _run(self, index: int, source: str) -> tuple[Ending, NotebookNode]:
        self._require_kernel()
        if self._kernel is None:
            return Ending("timeout", reason="notebook"), new_code_cell(source)
        ending, ran = self._kernel.run(source)
        self._last = index
        self._note(ran, index)
        if not ending.alive:
            self._end_kernel()
        return ending, ran

    def _require_kernel(self) -> None:
        """Have a kernel in which every cell so far has run, but for test cells and culprits."""
        if self._kernel is not None and not self._kernel.is_alive():
            self._end_kernel()
            if self._last in self._done:
                # It ended just after a cell had: that cell would end the next one, too.
                self._blame(self._last, Ending("crashed"))
        while self._kernel is None:
            if self._is_late():
                return  # no cell will be run any more
            left = replace(self._limits, notebook=self._left, wall=self._deadline - time.monotonic())
            self._kernel = self._life.enter_context(self._new_kernel(left))
            self._counts = {}
            for index in [index for index in self._done if index not in self._culprits]:
                ending, ran = self._kernel.run(self._cell(index).source)
                self._note(ran, index)
                if not ending.alive:
                    self._blame(index, ending)
                    self._end_kernel()
                    break

    def _note(self, ran: NotebookNode, index: int) -> None:
        """Remember which cell an execution count belongs to, where the kernel gave one."""
        if isinstance(ran.execution_count, int):
            self._counts[ran.execution_count] = index

    def _end_kernel(self) -> None:
        kernel, self._kernel = self._kernel, None
        self._life.close()
        self._left -= kernel.used


def _answers(source: NotebookNode, notebook: NotebookNode) -> tuple[dict[str, int | None], set[str]]:
    """For each exercise with a test cell, the index in `notebook` of the FIXME cell that answers it; and the
    exercises that are not filled in."""
    places = {cells.grade_id(cell): index for index, cell in enumerate(notebook.cells) if cells.is_fixme(cell)}
    answers: dict[str, int | None] = {cells.exercise_name(cell): None for cell in source.cells if cells.is_tests(cell)}
    unfilled = set()
    for cell in source.cells:
        index = places.get(cells.grade_id(cell)) if cells.is_fixme(cell) else None
        for name in cells.anchors(cell) if index is not None else []:
            answers[name] = index
            if is_untouched(cell, notebook.cells[index], name):
                unfilled.add(name)
    return answers, unfilled


def _shown(finding: Finding) -> NotebookNode:
    """A verdict as the output of a cell: an error where it is not a pass, as nbgrader reads it."""
    if finding.verdict == "pass":
        return NotebookNode(output_type="stream", name="stdout", text="pass\n")
    line = f"{finding.verdict}: {finding.message}"
    return NotebookNode(output_type="error", ename=finding.verdict, evalue=finding.message, traceback=[line])
