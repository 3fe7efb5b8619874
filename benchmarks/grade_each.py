"""Grades notebooks with a peer, one after the other: `grade_each.py WAY ARCHIVE OUT SECONDS NOTEBOOK…`.

WAY is "otter", the command `otter run` for each; "otter-api", what is behind it in this one process; or "gradescope",
the archive's run_autograder for each, in a new folder that holds what is in the archive. A command that takes longer
than SECONDS is ended. OUT gets, as JSON, the points of each notebook that got any mark, after those that it holds
already; what became of the others is said in one line each. Runs in the peers' environment and imports nothing of this
project.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

KILLED = "killed"  # in the line on a notebook whose grading took too long


def by_otter(notebook: str, archive: str, seconds: float) -> float:
    """What `otter run` gives the notebook."""
    with tempfile.TemporaryDirectory() as out:
        run(["otter", "run", "-a", archive, "-o", out, "--no-logo", notebook], ".", seconds)
        tests = json.loads((Path(out) / "results.json").read_text(encoding="utf-8"))["tests"]
    return sum(test.get("score", 0.0) for test in tests)


def by_otter_api(notebook: str, archive: str, seconds: float) -> float:
    """What otter's API gives the notebook."""
    from otter.api import grade_submission

    return grade_submission(notebook, archive, quiet=True).total


def by_gradescope(notebook: str, archive: str, seconds: float) -> float:
    """What run_autograder gives the notebook: the score in the results.json that it writes."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(archive, folder)
        run(["bash", "run_autograder", notebook], folder, seconds)
        return float(json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))["score"])


WAYS = {"otter": by_otter, "otter-api": by_otter_api, "gradescope": by_gradescope}


def run(command: list[str], folder: str, seconds: float) -> None:
    """Run a command of this environment in `folder`. Raises RuntimeError if it fails or is not done after `seconds`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PATH": path}, start_new_session=True)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise RuntimeError(f"{KILLED} after {seconds:g} s") from None
    if code:
        raise RuntimeError(f"{' '.join(command[:2])} ended with exit code {code}")


def main(way: str, archive: str, out: str, seconds: str, *notebooks: str) -> None:
    marks = json.loads(Path(out).read_text(encoding="utf-8")) if Path(out).exists() else {}
    for notebook in notebooks:
        try:
            marks[Path(notebook).stem] = WAYS[way](notebook, archive, float(seconds))
        except Exception as error:
            print(f"{notebook}: no mark: {error}", flush=True)
        Path(out).write_text(json.dumps(marks), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
