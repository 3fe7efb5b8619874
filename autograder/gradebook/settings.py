"""The nbgrader course that is recorded to: its folder, its nbgrader_config.py and where that puts things."""

import os
import re
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dateutil import tz
from dateutil.parser import isoparse
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from nbgrader.utils import parse_utc
from traitlets.config import Config, PyFileConfigLoader

from autograder import course
from autograder.errors import InputError

CONFIG = "nbgrader_config.py"
MOST_CHARACTERS = 1_000  # of a timestamp.txt
_TIME = re.compile(r"(\d{4}-\d\d-\d\d.*?)(?: ([A-Z]{3,5}|\+0000))?")


@dataclass(frozen=True)
class Course:
    """A course folder with nbgrader's settings for it."""

    root: Path
    config: Config
    directory: CourseDirectory

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """Where nbgrader keeps a student's files of a step such as `autograded_directory`."""
        return Path(self.directory.format_path(getattr(self.directory, step), student, assignment))

    @property
    def hides_rubrics(self) -> bool:
        """Whether `nbgrader generate_feedback` takes mark schemes and hidden tests out of what students get."""
        steps = self.config.GenerateFeedback.get("preprocessors", [])
        names = {step if isinstance(step, str) else step.__name__ for step in steps} if steps else set()
        return {ClearMarkScheme.__name__, ClearHiddenTests.__name__} <= {name.rpartition(".")[2] for name in names}


def read_course(root: Path | None = None) -> Course:
    """The course in `root`, this repository where none is given.

    Its nbgrader_config.py is run as nbgrader does. Raises InputError where there is no such folder or file, or where
    it cannot be run: without one, nbgrader itself would put rubrics into the feedback.
    """
    root = Path(os.path.abspath(root or course.ROOT))
    if not root.is_dir():
        raise InputError(f"{root}: is not a folder; name the course's folder, the one that holds {CONFIG}")
    if not (root / CONFIG).is_file():
        raise InputError(f"{root}: is no course folder, since there is no {CONFIG}; copy {course.ROOT / CONFIG} there")
    try:
        config = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
    except Exception as error:  # whatever the instructor's Python raises
        raise InputError(f"{root / CONFIG}: cannot be run ({type(error).__name__}: {error}); mend it") from None
    if "root" not in config.CourseDirectory:
        config.CourseDirectory.root = str(root)
    return Course(root, config, CourseDirectory(config=config))


def read_timestamp(path: Path) -> datetime | None:
    """The time of submission in a timestamp.txt as a datetime in UTC, without a zone, as nbgrader keeps it.

    None where there is no such file, or an empty one. Raises InputError where it holds something else.
    """
    try:
        text = _plain_file(path).strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); write the time of submission into it") from None
    if re.search(r" [+-]\d*[1-9]\d*$", text):  # nbgrader takes +0200 for 200 seconds
        raise InputError(
            f"{path}: {text[:40]!r}: nbgrader misreads such a zone; write the time in UTC, with UTC behind"
        )
    try:
        return _time(text) if text else None
    except (ValueError, OverflowError):
        raise InputError(f"{path}: {text[:40]!r} is no time; write for example 2030-01-31 23:59:00 UTC") from None


def _plain_file(path: Path) -> str:
    """The beginning of a file, but of no link, pipe or device: students may have put them there. Raises OSError."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise OSError("it is no plain file")
    with path.open(encoding="utf-8") as file:
        return file.read(MOST_CHARACTERS)


def _time(text: str) -> datetime:
    """A time with the year first, in UTC where it names no zone. Raises ValueError where it is none.

    Not by nbgrader's parse_utc alone, which guesses: March 5 for 03.05.2030, and UTC for a zone that it does not know.
    """
    match = _TIME.fullmatch(text)
    zone = tz.gettz((match[2] or "UTC").replace("+0000", "UTC")) if match else None
    if not match or not zone:
        raise ValueError(text)
    moment = isoparse(match[1])
    return parse_utc(moment if moment.tzinfo else moment.replace(tzinfo=zone))
