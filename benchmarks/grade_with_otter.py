"""Grades notebooks with otter, one after the other: `grade_with_otter.py (run|api) ZIP OUT NOTEBOOK…`.

`run` gives the command `otter run` for each; `api` calls what is behind it in this one process. Runs in otter's
environment and imports nothing of this project.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def by_command(notebook: str, autograder: str) -> float:
    """What `otter run` gives the notebook."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(
            [sys.executable, "-m", "otter", "run", "-a", autograder, "-o", out, "--no-logo", notebook], check=True
        )
        tests = json.loads((Path(out) / "results.json").read_text(encoding="utf-8"))["tests"]
    return sum(test.get("score", 0.0) for test in tests)


def by_api(notebook: str, autograder: str) -> float:
    """What otter's API gives the notebook."""
    from otter.api import grade_submission

    return grade_submission(notebook, autograder, quiet=True).total


def main(way: str, autograder: str, out: str, *notebooks: str) -> None:
    grade = {"run": by_command, "api": by_api}[way]
    marks = {notebook: grade(notebook, autograder) for notebook in notebooks}
    Path(out).write_text(json.dumps(marks), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
