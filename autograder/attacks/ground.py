"""The ground on which attacks are tried, one after the other: a zygote, and a folder with things to steal."""

import contextlib
import gc
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat

from autograder import course
from autograder.assignments import exercises_of
from autograder.attacks import traces
from autograder.attacks.corpus import Archive, Attack, notebook_of
from autograder.attacks.graders import Graded, Grader, finish, grade_archive, grade_submissions, start
from autograder.attacks.outputs import secret_lines
from autograder.attacks.processes import descendants
from autograder.attacks.witness import ASSIGNMENT, excerpt, witness
from autograder.errors import SandboxError
from autograder.grading.grading import Grading
from autograder.grading.submissions import Submission
from autograder.judge.solution import solution_of
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import Zygote

TIGHT = Limits(
    cell=1,
    notebook=40,
    idle=1.5,
    wall=120,
    memory=400 * 2**20,
    processes=64,
    disk=16 * 2**20,
    files=500,
    output=200_000,
)
# An attack that is to end by something else than time has thirty times as much of it: a slow machine, or one that reads
# everything from its disk for the first time, changes no verdict.
UNHURRIED = replace(TIGHT, cell=30, notebook=120, idle=60, wall=300)
SETTLE_SECONDS = 20.0
# What the zygote and all submissions together may leave in its folder, such as its log.
MOST_LEFT_BYTES = 2**20


class Ground:
    """`with Ground(sandbox=True) as ground:` attacks can be tried.

    `alone` is what the witness gets without any attack; `key`, `canaries` and `secret_lines` are what no attack may
    bring to light. Entering raises SandboxError if the sandbox does not work or the witness is not graded as it must
    be.
    """

    def __init__(self, *, sandbox: bool) -> None:
        self._sandbox = sandbox
        self._life = contextlib.ExitStack()

    def __enter__(self) -> "Ground":
        self._folder = Path(self._life.enter_context(tempfile.TemporaryDirectory(prefix="fixmelab-course-")))
        self.source = excerpt(course.read_source(ASSIGNMENT))
        self.key = secrets.token_bytes(32)
        self.canaries = {
            what: f"canary-{secrets.token_hex(12)}"
            for what in ("the grader's environment", "another submission", "the gradebook", "the results of others")
        }
        self.secret_lines = secret_lines()
        self._lay_out()
        os.environ["FIXMELAB_CANARY"] = self.canaries["the grader's environment"]
        os.environ["FIXMELAB_KEY_FILE"] = str(self._folder / "course.key")
        self._witness = Submission("ada", "ada.ipynb", witness(self.source, self.canaries["another submission"]))
        self._zygote = self._life.enter_context(Zygote(sandbox=self._sandbox))
        self._make_ready()
        self.alone = self._witnessed_alone()
        self._outside = traces.outside(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._life.close()

    def _lay_out(self) -> None:
        """What an instructor's folder holds."""
        (self._folder / "course.key").write_bytes(self.key)
        (self._folder / "gradebook.db").write_text(self.canaries["the gradebook"])
        (self._folder / "graded").mkdir()
        (self._folder / "graded" / "results.json").write_text(self.canaries["the results of others"])

    def _make_ready(self) -> None:
        """Have all done once that graders, which are forks of this process, would else each import and build again."""
        for exercise in exercises_of(ASSIGNMENT).values():
            if solution := solution_of(self.source, exercise.name):
                solution.right()
        grade_submissions(self._grading(Limits()), [self._witness], self._zygote.address)
        gc.freeze()

    def start_zygote(self) -> Graded:
        """Begin anew; returns what the witness gets, alone in a fresh zygote. What runs then may run afterwards."""
        self._zygote = self._life.enter_context(Zygote(sandbox=self._sandbox))
        return self._witnessed_alone()

    def _witnessed_alone(self) -> Graded:
        alone = finish(self.begin_witness())
        if not alone.results or not any(exercise.mistake for exercise in alone.results[0].exercises):
            raise SandboxError(f"the honest submission is not graded as it must be: {alone.fault or alone.problems}")
        self._base = descendants(os.getpid())
        while (now := descendants(os.getpid())) != self._base:
            self._base = now
            time.sleep(0.1)
        return alone

    @property
    def deserved(self) -> float:
        """The points of the witness."""
        return self.alone.results[0].score

    def begin_witness(self) -> Grader:
        """Have the witness graded."""
        return start(grade_submissions, self._grading(Limits()), [self._witness], self._zygote.address)

    def graded(self, attack: Attack | Archive) -> Graded:
        """What comes out when an attack is graded."""
        grading, zygote = self._grading(UNHURRIED), self._zygote.address
        if isinstance(attack, Attack):
            if "timeout" in attack.ends:
                grading = self._grading(TIGHT)
            data = nbformat.writes(notebook_of(attack.text)).encode()
            submissions = [Submission("mallory", "mallory.ipynb", data)]
            return finish(start(grade_submissions, grading, submissions, zygote))
        folder = Path(tempfile.mkdtemp(prefix="fixmelab-handed-in-"))
        try:
            return finish(start(grade_archive, grading, attack.build, folder, self._witness.data, zygote))
        finally:
            # Not shutil.rmtree, which a chain of thousands of folders brings down.
            subprocess.run(["rm", "-rf", "--", str(folder)], check=True)

    def _grading(self, limits: Limits) -> Grading:
        return Grading(ASSIGNMENT, self.source, self.key, limits=limits, sandbox=self._sandbox)

    def left_running(self) -> Iterator[str]:
        """A line on each thing that runs, or lies in the zygote's folder, and did not before the attack."""
        if not self._zygote.is_alive():
            yield "it ends the zygote"
            self.start_zygote()
            return
        if any(Path(self._zygote.address.sessions).iterdir()):
            yield "it leaves its session's folder behind"
        size = sum(path.lstat().st_size for path in Path(self._zygote.address.socket).parent.rglob("*"))
        if size > MOST_LEFT_BYTES:
            yield f"it fills the folder of the zygote with {size >> 20} MB"
        deadline = time.monotonic() + SETTLE_SECONDS
        while left := descendants(os.getpid()) - self._base:
            if time.monotonic() > deadline:
                yield f"it leaves processes running: {len(left)}"
                return
            time.sleep(0.02)

    def changed_outside(self) -> Iterator[str]:
        """A line on what is different outside the sandbox, and one on what bears the attacks' mark."""
        now = traces.outside(self._folder)
        if changed := traces.changes(self._outside, now):
            yield f"it changes {', '.join(changed)[:300]}"
            self._outside = now
        if left := traces.marks():
            yield f"it leaves behind {', '.join(left)[:300]}"
