"""Fixtures that several tests share: a JupyterLab server of one's own and a browser; and the order of the tests."""

import gc
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from autograder.grading.workers import Crew
from autograder.sandbox.zygote import Address, Zygote
from tests.running_order import longest_first
from tests.warm import CrewOfAnother, WarmCommands

BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

gc.disable()  # a third of the time that it takes to import everything and to collect the tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = longest_first(items)


def pytest_collection_finish() -> None:
    gc.freeze()  # what has been imported stays
    gc.enable()


@pytest.fixture(scope="session")
def zygote() -> Iterator[Address]:
    """Where kernels are had, for all tests of this process."""
    with Zygote() as running:
        yield running.address


@pytest.fixture(scope="session")
def crew(zygote: Address) -> Iterator[Crew]:
    """One of two workers, for all tests of this process."""
    with CrewOfAnother(zygote, jobs=2) as running:
        yield running


@pytest.fixture
def warm_autograder(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> WarmCommands:
    """The command line, but for its start."""
    return WarmCommands(crew, monkeypatch)


@pytest.fixture(scope="session")
def unconfined_zygote() -> Iterator[Address]:
    """The same without the sandbox."""
    with Zygote(sandbox=False) as running:
        yield running.address


@dataclass(frozen=True)
class JupyterServer:
    """A running JupyterLab. `folder` holds its notebooks."""

    url: str
    token: str
    folder: Path

    def notebook(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells and return the address that opens it alone in JupyterLab."""
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(made, self.folder / name)
        return f"{self.url}/doc/tree/{name}?token={self.token}"


@contextmanager
def jupyter_lab(folder: Path, home: Path) -> Iterator[JupyterServer]:
    """JupyterLab on 127.0.0.1 with a token, working in `folder`, its settings in `home`."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    page_config = home / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir(parents=True)
    page_config.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = JupyterServer(f"http://127.0.0.1:{port}", secrets.token_hex(16), folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FIXMELAB_")} | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_TOKEN": server.token,  # not on the command line, where others could read it
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.extension_manager=readonly"]
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_up(server, process, log)
        yield server
    finally:
        _end(process)


@pytest.fixture(scope="session")
def jupyter_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """JupyterLab with an empty notebook folder."""
    root = tmp_path_factory.mktemp("jupyter")
    (root / "notebooks").mkdir()
    with jupyter_lab(root / "notebooks", root / "home") as server:
        yield server


@pytest.fixture
def browser() -> Iterator["playwright.sync_api.Browser"]:  # noqa: F821
    """Chromium without a window; the test is skipped where there is none.

    One a test: while Playwright runs, its event loop keeps others in this thread from running.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no chromium on the path")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=program, args=BROWSER_ARGUMENTS)
        try:
            yield started
        finally:
            started.close()


@pytest.fixture
def open_page(browser: "playwright.sync_api.Browser") -> Iterator[Callable]:  # noqa: F821
    """A function that opens an address in a fresh page of a given size."""
    contexts = []

    def open_at(url: str, width: int = 1200, height: int = 900) -> "playwright.sync_api.Page":  # noqa: F821
        contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.goto(url)
        return page

    yield open_at
    for context in contexts:
        context.close()


def _wait_until_up(server: JupyterServer, process: subprocess.Popen, log: Path, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{server.url}/api/status?token={server.token}", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def _end(process: subprocess.Popen) -> None:
    """End a server and whatever else is left of its process group."""
    for kind, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        try:
            os.killpg(process.pid, kind)
            process.wait(seconds)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
