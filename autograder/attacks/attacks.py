"""Proves that attacks do not work: grades a corpus of hostile submissions, and holds each against one bar.

An attack is a text in tests/attacks, a submission in jupytext's percent format, or a function in archives.py there that
builds files. Each is graded in the sandbox as any submission is, but for tight limits, and right after it an honest
one, the witness. The bar: no point above what is deserved, nothing outside changed, nothing left running, the witness's
result as if it were alone, a result or one clear line, and nothing secret in what comes out.
"""

import contextlib
import importlib.util
import multiprocessing
import os
import re
import resource
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty
from typing import Any, Literal

import jupytext
import nbformat
import torch
from nbformat import NotebookNode

from autograder import cells, course
from autograder.assignments import exercises_of
from autograder.attacks import attack_bar as bar
from autograder.errors import InputError, SandboxError
from autograder.grading.cell_text import answer_text
from autograder.grading.grade import grade
from autograder.grading.submissions import Submission, find_submissions
from autograder.results import files
from autograder.results.model import RunResult, SubmissionResult
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import Address, Zygote

ASSIGNMENT = "vae"
# Attacks and witness are graded on the assignment's beginning, up to this heading: enough for every trick, and quick.
UP_TO = "## 2."
CORPUS = course.ROOT / "tests" / "attacks"
TIGHT = Limits(
    cell=3, notebook=40, idle=5, wall=120, memory=400 * 2**20, processes=64, disk=16 * 2**20, files=500, output=200_000
)
# An attack that takes longer has brought the grader to a stop.
MOST_SECONDS = 600.0
SETTLE_SECONDS = 20.0
# What the zygote and all submissions together may leave in its folder, such as its log.
MOST_LEFT_BYTES = 2**20

_HEADER = re.compile(r"^# (tries|honest|ends): (.+)$", re.MULTILINE)
_KINDS = ("points", "wire", "knowledge", "harm", "output")


@dataclass(frozen=True)
class Outcome:
    """What came of an attack. `reason` says what it got, where it was not held."""

    name: str
    tries: str
    verdict: Literal["held", "broken"]
    reason: str = ""


@dataclass(frozen=True)
class Attack:
    """One trick. `honest`: points that its answers deserve without it; `ends`: the verdict that the exercise `on`
    must get, or nothing where the attack prints that it came to its end."""

    name: str
    tries: str
    text: str
    honest: float = 0.0
    ends: str = ""
    on: str = ""


@dataclass(frozen=True)
class Archive:
    """Files that are handed in, made by `build(folder, notebook)`; `graded` of the submissions among them are the
    honest `notebook`, and must be graded as such; all others earn nothing."""

    name: str
    tries: str
    build: Callable[[Path, bytes], None]
    graded: int = 0


def archive(tries: str, graded: int = 0) -> Callable[[Callable[[Path, bytes], None]], Archive]:
    """Declare an attack by files: `@archive("…") def zip_bomb(folder, notebook): …`."""
    return lambda build: Archive(f"archives/{build.__name__}", tries, build, graded)


def attacks(folder: Path = CORPUS) -> list[Attack | Archive]:
    """The corpus, ordered by name. Raises InputError for a text without a header that says what it tries."""
    texts = [_attack(path) for kind in _KINDS for path in sorted((folder / kind).glob("*.py"))]
    return texts + _archives(folder / "archives.py")


def prove_attacks(
    *,
    jobs: int,
    on_attack: Callable[[Outcome], None] = lambda outcome: None,
    folder: Path = CORPUS,
    names: Collection[str] | None = None,
    sandbox: bool = True,
) -> list[Outcome]:
    """Try the attacks in `folder`, those called `names` or all, in `jobs` zygotes side by side; none of them runs
    outside the sandbox unless `sandbox` says so, which is for harmless ones that show that the bar notices.

    `on_attack` is told each outcome as it is there; the list is ordered by name.

    Raises SandboxError where the sandbox does not work, InputError where an attack is not written as it must be.
    """
    wanted = [attack.name for attack in attacks(folder) if names is None or attack.name in names]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    waiting, done = context.Queue(), context.Queue()
    for name in wanted:
        waiting.put(name)
    lanes = [
        context.Process(target=_serve_lane, args=(folder, sandbox, waiting, done))
        for _ in range(min(jobs, len(wanted)))
    ]
    for lane in lanes:
        waiting.put(None)
        lane.start()
    outcomes: list[Outcome] = []
    try:
        while len(outcomes) < len(wanted):
            try:
                outcome = done.get(timeout=1)
            except Empty:
                if not any(lane.is_alive() for lane in lanes) and done.empty():
                    raise SandboxError("the processes that try the attacks have ended before they were done") from None
                continue
            if isinstance(outcome, Exception):
                raise outcome
            outcomes.append(outcome)
            on_attack(outcome)
        for lane in lanes:
            lane.join(SETTLE_SECONDS)
    finally:
        for lane in lanes:
            lane.kill()
            lane.join()
    return sorted(outcomes, key=lambda outcome: outcome.name)


# The corpus


def _attack(path: Path) -> Attack:
    text = path.read_text(encoding="utf-8")
    head, _, body = text.partition("# %%")
    header = dict(_HEADER.findall(head))
    if "tries" not in header or not body:
        raise InputError(f"{path}: the first line must be '# tries: …', and cells must follow")
    verdict, _, exercise = header.get("ends", "").partition(" ")
    anchors = cells.ANCHOR.findall(body)
    return Attack(
        name=f"{path.parent.name}/{path.stem}",
        tries=header["tries"],
        text="# %%" + body,
        honest=float(header.get("honest", 0)),
        ends=verdict,
        on=exercise or next(iter(anchors), ""),
    )


def _archives(path: Path) -> list[Archive]:
    if not path.exists():
        return []
    spec = importlib.util.spec_from_file_location("archives", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return sorted((item for item in vars(module).values() if isinstance(item, Archive)), key=lambda item: item.name)


def notebook_of(text: str) -> NotebookNode:
    """The submission that a text in percent format stands for."""
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata = NotebookNode()
    return notebook


def excerpt(source: NotebookNode) -> NotebookNode:
    """The beginning of the assignment, on which attacks are graded."""
    end = next(index for index, cell in enumerate(source.cells) if cell.source.startswith(UP_TO))
    return NotebookNode({**source, "cells": source.cells[:end]})


def witness(source: NotebookNode, canary: str) -> bytes:
    """An honest submission: the solution, but for one known mistake and one exercise left open."""
    text = ["# %%\n# " + canary]
    for cell in source.cells:
        if cells.is_fixme(cell) and "score_function_gradient" not in cells.anchors(cell):
            answer = answer_text(cell).replace("d_sigma = dl_dh * eps + sigma", "d_sigma = dl_dh + sigma")
            text.append("# %%\n" + answer)
    return nbformat.writes(notebook_of("\n\n".join(text))).encode()


# A lane: one zygote, one attack after the other


def _serve_lane(folder: Path, sandbox: bool, waiting: Any, done: Any) -> None:
    """Try attacks until there are none left; what goes wrong with the grading itself is told as an exception."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(1)
    try:
        corpus = {attack.name: attack for attack in attacks(folder)}
        with _Lane(sandbox) as lane:
            while (name := waiting.get()) is not None:
                done.put(lane.outcome(corpus[name]))
    except (InputError, SandboxError) as error:
        done.put(error)
    except Exception as error:
        done.put(SandboxError(f"an attack could not be tried ({type(error).__name__}: {error})"))


@dataclass
class _Graded:
    """What came out of one process that graded: results, executed notebooks, lines on problems."""

    results: list[SubmissionResult] = field(default_factory=list)
    notebooks: list[NotebookNode] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    fault: str = ""


class _Lane:
    """A zygote, a folder with things to steal, and what the witness gets when it is alone."""

    def __init__(self, sandbox: bool) -> None:
        self._sandbox = sandbox
        self._life = contextlib.ExitStack()

    def __enter__(self) -> "_Lane":
        self._folder = Path(self._life.enter_context(tempfile.TemporaryDirectory(prefix="fixmelab-course-")))
        whole = course.read_source(ASSIGNMENT)
        self._source = excerpt(whole)
        self._key = secrets.token_bytes(32)
        self._canaries = {
            what: f"canary-{secrets.token_hex(12)}"
            for what in ("the grader's environment", "another submission", "the gradebook", "the results of others")
        }
        exercises_of(ASSIGNMENT)  # once, for all processes that are forked from this one
        self._secret_lines = bar.secret_lines(ASSIGNMENT, whole)
        self._lay_out()
        os.environ["FIXMELAB_CANARY"] = self._canaries["the grader's environment"]
        os.environ["FIXMELAB_KEY_FILE"] = str(self._folder / "course.key")
        self._witness = Submission("ada", "ada.ipynb", witness(self._source, self._canaries["another submission"]))
        self._alone = self._start_zygote()
        self._deserved = self._alone.results[0].score
        self._outside = bar.outside(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._life.close()

    def _lay_out(self) -> None:
        """What an instructor's folder holds."""
        (self._folder / "course.key").write_bytes(self._key)
        (self._folder / "gradebook.db").write_text(self._canaries["the gradebook"])
        (self._folder / "graded").mkdir()
        (self._folder / "graded" / "results.json").write_text(self._canaries["the results of others"])

    def _start_zygote(self) -> _Graded:
        """Returns what the witness gets, alone in a fresh zygote; what runs then is what may run afterwards."""
        self._zygote = self._life.enter_context(Zygote(sandbox=self._sandbox))
        alone = _finish(self._begin_witness())
        if not alone.results or not 0 < alone.results[0].score < alone.results[0].max_score:
            raise SandboxError(f"the honest submission is not graded as it must be: {alone.fault or alone.problems}")
        self._base = bar.descendants(os.getpid())
        while (now := bar.descendants(os.getpid())) != self._base:
            self._base = now
            time.sleep(0.1)
        return alone

    def outcome(self, attack: Attack | Archive) -> Outcome:
        try:
            reasons = list(self._reasons(attack))
        except Exception as error:
            reasons = [f"the bar itself stumbled ({type(error).__name__}: {str(error)[:200]})"]
        shown = "".join(char if char.isprintable() else "?" for char in "; ".join(reasons))
        return Outcome(attack.name, attack.tries, "broken" if reasons else "held", shown)

    def _reasons(self, attack: Attack | Archive) -> Iterator[str]:
        """What the attack got, one thing after the other."""
        beside = self._begin_witness() if attack.name.startswith("harm/") else None
        if isinstance(attack, Attack):
            data = nbformat.writes(notebook_of(attack.text)).encode()
            graded = _finish(self._begin([Submission("mallory", "mallory.ipynb", data)], TIGHT))
            yield from self._found_in_submission(attack, graded)
        else:
            graded = self._graded_archive(attack)
            yield from self._found_in_archive(attack, graded)
        if beside is not None:
            yield from self._found_in_witness(_finish(beside), "beside it")
        yield from self._left_running()
        yield from self._found_in_witness(_finish(self._begin_witness()), "after it")
        yield from self._found_anywhere(graded)
        yield from self._changed_outside()

    # Grading

    def _begin(self, submissions: list[Submission], limits: Limits | None) -> "_Process":
        options = {"key": self._key, "zygote": self._zygote.address, "source": self._source, "limits": limits}
        return _start(_grade, submissions, options)

    def _begin_witness(self) -> "_Process":
        return self._begin([self._witness], None)

    def _graded_archive(self, attack: Archive) -> _Graded:
        folder = Path(tempfile.mkdtemp(prefix="fixmelab-handed-in-"))
        options = {"key": self._key, "zygote": self._zygote.address, "source": self._source, "limits": TIGHT}
        try:
            return _finish(_start(_grade_archive, attack.build, folder, self._witness.data, options))
        finally:
            # Not shutil.rmtree, which a chain of thousands of folders brings down.
            subprocess.run(["rm", "-rf", "--", str(folder)], check=True)

    # The bar

    def _found_in_submission(self, attack: Attack, graded: _Graded) -> Iterator[str]:
        yield from _how_it_ended(graded)
        for result, notebook in zip(graded.results, graded.notebooks, strict=True):
            if result.score > attack.honest:
                passed = [item.id for item in result.exercises if item.verdict == "pass"]
                yield f"it earns {result.score:g} points, and deserves {attack.honest:g}: {', '.join(passed)}"
            if result.score < attack.honest:
                yield f"it earns {result.score:g} points, and deserves {attack.honest:g}"
            lines = bar.printed_lines(notebook)
            if attack.ends:
                verdicts = {item.id.partition(".")[2]: item for item in result.exercises}
                found = verdicts[attack.on]
                if found.verdict != attack.ends:
                    yield f"{attack.on} is {found.verdict}, not {attack.ends}: {found.message[:200]}"
            elif bar.REACHED not in lines:
                yield f"it does not come to its end: {_last_error(notebook)}"
            yield from (line[:200] for line in lines if line.startswith(bar.STOLEN))
        if graded.problems:
            yield f"it is not graded at all: {graded.problems[0][:200]}"

    def _found_in_archive(self, attack: Archive, graded: _Graded) -> Iterator[str]:
        yield from _how_it_ended(graded)
        scores = sorted((result.score for result in graded.results), reverse=True)
        honest = [self._deserved] * attack.graded
        if scores[: attack.graded] != honest:
            yield f"{attack.graded} honest submissions in it deserve {self._deserved:g} points each; there are {scores}"
        if any(scores[attack.graded :]):
            yield f"it earns {sum(scores[attack.graded :]):g} points, and deserves none"
        if len(scores) == attack.graded and not graded.problems and not graded.fault:
            yield "it is passed over without a word"

    def _found_in_witness(self, graded: _Graded, when: str) -> Iterator[str]:
        if graded.fault:
            yield f"the submission {when} is not graded: {graded.fault}"
        elif graded.results != self._alone.results:
            yield f"the submission {when} gets another result: {_difference(self._alone, graded)}"
        elif _shown(graded) != _shown(self._alone):
            yield f"the notebook of the submission {when} shows something else than alone"

    def _left_running(self) -> Iterator[str]:
        if not self._zygote.is_alive():
            yield "it ends the zygote"
            self._start_zygote()
            return
        if any(Path(self._zygote.address.sessions).iterdir()):
            yield "it leaves its session's folder behind"
        size = sum(path.lstat().st_size for path in Path(self._zygote.address.socket).parent.rglob("*"))
        if size > MOST_LEFT_BYTES:
            yield f"it fills the folder of the zygote with {size >> 20} MB"
        deadline = time.monotonic() + SETTLE_SECONDS
        while left := bar.descendants(os.getpid()) - self._base:
            if time.monotonic() > deadline:
                yield f"it leaves processes running: {len(left)}"
                return
            time.sleep(0.02)

    def _found_anywhere(self, graded: _Graded) -> Iterator[str]:
        text = bar.shown_text(graded.results, graded.notebooks) + "\n".join(graded.problems)
        keys = {"the course's key": self._key, "the repository's key": _read(course.ROOT / "course.key")}
        for what, key in keys.items():
            if key and any(form in text for form in (key.hex(), key.decode("latin-1"), str(key)[2:-1])):
                yield f"{what} is in what comes out"
        yield from (
            f"{what}: its canary is in what comes out" for what, canary in self._canaries.items() if canary in text
        )
        for line in self._secret_lines:
            if line in text:
                yield f"a line of solution or checks is in what comes out: {line[:60]}"
                break
        if graded.results:
            yield from self._found_on_paper(graded)

    def _found_on_paper(self, graded: _Graded) -> Iterator[str]:
        """Write all that an instructor gets, and look at it."""
        everyone = graded.results + self._alone.results
        by_student = {result.student: result for result in everyone}
        run = RunResult(
            assignment=ASSIGNMENT,
            digest="0" * 64,
            budget="smoke",
            sandbox=True,
            submissions=list(by_student.values()),
        )
        notebooks = dict(zip((r.student for r in everyone), graded.notebooks + self._alone.notebooks, strict=True))
        if problem := bar.report_problem(run, notebooks, self._source):
            yield problem
        with tempfile.TemporaryDirectory(prefix="fixmelab-out-") as out:
            files.write(Path(out) / "results.json", run.model_dump_json(indent=2))
            for student, notebook in notebooks.items():
                files.write(files.notebook_path(Path(out), student), nbformat.writes(notebook))
            written = sorted(path.relative_to(out).parts[0] for path in Path(out).rglob("*") if path.is_file())
            if written != ["executed"] * len(notebooks) + ["results.json"]:
                yield f"the output folder holds {', '.join(written)[:200]}"
            for path in Path(out).glob("executed/*"):
                nbformat.validate(nbformat.read(path, as_version=4))
            RunResult.model_validate_json((Path(out) / "results.json").read_text(encoding="utf-8"))

    def _changed_outside(self) -> Iterator[str]:
        now = bar.outside(self._folder)
        if changed := bar.changes(self._outside, now):
            yield f"it changes {', '.join(changed)[:300]}"
            self._outside = now
        if left := bar.marks():
            yield f"it leaves behind {', '.join(left)[:300]}"


def _shown(graded: _Graded) -> list[str]:
    """The notebooks, without the folders of sessions, whose names kernels see where there is no sandbox."""
    return [re.sub(r"\S+/sessions/\w+/", "/", nbformat.writes(notebook)) for notebook in graded.notebooks]


def _how_it_ended(graded: _Graded) -> Iterator[str]:
    if graded.fault:
        yield f"the grader did not end normally: {graded.fault}"
    for problem in graded.problems:
        if odd := bar.unseen(problem + "".join(problem.splitlines()[1:])):
            yield f"the line on it holds the character {odd!r}"
        if "\n" in problem:
            yield "what is said about it is more than one line"


def _last_error(notebook: NotebookNode) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = [f"{item.ename}: {item.evalue}" for item in outputs if item.output_type == "error"]
    said += [item.text for item in outputs if item.output_type == "stream" and item.name == "stderr"]
    return " | ".join(said)[-300:] or "and says nothing"


def _difference(alone: _Graded, other: _Graded) -> str:
    if not other.results:
        return other.problems[0][:200] if other.problems else "none"
    pairs = zip(alone.results[0].exercises, other.results[0].exercises, strict=True)
    return "; ".join(f"{one.id} {two.verdict}: {two.message[:150]}" for one, two in pairs if one != two)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


# Processes that grade


@dataclass
class _Process:
    """A fork of the lane that grades, and the pipe on which it tells what came out."""

    process: multiprocessing.Process
    pipe: Connection
    deadline: float


def _start(work: Callable[..., _Graded], *arguments: Any) -> _Process:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, work, *arguments))
    process.start()
    theirs.close()
    return _Process(process, ours, time.monotonic() + MOST_SECONDS)


def _finish(started: _Process) -> _Graded:
    try:
        if not started.pipe.poll(max(started.deadline - time.monotonic(), 0)):
            return _Graded(fault=f"it was not done after {MOST_SECONDS:g} s")
        return started.pipe.recv()
    except EOFError:
        started.process.join()
        return _Graded(fault=f"its process ended with code {started.process.exitcode}")
    finally:
        started.process.kill()
        started.process.join()
        started.pipe.close()


def _work(pipe: Connection, work: Callable[..., _Graded], *arguments: Any) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        graded = work(*arguments)
    except Exception as error:
        graded = _Graded(fault=f"{type(error).__name__}: {str(error)[:300]}")
    pipe.send(graded)
    pipe.close()


def _grade(submissions: list[Submission], options: dict[str, Any]) -> _Graded:
    """Grade as the workers of a run do, one after the other."""
    zygote: Address = options["zygote"]
    graded = _Graded()
    for submission in submissions:
        named = {"assignment": ASSIGNMENT, "student": submission.student, "path": submission.path, "budget": "smoke"}
        try:
            result, notebook = grade(submission=submission.data, **named, **options | {"zygote": zygote})
        except InputError as error:
            graded.problems.append(str(error))
        else:
            graded.results.append(result)
            graded.notebooks.append(notebook)
    return graded


def _grade_archive(
    build: Callable[[Path, bytes], None], folder: Path, notebook: bytes, options: dict[str, Any]
) -> _Graded:
    build(folder, notebook)
    submissions, problems = find_submissions(ASSIGNMENT, sorted(folder.iterdir()))
    graded = _grade(submissions, options)
    graded.problems += problems
    return graded
