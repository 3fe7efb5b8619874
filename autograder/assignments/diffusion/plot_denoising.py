"""States of one reverse chain at the times asked for, t = T being x_T itself, and a figure of them.

A toy whose steps are known counts its steps back. The commonest mistake drops the panel of pure noise; others are a
step late, ignore the times, start at the first of them, or run a chain for each panel.
"""

from functools import partial

import torch
from torch import Tensor

from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.drawing import new_figure
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.plot_denoising")
def plot_denoising(student: Remote, draw: Draw) -> None:
    toy, own = common.two_drifts(draw, 200)
    x_T = 3 * draw.normal(2, 3, 4, 4)
    times = [200, 100, 50, 20, 10, 0]
    right = reference.states_on_the_way(own, x_T, 200, times)
    found = student(toy, x_T)
    _, states = expect(found, "what it returns").items(2)
    expect(states).holds(
        not (isinstance(states, Tensor) and states.ndim == 5 and len(states) == 5),
        "There are five states, and six panels: the panel t = T, pure noise, is missing.",
        "drops_the_panel_of_pure_noise",
    )
    common.expect_figure(found, right, partial(_known, own, x_T, right))
    longer, shorter = draw.integer(26, 40), draw.integer(18, 26)
    for steps, chosen in ((longer, [longer, longer - 1, 7, 1]), (shorter, [shorter - 3, 5, 0])):
        toy, own = common.two_drifts(draw, steps)
        x_T = draw.normal(3, 1, 2, 2)
        right = reference.states_on_the_way(own, x_T, steps, chosen)
        common.expect_figure(student(toy, x_T, times=chosen), right)
        common.expect_one_chain(toy, steps)
    for steps, shape in ((draw.integer(20, 60), (2, 3, 8, 8)), (draw.integer(20, 60), (3, 1, 9, 8))):
        toy, own, x_T = common.pictured_drifts(draw, steps, steps, *shape)
        chosen = [steps, steps // 2, draw.integer(2, 6), 1, 0]
        right = reference.states_on_the_way(own, x_T, steps, chosen)
        common.expect_pictured(student(toy, x_T, times=chosen), right)


def _known(diffusion, x_T, right):
    """The states of known mistakes, by their names."""
    return {
        "one_step_late": reference.states_on_the_way(diffusion, x_T, 200, [199, 99, 49, 19, 9, 0]),
        "rescales_the_states": (right + 1) / 2,
        "in_the_other_order": right.flip(0),
    }


@mistake("There are five panels for six times: t = T is pure noise, x_T itself, before any step.")
def drops_the_panel_of_pure_noise(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    kept, x = {}, x_T
    for k in reversed(range(diffusion.timesteps)):
        x = diffusion.p_sample(x, torch.full((len(x),), k), k)
        kept[k] = x
    return common.with_figure(torch.stack([kept[t] for t in times if t in kept]))


@mistake("Every panel is one step too late: t = T is x_T itself, and the state at t has T − t steps behind it.")
def one_step_late(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    late = [max(t - 1, 0) for t in times]
    return common.with_figure(reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, late))


@mistake("The states are mapped to [0, 1]: return them as they are.")
def rescales_the_states(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    return common.with_figure((reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, list(times)) + 1) / 2)


@mistake("The panels are in the wrong order: from noise to image, as times gives them.")
def in_the_other_order(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    return common.with_figure(reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, list(times)).flip(0))


@mistake("The times are always 200, 100, …: use the argument times, and diffusion.timesteps for T.")
def ignores_the_times(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    chosen = [min(t, diffusion.timesteps) for t in (200, 100, 50, 20, 10, 0)]
    return common.with_figure(reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, chosen))


@mistake("A new chain is run for each panel, so that the panels show different images: run one, and keep its states.")
def a_chain_for_each_panel(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    states = [reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, [t])[0] for t in times]
    return common.with_figure(torch.stack(states))


@mistake("The chain starts at the first of times; it starts at t = T, whatever is shown.")
def starts_at_the_first_time(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    return common.with_figure(reference.states_on_the_way(diffusion, x_T, times[0], list(times)))


@mistake("The figure is empty: draw the states in it, for example with fixmelab.show_strip.")
def empty_figure(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    return new_figure(), reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, list(times))


@mistake("The figure shows something else than the states that are returned, or shows them in another order.")
def figure_of_something_else(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    states = reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, list(times))
    return common.with_figure(states.flip(0))[0], states


@equivalent
def denoising_in_one_loop(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    states, x = [], x_T
    for t in range(diffusion.timesteps, -1, -1):
        if t in times:
            states.append(x)
        if t:
            x = diffusion.p_sample(x, torch.full((len(x),), t - 1), t - 1)
    return common.with_figure(torch.stack(states))


@equivalent
def denoising_in_one_picture(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    """All states side by side in one array, the images below each other, dark for bright."""
    states = reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, list(times))
    figure = new_figure()
    axes = figure.add_subplot()
    axes.imshow(states.mean(dim=2).permute(1, 2, 0, 3).reshape(states.shape[1] * states.shape[3], -1), cmap="gray_r")
    axes.set(xlabel="t", title=", ".join(map(str, times)), yticks=[])
    return figure, states


HARMLESS = {
    "graph": "Pictures are looked at, and nothing is trained through them.",
    "for … in times → list(times)[::-1] (2)": "Panels may be called anything.",
}
