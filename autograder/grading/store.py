"""What a run has graded so far: one file a result, so that a killed run goes on where it was."""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from autograder.errors import InputError
from autograder.grading.submissions import Submission
from autograder.results import files
from autograder.results.model import Record
from fixmelab.files import remove_leftovers


class Store:
    """The records in OUT/.results, used as `with Store(out) as store`: one run at a time.

    A record is known by the digest of the run, the student and the submission's bytes. Entering raises InputError
    if `out` cannot be written to, or another run is at work in it.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._folder = out / ".results"

    def __enter__(self) -> "Store":
        files.write(self._folder / ".writable", "")
        try:
            (self._folder / ".writable").unlink()
            self._lock = os.open(self._folder, os.O_RDONLY)
            self._take_lock()
            for folder in (self.out, self._folder, files.notebook_path(self.out, "").parent):
                remove_leftovers(folder)
        except OSError as error:
            raise InputError(f"{self._folder}: cannot be used ({error.strerror}); {files.ADVICE}") from None
        return self

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InputError(f"{self.out}: another run is at work there; wait for it, or give another --out") from None
        except OSError:
            pass  # a file system without locks

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def find(self, run_digest: str, submission: Submission) -> Record | None:
        """The record of a submission, or None if it has not been graded under these conditions."""
        record = _read(self._path(run_digest, submission))
        if record is None:
            return None
        # It may lie elsewhere by now, or come from another platform.
        update = {"path": submission.path, "canvas_id": submission.canvas_id}
        result = record.result.model_copy(update=update)
        return record.model_copy(update={"result": result, "is_known": True})

    def keep(self, run_digest: str, submission: Submission, record: Record) -> None:
        """Keep a record from now on. Raises OSError if there is no room for it."""
        files.write_durably(self._path(run_digest, submission), record.model_dump_json())

    def forget(self, run_digest: str, submissions: Iterable[Submission]) -> None:
        """Drop the records of these submissions."""
        for submission in submissions:
            self._path(run_digest, submission).unlink(missing_ok=True)

    def prune(self, run_digest: str, graded: Iterable[Submission]) -> None:
        """Drop all other records than those of `graded`, and the executed notebooks of students without any.

        Raises InputError if one cannot be removed.
        """
        graded = list(graded)
        wanted = {self._path(run_digest, submission) for submission in graded}
        shown = {files.notebook_path(self.out, submission.student) for submission in graded}
        for path in self._paths():
            if path not in wanted:
                record = _read(path)
                # The notebook first: as long as the record is there, a killed run can still tell whose it was.
                if record and (stale := files.notebook_path(self.out, record.result.student)) not in shown:
                    _remove(stale)
                _remove(path)

    def _paths(self) -> Iterator[Path]:
        return (path for path in list(self._folder.iterdir()) if path.suffix == ".json")

    def _path(self, run_digest: str, submission: Submission) -> Path:
        parts = (run_digest, submission.student, submission.digest)
        key = "".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
        return self._folder / f"{hashlib.sha256(key).hexdigest()}.json"


def _read(path: Path) -> Record | None:
    try:
        return Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None  # not there, or damaged: it is graded, and written, anew


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: is out of date and cannot be removed ({error.strerror}); remove it") from None
