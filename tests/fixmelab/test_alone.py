"""The students' package stands alone and is light to import."""

import subprocess
import sys
from importlib.metadata import requires

import pytest

import fixmelab

pytestmark = pytest.mark.slow

ALONE = """
import importlib, importlib.abc, pkgutil, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "autograder":
            raise ImportError(f"{name} is not for students")

sys.meta_path.insert(0, Blocker())
import fixmelab
for module in pkgutil.walk_packages(fixmelab.__path__, "fixmelab."):
    importlib.import_module(module.name)
for name in fixmelab.__all__:
    getattr(fixmelab, name)
assert not any(name.split(".")[0] == "autograder" for name in sys.modules)
"""

LIGHT = """
import sys
import fixmelab
assert not {"torch", "numpy", "matplotlib", "ipywidgets"} & set(sys.modules)
from fixmelab import setup, train
assert not {"torchvision", "matplotlib", "ipywidgets"} & set(sys.modules)
from fixmelab import latent_explorer, show_images
assert not {"torchvision", "matplotlib.pyplot"} & set(sys.modules)
"""


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_every_module_imports_without_the_instructors_package() -> None:
    done = python(ALONE)
    assert done.returncode == 0, done.stderr


def test_importing_a_part_does_not_import_what_it_does_not_need() -> None:
    done = python(LIGHT)
    assert done.returncode == 0, done.stderr


def test_public_names_are_found_and_others_are_not() -> None:
    for name in fixmelab.__all__:
        assert getattr(fixmelab, name).__name__ == name
        assert name in dir(fixmelab)
    with pytest.raises(AttributeError, match="'fixmelab' has no attribute 'grade'"):
        fixmelab.grade  # noqa: B018


def test_the_package_requires_no_grader() -> None:
    assert not [line for line in requires("fixmelab") if "nbgrader" in line or "autograder" in line]
