"""What must hold of the wire whatever bytes arrive. Hypothesis and atheris both look for bytes that break it."""

import contextlib
import socket
import tempfile
from pathlib import Path
from typing import Any

import msgpack
import numpy
import torch

from autograder.judge.draw import Draw
from autograder.judge.exercise import Exercise
from autograder.judge.expect import expect
from autograder.judge.judging import judge
from autograder.judge.lending import Answer
from autograder.judge.server import JudgeServer
from autograder.judge.student import Channel, StudentSession
from autograder.judge.verdict import AnswerRaised, ExpectationFailed
from fixmelab.judged import wire

SEPARATOR = b"\xc1\xc1"  # a byte that msgpack never uses
PLAIN = (type(None), bool, int, float, str, bytes, list, dict, torch.Tensor, numpy.ndarray, wire.Handle)


def decode_gives_a_plain_value_or_a_wire_error(body: bytes) -> None:
    """And what was read can be written, and is then read as the same."""
    try:
        value = wire.decode(body)
    except wire.WireError:
        return
    require_plain(value)
    written = wire.encode(value)
    assert wire.encode(wire.decode(written)) == written


def require_plain(value: Any) -> None:
    assert type(value) in PLAIN
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            require_plain(item)
    if isinstance(value, torch.Tensor):
        assert value.is_contiguous() and value.untyped_storage().nbytes() == value.nbytes
        assert value.dtype != torch.bool or not (value.view(torch.uint8) > 1).any()


def replies(data: bytes) -> Channel:
    """A channel on which the parts of `data` come back, one after the other and then anew; questions are answered."""
    parts = data.split(SEPARATOR)
    turn = iter(range(10**9))

    def ask(body: bytes, answer: Answer) -> bytes:
        part = parts[next(turn) % len(parts)]
        for _ in parts:
            if wire.is_question(part):
                answer(part, lambda _: parts[next(turn) % len(parts)])
                part = parts[next(turn) % len(parts)]
        return part

    return ask


def a_reply_is_a_value_or_says_what_is_wrong(data: bytes) -> None:
    ask_gives_a_value_or_says_what_is_wrong(data)
    judge_finds_something(data)


def ask_gives_a_value_or_says_what_is_wrong(data: bytes) -> None:
    session = StudentSession(replies(data), Draw(b"seed"))
    with contextlib.suppress(wire.WireError, AnswerRaised, ExpectationFailed):
        session.ask({"op": "attribute", "target": wire.Handle(0, "answer"), "name": "a"}, "attribute a")
    with contextlib.suppress(wire.WireError, AnswerRaised, ExpectationFailed):
        session.call(wire.Handle(0, "answer"), "", (torch.ones(2),), {}, kept=False)


def _check(student: Any, draw: Draw) -> None:
    x = draw.normal(2, 3)
    expect(student(x)).shape(2, 3).close(x)
    (gradient,) = student.gradient(x, wrt=[0], weights=[torch.ones(2, 3)])
    expect(gradient).shape(2, 3).close(torch.ones(2, 3))
    made = student.kept(x)
    expect(made.attribute("size")).close(6)
    expect(made.method(x, key=1.0)).close(x)


EXERCISE = Exercise("toy.fuzzed", _check)


def judge_finds_something(data: bytes) -> None:
    """Whatever comes back, the judge ends with a finding, and not with a pass."""
    assert judge(EXERCISE, replies(data), b"seed").verdict in {"fail", "error", "missing"}


class Greetings:
    """A judge's server that is greeted with anything, and goes on waiting for the one that is entitled."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        self._path = str(Path(self._folder.name) / "socket")
        self._server = JudgeServer(Path(self._path))
        self._session = self._server.open(EXERCISE, b"seed")

    def are_turned_away(self, data: bytes) -> None:
        """Greet with the frame `data`, and with bytes that need not be a frame."""
        for sent in (wire.LENGTH.pack(len(data)) + data, data):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(self._path)
                connection.settimeout(10)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(sent)
                    connection.shutdown(socket.SHUT_WR)
                    assert connection.recv(1) == b""
            assert not self._session.done.is_set(), self._session.close()

    def close(self) -> None:
        """The session must have had no answer; raises what broke its thread, if something did."""
        finding = self._session.close()
        self._server.__exit__()
        self._folder.cleanup()
        assert finding is None


def seeds() -> list[bytes]:
    """Sound frames and replies to start from."""
    values = [
        None,
        [1, -1, 2**63, 1.5, "text", b"bytes", True],
        {"exercise": "toy.other"},
        {"exercise": numpy.ones(3)},
        {"value": torch.ones(2, 3), "changed": []},
        {"value": [torch.zeros(2, dtype=torch.bool), None], "changed": [0, "x"]},
        {"value": wire.Handle(1, "VAE"), "changed": torch.zeros(2)},
        {"error": {"type": "ValueError", "text": "no", "where": "line 1"}},
        {"value": numpy.zeros((0, 2), numpy.float64)},
        [[[[{"a": [[[["deep"]]]]}]]]],
    ]
    bodies = [wire.encode(value) for value in values]
    return [*bodies, SEPARATOR.join(bodies[4:]), msgpack.packb({1: msgpack.Timestamp(1)}, strict_types=True)]
