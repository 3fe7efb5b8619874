"""The standard deviation of z / ‖z‖ over the batch, averaged over the channels (Chen & He, 2021, figure 2).

Compared with two moments. Answers forget to normalise, or normalise channels; take the deviation along the channels or
of all numbers; correct by N − 1; or return variances.
"""

import torch
from torch.nn import functional

from autograder.assignments.simsiam import reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("simsiam.output_deviation")
def output_deviation(student: Remote, draw: Draw) -> None:
    for batch, width, dtype in draw.again((6, 3, torch.float64), (5, 8, torch.float32)):
        lengths = draw.positive(batch, 1, dtype=dtype)
        z = lengths * (draw.normal(batch, width, dtype=dtype) + draw.normal(width, dtype=dtype))
        expect(student(z)).close(reference.output_deviation(z))
    collapsed = draw.positive(5, 1) * (1 + draw.positive(1, 4)).expand(5, 4)
    expect(student(collapsed), "the deviation of outputs in one direction").close(torch.zeros(()), atol=1e-3)
    expect_any_device(student, z, mistake="made_on_the_cpu")


def _deviation(z, dim=0):
    return functional.normalize(z, dim=1).std(dim=dim, correction=0)


@mistake("The outputs are not divided by their lengths: a network that shrinks all of them would seem to collapse.")
def lengths_kept(z):
    return z.std(dim=0, correction=0).mean()


@mistake("Channels are normalised over the batch; the vector of each image has length 1, along dimension 1.")
def channels_normalised(z):
    return functional.normalize(z, dim=0).std(dim=0, correction=0).mean()


@mistake("The deviation runs along the channels of an image; it is that of each channel over the images.")
def along_the_channels(z):
    return _deviation(z, dim=1).mean()


@mistake("This is the deviation of all numbers together, which differences between the channels fill even in collapse.")
def of_all_numbers(z):
    return functional.normalize(z, dim=1).std(correction=0)


@mistake("The deviation divides by N − 1; here it is with 1/N (correction=0).")
def corrected_as_a_sample(z):
    return functional.normalize(z, dim=1).std(dim=0).mean()


@mistake("These are variances: take the root of each before you average.")
def variance(z):
    return (_deviation(z) ** 2).mean()


@mistake("The root is taken after the mean over the channels; average deviations, not variances.")
def root_of_the_mean(z):
    return (_deviation(z) ** 2).mean().sqrt()


@mistake("The channels are added up; average them.")
def sum_over_the_channels(z):
    return _deviation(z).sum()


@mistake("There is a deviation for each channel; average them.")
def one_for_each_channel(z):
    return _deviation(z)


@mistake("The mean over the images is taken off before the vectors are normalised: normalise the outputs themselves.")
def centred_first(z):
    return _deviation(z - z.mean(dim=0)).mean()


@mistake("Each vector is divided by its squared length.")
def squared_lengths(z):
    return (z / z.square().sum(dim=1, keepdim=True)).std(dim=0, correction=0).mean()


@mistake("Each vector is divided by the sum of its sizes; the length is the root of the sum of squares.")
def sums_for_lengths(z):
    return (z / z.abs().sum(dim=1, keepdim=True)).std(dim=0, correction=0).mean()


@mistake("The mean is not taken off: a deviation is measured from the mean over the images.")
def root_mean_square(z):
    return functional.normalize(z, dim=1).square().mean(dim=0).sqrt().mean()


@mistake("All outputs are divided by one length; each image has its own.")
def one_length_for_all(z):
    return (z / z.norm() * len(z) ** 0.5).std(dim=0, correction=0).mean()


@mistake(SENTENCE)
def made_on_the_cpu(z):
    unit, weights = functional.normalize(z, dim=1), torch.full((len(z),), 1 / len(z), dtype=z.dtype)
    return (weights @ (unit - weights @ unit) ** 2).sqrt().mean()


@equivalent
def deviation_by_normalize(z):
    return functional.normalize(z, dim=1).std(dim=0, unbiased=False).mean()


@equivalent
def deviation_by_lengths(z):
    unit = z / torch.sqrt((z**2).sum(dim=-1, keepdim=True))
    return torch.sqrt(((unit - unit.mean(dim=0)) ** 2).mean(dim=0)).mean()


@equivalent
def deviation_by_variances(z):
    unit = torch.nn.functional.normalize(z.double(), dim=-1)
    return float(unit.var(dim=0, correction=0).sqrt().mean())


HARMLESS = {
    "graph": "The deviation is looked at, and nothing is trained by it.",
    "return F.normalize(z, dim=1).std(dim=0, correction=0).mean() → return F.normalize(z, dim=1).std(dim=0, correction=0).mean().squeeze()": "A number has no side to lose.",
}
