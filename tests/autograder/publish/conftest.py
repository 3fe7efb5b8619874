"""A small course that can be published, and Git repositories to publish it to."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from autograder.authoring.build import build
from tests.autograder.authoring.conftest import tiny_course, write_tiny_course  # noqa: F401

PROJECT = """\
# A comment for instructors.
[build-system]
requires = ["setuptools>=68"]

# The students' package.
[project]
name = "fixmelab"
version = "0.1.0"
readme = "README.md"
license-files = ["LICENSE"]
requires-python = ">=3.10"

[project.urls]
Repository = "https://github.com/owner/course"

[tool.setuptools]
packages = ["fixmelab", "fixmelab.deep", "fixmelab.embedded"]

[tool.setuptools.package-dir]
"fixmelab" = "fixmelab"
"fixmelab.embedded" = "data"

[tool.setuptools.package-data]
"fixmelab" = ["*.js"]
"fixmelab.embedded" = ["*.json"]

[tool.ruff]
line-length = 120

[tool.ruff.lint.per-file-ignores]
"autograder/assignments/*/*.py" = ["E501"]
"""

PAGE = """\
# For students
Open it. See [how it is graded](grading.md), [the map](#map) and [a site](https://example.org/a).

![A map](images/map.png)
"""


@pytest.fixture(scope="session")
def small_course_built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built course with all that a published tree is made of."""
    root = write_tiny_course(tmp_path_factory.mktemp("small") / "course")
    files = {
        "pyproject.toml": PROJECT,
        "LICENSE": "MIT License\n",
        "course.key": bytes(range(7, 39)),
        "docs/students.md": PAGE,
        "docs/grading.md": "# How it is graded\n",
        "docs/images/map.png": b"\x89PNG\r\n\x1a\n\x00",
        "data/__init__.py": "",
        "data/list.json": "{}\n",
        "data/notes.txt": "not packaged\n",
        "data/cache/big.json": "{}\n",
        "fixmelab/deep/__init__.py": "",
        "fixmelab/widgets.js": "export default {}\n",
        "fixmelab/notes.txt~": "an editor's\n",
        "fixmelab/.hidden.py": "",
    }
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    build(root=root)
    return root


@pytest.fixture
def small_course(small_course_built_once: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return shutil.copytree(small_course_built_once, tmp_path / "course")


@pytest.fixture(autouse=True)
def plain_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Git without this machine's settings, and no course key from elsewhere. Returns Git's only file of settings."""
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n")
    for name in [name for name in os.environ if name.startswith("GIT_") or name == "FIXMELAB_KEY_FILE"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return settings


def git(folder: Path, *arguments: object, given: bytes = b"") -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *map(str, arguments)], input=given, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def commit(folder: Path, message: str = "Publish") -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)


def snapshot(folder: Path) -> dict[str, tuple]:
    """Every file with its content and the time of its last change; a link with what it points to."""
    return {
        path.relative_to(folder).as_posix(): (
            (os.readlink(path),)
            if path.is_symlink()
            else (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
        )
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file()) and ".git" not in path.relative_to(folder).parts
    }
