"""The judge's protocol, tried out exhaustively: every script of a hostile process up to a length, on the real server.

A process has two connections and may do any of ACTIONS with them, in any order, while two exercises are opened and
closed one after the other. What must hold whatever it does (docs/security.md names these):

- one session: the check of an exercise begins at most once;
- no pass without a comparison: an exercise passes only if its check ran to its end, in its own session, on the replies
  that came in it; and of an exercise in parts, as the first one is, just those earn their points that were right in it,
  and only then;
- nothing travels: what was said in one session counts in no other, though it is said again;
- an end: closing a session returns at once, with a finding or None, and raises nothing, wherever the process stands.
"""

import contextlib
import itertools
import socket
import time
from collections import Counter
from pathlib import Path

import pytest

from autograder.judge.exercise import Exercise
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.server import JudgeServer
from autograder.judge.verdict import Finding
from fixmelab.judged import wire
from fixmelab.judged.probe import Probe

PATIENCE = 0.03  # seconds for which a script waits for a frame that may never come
SOON = 5.0  # far more than closing may take
NAMES = ("one", "two")
PARTS = {"one": {"first": 1.0, "second": 2.0}, "two": {}}


class Process:
    """A student's process that follows a script. `heard` and `told` are frames of both sessions, for replays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[socket.socket | None] = [None, None]
        self.told: list[bytes] = []
        self.opened = 0  # the exercise that is open now

    def act(self, action: str, which: int) -> bool:
        """Do it; False if there is nothing to do it with."""
        line = self._lines[which]
        if action == "connect":
            if line is not None:
                return False
            self._lines[which] = socket.socket(socket.AF_UNIX)
            self._lines[which].connect(str(self._path))
            return True
        if line is None:
            return False
        try:
            return getattr(self, f"_{action}")(line, which)
        except (OSError, wire.WireError):
            return True  # the judge has hung up

    def _greet(self, line: socket.socket, which: int) -> bool:
        wire.send(line, wire.encode({"exercise": f"toy.{NAMES[self.opened]}"}))
        return True

    def _greet_as_the_other(self, line: socket.socket, which: int) -> bool:
        wire.send(line, wire.encode({"exercise": f"toy.{NAMES[1 - self.opened]}"}))
        return True

    def _answer(self, line: socket.socket, which: int) -> bool:
        return self._reply(line, lambda x: 2 * x)

    def _answer_wrongly(self, line: socket.socket, which: int) -> bool:
        return self._reply(line, lambda x: 3 * x)

    def _reply(self, line: socket.socket, answer) -> bool:
        body = wire.receive(line, time.monotonic() + PATIENCE)
        if body is None:
            return False
        self.told.append(Probe(answer).reply(body))
        wire.send(line, self.told[-1])
        return True

    def _replay(self, line: socket.socket, which: int) -> bool:
        if not self.told:
            return False
        for frame in self.told:
            wire.send(line, frame)
        return True

    def _claim(self, line: socket.socket, which: int) -> bool:
        wire.send(line, wire.encode({"value": None, "verdict": "pass", "score": 2.0}))
        return True

    def _question(self, line: socket.socket, which: int) -> bool:
        wire.send(line, wire.encode([0, "call", "forward", [], [], [], True]))
        return True

    def _garble(self, line: socket.socket, which: int) -> bool:
        line.sendall(b"\x00\x00\x00\x03\xc1\xff\xff")
        return True

    def _begin_and_stall(self, line: socket.socket, which: int) -> bool:
        line.sendall(b"\x00\x00\x10\x00half of a frame")
        return True

    def _hang_up(self, line: socket.socket, which: int) -> bool:
        line.close()
        self._lines[which] = None
        return True

    def end(self) -> None:
        for line in self._lines:
            if line is not None:
                line.close()


ACTIONS = (
    *("greet", "greet_as_the_other", "answer", "answer_wrongly", "replay", "claim"),
    *("question", "garble", "begin_and_stall", "hang_up"),
)


class Bench:
    """Two exercises whose checks tell how often they began and ended, and what was right in them. The first has parts,
    of which a wrong one does not end the check."""

    def __init__(self) -> None:
        self.began: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.right: dict[str, list[str]] = {name: [] for name in NAMES}

    def exercise(self, name: str) -> Exercise:
        def check(student, draw):
            self.began[name] += 1
            for piece in PARTS[name] or ("first", "second"):
                with part(piece) if PARTS[name] else contextlib.nullcontext():
                    x = draw.normal(3)
                    expect(student(x)).close(2 * x)
                    self.right[name].append(piece)
            self.ended[name] += 1

        return Exercise(f"toy.{name}", check, parts=PARTS[name])


def play(script: list[list[tuple[str, int]]], path: Path, seconds: float = SOON) -> tuple[list, Bench, bool]:
    """Findings of both exercises, what the checks did, and whether every action had something to act on."""
    bench, findings, useful = Bench(), [], True
    process = Process(path)
    with JudgeServer(path) as server:
        for number, (name, actions) in enumerate(zip(NAMES, script, strict=True)):
            process.opened = number
            session = server.open(bench.exercise(name), bytes([number] * 32), seconds)
            for action, which in actions:
                useful = process.act(action, which) and useful
            began = time.monotonic()
            findings.append(session.close())
            assert time.monotonic() - began < SOON, script
        process.end()
    path.unlink()
    return findings, bench, useful


def require(script: list[list[tuple[str, int]]], findings: list, bench: Bench) -> None:
    for name, finding in zip(NAMES, findings, strict=False):
        assert bench.began[name] <= 1, (script, "judged twice")
        if finding is None:
            assert not bench.ended[name], (script, "judged, and no finding")
        else:
            assert bench.began[name] == 1, (script, "a finding without a session")
            right = bench.right[name] if bench.ended[name] == 1 else []
            assert (finding.verdict == "pass") == (len(right) == 2), (script, finding)
            parts = [] if finding.verdict == "pass" else [PARTS[name][piece] for piece in right]
            assert finding.earned == sum(parts), (script, finding)


def test_an_honest_process_passes(tmp_path):
    honest = [*HONEST, ("hang_up", 0)]
    findings, bench, useful = play([honest, honest], tmp_path / "judge")
    assert [finding.verdict for finding in findings] == ["pass", "pass"] and useful
    assert bench.ended == {"one": 1, "two": 1}


def test_the_bench_can_tell_a_pass_that_is_none():
    bench = Bench()
    bench.began["one"] = 1
    for verdict, earned in (("pass", 0.0), ("fail", 1.0)):
        with pytest.raises(AssertionError):
            require([[], []], [Finding(verdict, earned=earned), None], bench)


def test_a_process_that_is_wrong_once_earns_the_other_part(tmp_path):
    for number, actions in enumerate((["answer", "answer_wrongly"], ["answer_wrongly", "answer"])):
        script = [[("connect", 0), ("greet", 0), *((action, 0) for action in actions)], []]
        findings, bench, _ = play(script, tmp_path / "judge")
        require(script, findings, bench)
        assert (findings[0].verdict, findings[0].earned) == ("fail", number + 1.0)


HONEST = [("connect", 0), ("greet", 0), ("answer", 0), ("answer", 0)]


@pytest.mark.parametrize("count", range(len(HONEST)))
@pytest.mark.parametrize("last", ["hang_up", "begin_and_stall", None])
@pytest.mark.parametrize("seconds", [0.05, SOON])
def test_a_process_that_ends_or_stalls_at_any_point_gets_no_pass(tmp_path, count, last, seconds):
    """Crashes, and times that run out: the session's own where it has few seconds, else the runner's that closes it."""
    actions = HONEST[:count] + ([(last, 0)] if last else [])
    script = [actions, [*HONEST, ("hang_up", 0)]]
    findings, bench, _ = play([actions, [("hang_up", 0), *HONEST]], tmp_path / "judge", seconds)
    require(script, findings[:1], bench)
    assert findings[0] is None or findings[0].verdict == "error"
    if seconds == SOON:
        assert findings[1].verdict == "pass"  # the next exercise has nothing to suffer from it


def test_what_was_said_at_first_does_not_count_when_an_exercise_is_judged_again(tmp_path):
    """One exercise is opened twice; each time is a session of its own, on inputs of its own."""
    wrong = [("connect", 0), ("greet", 0), ("answer_wrongly", 0), ("hang_up", 0)]
    for again, verdict, right in (
        ([("replay", 1), ("claim", 1)], "fail", []),
        ([("answer", 1), ("answer", 1)], "pass", ["first", "second"]),
        ([("answer", 1), ("replay", 1)], "fail", ["first"]),
    ):
        bench, process = Bench(), Process(tmp_path / "judge")
        with JudgeServer(tmp_path / "judge") as server:
            for number, actions in enumerate((wrong, [("connect", 1), ("greet", 1), *again])):
                session = server.open(bench.exercise("one"), bytes([number] * 32), SOON)
                for action, which in actions:
                    process.act(action, which)
                finding = session.close()
            process.end()
        (tmp_path / "judge").unlink()
        assert (finding.verdict, bench.right["one"], bench.began["one"]) == (verdict, right, 2)
        assert finding.earned == (1.0 if verdict == "fail" and right else 0.0)


def scripts(length: int):
    """All scripts of one connection up to a length that begin with what any of them must: connecting."""
    for count in range(length):
        for actions in itertools.product(ACTIONS, repeat=count):
            yield [("connect", 0), *((action, 0) for action in actions)]


@pytest.mark.slow
def test_no_script_of_one_connection_gets_a_pass_that_is_not_earned(tmp_path):
    """In the first exercise everything; in the second only what was said before, to the same judge, once more."""
    again = [("connect", 1), ("greet", 1), ("replay", 1), ("claim", 1)]
    seen: Counter[str] = Counter()
    for script in scripts(4):
        findings, bench, _ = play([script, again], tmp_path / "judge")
        require([script, again], findings, bench)
        seen[findings[0].verdict if findings[0] else "none"] += 1
        assert findings[1] is None or findings[1].verdict != "pass", script
    assert seen["pass"] >= 1 and seen["fail"] >= 1 and seen["error"] >= 1 and seen["none"] >= 1
    assert sum(seen.values()) == sum(len(ACTIONS) ** count for count in range(4))


@pytest.mark.slow
def test_no_script_of_two_connections_is_judged_twice(tmp_path):
    """Two connections, of which each may do all that matters, in any order, over both exercises."""
    both = [(action, which) for action in ("greet", "answer", "replay", "hang_up") for which in (0, 1)]
    for actions in itertools.product(both, repeat=3):
        opening = [("connect", 0), ("connect", 1), ("greet", 0)]
        script = [[*opening, *actions], [("connect", 0), ("connect", 1), *actions]]
        with contextlib.suppress(ConnectionError):
            findings, bench, _ = play(script, tmp_path / "judge")
            require(script, findings, bench)
