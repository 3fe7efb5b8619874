"""How alike two texts are, by the words that they have in common in the same order."""

import re
from collections import Counter
from collections.abc import Sequence

MAX_TOKENS = 1_000


def tokens(text: str) -> list[str]:
    """Words and marks of the text, blanks left out, cut off where comparison would become slow."""
    return re.findall(r"\w+|[^\w\s]", text[: 10 * MAX_TOKENS])[:MAX_TOKENS]


def similarity(one: Sequence[str], other: Sequence[str], at_least: float) -> float:
    """Share of tokens that lie in the longest common subsequence, 2 C / (n + m), in [0, 1].

    It is 0 if it is below `at_least` or both are empty. Unlike difflib's ratio it costs the same for every text of
    the same length, so that no text makes it slow.
    """
    total = len(one) + len(other)
    if not total or 2 * min(len(one), len(other)) < at_least * total:
        return 0.0
    ours, theirs = Counter(one), Counter(other)
    if 2 * sum(min(ours[token], theirs[token]) for token in ours.keys() & theirs.keys()) < at_least * total:
        return 0.0
    ratio = 2 * _longest_common_subsequence(one, other) / total
    return ratio if ratio >= at_least else 0.0


def _longest_common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """Its length, a row of the table at a time as the bits of one number.

    Source: Hyyrö (2004), "Bit-parallel LCS-length computation revisited". A bit is 0 where the row grows.
    """
    places: dict[str, int] = {}
    for place, token in enumerate(other):
        places[token] = places.get(token, 0) | 1 << place
    full = (1 << len(other)) - 1
    row = full
    for token in one:
        met = row & places.get(token, 0)
        row = (row + met | row - met) & full
    return len(other) - row.bit_count()
