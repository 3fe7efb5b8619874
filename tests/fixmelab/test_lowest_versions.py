"""The students' package runs with the lowest versions that it accepts, on the torch that is here."""

import json
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # jupytext brings it there

ROOT = Path(__file__).resolve().parents[2]
TAKEN_FROM_HERE = {"torch", "torchvision"}
# What draws, moves sliders, travels, is saved and has a command line.
TESTS = (
    "test_plotting.py",
    "test_widgets.py",
    "test_wire.py",
    "test_cli_train.py::test_visualize_draws_what_a_trained_model_does",
    "test_cli_train.py::test_a_damaged_checkpoint_is_one_line",
)
# Which versions of them are found, and what they require of others that is not there.
LOOK = """
import json, sys
from importlib.metadata import requires, version
from packaging.requirements import Requirement
needed = [Requirement(line) for name in sys.argv[1:] for line in requires(name) or ()]
asked = [item for item in needed if item.marker is None or item.marker.evaluate({"extra": ""})]
unmet = [str(item) for item in asked if not item.specifier.contains(version(item.name), prereleases=True)]
print(json.dumps([{name: version(name) for name in sys.argv[1:]}, unmet]))
"""


def lowest() -> dict[str, str]:
    """The lowest version of each requirement by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    items = [Requirement(line) for line in project["dependencies"]]
    bounds = {item.name: re.fullmatch(r">=([\d.]+)", str(item.specifier)) for item in items}
    return {name: bound[1] for name, bound in bounds.items() if name not in TAKEN_FROM_HERE}


@pytest.mark.slow
def test_the_lowest_versions_that_are_accepted_serve(tmp_path):
    venv.create(tmp_path / "python", with_pip=False)
    python = tmp_path / "python/bin/python"
    wanted = lowest()
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    install += ["--no-compile", "--no-deps"]  # what they require is found behind them, and looked at
    done = subprocess.run(
        [*install, *(f"{name}=={version}" for name, version in wanted.items())], capture_output=True, text=True
    )
    if "Failed to establish a new connection" in done.stderr:
        pytest.skip("there is no index of packages to be reached")
    assert done.returncode == 0, done.stderr
    (own,) = (tmp_path / "python/lib").glob("python*/site-packages")
    (own / "rest.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")

    found = subprocess.run([python, "-c", LOOK, *wanted], capture_output=True, text=True, check=True).stdout
    versions, unmet = json.loads(found)
    assert {name: padded(version) for name, version in versions.items()} == {
        name: padded(version) for name, version in wanted.items()
    }
    assert unmet == []
    tests = [f"{ROOT}/tests/fixmelab/{name}" for name in TESTS]
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]


def padded(version: str) -> str:
    """With three numbers: 8.1 is 8.1.0."""
    return ".".join((version.split(".") + ["0", "0"])[:3])
