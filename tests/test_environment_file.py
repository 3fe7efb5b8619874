"""environment.yml, the two pyproject.toml files and constraints.txt agree."""

import re
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parent.parent


def requirements(path: Path) -> set[str]:
    return set(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"])


def test_environment_lists_just_what_the_packages_require():
    students, instructors = (requirements(ROOT / path) for path in ("pyproject.toml", "autograder/pyproject.toml"))
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert set(listed) - {"-c constraints.txt"} == (students | instructors) - {"fixmelab"}
    assert len(listed) == len(set(listed))


def test_both_packages_and_the_environment_accept_the_same_pythons():
    projects = [
        tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]["requires-python"]
        for path in ("pyproject.toml", "autograder/pyproject.toml")
    ]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert set(projects) == {">=3.10"}
    assert "python>=3.10,<3.14" in environment["dependencies"]


def test_the_tested_versions_lie_in_the_accepted_ranges():
    from packaging.requirements import Requirement

    accepted = {
        item.name: item.specifier
        for path in ("pyproject.toml", "autograder/pyproject.toml")
        for item in map(Requirement, requirements(ROOT / path))
    }
    pins = re.findall(r"^([\w-]+)==([\w.]+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"torch", "torchvision"} <= {name for name, _ in pins}
    assert all(accepted[name].contains(version) for name, version in pins if name in accepted)
