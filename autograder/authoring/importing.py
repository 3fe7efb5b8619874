"""Whether the checks of an assignment can be imported, said to their author before they meet a class."""

import traceback
from pathlib import Path

from autograder.assignments import exercises_of
from autograder.authoring.declared import ASSIGNMENTS
from autograder.errors import InputError
from autograder.results.text import one_line

OWN_COURSE = Path(__file__).resolve().parents[2]  # the folder of the course whose modules this process imports


def require_importable(name: str, root: Path) -> None:
    """Raise InputError, a line with file and line number, if a module of the assignment raises when it is imported."""
    try:
        exercises_of(name)
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(root))]
        place = f"{Path(own[-1].filename).relative_to(root)}:{own[-1].lineno}" if own else f"{ASSIGNMENTS / name}"
        raise InputError(f"{place}: {type(error).__name__}: {one_line(str(error), 200)}") from None
