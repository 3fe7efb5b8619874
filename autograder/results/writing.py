"""What a run shows: results.json, timings.json and the executed notebooks."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.results import files
from autograder.results.model import Record, RunResult
from autograder.results.reading import read_seconds

UNSAID = {"ungraded", "refused"}  # where all are graded


def write_run(out: Path, run: RunResult, records: Iterable[Record]) -> Path:
    """Write OUT/results.json, OUT/timings.json and OUT/executed/STUDENT.ipynb for each record that holds its text.

    What is there already and is the same is left as it is. results.json is the same for the same submissions and
    settings, whatever the machine does; timings.json, the seconds that each submission of the run took, is not: it
    goes on from the one that is there. Returns the path of results.json. Raises InputError if `out` cannot be
    written to.
    """
    seconds = read_seconds(out)
    for record in sorted(records, key=lambda record: (record.result.student, record.result.path)):
        if record.executed:
            _write(files.notebook_path(out, record.result.student), record.executed)
        seconds[record.result.path] = record.seconds
    known = {item.path: seconds[item.path] for item in run.submissions if item.path in seconds}
    _write(out / "timings.json", _json(known))
    return _write(out / "results.json", _json(run.model_dump(mode="json", exclude=set() if run.ungraded else UNSAID)))


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> Path:
    try:
        if path.read_text(encoding="utf-8") == text:
            return path
    except (OSError, UnicodeDecodeError):
        pass
    return files.write(path, text)
