"""Where the course lies on disk, and what its assignments are called."""

import difflib
from pathlib import Path

from autograder.errors import InputError

ROOT = Path(__file__).resolve().parent.parent


def text_path(name: str, root: Path | None = None) -> Path:
    return (root or ROOT) / "notebooks" / f"{name}.py"


def source_path(name: str, root: Path | None = None) -> Path:
    return (root or ROOT) / "source" / name / f"{name}.ipynb"


def release_path(name: str, root: Path | None = None) -> Path:
    return (root or ROOT) / "release" / name / f"{name}.ipynb"


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
