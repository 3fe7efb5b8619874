import subprocess
import sys

import pytest

from autograder import course
from benchmarks import sampling

SHARED = course.ROOT.parent / "shared" / "data" / "cora" / "raw"


def run(*arguments):
    command = [sys.executable, str(course.ROOT / "benchmarks" / "sampling.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--cora", "/nowhere"), "error: /nowhere/ind.cora.x: no such file"),
        (("--settings", "uniform;best"), "error: no row best; there are: uniform; as published;"),
        (("--draws", "1,two"), "error: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, line):
    done = run(*arguments)
    assert done.returncode == 1 and done.stdout.startswith(line) and len(done.stdout.splitlines()) == 1


def test_differences_are_taken_seed_by_seed():
    found = {("uniform", 5, 3): 0.80, ("uniform", 5, 4): 0.90, ("learned", 5, 3): 0.82, ("learned", 5, 4): 0.92}
    assert list(sampling.cells(found, "uniform", [5], range(3, 5))) == ["85.0 ± 5.0"]
    assert list(sampling.cells(found, "learned", [5], range(3, 5))) == ["87.0 ± 5.0\n(+2.0 ± 0.0)"]


@pytest.mark.slow
def test_every_row_can_be_trained(monkeypatch):
    if not SHARED.is_dir():
        pytest.skip("the files of Cora are not here")
    monkeypatch.setattr(sampling, "EPOCHS", 1)
    for name in sampling.SETTINGS:
        assert 0.1 < sampling.accuracy_of(SHARED, name, 2, 0, 0.3) < 1
