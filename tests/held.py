"""Runs a long proof, unless it held on this machine before and nothing that decides it has changed since.

    python tests/held.py NAME COMMAND...

What decides a proof: the files below, Python, the installed libraries, bubblewrap, the kernel, the user and the
command. Their digest is kept in the environment's folder once the command has ended with 0, and forgotten before it is
run again: a proof that failed, or was interrupted, is never passed over.
"""

import hashlib
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import run

ROOT = Path(__file__).resolve().parent.parent
DECIDING = ("autograder", "fixmelab", "data", "source", "release", "tests/attacks", "tests/autograder/grading")
# Made anew by whoever runs or looks at the code, and read by no proof.
PASSED_OVER = {"__pycache__", ".ipynb_checkpoints", "cache"}


def deciding_files(root: Path) -> list[Path]:
    """All files below DECIDING, in one order on every machine."""
    found = (path for folder in DECIDING for path in (root / folder).rglob("*") if path.is_file())
    return sorted(path for path in found if not _is_passed_over(path.relative_to(root)))


def _is_passed_over(path: Path) -> bool:
    return any(part in PASSED_OVER or part.endswith(".egg-info") for part in path.parts)


def circumstances() -> Iterator[str]:
    """What decides a proof beside files: versions, the system, and who runs it."""
    yield sys.version
    yield platform.platform()
    yield str(os.geteuid())
    bubblewrap = shutil.which("bwrap")
    yield run([bubblewrap, "--version"], capture_output=True, text=True).stdout if bubblewrap else "none"
    yield from sorted(f"{item.name}=={item.version}" for item in importlib.metadata.distributions())


def digest(command: Sequence[str], root: Path = ROOT) -> str:
    """SHA-256, in hexadecimal, of everything that decides `command`."""
    total = hashlib.sha256()
    for text in (*circumstances(), *command):
        total.update(hashlib.sha256(text.encode()).digest())
    for path in deciding_files(root):
        total.update(hashlib.sha256(path.relative_to(root).as_posix().encode()).digest())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def hold(name: str, command: Sequence[str], folder: Path, root: Path = ROOT) -> int:
    """Run `command` unless `folder` says that it held as things are; return its exit code, or 0."""
    stamp, before = folder / name, digest(command, root)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == before:
        print(f"{name}: held before, and nothing that decides it has changed (to run it again, delete {stamp})")
        return 0
    stamp.unlink(missing_ok=True)
    code = run(command).returncode
    # What was changed meanwhile may not be what was proved.
    if code == 0 and digest(command, root) == before:
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(before, encoding="utf-8")
    return code


if __name__ == "__main__":
    name, *command = sys.argv[1:]
    sys.exit(hold(name, command, Path(sys.prefix) / "held"))
