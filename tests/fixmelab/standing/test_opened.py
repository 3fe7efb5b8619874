"""Which notebook `lab.check()` and `fixmelab check` read, and what they say if there is none."""

import sys
from types import ModuleType, SimpleNamespace

import nbformat
import pytest
from filled import NAME, blank, filled

from fixmelab.commands import main
from fixmelab.environment import Lab
from fixmelab.notebooks import NotebookError
from fixmelab.standing import opened

LAB = Lab(NAME, None, "smoke", None, False)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path


def test_it_is_found_by_its_session_by_vs_code_and_by_its_usual_name(home, monkeypatch):
    nbformat.write(filled(), home / "mine.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(home / "mine.ipynb"))
    assert opened.here(NAME).where == "mine.ipynb"
    monkeypatch.delenv("JPY_SESSION_NAME")
    monkeypatch.setattr(opened, "_variable", lambda name: str(home / "mine.ipynb"))
    assert opened.here(NAME).where == "mine.ipynb"
    monkeypatch.undo()
    monkeypatch.chdir(home)
    nbformat.write(blank(), home / f"{NAME}.ipynb")
    assert opened.here(NAME).saved is not None


def test_in_colab_it_is_asked_for(home, monkeypatch):
    message = SimpleNamespace(blocking_request=lambda *_, **__: {"ipynb": blank()})
    colab = ModuleType("google.colab")
    colab._message = message
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    found = opened.here(NAME)
    assert found.saved is None and len(found.notebook.cells) == len(blank().cells)
    message.blocking_request = lambda *_, **__: None
    with pytest.raises(NotebookError, match="^Colab did not hand over the notebook"):
        opened.here(NAME)


def test_what_cannot_be_read_is_one_line(home, capsys, monkeypatch):
    assert LAB.check() is None
    assert capsys.readouterr().out.startswith("✗ the file of this notebook was not found (looked for")
    (home / "cut.ipynb").write_text('{"cells": [')
    assert LAB.check("cut.ipynb") is None
    assert capsys.readouterr().out.startswith("✗ cut.ipynb is not valid JSON")
    assert LAB.check("https://example.org/mine.ipynb") is None
    assert capsys.readouterr().out.startswith("✗ that is an address, not a file: download the notebook")
    monkeypatch.setenv("FIXMELAB_JUDGE", "a socket")
    assert LAB.check() is None and capsys.readouterr().out == ""


@pytest.mark.parametrize(("made", "code", "last"), [(filled, 0, "Ready to hand in."), (blank, 1, "Not ready: 12 open")])
def test_the_command_prints_the_table_and_its_exit_code_says_ready(home, monkeypatch, capsys, made, code, last):
    nbformat.write(made(), home / "mine.ipynb")
    monkeypatch.setattr(sys, "argv", ["fixmelab", "check", "mine.ipynb"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == code
    assert last in capsys.readouterr().out.splitlines()[-1]
