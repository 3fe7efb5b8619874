"""log p(tags given w) of a globally normalised tagger.

Taggings of short and long sentences, scores of hundreds, and gradients. Mistakes forget or double log Z, pick scores of
wrong entries, average over words or return a loss.
"""

import math

import torch

from autograder.assignments.foundations import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote

SIZES = (
    (4, 4, torch.float64),
    (5, 4, torch.float64),
    (6, 3, torch.float32),
    (1, 3, torch.float64),
    (4, 1, torch.float64),
)  # words, tags


@exercise("foundations.tag_log_probability")
def tag_log_probability(student: Remote, draw: Draw) -> None:
    for words, tags, dtype in SIZES:
        scores, chosen = common.log_scores(draw, words, tags, dtype), _tags(draw, words, tags)
        wanted = reference.tag_log_probability(scores, chosen)
        expect(student(scores, chosen), "log p").close(wanted, otherwise=lambda: _kind(student, draw))
    scores, chosen = common.log_scores(draw, 4, 3, torch.float64), _tags(draw, 4, 3)
    gradients = student.gradient(scores, chosen, wrt=[0])
    common.expect_gradients(gradients, [scores, chosen], reference.tag_log_probability, "log_scores")
    far = scores + torch.tensor([[900.0], [-1000.0], [400.0], [0.0]]).double()
    wanted = reference.tag_log_probability(far, chosen)
    expect(student(far, chosen), "log p for very large and very small scores").close(wanted, atol=1e-4)
    scores[torch.arange(4), (chosen + 1) % 3] = -math.inf
    wanted = reference.tag_log_probability(scores, chosen)
    expect(student(scores, chosen), "log p beside impossible tags").close(wanted)
    unlikely = torch.tensor([[0.0, 50.0]]).double() + draw.normal(1, 2, dtype=torch.float64)
    wanted = reference.tag_log_probability(unlikely, chosen[:1] * 0)
    expect(student(unlikely, chosen[:1] * 0), "log p of an unlikely tag").close(wanted)
    long, chosen = common.log_scores(draw, 600, 5, torch.float64), _tags(draw, 600, 5)  # p itself is below any float
    expect(student(long, chosen), "log p of a long sentence").close(reference.tag_log_probability(long, chosen))


def _kind(student: Remote, draw: Draw) -> str | None:
    """The broad mistake of an answer whose numbers are wrong."""
    scores, chosen = common.log_scores(draw, 4, 3, torch.float64), _tags(draw, 4, 3)
    cases = {"one_word_wrong": (scores[:1], chosen[:1]), "several_words_wrong": (scores, chosen)}
    return common.first_wrong(student, reference.tag_log_probability, cases)


def _tags(draw: Draw, words: int, tags: int) -> torch.Tensor:
    """A tag for each word, neighbours different, the first and the last tag among them if there is room."""
    start = draw.integer(0, tags)
    return torch.tensor([(start + 2 * word) % tags if tags % 2 else (start + word) % tags for word in range(words)])


def _chosen(log_scores, tags):
    return log_scores.gather(1, tags[:, None])[:, 0]


@mistake("log Z is missing: these are log-scores, which are no log-probabilities yet.")
def without_z(log_scores, tags):
    return _chosen(log_scores, tags).sum()


@mistake("log Z is added; dividing by Z subtracts it.")
def z_added(log_scores, tags):
    return _chosen(log_scores, tags).sum() + reference.log_partition(log_scores)


@mistake("The score is divided by log Z; the logarithm of a quotient is a difference.")
def divided_by_log_z(log_scores, tags):
    return _chosen(log_scores, tags).sum() / reference.log_partition(log_scores)


@mistake("All scores of the table are normalised together; the tags of each word compete with each other alone.")
def normalised_over_the_table(log_scores, tags):
    return _chosen(log_scores, tags).sum() - log_scores.flatten().logsumexp(dim=0)


@normalised_over_the_table.also
def each_word_normalised_over_the_table(log_scores, tags):
    return (_chosen(log_scores, tags) - log_scores.flatten().logsumexp(dim=0)).sum()


@mistake("Z itself is subtracted; the logarithm of a quotient subtracts log Z.")
def z_for_log_z(log_scores, tags):
    return _chosen(log_scores, tags).sum() - reference.log_partition(log_scores).exp()


@mistake("log Z is subtracted once for each word; there is one Z for the sentence.")
def z_for_each_word(log_scores, tags):
    return (_chosen(log_scores, tags) - reference.log_partition(log_scores)).sum()


@mistake("This is the probability; return its logarithm.")
def without_the_logarithm(log_scores, tags):
    return reference.tag_log_probability(log_scores, tags).exp()


@mistake("This is −log p, a loss; return log p itself, which is never positive.")
def a_loss(log_scores, tags):
    return -reference.tag_log_probability(log_scores, tags)


@mistake("The words are averaged; the log-scores of the words add up.")
def averaged_over_words(log_scores, tags):
    return reference.tag_log_probability(log_scores, tags) / len(tags)


@mistake("The log-scores are averaged over words before log Z is subtracted; they add up.")
def scores_averaged(log_scores, tags):
    return _chosen(log_scores, tags).mean() - reference.log_partition(log_scores)


@mistake("There is one number for each word; the tagging of a sentence has one probability.")
def one_for_each_word(log_scores, tags):
    return torch.distributions.Categorical(logits=log_scores).log_prob(tags)


@mistake("log_scores[:, tags] picks every tag for every word; pair word n with tag t_n (an index for each of both).")
def every_tag_for_every_word(log_scores, tags):
    return log_scores[:, tags].sum() - reference.log_partition(log_scores)


@mistake("log_scores[tags] picks whole rows, as if tags were words; pair word n with tag t_n.")
def tags_as_words(log_scores, tags):
    return log_scores[tags.clamp(max=len(log_scores) - 1)].sum() - reference.log_partition(log_scores)


@mistake("The largest score of each word is taken, whatever `tags` says.")
def best_tags(log_scores, tags):
    return log_scores.max(dim=1).values.sum() - reference.log_partition(log_scores)


@mistake("The tags are counted from 1; they are 0 to V − 1.")
def counted_from_one(log_scores, tags):
    return reference.tag_log_probability(log_scores, tags - 1 + (tags == 0) * log_scores.shape[1])


@mistake("The softmax runs over words; the alternatives are the tags of one word.")
def normalised_over_words(log_scores, tags):
    return _chosen(log_scores.log_softmax(dim=0), tags).sum()


@mistake("It leaves the logarithms, and so it overflows or vanishes for large and small scores.")
def without_log_space(log_scores, tags):
    scores = log_scores.exp()
    return (_chosen(scores, tags) / scores.sum(dim=1)).prod().log()


@without_log_space.also
def softmax_before_the_logarithm(log_scores, tags):
    scores = log_scores.exp()
    return _chosen(scores / scores.sum(dim=1, keepdim=True), tags).log().sum()


@mistake("The probabilities of the words are multiplied, and vanish for a long sentence: add up their logarithms.")
def product_of_probabilities(log_scores, tags):
    return _chosen(log_scores.softmax(dim=1), tags).prod().log()


@product_of_probabilities.also
def exponential_of_the_sum(log_scores, tags):
    return (_chosen(log_scores, tags).sum() - reference.log_partition(log_scores)).exp().log()


@mistake(
    "The score of an impossible tag is multiplied by 0, and 0 · (−∞) is NaN: pick the scores, with gather or indices."
)
def masked_by_a_product(log_scores, tags):
    chosen = torch.nn.functional.one_hot(tags, log_scores.shape[1]).to(log_scores.dtype)
    return (chosen * log_scores).sum() - log_scores.logsumexp(dim=1).sum()


@mistake("No gradient reaches log_scores: look for detach, no_grad, item, tolist, float or numpy.")
def detached(log_scores, tags):
    return _chosen(log_scores, tags).sum() - reference.log_partition(log_scores.detach())


@detached.also
def detached_altogether(log_scores, tags):
    return reference.tag_log_probability(log_scores, tags).detach()


@mistake("The indices are exchanged: a row belongs to a word, a column to a tag.")
def indices_exchanged(log_scores, tags):
    return log_scores[tags, torch.arange(len(tags))].sum() - reference.log_partition(log_scores)


@mistake(
    "Something is added in the logarithm, and an unlikely tag is no longer unlikely: use log_softmax or logsumexp."
)
def something_added_in_the_logarithm(log_scores, tags):
    return (_chosen(log_scores.softmax(dim=1), tags) + 1e-9).log().sum()


@mistake("Even for a single word it is wrong: there log p is the log-score of its tag minus log Z.", broad=True)
def one_word_wrong(log_scores, tags):
    return _chosen(log_scores, tags)[:-1].sum() - reference.log_partition(log_scores)


@mistake(
    "For a single word it is right, for several it is wrong: all words count, and Z is that of the sentence.",
    broad=True,
)
def several_words_wrong(log_scores, tags):
    return reference.tag_log_probability(log_scores[:1], tags[:1])


@equivalent
def probability_word_by_word(log_scores, tags):
    return log_scores.log_softmax(dim=-1)[torch.arange(len(tags)), tags].sum()


@equivalent
def probability_by_cross_entropy(log_scores, tags):
    return -torch.nn.functional.cross_entropy(log_scores, tags, reduction="sum")


@equivalent
def probability_by_a_mask(log_scores, tags):
    chosen = torch.arange(log_scores.shape[1], device=tags.device) == tags[:, None]
    return log_scores.masked_fill(~chosen, 0).sum() - log_scores.logsumexp(dim=1).sum()


@equivalent
def probability_by_a_loop(log_scores, tags):
    total = -torch.logsumexp(log_scores, dim=1).sum()
    for n, tag in enumerate(tags.tolist()):
        total = total + log_scores[n, tag]
    return total


HARMLESS = {
    "torch.arange(len(tags), device=tags.device) → torch.arange(len(tags))": "Positions may lie on the CPU, whatever they are positions in.",
    "len(tags) → len(log_scores)": "Both are the number of words.",
    "torch.arange(len(tags), device=tags.device) → torch.arange(len(tags), device=log_scores.device)": "Both lie on one device.",
    "return chosen.sum() - log_partition(log_scores) → return (chosen.sum() - log_partition(log_scores)).squeeze()": "A number has no side to lose.",
}
