"""Grades notebooks with otter, one after the other: `grade_with_otter.py (run|api) ZIP OUT SECONDS NOTEBOOK…`.

`run` gives the command `otter run` for each, and ends one that takes longer than SECONDS; `api` calls what is behind
it in this one process. OUT gets, as JSON, the points of each notebook that got any mark, after those that it holds
already; what became of the others is said in one line each. Runs in otter's environment and imports nothing of this
project.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

KILLED = "killed"  # in the line on a notebook whose grading took too long


def by_command(notebook: str, autograder: str, seconds: float) -> float:
    """What `otter run` gives the notebook."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "otter", "run", "-a", autograder, "-o", out, "--no-logo", notebook]
        process = subprocess.Popen(command, start_new_session=True)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise RuntimeError(f"{KILLED} after {seconds:g} s") from None
        if code:
            raise RuntimeError(f"otter run ended with exit code {code}")
        tests = json.loads((Path(out) / "results.json").read_text(encoding="utf-8"))["tests"]
    return sum(test.get("score", 0.0) for test in tests)


def by_api(notebook: str, autograder: str, seconds: float) -> float:
    """What otter's API gives the notebook."""
    from otter.api import grade_submission

    return grade_submission(notebook, autograder, quiet=True).total


def main(way: str, autograder: str, out: str, seconds: str, *notebooks: str) -> None:
    grade = {"run": by_command, "api": by_api}[way]
    marks = json.loads(Path(out).read_text(encoding="utf-8")) if Path(out).exists() else {}
    for notebook in notebooks:
        try:
            marks[Path(notebook).stem] = grade(notebook, autograder, float(seconds))
        except Exception as error:
            print(f"{notebook}: no mark: {error}", flush=True)
        Path(out).write_text(json.dumps(marks), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
