"""Traces that an attack may leave on the machine: changed files and devices, and whatever bears its mark."""

import hashlib
import os
import site
import stat
import sysconfig
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder import course
from autograder.attacks.processes import called, descendants, processes

# What an attack calls whatever it leaves behind: files, processes, shared memory, elements of a page.
MARK = "left-by-attack"
MARK_KEY = 0x0A77AC4

# Times of files are as fine as the kernel's ticks: what has just changed may change once more with the same time.
SETTLED_NS = 10**9

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "shm")
_SYSTEM_FILES = ("/etc/passwd", "/etc/hosts", "/etc/ld.so.cache")


def outside(*folders: Path) -> dict[str, str]:
    """What an attack must not change, by name: repository, Python's packages, start-up files, devices, `folders`."""
    found: dict[str, str] = {}
    packages = Path(sysconfig.get_path("purelib"))
    watched = [path for path in course.ROOT.iterdir() if path.is_file() and _is_ours(path)]
    for name in ("autograder", "fixmelab", "notebooks", "source", "release", "tests", "docs"):
        watched += _files(course.ROOT / name)
    for folder in folders:
        watched += _files(folder)
    watched += [path for path in packages.iterdir() if path.suffix in (".py", ".pth")]
    watched += [packages / "torch" / "__init__.py", packages / "IPython" / "__init__.py", *_start_up_files()]
    found |= {str(path): _state(path) for path in (*watched, *map(Path, _SYSTEM_FILES))}
    found |= {f"/dev/{name}": _device(Path("/dev") / name) for name in _DEVICES}
    found[str(packages)] = " ".join(sorted(name for name in os.listdir(packages) if name != "__pycache__"))
    found["processors and priority"] = f"{sorted(os.sched_getaffinity(0))} {os.getpriority(os.PRIO_PROCESS, 0)}"
    found["name of the machine"] = os.uname().nodename
    return found


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The names of what is different."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def marks() -> list[str]:
    """Files, shared memory, sockets and processes on this machine that bear the attacks' mark.

    Not the processes that descend from this one's parent: attacks that are being tried side by side.
    """
    places = [Path(place) for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue")]
    found = [str(path) for place in (*places, Path.home()) for path in _near(place, 2) if MARK in path.name]
    try:
        keys = [line.split()[0] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
        found += [f"shared memory {key}" for key in keys if int(key) == MARK_KEY]
        found += [line for line in Path("/proc/net/unix").read_text(errors="replace").splitlines() if MARK in line]
    except OSError:
        pass  # no such table here
    return found + [f"process {pid}" for pid in _strays()]


def _strays() -> list[int]:
    """Processes that bear the mark and descend from others. Some end, and others get another parent, while the table
    is read: only those count that are found by a second look as well."""
    found = set(processes())
    for _ in range(2):
        marked = {pid for pid in found if MARK in called(pid)}
        found = {pid for pid in marked - descendants(os.getppid()) if MARK in called(pid)}
    return sorted(found)


def _is_ours(path: Path) -> bool:
    return path.suffix in (".key", ".md", ".py", ".toml", ".txt", ".yml", ".db") or path.name in ("LICENSE", "Makefile")


def _files(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        yield from (Path(at) / name for name in names)


def _start_up_files() -> list[Path]:
    """What other programs of this user read when they start."""
    home = Path.home()
    names = (".bashrc", ".profile", ".bash_profile", ".pythonrc.py", ".config/matplotlib/matplotlibrc", ".pdbrc")
    start_up = home / ".ipython" / "profile_default" / "startup"
    user = Path(site.getusersitepackages())
    return [*(home / name for name in names), *_files(start_up), user / "usercustomize.py", user / "sitecustomize.py"]


_read: dict[Path, tuple[tuple[int, ...], str]] = {}  # what was known of a file when it was read, and what it held


def _state(path: Path) -> str:
    """Mode, owner and content. A file is read again only if Linux has noted a change, which nobody can set back."""
    try:
        about = path.lstat()
        noted = (about.st_dev, about.st_ino, about.st_mode, about.st_uid, about.st_size, about.st_ctime_ns)
        if path in _read and _read[path][0] == noted:
            return _read[path][1]
        held = os.readlink(path).encode() if stat.S_ISLNK(about.st_mode) else path.read_bytes()
    except OSError as error:
        return type(error).__name__
    state = f"{about.st_mode:o} {about.st_uid} {hashlib.sha256(held).hexdigest()}"
    if time.time_ns() - about.st_ctime_ns > SETTLED_NS:
        _read[path] = noted, state
    return state


def _device(path: Path) -> str:
    try:
        about = path.stat()
    except OSError as error:
        return type(error).__name__
    return f"{about.st_mode:o} {about.st_uid} {about.st_gid} {about.st_rdev}"


def _near(folder: Path, depth: int) -> Iterator[Path]:
    try:
        inside = [Path(item.path) for item in os.scandir(folder) if depth > 1 or MARK in item.name]
    except OSError:
        return
    yield from inside
    for path in inside if depth > 1 else ():
        yield from _near(path, depth - 1)
