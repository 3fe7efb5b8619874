"""What travels between a judge and a student's process: msgpack frames, never pickle.

A frame is a length (4 bytes, big-endian) and a msgpack body. A body carries None, booleans, 64-bit integers,
floats, text, lists, maps with text keys, tensors (dtype, shape, raw bytes) and handles: numbers that stand for
objects which stay in the student's process. Whatever is malformed, too large or too deep raises WireError.
"""

import math
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy
import torch

MAX_FRAME = 64 * 2**20
MAX_DEPTH = 16
MAX_LIST = 100_000
MAX_DIMENSIONS = 8

TENSOR, ARRAY, HANDLE = 1, 2, 3
LENGTH = struct.Struct(">I")

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
    )
}


class WireError(Exception):
    """A frame that cannot be read or written: malformed, oversized, too deep, too slow or cut off."""


@dataclass(frozen=True)
class Handle:
    """Stands for an object in the student's process; `kind` is the name of its type."""

    number: int
    kind: str


def encode(value: Any, keep: Callable[[Any], Handle] | None = None) -> bytes:
    """Return `value` as a msgpack body.

    What the wire cannot carry is handed to `keep`, which gives a handle for it; without `keep`, and for bodies
    over MAX_FRAME bytes, raises WireError.
    """

    def extend(item: Any) -> Any:
        # strict_types sends every subclass here, so that only plain values reach msgpack.
        if isinstance(item, bool | numpy.bool_):
            return bool(item)
        if isinstance(item, numpy.generic):
            item = numpy.asarray(item)
        if isinstance(item, torch.Tensor):
            return _tensor(item, keep)
        if isinstance(item, numpy.ndarray) and str(item.dtype) in DTYPES:
            return msgpack.ExtType(ARRAY, _raw(torch.from_numpy(numpy.array(item, order="C"))))
        for plain in (int, float, str, list, dict):
            if isinstance(item, plain):
                return plain(item)
        if isinstance(item, tuple):
            return list(item)
        if isinstance(item, Handle):
            return msgpack.ExtType(HANDLE, msgpack.packb([item.number, item.kind]))
        if keep is None:
            raise WireError(f"a {type(item).__name__} cannot travel over the wire")
        return extend(keep(item))

    try:
        body = msgpack.packb(value, default=extend, strict_types=True)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WireError(f"the value cannot travel over the wire: {error}") from error
    if len(body) > MAX_FRAME:
        raise WireError(f"the value takes {len(body) >> 20} MB; at most {MAX_FRAME >> 20} MB travel")
    return body


def _tensor(item: torch.Tensor, keep: Callable[[Any], Handle] | None) -> Any:
    plain = item.detach()
    if plain.layout != torch.strided or str(plain.dtype).removeprefix("torch.") not in DTYPES:
        if keep is None:
            raise WireError(f"a tensor of {plain.dtype}, {plain.layout} cannot travel over the wire")
        handle = keep(item)
        return msgpack.ExtType(HANDLE, msgpack.packb([handle.number, handle.kind]))
    return msgpack.ExtType(TENSOR, _raw(plain))


def _raw(tensor: torch.Tensor) -> bytes:
    dtype = str(tensor.dtype).removeprefix("torch.")
    flat = tensor.cpu().contiguous().resolve_conj().resolve_neg().reshape(-1)
    return msgpack.packb([dtype, list(tensor.shape), flat.view(torch.uint8).numpy().tobytes()])


def decode(body: bytes, resolve: Callable[[Handle], Any] | None = None) -> Any:
    """Return the value of a msgpack body: tensors as torch tensors, numpy's arrays as arrays, handles resolved.

    Raises WireError for anything that `encode` would not have written.
    """

    def extended(code: int, data: bytes) -> Any:
        if code in (TENSOR, ARRAY):
            tensor = _tensor_of(_unpack(data))
            return tensor if code == TENSOR else tensor.numpy()
        if code == HANDLE:
            match _unpack(data):
                case [int(number), str(kind)]:
                    handle = Handle(number, kind[:100])
                    return resolve(handle) if resolve else handle
        raise WireError("the frame holds an unknown extension")

    if len(body) > MAX_FRAME:
        raise WireError(f"the frame is larger than {MAX_FRAME >> 20} MB")
    value = _unpack(body, ext_hook=extended)
    _require_shallow(value, MAX_DEPTH)
    return value


def _unpack(body: bytes, **options: Any) -> Any:
    try:
        return msgpack.unpackb(
            body, strict_map_key=True, raw=False, max_array_len=MAX_LIST, max_map_len=MAX_LIST, **options
        )
    except WireError:
        raise
    except Exception as error:  # msgpack raises a dozen kinds, some of them plain ValueError
        raise WireError(f"the frame is malformed ({type(error).__name__})") from error


def _tensor_of(parts: Any) -> torch.Tensor:
    match parts:
        case [str(name), list(shape), bytes(raw)] if name in DTYPES and len(shape) <= MAX_DIMENSIONS:
            sizes_are_sound = all(type(size) is int and 0 <= size <= MAX_FRAME for size in shape)
            dtype = DTYPES[name]
            if sizes_are_sound and math.prod(shape) * dtype.itemsize == len(raw):
                if not raw:
                    return torch.empty(shape, dtype=dtype)
                if dtype is torch.bool and any(byte > 1 for byte in set(raw)):
                    raise WireError("the frame holds a malformed tensor")
                return torch.frombuffer(bytearray(raw), dtype=dtype).reshape(shape)
    raise WireError("the frame holds a malformed tensor")


def _require_shallow(value: Any, depth: int) -> None:
    if depth == 0:
        raise WireError(f"the frame is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _require_shallow(item, depth - 1)


def send(connection: socket.socket, body: bytes) -> None:
    """Send one frame. Raises WireError where the other side is gone or does not read in time."""
    try:
        connection.sendall(LENGTH.pack(len(body)) + body)
    except OSError as error:
        raise WireError(f"the connection broke while sending ({type(error).__name__})") from error


def receive(connection: socket.socket, deadline: float | None = None) -> bytes | None:
    """Return the body of the next frame, or None where the other side closed between two frames.

    `deadline` is a time.monotonic() value for the whole frame, so that a slow sender cannot stretch it.
    Raises WireError for an oversized, cut off or late frame.
    """
    header = _receive_exactly(connection, LENGTH.size, deadline)
    if header is None:
        return None
    (length,) = LENGTH.unpack(header)
    if length > MAX_FRAME:
        raise WireError(f"the frame is larger than {MAX_FRAME >> 20} MB")
    body = _receive_exactly(connection, length, deadline)
    if body is None and length:
        raise WireError("the connection broke within a frame")
    return body or b""


def _receive_exactly(connection: socket.socket, count: int, deadline: float | None) -> bytes | None:
    received = bytearray()
    while len(received) < count:
        try:
            if deadline is not None:
                connection.settimeout(max(deadline - time.monotonic(), 1e-3))
            part = connection.recv(min(count - len(received), 1 << 20))
        except TimeoutError as error:
            raise WireError("the frame came too late") from error
        except OSError as error:
            raise WireError(f"the connection broke ({type(error).__name__})") from error
        if not part:
            if received:
                raise WireError("the connection broke within a frame")
            return None
        received += part
    return bytes(received)
