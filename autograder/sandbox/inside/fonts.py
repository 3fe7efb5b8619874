"""Has matplotlib list its fonts without reading all of each: for the list, the header of an AFM file is enough, and
nine tenths of the time go into the measures and pairs of letters below it. Whoever opens such a font later reads all.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from matplotlib import _afm

# What reads the parts below the header, and what each gives where there are none.
BELOW: dict[str, tuple[dict[Any, Any], dict[Any, Any]]] = {"_parse_char_metrics": ({}, {}), "_parse_optional": ({}, {})}


@contextlib.contextmanager
def headers_alone() -> Iterator[None]:
    """Within it, AFM files are read down to the end of their headers."""
    readers = {name: getattr(_afm, name) for name in BELOW if hasattr(_afm, name)}
    for name in readers:
        setattr(_afm, name, lambda _, nothing=BELOW[name]: nothing)
    try:
        yield
    finally:
        for name, reader in readers.items():
            setattr(_afm, name, reader)
