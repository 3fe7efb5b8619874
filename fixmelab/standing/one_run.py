"""The process of a dry run: an IPython shell that runs the cells which come in by standard input, one by one.

A line in is a JSON list of an exercise, whose the cell is, and its source; a line out says what went wrong, or "". As
in grading, there are no files of one's own, no network and no GPU; `restrict` refuses them by Python's audit events,
which is no wall, but shows an honest notebook what it would miss.
"""

import json
import os
import site
import socket
import sys
from pathlib import Path
from typing import Any

from fixmelab.cache import cache_folder
from fixmelab.cells import Whose
from fixmelab.stand_ins import let_colab_be_found

INSTALLERS = ("pip", "pip3", "conda", "mamba", "uv", "apt", "apt-get")


def main() -> None:
    """Run what comes in until it ends. The arguments are the folders whose files are not there in grading."""
    asked, replies = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "r+") as nowhere:
        for stream in range(3):  # nobody answers `input()`
            os.dup2(nowhere.fileno(), stream)
    shell = _shell()
    let_colab_be_found()
    restrict([Path(folder) for folder in sys.argv[1:]])
    replies.write("ready\n")
    replies.flush()
    for line in asked:
        replies.write(json.dumps(run(shell, *json.loads(line))) + "\n")
        replies.flush()


def run(shell: Any, name: str, whose: Whose, source: str) -> str:
    """Run a cell as grading does; `name` is the exercise that it tests, or "". What went wrong, or ""."""
    from fixmelab.executing.statements import AROUND
    from fixmelab.ipython_cells import without_cell_magics
    from fixmelab.visible_tests import STILL_OPEN, wrong

    shell.failures, shell.goes_on = [], whose in ("student", "answer")
    source = without_cell_magics(source)
    with AROUND[whose](), shell.names.around(whose, source):
        done = shell.run_cell(source, store_history=True)
    errors = [failure.error for failure in shell.failures]
    errors += [error for error in (done.error_before_exec or done.error_in_exec,) if error is not None]
    said = [wrong(error, name) for error in errors]
    return next((text for text in said if STILL_OPEN not in text), "".join(said[:1]))


def restrict(folders: list[Path]) -> None:
    """Refuse connections, installers, and files below these folders but for packages and the course's downloads."""
    usual = (sys.prefix, sys.base_prefix, site.getusersitepackages(), Path(__file__).parents[1], cache_folder())
    own = tuple(str(Path(folder).resolve()) for folder in usual)
    refused = tuple(f"{folder.resolve()}{os.sep}" for folder in folders)
    work = str(Path.cwd().resolve())

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            path = os.path.abspath(arguments[0])
            if path.startswith(refused) and not path.startswith((*own, work)):
                raise FileNotFoundError(
                    f"{path} is not there when the notebook is graded: make what it holds in a cell"
                )
        elif event == "socket.connect" and arguments[0].family != getattr(socket, "AF_UNIX", None):
            raise OSError("there is no network when the notebook is graded")
        elif event in ("subprocess.Popen", "os.system"):
            words = " ".join(map(str, arguments[1])) if isinstance(arguments[1:2], tuple) and arguments[1:] else ""
            words = words or str(arguments[0])
            if set(words.replace("/", " ").split()) & set(INSTALLERS):
                raise OSError("nothing can be installed when the notebook is graded")

    sys.addaudithook(watch)


def _shell() -> Any:
    from traitlets.config import Config

    from fixmelab.executing.names import Names
    from fixmelab.executing.statements import StatementShell

    class Shell(StatementShell):
        names: Names

        def enable_gui(self, gui: str | None = None) -> None:
            """There is no window, and `%matplotlib` needs none."""

    quiet = Config()
    quiet.HistoryManager.enabled = False
    shell = Shell.instance(config=quiet)
    shell.names = Names(lambda: shell.user_ns)
    return shell


if __name__ == "__main__":
    main()
