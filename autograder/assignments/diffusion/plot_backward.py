"""States of the reverse chain at 99, 75, 50, 25 and 0 % of T, from the last forward state, and a figure of them.

A toy whose steps are known shows where the chain started. One handout's code starts from an image already rescaled to
[0, 1]; other mistakes start from a clipped one or at t = T, are a step late, or rescale the states.
"""

from functools import partial

import torch

import fixmelab
from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.drawing import new_figure
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.student import Remote


@exercise("diffusion.plot_backward")
def plot_backward(student: Remote, draw: Draw) -> None:
    for steps, shape in draw.again((draw.integer(100, 140), (2, 3, 4, 4)), (draw.integer(41, 70), (3, 1, 5, 5))):
        toy, own = common.two_drifts(draw, steps)
        x = 3 * draw.normal(*shape)
        right = _backward_states(own, x)
        common.expect_figure(student(toy, x), right, partial(_known, own, x, right))
        common.expect_one_chain(toy, _times(own)[0])
    for steps, shape in ((draw.integer(20, 60), (2, 3, 8, 8)), (draw.integer(20, 60), (3, 1, 9, 8))):
        toy, own, x = common.pictured_drifts(draw, steps, 99 * steps // 100, *shape)
        common.expect_pictured(student(toy, x), _backward_states(own, x))


def _known(diffusion, x, right):
    """The states of known mistakes, by their names."""
    return {
        "starts_from_a_rescaled_image": _backward_states(diffusion, (x + 1) / 2),
        "starts_from_a_clipped_image": _backward_states(diffusion, x.clamp(-1, 1)),
        "starts_at_the_very_end": _states_from_the_end(diffusion, x),
        "rescales_the_states": (right + 1) / 2,
        "in_the_other_order": right.flip(0),
        "one_step_late": _states_one_step_late(diffusion, x),
    }


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


@mistake("A new chain is run for each panel, so that the panels show different images: run one, and keep its states.")
def a_chain_for_each_panel(diffusion, x):
    times = _times(diffusion)
    states = [reference.states_on_the_way(diffusion, x, times[0], [t])[0] for t in times]
    return common.with_figure(torch.stack(states))


@mistake("The figure is empty: draw the states in it, for example with fixmelab.show_strip.")
def empty_figure(diffusion, x):
    return new_figure(), _backward_states(diffusion, x)


@mistake("The figure shows something else than the states that are returned, or shows them in another order.")
def figure_of_something_else(diffusion, x):
    states = _backward_states(diffusion, x)
    return common.with_figure(states.flip(0))[0], states


@equivalent
def backward_in_one_loop(diffusion, x):
    times, states = [99 * diffusion.timesteps // 100], [x]
    wanted = [p * diffusion.timesteps // 100 for p in (75, 50, 25, 0)]
    for t in range(times[0], 0, -1):
        x = diffusion.p_sample(x, torch.full((x.shape[0],), t - 1, dtype=torch.long), t - 1)
        if t - 1 in wanted:
            states.append(x.clone())
    return fixmelab.show_strip(torch.stack(states), ["99 %", "75 %", "50 %", "25 %", "0 %"]), torch.stack(states)


@equivalent
def backward_in_columns(diffusion, x):
    """One image of the batch alone, from top to bottom, in another colour map."""
    states = _backward_states(diffusion, x)
    figure = new_figure(figsize=(2, 7))
    grid = figure.add_gridspec(5, 1, hspace=0.4)
    for k, state in enumerate(states):
        axes = figure.add_subplot(grid[k, 0])
        axes.imshow(state[0].mean(dim=0), cmap="viridis")
        axes.set_axis_off()
    return figure, states


HARMLESS = {
    "graph": "Pictures are looked at, and nothing is trained through them.",
    "for … in times → list(times)[::-1] (2)": "Panels may be called anything.",
}
