"""The arcs of a decoder-only language model: from each word to every later one.

The list may be in any order, and a set or a tensor. Mistakes keep the neighbours alone, turn arcs round, draw them both
ways, let a word depend on itself, add nodes, or count words from 1.
"""

import itertools

import numpy
import torch
from torch import Tensor

from autograder.assignments.foundations import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("foundations.language_model_edges")
def language_model_edges(student: Remote, draw: Draw) -> None:
    for n in (draw.integer(6, 10), 4, 3, 2, 1):
        found = common.listed(student(n), "arcs")
        pairs = [_arc(item) for item in found]
        expect(found).holds(None not in pairs, "An arc is no pair of whole numbers.", "no_pairs_of_numbers")
        arcs = {pair for pair in pairs if pair is not None}
        candidates = {
            "turned_round": turned_round.answer(n),
            "both_ways": both_ways.answer(n),
            "itself_too": itself_too.answer(n),
            "neighbours_alone": neighbours_alone.answer(n),
            "from_the_first_alone": from_the_first_alone.answer(n),
            "to_the_last_alone": to_the_last_alone.answer(n),
            "counted_from_one": counted_from_one.answer(n),
            "a_word_too_many": a_word_too_many.answer(n),
            "a_word_too_few": a_word_too_few.answer(n),
            "without_the_neighbour": without_the_neighbour.answer(n),
        }
        wanted = reference.language_model_edges(n)
        name = common.name_of(arcs, {key: set(value) for key, value in candidates.items()})
        name = name or _what_differs(n, arcs, wanted)
        expect(found).holds(arcs == wanted, "Some arcs are missing, or some should not be there.", name)
        expect(found).holds(len(found) == len(wanted), "Some arcs come twice: each stands for one arrow.", "arcs_twice")


def _arc(item: object) -> tuple[int, int] | None:
    """A pair of whole numbers as one."""
    parts = item.tolist() if isinstance(item, Tensor) and item.shape == (2,) else item
    if not isinstance(parts, list) or len(parts) != 2:
        return None
    parent, child = (common.whole_number(part) for part in parts)
    return None if parent is None or child is None else (parent, child)


def _what_differs(n: int, arcs: reference.Arcs, wanted: reference.Arcs) -> str | None:
    """The mistake of arcs that are like no other: those that are missing, or those that are too many."""
    longest = max((child - parent for parent, child in arcs & wanted), default=0)
    if longest > 1 and arcs == {(parent, child) for parent, child in wanted if child - parent <= longest}:
        return "a_few_words_back"
    if arcs > wanted:
        return "arcs_too_many" if all(node in range(n) for arc in arcs for node in arc) else "a_word_too_many"
    return "arcs_missing" if arcs < wanted else None


def _pairs(n):
    return sorted(reference.language_model_edges(n))


@mistake("The arcs point the wrong way: from the word that is known to the word that depends on it, (parent, child).")
def turned_round(n):
    return [(child, parent) for parent, child in _pairs(n)]


@mistake("There is an arc in both directions between two words; a word depends on earlier words alone.")
def both_ways(n):
    return _pairs(n) + [(child, parent) for parent, child in _pairs(n)]


@mistake("A word is its own parent; it depends on the words before it, and not on itself.")
def itself_too(n):
    return _pairs(n) + [(k, k) for k in range(n)]


@mistake("Each word depends on its left neighbour alone: that is a bigram model. A decoder looks at all words before.")
def neighbours_alone(n):
    return [(k, k + 1) for k in range(n - 1)]


@mistake("Each word depends on a few words before it alone; a decoder looks at all of them.")
def a_few_words_back(n):
    return [(parent, child) for parent, child in _pairs(n) if child - parent <= 2]


@a_few_words_back.also
def three_words_back(n):
    return [(k - back, k) for k in range(n) for back in (1, 2, 3) if k >= back]


@mistake("The arc from the word just before is missing: range(k) ends before k by itself.")
def without_the_neighbour(n):
    return [(parent, child) for child in range(n) for parent in range(child - 1)]


@mistake("Some arcs are missing: a word depends on each word before it, the first and the nearest among them.")
def arcs_missing(n):
    return [(parent, child) for parent, child in _pairs(n) if parent]


@mistake("Some arcs should not be there: there is one from an earlier word to a later one, and no other.")
def arcs_too_many(n):
    return [*_pairs(n), (n - 1, 0)]


@mistake("All arcs come from the first word; every earlier word is a parent.")
def from_the_first_alone(n):
    return [(0, k) for k in range(1, n)]


@mistake("All arcs lead to the last word; the words before it have parents, too.")
def to_the_last_alone(n):
    return [(k, n - 1) for k in range(n - 1)]


@mistake("The words are counted from 1: the nodes are 0, …, n − 1.")
def counted_from_one(n):
    return [(parent + 1, child + 1) for parent, child in _pairs(n)]


@mistake("There is a node too many: a node for each word, and none for a start or an end of the sentence.")
def a_word_too_many(n):
    return _pairs(n + 1)


@a_word_too_many.also
def a_start_of_the_sentence(n):
    return _pairs(n) + [(-1, k) for k in range(n)]


@mistake("The last word has no arcs: range(n) ends before n.")
def a_word_too_few(n):
    return _pairs(n - 1)


@mistake("Some arcs come twice: each stands for one arrow.")
def arcs_twice(n):
    return _pairs(n) + _pairs(n)[:1]


@arcs_twice.also
def arcs_of_each_beginning(n):
    return [pair for length in range(n + 1) for pair in _pairs(length)]


@mistake("An arc is something else than a pair (parent, child) of whole numbers.", broad=True)
def no_pairs_of_numbers(n):
    return [(f"w{parent}", f"w{child}") for parent, child in _pairs(n)]


@mistake("These are the parents of each word; return a list of pairs (parent, child), one for each arc.")
def parents_of_each_word(n):
    return [list(range(k)) for k in range(n)]


@parents_of_each_word.also
def an_adjacency_matrix(n):
    return torch.ones(n, n).triu(1)


@mistake("This is how many arcs there are; return the arcs themselves, as pairs (parent, child).")
def how_many(n):
    return n * (n - 1) // 2


@equivalent
def arcs_by_combinations(n):
    return list(itertools.combinations(range(n), 2))


@equivalent
def arcs_as_a_set(n):
    return {(i, j) for j in reversed(range(n)) for i in reversed(range(j))}


@equivalent
def arcs_as_numbers_of_numpy(n):
    return list(zip(*numpy.triu_indices(n, 1), strict=True))


@equivalent
def arcs_as_a_tensor(n):
    return torch.ones(n, n).triu(diagonal=1).nonzero()


@equivalent
def arcs_as_rows_of_indices(n):
    return [[int(i), int(j)] for i, j in torch.triu_indices(n, n, 1).T]


HARMLESS = {
    "language_model_edges without gradients": "It gives pairs of whole numbers, which have no gradient.",
    "for … in range(n) → list(range(n))[1:]": "The first node has no parents.",
    "for … in range(n) → list(range(n))[::-1]": "The order of the arcs is free.",
    "for … in range(child) → list(range(child))[::-1]": "The order of the arcs is free.",
}
