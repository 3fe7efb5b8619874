"""`check` in a process without a grader: who judges, and what is raised if that package is broken.

Each case runs in a Python of its own, which sees the students' package and what it needs, but of the instructors' only
the distribution that the test writes.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import fixmelab

pytestmark = pytest.mark.slow

CELL = 'from fixmelab.probe import check\ncheck("vae.gaussian_kl", 7)\nprint("the cell went on")'
NOT_INSTALLED = "vae.gaussian_kl is not judged here: the instructors' package is not installed."
TELLS = 'def judge(exercise, answer, names):\n    print("judged", exercise, answer)\n'


@pytest.fixture(scope="module")
def students(tmp_path_factory) -> Path:
    """A folder with fixmelab and all that is installed, but for what names a distribution of this project's."""
    folder = tmp_path_factory.mktemp("students")
    for found in Path(sysconfig.get_path("purelib")).iterdir():
        if "fixmelab" not in found.name and found.suffix != ".pth":
            (folder / found.name).symlink_to(found)
    (folder / "fixmelab").symlink_to(Path(fixmelab.__file__).parent)
    return folder


def distribution(folder: Path, judge: str, name: str = "graders") -> Path:
    """A folder to put on the path: a distribution whose entry point is `judge` of a module with that code."""
    described = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[fixmelab.judge]\nhere = judging_here:judge\n")
    (folder / "judging_here.py").write_text(judge)
    return folder


def run_cell(*path: Path) -> subprocess.CompletedProcess:
    """The test cell in a Python that knows no folder but these and the standard library."""
    environment = {name: value for name, value in os.environ.items() if name != "FIXMELAB_JUDGE"}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    command = [sys.executable, "-S", "-c", CELL]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=path[-1], timeout=120)


def test_without_an_instructors_package_the_cell_passes_and_says_so(students) -> None:
    done = run_cell(students)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [NOT_INSTALLED, "the cell went on"]


def test_an_instructors_package_that_is_broken_is_not_called_absent(students, tmp_path) -> None:
    done = run_cell(distribution(tmp_path, 'raise ImportError("half installed")'), students)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.splitlines()[-1] == "ImportError: half installed"


def test_an_instructors_package_whose_code_is_gone_is_not_called_absent(students, tmp_path) -> None:
    folder = distribution(tmp_path, "")
    (folder / "judging_here.py").unlink()
    done = run_cell(folder, students)
    assert done.returncode == 1 and not done.stdout
    assert "ModuleNotFoundError: No module named 'judging_here'" in done.stderr


def test_what_the_judge_raises_comes_through(students, tmp_path) -> None:
    code = 'def judge(exercise, answer, names):\n    raise AssertionError(f"{exercise}: {answer} is wrong")'
    done = run_cell(distribution(tmp_path, code), students)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.splitlines()[-1] == "AssertionError: vae.gaussian_kl: 7 is wrong"


@pytest.mark.parametrize("names", [("graders", "graders"), ("graders", "other-graders")])
def test_a_judge_that_is_found_twice_judges_once(students, tmp_path, names) -> None:
    """As an editable install is beside a wheel of the same package, or two packages that name the same judge."""
    found = [distribution(tmp_path / str(number), TELLS, name) for number, name in enumerate(names)]
    done = run_cell(*found, students)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["judged vae.gaussian_kl 7", "the cell went on"]
