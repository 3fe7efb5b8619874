"""Tests of what bears the attacks' mark take turns."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone_with_marks() -> Iterator[None]:
    """Marks are looked for on the whole machine: tests in other processes wait until this one's are gone."""
    with (Path(tempfile.gettempdir()) / "fixmelab-test-attacks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
