"""Grades 200 toy submissions with two workers: `killed_run.py ROOT OUT LOG [SOCKET SESSIONS]`. Made to be killed.

Each student graded now, not found in OUT, is a line in LOG. SOCKET and SESSIONS are those of a zygote that is there
already; without them the run has its own.
"""

import sys
from pathlib import Path

from autograder import course
from autograder.grading.workers import Crew
from autograder.sandbox.zygote import Address, Zygote

COUNT = 200


class Lent(Zygote):
    """A zygote that is another's: nothing is started, and nothing ended."""

    def __init__(self, socket: str, sessions: str) -> None:
        self.address = Address(socket, sessions, sandbox=True)

    def __exit__(self, *_: object) -> None:
        pass

    def is_alive(self) -> bool:
        return True

    def log_tail(self) -> str:
        return ""


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


def main(root: str, out: str, log: str, *zygote: str) -> None:
    course.ROOT = Path(root)
    if zygote:
        Crew._new_zygote = lambda self: Lent(*zygote)
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
