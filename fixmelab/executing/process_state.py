"""The state of the whole process on which every computation hangs, and which a notebook may have changed.

Those are torch's default dtype and device, its grad, inference, autocast, anomaly and deterministic modes, the
precision of products and the number of threads; how NumPy meets what is not finite; filters of warnings; the depth of
recursion. Random numbers are seeded for every request.
"""

import contextlib
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import torch
from torch.overrides import _get_current_function_mode_stack  # public functions tell of the innermost mode alone
from torch.utils._device import DeviceContext

# What a process starts with. Of the number of threads, it is what was there when this was imported, or one.
_SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any], Any], ...] = (
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (torch.is_grad_enabled, torch._C._set_grad_enabled, True),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly, False),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode, 0),
    (torch.get_num_threads, torch.set_num_threads, torch.get_num_threads()),
    (lambda: torch.is_autocast_enabled("cpu"), lambda on: torch.set_autocast_enabled("cpu", on), False),
    (numpy.geterr, lambda found: numpy.seterr(**found), numpy.geterr()),
    (sys.getrecursionlimit, sys.setrecursionlimit, sys.getrecursionlimit()),
)


def on_one_thread() -> None:
    """Compute on one thread from now on, also where all is as in a new process. Whoever forks needs that: the threads
    of torch do not survive a fork, and are waited for in vain."""
    global _SETTINGS
    torch.set_num_threads(1)
    _SETTINGS = tuple((read, write, 1 if read is torch.get_num_threads else start) for read, write, start in _SETTINGS)


@contextlib.contextmanager
def put_back() -> Iterator[None]:
    """What is changed inside is afterwards as it was before, but for a default device, which is none afterwards."""
    before = [read() for read, _, _ in _SETTINGS]
    with warnings.catch_warnings():
        try:
            yield
        finally:
            _set(before)


@contextlib.contextmanager
def as_at_the_start() -> Iterator[None]:
    """Inside, all is as in a new process, and afterwards as it was before: see `put_back`."""
    with put_back(), torch.inference_mode(False):
        _set([start for _, _, start in _SETTINGS])
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of torch, NumPy and Python from `seed`; of torch's, as if none had been drawn afterwards.

    To keep the states of the others takes longer than many an answer, and so does what
    torch.manual_seed does for devices that nobody uses.
    """
    before = torch.get_rng_state()
    try:
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        numpy.random.seed(seed % 2**32)
        random.seed(seed)
        yield
    finally:
        torch.set_rng_state(before)


def _set(values: list[Any]) -> None:
    if any(isinstance(mode, DeviceContext) for mode in _get_current_function_mode_stack()):
        torch.set_default_device(None)
    for (read, write, _), value in zip(_SETTINGS, values, strict=True):
        if read() != value:
            write(value)


def own_style() -> contextlib.AbstractContextManager[None]:
    """Inside, figures are drawn in matplotlib's own style. It takes a millisecond: once for a cell, not a request."""
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None:
        return contextlib.nullcontext()
    # As plain maps, since looking up a setting takes matplotlib longer than comparing it, and setting it longer still.
    found, own = (dict(dict.items(style)) for style in (matplotlib.rcParams, matplotlib.rcParamsDefault))
    other = {key: value for key, value in own.items() if key != "backend" and not _is_plainly(found.get(key), value)}
    style: contextlib.AbstractContextManager[None] = matplotlib.rc_context(other)
    return style


def _is_plainly(found: Any, value: Any) -> bool:
    """Whether they are the same text or number. A list, even the same, may be changed in place: a copy is set."""
    return type(found) is type(value) and isinstance(value, str | int | float | None) and found == value
