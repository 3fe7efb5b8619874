"""TODO diffusion.plot_backward"""

import torch
from torch import Tensor

import fixmelab
from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.student import Remote


@exercise("diffusion.plot_backward")
def plot_backward(student: Remote, draw: Draw) -> None:
    for steps, shape in ((120, (2, 3, 4, 4)), (57, (3, 1, 5, 5))):
        toy, own = common.drift(draw, steps)
        x = 3 * draw.normal(*shape)
        times = reference.steps_at(steps, (99, 75, 50, 25, 0))
        right = reference.states_on_the_way(own, x, times[0], times)
        mistakes = {
            "starts_from_a_rescaled_image": lambda own=own, x=x, t=times: reference.states_on_the_way(
                own, (x + 1) / 2, t[0], t
            ),
            "starts_from_a_clipped_image": lambda own=own, x=x, t=times: reference.states_on_the_way(
                own, x.clamp(-1, 1), t[0], t
            ),
            "starts_at_the_very_end": lambda own=own, x=x, t=times: _from_the_end(own, x, t),
            "rescales_the_states": lambda right=right: (right + 1) / 2,
            "in_the_other_order": lambda right=right: right.flip(0),
            "one_step_late": lambda own=own, x=x, t=times: _one_step_late(own, x, t),
        }
        common.figure(student, student(toy, x), right, mistakes)
        common.expect_one_chain(toy, times[0])


def _from_the_end(own: object, x: Tensor, times: list[int]) -> Tensor:
    states = reference.states_on_the_way(own, x, own.timesteps, [own.timesteps, *times[1:]])
    return states


def _one_step_late(own: object, x: Tensor, times: list[int]) -> Tensor:
    return reference.states_on_the_way(own, x, times[0], [times[0] - 1, *(max(t - 1, 0) for t in times[1:])])


def _back(diffusion, x, start=None, percentages=(99, 75, 50, 25, 0)):
    times = reference.steps_at(diffusion.timesteps, percentages)
    return reference.states_on_the_way(diffusion, x, times[0] if start is None else start, times)


@mistake("The chain starts from an image that was already mapped to [0, 1] for a plot; that is no sample of x_t.")
def starts_from_a_rescaled_image(diffusion, x):
    return common.strip(_back(diffusion, (x + 1) / 2))


@mistake("The chain starts from an image that was cut to [−1, 1] for a plot; that is no sample of x_t.")
def starts_from_a_clipped_image(diffusion, x):
    return common.strip(_back(diffusion, x.clamp(-1, 1)))


@mistake("The chain starts at t = T, but x is the state at 99 %: the first step back has the index ⌊99 T / 100⌋ − 1.")
def starts_at_the_very_end(diffusion, x):
    T = diffusion.timesteps
    times = reference.steps_at(T, (99, 75, 50, 25, 0))
    return common.strip(reference.states_on_the_way(diffusion, x, T, [T, *times[1:]]))


@mistake("The states are mapped to [0, 1]: return them as they are.")
def rescales_the_states(diffusion, x):
    return common.strip((_back(diffusion, x) + 1) / 2)


@mistake("The states are in the order of the forward figure; the reverse chain goes from 99 % to 0.")
def in_the_other_order(diffusion, x):
    return common.strip(_back(diffusion, x).flip(0))


@mistake("Every state is one step too late: x itself is the state at 99 %, before the first step back.")
def one_step_late(diffusion, x):
    times = reference.steps_at(diffusion.timesteps, (99, 75, 50, 25, 0))
    late = [times[0] - 1, *(max(t - 1, 0) for t in times[1:])]
    return common.strip(reference.states_on_the_way(diffusion, x, times[0], late))


@equivalent
def backward_in_one_loop(diffusion, x):
    times, states = [99 * diffusion.timesteps // 100], [x]
    wanted = [p * diffusion.timesteps // 100 for p in (75, 50, 25, 0)]
    for t in range(times[0], 0, -1):
        x = diffusion.p_sample(x, torch.full((x.shape[0],), t - 1, dtype=torch.long), t - 1)
        if t - 1 in wanted:
            states.append(x.clone())
    return fixmelab.show_strip(torch.stack(states), ["99 %", "75 %", "50 %", "25 %", "0 %"]), torch.stack(states)
