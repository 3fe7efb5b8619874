"""What a run shows: results.json, timings.json, the executed notebooks and the report."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.results import files
from autograder.results.model import Record, RunResult

UNSAID = {"ungraded"}  # where all are graded


def write_run(out: Path, run: RunResult, records: Iterable[Record]) -> Path:
    """Write OUT/results.json, OUT/timings.json and OUT/executed/STUDENT.ipynb for each record.

    What is there already and is the same is left as it is. results.json is the same for the same submissions and
    settings, whatever the machine does; timings.json, the seconds that each submission took, is not. Returns the path
    of results.json. Raises InputError where `out` cannot be written to.
    """
    records = sorted(records, key=lambda record: (record.result.student, record.result.path))
    for record in records:
        _write(files.notebook_path(out, record.result.student), record.executed)
    _write(out / "timings.json", _json({record.result.path: record.seconds for record in records}))
    return _write(out / "results.json", _json(run.model_dump(mode="json", exclude=set() if run.ungraded else UNSAID)))


def write_report(out: Path, html: str) -> Path:
    """Write OUT/report.html, complete or not at all. Raises InputError where `out` cannot be written to."""
    return _write(out / "report.html", html)


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> Path:
    try:
        if path.read_text(encoding="utf-8") == text:
            return path
    except (OSError, UnicodeDecodeError):
        pass
    return files.write(path, text)
