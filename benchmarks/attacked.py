"""One grader under attack: what an attack earns, reads, harms and leaves behind, beside and after honest neighbours."""

import contextlib
import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import copies
import excerpts
import graders
import nbformat
import walls
from grade_each import KILLED
from measuring import BenchmarkError

from autograder.attacks import outputs
from autograder.attacks.corpus import Attack
from autograder.attacks.traces import MARK

BEFORE, ATTACKER, AFTER = "ada", "mallory", "zoe"
# Seconds. Those of a cell are given to all graders that can be told; the others' command for a notebook gets more.
CELL, COMMAND, RUN = 15, 120, 420

GRADERS: dict[str, graders.Grader] = {
    "fixmelab": graders.Fixmelab("--limit", f"cell={CELL}", "--limit", f"idle={CELL}"),
    "nbgrader": graders.Nbgrader(f"--Execute.timeout={CELL}"),
    "otter": graders.Otter(hidden=True, seconds=COMMAND),
    "otter-api": graders.Otter("otter-api", hidden=True),
    "gradescope-utils": graders.GradescopeUtils(seconds=COMMAND),
}

# What an instructor keeps and a grader only reads.
_KEPT = ("source", "release", "submitted", "tests", "autograder.zip", "course.key", "results of others.csv")


@dataclass(frozen=True)
class Found:
    """What an attack got from a grader.

    `points` are those above what its answers deserve. `ran` says whether the trick came to its end, None if that cannot
    be seen. `secrets`, `neighbours` and `left` hold a line on each thing read, harmed and left behind; `hung` says what
    had to end the grading, if it never ended by itself.
    """

    attack: str
    grader: str
    points: float = 0.0
    ran: bool | None = None
    secrets: list[str] = field(default_factory=list)
    neighbours: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    hung: str = ""

    @property
    def is_held(self) -> bool:
        return not (self.points or self.secrets or self.neighbours or self.left or self.hung)


class Place:
    """A grader that is set up and has graded one honest student, all in `folder`; attacks are tried on copies of it.

    Raises BenchmarkError if the honest notebook does not get what it deserves.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.grader, self._folder = name, GRADERS[name], folder
        self.canaries = {
            what: f"canary-{secrets.token_hex(12)}"
            for what in ("a solution", "another submission", "the results of others", "the grader's environment")
        }
        self._neighbour = excerpts.honest(self.canaries["another submission"])
        self._secret_lines = outputs.secret_lines()
        self._ready = folder / "ready"
        self._ready.mkdir(parents=True)
        self._lay_out()
        run = self._grade(self._ready, [BEFORE])
        self.deserved = self._marks(self._ready).get(BEFORE, 0.0)
        full = copies.automatic_points(excerpts.source(""))
        if run.ended or run.left or not 0 < self.deserved < full:
            log = (self._ready / "log.txt").read_text(errors="replace")
            raise BenchmarkError(
                f"{name} gives an honest notebook {self.deserved:g} of {full:g} points ({run}):\n{log[-3000:]}"
            )

    def _lay_out(self) -> None:
        source = excerpts.source(self.canaries["a solution"])
        self.grader.set_up(self._ready, source)
        path = self._ready / "source" / copies.ASSIGNMENT / f"{copies.ASSIGNMENT}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(source, path)
        (self._ready / "course.key").write_bytes(secrets.token_bytes(32))
        (self._ready / "results of others.csv").write_text(f"ada,{self.canaries['the results of others']}\n")
        self.grader.hand_in(self._ready, BEFORE, self._neighbour)

    def attack(self, attack: Attack) -> Found:
        """Grade an attack and a neighbour after it, beside what is graded already."""
        folder = self._folder / attack.name.replace("/", "-")
        shutil.copytree(self._ready, folder, symlinks=True)
        try:
            printed = folder / "printed.txt"
            self.grader.hand_in(folder, ATTACKER, excerpts.attacking(attack.text, str(printed)))
            self.grader.hand_in(folder, AFTER, self._neighbour)
            before = _digests(folder)
            run = self._grade(folder, [ATTACKER, AFTER])
            return self._found(attack, folder, run, before)
        finally:
            # Not shutil.rmtree, which a chain of thousands of folders brings down.
            subprocess.run(["chmod", "-R", "u+rwx", str(folder)], stderr=subprocess.DEVNULL)
            subprocess.run(["rm", "-rf", "--", str(folder)], check=True)

    def _grade(self, folder: Path, students: list[str]) -> walls.Run:
        environment = {
            **os.environ,
            **graders.ENVIRONMENT,
            "FIXMELAB_WORK": str(folder / "work"),
            "FIXMELAB_KEY_FILE": str(folder / "course.key"),
            "FIXMELAB_CANARY": self.canaries["the grader's environment"],
        }
        command = self.grader.command(folder, students)
        return walls.run(command, folder, environment, RUN, powers=self.name == "fixmelab")

    def _marks(self, folder: Path) -> dict[str, float]:
        """Nothing, if an attack has made the marks unreadable."""
        try:
            return self.grader.marks(folder)
        except BenchmarkError:
            raise
        except Exception:
            return {}

    def _found(self, attack: Attack, folder: Path, run: walls.Run, before: dict[str, str]) -> Found:
        marks = self._marks(folder)
        lines = _printed(folder)
        return Found(
            attack.name,
            self.name,
            points=max(marks.get(ATTACKER, 0.0) - attack.honest, 0.0),
            ran=None if attack.ends else outputs.REACHED in lines,
            secrets=sorted(set(self._secrets(lines))),
            neighbours=[_mark(who, marks) for who in (BEFORE, AFTER) if marks.get(who) != self.deserved],
            left=list(_left(folder, run, before)),
            hung=run.ended or _killed(folder),
        )

    def _secrets(self, lines: list[str]) -> Iterator[str]:
        text = "\n".join(lines)
        yield from (what for what, canary in self.canaries.items() if canary in text)
        if line := outputs.first_secret(text, self._secret_lines):
            yield f"a line of a {self._secret_lines[line].kind}"


def _printed(folder: Path) -> list[str]:
    """What the attack printed, by its own file or by the executed notebook."""
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines += (folder / "printed.txt").read_text(errors="replace").splitlines()
    for path in folder.glob(f"out/executed/*{ATTACKER}*.ipynb"):
        lines += outputs.printed_lines(nbformat.read(path, as_version=4))
    return lines


def _mark(who: str, marks: dict[str, float]) -> str:
    when = "before" if who == BEFORE else "after"
    return f"the one {when} it " + (f"gets {marks[who]:g} points" if who in marks else "has no mark")


def _left(folder: Path, run: walls.Run, before: dict[str, str]) -> Iterator[str]:
    if run.left:
        yield f"{run.left} of its processes {'goes' if run.left == 1 else 'go'} on"
    after = _digests(folder)
    yield from sorted(
        f"{name} is changed" for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )[:5]
    for at, folders, names in os.walk(folder):
        if at.count("/") - str(folder).count("/") > 4:
            folders.clear()
        yield from (os.path.relpath(f"{at}/{name}", folder) for name in (*folders, *names) if MARK in name)


def _digests(folder: Path) -> dict[str, str]:
    """What the files hold that an instructor keeps."""
    paths = [path for name in _KEPT for path in ([folder / name, *(folder / name).rglob("*")])]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and not path.is_symlink()
    }


def _killed(folder: Path) -> str:
    """What grade_each.py says of the attack, if it had to kill its command."""
    for line in (folder / "log.txt").read_text(errors="replace").splitlines():
        if f"{ATTACKER}.ipynb: no mark: {KILLED}" in line:
            return line.partition("no mark: ")[2]
    return ""
