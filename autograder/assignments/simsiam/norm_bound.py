"""‖W(t)‖ ≤ e^{−λ_0 t} ‖W(0)‖, the upper bound without stop-gradient, λ_0 the smallest eigenvalue of H.

Compared at uneven times. The commonest slips are the bound of the squared norm, a bound that grows, and one without the
start; a circulating hint states an equality.
"""

import math

import torch

from autograder.assignments.simsiam import reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("simsiam.norm_bound")
def norm_bound(student: Remote, draw: Draw) -> None:
    for count, dtype in draw.again((6, torch.float64), (1, torch.float32), (9, torch.float32)):
        norm_0, smallest = (float(draw.positive(1)[0]) for _ in range(2))
        times = torch.cat([torch.zeros(1, dtype=dtype), draw.uniform(0.1, 3, count, dtype=dtype)])
        expect(student(norm_0, smallest, times)).close(reference.norm_bound(norm_0, smallest, times))
        later = times[1:] + 0.1  # without the start
        expect(student(norm_0, smallest, later)).close(reference.norm_bound(norm_0, smallest, later))
    expect_any_device(student, norm_0, smallest, times, mistake="made_on_the_cpu")


@mistake("This bounds the squared norm: its rate is twice that of the norm.")
def rate_of_the_square(norm_0, H_smallest, times):
    return norm_0 * torch.exp(-2 * H_smallest * times)


@mistake("The rate is half of what it should be: the norm itself shrinks by λ_0, its square by twice as much.")
def half_the_rate(norm_0, H_smallest, times):
    return norm_0 * torch.exp(-H_smallest * times / 2)


@mistake("This is the bound of the squared norm, with the squared start; the norm itself is asked for.")
def square_of_the_bound(norm_0, H_smallest, times):
    return reference.norm_bound(norm_0, H_smallest, times) ** 2


@mistake("The bound grows: with vec(Ẇ) = −H vec(W) every direction shrinks.")
def growing(norm_0, H_smallest, times):
    return norm_0 * torch.exp(H_smallest * times)


@mistake("At t = 0 the bound must be the norm at the start; the factor norm_0 is missing.")
def without_the_start(norm_0, H_smallest, times):
    return torch.exp(-H_smallest * times)


@mistake("The start stands in the exponent; it multiplies the exponential.")
def start_in_the_exponent(norm_0, H_smallest, times):
    return torch.exp(-norm_0 * H_smallest * times)


@mistake("This is a tangent at t = 0, below the bound soon and below 0 later; solve the differential equation.")
def tangent_at_the_start(norm_0, H_smallest, times):
    return norm_0 * (1 - H_smallest * times)


@mistake("Each step is multiplied onto the one before: times are counted from 0, not from each other.")
def times_added_up(norm_0, H_smallest, times):
    return norm_0 * torch.exp(-H_smallest * times.cumsum(dim=0))


@mistake("The places of the times stand for the times: use t itself, not 0, 1, 2, ….")
def places_for_times(norm_0, H_smallest, times):
    return reference.norm_bound(norm_0, H_smallest, torch.arange(len(times)).to(times))


@mistake("Time is counted from the first of the times; norm_0 is ‖W(0)‖, and 0 need not be among them.")
def counted_from_the_first_time(norm_0, H_smallest, times):
    return reference.norm_bound(norm_0, H_smallest, times - times[0])


@mistake("The eigenvalue enters as its root; it is a rate already.")
def root_of_the_eigenvalue(norm_0, H_smallest, times):
    return norm_0 * torch.exp(-math.sqrt(H_smallest) * times)


@mistake("The eigenvalue enters squared; it is a rate already.")
def square_of_the_eigenvalue(norm_0, H_smallest, times):
    return norm_0 * torch.exp(-(H_smallest**2) * times)


@mistake("A power of 2 stands for the exponential.")
def power_of_two(norm_0, H_smallest, times):
    return norm_0 * 2 ** (-H_smallest * times)


@mistake("One number comes back; there is a bound for each time.")
def at_the_last_time(norm_0, H_smallest, times):
    return reference.norm_bound(norm_0, H_smallest, times)[-1]


@mistake(SENTENCE)
def made_on_the_cpu(norm_0, H_smallest, times):
    return torch.tensor([norm_0 * math.exp(-H_smallest * float(t)) for t in times], dtype=times.dtype)


@equivalent
def bound_by_formula(norm_0, H_smallest, times):
    return norm_0 * torch.exp(-H_smallest * times)


@equivalent
def bound_time_by_time(norm_0, H_smallest, times):
    return torch.stack([norm_0 * math.exp(-H_smallest) ** t for t in times])


@equivalent
def bound_through_logarithms(norm_0, H_smallest, times):
    return (math.log(norm_0) - H_smallest * times).exp()


HARMLESS = {
    "graph": "A bound is looked at, and nothing is differentiated through it.",
}
