"""log Z of a linear chain, by the forward algorithm, in log-space.

Sentences of one to forty words, scores of hundreds, impossible pairs, and gradients. Mistakes turn the table of
transitions, use it once too often or too rarely, take the best path, forget scores, or leave the logarithms.
"""

import itertools
import math

import torch
from torch import Tensor

from autograder.assignments.foundations import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote

SIZES = (
    (4, 3, torch.float64),
    (5, 4, torch.float32),
    (2, 3, torch.float64),
    (1, 4, torch.float64),
    (3, 1, torch.float64),
)


@exercise(
    "foundations.chain_log_partition",
    parts={"log Z and its gradients": 2, "impossible pairs and extreme scores": 1},
)
def chain_log_partition(student: Remote, draw: Draw) -> None:
    scores, transitions = common.log_scores(draw, 4, 3, torch.float64), draw.normal(3, 3, dtype=torch.float64)
    with part("log Z and its gradients"):
        for words, tags, dtype in SIZES:
            given = common.log_scores(draw, words, tags, dtype), 1.5 * draw.normal(tags, tags, dtype=dtype)
            wanted = reference.chain_log_partition(*given)
            expect(student(*given), "log Z").close(wanted, otherwise=lambda: _kind(student, draw))
        found = student.gradient(scores, transitions, wrt=[0, 1])
        common.expect_gradients(found, [scores, transitions], reference.chain_log_partition, "log_scores transitions")
        long, table = common.log_scores(draw, 40, 6, torch.float64), draw.normal(6, 6, dtype=torch.float64)
        expect(student(long, table), "log Z of a long sentence").close(reference.chain_log_partition(long, table))
    with part("impossible pairs and extreme scores"):
        _expect_impossible_and_extreme(student, scores, transitions)
    expect_any_device(student, scores, transitions, mistake="made_on_the_cpu")


def _expect_impossible_and_extreme(student: Remote, scores: Tensor, transitions: Tensor) -> None:
    impossible = transitions.clone()
    impossible[0, 1], impossible[2, 0] = -math.inf, -math.inf
    wanted = reference.chain_log_partition(scores, impossible)
    expect(student(scores, impossible), "log Z with impossible pairs").close(wanted)
    impossible[:, 1] = -math.inf  # a tag that can only begin a sentence
    wanted = reference.chain_log_partition(scores, impossible)
    expect(student(scores, impossible), "log Z with a tag that follows none").close(wanted)
    far = scores + torch.tensor([[900.0], [-1000.0], [400.0], [0.0]]).double()
    for shift in (-300, 900):
        wanted = reference.chain_log_partition(far, transitions + shift)
        expect(student(far, transitions + shift), "log Z of very large and very small scores").close(wanted)


def _kind(student: Remote, draw: Draw) -> str | None:
    """The broad mistake of an answer whose numbers are wrong: what is the simplest that it gets wrong?"""
    scores, transitions = common.log_scores(draw, 4, 3, torch.float64), draw.normal(3, 3, dtype=torch.float64)
    cases = {
        "one_word_wrong": (scores[:1], transitions),
        "wrong_without_neighbours": (scores, 0 * transitions),
        "two_words_wrong": (scores[:2], transitions),
        "three_words_wrong": (scores, transitions),
    }
    return common.first_wrong(student, reference.chain_log_partition, cases)


def _forward(log_scores, transitions, combine=torch.logsumexp, last=torch.logsumexp):
    log_alpha = log_scores[0]
    for scores in log_scores[1:]:
        log_alpha = scores + combine(log_alpha[:, None] + transitions, dim=0)
    return last(log_alpha, dim=0)


@mistake("The table of transitions is turned round: row u, column v is the score of v after u.")
def transitions_turned_round(log_scores, transitions):
    return _forward(log_scores, transitions.T)


@mistake("This is the score of the best tagging (the Viterbi algorithm); Z adds up all of them.")
def best_tagging(log_scores, transitions):
    return _forward(log_scores, transitions, torch.amax, torch.amax)


@mistake("The last step takes the best tag; Z adds up all of them.")
def best_last_tag(log_scores, transitions):
    return _forward(log_scores, transitions, last=torch.amax)


@mistake("Each step takes the best tag before, and only the last one adds up: sum in every step, with logsumexp.")
def best_path_to_each_tag(log_scores, transitions):
    return _forward(log_scores, transitions, torch.amax)


@mistake("The transitions are left out: this is Z without neighbours.")
def without_transitions(log_scores, transitions):
    return reference.log_partition(log_scores)


@mistake("There is one transition too many: N words have N − 1 pairs of neighbours, and none before the first word.")
def a_transition_before_the_first(log_scores, transitions):
    first = log_scores[0] + torch.logsumexp(transitions, dim=0)
    return _forward(torch.cat([first[None], log_scores[1:]]), transitions)


@mistake("There is one transition too many: N words have N − 1 pairs of neighbours, and none after the last word.")
def a_transition_after_the_last(log_scores, transitions):
    last = log_scores[-1] + torch.logsumexp(transitions, dim=1)
    return _forward(torch.cat([log_scores[:-1], last[None]]), transitions)


@mistake("The scores of the first word are left out.")
def without_the_first_scores(log_scores, transitions):
    return _forward(torch.cat([0 * log_scores[:1], log_scores[1:]]), transitions)


@mistake("The scores of the first word count twice.")
def first_scores_twice(log_scores, transitions):
    return _forward(torch.cat([2 * log_scores[:1], log_scores[1:]]), transitions)


@mistake("The scores come one word too early: the first word counts twice, and the last one never.")
def scores_one_word_early(log_scores, transitions):
    return _forward(torch.cat([log_scores[:1], log_scores[:-1]]), transitions)


@mistake("Only the first word has its scores; every word multiplies by its own.")
def scores_of_the_first_word_alone(log_scores, transitions):
    return _forward(torch.cat([log_scores[:1], 0 * log_scores[1:]]), transitions)


@mistake("The last word is left out: the loop ends one word early.")
def without_the_last_word(log_scores, transitions):
    return _forward(log_scores[:-1] if len(log_scores) > 1 else log_scores, transitions)


@mistake("The last sum, over the tags of the last word, is missing: Z is one number.")
def without_the_last_sum(log_scores, transitions):
    return _forward(log_scores, transitions, last=lambda log_alpha, dim: log_alpha)


@mistake("The sum runs along the wrong side of the table: sum over u, the tag before, and keep v.")
def summed_over_the_later_tag(log_scores, transitions):
    return _forward(log_scores, transitions, combine=lambda table, dim: torch.logsumexp(table, dim=1))


@mistake("alpha stands along the wrong side of the table: alpha[u] belongs to row u.")
def alpha_along_the_wrong_side(log_scores, transitions):
    log_alpha = log_scores[0]
    for scores in log_scores[1:]:
        log_alpha = scores + torch.logsumexp(log_alpha + transitions, dim=0)
    return torch.logsumexp(log_alpha, dim=0)


@mistake("The scores of a word are added along the wrong side of the table: they belong to v, the later tag.")
def scores_of_the_earlier_tag(log_scores, transitions):
    log_alpha = log_scores[0]
    for scores in log_scores[1:]:
        log_alpha = torch.logsumexp(log_alpha[:, None] + transitions + scores[:, None], dim=0)
    return torch.logsumexp(log_alpha, dim=0)


@mistake("transitions are taken for scores; they are logarithms already.")
def transitions_as_scores(log_scores, transitions):
    return _forward(log_scores, transitions.abs().log())


@mistake("The exponential of transitions is added; a product of scores is a sum of their logarithms.")
def exponential_of_transitions(log_scores, transitions):
    return _forward(log_scores, transitions.exp())


@mistake("The rows of transitions are normalised first; the scores count as they are, and only Z normalises.")
def locally_normalised_transitions(log_scores, transitions):
    return _forward(log_scores, transitions.log_softmax(dim=1))


@mistake("Every step is normalised by itself, and then Z is that of the first word: that is the local model of 5.2.")
def locally_normalised_steps(log_scores, transitions):
    log_alpha = log_scores[0]
    for scores in log_scores[1:]:
        log_alpha = torch.logsumexp(log_alpha[:, None] + (transitions + scores).log_softmax(dim=1), dim=0)
    return torch.logsumexp(log_alpha, dim=0)


@mistake(
    "It leaves the logarithms, and so it overflows or vanishes for large and small scores: use logsumexp.", earns=2
)
def without_log_space(log_scores, transitions):
    alpha = log_scores[0].exp()
    for scores in log_scores[1:]:
        alpha = scores.exp() * (alpha @ transitions.exp())
    return alpha.sum().log()


@without_log_space.also
def transitions_without_log_space(log_scores, transitions):
    log_alpha = log_scores[0]
    for scores in log_scores[1:]:
        largest = log_alpha.max()
        log_alpha = scores + largest + ((log_alpha - largest).exp() @ transitions.exp()).log()
    return torch.logsumexp(log_alpha, dim=0)


@mistake(
    "A tag that can follow none gives −∞ − (−∞), which is NaN: torch.logsumexp knows what to do, or take 0 out there.",
    earns=2,
)
def nan_for_a_tag_that_follows_none(log_scores, transitions):
    log_alpha = log_scores[0]
    for scores in log_scores[1:]:
        table = log_alpha[:, None] + transitions
        largest = table.amax(dim=0)
        log_alpha = scores + largest + (table - largest).exp().sum(dim=0).log()
    return torch.logsumexp(log_alpha, dim=0)


@mistake("This is Z; return its logarithm.")
def without_the_logarithm(log_scores, transitions):
    return reference.chain_log_partition(log_scores, transitions).exp()


@mistake("This is −log Z.")
def minus_log_z(log_scores, transitions):
    return -reference.chain_log_partition(log_scores, transitions)


@mistake("It fails for a sentence of one word, which has no neighbours.", earns=1)
def fails_for_a_single_word(log_scores, transitions):
    if len(log_scores) == 1:
        raise IndexError("index 1 is out of bounds for dimension 0 with size 1")
    return _forward(log_scores, transitions)


@mistake("It goes through all taggings, and there are too many of them: sum from left to right.", earns=1)
def by_enumeration(log_scores, transitions):
    words, tags = log_scores.shape
    if tags**words > 10**6:
        raise RuntimeError("numel: integer multiplication overflow")
    taggings = torch.tensor(list(itertools.product(range(tags), repeat=words)))
    of_pairs = transitions[taggings[:, :-1], taggings[:, 1:]].sum(dim=1)
    return torch.logsumexp(log_scores[torch.arange(words), taggings].sum(dim=1) + of_pairs, dim=0)


@mistake("No gradient reaches one of the arguments: look for detach, no_grad, item, tolist, float or numpy.", earns=1)
def detached(log_scores, transitions):
    return _forward(log_scores, transitions.detach())


@detached.also
def detached_altogether(log_scores, transitions):
    return _forward(log_scores, transitions).detach()


@mistake("It changes an argument in place; the caller still needs it.")
def changes_its_argument(log_scores, transitions):
    for n in range(1, len(log_scores)):
        log_scores[n] += torch.logsumexp(log_scores[n - 1][:, None] + transitions, dim=0)
    return torch.logsumexp(log_scores[-1], dim=0)


@mistake(SENTENCE)
def made_on_the_cpu(log_scores, transitions):
    log_beta = torch.zeros(log_scores.shape[1], dtype=log_scores.dtype)
    for scores in log_scores[1:].flip(0):
        log_beta = torch.logsumexp(transitions + scores + log_beta, dim=1)
    return torch.logsumexp(log_scores[0] + log_beta, dim=0)


@mistake("Even for a single word it is wrong: there Z is the sum of its scores, without a transition.", broad=True)
def one_word_wrong(log_scores, transitions):
    return _forward(torch.cat([log_scores[:1] + transitions[0], log_scores[1:]]), transitions)


@mistake(
    "It is wrong even if every a[u, v] is 1, and then Z is that of section 3: look at the scores and at what is summed.",
    broad=True,
)
def wrong_without_neighbours(log_scores, transitions):
    return _forward(torch.cat([log_scores[:1], 2 * log_scores[1:]]), transitions)


@mistake(
    "Without neighbours it is right, for two words it is wrong: which transition does the sum over u need?", broad=True
)
def two_words_wrong(log_scores, transitions):
    return _forward(log_scores, 2 * transitions)


@mistake("For two words it is right, for longer sentences it is wrong: every step is like the first one.", broad=True)
def three_words_wrong(log_scores, transitions):
    if len(log_scores) < 3:
        return _forward(log_scores, transitions)
    return _forward(log_scores[-2:], transitions) + log_scores[:-2].logsumexp(dim=1).sum()


@equivalent
def chain_from_right_to_left(log_scores, transitions):
    log_beta = torch.zeros_like(log_scores[0])
    for n in range(len(log_scores) - 1, 0, -1):
        log_beta = torch.logsumexp(transitions + (log_scores[n] + log_beta)[None, :], dim=1)
    return torch.logsumexp(log_scores[0] + log_beta, dim=0)


@equivalent
def chain_with_scaled_products(log_scores, transitions):
    largest = log_scores.max(dim=1, keepdim=True).values
    table, scores = transitions.max(), (log_scores - largest).exp()
    alpha, log_z = scores[0], largest.sum() + (len(log_scores) - 1) * table
    for n in range(1, len(scores)):
        alpha = (alpha @ (transitions - table).exp()) * scores[n]
        log_z = log_z + alpha.sum().log()
        alpha = alpha / alpha.sum()
    return log_z + alpha.sum().log()


@equivalent
def chain_tag_by_tag(log_scores, transitions):
    words, tags = log_scores.shape
    alpha = [log_scores[0, v] for v in range(tags)]
    for n in range(1, words):
        before = torch.stack(alpha)
        alpha = [log_scores[n, v] + torch.logsumexp(before + transitions[:, v], dim=0) for v in range(tags)]
    return torch.logsumexp(torch.stack(alpha), dim=0)


@equivalent
def chain_by_doubling(log_scores, transitions):
    steps = [transitions + scores for scores in log_scores[1:]]
    while len(steps) > 1:
        pairs = [torch.logsumexp(a[:, :, None] + b, dim=1) for a, b in zip(steps[::2], steps[1::2], strict=False)]
        steps = pairs + steps[len(steps) - len(steps) % 2 :]
    whole = log_scores[0][:, None] + steps[0] if steps else log_scores[0]
    return torch.logsumexp(whole.flatten(), dim=0)


HARMLESS = {
    "return torch.logsumexp(log_alpha, dim=0) → return torch.logsumexp(log_alpha, dim=0).squeeze()": "A number has no side to lose.",
    "torch.logsumexp(log_alpha, dim=0) → torch.logsumexp(log_alpha, dim=-1)": "The tensor has one dimension.",
}
