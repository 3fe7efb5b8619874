"""How much work a call does, counted and not timed: lines of Python's own code, whatever else the machine does."""

import sys
from collections.abc import Callable


def steps(work: Callable[[], object]) -> int:
    """How many calls and lines `work` takes; each turn of a loop counts, if it is in one line as well."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        count += event in ("call", "line")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(work: Callable[[int], Callable[[], object]], size: int) -> float:
    """By what the steps grow when the size doubles: about 2 for n and n log n, 4 for n². `work(n)` prepares a call."""
    small, large = (steps(work(number)) for number in (size, 2 * size))
    return large / small
