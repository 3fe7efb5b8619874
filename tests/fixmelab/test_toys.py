"""The toys of the diffusion notebook do what their docstrings say; those of the VAE are tried by its checks."""

import pytest
import torch

from fixmelab.judged.toys import Drift, Recorder


def test_the_recorder_answers_by_step_and_remembers():
    toy = Recorder(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 5.0]))
    x = torch.ones(2, 1, 2, 2, requires_grad=True)
    answer = toy(x, torch.tensor([0, 1]))
    assert answer[:, 0, 0, 0].tolist() == [1.0, 7.0]
    toy.eval()(x, torch.tensor([1, 1]))
    assert [t.tolist() for t in toy.times] == [[0, 1], [1, 1]]
    assert toy.modes == [True, False]
    assert not toy.inputs[0].requires_grad and answer.requires_grad


def test_drift_adds_the_shift_of_its_step():
    toy = Drift(torch.tensor([1.0, 10.0, 100.0]))
    x = torch.zeros(2, 1, 1, 1)
    assert toy.timesteps == 3
    assert toy.q_sample(x, torch.tensor([0, 2])).flatten().tolist() == [1.0, 100.0]
    assert toy.p_sample(x, torch.tensor([1, 1]), 1).flatten().tolist() == [10.0, 10.0]


@pytest.mark.parametrize(
    ("t", "problem"),
    [
        (2, "long tensor"),
        (torch.tensor(1), "long tensor"),
        (torch.tensor([0.0, 1.0]), "long tensor"),
        (torch.tensor([0, 3]), "between 0 and T - 1 = 2"),
        (torch.tensor([-1, 0]), "between 0 and T - 1 = 2"),
    ],
)
def test_drift_refuses_another_t(t, problem):
    with pytest.raises(ValueError, match=problem):
        Drift(torch.ones(3)).q_sample(torch.zeros(2, 1, 1, 1), t)


def test_drift_wants_t_to_be_the_index_of_the_step():
    with pytest.raises(ValueError, match="t_index"):
        Drift(torch.ones(3)).p_sample(torch.zeros(2, 1, 1, 1), torch.tensor([1, 1]), 2)
