"""The nbgrader course that is recorded to: its folder, its nbgrader_config.py and where that puts things."""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from nbgrader.utils import parse_utc
from traitlets.config import Config, PyFileConfigLoader

from autograder import course
from autograder.build.nbgrader_settings import settings
from autograder.errors import InputError

CONFIG = "nbgrader_config.py"


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

    Its nbgrader_config.py is run as nbgrader does; without one, the settings of this repository hold. Raises
    InputError where there is no such folder or the file cannot be run.
    """
    root = Path(os.path.abspath(root or course.ROOT))
    if not root.is_dir():
        raise InputError(f"{root}: is not a folder; name the course's folder, the one that holds {CONFIG}")
    if (root / CONFIG).exists():
        try:
            config = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
        except Exception as error:  # whatever the instructor's Python raises
            raise InputError(f"{root / CONFIG}: cannot be run ({type(error).__name__}: {error}); mend it") from None
    else:
        config = settings()
    if "root" not in config.CourseDirectory:
        config.CourseDirectory.root = str(root)
    return Course(root, config, CourseDirectory(config=config))


def read_timestamp(path: Path) -> datetime | None:
    """The time of submission in a timestamp.txt as a datetime in UTC, without a zone, as nbgrader keeps it.

    None where there is no such file, or an empty one. Raises InputError where it holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); write the time of submission into it") from None
    if re.search(r" [+-]\d*[1-9]\d*$", text):  # nbgrader takes +0200 for 200 seconds
        raise InputError(
            f"{path}: {text[:40]!r}: nbgrader misreads such a zone; write the time in UTC, with UTC behind"
        )
    try:
        return parse_utc(text) if text else None
    except (ValueError, OverflowError):
        raise InputError(f"{path}: {text[:40]!r} is no time; write for example 2030-01-31 23:59:00 UTC") from None
