"""A proof is passed over only if it held, and nothing that decides it has changed since."""

import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import held

AROUND = ["12", "torch==2"]
CIRCUMSTANCES = held.circumstances
FILES = [f"{folder}/deep/file.py" for folder in held.DECIDING]


@pytest.fixture
def root(tmp_path) -> Path:
    """A repository of one file in each folder that decides."""
    for name in FILES:
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True)
        path.write_text("x = 1\n")
    return tmp_path / "root"


@pytest.fixture
def prove(root, tmp_path, monkeypatch):
    """Holds a proof that does `work` and ends with `code`; returns how often it was run in all."""
    runs = []
    work = {"code": 0, "work": lambda: None}

    def run(command):
        runs.append(command)
        work["work"]()
        return SimpleNamespace(returncode=work["code"])

    def prove_once(**changes) -> int:
        work.update({"code": 0, "work": lambda: None} | changes)
        before = len(runs)
        code = held.hold("proof", ["prove"], tmp_path / "stamps", root)
        assert code == (work["code"] if len(runs) > before else 0)
        return len(runs)

    monkeypatch.setattr(held, "circumstances", lambda: iter(AROUND))
    monkeypatch.setattr(held, "run", run)
    return prove_once


def test_what_held_is_not_run_again(prove):
    assert [prove(), prove(), prove()] == [1, 1, 1]


def test_what_failed_is_run_again_and_makes_a_success_before_it_forgotten(prove, root):
    assert [prove(code=1), prove(code=1), prove()] == [1, 2, 3]
    changed = root / FILES[0]
    changed.write_text("x = 2\n")
    assert prove(code=3) == 4
    changed.write_text("x = 1\n")
    assert prove() == 5


@pytest.mark.parametrize("name", FILES)
def test_any_change_to_a_file_that_decides_runs_it_again(prove, root, name):
    assert prove() == 1
    (root / name).write_text("x = 2\n")
    assert [prove(), prove()] == [2, 2]
    (root / name).rename((root / name).with_name("renamed.py"))
    assert [prove(), prove()] == [3, 3]
    (root / name).with_name("added.py").touch()
    assert [prove(), prove()] == [4, 4]
    shutil.rmtree((root / name).parent)
    assert [prove(), prove()] == [5, 5]


def test_what_is_made_by_running_and_looking_decides_nothing(prove, root):
    assert prove() == 1
    for name in ("autograder/__pycache__/a.pyc", "fixmelab.egg-info/PKG-INFO", "data/cache/images", "docs/page.md"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("made")
    assert prove() == 1


def test_another_library_user_or_command_runs_it_again(prove, root, monkeypatch):
    assert prove() == 1
    for changed in ([*AROUND, "torch==3"], [*AROUND, "torch==4"], ["0", *AROUND[1:]]):
        monkeypatch.setattr(held, "circumstances", lambda changed=changed: iter(changed))
        before = prove()
        assert prove() == before
    assert before == 4
    assert held.digest(["a", "b"], root) != held.digest(["ab"], root)


def test_versions_and_the_user_are_circumstances(monkeypatch):
    seen = [*CIRCUMSTANCES()]
    assert sys.version in seen
    assert [line for line in seen if line.startswith("torch==")] == [f"torch=={version('torch')}"]
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert [*CIRCUMSTANCES()] != seen


def test_what_changes_while_it_is_proved_is_proved_again(prove, root):
    def change():
        (root / FILES[0]).write_text("x = 3\n")

    assert [prove(work=change), prove(), prove()] == [1, 2, 2]


def test_the_command_line_runs_the_command_and_ends_as_it_does(tmp_path, monkeypatch, capfd):
    assert held.hold("proof", [sys.executable, "-c", "print('run'); raise SystemExit(3)"], tmp_path) == 3
    assert capfd.readouterr().out == "run\n"
    assert list(tmp_path.iterdir()) == []


def test_the_folders_that_decide_are_there():
    found = {path.relative_to(held.ROOT).as_posix() for path in held.deciding_files(held.ROOT)}
    assert all(any(name.startswith(f"{folder}/") for name in found) for folder in held.DECIDING)
    assert "fixmelab/__init__.py" in found and not any(name.endswith(".pyc") for name in found)
