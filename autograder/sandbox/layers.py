"""The walls around untrusted code: what bubblewrap shows it, and what it takes away."""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from autograder.course import ROOT
from autograder.errors import SandboxError
from autograder.sandbox import computing
from autograder.sandbox.inside.places import HOME, JUDGE, SHARED, USER

PACKAGE = Path(__file__).resolve().parent.parent

# System folders that hold programs and libraries; on many systems some are links into /usr.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# What the dynamic loader, fonts and clocks read, and what torch asks about the processor.
SMALL = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
    "/sys/devices/system/cpu",
)
NAMESPACES = ("--unshare-all", "--unshare-user", "--hostname", "sandbox", "--uid", str(USER), "--gid", str(USER))
POWERS = ("--cap-drop", "ALL", "--new-session", "--die-with-parent")
ADVICE = "or grade trusted submissions with --unsafe-no-sandbox"


def shown(readable: Iterable[Path] = ()) -> list[str]:
    """What the sandbox shows under its own name: Python, the students' package, and `readable` folders."""
    return list(dict.fromkeys(map(str, (*_python(), *_students_package(), *readable))))


def confine(command: list[str], *, sessions: Path | None = None, readable: Iterable[Path] = ()) -> list[str]:
    """`command` as bubblewrap is to run it: namespaces of its own, no network, no capabilities, a read-only
    file system with only Python and the students' package in it, and a private home and /tmp.

    `sessions` is the folder of the judge's sockets; it and the package `inside` are shown in SHARED. `readable` is
    as in `shown`. The environment is passed on as it is, and a process
    inside can read the one that bubblewrap was started with: clear it first.
    """
    shared = {"inside": PACKAGE / "sandbox" / "inside", "sessions": sessions}
    empty = [str(path) for path in (*_hidden(), *_settings(), *_folders_in_data())]
    operations = {
        "/proc": ["--proc"],
        "/dev": ["--dev"],
        "/tmp": ["--tmpfs"],
        HOME: ["--tmpfs"],
        JUDGE: ["--dir"],
        **{path: _system(path) for path in SYSTEM if os.path.exists(path)},
        **{path: ["--ro-bind", path] for path in SMALL if os.path.exists(path)},
        **{path: ["--tmpfs"] for path in empty},
        **{f"{path}/fonts": ["--ro-bind", f"{path}/fonts"] for path in _settings() if (path / "fonts").is_dir()},
        **{path: ["--ro-bind", path] for path in shown(readable)},
        **{str(path): ["--ro-bind", "/dev/null"] for path in _installers_settings()},
        **{f"{SHARED}/{name}": ["--ro-bind", str(path)] for name, path in shared.items() if path is not None},
    }
    # Parents before children, so that what is shown inside a hidden folder comes after the hiding.
    ordered = sorted(operations, key=lambda path: path.count("/"))
    mounts = [part for path in ordered for part in (*operations[path], path)]
    # What one kernel could write there, all others would see, and it would stay.
    sealed = [part for path in ("/", "/dev", *empty) for part in ("--remount-ro", path)]
    return ["bwrap", *NAMESPACES, *POWERS, *mounts, *sealed, "--chdir", HOME, "--", *command]


def require_sandbox() -> None:
    """Raise SandboxError with one line of advice unless the sandbox works here: it is tried with `true`."""
    if shutil.which("bwrap") is None:
        raise SandboxError(
            f"the sandbox needs bubblewrap: run `apt-get install bubblewrap`, or `make demo` as root, {ADVICE}"
        )
    trial = _trial()
    if trial.returncode != 0:
        output = " ".join(trial.stderr.split())[:300] or f"exit code {trial.returncode}"
        raise SandboxError(
            f"bubblewrap is installed but cannot make a sandbox here ({output}): "
            f"allow unprivileged user namespaces on this machine, run a container as privileged, {ADVICE}"
        )


def environment(home: str) -> dict[str, str]:
    """All environment variables that untrusted code sees, but for those of the session."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        **computing.VARIABLES,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
    }


@functools.cache
def _trial() -> subprocess.CompletedProcess[str]:
    return subprocess.run(confine(["true"]), env=environment(HOME), capture_output=True, text=True, errors="replace")


def _system(path: str) -> list[str]:
    return ["--symlink", os.readlink(path)] if os.path.islink(path) else ["--ro-bind", path]


def _both(paths: Iterable[str | Path]) -> list[Path]:
    """Each path as it is called and as it is after following links, where it exists."""
    found = [name for path in paths for name in (Path(path).absolute(), Path(path).resolve())]
    return [path for path in dict.fromkeys(found) if path.exists()]


def _python() -> list[Path]:
    """The environment that this Python runs in, and the installation below it, where /usr does not hold them."""
    found = _both([sys.prefix, sys.base_prefix])
    if ROOT in found:
        raise SandboxError(f"Python's environment is {ROOT} itself: make it a folder of its own, such as .venv")
    return [path for path in found if not path.is_relative_to("/usr")]


def _settings() -> list[Path]:
    """Where Dask, Jupyter and others look for settings beside Python, with keys and passwords in them."""
    places = [prefix / "etc" for prefix in (*_python(), Path("/usr"), Path("/usr/local"))]
    return [place for place in places if place.is_dir() and not place.is_symlink()]


def _installers_settings() -> list[Path]:
    """Files beside Python in which addresses of indexes may hold passwords."""
    files = (prefix / name for prefix in _python() for name in ("pip.conf", ".condarc", "condarc"))
    return [file for file in files if file.is_file() and not file.is_symlink()]


def _students_package() -> list[Path]:
    """The folder of fixmelab, and the data that lie beside it in a checkout."""
    spec = importlib.util.find_spec("fixmelab")
    if spec is None or not spec.submodule_search_locations:
        raise SandboxError("the students' package is not installed: run `pip install -e .` in the repository")
    package = Path(spec.submodule_search_locations[0])
    return _both([package, package.parent / "data"] if package.parent == ROOT else [package])


def _folders_in_data() -> list[Path]:
    """The data are files; folders among them may be anybody's."""
    return [path for path in (ROOT / "data").glob("*") if path.is_dir() and not path.is_symlink()]


def _hidden() -> list[Path]:
    """Where the instructors' files would show through, did a folder above them hold Python as well."""
    in_checkout = not ROOT.is_relative_to(sysconfig.get_path("purelib"))
    return [ROOT] if in_checkout else [PACKAGE]
