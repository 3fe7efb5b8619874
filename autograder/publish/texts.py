"""Text in another form: HTML as it is read, base64 and hexadecimal."""

import base64
import html
import re
from collections.abc import Iterator

from autograder.publish.parts import Part, name_of

PLAIN = ", without markup"
_MARKUP = re.compile(rb"</[A-Za-z]|&(?:#\w+|[A-Za-z]+);")
_TAG = re.compile(r"<[^<>]*>")
# Runs of letters that may be base64 or hexadecimal, over several lines too: indented, quoted, as strings of Python
# or JSON. The lines of one are equally long but for the last.
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{32,}")
_NEXT_LINE = re.compile(rb"(?:[\s\"',>#*|]|\\[nr]){1,40}([A-Za-z0-9+/_-]+)")
_HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2}){16,}")


def as_utf8(content: bytes) -> bytes:
    """Text that is marked as UTF-16, in UTF-8; all else as it is."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace").encode("utf-8", "replace")
    return content


def without_markup(name: str, content: bytes) -> Iterator[Part]:
    """The text of HTML as it is read: without tags and entities. An exported notebook has tags around every word."""
    if b"\0" not in content and _MARKUP.search(content):
        text = html.unescape(_TAG.sub(_newlines, content.decode("utf-8", "replace")))
        text = text.replace("\\n", "\n").replace('\\"', '"')  # HTML in a notebook's output
        read = text.encode("utf-8", "replace")
        if read != content:
            yield Part(PLAIN, "unknown.md" if name.endswith(".ipynb") else name, read)


def _newlines(tag: re.Match[str]) -> str:
    return "\n" * tag[0].count("\n")


def decoded(content: bytes) -> Iterator[Part]:
    """What stands in base64, or in hexadecimal."""
    end = 0
    for match in _RUN.finditer(content):
        if match.start() < end:
            continue
        run, end = _run(content, match)
        letters = run.translate(bytes.maketrans(b"-_", b"+/"))
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        data = base64.b64decode(letters + b"=" * (-len(letters) % 4))
        yield Part(", in base64", name_of(data), data)
        digits = _HEXADECIMAL.match(run)
        if digits:
            data = bytes.fromhex(digits[0].decode())
            yield Part(", in hexadecimal", name_of(data), data)


def _run(content: bytes, match: re.Match[bytes]) -> tuple[bytes, int]:
    """A run with the lines that follow, and where its last full line ends: a shorter one may belong to another run."""
    lines, end, at = [match[0]], match.end(), match.end()
    while (following := _NEXT_LINE.match(content, at)) and len(following[1]) <= len(match[0]):
        lines.append(following[1])
        at = following.end()
        if len(following[1]) < len(match[0]):
            break
        end = at
    return b"".join(lines), end
