"""`fixmelab check NOTEBOOK --run`: the notebook executed at home as grading executes it.

The cells are the released ones with the student's answers and additions, in a fresh process and an empty folder, on the
smoke budget; cells tagged `train` or `keep` are left out. A cell that takes too long ends the process; the cells before
it, but for tests, run again in a new one.
"""

import ast
import contextlib
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from fixmelab import cells
from fixmelab.ipython_cells import as_python
from fixmelab.restoring.cell_text import syntax_of, tidy
from fixmelab.standing.found import Found
from fixmelab.visible_tests import STILL_OPEN, Memory, Outcome, answer_to, digest, tested

CELL_SECONDS = 60
START_SECONDS = 120
DRIVE = Path("/content")
COLAB = "google.colab"  # has a stand-in


@dataclass
class DryRun:
    """What came of it: as the memory of a session, and in lines what is to be mended."""

    memory: Memory = field(default_factory=Memory)
    to_mend: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Failure:
    cell: Any
    wrong: str


class _Process:
    """A fresh process that runs cells."""

    def __init__(self, work: Path, refused: list[Path]) -> None:
        variables = {"FIXMELAB_BUDGET": "smoke", "FIXMELAB_WORK": str(work), "MPLBACKEND": "Agg"}
        variables |= {"CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        variables["TORCHDYNAMO_DISABLE"] = "1"  # torch.compile leaves a function as it is
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fixmelab.standing.one_run", *map(str, refused)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=work,
            env=os.environ | variables,
            text=True,
            encoding="utf-8",
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.is_alive = False
        with contextlib.suppress(queue.Empty):
            self.is_alive = self._lines.get(timeout=START_SECONDS) == "ready\n"

    def run(self, name: str, whose: cells.Whose, source: str, seconds: float) -> str:
        """Run a cell: what went wrong, or "". The process may have ended then."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([name, whose, source]) + "\n")
            self._process.stdin.flush()
        except OSError:
            self.end()
            return "the process ended before it"
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self.end()
            return f"it took longer than {seconds:g} seconds"
        if line is None:
            self.end()
            return "it ended the process"
        return str(json.loads(line))

    def end(self) -> None:
        self.is_alive = False
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):  # closed by `end`
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)


def dry_run(
    found: Found, folder: Path, *, seconds: float = CELL_SECONDS, told: Callable[[int, int], None] = lambda *_: None
) -> DryRun:
    """Execute a notebook; `folder` is where its file lies, and `told` learns how many cells of how many have run.

    Raises OSError if no process can be started.
    """
    restored = found.restored
    every = [
        (cell, cells.whose(cell, is_students=index in restored.numbers))
        for index, cell in enumerate(restored.notebook.cells)
        if cells.is_executed_in_grading(cell)
    ]
    result, failures = DryRun(), list[_Failure]()
    with tempfile.TemporaryDirectory(prefix="fixmelab-", ignore_cleanup_errors=True) as work:
        refused = [folder, DRIVE]
        process = _started(Path(work), refused)
        try:
            done: list[tuple[Any, cells.Whose]] = []
            for number, (cell, whose) in enumerate(every):
                told(number, len(every))
                name = tested(cell.source) or (cells.exercise_name(cell) if cells.is_tests(cell) else "")
                wrong = process.run(name, whose, cell.source, seconds)
                if name:
                    result.memory.outcomes[name] = Outcome(_answered(found, name), wrong)
                elif wrong:
                    failures.append(_Failure(cell, wrong))
                if process.is_alive:
                    done += [] if name else [(cell, whose)]
                    continue
                process = _started(Path(work), refused)
                for earlier, its in done:
                    if not process.is_alive:
                        process = _started(Path(work), refused)
                    process.run("", its, earlier.source, seconds)
            told(len(every), len(every))
        finally:
            process.end()
    result.to_mend += [_told(failure, result.memory, found) for failure in failures if _matters(failure)]
    result.to_mend += _strange_imports([cell for cell, _ in every])
    return result


def _started(work: Path, refused: list[Path]) -> _Process:
    process = _Process(work, refused)
    if not process.is_alive:
        process.end()
        raise OSError("no process can be started to run the notebook in: close others, and try again")
    return process


def _answered(found: Found, name: str) -> str:
    source = next((cell.source for cell in found.restored.notebook.cells if name in cells.anchors(cell)), None)
    return "" if source is None else digest(answer_to(name, source))


def _matters(failure: _Failure) -> bool:
    """Not a cell that only stops at an exercise that is open: the table says that already."""
    return STILL_OPEN not in failure.wrong


def _told(failure: _Failure, memory: Memory, found: Found) -> str:
    """Which cell fails, why, and which exercises that costs, as far as names tell."""
    own = set(cells.anchors(failure.cell))
    bound = syntax_of(tidy(failure.cell.source)).names.all
    cost = [
        name
        for name, outcome in memory.outcomes.items()
        if outcome.wrong and (name in own or bound & set(re.findall(r"name '(\w+)' is not defined", outcome.wrong)))
    ]
    first = next((line for line in failure.cell.source.split("\n") if line.strip()), "")
    number = next((at for at, cell in enumerate(found.notebook.cells, 1) if cell.source == failure.cell.source), None)
    where = f"cell {number}" if number else "the cell"
    costs = f"; it costs {', '.join(cost)}" if cost else ""
    return f"in a dry run {where} (`{first.strip()[:40]}`) fails: {failure.wrong}{costs}"


def _strange_imports(every: list[Any]) -> Iterator[str]:
    """Packages that cells import, and that do not come with this one: another machine may not have them."""
    known = _packages_that_come_along()
    seen: set[str] = set()
    for cell in every:
        for name in _imported(cell.source) - seen:
            seen.add(name)
            if known and name not in known and name not in sys.stdlib_module_names:
                yield f"{name} does not come with the course, and the grading machine may lack it: do without it"


def _imported(source: str) -> set[str]:
    try:
        tree = ast.parse(as_python(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[0] for name in found if not name.startswith(COLAB)}


def _packages_that_come_along() -> set[str]:
    """What can be imported of fixmelab and all that it requires; empty if it is not installed."""
    wanted, seen = ["fixmelab", "ipython"], set[str]()
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in seen:
            continue
        try:
            required = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        seen.add(name)
        wanted += [re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in required if "extra ==" not in one]
    if "fixmelab" not in seen:
        return set()
    provided = metadata.packages_distributions()
    return {
        module for module, names in provided.items() if {re.sub(r"[-_.]+", "-", name).lower() for name in names} & seen
    } | {"fixmelab"}
