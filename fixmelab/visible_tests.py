"""Visible tests speak in one line: `✓ NAME: 4 visible tests`, or `✗ NAME:` and what is wrong, without a traceback.

A test cell begins with `# tests: NAME`, which `autograder build` writes, and holds plain asserts. `speak` hangs this
module into the IPython shell that runs them; in any other shell, or in none, the asserts work as asserts do. The cell
still fails, so *Run all* stops there, and nbgrader finds the error that it looks for.
"""

import ast
import hashlib
import linecache
import sys
import textwrap
import time
import types
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fixmelab.cells import ANCHOR, TESTS
from fixmelab.machine import NO_GPU, lacks_gpu

WIDTH = 90
FIXME = "FIXME: "
STILL_OPEN = "still open"  # stands in what is said of an exercise that nobody has answered
METADATA = "fixmelab"  # of the output ✓, where the digest of the answer that passed is kept


@dataclass(frozen=True)
class Outcome:
    """What the visible tests of an exercise said: `wrong` is "" if they passed. `answer` is the digest of what ran."""

    answer: str
    wrong: str = ""


@dataclass
class Memory:
    """What ran in this process: the newest answer to each exercise, and what its tests said."""

    answers: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    last_run: float = 0.0  # when the newest cell but that of `lab.check()` ended, as time.time() tells it


def tested(source: str) -> str | None:
    """The exercise that a cell tests, by its first line."""
    found = TESTS.match(source)
    return found[1] if found else None


def answer_to(name: str, source: str) -> str:
    """The part of a cell that answers an exercise: all of it, or in a cell with several anchors from its own on."""
    anchors = list(ANCHOR.finditer(source))
    if len(anchors) < 2:
        return source
    starts = {anchor[1]: number for number, anchor in enumerate(anchors)}
    if name not in starts:
        return source
    following = anchors[starts[name] + 1 :]
    return source[anchors[starts[name]].start() : following[0].start() if following else None]


def digest(answer: str) -> str:
    """By which an answer is known again, whatever spaces stand at the ends of its lines."""
    tidy = "\n".join(line.rstrip() for line in answer.strip().splitlines())
    return hashlib.sha256(tidy.encode("utf-8", "replace")).hexdigest()[:16]


def in_lines(text: str) -> str:
    """Text in lines of at most 90 characters, the later ones indented."""
    return textwrap.fill(" ".join(text.split()), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


class VisibleTests:
    """One IPython shell's cells, watched. `memory` is what they told."""

    def __init__(self, shell: Any) -> None:
        self.memory = Memory()
        self._cell = ""
        self._others = shell.custom_exceptions, getattr(shell, "CustomTB", None)
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)
        shell.set_custom_exc((Exception,), self._show)

    def _before(self, info: Any) -> None:
        self._cell = info.raw_cell or ""

    def _after(self, result: Any) -> None:
        cell = (result.info.raw_cell if result.info else "") or ""
        name = tested(cell)
        error = result.error_before_exec or result.error_in_exec
        if name is None:
            if error is None:
                for name in ANCHOR.findall(cell):
                    self.memory.answers[name] = cell
            if "lab.check(" not in cell:
                self.memory.last_run = time.time()
            return
        answer = self.memory.answers.get(name)
        key = "" if answer is None else digest(answer_to(name, answer))
        self.memory.outcomes[name] = Outcome(key, "" if error is None else wrong(error, name))
        self.memory.last_run = time.time()
        if error is None:
            from IPython.display import display

            metadata = {METADATA: {"answer": key}} if key else {}
            display({"text/plain": passed(name, cell)}, raw=True, metadata=metadata)

    def _show(self, shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: int | None = None) -> Any:
        """Show an error of a cell: that of a test or an open exercise in one line, another as ever."""
        types_before, shown_before = self._others
        if types_before and isinstance(error, types_before) and shown_before is not None:
            return shown_before(kind, error, trace, tb_offset=tb_offset)
        name = tested(self._cell)
        opened = still_open(error)
        if name is not None or opened is not None:
            what = wrong(error, name or "")
            lines = [in_lines(f"✗ {name or opened}: {what}")]
            error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]  # IPython asks for it
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)
        return None


_WATCHED: "weakref.WeakKeyDictionary[Any, VisibleTests]" = weakref.WeakKeyDictionary()


def speak() -> VisibleTests | None:
    """Let the visible tests of this IPython shell speak in one line; None outside of one. Once is enough."""
    shell = _shell()
    if shell is None:
        return None
    if shell not in _WATCHED:
        _WATCHED[shell] = VisibleTests(shell)
    return _WATCHED[shell]


def remembered() -> Memory:
    """What the cells of this process told; nothing if nobody watches them."""
    shell = _shell()
    watched = None if shell is None else _WATCHED.get(shell)
    return Memory() if watched is None else watched.memory


def _shell() -> Any:
    interactive = sys.modules.get("IPython")
    return interactive.get_ipython() if interactive is not None else None


def passed(name: str, cell: str) -> str:
    """`✓ NAME: 4 visible tests`."""
    try:
        count = sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell)))
    except SyntaxError:
        count = 0
    return f"✓ {name}: {count} visible test{'' if count == 1 else 's'}"


def still_open(error: BaseException) -> str | None:
    """The exercise whose FIXME raised an error."""
    text = str(error)
    return text.removeprefix(FIXME) if isinstance(error, NotImplementedError) and text.startswith(FIXME) else None


def wrong(error: BaseException, name: str) -> str:
    """What an error of a test cell says of its exercise, in one sentence; `name` is "" for another cell's error."""
    opened = still_open(error)
    if opened is not None:
        if name in ("", opened):
            return f"{STILL_OPEN}: fill in its cell, and run it"
        return f"it uses {opened}, which is {STILL_OPEN}: do that first"
    frames = list(_frames_in_cells(error))
    own = [frame for frame in frames if frame[0] != frames[0][0]]
    text = " ".join(str(error).split())
    if isinstance(error, NameError) and not own:
        return f"{text}: run the cells above this one first"
    if isinstance(error, AssertionError) and not own:
        return text or f"this does not hold: {frames[-1][2] if frames else 'an assert'}"
    what = f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
    if lacks_gpu(text):
        what = NO_GPU.rstrip(".")
    if not own:
        place = "in the test" if name else "at"
        return f"{what} ({place}: {frames[-1][2]})" if frames and frames[-1][2] else what
    _, number, line = own[-1]
    return f"{what} (your line {number}: {line})"


def _frames_in_cells(error: BaseException) -> Iterator[tuple[str, int, str]]:
    """File, line number and line of each frame that lies in a cell, outermost first."""
    shell = _shell()
    space = None if shell is None else shell.user_ns
    trace: types.TracebackType | None = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if trace.tb_frame.f_globals is space:
            yield code.co_filename, trace.tb_lineno, linecache.getline(code.co_filename, trace.tb_lineno).strip()
        trace = trace.tb_next
