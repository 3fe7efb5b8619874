"""The marked regions of a cell that the student's version leaves out."""

import re
from dataclasses import dataclass

SOLUTION, HIDDEN_TESTS, MARK_SCHEME = KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")

_WORDS = re.compile(rf"(BEGIN|END) ({'|'.join(KINDS)})")
MARKER = re.compile(f"### {_WORDS.pattern}")
_LONE_MARKER = re.compile(rf"\s*{MARKER.pattern}\s*")


@dataclass(frozen=True)
class Region:
    """A region of one kind. `begin` and `end` are the indices of its two marker lines."""

    kind: str
    begin: int
    end: int
    text: str


def regions(source: str) -> list[Region]:
    """The regions of a cell's source, in order.

    Raises ValueError where a marker shares its line with other words, or begins and ends do not pair up.
    """
    found: list[Region] = []
    lines = source.split("\n")
    open_kind, begin = "", 0
    for index, line in enumerate(lines):
        # nbgrader looks for the bare words in any line, so none may stand elsewhere.
        words = _WORDS.search(line)
        if not words:
            continue
        if not _LONE_MARKER.fullmatch(line):
            raise ValueError(f"'{words[0]}' must stand alone on its line, as '### {words[0]}'")
        edge, kind = words.groups()
        if edge == "BEGIN":
            if open_kind:
                raise ValueError(f"BEGIN {kind} stands inside a region of {open_kind} that has not ended")
            open_kind, begin = kind, index
        else:
            if kind != open_kind:
                raise ValueError(f"END {kind} has no BEGIN {kind} above it")
            found.append(Region(kind, begin, index, "\n".join(lines[begin + 1 : index])))
            open_kind = ""
    if open_kind:
        raise ValueError(f"BEGIN {open_kind} has no END {open_kind} below it")
    return found


def visible(source: str) -> str:
    """The cell's source without its regions and their markers."""
    lines = source.split("\n")
    for region in reversed(regions(source)):
        del lines[region.begin : region.end + 1]
    return "\n".join(lines)


def text_in(source: str, kind: str) -> str:
    """The lines in the regions of one kind, or for "" those in none, markers left out.

    It raises nothing: a region without an end goes on to the last line.
    """
    found, inside = [], ""
    for line in source.split("\n"):
        if marker := MARKER.search(line):
            inside = marker[2] if marker[1] == "BEGIN" else ""
        elif inside == kind:
            found.append(line)
    return "\n".join(found)
