"""Grades notebooks with otter's own API, one after the other in one process: `grade_with_otter.py ZIP OUT NOTEBOOK…`.

Runs in otter's environment and imports nothing of this project.
"""

import json
import sys
from pathlib import Path

from otter.api import grade_submission


def main(autograder: str, out: str, *notebooks: str) -> None:
    marks = {path: grade_submission(path, autograder, quiet=True).total for path in notebooks}
    Path(out).write_text(json.dumps(marks), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
