"""How much work a call does, counted and not timed: steps of Python's own code, whatever else the machine does."""

import sys
from collections.abc import Callable


def steps(work: Callable[[], object]) -> int:
    """How many steps of bytecode `work` takes."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
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
