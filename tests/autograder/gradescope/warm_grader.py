"""What `run_autograder` runs, in a process that has its imports, its nursery and its zygote already.

The container's Python runs this text in the course's folder, with ROOT, PLACE and a shell command that says which of a
student's processes are left. For each line of its standard input it grades what lies there, by the same two main
functions, and answers with a line. What they say goes to standard error.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

from autograder.gradescope import container
from autograder.gradescope import run as outer
from autograder.gradescope.settings import Layout
from autograder.grading import run as inner
from autograder.grading.workers import Crew


class Forked:
    """The grader that `outer` starts: what subprocess.Popen does, but forked from here instead of started anew."""

    def __init__(self, command: list[str], *, start_new_session: bool, stdin: int) -> None:
        assert command[:4] == [sys.executable, "-B", "-m", container.__name__], command
        assert start_new_session and stdin == subprocess.DEVNULL
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                container.main(*command[4:])
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                os._exit(code)

    def wait(self, timeout: float | None = None) -> int:
        until = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG if timeout else 0)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif until and time.monotonic() > until:
                raise subprocess.TimeoutExpired("grader", timeout or 0)
            else:
                time.sleep(0.02)
        return self.returncode


def main(root: str, place: str, look_for_left: str) -> None:
    layout = Layout(Path(root), Path(place))
    answers = os.dup(1)
    os.dup2(2, 1)
    assignment, user = layout.settings().assignment, layout.user
    with Crew(assignment, sandbox=False, user=user) as crew:

        @contextlib.contextmanager
        def lent(*given: str, **how: object) -> Iterator[Crew]:
            assert (given, how) == ((assignment,), {"jobs": 1, "sandbox": False, "user": user})
            yield crew

        inner.Crew = lent
        with inner.begin_run(assignment, sandbox=False, user=user):
            pass  # what is imported late is there from now on
        outer.subprocess = types.SimpleNamespace(**vars(subprocess) | {"Popen": Forked})
        for _ in sys.stdin:
            shutil.copy(layout.source / "not_graded.json", layout.results)
            outer.main(root, place)
            sys.stdout.flush()
            subprocess.run(["sh", "-c", look_for_left])
            os.write(answers, b"done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
