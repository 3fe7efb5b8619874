"""Answers are run as if their arguments lay on a GPU: what would stop there is refused, and nothing else is."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.student import in_this_process, student_of
from autograder.judge.verdict import ExpectationFailed
from fixmelab.judged.elsewhere import OtherDevice
from fixmelab.toys import Recorder

X = torch.arange(12.0).view(4, 3)
K = torch.tensor([2, 0, 1, 1])


class Made(nn.Module):
    """A module with a buffer and a parameter."""

    def __init__(self, noise):
        super().__init__()
        self.register_buffer("scale", torch.ones(3))
        self.layer = nn.Linear(3, 3)
        self.noise = noise

    def forward(self, x):
        return self.layer(x) * self.scale + self.noise(x)

    def sample(self, count):
        return self.forward(self.noise(torch.empty(count, 3)))


def judged(answer, *args, method="", **kwargs):
    student, _ = student_of(in_this_process(answer), Draw(bytes(8)))
    expect_any_device(getattr(student, method) if method else student, *args, mistake="cpu", **kwargs)


def in_place(x, k):
    z = torch.zeros(4, 5, device=x.device)
    z[:, 1:4] = x
    z[torch.arange(4), k] = 0.5
    return z


def with_a_context(x, k):
    with torch.device(x.device):
        return x + torch.ones(4, 3)


def by_gradient(x, k):
    leaf = x.detach().clone().requires_grad_()
    torch.optim.Adam([leaf]).zero_grad()
    (leaf**2).sum().backward()
    return leaf.grad + x


def one_step(x, k):
    moved = x.clone().requires_grad_()
    optimizer = torch.optim.Adam([moved], lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (moved**2).sum().backward()
        optimizer.step()
    return moved.detach()


def by_distributions(x, k):
    normal = torch.distributions.Normal(torch.zeros_like(x), torch.ones_like(x))
    return torch.distributions.Normal(0.0, 1.0).log_prob(x) + normal.rsample() + normal.log_prob(x)


RIGHT = {
    "from shapes and a device": lambda x, k: x + torch.randn(4, 3, device=x.device),
    "from a device by name": lambda x, k: x + torch.zeros(3, device="cuda" if x.is_cuda else "cpu"),
    "like an argument": lambda x, k: x + torch.randn_like(x) + x.new_zeros(3),
    "moved afterwards": lambda x, k: x + torch.randn(4, 3).to(x.device) + torch.ones(3).to(x),
    "a number on the CPU": lambda x, k: x * torch.tensor(2.0) + torch.where(x > 1, x, torch.tensor(0.0)),
    "an index on the CPU": lambda x, k: x[torch.arange(4), k] + x[torch.tensor([0, 1, 2, 3])].sum(dim=1),
    "a schedule and a number of it": lambda x, k: x * torch.linspace(0, 1, 9)[3],
    "numbers in a list": lambda x, k: x + x.new_tensor([1.0, 2.0, 3.0]),
    "in place": in_place,
    "one-hot": lambda x, k: F.one_hot(k, 3) * x,
    "sparse": lambda x, k: (x.T @ x).to_sparse() @ x.T,
    "a loop over numbers": lambda x, k: torch.stack([row.sum() * float(i) for i, row in enumerate(x)]),
    "with a context": with_a_context,
    "by gradient": by_gradient,
    "one step": one_step,
    "by distributions": by_distributions,
    "nothing but a number": lambda x, k: torch.tensor(1.0),
    "no tensor": lambda x, k: [3, None],
    "what raises for another reason": lambda x, k: [][1],
}
WRONG = {
    "noise": lambda x, k: x + torch.randn(4, 3),
    "noise that was computed with": lambda x, k: x * (2 * torch.rand(4, 1)).exp(),
    "a returned tensor": lambda x, k: torch.zeros(4, 3),
    "a tensor in a tuple": lambda x, k: (x, torch.zeros(4)),
    "a table that is looked up": lambda x, k: torch.eye(3)[k],
    "a table by gather": lambda x, k: torch.eye(3).index_select(0, k),
    "a filled one": lambda x, k: torch.zeros(3).index_put_((k,), x[:, 0]),
    "a filled one by []": lambda x, k: torch.zeros(4).__setitem__(k, 1.0),
    "concatenated": lambda x, k: torch.cat([torch.ones(1, 3), x]),
    "a matrix": lambda x, k: x @ torch.eye(3),
    "a mask": lambda x, k: torch.where(torch.arange(3) > 0, x, x + 1),
    "from a list": lambda x, k: x + torch.tensor([1.0, 2.0, 3.0]),
    "moved to the CPU": lambda x, k: x + torch.ones(3).cpu(),
    "of a dtype": lambda x, k: x + torch.arange(3).to(torch.float32),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_works_anywhere(name):
    judged(RIGHT[name], X, K)


@pytest.mark.parametrize("name", WRONG)
def test_a_tensor_of_the_cpu_is_found(name):
    with pytest.raises(ExpectationFailed, match="would stop on a GPU") as caught:
        judged(WRONG[name], X, K)
    assert caught.value.mistake == "cpu" and str(caught.value) == SENTENCE


def test_parameters_and_buffers_lie_where_the_arguments_do():
    judged(Made(torch.randn_like), X)
    judged(Made(lambda x: torch.randn(x.shape, device=x.device)), X)
    with pytest.raises(ExpectationFailed):
        judged(Made(lambda x: torch.randn(x.shape)), X)
    judged(Made(lambda x: torch.zeros(x.shape, device="cpu")), 3, method="sample")


def test_a_method_without_tensors_draws_beside_its_module():
    class Sampler(Made):
        def sample(self, count):
            return self.forward(torch.randn(count, 3))

    with pytest.raises(ExpectationFailed):
        judged(Sampler(torch.randn_like), 3, method="sample")


def test_a_toy_of_the_judges_is_asked_with_tensors_of_one_device():
    toy = Recorder(torch.zeros(5), torch.ones(5))
    judged(lambda network, x: network(x, torch.full((4,), 2, device=x.device)), toy, torch.ones(4, 1, 2, 2))
    assert len(toy.inputs) == 1
    with pytest.raises(ExpectationFailed):
        judged(lambda network, x: network(x, torch.full((4,), 2)), toy, torch.ones(4, 1, 2, 2))


def test_nothing_of_it_stays():
    with pytest.raises(ExpectationFailed):
        judged(WRONG["noise"], X, K)
    assert torch.equal(X + torch.zeros(4, 3), X)
    assert issubclass(OtherDevice, RuntimeError)
