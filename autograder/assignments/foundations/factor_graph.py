"""The factor graph of a globally normalised tagger: each word's tag with all that the network had read by then.

Factors may come in any order, as sets, tuples or lists. Mistakes leave words out or read ahead, join tags to each other,
put all into one factor, split a factor, or call the variables otherwise.
"""

from autograder.assignments.foundations import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("foundations.factor_graph")
def factor_graph(student: Remote, draw: Draw) -> None:
    for n in (draw.integer(4, 8), 3, 2, 1):
        found = common.listed(student(n), "factors")
        sets = [_names(factor) for factor in found]
        expect(found).holds(None not in sets, "A factor is no set of names.", "no_sets_of_names")
        factors = {factor for factor in sets if factor is not None}
        alike = n > 1 and len(found) == n and len(factors) == 1
        expect(found).holds(not alike, "All factors are the same set.", "one_set_again_and_again")
        candidates = {
            "tags_alone": tags_alone.answer(n),
            "own_word_alone": own_word_alone.answer(n),
            "whole_sentence": whole_sentence.answer(n),
            "words_before_it": words_before_it.answer(n),
            "words_after_it": words_after_it.answer(n),
            "one_factor_of_all": one_factor_of_all.answer(n),
            "one_factor_of_all_tags": one_factor_of_all_tags.answer(n),
            "split_into_pairs": split_into_pairs.answer(n),
            "neighbouring_tags_too": neighbouring_tags_too.answer(n),
            "earlier_tags_too": earlier_tags_too.answer(n),
            "language_model_too": language_model_too.answer(n),
            "counted_from_zero": counted_from_zero.answer(n),
            "words_alone": words_alone.answer(n),
        }
        wanted = reference.factor_graph(n)
        name = common.name_of(factors, {key: set(map(_names, value)) for key, value in candidates.items()})
        name = name or _what_differs(factors, wanted)
        expect(found).holds(factors == wanted, "Some factors join other variables than they should.", name)
        expect(found).holds(len(found) == n, "Some factors come twice: there is one for each word.", "factors_twice")


def _names(factor: object) -> frozenset[str] | None:
    """The variables that a factor joins."""
    if not isinstance(factor, list | set | frozenset | tuple) or not all(isinstance(name, str) for name in factor):
        return None
    return frozenset(factor)


def _what_differs(factors: set[frozenset[str]], wanted: reference.Factors) -> str | None:
    """The mistake of factors that are like no others: words that are missing, words or tags that are too many."""
    if not frozenset().union(*factors) <= frozenset().union(*wanted):
        return "other_names"
    by_tag = {f"t{len(factor) - 1}": factor for factor in wanted}
    own = {tag: [factor for factor in factors if tag in factor] for tag in by_tag}
    if any(len(factor & by_tag.keys()) > 1 for factor in factors):
        return "other_tags_too"
    if len(factors) != len(wanted) or any(len(found) != 1 for found in own.values()):
        return None
    if all(own[tag][0] <= factor for tag, factor in by_tag.items()):
        return "words_missing"
    return "words_not_read_yet" if all(own[tag][0] >= factor for tag, factor in by_tag.items()) else "other_words"


def _words(first, last):
    return {f"w{k}" for k in range(first, last + 1)}


@mistake("The words are missing: a score depends on what the network has read, and words are variables, too.")
def tags_alone(n):
    return [{f"t{k}"} for k in range(1, n + 1)]


@mistake("Each factor sees its own word alone; the network has read the words before it, too, when it gives the score.")
def own_word_alone(n):
    return [{f"t{k}", f"w{k}"} for k in range(1, n + 1)]


@mistake("Each factor sees the whole sentence; a decoder-only network has not read the later words yet.")
def whole_sentence(n):
    return [{f"t{k}"} | _words(1, n) for k in range(1, n + 1)]


@mistake("A factor lacks its own word: the network gives the scores of word n when it has read w_1 to w_n.")
def words_before_it(n):
    return [{f"t{k}"} | _words(1, k - 1) for k in range(1, n + 1)]


@mistake("The factors see the words that follow; a decoder-only network has read those that come before.")
def words_after_it(n):
    return [{f"t{k}"} | _words(k, n) for k in range(1, n + 1)]


@mistake("This is one factor for everything; the product has one for each word, with one tag in it.")
def one_factor_of_all(n):
    return [{f"t{k}" for k in range(1, n + 1)} | _words(1, n)]


@mistake("There is a factor that joins all tags: Z is a constant for a given sentence, and no factor of the tags.")
def one_factor_of_all_tags(n):
    return [*map(set, reference.factor_graph(n)), {f"t{k}" for k in range(1, n + 1)}]


@mistake("A factor is split into pairs; a score depends on its tag and all of the words together, one square for all.")
def split_into_pairs(n):
    return [{f"t{k}", f"w{j}"} for k in range(1, n + 1) for j in range(1, k + 1)]


@mistake(
    "There are factors between neighbouring tags; in this model each factor holds one tag (section 5 changes that)."
)
def neighbouring_tags_too(n):
    return [*map(set, reference.factor_graph(n)), *({f"t{k}", f"t{k + 1}"} for k in range(1, n))]


@mistake("The factors see earlier tags; the scores come from the words alone.")
def earlier_tags_too(n):
    return [{f"t{j}" for j in range(1, k + 1)} | _words(1, k) for k in range(1, n + 1)]


@mistake("There are other variables than w1, …, wn and t1, …, tn: some are too many, or have other names.")
def other_names(n):
    return [{f"t_{k}"} | {f"w_{j}" for j in range(1, k + 1)} for k in range(1, n + 1)]


@other_names.also
def scores_of_the_next_tag(n):
    return [{f"t{k + 1}"} | _words(1, k) for k in range(1, n + 1)]


@mistake("A factor joins other tags than its own: the score of a word depends on one tag.")
def other_tags_too(n):
    return [{f"t{k}", f"t{max(k - 1, 1)}"} | _words(1, k) for k in range(1, n + 1)]


@mistake("Some factors lack words: by word n, the network has read w_1 to w_n, the first and its own among them.")
def words_missing(n):
    return [{f"t{k}"} | _words(max(k - 1, 1), k) for k in range(1, n + 1)]


@words_missing.also
def the_first_and_its_own(n):
    return [{f"t{k}", "w1", f"w{k}"} for k in range(1, n + 1)]


@mistake("Some factors see words that the network has not read yet when it gives the score.")
def words_not_read_yet(n):
    return [{f"t{k}"} | _words(1, min(k + 1, n)) for k in range(1, n + 1)]


@mistake("Some tags are joined to the wrong words: by word n the network has read w_1 to w_n, and t_n is its tag.")
def other_words(n):
    return [{f"t{n + 1 - k}"} | _words(1, k) for k in range(1, n + 1)]


@mistake("A factor is something else than a set of names of variables: names are text, as w1 or t1.", broad=True)
def no_sets_of_names(n):
    return [[(f"w{j}", f"t{k}") for j in range(1, k + 1)] for k in range(1, n + 1)]


@mistake("All factors are one and the same set, to which every word adds: make a new set for each factor.")
def one_set_again_and_again(n):
    factors, factor = [], set()
    for k in range(1, n + 1):
        factor |= {f"w{k}", f"t{k}"}
        factors.append(factor)
    return factors


@one_set_again_and_again.also
def one_set_that_forgets_tags(n):
    factors, factor = [], set()
    for k in range(1, n + 1):
        factor.discard(f"t{k - 1}")
        factor |= {f"w{k}", f"t{k}"}
        factors.append(factor)
    return factors


@mistake("There are factors for the words themselves; the tagger is a distribution of tags, given the words.")
def language_model_too(n):
    return [*map(set, reference.factor_graph(n)), *(_words(1, k) for k in range(1, n + 1))]


@mistake("The names begin with w0 and t0; they are w1, …, wn and t1, …, tn.")
def counted_from_zero(n):
    return [{f"t{k}"} | {f"w{j}" for j in range(k + 1)} for k in range(n)]


@mistake("The tags are missing: a score is the score of a tag.")
def words_alone(n):
    return [_words(1, k) for k in range(1, n + 1)]


@mistake("Some factors come twice: there is one for each word.")
def factors_twice(n):
    return [*map(set, reference.factor_graph(n)), *map(set, reference.factor_graph(1))]


@mistake("These are pairs of a factor and a variable; return for each factor the set of its variables.")
def lines_for_factors(n):
    return [(k, name) for k, factor in enumerate(map(sorted, factor_graph_as_tuples.answer(n))) for name in factor]


@mistake("This is a map; return a list of sets, one for each factor.")
def a_map(n):
    return {f"s{k}": {f"t{k}"} | _words(1, k) for k in range(1, n + 1)}


@equivalent
def factor_graph_as_tuples(n):
    return [(f"t{k}", *(f"w{j}" for j in range(1, k + 1))) for k in range(1, n + 1)]


@equivalent
def factor_graph_as_a_set_of_sets(n):
    return {frozenset({f"t{k}"} | _words(1, k)) for k in range(1, n + 1)}


@equivalent
def factor_graph_by_growing(n):
    words, factors = set(), []
    for k in range(1, n + 1):
        words = words | {f"w{k}"}
        factors.insert(0, words | {f"t{k}"})
    return factors


HARMLESS = {
    "factor_graph without gradients": "It gives names, which have no gradient.",
    "for … in range(1, k + 1) → list(range(1, k + 1))[::-1]": "A set has no order.",
    "for … in range(1, n + 1) → list(range(1, n + 1))[::-1]": "The order of the factors is free.",
}
