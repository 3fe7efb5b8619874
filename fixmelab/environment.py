"""Where a notebook runs: its budget, device and seeds, and a folder for what it makes."""

import os
import random
import re
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch

from fixmelab import visible_tests
from fixmelab.described import describe_figures

Budget = Literal["smoke", "cpu", "gpu"]
Value = TypeVar("Value")

BUDGETS: tuple[Budget, ...] = ("smoke", "cpu", "gpu")
BUDGET_VARIABLE = "FIXMELAB_BUDGET"
WORK_VARIABLE = "FIXMELAB_WORK"
DRIVE = Path("/content/drive")


@dataclass(frozen=True)
class Lab:
    """What `setup` found out. `folder` exists and can be written to."""

    notebook: str
    device: torch.device
    budget: Budget
    folder: Path
    in_colab: bool

    def check(self, path: str | Path | None = None) -> Any:
        """Where you stand before you hand in: a table of exercises and questions, and what is to be mended.

        It reads the saved notebook, which it finds in Colab, JupyterLab and VS Code, or at `path`. Nothing while
        grading runs the cell.
        """
        if is_judged():
            return None
        from fixmelab.notebooks import NotebookError
        from fixmelab.restoring import OtherNotebookError
        from fixmelab.standing.check import check_here

        try:
            return check_here(self.notebook, path)
        except (NotebookError, OtherNotebookError) as error:
            print(visible_tests.in_lines(f"✗ {error}"))
            return None

    def submit(self, server: str | None = None, path: str | Path | None = None) -> Any:
        """Hand in to the course's server, and show what came of it: a table of verdicts and messages.

        It sends the saved notebook, which it finds as `check` does. `server` is an address; without it, and without
        FIXMELAB_SERVER and FIXMELAB_TOKEN, it asks. The receipt lies in `folder`. Nothing while grading runs the cell.
        """
        if is_judged():
            return None
        from fixmelab.notebooks import NotebookError
        from fixmelab.submitting.connection import ServerError
        from fixmelab.submitting.submit import submit_here

        try:
            return submit_here(self.notebook, self.folder / "receipts", server, path)
        except (NotebookError, ServerError) as error:
            print(visible_tests.in_lines(f"✗ {error}"))
            return None


def budget_name() -> Budget:
    """The budget in force: FIXMELAB_BUDGET if it is set, else gpu where CUDA is available, else cpu.

    Raises ValueError if the variable holds anything but smoke, cpu or gpu.
    """
    chosen = os.environ.get(BUDGET_VARIABLE)
    if chosen is None:
        return "gpu" if torch.cuda.is_available() else "cpu"
    for known in BUDGETS:
        if chosen == known:
            return known
    raise ValueError(f"{BUDGET_VARIABLE} is {chosen!r}: set it to smoke, cpu or gpu, or unset it")


def budget(full: Value, cpu: Value, smoke: Value) -> Value:
    """One of three values: `full` for a GPU, `cpu` for a few minutes without one, `smoke` for a quick trial.

    Raises ValueError as `budget_name` does.
    """
    return {"gpu": full, "cpu": cpu, "smoke": smoke}[budget_name()]


def is_watched() -> bool:
    """Whether somebody is there to move a slider: not in grading, nor on the smoke budget."""
    return not is_judged() and budget_name() != "smoke"


def is_judged() -> bool:
    """Whether `autograder grade` runs this process."""
    return "FIXMELAB_JUDGE" in os.environ


def device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def seed_everything(seed: int) -> None:
    """Seed the random numbers of Python, NumPy and torch, on all devices.

    Raises ValueError if `seed` lies outside [0, 2³²), which is what NumPy takes.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"the seed is {seed}: take a whole number from 0 to 2**32 - 1")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def setup(notebook: str, *, keep_on_drive: bool = False) -> Lab:
    """Make a notebook ready, in Colab or elsewhere, and print one line that says how.

    Files go to `work/NOTEBOOK` under the current directory; with `keep_on_drive`, in Colab, to Google
    Drive, where they outlive a disconnect. FIXMELAB_WORK, if set, takes the place of `work` and of the Drive.
    Where the folder cannot be written to, a temporary one is used and a line says so.

    Raises ValueError if `notebook` is not a plain name, and as `budget_name` does.
    """
    if not re.fullmatch(r"[\w-]+", notebook):
        raise ValueError(f"the notebook's name is {notebook!r}: use letters, digits, _ and - only")
    budget_now, device_now = budget_name(), device()
    in_colab = "google.colab" in sys.modules
    if in_colab:
        from google.colab import output

        output.enable_custom_widget_manager()
    folder = _writable(_root(keep_on_drive and in_colab) / notebook)
    parts = [
        f"fixmelab {_version()}",
        f"torch {torch.__version__}",
        f"device {_device_text(device_now)}",
        f"budget {budget_now}",
        f"files in {folder}",
    ]
    if in_colab and device_now.type == "cpu":
        parts.append("for a GPU: Runtime → Change runtime type → T4 GPU")
    print(" · ".join(parts))
    if not is_judged():
        visible_tests.speak()
        describe_figures()
    return Lab(notebook, device_now, budget_now, folder, in_colab)


def _root(on_drive: bool) -> Path:
    """The folder that holds one folder a notebook."""
    if chosen := os.environ.get(WORK_VARIABLE):
        return Path(chosen).expanduser().resolve()
    if on_drive:
        from google.colab import drive

        try:
            drive.mount(str(DRIVE))
            return DRIVE / "MyDrive" / "fixmelab"
        except Exception as error:  # Colab raises what it likes where permission is refused
            print(f"Google Drive is not mounted ({error}): files are lost when Colab disconnects")
    return Path.cwd() / "work"


def _writable(folder: Path) -> Path:
    """Make `folder`, or a temporary one where it cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        other = Path(tempfile.mkdtemp(prefix="fixmelab-"))
        print(f"{folder} cannot be written to ({error.strerror}): using {other}, which will not last")
        return other


def _version() -> str:
    try:
        return version("fixmelab")
    except PackageNotFoundError:  # imported from a checkout
        return "(not installed)"


def _device_text(found: torch.device) -> str:
    return f"cuda ({torch.cuda.get_device_name(found)})" if found.type == "cuda" else str(found)
