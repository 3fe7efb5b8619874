"""An exercise is judged again if it leans on others that are not right, with the course's answers in their place.

A mistake costs the points of its own exercise and of no other.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograder.judge.uses import seen_in_tests
from autograder.judge.verdict import Finding, followed_by

# What may come of another answer. Whatever else was found is the exercise's own.
FOLLOWS = frozenset(("fail", "error", "timeout", "oom", "crashed"))


@dataclass(frozen=True)
class Leaning:
    """The exercises that an answer uses and that are not right, and those that its visible tests use alone."""

    borrows: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


def leaning(tests: Any, uses: Mapping[str, Sequence[str]], name: str, passed: Collection[str]) -> Leaning:
    """On what an exercise leans, by its test cell, by what uses what and by the exercises that have passed."""
    order = list(uses)
    wrong = [other for other in order[: order.index(name)] if other not in passed]
    borrows = tuple(other for other in wrong if other in uses[name])
    seen = seen_in_tests(tests, set(wrong)) - set(borrows)
    return Leaning(borrows, tuple(other for other in wrong if other in seen))


def may_lean(finding: Finding) -> bool:
    """Whether what was found on an exercise may hang on what was found on others."""
    return finding.borrowed or finding.verdict in FOLLOWS


def seed_again(seed: bytes) -> bytes:
    """The seed of the second judging: its inputs are no longer known."""
    return hashlib.sha256(b"judged again" + seed).digest()


def second(first: Finding, again: Finding | None, leans: Leaning, *, is_visible: bool) -> Finding:
    """What is found in the end, from what was found first and when an exercise was judged again by its hidden tests.

    `is_visible` says that at first a visible test failed. If the check itself fails now, that is what is found, since
    nobody knows what the answer would have earned. An exercise passes if it is right with what was lent, or if only a
    visible test that uses another answer was against it, be it by way of the exercise's own. Otherwise, of what its
    parts earned the first time and the second, the better counts.
    """
    if again is None:
        return first
    if again.verdict == "fault":
        return again
    if again.verdict == "pass":
        if again.borrowed:
            return Finding("pass", right_without(leans.borrows), borrowed=True)
        seen = leans.seen or (leans.borrows if is_visible else ())
        return Finding("pass", right_but_for_tests(seen), borrowed=True) if seen else first
    if again.earned < first.earned:
        return first
    if again.borrowed and (again.verdict == "fail" or again.earned > first.earned):
        return again
    if is_visible:  # the hidden tests say more of what a visible one has shown
        message = followed_by(first.message, again.clue) if again.clue else first.message
        message = again.message if again.mistake is not None else message
        return replace(first, message=message, mistake=again.mistake, earned=again.earned, credit=again.credit)
    return first


def right_without(names: Sequence[str]) -> str:
    """What a student reads who was lent the answers to these exercises, or whose answer was judged by what is left.

    Theirs need not be wrong: one may need a GPU, or its check may have failed.
    """
    return f"Right: judged without your {_not_passed(names)}"


def right_but_for_tests(names: Sequence[str]) -> str:
    """What a student reads whose visible tests use their answers to these exercises."""
    return f"Right: its visible tests use your {_not_passed(names)}"


def _not_passed(names: Sequence[str]) -> str:
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{listed}, which {'has' if len(names) == 1 else 'have'} not passed."
