"""The bar that an attack is held against: nothing outside changed, nothing left running, nothing secret shown."""

import hashlib
import os
import re
import site
import stat
import sysconfig
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

from nbformat import NotebookNode
from rich.console import Console

from autograder import course
from autograder.grading.cell_text import release_text
from autograder.regions import MARKER
from autograder.reports.html import html_report
from autograder.reports.table import results_table
from autograder.results.model import RunResult, SubmissionResult

# What an attack calls whatever it leaves behind: files, processes, shared memory, elements of a page.
MARK = "left-by-attack"
MARK_KEY = 0x0A77AC4
# How an attack says that it got what it wanted, and that it came to its end.
STOLEN = "STOLEN"
REACHED = "reached"

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "shm")
_SYSTEM_FILES = ("/etc/passwd", "/etc/hosts", "/etc/ld.so.cache")
_LONG_LINE = 30


# Outside


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
    marked = [pid for pid in _processes() if MARK in _called(pid)]
    return found + [f"process {pid}" for pid in marked if pid not in descendants(os.getppid())]


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


def _state(path: Path) -> str:
    try:
        about = path.lstat()
        held = os.readlink(path).encode() if stat.S_ISLNK(about.st_mode) else path.read_bytes()
    except OSError as error:
        return type(error).__name__
    return f"{about.st_mode:o} {about.st_uid} {hashlib.sha256(held).hexdigest()}"


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


# Processes


def descendants(of: int) -> set[int]:
    """Numbers of the processes that `of` started, and that those started."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        try:
            text = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            continue
        children.setdefault(int(text[text.rindex(b")") + 2 :].split()[1]), []).append(pid)
    found: set[int] = set()
    waiting = [of]
    while waiting:
        started = children.get(waiting.pop(), [])
        found.update(started)
        waiting += started
    return found


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _called(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text() + Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


# Secrets


def secret_lines(assignment: str, source: NotebookNode) -> set[str]:
    """Lines of solutions, mark schemes, reference and checks that are long enough to be told from chance."""
    folder = course.ROOT / "autograder" / "assignments" / assignment
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]
    for cell in source.cells:
        inside = False
        for line in cell.source.splitlines():
            marker = MARKER.search(line)
            inside = marker[1] == "BEGIN" and marker[2] != "HIDDEN TESTS" if marker else inside
            texts += [line] if inside and not marker else []
    known = "\n".join(release_text(cell) for cell in source.cells)
    lines = {line.strip() for text in texts for line in text.splitlines()}
    return {line for line in lines if len(line) >= _LONG_LINE and line not in known}


def shown_text(results: Iterable[SubmissionResult], notebooks: Iterable[NotebookNode]) -> str:
    """All text that grading gave out, but for the cells themselves."""
    outputs = [
        text
        for notebook in notebooks
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for text in _strings(output)
    ]
    return "\n".join([text for result in results for text in _strings(result.model_dump())] + outputs)


def printed_lines(notebook: NotebookNode) -> list[str]:
    """What the cells of an executed notebook printed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    texts = [output.get("text", "") for output in outputs if output.get("output_type") == "stream"]
    return "\n".join(texts).splitlines()


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


# What people look at


def report_problem(run: RunResult, notebooks: Mapping[str, NotebookNode], source: NotebookNode) -> str:
    """What an attack got into the HTML report, the table or the texts of results.json; else nothing."""
    page = _Page(html_report(run, notebooks, source))
    if page.problem:
        return f"the report holds {page.problem}"
    terminal = StringIO()
    Console(file=terminal, width=200).print(results_table(run))
    for where, text in (
        ("the table", terminal.getvalue()),
        *(("results.json", text) for text in _strings(run.model_dump())),
    ):
        if odd := unseen(text):
            return f"{where} holds the character {odd!r}"
    return ""


def unseen(text: str) -> str:
    """The first character that a terminal obeys instead of showing it; else nothing."""
    return next((char for char in text if char != "\n" and unicodedata.category(char)[0] == "C"), "")


class _Page(HTMLParser):
    """Looks for whatever in a page runs, loads, or was marked by an attack."""

    _FORBIDDEN = re.compile(
        "script|iframe|object|embed|link|base|form|input|button|textarea|audio|video|source|template|foreignobject"
        "|animate|set|use|math|applet|frame|frameset"
    )
    _LOADING = re.compile("src|srcset|srcdoc|href|xlink:href|action|formaction|data|background|poster|ping|style|on.*")
    _HARMLESS = re.compile(r"#student-\d+|data:image/png;base64,[A-Za-z0-9+/=]*")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.problem = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if self._FORBIDDEN.fullmatch(tag) or MARK in tag:
            self.problem = self.problem or f"the element <{tag}>"
        for name, value in attributes:
            runs = self._LOADING.fullmatch(name) and not self._HARMLESS.fullmatch(value or "")
            if runs or MARK in name or (name in ("id", "class") and MARK in (value or "")):
                self.problem = self.problem or f"the attribute {name}={(value or '')[:80]!r}"

    def handle_comment(self, data: str) -> None:
        self.problem = self.problem or f"the comment {data[:80]!r}"
