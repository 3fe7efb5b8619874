"""Scores to probabilities: cut at 0, plus 1e-9, normalised over the neighbours that exist.

Some rows have only negative scores, some only scores as small as 1e-9, and one has no neighbour. Wrong answers take a
softmax or the sizes of scores, forget or misplace the 1e-9, ignore the mask, or divide by 0.
"""

import torch
from torch.nn import functional

from autograder.assignments.gcn import common, reference
from autograder.assignments.gcn.reference import TINY
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.normalize_scores")
def normalize_scores(student: Remote, draw: Draw) -> None:
    for n, columns, dtype in ((5, 4, torch.float32), (4, 7, torch.float64)):
        scores, found = draw.normal(n, columns, dtype=dtype), common.random_found(draw, n, columns)
        scores[0, 0], scores[3, 0] = 1.5, -0.7
        scores[1, :2] = torch.tensor([0.8, 1.2])  # the second is not found
        negative = -draw.positive(n, columns, dtype=dtype)
        tiny = 1e-9 * draw.positive(n, columns, dtype=dtype)  # as large as what is added
        for label, values in (("", scores), ("where all scores are negative, ", negative), ("", tiny)):
            got = expect(student(values, found), f"{label}q").shape(n, columns).value
            common.expect_a_number_for_nobody(got, 2, "q of a row where nothing is found")
            wanted = reference.normalize_scores(values, found)
            expect(got, f"{label}q").close(wanted, rtol=1e-4)
    expect(student(scores[:1], found[:1]), "q of a single row").close(reference.normalize_scores(scores[:1], found[:1]))
    scores, found = 6 * draw.positive(4, 3).double(), common.random_found(draw, 4, 3)
    weights = draw.normal(4, 3).double()
    (gradient,) = student.gradient(scores, found, wrt=[0], weights=[weights])
    leaf = scores.clone().requires_grad_()
    (wanted,) = torch.autograd.grad((reference.normalize_scores(leaf, found) * weights).sum(), leaf)
    common.expect_gradients([gradient], [wanted], "scores", "gradient_not_a_number")
    expect_any_device(student, scores, found, mistake="made_on_the_cpu")


@mistake("This is a softmax; here scores are cut at 0 and divided by their sum.")
def softmax_of_scores(scores, found):
    return scores.masked_fill(~found, -torch.inf).softmax(dim=1).nan_to_num(0.0)


@mistake("This is a softmax, over all columns; scores are cut at 0 and divided by their sum.")
def softmax_of_all_columns(scores, found):
    return scores.softmax(dim=1) * found


@mistake("Negative scores count with their size; they count as 0.")
def sizes_of_scores(scores, found):
    return common.normalized_rows(scores.abs() + TINY, found)


@mistake("Negative scores stay negative; they count as 0.")
def negative_scores_stay(scores, found):
    return common.normalized_rows(scores + TINY, found)


@mistake("Scores are squeezed by a sigmoid or softplus; they are cut at 0 and otherwise stay.")
def sigmoid_of_scores(scores, found):
    return common.normalized_rows(scores.sigmoid() + TINY, found)


@mistake("Scores are squared; negative ones count as 0, and others stay.")
def squares_of_scores(scores, found):
    return common.normalized_rows(scores**2 + TINY, found)


@mistake("The row's smallest score is taken off; scores are cut at 0.")
def less_the_smallest(scores, found):
    return common.normalized_rows(scores - scores.amin(dim=1, keepdim=True) + TINY, found)


@mistake(
    "Where no score is positive, all of q is 0: add 1e-9 to each score, after it is cut at 0, not to the sum alone."
)
def without_the_epsilon(scores, found):
    return common.normalized_rows(scores.relu(), found)


@mistake("1e-9 is not added to each score: where no score is positive, it divides by 0.")
def zero_over_zero(scores, found):
    q = scores.relu() * found
    return torch.where(found, q / q.sum(dim=1, keepdim=True), 0.0)


@mistake("Scores are raised to at least 1e-9; 1e-9 is added to them after they are cut at 0.")
def raised_to_the_epsilon(scores, found):
    return common.normalized_rows(scores.clamp(min=TINY), found)


@mistake("What is added is larger than 1e-9.")
def larger_epsilon(scores, found):
    return common.normalized_rows(scores.relu() + 1e-3, found)


@mistake("What is added is not 1e-9, but some other small number.")
def other_epsilon(scores, found):
    return common.normalized_rows(scores.relu() + 1e-8, found)


@mistake("1e-9 is added after the mask, so that it is added to what is not found, too: there q must be 0.")
def epsilon_for_the_missing(scores, found):
    positive = scores.relu() * found + TINY
    return positive / positive.sum(dim=1, keepdim=True)


@mistake("`found` is ignored: where it is false, q is 0 and nothing counts in the sum.")
def ignores_found(scores, found):
    return common.normalized_rows(scores.relu() + TINY, torch.ones_like(found))


@mistake("The sum holds columns that are not found: mask before you divide, so that rows sum to 1.")
def masked_too_late(scores, found):
    return common.normalized_rows(scores.relu() + TINY, torch.ones_like(found)) * found


@mistake("`found` is taken for its opposite.")
def found_for_missing(scores, found):
    return reference.normalize_scores(scores, ~found)


@mistake("The columns sum to 1; the rows should: sum with dim=1.")
def columns_sum_to_one(scores, found):
    positive = (scores.relu() + TINY) * found
    return positive / common.or_one(positive.sum(dim=0, keepdim=True))


@mistake("The whole matrix sums to 1; each row should: sum with dim=1, keepdim=True.")
def matrix_sums_to_one(scores, found):
    positive = (scores.relu() + TINY) * found
    return positive / positive.sum()


@mistake("It is not divided by the sum of the row.")
def without_the_sum(scores, found):
    return (scores.relu() + TINY) * found


@mistake("It is divided by the largest of the row; divide by the sum.")
def over_the_largest(scores, found):
    positive = (scores.relu() + TINY) * found
    return positive / common.or_one(positive.amax(dim=1, keepdim=True))


@mistake("NaN in rows where nothing is found: their sum is 0; let q be 0 there.")
def not_a_number_for_isolated_nodes(scores, found):
    positive = (scores.relu() + TINY) * found
    return positive / positive.sum(dim=1, keepdim=True)


@mistake("No gradient reaches the scores: look for detach, no_grad, item or data.")
def detached(scores, found):
    return reference.normalize_scores(scores.detach(), found)


@mistake("It changes the scores in place; the caller still needs them: use torch.where or masked_fill.")
def changes_its_argument(scores, found):
    scores[~found] = -1.0
    return reference.normalize_scores(scores, found)


@mistake("A row where nothing is found is hidden from q, but its gradient is NaN: divide by 1 there.")
def gradient_not_a_number(scores, found):
    positive = (scores.relu() + TINY) * found
    return torch.where(found, positive / positive.sum(dim=1, keepdim=True), 0.0)


@mistake(SENTENCE)
def made_on_the_cpu(scores, found):
    positive = torch.where(found, torch.relu(scores) + TINY, torch.zeros(scores.shape, dtype=scores.dtype))
    totals = positive.sum(dim=1, keepdim=True)
    return positive / torch.where(totals > 0, totals, 1.0)


@equivalent
def with_normalize(scores, found):
    return functional.normalize((functional.relu(scores) + 1e-9).masked_fill(~found, 0), p=1, dim=1, eps=1e-30)


@equivalent
def without_the_empty_rows(scores, found):
    q = torch.zeros_like(scores)
    for i in range(len(scores)):
        if found[i].any():
            kept = scores[i, found[i]].clamp(min=0) + 1e-9
            q[i, found[i]] = kept / kept.sum()
    return q


@equivalent
def normalized_with_nan_to_num(scores, found):
    positive = torch.where(found, torch.maximum(scores, torch.tensor(0.0, dtype=scores.dtype)) + 1e-9, 0)
    return torch.nan_to_num(positive / positive.sum(-1, keepdim=True))


HARMLESS = {
    "torch.zeros_like(scores) → torch.zeros_like(found)": "torch.where makes the dtype of the scores of it.",
}
