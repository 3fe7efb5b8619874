"""What students are called in results, and what their files are called: two who differ never share a name."""

import hashlib
import re
import unicodedata

from autograder.results.text import with_few_marks

MOST_CHARACTERS = 90  # nbgrader's tables take 128: a digest, or a platform's number, still fits behind
MOST_BYTES = 200  # of the 255 that file systems allow

_NOT_IN_FILES = frozenset('/\\<>:"|?*[]')
# 64 bits: with fewer, somebody could search for a name that gets the digest of another.
_DIGEST_BEHIND = re.compile(r"-[0-9a-f]{16}\Z")


def student_name(given: str) -> str:
    """A student's name as results show it: one line, which can also be the name of a folder on any system.

    Behind a name that had to be changed or cut stands a digest of the whole.
    """
    name = unicodedata.normalize("NFC", given)
    shown = "".join(c if c.isprintable() and c not in _NOT_IN_FILES else "_" for c in with_few_marks(name))
    return _unmistakable(shown, name)


def file_stem(student: str) -> str:
    """What the files of a student are called, without an ending: for each name another, even if case is ignored.

    Of all spellings that differ in case alone one is kept, logins in small letters and full names with capitals; the
    others have a digest behind.
    """
    name = re.sub(r"[^\w .@+-]", "_", student)
    folded = student.casefold()
    is_usual = student == (folded.title() if " " in student else folded)
    return _unmistakable(name, student, is_usual=is_usual)


def _unmistakable(shown: str, name: str, *, is_usual: bool = True) -> str:
    """What is shown of a name, if that is the whole; else with a digest. What looks like a digest gets one, too."""
    shown = shown[:MOST_CHARACTERS].encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore")
    shown = shown.strip(". ") or "unnamed"
    if shown == name and is_usual and not _DIGEST_BEHIND.search(shown):
        return shown
    return f"{shown}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
