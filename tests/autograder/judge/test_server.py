"""Sessions between the judge's server and a process that serves an answer."""

import contextlib
import multiprocessing
import os
import socket
import threading
import time

import pytest
import torch

from autograder.judge.exercise import Exercise
from autograder.judge.expect import expect
from autograder.judge.server import JudgeServer
from fixmelab import probe
from fixmelab.judged import wire

SEED = bytes(32)


def double(student, draw):
    x = draw.normal(3)
    expect(student(x)).close(2 * x)


EXERCISE = Exercise("toy.double", double)


@pytest.fixture
def server(tmp_path, monkeypatch):
    path = tmp_path / "judge"
    monkeypatch.setenv("FIXMELAB_JUDGE", str(path))
    with JudgeServer(path) as server:
        server.path = path
        yield server


def test_a_right_and_a_wrong_answer(server):
    for answer, verdict in ((lambda x: 2 * x, "pass"), (lambda x: 3 * x, "fail")):
        session = server.open(EXERCISE, SEED)
        assert probe.check("toy.double", answer) is None
        assert session.done.wait(5)
        assert session.close().verdict == verdict


def test_a_session_that_nobody_came_to_has_no_finding(server):
    assert server.open(EXERCISE, SEED).close() is None


def knock(path) -> None:
    """Connect again and again, without a pause."""
    while True:
        with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(OSError):
            line.connect(str(path))


def test_whoever_connects_without_end_holds_up_neither_the_end_of_a_session_nor_the_next_one(server):
    knocking = [multiprocessing.get_context("fork").Process(target=knock, args=(server.path,)) for _ in range(3)]
    for process in knocking:
        process.start()
    found = []

    def hold_sessions() -> None:
        found.extend(server.open(EXERCISE, SEED).close() for _ in range(3))

    holding = threading.Thread(target=hold_sessions, daemon=True)
    holding.start()
    holding.join(60)
    for process in knocking:
        process.kill()
        process.join()
    assert found == [None, None, None]


def test_another_exercise_is_turned_away(server):
    session = server.open(EXERCISE, SEED)
    probe.check("toy.half", lambda x: 2 * x)
    assert not session.done.is_set()
    probe.check("toy.double", lambda x: 2 * x)
    assert session.close().verdict == "pass"


def test_a_second_connection_is_not_served(server):
    session = server.open(EXERCISE, SEED)
    probe.check("toy.double", lambda x: 3 * x)
    assert session.done.wait(5)
    with socket.socket(socket.AF_UNIX) as late:
        late.connect(str(server.path))
        late.settimeout(0.3)
        wire.send(late, wire.encode({"exercise": "toy.double"}))
        with pytest.raises(TimeoutError):
            late.recv(1)
    assert session.close().verdict == "fail"


def test_a_connection_that_came_too_early_is_dropped(server):
    with socket.socket(socket.AF_UNIX) as early:
        early.connect(str(server.path))
        wire.send(early, wire.encode({"exercise": "toy.double"}))
        session = server.open(EXERCISE, SEED)
        probe.check("toy.double", lambda x: 3 * x)
        assert session.close().verdict == "fail"


@pytest.mark.parametrize(
    "reply",
    [
        wire.encode({"verdict": "pass"}),
        wire.encode({"value": {"verdict": "pass"}}),
        wire.encode({"value": [2.0, 2.0]}),
        b"\xc1",
        b"",
    ],
)
def test_forged_replies_never_pass(server, reply):
    session = server.open(EXERCISE, SEED)
    with socket.socket(socket.AF_UNIX) as forger:
        forger.connect(str(server.path))
        wire.send(forger, wire.encode({"exercise": "toy.double"}))
        wire.receive(forger)
        wire.send(forger, reply)
        assert session.done.wait(5)
    assert session.close().verdict in ("fail", "error")


def test_a_kernel_that_dies_in_the_middle_has_no_pass(server):
    def die():
        probe.check("toy.double", lambda x: os._exit(1))

    session = server.open(EXERCISE, SEED)
    process = multiprocessing.get_context("fork").Process(target=die)
    process.start()
    process.join(10)
    assert session.done.wait(5)
    finding = session.close()
    assert finding is None or finding.verdict == "error"


def test_a_silent_kernel_is_cut_off_when_the_session_closes(server):
    session = server.open(EXERCISE, SEED)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(server.path))
        wire.send(silent, wire.encode({"exercise": "toy.double"}))
        wire.receive(silent)
        assert session.close().verdict == "error"


def test_a_session_ends_at_its_deadline(server):
    session = server.open(EXERCISE, SEED, seconds=0.2)

    def too_late():
        with pytest.raises(wire.WireError):
            probe.check("toy.double", lambda x: time.sleep(1) or 2 * x)

    thread = threading.Thread(target=too_late)
    thread.start()
    assert session.done.wait(5)
    assert session.close().verdict == "error"
    thread.join()


def test_the_answer_is_seeded_alike_in_both_kinds_of_judging(server):
    from autograder.judge.judging import judge
    from autograder.judge.student import in_this_process

    seen = []

    def check(student, draw):
        seen.append(student())

    noise = Exercise("toy.noise", check)
    session = server.open(noise, SEED)
    probe.check("toy.noise", lambda: torch.randn(4))
    session.close()
    judge(noise, in_this_process(lambda: torch.randn(4)), SEED)
    assert torch.equal(*seen)
