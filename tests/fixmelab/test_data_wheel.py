"""The students' wheel: everything of fixmelab/, what is embedded in data/, and the notebooks as students get them."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

USE = """
import sys
from importlib.resources import files
import fixmelab
from fixmelab.cache import cache_folder
from fixmelab.data.downloads import downloads
from fixmelab.standing import released
from pathlib import Path
target = Path(sys.argv[1])
assert target in Path(fixmelab.__file__).parents, fixmelab.__file__
assert files("fixmelab.embedded").joinpath("README.md").is_file()
assert len(downloads("fashion_mnist")) == 4
assert "vae" in released.names() and len(released.tasks(released.notebook("vae"))) > 20
assert cache_folder() == Path.home() / ".cache" / "fixmelab"
"""


def run(*command, cwd, **variables):
    done = subprocess.run([sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True, **variables)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_the_embedded_data(tmp_path):
    source, wheels, target = tmp_path / "source", tmp_path / "wheels", tmp_path / "target"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("fixmelab", "data", "release"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "cache"))
    cached = source / "data" / "cache" / "big.json"
    cached.parent.mkdir()
    cached.write_text("{}")

    # With the setuptools that are here, as pip would fetch them.
    run("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", wheels, source, cwd=tmp_path)
    (wheel,) = wheels.glob("fixmelab-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = {path.relative_to(source).as_posix() for path in (source / "fixmelab").rglob("*") if path.is_file()}
    embedded = {f"fixmelab/embedded/{name.name}" for name in (source / "data").iterdir() if name.is_file()}
    releases = {f"fixmelab/releases/{path.parent.name}/{path.name}" for path in source.glob("release/*/*.ipynb")}
    assert held == package | embedded | releases

    run("-m", "pip", "install", "-q", "--no-deps", "--target", target, wheel, cwd=tmp_path)
    (tmp_path / "use.py").write_text(USE)
    environment = {"PYTHONPATH": str(target), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    run(tmp_path / "use.py", target, cwd=tmp_path, env=environment)
