"""X = E[x̄ x̄ᵀ] and X' = E[(x − x̄)(x − x̄)ᵀ] from pairs of views, right on average and alike in both views.

E[x_1 x_2ᵀ] is X, since the two views share nothing but their datum. The usual mistake averages the two views in the
place of x̄, so that half of the noise is taken for signal; others centre, or lose the symmetry, a half or the N.
"""

import torch

from autograder.assignments.simsiam import reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("simsiam.second_moments")
def second_moments(student: Remote, draw: Draw) -> None:
    for count, n_1, dtype in draw.again((7, 3, torch.float64), (4, 5, torch.float32), (1, 2, torch.float32)):
        common = 2 + draw.normal(count, n_1, dtype=dtype)  # a mean that is not 0
        x_1, x_2 = (common + draw.normal(count, n_1, dtype=dtype) for _ in range(2))
        X, X_prime = expect(student(x_1, x_2)).items(2)
        wanted_X, wanted_X_prime = reference.second_moments(x_1, x_2)
        expect(X, "X").close(wanted_X)
        expect(X_prime, "X'").close(wanted_X_prime)
    expect_any_device(student, x_1, x_2, mistake="made_on_the_cpu")


def _cross(x_1, x_2):
    return (x_1.T @ x_2 + x_2.T @ x_1) / (2 * len(x_1))


def _of_all(x_1, x_2):
    return (x_1.T @ x_1 + x_2.T @ x_2) / (2 * len(x_1))


@mistake("The mean of two views is not x̄, the mean of all views: it still holds noise, and X grows by half of X'.")
def mean_of_two_views(x_1, x_2):
    mean, half = (x_1 + x_2) / 2, (x_1 - x_2) / 2
    return mean.T @ mean / len(x_1), half.T @ half / len(x_1)


@mistake("X' is twice what it should be: the difference of two views has the noise of both in it.")
def noise_of_both_views(x_1, x_2):
    return _cross(x_1, x_2), (x_1 - x_2).T @ (x_1 - x_2) / len(x_1)


@mistake("X' is half of what it should be: check that X + X' is the second moment of a single view.")
def noise_counted_by_half(x_1, x_2):
    return _cross(x_1, x_2), (x_1 - x_2).T @ (x_1 - x_2) / (4 * len(x_1))


@mistake("X is not symmetric: neither view comes first, so use each pair both ways round.")
def not_symmetric(x_1, x_2):
    X = x_1.T @ x_2 / len(x_1)
    return X, _of_all(x_1, x_2) - X


@mistake("The mean over the data is taken off: X and X' are second moments, not covariances.")
def centred(x_1, x_2):
    return reference.second_moments(x_1 - x_1.mean(dim=0), x_2 - x_2.mean(dim=0))


@mistake("The sums are not divided by the number of pairs.")
def sums_over_the_pairs(x_1, x_2):
    return tuple(moment * len(x_1) for moment in reference.second_moments(x_1, x_2))


@mistake("The sums are divided by the number of all views: they run over pairs.")
def divided_by_the_number_of_views(x_1, x_2):
    return tuple(moment / 2 for moment in reference.second_moments(x_1, x_2))


@mistake("The sums are divided by N − 1: nothing was estimated before, so each is a plain mean over the pairs.")
def divided_by_one_less(x_1, x_2):
    return tuple(moment * len(x_1) / max(len(x_1) - 1, 1e-6) for moment in reference.second_moments(x_1, x_2))


@mistake("The sums are divided by the number of features, n_1; they run over the N pairs.")
def divided_by_the_number_of_features(x_1, x_2):
    return tuple(moment * len(x_1) / x_1.shape[1] for moment in reference.second_moments(x_1, x_2))


@mistake("The two results are in the other order: X first.")
def noise_first(x_1, x_2):
    return reference.second_moments(x_1, x_2)[::-1]


@mistake("The second result is the second moment of a view, X + X'; X' is what is left of it without X.")
def second_moment_of_a_view(x_1, x_2):
    return _cross(x_1, x_2), _of_all(x_1, x_2)


@mistake("X is the second moment of a view, noise included; the noise cancels if two views are multiplied.")
def noise_in_both_results(x_1, x_2):
    return _of_all(x_1, x_2), _of_all(x_1, x_2) - _cross(x_1, x_2)


@mistake("Only the first view decides about X': treat both alike.")
def noise_of_the_first_view(x_1, x_2):
    X = _cross(x_1, x_2)
    return X, x_1.T @ x_1 / len(x_1) - X


@mistake("X' has the wrong sign: a second moment of noise cannot be negative.")
def negative_noise(x_1, x_2):
    X, X_prime = reference.second_moments(x_1, x_2)
    return X, -X_prime


@mistake("These matrices are of pairs by pairs, (N, N); X and X' are of features by features, (n_1, n_1).")
def pairs_by_pairs(x_1, x_2):
    return tuple(moment * x_1.shape[1] / len(x_1) for moment in reference.second_moments(x_1.T, x_2.T))


@mistake("Only the diagonals are there: different features are correlated as well.")
def diagonals_alone(x_1, x_2):
    return tuple(torch.diag(moment.diagonal()) for moment in reference.second_moments(x_1, x_2))


@mistake("It changes an argument in place: work on a new tensor.")
def changes_its_argument(x_1, x_2):
    found = reference.second_moments(x_1, x_2)
    x_1 -= x_1.mean(dim=0)
    return found


@mistake(SENTENCE)
def made_on_the_cpu(x_1, x_2):
    X = torch.zeros(x_1.shape[1], x_1.shape[1], dtype=x_1.dtype)
    for one, other in zip(x_1, x_2, strict=True):
        X += torch.outer(one, other) + torch.outer(other, one)
    X = X / (2 * len(x_1))
    return X, _of_all(x_1, x_2) - X


@equivalent
def moments_by_cross_products(x_1, x_2):
    X = _cross(x_1, x_2)
    return X, _of_all(x_1, x_2) - X


@equivalent
def moments_by_differences(x_1, x_2):
    product = x_1.mT @ x_2 / x_1.shape[0]
    difference = x_1 - x_2
    return [(product + product.mT) / 2, difference.mT @ difference / (2 * x_1.shape[0])]


@equivalent
def moments_pair_by_pair(x_1, x_2):
    pairs = list(zip(x_1, x_2, strict=True))
    X = sum(torch.outer(a, b) + torch.outer(b, a) for a, b in pairs) / (2 * len(pairs))
    return X, sum(torch.outer(a - b, a - b) for a, b in pairs) / (2 * len(pairs))


@equivalent
def moments_by_einsum_in_one_tensor(x_1, x_2):
    outer = torch.einsum("ni,nj->nij", x_1, x_2).mean(dim=0)
    X = 0.5 * (outer + outer.transpose(0, 1))
    both = torch.cat([x_1, x_2])
    return torch.stack([X, torch.einsum("ni,nj->ij", both, both) / len(both) - X])


HARMLESS = {
    "graph": "Moments are of data, through which nothing is trained.",
    "len(x_1) → len(x_2)": "Both are the number of pairs.",
}
