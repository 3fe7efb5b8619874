"""What a file holds one layer down, or why that cannot be read."""

from dataclasses import dataclass

MOST_UNPACKED = 256 * 2**20  # bytes that a file may hold, all that is packed in it together


@dataclass(frozen=True)
class Part:
    """`inside` says how it is wrapped, "" for the file itself; `name` is a path that tells what sort of text it is.

    `problem` says why the part, or something in it, could not be read.
    """

    inside: str
    name: str
    content: bytes
    problem: str = ""


class UnreadError(Exception):
    """Why something cannot be read to its end."""


class Room:
    """Counts what is unpacked, so that a small file cannot fill the memory."""

    def __init__(self) -> None:
        self.left = MOST_UNPACKED
        self.seen: set[tuple[str, bytes]] = set()

    def take(self, size: int) -> None:
        """Raises UnreadError if there is no room for `size` bytes more."""
        self.left -= size
        if self.left < 0:
            raise UnreadError(f"holds more than {MOST_UNPACKED // 2**20} MB unpacked")


def name_of(content: bytes) -> str:
    """A path for what no path is known of: it may be code or a notebook."""
    return "unknown.ipynb" if content.lstrip()[:1] == b"{" else "unknown.py"
