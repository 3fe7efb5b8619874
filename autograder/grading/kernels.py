"""The kernels that a notebook runs in, one after the other: each has run every cell so far, but for test cells."""

import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import replace

from nbformat import NotebookNode

from autograder.sandbox.kernel import Ending, Kernel
from autograder.sandbox.limits import Limits
from fixmelab import cells
from fixmelab.cells import Whose
from fixmelab.restoring.nodes import new_cell

# Each runs again all that came before it. An honest notebook needs at most one more for each answer and each test.
MOST_KERNELS = 60


class Kernels:
    """Used as `with Kernels(…) as kernels`; leaving ends the kernel that is there.

    Cells are known by their index in `notebook`; those in `students` are the student's own. One that hangs or kills its
    kernel is never run again, and `on_left_out` is called with its index and how it ended.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        start: Callable[[Limits], Kernel],
        limits: Limits,
        on_left_out: Callable[[int, Ending], None],
        students: Collection[int] = (),
    ) -> None:
        # Which cell an execution count of the kernel that is there means.
        self.counts: dict[int, int] = {}
        self._notebook = notebook
        self._start = start
        self._limits = limits
        self._on_left_out = on_left_out
        self._students = students
        self._kernel: Kernel | None = None
        self._life = contextlib.ExitStack()
        # What is left of the notebook's processor seconds, and when its time is over.
        self._left = limits.notebook
        self._deadline = time.monotonic() + limits.wall
        self._started = 0
        # Cells to run again after a restart, those never to run again, and the last one that ran.
        self._done: list[int] = []
        self._left_out: set[int] = set()
        self._last = -1

    def __enter__(self) -> "Kernels":
        return self

    def __exit__(self, *_: object) -> None:
        self._life.close()

    def are_ready(self) -> bool:
        """Whether there is a kernel, and time left to run a cell in it."""
        return self.require() is not None

    def run(self, index: int, source: str) -> tuple[Ending, NotebookNode]:
        """Run `source` in the place of a cell. Returns how it ended, and the executed cell."""
        kernel = self.require()
        if kernel is None:
            return self.why_over(), new_cell("code", source)
        ending, ran = kernel.run(source, self._whose(index))
        self._last = index
        self._note(ran, index)
        if not ending.alive:
            self._end(kernel)
        return ending, ran

    def looked_at(self, ending: Ending) -> Ending:
        """How the last cell ended, once the supervisor has looked at what it left behind."""
        if self._kernel is None:
            return ending
        ending = self._kernel.looked_at(ending)
        if not ending.alive:
            self._end(self._kernel)
        return ending

    def why_over(self) -> Ending:
        """What ended the whole notebook, if no kernel is to be had."""
        return Ending("timeout", reason="notebook") if self._is_late() else Ending("crashed", reason="kernels")

    def remember(self, index: int) -> None:
        """Run this cell again in every kernel to come."""
        self._done.append(index)

    def leave_out(self, index: int, ending: Ending) -> None:
        """Never run this cell again."""
        self._left_out.add(index)
        self._on_left_out(index, ending)

    def require(self) -> Kernel | None:
        """A kernel in which every remembered cell has run, but for those left out; None if the time is over, or if too
        many have ended."""
        if self._kernel is not None and not self._kernel.is_alive():
            self._end(self._kernel)
            if self._last in self._done:
                # It ended just after a cell had: that cell would end the next one, too.
                self.leave_out(self._last, Ending("crashed"))
        while self._kernel is None and not self._is_late() and self._started < MOST_KERNELS:
            self._started += 1
            left = replace(self._limits, notebook=self._left, wall=self._deadline - time.monotonic())
            self._kernel = self._life.enter_context(self._start(left))
            self.counts.clear()
            self._run_again(self._kernel)
        return self._kernel

    def _run_again(self, kernel: Kernel) -> None:
        for index in [index for index in self._done if index not in self._left_out]:
            ending, ran = kernel.run(self._notebook.cells[index].source, self._whose(index))
            self._note(ran, index)
            if not ending.alive:
                self.leave_out(index, ending)
                self._end(kernel)
                return

    def _whose(self, index: int) -> Whose:
        return cells.whose(self._notebook.cells[index], is_students=index in self._students)

    def _is_late(self) -> bool:
        return self._left <= 0 or time.monotonic() > self._deadline

    def _note(self, ran: NotebookNode, index: int) -> None:
        """Remember which cell an execution count belongs to, if the kernel gave one."""
        if isinstance(ran.execution_count, int):
            self.counts[ran.execution_count] = index

    def _end(self, kernel: Kernel) -> None:
        self._kernel = None
        self._life.close()
        self._left -= kernel.used
