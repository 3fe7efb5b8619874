"""The wire carries plain values, and refuses everything else with a WireError."""

import contextlib
import math
import socket
import struct
import time

import msgpack
import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fixmelab import wire

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_plain_values_come_back(value):
    assert wire.decode(wire.encode(value)) == value


@pytest.mark.parametrize("dtype", wire.DTYPES.values(), ids=wire.DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_tensors_come_back_to_the_bit(dtype, shape):
    tensor = (torch.rand(shape) * 200).to(dtype)
    back = wire.decode(wire.encode({"x": [tensor]}))["x"][0]
    assert back.dtype == dtype and back.shape == tensor.shape
    assert torch.equal(back, tensor)


def test_a_view_of_a_larger_tensor_travels_as_what_it_shows():
    tensor = torch.arange(24.0).view(4, 6).t()[1:5:2]
    assert torch.equal(wire.decode(wire.encode(tensor)), tensor)


def test_odd_numbers_survive():
    back = wire.decode(wire.encode([math.inf, torch.tensor([math.nan, -math.inf])]))
    assert back[0] == math.inf and torch.isnan(back[1][0]) and back[1][1] == -math.inf


def test_numpy_arrays_and_scalars_keep_their_kind():
    back = wire.decode(wire.encode([numpy.ones((2, 3), numpy.float32), numpy.float64(2.5), numpy.bool_(True)]))
    assert isinstance(back[0], numpy.ndarray) and back[0].shape == (2, 3)
    assert back[1] == 2.5 and back[2] is True


def test_what_cannot_travel_becomes_a_handle():
    kept = []

    def keep(item):
        kept.append(item)
        return wire.Handle(len(kept), type(item).__name__)

    back = wire.decode(wire.encode((1, object(), {"m": torch.nn.ReLU()}), keep))
    assert back == [1, wire.Handle(1, "object"), {"m": wire.Handle(2, "ReLU")}]
    with pytest.raises(wire.WireError, match="object cannot travel"):
        wire.encode(object())


def test_values_without_end_are_refused():
    endless = []
    endless.append(endless)
    for value in (endless, 2**70, torch.zeros(wire.MAX_FRAME)):
        with pytest.raises(wire.WireError):
            wire.encode(value)


def tensor_frame(*parts):
    return msgpack.packb(msgpack.ExtType(wire.TENSOR, msgpack.packb(list(parts))))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        msgpack.packb({1: 2}),
        msgpack.packb(msgpack.ExtType(9, b"")),
        b"\x91" * 500 + b"\xc0",
        b"\x91" * 100_000 + b"\xc0",
        tensor_frame("float32", [2], b"1234"),
        tensor_frame("float32", [-1, -1], b"1234"),
        tensor_frame("float32", [1.0], b"1234"),
        tensor_frame("float32", [True], b"1234"),
        tensor_frame("float32", [2**62, 2**62], b""),
        tensor_frame("float32", [1] * 9, b"1234"),
        tensor_frame("object", [1], b"12345678"),
        tensor_frame("bool", [1], b"\x02"),
        tensor_frame("float32", 1, b"1234"),
        tensor_frame("float32"),
        msgpack.packb(msgpack.ExtType(wire.TENSOR, b"\xc1")),
        msgpack.packb(msgpack.ExtType(wire.HANDLE, msgpack.packb(["0", 0]))),
    ],
)
def test_malformed_bodies_are_refused(body):
    with pytest.raises(wire.WireError):
        wire.decode(body)


@settings(max_examples=2000)
@given(st.binary(max_size=300))
def test_random_bytes_are_a_value_or_a_wire_error(body):
    with contextlib.suppress(wire.WireError):
        wire.decode(body)


@settings(max_examples=500)
@given(st.data())
def test_damaged_frames_are_a_value_or_a_wire_error(data):
    body = bytearray(wire.encode({"value": [torch.ones(2, 3), "text", 1.5], "changed": []}))
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=5)):
        body[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(wire.WireError):
        wire.decode(bytes(body))


@pytest.fixture
def ends():
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        yield one, other


def test_frames_arrive_whole_and_in_order(ends):
    one, other = ends
    wire.send(one, b"first")
    wire.send(one, b"")
    assert wire.receive(other) == b"first"
    assert wire.receive(other) == b""
    one.close()
    assert wire.receive(other) is None


def test_an_oversized_frame_is_refused_before_it_is_read(ends):
    one, other = ends
    one.sendall(struct.pack(">I", wire.MAX_FRAME + 1))
    with pytest.raises(wire.WireError, match="larger"):
        wire.receive(other)


def test_a_frame_that_breaks_off_is_refused(ends):
    one, other = ends
    one.sendall(struct.pack(">I", 10) + b"half")
    one.close()
    with pytest.raises(wire.WireError, match="broke"):
        wire.receive(other)


def test_a_frame_that_trickles_meets_its_deadline(ends):
    one, other = ends
    one.sendall(struct.pack(">I", 10) + b"half")
    with pytest.raises(wire.WireError, match="late"):
        wire.receive(other, time.monotonic() + 0.05)
