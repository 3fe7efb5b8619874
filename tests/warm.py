"""The command line in this process, with a crew that has started already: what a command does, not how it starts."""

import contextlib
import io
import subprocess
import sys
from collections.abc import Iterator

import pytest

from autograder import course
from autograder.commands import app, terminal
from autograder.grading import run
from autograder.grading.workers import Crew
from autograder.sandbox.zygote import Address
from tests.autograder.grading.killed_run import Lent


class CrewOfAnother(Crew):
    """A crew whose kernels come from a zygote that is there already."""

    def __init__(self, address: Address, *, jobs: int) -> None:
        super().__init__(jobs=jobs)
        self._address = address

    def _new_zygote(self) -> Lent:
        return Lent(self._address.socket, self._address.sessions)


class InThisProcess:
    """`commands("record", "graded")` is `autograder record graded`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess:
        with self._patch.context() as patch, contextlib.ExitStack() as life:
            patch.chdir(course.ROOT)
            patch.setattr(sys, "argv", ["autograder", *map(str, arguments)])
            for console in (terminal.console, terminal.errors):
                patch.setattr(console, "_width", 400)
            out = life.enter_context(contextlib.redirect_stdout(io.StringIO()))
            err = life.enter_context(contextlib.redirect_stderr(io.StringIO()))
            try:
                app.main()
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
        return subprocess.CompletedProcess(list(arguments), code, out.getvalue(), err.getvalue())


class WarmCommands(InThisProcess):
    """The same, and `grade` has its submissions graded by `crew`, whatever --jobs says."""

    def __init__(self, crew: Crew, patch: pytest.MonkeyPatch) -> None:
        super().__init__(patch)
        self._crew = crew

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess:
        with self._patch.context() as patch:
            patch.setattr(run, "Crew", self._lent)
            return super().__call__(*arguments)

    @contextlib.contextmanager
    def _lent(self, assignment: str, *, jobs: int, sandbox: bool, user: int | None) -> Iterator[Crew]:
        assert sandbox and user is None, "this crew's kernels are in the sandbox"
        yield self._crew
