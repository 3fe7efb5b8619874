"""Answers of a class that have more in common than chance, the course and its solution explain: a list for a person to
look at. It is no verdict: a textbook, a tutor or the same idea make answers alike, too.

What two students share is counted in bits: a piece of code or a run of words that `n` of `N` students have weighs
log2((N + 1) / (n - 1)), so that one that only they have weighs most, and one that all have next to nothing. What
release, hints, solution and mark scheme hold, weighs nothing. Each piece is looked up once, and what more than thirty
students share is common ground, so that the work grows with the number of answers and not with that of pairs.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

from nbformat import NotebookNode

from autograder import cells
from autograder.grading.source_text import answer_text, release_text
from autograder.reports.answers import Answers, answers_in
from autograder.reports.html import style, template
from autograder.reports.likeness import Pieces, code_pieces, prose_pieces
from autograder.reports.work import outline
from autograder.results.model import RunResult
from autograder.results.text import plain_text

NAME = "similar.html"
COMMON = 30  # students; what more share points at nobody
MOST_PAIRS = 50
MOST_EXERCISES = 3  # of a pair, side by side
LEAST = 20.0  # bits: less than a few rare pieces


class Whose(NamedTuple):
    """A student of a run; `run` numbers the folders that were given, from 0."""

    run: int
    student: str


@dataclass(frozen=True)
class Shared:
    """What two answers to one exercise share: `bits`, and the lines, from 1, of either text in which it stands."""

    exercise: str
    bits: float
    texts: tuple[str, str]
    lines: tuple[frozenset[int], frozenset[int]]


@dataclass(frozen=True)
class Pair:
    """Two students, by what their answers share in all; `shared` has the exercises of which they share most."""

    one: Whose
    other: Whose
    bits: float
    exercises: int
    shared: list[Shared] = field(default_factory=list)


class Similarity:
    """Collects the answers of students, one after the other, and ranks pairs of them. Keeps a number for each piece of
    an answer, and no text."""

    def __init__(self, source: NotebookNode) -> None:
        self._outline = outline(source)
        self._given = _given(source)
        # By exercise and piece whose it is: a number while it is one student's, as most are.
        self._owners: dict[str, dict[int, int | list[int]]] = defaultdict(dict)
        self._who: list[Whose] = []

    def note(self, whose: Whose, answers: Answers) -> None:
        """Take in the answers of one student."""
        number = len(self._who)
        self._who.append(whose)
        for exercise, pieces in self._pieces(answers):
            known = self._owners[exercise]
            for piece in pieces:
                owners = known.setdefault(piece, number)
                if isinstance(owners, list):
                    if len(owners) <= COMMON:  # one more than counts is enough to know
                        owners.append(number)
                elif owners != number:
                    known[piece] = [owners, number]

    def pairs(self, most: int = MOST_PAIRS) -> list[Pair]:
        """The pairs that share most, without what they share; a pair has one of the first run at least."""
        bits: dict[tuple[int, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for exercise, known in self._owners.items():
            for owners in known.values():
                if weight := self._weight(owners):
                    for one, other in combinations(owners if isinstance(owners, list) else (), 2):
                        bits[one, other][exercise] += weight
        found = []
        for (one, other), shared in bits.items():
            total = sum(shared.values())
            if total >= LEAST and 0 in (self._who[one].run, self._who[other].run):
                found.append(Pair(self._who[one], self._who[other], total, len(shared)))
        return sorted(found, key=lambda pair: (-pair.bits, pair.one, pair.other))[:most]

    def compared(self, pair: Pair, one: Answers, other: Answers) -> Pair:
        """The pair, with what it shares in the exercises of which it shares most; `one` and `other` are the answers."""
        ours, theirs = dict(self._pieces(one)), dict(self._pieces(other))
        shared = []
        for exercise in ours.keys() & theirs.keys():
            both = ours[exercise].keys() & theirs[exercise].keys()
            weights = {piece: self._weight(self._owners[exercise].get(piece, 0)) for piece in both}
            rare = [piece for piece, weight in weights.items() if weight]
            if rare:
                bits = sum(weights.values())
                lines = [frozenset(pieces[exercise][piece] for piece in rare) for pieces in (ours, theirs)]
                texts = [_text(answers, exercise) for answers in (one, other)]
                shared.append(Shared(exercise, bits, (texts[0], texts[1]), (lines[0], lines[1])))
        shared.sort(key=lambda item: (-item.bits, item.exercise))
        return Pair(pair.one, pair.other, pair.bits, pair.exercises, shared[:MOST_EXERCISES])

    def answers(self, notebook: Mapping[str, Any]) -> Answers:
        """The answers in a notebook that was restored from the source."""
        return answers_in(notebook, self._outline)

    def _weight(self, owners: int | list[int]) -> float:
        """The bits of a piece that some students share; 0 if they are too many, or one."""
        if isinstance(owners, int) or len(owners) > COMMON:
            return 0.0
        return math.log2((len(self._who) + 1) / (len(owners) - 1))

    def _pieces(self, answers: Answers) -> Iterator[tuple[str, Pieces]]:
        """The pieces of each answer that are the student's own."""
        for exercise, text in (*answers.code.items(), *answers.prose.items()):
            pieces = code_pieces(text) if exercise in answers.code else prose_pieces(plain_text(text, len(text)))
            yield exercise, {piece: line for piece, line in pieces.items() if piece not in self._given}


def _text(answers: Answers, exercise: str) -> str:
    return answers.code.get(exercise) or answers.prose.get(exercise, "")


def _given(source: NotebookNode) -> frozenset[int]:
    """The pieces of all that students get, and of the solution."""
    found: set[int] = set()
    for cell in source.cells:
        for text in {release_text(cell), answer_text(cell)}:
            found.update(_pieces_of(cell, text))
    return frozenset(found)


def _pieces_of(cell: NotebookNode, text: str) -> Iterable[int]:
    if cell.cell_type != "code":
        return prose_pieces(text)
    # A method stands in its class there, and alone among the answers.
    alone = answers_in({"cells": [{**cell, "source": text}]}, outline(NotebookNode(cells=[cell]))).code.values()
    return (
        {piece for part in (text, *alone) for piece in code_pieces(part)} if cells.is_fixme(cell) else code_pieces(text)
    )


def similar_page(
    run: RunResult, source: NotebookNode, pairs: list[Pair], count: int, named: Callable[[Whose], str]
) -> Iterator[str]:
    """The pieces of the page, to be written one after the other. `named` says what a student is called in it."""
    return template("similar.html.jinja").generate(
        title=outline(source).title or run.assignment, pairs=pairs, count=count, named=named, **style()
    )
