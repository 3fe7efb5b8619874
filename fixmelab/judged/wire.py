"""What travels between a judge and a student's process: msgpack frames, never pickle.

A frame is a length (4 bytes, big-endian) and a msgpack body. A body carries None, booleans, 64-bit integers,
floats, text, bytes, lists (tuples and sets become lists), maps with text keys, tensors, handles (numbers that stand for
objects which stay in the student's process) and what is lent (numbers that stand for toys which stay with the judge).
Tensors and arrays are extensions: the numbers of the dtype and of the dimensions (a byte each), the sizes (8 bytes
each, big-endian), the raw bytes. A handle is its number (8 bytes) and its type's name; what is lent shows numbers too,
as NAME=NUMBER behind blanks. Whatever is malformed, too large or too deep raises WireError.
"""

import functools
import math
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack  # type: ignore[import-untyped]  # it has no types
import numpy
import torch

MAX_FRAME = 64 * 2**20
MAX_DEPTH = 16
MAX_ITEMS = 100_000
MAX_DIMENSIONS = 8

TENSOR, ARRAY, HANDLE, LENT = 1, 2, 3, 4
MAX_KIND = 100
MAX_REMEMBERED = 2**16  # bytes of a body
LENGTH = struct.Struct(">I")
HANDLE_NUMBER = struct.Struct(">Q")

# First bytes of msgpack's lists, maps, texts and extensions; where an extension's code stands behind them.
LISTS = frozenset([*range(0x90, 0xA0), 0xDC, 0xDD])
MAPS = frozenset([*range(0x80, 0x90), 0xDE, 0xDF])
TEXTS = frozenset([*range(0xA0, 0xC0), 0xD9, 0xDA, 0xDB])
EXTENSIONS = {0xC7: 2, 0xC8: 3, 0xC9: 5} | dict.fromkeys(range(0xD4, 0xD9), 1)

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
# What msgpack carries itself; what derives from it travels as it.
PLAIN: tuple[type[Any], ...] = (int, float, str, list, dict)
NUMBERED = tuple(DTYPES.values())
NUMBERS = {dtype: number for number, dtype in enumerate(NUMBERED)}


class WireError(Exception):
    """A frame that cannot be read or written: malformed, oversized, too deep, too slow or cut off."""


@dataclass(frozen=True)
class Handle:
    """Stands for an object in the student's process; `kind` is the name of its type."""

    number: int
    kind: str


@dataclass(frozen=True)
class Lent:
    """Stands for a toy that stays with the judge; `kind` is the name of its type, `shown` its public numbers."""

    number: int
    kind: str
    shown: dict[str, int]


def is_question(body: bytes) -> bool:
    """Whether a frame from a student's process asks something of a toy: questions are lists, replies are maps."""
    return body[:1] != b"" and body[0] in LISTS


def encode(value: Any, keep: Callable[[Any], "Handle | Lent"] | None = None) -> bytes:
    """Return `value` as a msgpack body.

    What the wire cannot carry is handed to `keep`, which gives a handle for it. Raises WireError without `keep`, and
    for what `decode` would refuse.
    """

    def extend(item: Any) -> Any:
        # strict_types sends every subclass here, so that only plain values reach msgpack.
        if isinstance(item, torch.Tensor):
            return _tensor(item, keep)
        if isinstance(item, bool | numpy.bool_):
            return bool(item)
        if isinstance(item, numpy.generic):
            item = numpy.asarray(item)
        if isinstance(item, numpy.ndarray) and str(item.dtype) in DTYPES:
            return msgpack.ExtType(ARRAY, _raw(torch.from_numpy(numpy.array(item, order="C"))))
        for plain in PLAIN:
            if isinstance(item, plain):
                return plain(item)
        if isinstance(item, tuple):
            return list(item)
        if isinstance(item, set | frozenset):
            return sorted(item, key=_place_in_order)
        if isinstance(item, Handle | Lent):
            return _reference(item)
        if keep is None:
            raise WireError(f"a {type(item).__name__} cannot travel over the wire")
        return extend(keep(item))

    try:
        body = msgpack.packb(value, default=extend, strict_types=True)
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise WireError(f"the value cannot travel over the wire: {error}") from error
    if len(body) > MAX_FRAME:
        raise WireError(f"the value takes {len(body) >> 20} MB; at most {MAX_FRAME >> 20} MB travel")
    _require_modest(body)
    return body


def _place_in_order(item: Any) -> str:
    """By what the items of a set are sorted, the same in every process; sets within it are sorted, too."""
    return repr(sorted(map(_place_in_order, item))) if isinstance(item, set | frozenset) else repr(item)


def _tensor(item: torch.Tensor, keep: "Callable[[Any], Handle | Lent] | None") -> Any:
    plain = item.detach()
    if plain.layout != torch.strided or plain.dtype not in NUMBERS:
        if keep is None:
            raise WireError(f"a tensor of {plain.dtype}, {plain.layout} cannot travel over the wire")
        return _reference(keep(item))
    return msgpack.ExtType(TENSOR, _raw(plain))


@functools.cache
def _head(dimensions: int) -> struct.Struct:
    """What stands before the bytes of a tensor: the numbers of its dtype and dimensions, and its sizes."""
    return struct.Struct(f">BB{dimensions}Q")


def _raw(tensor: torch.Tensor) -> bytes:
    if not _is_modest(tensor.shape, tensor.dtype):
        raise WireError(f"a tensor of shape {tuple(tensor.shape)} cannot travel over the wire")
    whole = tensor.cpu().resolve_neg()
    if whole.dtype is torch.bfloat16:  # NumPy has no such numbers
        whole = whole.view(torch.int16)
    head = _head(tensor.dim()).pack(NUMBERS[tensor.dtype], tensor.dim(), *tensor.shape)
    return b"".join([head, numpy.ascontiguousarray(whole.numpy()).data])


def _reference(item: Handle | Lent) -> msgpack.ExtType:
    number = HANDLE_NUMBER.pack(item.number)
    if isinstance(item, Handle):
        return msgpack.ExtType(HANDLE, number + item.kind[:MAX_KIND].encode(errors="replace"))
    words = [item.kind, *(f"{name}={value}" for name, value in item.shown.items())]
    return msgpack.ExtType(LENT, number + " ".join(words).encode())


def decode(
    body: bytes, resolve: Callable[[Handle], Any] | None = None, borrow: Callable[[Lent], Any] | None = None
) -> Any:
    """Return the value of a msgpack body: tensors as torch tensors, numpy's arrays as arrays, handles resolved.

    `borrow` makes of what is lent what stands for it; without it nothing can be lent. Raises WireError for anything
    else, before memory is taken that is out of proportion to the body.
    """

    def extended(code: int, data: bytes) -> Any:
        if code == HANDLE:
            kind = data[HANDLE_NUMBER.size :].decode()[:MAX_KIND]
            (number,) = HANDLE_NUMBER.unpack_from(data)
            handle = Handle(number, kind)
            return resolve(handle) if resolve else handle
        if code == LENT:
            if borrow is None:
                raise WireError("the frame lends something")
            kind, *shown = data[HANDLE_NUMBER.size :].decode().split(" ")
            pairs = (word.split("=") for word in shown)
            (place,) = HANDLE_NUMBER.unpack_from(data)
            return borrow(Lent(place, kind, {name: int(number) for name, number in pairs}))
        tensor = _tensor_of(data)
        return tensor if code == TENSOR else tensor.numpy()

    if len(body) > MAX_FRAME:
        raise WireError(f"the frame is larger than {MAX_FRAME >> 20} MB")
    try:
        _require_modest(body)
        return msgpack.unpackb(body, ext_hook=extended)
    except WireError:
        raise
    except Exception as error:  # msgpack raises a dozen kinds, some of them plain ValueError
        raise WireError(f"the frame is malformed ({type(error).__name__})") from error


def _require_modest(body: bytes) -> None:
    """Walk over the heads of a body and build nothing: a few bytes can announce lists that would fill the memory.

    The very body that was walked over last, as when it is decoded where it was encoded, is not walked over again.
    """
    global _last
    if body is _last:
        return
    reader = msgpack.Unpacker(read_size=len(body) or 1, max_buffer_size=MAX_FRAME + 1)
    reader.feed(body)
    tell, skip = reader.tell, reader.skip
    around: list[tuple[int, bool]] = []
    lacking, is_map, announced = 1, False, 1
    while lacking or around:
        if not lacking:
            lacking, is_map = around.pop()
            continue
        lacking -= 1
        place = tell()
        head = body[place]
        if is_map and lacking % 2 and head not in TEXTS:
            raise WireError("the keys of a map are not all text")
        if head in LISTS or head in MAPS:
            around.append((lacking, is_map))
            is_map = head in MAPS
            lacking = 2 * reader.read_map_header() if is_map else reader.read_array_header()
            announced += lacking
            if announced > MAX_ITEMS:
                raise WireError(f"lists and maps hold more than {MAX_ITEMS} items in all")
            if len(around) > MAX_DEPTH:
                raise WireError(f"lists and maps are nested deeper than {MAX_DEPTH} levels")
        else:
            skip()
            # msgpack makes times of some, without a word.
            if head in EXTENSIONS and body[place + EXTENSIONS[head]] not in (TENSOR, ARRAY, HANDLE, LENT):
                raise WireError("the frame holds an unknown extension")
    _last = body if len(body) <= MAX_REMEMBERED else b""


_last = b""  # the body that was found modest last


def _is_modest(shape: Sequence[int], dtype: torch.dtype) -> bool:
    """Sizes count even where one of them is 0: what is made from such a tensor may have all the others."""
    extent = math.prod(shape) or math.prod(max(size, 1) for size in shape)
    return len(shape) <= MAX_DIMENSIONS and extent * dtype.itemsize <= MAX_FRAME


def _tensor_of(data: bytes) -> torch.Tensor:
    number, dimensions = data[0], data[1]
    head = _head(dimensions)
    shape = head.unpack_from(data)[2:]
    dtype, raw = NUMBERED[number], memoryview(data)[head.size :]
    if not _is_modest(shape, dtype) or math.prod(shape) * dtype.itemsize != len(raw):
        raise WireError("the frame holds a malformed tensor")
    if not raw:
        return torch.empty(shape, dtype=dtype)
    if dtype is torch.bool and numpy.frombuffer(raw, numpy.uint8).max() > 1:
        raise WireError("the frame holds a malformed tensor")
    return torch.frombuffer(bytearray(raw), dtype=dtype).view(shape)


def framed(body: bytes) -> bytes:
    """A frame: the body behind its length."""
    return LENGTH.pack(len(body)) + body


def send(connection: socket.socket, body: bytes) -> None:
    """Send one frame. Raises WireError if the other side is gone or does not read in time."""
    try:
        connection.sendall(framed(body))
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
