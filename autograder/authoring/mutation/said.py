"""What a student would be told of a wrong answer, how much that helps, and whether it is true."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from autograder.authoring.proof import SEEDS_OF_OTHERS, seed_of
from autograder.judge.exercise import Exercise
from autograder.judge.judging import judge
from autograder.judge.naming import shared
from autograder.judge.running import run
from autograder.judge.student import in_this_process
from autograder.judge.verdict import Finding
from autograder.judge.what_if import AS_IF, as_if
from autograder.judge.where_wrong import where_wrong

# The kinds of messages, by how much they help. An exercise whose wrong numbers are always told in the same words has
# one output, and then these say nothing of where to look.
NAMED, SLIP, SENTENCE = "named", "told “as if …”", "told by another sentence"
RAISED, WHERE = "told what it raises", "told where"
OUTPUT, NUMBERS = "told which output", "told that numbers are wrong, and no more"
KINDS = (NAMED, SLIP, SENTENCE, RAISED, WHERE, OUTPUT, NUMBERS)
FRESH = range(100, 102)  # seeds on which a claim must hold as well

_WRONG_NUMBERS = re.compile(r".* the right shape, but .* wrong\.")


@dataclass(frozen=True)
class Said:
    """The least helpful message of several seeds: its exercise, its kind and its words; and the first claim in any of
    them that does not hold, if one does not."""

    exercise: str
    kind: str
    message: str
    untrue: str = ""


@dataclass
class Messages:
    """What was said of many wrong answers."""

    kinds: Counter[str] = field(default_factory=Counter)
    untrue: list[str] = field(default_factory=list)
    _numbers: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # by exercise and message: of which answers

    def note(self, said: Said, who: str) -> None:
        if said.kind == OUTPUT:
            self._numbers.setdefault(said.exercise, {}).setdefault(said.message, []).append(who)
        else:
            self.kinds[said.kind] += 1
        if said.untrue:
            self.untrue.append(f"{who}: not true of it: {said.untrue}")

    def counts(self) -> Counter[str]:
        """How many there are of each kind."""
        found = Counter(self.kinds)
        for said in self._numbers.values():
            found[OUTPUT if len(said) > 1 else NUMBERS] += sum(map(len, said.values()))
        return found

    def to_mend(self) -> list[str]:
        """A line for each untrue message, and for each answer of which nothing is said but that numbers are wrong."""
        alone = [who for said in self._numbers.values() if len(said) == 1 for some in said.values() for who in some]
        return [*self.untrue, *(f"{who}: {NUMBERS}" for who in alone)]


def said_of(exercise: Exercise, make: Callable[[], Any]) -> Said:
    """What is said of a wrong answer, which is made anew for each seed, as for each submission.

    A name or a sentence "as if …" is true if the known mistake, or the slip, gives the answer's very numbers on inputs
    that it was not found on; or if the check, which looks for that mistake, finds it there as well. What is said of
    places and kinds of input must be said there as well.
    """
    found = [judge(exercise, in_this_process(make()), seed_of(k, exercise)) for k in range(SEEDS_OF_OTHERS)]
    claims = {(one.mistake or "", one.clue): one.message for one in found if one.mistake or one.clue}
    untrue = (said for (name, clue), said in claims.items() if not _is_true(exercise, make, name, clue))
    least = max(found, key=lambda one: KINDS.index(_kind(one)))
    return Said(exercise.id, _kind(least), least.message, next(untrue, ""))


def _kind(finding: Finding) -> str:
    if finding.mistake:
        return NAMED
    if finding.clue:
        return SLIP if finding.clue.startswith(AS_IF) else WHERE
    if finding.verdict != "fail":
        return RAISED
    return OUTPUT if _WRONG_NUMBERS.fullmatch(finding.message) else SENTENCE


def _is_true(exercise: Exercise, make: Callable[[], Any], name: str, clue: str) -> bool:
    """Whether a name, or else a clue, is right wherever anything is wrong on fresh inputs."""
    least = 0.0 if name else 1.0
    parameters = exercise.solution.parameters if exercise.solution else ()
    for seed in (seed_of(k, exercise) for k in FRESH):
        answered = run(exercise, in_this_process(make()), seed, goes_on=True)
        if answered.finding.verdict == "pass" or (name and answered.finding.mistake == name):
            continue
        shares = (shared(exercise, other, seed, answered) for other in _claimed(exercise, name, clue))
        if not any(share > 0 and share >= least for share in shares) and (
            name or where_wrong(answered, parameters) != clue
        ):
            return False
    return True


def _claimed(exercise: Exercise, name: str, clue: str) -> Iterator[Any]:
    """The known mistakes of a name, or else the slips that a clue speaks of."""
    if name:
        yield from (item.answer for item in exercise.mistakes if item.name == name)
    elif exercise.solution:
        yield from (slip for words, slip in exercise.solution.answers(exercise.name) if as_if(words) == clue)
