"""How results are worded, and how text that students wrote is made safe to show."""

import re
import unicodedata
from collections.abc import Sequence

from autograder.judge.verdict import Verdict

SYMBOLS: dict[Verdict, str] = {
    "pass": "✓",
    "fail": "✗",
    "error": "!",
    "timeout": "T",
    "oom": "M",
    "crashed": "C",
    "missing": "–",
    "manual": "?",
    "fault": "G",
}
MEANINGS: dict[Verdict, str] = {
    "pass": "right",
    "fail": "wrong answer",
    "error": "raised an exception",
    "timeout": "took too long",
    "oom": "ran out of memory",
    "crashed": "ended the kernel",
    "missing": "not answered",
    "manual": "graded by a person",
    "fault": "not judged: the grader failed",
}

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC: window titles, links
    r"|\x1b[ -/]*[0-~]"
)
# C0 and C1 controls without tab and newline, and the marks that reverse the direction of text.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_BEHIND_NAME = re.compile(r"(?:-[0-9a-f]{16}|_[0-9]{1,20})\Z")
MOST_MARKS = 8  # on one letter: more than any language writes
# All combining marks lie above U+02FF.
_MAY_BE_MARKS = re.compile(rf"[\u0300-\U0010ffff]{{{MOST_MARKS + 1},}}")


def plain_text(text: str, limit: int) -> str:
    """The text without terminal sequences, control characters, heaps of marks and what UTF-8 cannot hold, cut at
    `limit` characters."""
    text = _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _cut(with_few_marks(_SURROGATE.sub("\ufffd", _UNSEEN.sub("", text))), limit)


def one_line(text: str, limit: int = 200) -> str:
    """`plain_text` with every run of white space made one space."""
    # Split first too: some white space is control characters, which plain_text drops.
    return _cut(" ".join(plain_text(" ".join(text.split()), len(text)).split()), limit)


def name_line(name: str, limit: int) -> str:
    """A name as one line. A digest or a number behind it, which tells apart those who are called alike, is not cut."""
    line = one_line(name, len(name))
    behind = _BEHIND_NAME.search(line)
    return _cut(line[: behind.start()], limit - len(behind[0])) + behind[0] if behind else _cut(line, limit)


def with_few_marks(text: str) -> str:
    """The text with at most MOST_MARKS combining marks on a letter; hundreds would cover the lines around it."""
    return _MAY_BE_MARKS.sub(lambda found: _thinned(found[0]), text)


def _thinned(text: str) -> str:
    kept, marks = [], 0
    for character in text:
        category = unicodedata.category(character)
        if category[0] == "M":
            marks += 1
        elif category != "Cf":  # joiners, which do not end a heap
            marks = 0
        if category[0] != "M" or marks <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def number(value: float) -> str:
    """Points as people write them: 2, 2.5, 2.25."""
    return f"{round(value, 2):g}" if abs(value) < 1e5 else f"{value:.0f}"


def and_more(count: int) -> str:
    """What ends a list that is cut: "and 3 more", or nothing if nothing is left out."""
    return f"and {count} more" if count > 0 else ""


def listed(items: Sequence[str], most: int) -> str:
    """The first `most` items, and how many more there are: "ada, bob and 3 more"."""
    more = and_more(len(items) - most)
    return ", ".join(items[:most]) + (f" {more}" if more else "")


def exercise_label(exercise_id: str, assignment: str) -> str:
    """Name of the exercise without the assignment's, as one line."""
    return one_line(exercise_id.removeprefix(f"{assignment}."), 80)
