"""Serves the toy course: `served_toy.py ROOT DATA PORT SOCKET SESSIONS`, the last two a zygote's. To be killed.

If ROOT/checks/mended.py is there when assignments are read, its EXERCISES are the checks.
"""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "grading"))


def main(root: str, data: str, port: str, *zygote: str) -> None:
    from killed_run import Lent

    from autograder import course
    from autograder.grading.workers import Crew

    course.ROOT = Path(root)
    Crew._new_zygote = lambda self: Lent(*zygote)
    from toy_course import EXERCISES

    from autograder.grading.grading import Grading
    from autograder.serve.database import NAME, Database
    from autograder.serve.doors import LiveRules
    from autograder.serve.server import alone_in, grade_while_listening, listen
    from autograder.serve.service import Service

    key = b"k" * 32
    checks = Path(root) / "checks"
    sys.path.insert(0, str(checks))

    def read_gradings() -> dict[str, Grading]:
        is_mended = (checks / "mended.py").exists()
        exercises = importlib.import_module("mended").EXERCISES if is_mended else EXERCISES
        return {"toy": Grading("toy", course.read_source("toy"), key=key, exercises=exercises)}

    with alone_in(Path(data)), listen("127.0.0.1", int(port)) as listening:
        service = Service(Database(f"sqlite:///{data}/{NAME}"), LiveRules(["toy"]), ["toy"], key)
        grade_while_listening(service, read_gradings, lambda gradings: Crew("toy", jobs=1), listening, print)


if __name__ == "__main__":
    main(*sys.argv[1:])
