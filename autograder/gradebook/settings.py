"""The nbgrader course that is recorded to: its folder, its nbgrader_config.py and where that puts things."""

import os
from dataclasses import dataclass
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from traitlets.config import Config, PyFileConfigLoader

from autograder import course
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
