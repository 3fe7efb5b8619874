"""Names of students that look alike, so that a person may take one's result for another's."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from autograder.grading.submitted.entries import one_line

MOST_LINES = 10
# Cyrillic and Greek letters, each before the Latin one that it or its capital looks like.
_PAIRS = "аa вb дd еe іi јj кk мm нh оo рp сc ԛq ѕs тt уy хx һh ԝw αa βb εe ζz ηh ιi κk μm νv οo ρp τt υy χx ıi"
_LATIN = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split(" ")})


def lines_on_lookalikes(students: Iterable[str]) -> list[str]:
    """A line on each set of names that look alike: their results stay apart."""
    alike: dict[str, list[str]] = defaultdict(list)
    for student in students:
        alike[_looks(student)].append(student)
    lines = [
        f"{' and '.join(_told_apart(names))}: look alike, and are {len(names)} students; check whose work each is"
        for names in alike.values()
        if len(names) > 1
    ]
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"{more} more names look like others"] if more > 0 else [])]


def _looks(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().translate(_LATIN)


def _told_apart(names: list[str]) -> list[str]:
    """The names, with the scripts of their letters behind if these differ: "ada (Latin)"."""
    scripts = [_scripts(name) for name in names]
    shown = map(one_line, names)
    return [
        f"{name} ({script})" if len(set(scripts)) > 1 else name for name, script in zip(shown, scripts, strict=True)
    ]


def _scripts(name: str) -> str:
    """The scripts of a name's letters, as Unicode calls them."""
    found = {unicodedata.name(letter, "other").partition(" ")[0].capitalize() for letter in name if letter.isalpha()}
    return ", ".join(sorted(found))
