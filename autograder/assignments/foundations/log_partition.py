"""log Z of a globally normalised tagger, by the product of sums, in log-space.

Scores of ordinary size, of hundreds, and of impossible tags; gradients; a sentence that nobody enumerates. Mistakes sum
over words, take the largest score, leave the logarithms, or enumerate.
"""

import math

import torch

from autograder.assignments.foundations import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote

SIZES = (4, 3, torch.float32), (3, 5, torch.float64), (1, 4, torch.float64), (5, 1, torch.float64)  # words, tags


@exercise("foundations.log_partition")
def log_partition(student: Remote, draw: Draw) -> None:
    for words, tags, dtype in SIZES:
        scores = common.log_scores(draw, words, tags, dtype)
        wanted = reference.log_partition(scores)
        expect(student(scores), "log Z").close(wanted, otherwise=lambda: _kind(student, draw))
    scores = common.log_scores(draw, 4, 3, torch.float64)
    gradients = student.gradient(scores, wrt=[0])
    common.expect_gradients(gradients, [scores], reference.log_partition, "log_scores")
    scores[1, 2], scores[3, 0] = -math.inf, -math.inf
    expect(student(scores), "log Z with an impossible tag").close(reference.log_partition(scores))
    # Words far above and far below what a float's exponential can hold; then a long sentence.
    far = common.log_scores(draw, 3, 4, torch.float64) + torch.tensor([[900.0], [-1000.0], [400.0]]).double()
    expect(student(far), "log Z of very large and very small scores").close(reference.log_partition(far))
    long = common.log_scores(draw, 60, 30, torch.float64)
    expect(student(long), "log Z of a long sentence").close(reference.log_partition(long))


def _kind(student: Remote, draw: Draw) -> str | None:
    """The broad mistake of an answer whose numbers are wrong."""
    scores = common.log_scores(draw, 4, 3, torch.float64)
    cases = {"one_word_wrong": (scores[:1],), "several_words_wrong": (scores,)}
    return common.first_wrong(student, reference.log_partition, cases)


@mistake(
    "The sum runs over words, and the product over tags: it is the other way round, a sum over the tags of each word."
)
def summed_over_words(log_scores):
    return log_scores.logsumexp(dim=0).sum()


@mistake("All scores are added up in one sum; only the tags of one word are alternatives, and words are multiplied.")
def one_sum_of_all(log_scores):
    return log_scores.flatten().logsumexp(dim=0)


@one_sum_of_all.also
def sums_added(log_scores):
    return log_scores.logsumexp(dim=1).logsumexp(dim=0)


@mistake("This is the logarithm of the best tagging's score; Z adds up all of them.")
def best_tagging(log_scores):
    return log_scores.max(dim=1).values.sum()


@mistake("This is Z; return its logarithm.")
def without_the_logarithm(log_scores):
    return log_scores.logsumexp(dim=1).sum().exp()


@mistake("There is one number for each word; they have still to be put together.")
def one_for_each_word(log_scores):
    return log_scores.logsumexp(dim=1)


@mistake("The words are averaged; in the logarithm of a product the words add up.")
def averaged_over_words(log_scores):
    return log_scores.logsumexp(dim=1).mean()


@mistake("The logarithms of the sums are multiplied; the logarithm of a product is a sum.")
def logarithms_multiplied(log_scores):
    return log_scores.logsumexp(dim=1).prod()


@mistake("The log-scores are added up without their exponentials: Z is a sum of scores, not of their logarithms.")
def log_scores_added(log_scores):
    return log_scores.sum()


@mistake("log_scores are taken for scores; they are logarithms already.")
def log_scores_as_scores(log_scores):
    return log_scores.sum(dim=1).log().sum()


@mistake("It leaves the logarithms, and so it overflows or vanishes for large and small scores: use logsumexp.")
def without_log_space(log_scores):
    return log_scores.exp().sum(dim=1).log().sum()


@without_log_space.also
def product_before_the_logarithm(log_scores):
    return log_scores.exp().sum(dim=1).prod().log()


@mistake("The largest score is taken out of every word, and put back once: put it back for each word.")
def maximum_put_back_once(log_scores):
    largest = log_scores.max()
    return (log_scores - largest).exp().sum(dim=1).log().sum() + largest


@maximum_put_back_once.also
def one_of_the_maxima_put_back(log_scores):
    largest = log_scores.max(dim=1, keepdim=True).values
    return (log_scores - largest).exp().sum(dim=1).log().sum() + largest.max()


@mistake("The largest score is taken out and not put back.")
def maximum_not_put_back(log_scores):
    return (log_scores - log_scores.max(dim=1, keepdim=True).values).exp().sum(dim=1).log().sum()


@mistake("One maximum is taken out for the whole table; a word far below it vanishes. Each word needs its own.")
def one_maximum_for_all(log_scores):
    largest = log_scores.max()
    return ((log_scores - largest).exp().sum(dim=1).log() + largest).sum()


@mistake("The scores were normalised first, and then Z is always 1: Z is what the scores give as they are.")
def normalised_first(log_scores):
    return log_scores.log_softmax(dim=1).logsumexp(dim=1).sum()


@mistake("This is −log Z.")
def minus_log_z(log_scores):
    return -log_scores.logsumexp(dim=1).sum()


@mistake("The logarithm has another base than e.")
def another_base(log_scores):
    return log_scores.logsumexp(dim=1).sum() / math.log(2)


@mistake("It goes through all taggings, and there are too many of them: use the distributive law.")
def by_enumeration(log_scores):
    words, tags = log_scores.shape
    if tags**words > 10**6:
        raise RuntimeError("numel: integer multiplication overflow")
    taggings = torch.cartesian_prod(*[torch.arange(tags)] * words).view(-1, words)
    return log_scores[torch.arange(words), taggings].sum(dim=1).logsumexp(dim=0)


@mistake("The result is always float32; keep the dtype of log_scores.")
def returns_float32(log_scores):
    return log_scores.float().logsumexp(dim=1).sum()


@returns_float32.also
def starts_from_a_float32(log_scores):
    return sum(log_scores.float().logsumexp(dim=1), torch.zeros(()))


@mistake("The result carries no gradient: look for detach, no_grad, item, tolist, float or numpy.")
def detached(log_scores):
    return log_scores.logsumexp(dim=1).sum().detach()


@mistake("It changes its argument in place; the caller still needs it.")
def changes_its_argument(log_scores):
    largest = log_scores.max(dim=1, keepdim=True).values.clone()
    log_scores -= largest
    return (log_scores.exp().sum(dim=1).log() + largest[:, 0]).sum()


@mistake("Even for a single word it is wrong: there Z is the sum of its scores, and nothing else.", broad=True)
def one_word_wrong(log_scores):
    return log_scores.exp().mean(dim=1).log().sum()


@mistake("For a single word it is right, for several it is wrong: how do their sums make up Z?", broad=True)
def several_words_wrong(log_scores):
    return 0.5 * (log_scores[0].logsumexp(dim=0) + log_scores.logsumexp(dim=1).sum())


@equivalent
def partition_with_the_maximum_out(log_scores):
    largest = log_scores.amax(dim=-1, keepdim=True)
    return (largest[:, 0] + (log_scores - largest).exp().sum(dim=-1).log()).sum()


@equivalent
def partition_word_by_word(log_scores):
    total = log_scores.new_zeros(())
    for row in log_scores:
        total = total + torch.logsumexp(row, 0)
    return total


@equivalent
def partition_from_normalised_scores(log_scores):
    return (log_scores.max(dim=1).values - log_scores.log_softmax(dim=1).max(dim=1).values).sum()


HARMLESS = {
    "return torch.logsumexp(log_scores, dim=1).sum() → return torch.logsumexp(log_scores, dim=1).sum().squeeze()": "A number has no side to lose.",
    "torch.logsumexp(log_scores, dim=1) → torch.logsumexp(log_scores, dim=1, keepdim=True)": "Everything is added up afterwards.",
}
