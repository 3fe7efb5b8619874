"""Runs a restored notebook in a kernel, and has the answer to each exercise judged when its test cell comes."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from nbformat import NotebookNode

from autograder import cells
from autograder.errors import InputError
from autograder.grading.findings import Findings
from autograder.grading.kernels import Kernels
from autograder.judge.again import second, seed_again
from autograder.judge.exercise import Exercise
from autograder.judge.server import JudgeServer
from autograder.judge.verdict import Finding
from autograder.judge.what_if import with_solution
from autograder.regions import HIDDEN_TESTS, text_in
from autograder.sandbox.kernel import Ending, Kernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import Address, judge_socket, session
from fixmelab.restoring.nodes import node

MOST_OUTPUT = 25  # times what is kept of one cell: of all cells together


class OpenExercise(Protocol):
    """An exercise that the judge listens for; closing it tells what was found, or nothing if no answer came."""

    def close(self) -> Finding | None: ...


class Judge(contextlib.AbstractContextManager["Judge"], Protocol):
    def open(self, exercise: Exercise, seed: bytes, seconds: float) -> OpenExercise: ...


@dataclass(frozen=True)
class Execution:
    """The executed notebook, and the finding on each exercise that a test cell earns points for, by name; `alone` are
    the same before anything was said of other exercises."""

    notebook: NotebookNode
    findings: dict[str, Finding]
    alone: dict[str, Finding]


def execute(
    notebook: NotebookNode,
    *,
    source: NotebookNode,
    exercises: Mapping[str, Exercise],
    seed: Callable[[str], bytes],
    budget: str,
    zygote: Address,
    limits: Limits | None = None,
    server: Callable[[Path], Judge] = JudgeServer,
    numbers: Mapping[int, int] | None = None,
    kept: Mapping[str, Finding] | None = None,
    tells_slips: bool = True,
) -> Execution:
    """Run the code cells of a restored notebook in order, and find a verdict for each test cell.

    `source` tells which cell answers which exercise, `exercises` holds the checks by name, `seed` gives the seed for
    an exercise id. `numbers` says which cells are the student's own, by index, beside those that answer an exercise,
    and which number each has in what was handed in, from 1. `kept` are findings by name of the exercise that stand,
    whatever comes out now; if they are of all exercises, no cell is run, and test cells alone have an output. If it
    `tells_slips`, messages on wrong numbers may say which slip in the solution gives them.

    Cells tagged `train` or `keep` are left as the student ran them. A cell that fails does not stop the rest; in one of
    the student's own, a statement that fails does not stop those below it. A cell that hangs or kills the kernel costs
    its own exercise: a new kernel is started and the cells before it, but for test cells, are run again. `notebook` is
    not changed; in the copy that is returned, the output of a test cell is its verdict.

    Raises InputError for a test cell without a check, SandboxError if no kernel can be started.
    """
    for cell in notebook.cells:
        if cells.is_tests(cell) and cells.exercise_name(cell) not in exercises:
            raise InputError(f"the test cell {cells.grade_id(cell)!r} has no check: write one")
    limits = limits or Limits()
    with session(zygote) as folder, server(judge_socket(folder)) as judge:
        run = _Pass(
            node(notebook, cells=[node(cell) for cell in notebook.cells]),
            source,
            start=lambda left: Kernel(zygote, folder, budget=budget, limits=left),
            open_exercise=lambda name, borrows: judge.open(
                replace(with_solution(exercises[name], source), borrows=borrows, tells_slips=tells_slips),
                seed_again(seed(exercises[name].id)) if borrows else seed(exercises[name].id),
                limits.wall,
            ),
            limits=limits,
            numbers=numbers or {},
            kept=kept or {},
        )
        return run.all()


class _Pass:
    """One pass through one notebook. Cells are known by their index in it, exercises by their name."""

    def __init__(
        self,
        notebook: NotebookNode,
        source: NotebookNode,
        start: Callable[[Limits], Kernel],
        open_exercise: Callable[[str, tuple[str, ...]], OpenExercise],
        limits: Limits,
        numbers: Mapping[int, int],
        kept: Mapping[str, Finding],
    ) -> None:
        self._notebook = notebook
        self._kept = kept
        self._open_exercise = open_exercise
        students = {*numbers, *(index for index, cell in enumerate(notebook.cells) if cells.is_fixme(cell))}
        self._kernels = Kernels(notebook, start, limits, self._lose, students)
        self._findings = Findings(source, notebook, limits, self._kernels.counts, numbers)
        self._room = MOST_OUTPUT * limits.output

    def all(self) -> Execution:
        executed = [cell for cell in enumerate(self._notebook.cells) if cells.is_executed_in_grading(cell[1])]
        for _, cell in executed:
            cell.outputs, cell.execution_count = [], None
        tests = {cells.exercise_name(cell): cell for _, cell in executed if cells.is_tests(cell)}
        if tests.keys() - self._kept.keys():
            with self._kernels:
                for index, cell in executed:
                    if cells.is_tests(cell):
                        self._test(index, cell)
                    else:
                        self._plain(index, cell)
        self._findings.by_name.update(self._kept)
        alone = dict(self._findings.by_name)
        self._findings.add_hints()
        for name, cell in tests.items():
            cell.outputs = _shown(self._findings.by_name[name])
        return Execution(self._notebook, self._findings.by_name, alone)

    # Cells that are not test cells

    def _plain(self, index: int, cell: NotebookNode) -> None:
        if not self._kernels.are_ready():
            return
        ending, ran = self._kernels.run(index, cell.source)
        cell.outputs, cell.execution_count = self._within_bounds(ran.outputs), ran.execution_count
        self._findings.note_errors(index, ending.errors)
        if ending.alive:
            self._kernels.remember(index)
        else:
            self._kernels.leave_out(index, ending)

    def _within_bounds(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        """A cell's outputs, if there is room for them: its own limit bounds what one cell sends, not what many do."""
        self._room -= len(str(outputs))
        if self._room >= 0:
            return outputs
        note = "[the cells of this notebook have more output than is kept of all: that of this cell is left out]\n"
        return [node(output_type="stream", name="stderr", text=note)]

    def _lose(self, index: int, ending: Ending) -> None:
        """A cell is left out: its exercises are lost, and its output says so."""
        message = self._findings.lose(index, ending)
        note = f"[{message} This cell is left out from here on.]\n"
        self._notebook.cells[index].outputs.append(node(output_type="stream", name="stderr", text=note))

    # Test cells

    def _test(self, index: int, cell: NotebookNode) -> None:
        name = cells.exercise_name(cell)
        if not self._kernels.are_ready():
            self._findings.not_reached(name, self._kernels.why_over())
        if name in self._findings.by_name:
            return
        ending, judged = self._judge(index, name, cell.source)
        if name in self._kept:  # its cell has run, since others may use what it defines
            self._findings.by_name[name] = self._kept[name]
            return
        finding = self._findings.decide(index, ending, judged)
        hidden, leans = text_in(cell.source, HIDDEN_TESTS), self._findings.leans(name, finding)
        is_visible = judged is None and ending.how == "error" and finding.verdict in ("fail", "error")
        if hidden and (is_visible or leans.borrows):
            # A visible assert came first, and the judge may still know the mistake, and some parts may be right; or
            # another answer is to blame.
            _, judged = self._judge(index, name, hidden, leans.borrows)
            finding = second(finding, judged, leans, is_visible=is_visible)
        self._findings.settle(name, finding)

    def _judge(
        self, index: int, name: str, source: str, borrows: tuple[str, ...] = ()
    ) -> tuple[Ending, Finding | None]:
        """Run the source of a test cell while the judge listens for its exercise, and lends it the course's answers to
        others. If the judge was never asked, what the cell left behind may tell why."""
        self._kernels.require()
        opened = self._open_exercise(name, borrows)
        try:
            ending, _ = self._kernels.run(index, source)
        finally:
            finding = opened.close()
        return ending if finding else self._kernels.looked_at(ending), finding


def _shown(finding: Finding) -> list[NotebookNode]:
    """A verdict as the outputs of a cell: an error unless it is a pass, after the points of parts that are right, as
    nbgrader reads it."""
    if finding.verdict == "pass":
        text = f"pass: {finding.message}\n" if finding.message else "pass\n"
        return [node(output_type="stream", name="stdout", text=text)]
    line = f"{finding.verdict}: {finding.message}"
    error = node(output_type="error", ename=finding.verdict, evalue=finding.message, traceback=[line])
    data = {"text/plain": f"{finding.earned:g}"}
    points = node(output_type="execute_result", execution_count=None, metadata={}, data=data)
    return [points, error] if finding.earned else [error]
