"""What has been graded in a folder: one file a result, so that a killed run goes on where it was."""

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from autograder.errors import InputError
from autograder.grading.submissions import Submission
from autograder.results import files
from autograder.results.model import Record
from fixmelab.files import remove_leftovers


class Store:
    """The records in OUT/.results with the notebooks in OUT/executed, used as `with Store(out) as store`: one run at a
    time.

    A record is known by the student and the submission's bytes, and says itself under which conditions it was graded.
    Entering raises InputError if `out` cannot be written to, or another run is at work in it.
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

    def find(self, submission: Submission) -> Record | None:
        """The record of a submission, or None if it has not been graded, or its executed notebook is not the one that
        was written with it."""
        record = _read(self._path(submission))
        if record is None or record.executed_digest != _digest_of(self._executed(submission)):
            return None
        # It may lie elsewhere by now, or come from another platform.
        update = {"path": submission.path, "account": submission.account, "submitted": submission.submitted}
        return record.model_copy(update={"result": record.result.model_copy(update=update)})

    def executed(self, submission: Submission) -> str:
        """The text of the executed notebook that is kept. Raises OSError."""
        return self._executed(submission).read_text(encoding="utf-8")

    def keep(self, submission: Submission, record: Record) -> Record:
        """Keep a record and its executed notebook from now on; the record that is returned holds the notebook's text
        no longer. Raises OSError if there is no room for it."""
        # The notebook first: without its record it is graded again, and the other way round it would be another's.
        executed = self._executed(submission)
        files.write_durably(executed, record.executed)
        kept = record.model_copy(update={"executed": "", "executed_digest": _digest_of(executed) or ""})
        files.write_durably(self._path(submission), kept.model_dump_json())
        return kept

    def take(self, other: Path, student: str) -> None:
        """Have all that the folder `other` of another run keeps of a student, in place of what is here.

        Raises InputError if something cannot be read or written.
        """
        self.drop([student])
        key = _student_key(student)
        files.copy(files.notebook_path(other, student), files.notebook_path(self.out, student))
        for path in (other / self._folder.name).glob(f"{key}-*"):
            files.copy(path, self._folder / path.name)

    def show(self, submission: Submission) -> None:
        """Have the executed notebook of one of several attempts be the student's. Raises InputError if it cannot."""
        files.copy(self._executed(submission), files.notebook_path(self.out, submission.student))

    def forget(self, submissions: Iterable[Submission], only: Collection[str] | None = None) -> None:
        """Drop the records of these submissions; or, with `only`, the verdicts in them on these exercises, by name.

        Raises InputError if a record cannot be written.
        """
        for submission in submissions:
            path = self._path(submission)
            if only is None:
                path.unlink(missing_ok=True)
            elif record := _read(path):
                judged = {name: item for name, item in record.judged.items() if name not in only}
                files.write(path, record.model_copy(update={"judged": judged}).model_dump_json())

    def prune(self, graded: Iterable[Submission]) -> None:
        """Drop what these submissions' students have of earlier bytes; nobody else loses anything.

        Raises InputError if a file cannot be removed.
        """
        wanted = {self._path(submission) for submission in graded}
        students = {path.name.partition("-")[0] for path in wanted}
        for path in self._paths():
            if path.name.partition("-")[0] in students and path.with_suffix(".json") not in wanted:
                files.remove(path)

    def drop(self, students: Iterable[str]) -> None:
        """Drop all that is kept of students: records and executed notebooks. Raises InputError if that cannot be."""
        students = list(students)
        keys = set(map(_student_key, students))
        for path in self._paths():
            if path.name.partition("-")[0] in keys:
                files.remove(path)
        for student in students:
            files.remove(files.notebook_path(self.out, student))

    def _executed(self, submission: Submission) -> Path:
        if submission.is_one_of_several:
            return self._path(submission).with_suffix(".ipynb")
        return files.notebook_path(self.out, submission.student)

    def _paths(self) -> Iterator[Path]:
        return (path for path in list(self._folder.iterdir()) if path.suffix in (".json", ".ipynb"))

    def _path(self, submission: Submission) -> Path:
        parts = (submission.student, submission.digest)
        return self._folder / f"{_student_key(submission.student)}-{_key(*parts)[:40]}.json"


def _student_key(student: str) -> str:
    """What the names of a student's records begin with: of hexadecimal digits alone."""
    return _key(student)[:24]


def _key(*parts: str) -> str:
    """SHA-256, in hexadecimal, of texts that cannot be mistaken for each other."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()


def _digest_of(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _read(path: Path) -> Record | None:
    try:
        return Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None  # not there, or damaged: it is graded, and written, anew
