"""x_t at 0, 25, 50, 75 and 99 % of T, as they are, and a figure of them.

A toy whose steps are known shows which index was used: the commonest mistake takes the step t for the index, which is t
− 1. Others pile noise on noise, or return what was clipped or rescaled for the picture.
"""

from functools import partial

import torch
from torch.nn import functional

from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.drawing import new_figure
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.student import Remote
from fixmelab.judged.toys import Drift


@exercise("diffusion.plot_forward")
def plot_forward(student: Remote, draw: Draw) -> None:
    for steps, shape in draw.again((draw.integer(100, 140), (2, 3, 4, 4)), (draw.integer(41, 70), (3, 1, 5, 5))):
        toy, own = common.two_drifts(draw, steps)
        x_0 = 3 * draw.normal(*shape)
        right = reference.forward_states(own, x_0)
        common.expect_figure(student(toy, x_0), right, partial(_known, own, x_0, right))
    for steps, shape in ((draw.integer(20, 140), (2, 3, 8, 8)), (draw.integer(20, 140), (3, 1, 9, 8))):
        shift, x_0 = draw.uniform(-0.6, 0.6, steps, *shape[1:]), draw.uniform(-0.4, 0.4, *shape)
        common.expect_pictured(student(Drift(shift), x_0), reference.forward_states(Drift(shift), x_0))


def _known(diffusion, x_0, right):
    """The states of known mistakes, by their names."""
    by_index = [diffusion.q_sample(x_0, torch.full((len(x_0),), t)) for t in reference.steps_at(diffusion.timesteps)]
    return {
        "counts_from_the_index": torch.stack(by_index),
        "rescales_the_states": (right + 1) / 2,
        "clips_the_states": right.clamp(-1, 1),
        "clips_and_rescales_the_states": (right.clamp(-1, 1) + 1) / 2,
    }


@mistake("The index t stands for the step t: after t steps the index is t − 1, and t = 0 is x_0 itself.")
def counts_from_the_index(diffusion, x_0):
    times = reference.steps_at(diffusion.timesteps)
    return common.with_figure(torch.stack([diffusion.q_sample(x_0, torch.full((len(x_0),), t)) for t in times]))


@mistake("The states are mapped to [0, 1]: return them as they are; only the picture is scaled.")
def rescales_the_states(diffusion, x_0):
    return common.with_figure((reference.forward_states(diffusion, x_0) + 1) / 2)


@mistake("The states are cut to [−1, 1]: return them as they are; only the picture is cut.")
def clips_the_states(diffusion, x_0):
    return common.with_figure(reference.forward_states(diffusion, x_0).clamp(-1, 1))


@mistake("The states are cut and mapped to [0, 1]: return them as they are.")
def clips_and_rescales_the_states(diffusion, x_0):
    return common.with_figure((reference.forward_states(diffusion, x_0).clamp(-1, 1) + 1) / 2)


@mistake("The last state is that of 100 %; it should be that of 99 %.")
def ends_at_the_end(diffusion, x_0):
    states = reference.forward_states(diffusion, x_0).clone()
    states[-1] = diffusion.q_sample(x_0, torch.full((len(x_0),), diffusion.timesteps - 1))
    return common.with_figure(states)


@mistake("Each state is made from the one before, so that it is noisier than it should be: start from x_0 each time.")
def noise_upon_noise(diffusion, x_0):
    states = [x_0]
    for t in reference.steps_at(diffusion.timesteps)[1:]:
        states.append(diffusion.q_sample(states[-1], torch.full((len(x_0),), t - 1)))
    return common.with_figure(torch.stack(states))


@mistake("The figure is empty: draw the states in it, for example with fixmelab.show_strip.")
def empty_figure(diffusion, x_0):
    return new_figure(), reference.forward_states(diffusion, x_0)


@mistake("The figure shows something else than the states that are returned, or shows them in another order.")
def figure_of_something_else(diffusion, x_0):
    states = reference.forward_states(diffusion, x_0)
    return common.with_figure(states.flip(0))[0], states


@equivalent
def forward_with_pyplot(diffusion, x_0):
    import matplotlib.pyplot as plt

    states = reference.forward_states(diffusion, x_0)
    figure, axes = plt.subplots(len(x_0), 5, squeeze=False)
    for row, line in zip(axes, states.transpose(0, 1), strict=True):
        for cell, image in zip(row, line, strict=True):
            cell.imshow(((image + 1) / 2).clamp(0, 1).permute(1, 2, 0).numpy())
    plt.close(figure)
    return figure, states.numpy()


@equivalent
def forward_as_grids(diffusion, x_0):
    """One panel a state, the batch below each other in it, with gaps."""
    states = reference.forward_states(diffusion, x_0)
    figure = new_figure(figsize=(6, 3), layout="tight")
    for axes, state, percent in zip(figure.subplots(1, 5), states, (0, 25, 50, 75, 99), strict=True):
        framed = functional.pad((state.clamp(-1, 1) + 1) / 2, (1, 1, 1, 1))
        axes.imshow(torch.cat(list(framed), dim=1).permute(1, 2, 0).numpy())
        axes.set(title=f"{percent} %", xticks=[], yticks=[])
    figure.suptitle("The forward process")
    return figure, states


HARMLESS = {
    "graph": "Pictures are looked at, and nothing is trained through them.",
    "for … in times → list(times)[::-1] (2)": "Panels may be called anything.",
}
