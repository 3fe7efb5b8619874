"""States of the reverse chain at 99, 75, 50, 25 and 0 % of T, from the last forward state, and a figure of them.

A toy whose steps are known shows where the chain started. One handout's code starts from an image already rescaled to
[0, 1]; other mistakes start from a clipped one or at t = T, are a step late, or rescale the states.
"""

import torch

import fixmelab
from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.student import Remote


@exercise("diffusion.plot_backward")
def plot_backward(student: Remote, draw: Draw) -> None:
    for steps, shape in ((120, (2, 3, 4, 4)), (57, (3, 1, 5, 5))):
        toy, own = common.two_drifts(draw, steps)
        x = 3 * draw.normal(*shape)
        right = _backward_states(own, x)
        mistakes = {
            "starts_from_a_rescaled_image": _backward_states(own, (x + 1) / 2),
            "starts_from_a_clipped_image": _backward_states(own, x.clamp(-1, 1)),
            "starts_at_the_very_end": _states_from_the_end(own, x),
            "rescales_the_states": (right + 1) / 2,
            "in_the_other_order": right.flip(0),
            "one_step_late": _states_one_step_late(own, x),
        }
        common.expect_figure(student(toy, x), right, mistakes)
        common.expect_one_chain(toy, _times(own)[0])


def _times(diffusion):
    return reference.steps_at(diffusion.timesteps, (99, 75, 50, 25, 0))


def _backward_states(diffusion, x):
    """The right states of the reverse chain from x."""
    times = _times(diffusion)
    return reference.states_on_the_way(diffusion, x, times[0], times)


def _states_from_the_end(diffusion, x):
    """x taken for x_T."""
    T = diffusion.timesteps
    return reference.states_on_the_way(diffusion, x, T, [T, *_times(diffusion)[1:]])


def _states_one_step_late(diffusion, x):
    times = _times(diffusion)
    return reference.states_on_the_way(diffusion, x, times[0], [max(t - 1, 0) for t in times])


@mistake("The chain starts from an image that was already mapped to [0, 1] for a plot; that is no sample of x_t.")
def starts_from_a_rescaled_image(diffusion, x):
    return common.with_figure(_backward_states(diffusion, (x + 1) / 2))


@mistake("The chain starts from an image that was cut to [−1, 1] for a plot; that is no sample of x_t.")
def starts_from_a_clipped_image(diffusion, x):
    return common.with_figure(_backward_states(diffusion, x.clamp(-1, 1)))


@mistake("The chain starts at t = T, but x is the state at 99 %: the first step back has the index ⌊99 T / 100⌋ − 1.")
def starts_at_the_very_end(diffusion, x):
    return common.with_figure(_states_from_the_end(diffusion, x))


@mistake("The states are mapped to [0, 1]: return them as they are.")
def rescales_the_states(diffusion, x):
    return common.with_figure((_backward_states(diffusion, x) + 1) / 2)


@mistake("The states are in the order of the forward figure; the reverse chain goes from 99 % to 0.")
def in_the_other_order(diffusion, x):
    return common.with_figure(_backward_states(diffusion, x).flip(0))


@mistake("Every state is one step too late: x itself is the state at 99 %, before the first step back.")
def one_step_late(diffusion, x):
    return common.with_figure(_states_one_step_late(diffusion, x))


@equivalent
def backward_in_one_loop(diffusion, x):
    times, states = [99 * diffusion.timesteps // 100], [x]
    wanted = [p * diffusion.timesteps // 100 for p in (75, 50, 25, 0)]
    for t in range(times[0], 0, -1):
        x = diffusion.p_sample(x, torch.full((x.shape[0],), t - 1, dtype=torch.long), t - 1)
        if t - 1 in wanted:
            states.append(x.clone())
    return fixmelab.show_strip(torch.stack(states), ["99 %", "75 %", "50 %", "25 %", "0 %"]), torch.stack(states)
