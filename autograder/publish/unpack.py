"""What a file holds beneath its surface: archives, compressed data, packs of Git, base64 and the text of HTML."""

from collections.abc import Iterator
from dataclasses import replace

from autograder.publish.archives import DAMAGED, SORTS
from autograder.publish.parts import Part, Room, UnreadError
from autograder.publish.texts import PLAIN, as_utf8, decoded, without_markup

DEEPEST = 8  # of archives in archives


def opened(content: bytes, name: str) -> Iterator[Part]:
    """The content itself, and all that is in it, one in another. What cannot be read is a part with a problem."""
    return _opened(Part("", name, content), Room(), 0)


def _opened(part: Part, room: Room, depth: int) -> Iterator[Part]:
    yield part
    if part.problem:
        return
    try:
        for inner in _inner(part, room):
            if depth == DEEPEST:
                raise UnreadError(f"holds something packed more than {DEEPEST} deep")
            key = inner.name, inner.content
            if inner.problem or key not in room.seen:
                room.seen.add(key)
                room.take(len(inner.content))
                yield from _opened(replace(inner, inside=part.inside + inner.inside), room, depth + 1)
    except UnreadError as error:
        yield Part(part.inside, part.name, b"", str(error))


def _inner(part: Part, room: Room) -> Iterator[Part]:
    content = part.content
    for opens in SORTS:
        parts = opens(content, room)
        if parts is not None:
            try:
                yield from parts
            except UnreadError:
                raise
            except Exception:  # what a library says of a damaged file may be anything
                raise UnreadError(DAMAGED) from None
            return
    text = as_utf8(content)
    if not part.inside.endswith(PLAIN * 2):  # HTML may be quoted in HTML; more often it is none
        yield from without_markup(part.name, text)
    yield from decoded(text)
