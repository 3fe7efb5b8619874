"""The published tree as a student meets it: nothing of the course is on his machine, and no network but the tree."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest

from autograder import cells, course
from autograder.grading.restoring import restore
from autograder.publish.destination import Destination
from autograder.publish.publish import publish
from tests.autograder.publish.conftest import commit, git

DESTINATION = Destination.parse("ada/homework", "winter/2026")
# What a student's machine does not have.
ABSENT = ("fixmelab", "autograder", "__editable__", "nbgrader", "jupytext")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
LOOK = """
import importlib.util, json, sys
names = ("fixmelab", "autograder", "nbgrader", "jupytext", "torch")
print(json.dumps({name: getattr(importlib.util.find_spec(name), "origin", None) for name in names}))
"""
USE = """
import fixmelab, json
from importlib.metadata import distribution
from importlib.resources import files
from fixmelab.data.downloads import downloads
assert len(downloads("fashion_mnist")) == 4
held = distribution("fixmelab")
paths = [str(path) for path in held.files if ".dist-info" not in str(path) and "__pycache__" not in str(path)]
print(json.dumps({"files": paths, "url": json.loads(held.read_text("direct_url.json") or "{}")}))
"""


def copied(folder: Path) -> Path:
    """A copy of this course, as far as publishing needs it, which itself refuses what is not built from its text."""
    ignored = shutil.ignore_patterns("__pycache__", "cache")
    for name in ("notebooks", "source", "release", "autograder/assignments", "fixmelab", "data", "docs"):
        shutil.copytree(course.ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(course.ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tree of the real course in a Git repository, and the instructor's source/ of the same texts."""
    folder = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        settings = folder / "gitconfig"
        settings.write_text("[user]\nname = Ada\nemail = ada@example.org\n")
        patch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        tree = folder / "tree"
        git(folder, "init", "--quiet", "--initial-branch", DESTINATION.branch, tree)
        root = copied(folder / "course")
        publish(tree, DESTINATION, root=root)
        commit(tree)
        patch.setattr("autograder.publish.publish.build", lambda *_, **__: None)  # which has just looked at all of it
        assert publish(tree, DESTINATION, root=root).plan.is_idle
    (root / "source").rename(folder / "source")
    shutil.rmtree(root)
    return folder


@pytest.fixture
def published(made, plain_git):
    """The tree, which Git finds where GitHub would have it."""
    with plain_git.open("a") as file:
        file.write(insteadof(made / "tree"))
    return made / "tree"


def insteadof(tree: Path) -> str:
    return f'[url "file://{tree}"]\ninsteadOf = {DESTINATION.url}\n'


class Machine:
    """A student's: a Python with torch and Jupyter, without anything of the course."""

    def __init__(self, folder: Path):
        self.folder = folder
        venv.create(folder / "python", symlinks=True, with_pip=False)
        self.python = folder / "python/bin/python"
        packages = folder / "packages"
        packages.mkdir()
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if not path.name.startswith(ABSENT) and path.suffix != ".pth":
                (packages / path.name).symlink_to(path)
        own = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
        Path(own, "packages.pth").write_text(f"{packages}\n")
        self.own = Path(own)

    def run(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess:
        environment = {name: value for name, value in os.environ.items() if name.startswith("GIT_")} | {
            "HOME": str(self.folder),
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "OMP_NUM_THREADS": "1",
            "FIXMELAB_BUDGET": "smoke",
            "FIXMELAB_DATA": "garments",
            # What pip would fetch is there, and nothing may be fetched.
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": os.devnull,
        }
        done = subprocess.run(
            [self.python, *map(str, arguments)], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def look(self) -> dict:
        return json.loads(self.run("-c", LOOK).stdout)


def new_machine(folder: Path) -> Machine:
    made = Machine(folder)
    found = made.look()
    assert found.pop("torch") and set(found.values()) == {None}
    return made


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "machine").mkdir()
    return new_machine(tmp_path / "machine")


# `jupyter nbconvert --execute` of one notebook after the other, in kernels forked from a process that has torch.
EXECUTE = """
import sys, traceback
import forked_kernels
from jupyter_client.provisioning import local_provisioner
from nbconvert.nbconvertapp import NbConvertApp
local_provisioner.launch_kernel = forked_kernels.ForkedKernel
if __name__ == "__main__":
    for name in sys.argv[1:]:
        NbConvertApp.clear_instance()
        try:
            NbConvertApp.launch_instance(["--to", "notebook", "--execute", f"{name}.ipynb", "--output", "done"])
        except BaseException:
            with open(f"{name}.log", "w") as log:
                traceback.print_exc(file=log)
"""


@pytest.fixture(scope="module")
def machine_of_all(made, tmp_path_factory):
    """A student's on which all notebooks were executed. The first one installed the package, by a cell that all have,
    from where Git finds the tree; NAME.log says how each ended."""
    machine = new_machine(tmp_path_factory.mktemp("machine"))
    for name in course.assignment_names():
        shutil.copy(made / f"tree/release/{name}/{name}.ipynb", machine.folder)
    shutil.copy(course.ROOT / "tests/notebooks/forked_kernels.py", machine.folder)
    with pytest.MonkeyPatch.context() as patch:
        settings = machine.folder / "gitconfig"
        settings.write_text(insteadof(made / "tree"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        machine.run("-c", EXECUTE, *course.assignment_names())
    return machine


@pytest.mark.slow
@pytest.mark.parametrize("name", course.assignment_names())
def test_a_published_notebook_runs_from_its_first_cell_to_the_first_fixme(machine_of_all, name):
    first = next(anchor for cell in course.read_source(name).cells for anchor in cells.anchors(cell))
    said = COLOURS.sub("", (machine_of_all.folder / f"{name}.log").read_text()).strip().splitlines()
    assert said[-1].startswith(f"✗ {first}: still open"), said[-1]


@pytest.mark.slow
def test_a_published_notebook_installs_the_package_from_where_it_was_published(machine_of_all):
    used = json.loads(machine_of_all.run("-c", USE).stdout)
    assert Path(machine_of_all.look()["fixmelab"]).is_relative_to(machine_of_all.own)
    assert used["url"]["url"] == DESTINATION.url
    assert used["url"]["vcs_info"]["requested_revision"] == DESTINATION.branch


@pytest.mark.slow
def test_the_tree_installs_as_it_is_with_all_that_it_holds(published, machine):
    machine.run("-m", "pip", "install", "-q", published)
    (machine.folder / "elsewhere").mkdir()
    used = json.loads(machine.run("-c", USE).stdout)
    files = {path for path in used["files"] if path.startswith("fixmelab/")}
    package = {path.relative_to(published).as_posix() for path in (published / "fixmelab").rglob("*") if path.is_file()}
    embedded = {f"fixmelab/embedded/{path.name}" for path in (published / "data").iterdir() if path.is_file()}
    releases = {
        f"fixmelab/releases/{path.relative_to(published / 'release')}" for path in published.glob("release/*/*")
    }
    assert files == package | embedded | releases and len(package) > 20
    course_files = {
        path.relative_to(course.ROOT).as_posix()
        for pattern in ("*.py", "*.js")
        for path in (course.ROOT / "fixmelab").rglob(pattern)
    }
    assert package == course_files
    assert "Usage" in machine.run(machine.python.parent / "fixmelab", "--help").stdout


@pytest.mark.slow
def test_a_published_notebook_that_is_handed_in_needs_no_repair(made):
    installs = set()
    for name in course.assignment_names():
        handed_in = nbformat.read(made / f"tree/release/{name}/{name}.ipynb", as_version=4)
        source = nbformat.read(course.source_path(name, made), as_version=4)
        assert DESTINATION.requirement in "".join(cell.source for cell in handed_in.cells)
        assert restore(source, handed_in, assignment=name).repairs == []
        setup = next(cell for cell in handed_in.cells if DESTINATION.requirement in cell.source)
        installs.add(setup.source.partition("\nif ")[2])
        setup.source = setup.source.replace("import sys", "import sys\nimport ast")
        assert [repair.how for repair in restore(source, handed_in, assignment=name).repairs] != []
    assert len(installs) == 1 and "pip" in installs.pop()
