"""Grades 100 toy submissions with two workers: `killed_run.py ROOT OUT LOG`. Made to be killed.

Each student graded now, not found in OUT, is a line in LOG.
"""

import multiprocessing
import os
import socket
import sys
import tempfile
from pathlib import Path

from autograder import course
from autograder.grading import workers
from autograder.grading.workers import Crew
from autograder.sandbox.zygote import Address, Zygote

COUNT = 100
FORKS = multiprocessing.get_context("fork")


class Lent(Zygote):
    """A zygote that is another's: nothing is started, and nothing ended."""

    def __init__(self, socket: str, sessions: str) -> None:
        self.address = Address(socket, sessions, sandbox=True)

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self) -> None:
        pass

    def let_go(self) -> None:
        pass

    def is_alive(self) -> bool:
        return True

    def log_tail(self) -> str:
        return ""


class ForkedNursery(workers._Nursery):
    """A nursery that is a fork of this process, which has imported already what a nursery does."""

    def begin(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (end() closes it)
        self._orders, theirs = socket.socketpair(socket.AF_UNIX)
        with theirs:
            self._process = FORKS.Process(target=self._serve, args=(theirs,))
            self._process.start()

    def _serve(self, orders: socket.socket) -> None:
        from autograder.grading import nursery

        self._orders.close()
        for stream in (1, 2):
            os.dup2(self._log.fileno(), stream)
        os.setsid()
        nursery.main(orders.detach(), **self._settings)

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def end(self) -> None:
        self._orders.close()
        self._process.kill()
        self._process.join()
        self._log.close()


def lay_out(root: Path, count: int = COUNT) -> None:
    """Write the course and what was handed in, once: a notebook's cells have other ids each time it is made."""
    import nbformat
    from toy_course import RIGHT, source, submission

    for folder in ("notebooks", "source/toy", "autograder/assignments/toy", "submitted"):
        (root / folder).mkdir(parents=True)
    (root / "notebooks" / "toy.py").touch()
    nbformat.write(source(), course.source_path("toy", root))
    answers = [RIGHT, {"double": "return x + 2"}, {"square": "return 0 * x"}, {}]
    for number in range(count):
        notebook = submission(**answers[number % len(answers)], why=f"Because of {number}.")
        nbformat.write(notebook, root / "submitted" / f"student{number:03}.ipynb")


def forked(root: Path, out: Path, log: Path, zygote: Address) -> multiprocessing.Process:
    """The same in a fork of this process, which has its imports, with kernels of a zygote that is there already."""
    process = FORKS.Process(target=_forked, args=(str(root), str(out), str(log), zygote))
    process.start()
    return process


def _forked(root: str, out: str, log: str, zygote: Address) -> None:
    with open(Path(root) / "errors", "ab") as errors:
        os.dup2(errors.fileno(), 2)
    Crew._new_zygote = lambda self: Lent(zygote.socket, zygote.sessions)
    workers._Nursery = ForkedNursery
    main(root, out, log)


def main(root: str, out: str, log: str) -> None:
    course.ROOT = Path(root)
    # As the command does: the crew before anything that is slow to import.
    with Crew("toy", jobs=2) as crew, open(log, "a", buffering=1) as lines:
        from toy_course import EXERCISES

        from autograder.grading.grading import Grading
        from autograder.grading.run import Run
        from autograder.grading.store import Store
        from autograder.grading.submissions import Submission
        from autograder.results.writing import write_run

        handed_in = sorted((course.ROOT / "submitted").iterdir())
        grading = Grading("toy", course.read_source("toy"), key=b"k" * 32, exercises=EXERCISES)
        with Store(Path(out)) as store:
            run = Run(grading, crew, store)

            def note(done: int, total: int) -> None:
                if done and not run.tally.records[-1].is_known:
                    lines.write(f"{run.tally.records[-1].result.student}\n")

            result = run.grade(
                [Submission(path.stem, path.name, path.read_bytes()) for path in handed_in], on_step=note
            )
    write_run(Path(out), result, run.tally.records)


if __name__ == "__main__":
    main(*sys.argv[1:])
