"""nbgrader's own commands as `python -m nbgrader` gives them, each in a fork of this process, which has imported it."""

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

from nbgrader.apps.nbgraderapp import main

FORKS = multiprocessing.get_context("fork")


def nbgrader(folder: Path, *arguments: str, **variables: str) -> None:
    """Run a command in a course's folder, with these environment variables besides. Raises AssertionError with all that
    it has said unless it ends well."""
    with tempfile.TemporaryFile() as said:
        process = FORKS.Process(target=_command, args=(folder, arguments, variables, said.fileno()))
        process.start()
        process.join()
        said.seek(0)
        assert process.exitcode == 0, said.read().decode(errors="replace")[-5000:]


def _command(folder: Path, arguments: tuple[str, ...], variables: dict[str, str], said: int) -> None:
    for stream in (1, 2):
        os.dup2(said, stream)
    sys.stdout, sys.stderr = (os.fdopen(stream, "w", buffering=1, closefd=False) for stream in (1, 2))
    os.chdir(folder)
    os.environ.update(variables)
    sys.modules.pop(
        "jupyter_server.serverapp", None
    )  # by it the settings know formgrader, and a test may have loaded it
    sys.argv = ["nbgrader", *arguments]
    main()
