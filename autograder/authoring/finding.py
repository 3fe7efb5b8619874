"""Which of thousands of lines stand in a text: by their first bytes, which are looked for all at once."""

from collections.abc import Iterable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_START = 8  # bytes, as many as a number of 64 bits has
_CHUNK = 2**20


def found_in(text: str, lines: Iterable[str]) -> set[str]:
    """Those of the lines that stand in the text."""
    whole = text.encode("utf-8", "surrogatepass")
    by_start: dict[int, list[tuple[str, bytes]]] = {}
    found: set[str] = set()
    for line in lines:
        coded = line.encode("utf-8", "surrogatepass")
        if len(coded) >= _START:
            by_start.setdefault(int.from_bytes(coded[:_START], "little"), []).append((line, coded))
        elif coded in whole:
            found.add(line)
    starts = np.array(sorted(by_start), dtype="<u8")
    data = np.frombuffer(whole, dtype=np.uint8)
    for at in range(0, len(data) - _START + 1 if by_start else 0, _CHUNK):
        windows = sliding_window_view(data[at : at + _CHUNK + _START - 1], _START).copy().view("<u8").ravel()
        nearest = np.searchsorted(starts, windows).clip(max=len(starts) - 1)
        for place in np.flatnonzero(starts[nearest] == windows).tolist():
            found.update(line for line, coded in by_start[int(windows[place])] if whole.startswith(coded, at + place))
    return found
