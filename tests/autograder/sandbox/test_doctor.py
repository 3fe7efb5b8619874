"""The doctor tells what holds, and what does not."""

import subprocess

import pytest

from autograder.sandbox import doctor, layers
from autograder.sandbox.zygote import Zygote


@pytest.mark.slow
def test_every_essential_layer_holds_here():
    found = doctor.examine()
    assert [layer for layer in found if layer.is_lacking] == []
    assert len(found) > 15
    assert {layer.name for layer in found if not layer.essential} == {"control groups", "GPU"}


@pytest.mark.slow
def test_walls_that_are_not_there_are_found_out(monkeypatch):
    # The doctor looks at kernels without any sandbox: what it calls a layer must be missing there.
    monkeypatch.setattr(doctor, "Zygote", lambda: Zygote(sandbox=False))
    monkeypatch.setattr(doctor, "STOPPED", ())
    lacking = {layer.name: layer for layer in doctor.examine() if layer.is_lacking}
    assert set(lacking) >= {
        "processes", "network", "files", "private folders", "system-call filter", "limits of a process"
    }  # fmt: skip
    assert all(layer.state == "off" and layer.follows for layer in lacking.values())


def test_without_bubblewrap_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    lacking = [layer for layer in doctor.examine() if layer.is_lacking]
    assert lacking[0].name == "bubblewrap"
    assert lacking[0].state == "not available"
    assert "apt-get install bubblewrap" in lacking[0].follows


def test_a_machine_that_forbids_namespaces_is_told_of(monkeypatch):
    refused = subprocess.CompletedProcess([], 1, "", "bwrap: setting up uid map: Permission denied\n")
    monkeypatch.setattr(layers, "_trial", lambda: refused)
    lacking = [layer for layer in doctor.examine() if layer.is_lacking]
    assert [layer.name for layer in lacking] == ["the zygote's namespaces"]
    assert "uid map: Permission denied" in lacking[0].seen
    assert "apparmor_restrict_unprivileged_userns" in lacking[0].follows
