"""A folder that stands in for Gradescope's container, set up once by the archive's own setup.sh."""

import contextlib
import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import pytest
from gradescope_form import Results

from autograder import course
from autograder.gradescope.archive import write_archive
from tests.autograder.fabricated_runs import make_run, make_submission  # noqa: F401

sys.path.append(str(course.ROOT / "tests" / "autograder" / "sandbox"))
from own_processes import alone

# The user of the students' code here: one that no system hands out.
USER = 61917
# Gradescope's container has a process table of its own; after the grader, nothing in it may be the students' user's.
LEFT = f"grep -lsE '^Uid:.{USER}' /proc/[0-9]*/status && echo STILL RUNNING"
SCRIPT = f'"$0"; code=$?; {LEFT}; exit $code'
WARM_GRADER = Path(__file__).with_name("warm_grader.py")
# Of the packages installed here: what the container must not have, and what grading never uses. Each file takes time.
NOT_THERE = ("fixmelab*", "__editable__*", "diffusers", "jupyterlab", "mypy*", "pip", "playwright", "schemathesis")
NOT_NEEDED = ("include", "tests")  # in any of the others
METADATA = {
    "id": 1,
    "created_at": "2025-01-01T10:00:00.000000-07:00",
    "assignment": {"due_date": "2025-01-31T23:00:00.000000-07:00", "id": 2, "course_id": 3, "title": "VAE"},
    "users": [{"email": "private-address@example.org", "id": 4, "name": "A Student"}],
    "previous_submissions": [],
}


@dataclass(frozen=True)
class Container:
    """`root` stands in for /autograder, `place` for /opt/fixmelab. `forbids`: no namespaces are to be had."""

    root: Path
    place: Path
    python: Path
    forbids: bool = False

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AUTOGRADER_ROOT": str(self.root),
            "FIXMELAB_PLACE": str(self.place),
            "FIXMELAB_PYTHON": str(self.python),
            "FIXMELAB_USER": str(USER),
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
        }

    def submit(self, *files: tuple[str, str | bytes]) -> None:
        """Lay files where Gradescope lays a submission, and no results yet."""
        for folder in ("submission", "results"):
            shutil.rmtree(self.root / folder, ignore_errors=True)
            (self.root / folder).mkdir()
        for name, content in files:
            path = self.root / "submission" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (self.root / "submission_metadata.json").write_text(json.dumps(METADATA))
        # Beside Python, which is where the grader looks first.
        refuses = self.python.parent / "bwrap"
        refuses.unlink(missing_ok=True)
        if self.forbids:
            refuses.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
            refuses.chmod(0o755)

    def run(self, *files: tuple[str, str | bytes]) -> Results:
        """Grade a submission by run_autograder. Returns what Gradescope would read; `said` is what its staff would."""
        self.submit(*files)
        done = subprocess.run(
            alone(["sh", "-c", SCRIPT, str(self.root / "run_autograder")]),
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        (self.root.parent / "said.txt").write_text(done.stdout)
        assert done.returncode == 0, done.stdout
        return self.looked_at()

    def looked_at(self) -> Results:
        """What the grader has left behind: results alone."""
        assert "STILL RUNNING" not in self.said, self.said
        return self.results()

    def results(self) -> Results:
        return Results.model_validate_json((self.root / "results" / "results.json").read_bytes())

    @property
    def said(self) -> str:
        return (self.root.parent / "said.txt").read_text()

    def set_up(self) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", str(self.root / "source" / "setup.sh")],
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )


@dataclass(frozen=True)
class WarmContainer(Container):
    """One whose grader has started already, once for many submissions: what it does, not how it starts."""

    grader: subprocess.Popen | None = None

    @contextlib.contextmanager
    def started(self) -> Iterator["WarmContainer"]:
        self.submit()
        command = ["sh", "-c", '"$@"; exit $?', "sh", str(self.python), "-B", "-c", WARM_GRADER.read_text()]
        with (
            (self.root.parent / "said.txt").open("a") as said,
            subprocess.Popen(
                alone([*command, str(self.root), str(self.place), LEFT]),
                cwd=self.root / "source" / "course",
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                umask=0o077,
            ) as grader,
        ):
            yield replace(self, grader=grader)
            grader.stdin.close()

    def run(self, *files: tuple[str, str | bytes]) -> Results:
        self.submit(*files)
        (self.root.parent / "said.txt").write_text("")
        self.grader.stdin.write(b"\n")
        self.grader.stdin.flush()
        assert self.grader.stdout.readline() == b"done\n", self.said
        return self.looked_at()


def unpack(archive: Path, root: Path) -> None:
    """As Gradescope does: the files in source/, and a copy of run_autograder beside it."""
    subprocess.run(["unzip", "-q", str(archive), "-d", str(root / "source")], check=True)
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")


@pytest.fixture(scope="session")
def archive(tmp_path_factory) -> Path:
    """The archive of the VAE notebook."""
    path = tmp_path_factory.mktemp("archive") / "vae.zip"
    write_archive(path, "vae")
    return path


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that every user can read, on the disk where Python's packages are: below /opt, as in Gradescope's
    container, if it can be. The grader looks through all of /tmp after each submission."""
    packages = Path(sysconfig.get_path("purelib"))
    device = packages.stat().st_dev
    places = (Path("/opt"), Path("/tmp"), Path("/var/tmp"), Path(sys.prefix))
    near = [place for place in places if os.access(place, os.W_OK) and place.stat().st_dev == device]
    folder = Path(tempfile.mkdtemp(prefix="gradescope-", dir=near[0]))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def python(open_folder) -> Path:
    """A Python that every user can run, with the packages that are installed here but for this repository's own."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [Path(sys.base_prefix) / "bin" / version, Path("/usr/bin") / version, Path("/usr/local/bin") / version]
    base = next((path for path in candidates if path.exists() and _is_open(path)), None)
    if base is None:
        pytest.skip(f"there is no {version} that every user can run")
    home = open_folder / "python"
    subprocess.run([str(base), "-m", "venv", "--without-pip", str(home)], check=True)
    packages, there = Path(sysconfig.get_path("purelib")), home / "lib" / version / "site-packages"

    def left_out(folder: str, names: list[str]) -> set[str]:
        return shutil.ignore_patterns(*(NOT_THERE if Path(folder) == packages else NOT_NEEDED))(folder, names)

    shutil.copytree(packages, there, ignore=left_out, copy_function=os.link, symlinks=True, dirs_exist_ok=True)
    return home / "bin" / "python"


def _is_open(path: Path) -> bool:
    """Whether every user can come to where a path leads."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


@pytest.fixture(scope="session")
def container(open_folder, python, archive) -> Container:
    """Set up with bubblewrap at hand."""
    if os.geteuid() != 0:
        pytest.skip("Gradescope runs everything as root, and so must this test")
    made = Container(open_folder / "autograder", open_folder / "place", python)
    made.root.mkdir()
    unpack(archive, made.root)
    done = made.set_up()
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="session")
def without_namespaces(container) -> Container:
    """The same where bubblewrap is installed and the system forbids what it does, as in Gradescope's container."""
    return replace(container, forbids=True)


@pytest.fixture(scope="session")
def warm(without_namespaces) -> Iterator[WarmContainer]:
    """The latter with a grader that has started already."""
    with WarmContainer(**vars(without_namespaces)).started() as container:
        yield container


@pytest.fixture(scope="session")
def release() -> nbformat.NotebookNode:
    return course.read_release("vae")


@pytest.fixture(scope="session")
def with_cell(release) -> Callable[[str], tuple[str, str]]:
    """A function: the release as a file of a submission, with a cell of the student's own after the imports."""

    def make(code: str) -> tuple[str, str]:
        notebook = nbformat.from_dict(json.loads(json.dumps(release)))
        place = next(number for number, cell in enumerate(notebook.cells) if "fixmelab.setup" in cell.source)
        notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(code, id="own"))
        return "vae.ipynb", nbformat.writes(notebook)

    return make
