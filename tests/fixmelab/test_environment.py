"""Budget, seeds and the folder of a notebook, here and in Colab."""

import random
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from fixmelab import environment


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from outside, no Colab and no GPU, in an empty folder."""
    monkeypatch.delenv("FIXMELAB_BUDGET", raising=False)
    monkeypatch.delenv("FIXMELAB_WORK", raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A make-believe google.colab; the list fills with what was called."""
    calls: list[str] = []
    fake = ModuleType("google.colab")
    fake.output = SimpleNamespace(enable_custom_widget_manager=lambda: calls.append("widgets"))
    fake.drive = SimpleNamespace(mount=lambda where: calls.append(f"mount {where}"))
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", fake)
    monkeypatch.setattr(environment, "DRIVE", tmp_path / "drive")
    return calls


@pytest.mark.parametrize(("variable", "name", "value"), [("smoke", "smoke", 3), ("cpu", "cpu", 2), ("gpu", "gpu", 1)])
def test_budget_follows_the_variable(monkeypatch, variable, name, value) -> None:
    monkeypatch.setenv("FIXMELAB_BUDGET", variable)
    assert environment.budget_name() == name
    assert environment.budget(full=1, cpu=2, smoke=3) == value


@pytest.mark.parametrize(("cuda", "name", "value"), [(True, "gpu", 1), (False, "cpu", 2)])
def test_budget_follows_the_machine_where_nothing_is_set(monkeypatch, cuda, name, value) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert environment.budget_name() == name
    assert environment.budget(1, 2, 3) == value
    assert environment.device().type == ("cuda" if cuda else "cpu")


@pytest.mark.parametrize("wrong", ["full", "CPU", ""])
def test_an_unknown_budget_is_refused_in_one_line(monkeypatch, wrong) -> None:
    monkeypatch.setenv("FIXMELAB_BUDGET", wrong)
    with pytest.raises(ValueError, match="set it to smoke, cpu or gpu") as caught:
        environment.budget(1, 2, 3)
    assert repr(wrong) in str(caught.value) and "\n" not in str(caught.value)


def test_one_seed_gives_the_same_numbers_everywhere() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    environment.seed_everything(7)
    first = draw()
    assert all(a != b for a, b in zip(draw(), first, strict=True))
    environment.seed_everything(7)
    assert draw() == first
    environment.seed_everything(8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_numpy_would_not_take_is_refused(seed) -> None:
    with pytest.raises(ValueError, match=f"the seed is {seed}"):
        environment.seed_everything(seed)


def test_setup_makes_a_folder_and_prints_one_line(tmp_path, capsys) -> None:
    lab = environment.setup("vae")
    assert lab.folder == tmp_path / "work" / "vae" and lab.folder.is_dir()
    assert (lab.notebook, lab.device, lab.budget, lab.in_colab) == ("vae", torch.device("cpu"), "cpu", False)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    for part in ("fixmelab ", f"torch {torch.__version__}", "device cpu", "budget cpu", str(lab.folder)):
        assert part in printed
    with pytest.raises(FrozenInstanceError):
        lab.budget = "gpu"


def test_setup_twice_keeps_what_is_in_the_folder() -> None:
    kept = environment.setup("vae").folder / "model.safetensors"
    kept.write_text("weights")
    environment.setup("vae")
    assert kept.read_text() == "weights"


def test_keep_on_drive_means_nothing_outside_colab(tmp_path) -> None:
    assert environment.setup("vae", keep_on_drive=True).folder == tmp_path / "work" / "vae"


def test_the_work_variable_overrides(monkeypatch, tmp_path, colab) -> None:
    monkeypatch.setenv("FIXMELAB_WORK", str(tmp_path / "elsewhere"))
    assert environment.setup("vae", keep_on_drive=True).folder == tmp_path / "elsewhere" / "vae"
    assert "widgets" in colab and not [call for call in colab if call.startswith("mount")]


def test_a_folder_that_cannot_be_made_is_replaced_by_a_temporary_one(tmp_path, capsys) -> None:
    (tmp_path / "work").write_text("a file where the folder should be")
    lab = environment.setup("vae")
    assert lab.folder.is_dir() and tmp_path / "work" not in lab.folder.parents
    lab.folder.rmdir()
    first, second = capsys.readouterr().out.splitlines()
    assert "cannot be written to" in first and str(lab.folder) in first
    assert second.startswith("fixmelab ")


@pytest.mark.parametrize("name", ["", "../vae", "a/b", "vae.ipynb"])
def test_a_name_that_is_not_plain_is_refused(name) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        environment.setup(name)


def test_in_colab_widgets_are_enabled_and_a_gpu_is_suggested(colab, tmp_path, capsys) -> None:
    lab = environment.setup("vae")
    assert lab.in_colab and lab.folder == tmp_path / "work" / "vae"
    assert colab == ["widgets"]
    assert "Change runtime type" in capsys.readouterr().out


def test_in_colab_with_a_gpu_nothing_is_suggested(monkeypatch, colab, capsys) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    assert environment.setup("vae").budget == "gpu"
    printed = capsys.readouterr().out
    assert "Tesla T4" in printed and "Change runtime type" not in printed


def test_in_colab_files_may_live_on_drive(colab, tmp_path) -> None:
    lab = environment.setup("vae", keep_on_drive=True)
    assert f"mount {tmp_path / 'drive'}" in colab
    assert lab.folder == tmp_path / "drive" / "MyDrive" / "fixmelab" / "vae" and lab.folder.is_dir()


def test_a_refused_drive_does_not_stop_the_notebook(colab, tmp_path, capsys) -> None:
    def refuse(where: str) -> None:
        raise ValueError("mount failed")

    sys.modules["google.colab"].drive.mount = refuse
    assert environment.setup("vae", keep_on_drive=True).folder == tmp_path / "work" / "vae"
    assert "Google Drive is not mounted (mount failed)" in capsys.readouterr().out
