"""The wire carries plain values, and refuses everything else with a WireError."""

import math
import socket
import struct
import time
import tracemalloc

import msgpack
import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fixmelab.judged import wire

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_plain_values_come_back(value):
    assert wire.decode(wire.encode(value)) == value


def test_sets_travel_as_lists_in_an_order_of_their_own():
    assert wire.decode(wire.encode({3, 1, 2})) == [1, 2, 3]
    assert wire.decode(wire.encode([frozenset({"w2", "t2", "w1"}), set()])) == [["t2", "w1", "w2"], []]
    nested = {frozenset({name, "z"}) for name in "cab"}
    assert wire.decode(wire.encode(nested)) == [["a", "z"], ["b", "z"], ["c", "z"]]


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


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_view_of_a_single_entry_travels(dtype):
    tensor = torch.ones((), dtype=dtype).expand(1)
    assert tensor.stride() == (0,)
    assert torch.equal(wire.decode(wire.encode(tensor)), torch.ones(1, dtype=dtype))


@pytest.mark.parametrize("count", [0, 6, 300, 300_000])
def test_tensors_of_every_length_of_extension_travel(count):
    assert wire.decode(wire.encode(torch.ones(count, dtype=torch.uint8))).sum() == count


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


def tensor_frame(dtype, shape, raw):
    number = list(wire.DTYPES).index(dtype) if dtype in wire.DTYPES else len(wire.DTYPES)
    head = struct.pack(f">BB{len(shape)}Q", number, len(shape), *shape)
    return msgpack.packb(msgpack.ExtType(wire.TENSOR, head + raw))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc0\xc0",
        msgpack.packb({1: 2}),
        msgpack.packb({b"bytes": 2}),
        msgpack.packb(msgpack.ExtType(9, b"")),
        msgpack.packb(msgpack.Timestamp(0)),
        b"\x91" * 17 + b"\xc0",
        b"\x91" * 100_000 + b"\xc0",
        tensor_frame("float32", [2], b"1234"),
        tensor_frame("float32", [2**64 - 1, 2**64 - 1], b"1234"),
        tensor_frame("float32", [2**62, 2**62], b""),
        tensor_frame("float32", [0, 2**26, 2**26], b""),
        tensor_frame("float32", [1] * 9, b"1234"),
        tensor_frame("object", [1], b"12345678"),
        tensor_frame("bool", [1], b"\x02"),
        tensor_frame("float32", [1], b""),
        msgpack.packb(msgpack.ExtType(wire.ARRAY, b"")),
        msgpack.packb(msgpack.ExtType(wire.TENSOR, b"\x08\x02\x00")),
        msgpack.packb(msgpack.ExtType(wire.HANDLE, b"1234")),
        msgpack.packb(msgpack.ExtType(wire.HANDLE, b"\x00" * 8 + b"\xff")),
    ],
)
def test_malformed_bodies_are_refused(body):
    with pytest.raises(wire.WireError):
        wire.decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"\xdd\x00\x01\x86\x9f" * 15,
        b"\xdc\x00\x40" + (b"\xdd\x00\x01\x86\x9f" + b"\x90" * 99_999) * 64,
        b"\xdc\x00\x40" + (b"\xdd\x00\x01\x86\x9f" + b"\x80" * 99_999) * 64,
    ],
    ids=["lists announced within lists", "empty lists", "empty maps"],
)
def test_what_would_fill_the_memory_is_refused_before_it_is_built(body):
    tracemalloc.start()
    try:
        with pytest.raises(wire.WireError, match="more than 100000"):
            wire.decode(body)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(body) + 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "value",
    [
        {1: 2},
        {None: 1},
        "\ud800",
        torch.ones(2, device="meta"),
        [0] * wire.MAX_ITEMS,
        torch.zeros([1] * 9),
        torch.zeros(0, 2**40),
        msgpack.Timestamp(0),
    ],
)
def test_what_could_not_be_decoded_is_not_encoded(value):
    with pytest.raises(wire.WireError):
        wire.encode(value)


def test_as_much_as_is_allowed_travels():
    nested = []
    for _ in range(wire.MAX_DEPTH - 1):
        nested = [nested]
    for value in (nested, [0] * (wire.MAX_ITEMS - 1), b"bytes", {"": None}):
        assert wire.decode(wire.encode(value)) == value
    assert wire.decode(wire.encode(torch.zeros([1] * 8))).dim() == 8


def test_the_names_of_types_are_cut_to_a_length_and_may_be_odd():
    assert wire.decode(wire.encode(wire.Handle(2**64 - 1, "x" * 200))) == wire.Handle(2**64 - 1, "x" * wire.MAX_KIND)
    assert wire.decode(wire.encode(wire.Handle(1, "\ud800"))) == wire.Handle(1, "?")
    long = msgpack.packb(msgpack.ExtType(wire.HANDLE, bytes(8) + b"x" * 200))
    assert wire.decode(long) == wire.Handle(0, "x" * wire.MAX_KIND)


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
