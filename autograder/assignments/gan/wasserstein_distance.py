"""W_1 between two samples of equally many numbers, which the cheapest plan pairs in order.

The commonest mistakes pair the numbers as they come, compare means alone, square the distances, or add them up.
"""

import torch
from torch import Tensor

from autograder.assignments.gan import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gan.wasserstein_distance")
def wasserstein_distance(student: Remote, draw: Draw) -> None:
    for count, dtype in draw.again((7, torch.float32), (1, torch.float32), (4, torch.float64)):
        x_1, x_0 = 3 * draw.normal(count, dtype=dtype), 0.5 * draw.normal(count, dtype=dtype)
        x_0 += x_1.mean() - x_0.mean() + 0.5  # the second lies to the right, but within the first
        wanted = reference.wasserstein_distance(x_1, x_0)
        got = expect(student(x_1, x_0), "the distance")
        got.close(wanted, rtol=1e-4, otherwise=lambda: _told(student, x_1, x_0))  # noqa: B023
        expect(student(x_0, x_1), "the distance the other way round").close(reference.wasserstein_distance(x_0, x_1))
    x_1, x_0 = draw.normal(6), 2 * draw.normal(6) + 1
    x_1[3], x_0[1] = x_1[0], x_0[4]
    got = expect(student(x_1, x_0), "the distance of samples in which a number occurs twice")
    got.close(reference.wasserstein_distance(x_1, x_0), rtol=1e-4, mistake="duplicates_dropped")
    expect_any_device(student, x_1, x_0, mistake="made_on_the_cpu")


def _told(student: Remote, x_1: Tensor, x_0: Tensor) -> str:
    """Which property of a distance between distributions is missing."""
    found = student(x_1, x_0)
    if not common.same(student(x_1.sort().values, x_0.sort().values), found, rtol=1e-5):
        return "follows_the_order"
    if not common.same(student(2 * x_1, 2 * x_0), 2 * found):
        return "not_in_the_units_of_x"
    apart = x_0 + 50
    is_right = common.same(student(x_1, apart), reference.wasserstein_distance(x_1, apart))
    return "right_if_apart" if is_right else "another_average"


@mistake("It changes with the order in which the numbers come; a sample has none. Sort both.", broad=True)
def follows_the_order(x_1, x_0):
    return (x_1.roll(1) - x_0.roll(2)).abs().mean()


@mistake("If all numbers are doubled, W_1 is twice as large; this is not: it is no mean of distances.", broad=True)
def not_in_the_units_of_x(x_1, x_0):
    return _in_order(x_1, x_0).square().mean() / 2


@mistake(
    "Right for samples that lie wholly apart, but not for others: look at the pairs, and at signs that cancel.",
    broad=True,
)
def right_if_apart(x_1, x_0):
    gaps = _in_order(x_1, x_0)
    return torch.maximum(gaps.clamp(min=0).mean(), (-gaps).clamp(min=0).mean())


@mistake("A number that occurs twice in a sample must count twice: sort, and drop none.")
def duplicates_dropped(x_1, x_0):
    x_1, x_0 = x_1.unique(), x_0.unique()
    count = min(len(x_1), len(x_0))
    return (x_1[:count] - x_0[:count]).abs().mean()


@mistake("It is another average than the mean of N distances, of the smallest to the smallest and so on.", broad=True)
def another_average(x_1, x_0):
    return (x_1.median() - x_0.median()).abs()


def _in_order(x_1, x_0):
    return x_1.sort().values - x_0.sort().values


@mistake("The numbers are paired as they come; the cheapest plan pairs them in order.")
def not_sorted(x_1, x_0):
    return (x_1 - x_0).abs().mean()


@mistake("Only one of the two samples is sorted.")
def one_sample_sorted(x_1, x_0):
    return (x_1.sort().values - x_0).abs().mean()


@mistake("The smallest of one sample is paired with the largest of the other, which is the dearest plan.")
def dearest_plan(x_1, x_0):
    return (x_1.sort().values - x_0.sort(descending=True).values).abs().mean()


@mistake("This is the distance of the means; samples with equal means may lie far apart.")
def distance_of_means(x_1, x_0):
    return (x_1.mean() - x_0.mean()).abs()


@mistake("The distances are squared; W_1 is the mean of the distances themselves.")
def distances_squared(x_1, x_0):
    return _in_order(x_1, x_0).square().mean()


@mistake("This is W_2, the root of the mean square; W_1 is the mean of the distances themselves.")
def root_of_the_mean_square(x_1, x_0):
    return _in_order(x_1, x_0).square().mean().sqrt()


@mistake("The distances are added up; each point carries 1/N of the probability, so take their mean.")
def distances_added_up(x_1, x_0):
    return _in_order(x_1, x_0).abs().sum()


@mistake("Signed differences cancel; take their absolute values.")
def signed_differences(x_1, x_0):
    return _in_order(x_1, x_0).mean()


@mistake("This is the mean over all pairs of points; the plan pairs each point with one other.")
def all_pairs(x_1, x_0):
    return (x_1[:, None] - x_0[None, :]).abs().mean()


@mistake("Each point goes to the nearest of the other sample, which may be taken several times; a plan uses each once.")
def nearest_points(x_1, x_0):
    return (x_1[:, None] - x_0[None, :]).abs().min(dim=1).values.mean()


@mistake("This is the largest distance; take the mean.")
def largest_distance(x_1, x_0):
    return _in_order(x_1, x_0).abs().max()


@mistake("The median of the distances is taken; it is their mean.")
def median_distance(x_1, x_0):
    return _in_order(x_1, x_0).abs().median()


@mistake("One distance for each pair is returned; return their mean.")
def distance_of_each_pair(x_1, x_0):
    return _in_order(x_1, x_0).abs()


@mistake(SENTENCE)
def made_on_the_cpu(x_1, x_0):
    weights = torch.full((len(x_1),), 1 / len(x_1), dtype=x_1.dtype)
    return (weights * _in_order(x_1, x_0).abs()).sum()


@equivalent
def by_sorting(x_1, x_0):
    return (torch.sort(x_1).values - torch.sort(x_0)[0]).abs().mean()


@equivalent
def by_order_of_indices(x_1, x_0):
    return torch.nn.functional.l1_loss(x_1[x_1.argsort()], x_0[x_0.argsort()])


@equivalent
def between_distribution_functions(x_1, x_0):
    places = torch.cat([x_1, x_0]).sort().values
    below = [(sample[:, None] <= places[:-1]).to(places.dtype).mean(dim=0) for sample in (x_1, x_0)]
    return ((below[0] - below[1]).abs() * places.diff()).sum()


@equivalent
def between_the_sorted_lists(x_1, x_0):
    pairs = zip(sorted(x_1.tolist()), sorted(x_0.tolist()), strict=True)
    return torch.tensor(sum(abs(a - b) for a, b in pairs) / len(x_1), dtype=x_1.dtype, device=x_1.device)


@equivalent
def largest_first(x_1, x_0):
    return (x_1.topk(len(x_1)).values - x_0.topk(len(x_0)).values).abs().mean()


HARMLESS = {
    "graph": "The distance is looked at, and no gradient of it is asked for.",
    "x_1.sort().values - x_0.sort().values → x_0.sort().values - x_1.sort().values": "Its size is taken.",
    "return (x_1.sort().values - x_0.sort().values).abs().mean() → return (x_1.sort().values - x_0.sort().values).abs().mean().squeeze()": "A number has no side to lose.",
}
