"""The baseline of each of k rewards: the mean of the others in its row, 0 for k = 1.

Mistakes keep the draw's own reward in, divide by k, or by 0 for k = 1, average across rows, or return what is left
after the baseline is taken off.
"""

import torch

from autograder.assignments.gcn import reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("gcn.leave_one_out")
def leave_one_out(student: Remote, draw: Draw) -> None:
    f32, f64 = torch.float32, torch.float64
    for n, k, dtype in draw.again((4, 3, f64), (1, 7, f32), (5, 2, f64), (3, 1, f32), (2, 1, f64)):
        rewards = 2 + draw.normal(n, k, dtype=dtype)
        rewards[0] = rewards[0].roll(1) if k < 3 else rewards[0].where(torch.arange(k) > 1, rewards[0, 0])  # equal ones
        label = "for a single draw (k = 1), the baseline" if k == 1 else "the baseline"
        expect(student(rewards), label).close(reference.leave_one_out(rewards))
    expect_any_device(student, rewards[:, :1], mistake="made_on_the_cpu")


@mistake("This is the mean of all rewards of the row; the draw's own must be left out.")
def mean_of_all(rewards):
    return rewards.mean(dim=1, keepdim=True).expand_as(rewards)


@mistake("The sum of the others is divided by k; there are k − 1 others.")
def others_over_k(rewards):
    return (rewards.sum(dim=1, keepdim=True) - rewards) / rewards.shape[1]


@mistake("This is the sum of the others; divide by k − 1.")
def sum_of_others(rewards):
    return rewards.sum(dim=1, keepdim=True) - rewards


@mistake("The sum of all is divided by k − 1; the draw's own reward must be taken off first.")
def all_over_one_less(rewards):
    return rewards.sum(dim=1, keepdim=True).expand_as(rewards) / max(rewards.shape[1] - 1, 1)


@mistake("NaN for k = 1, where it divides by 0: there is no other, and the baseline is 0.")
def not_a_number_for_one_draw(rewards):
    return (rewards.sum(dim=1, keepdim=True) - rewards) / (rewards.shape[1] - 1)


@mistake("It raises for k = 1, where it divides by 0: there is no other, and the baseline is 0.")
def one_draw_raises(rewards):
    return (rewards.sum(dim=1, keepdim=True) - rewards) * (1 / (rewards.shape[1] - 1))


@mistake("For k = 1 the reward is its own baseline; there is no other, so the baseline is 0.")
def one_draw_is_its_own_baseline(rewards):
    return rewards.clone() if rewards.shape[1] == 1 else reference.leave_one_out(rewards)


@mistake("The others are those of the column, of other nodes; they are the other draws of the row.")
def across_rows(rewards):
    return reference.leave_one_out(rewards.T).T


@mistake("This is the reward less its baseline; return the baseline.")
def advantages(rewards):
    return rewards - reference.leave_one_out(rewards)


@mistake("This is the next reward of the row alone; take the mean of all the others.")
def next_reward(rewards):
    return rewards.roll(-1, dims=1) if rewards.shape[1] > 1 else torch.zeros_like(rewards)


@mistake("There is one baseline a row; each reward has its own.")
def one_baseline_a_row(rewards):
    return rewards.mean(dim=1)


@mistake("It raises: the sum over a row has shape (n,) and meets (n, k); keep the dimension (keepdim).")
def without_keepdim(rewards):
    return (rewards.sum(dim=1) - rewards) / max(rewards.shape[1] - 1, 1)


@mistake(SENTENCE)
def made_on_the_cpu(rewards):
    k = rewards.shape[1]
    return torch.zeros(rewards.shape, dtype=rewards.dtype) if k == 1 else reference.leave_one_out(rewards)


@equivalent
def from_the_mean(rewards):
    k = rewards.size(1)
    return (k * rewards.mean(dim=1, keepdim=True) - rewards) / (k - 1) if k > 1 else rewards * 0


@equivalent
def with_a_mask(rewards):
    k = rewards.shape[1]
    return rewards @ (1 - torch.eye(k, dtype=rewards.dtype, device=rewards.device)) / max(1, k - 1)


@equivalent
def one_by_one(rewards):
    k = rewards.shape[1]
    if k == 1:
        return torch.zeros_like(rewards)
    others = [torch.cat([rewards[:, :i], rewards[:, i + 1 :]], dim=1).mean(dim=1) for i in range(k)]
    return torch.stack(others, dim=1)


HARMLESS = {
    "graph": "Baselines are numbers to the loss, which asks for no gradient of them.",
    "torch.zeros_like(rewards), its rows in reverse": "All rows are 0.",
    "torch.zeros_like(rewards), its first row for all": "All rows are 0.",
    "torch.zeros_like(rewards), the mean of its rows for all": "All rows are 0.",
}
