"""Where the course lies on disk, and what its assignments are called."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.errors import InputError

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
# Modules in the folder of an assignment that hold no exercise.
NO_EXERCISE = frozenset({"__init__", "common", "reference", "trials"})


def text_path(name: str, root: Path | None = None) -> Path:
    return (root or ROOT) / "notebooks" / f"{name}.py"


def source_path(name: str, root: Path | None = None) -> Path:
    return (root or ROOT) / "source" / name / f"{name}.ipynb"


def release_path(name: str, root: Path | None = None) -> Path:
    return (root or ROOT) / "release" / name / f"{name}.ipynb"


def read_source(name: str) -> "NotebookNode":
    """The instructor's notebook of an assignment. Raises InputError where it is missing or damaged."""
    return _read(source_path(name), name)


def read_release(name: str) -> "NotebookNode":
    """The students' notebook of an assignment. Raises InputError where it is missing or damaged."""
    return _read(release_path(name), name)


def _read(path: Path, name: str) -> "NotebookNode":
    import nbformat  # late: the zygote's and the nursery's imports should not have to wait for this one

    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: run `autograder build {name}`") from None
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise InputError(f"{path} cannot be read ({error}): run `autograder build {name}`") from None


def assignment_names(root: Path | None = None) -> list[str]:
    """Names of all assignments: every text in notebooks/."""
    return sorted(path.stem for path in ((root or ROOT) / "notebooks").glob("*.py"))


def require_assignment(name: str, root: Path | None = None) -> str:
    """Return `name`, or raise InputError that names the nearest assignment there is."""
    names = assignment_names(root)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names) or 'none'}"
    raise InputError(f"there is no assignment {name!r}; {hint}")
