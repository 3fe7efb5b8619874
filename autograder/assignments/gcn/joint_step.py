"""One step of network and sampler on the same batch; returns the cross-entropy.

On a toy problem whose draws are made and whose gradients hold leftovers, two steps must move all weights as they
should. Common mistakes: gradients not zeroed, a step too early or uphill, a second pass for the sampler, another loss
returned.
"""

import numpy
import torch
from torch import Tensor
from torch.nn import functional

from autograder.assignments.gcn import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote
from fixmelab.judged.toys import JointProblem

NETWORK = {"lower": "the lower weights", "upper": "the upper weights"}
MOVED = {"the network's step": NETWORK, "the sampler's step": {"theta": "the sampler"}}


@exercise("gcn.joint_step", parts={"the loss": 1, "the network's step": 1, "the sampler's step": 2})
def joint_step(student: Remote, draw: Draw) -> None:
    for left in (0.9, 0.0):
        given, x, labels = _joint_problem(draw)
        right, toy = JointProblem(*given, left), student.make("JointProblem", *given, left)
        for step in ("the first", "the second"):
            optimizers = right.network_optimizer, right.sampler_optimizer
            wanted = reference.joint_step(right.network, x, labels, right.hops, *optimizers)
            remote = [toy.attribute(name) for name in ("network", "hops", "network_optimizer", "sampler_optimizer")]
            network, hops, *remote_optimizers = remote
            got = student(network, x, labels, hops, *remote_optimizers)
            with part("the loss"):
                expect(got).holds(not isinstance(got, Tensor), "The loss is a tensor.", "returns_a_tensor")
                # One of NumPy's, of double precision, is a Python float too.
                loss = got.item() if isinstance(got, numpy.ndarray) and got.ndim == 0 and got.dtype == float else got
                expect(loss).holds(isinstance(loss, float), "The loss is no Python float: return loss.item().")
                expect(loss, f"the loss of {step} step").close(torch.tensor(wanted), rtol=1e-3)
            before = dict(zip(("lower", "upper", "theta"), given[:3], strict=True))
            for moving, names in MOVED.items():
                with part(moving):
                    _expect_moved(toy, right, names, before, step)


def _expect_moved(
    toy: Remote, right: JointProblem, names: dict[str, str], before: dict[str, Tensor], step: str
) -> None:
    """What the names stand for has moved, and as in `right`."""
    found = {name: toy.attribute(name) for name in names}
    for name, what in names.items():
        has_moved = not torch.equal(found[name], before[name])
        expect(found[name]).holds(has_moved, f"After {step} step, {what} have not moved.", f"{name}_stays")
    for name, what in names.items():
        wanted = getattr(right, name).detach()
        expect(found[name], f"after {step} step, {what}").close(wanted, rtol=1e-3, atol=1e-4)


_Given = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]  # what JointProblem takes, but for `left`


def _joint_problem(draw: Draw) -> tuple[_Given, Tensor, Tensor]:
    """What JointProblem is given, features and labels, such that network and sampler learn from both steps.

    About one draw in a hundred has a hidden layer that is silent everywhere, or a gradient too small to be compared.
    """
    n, m, k, columns, width, hidden, classes, rows = 5, 6, 3, 4, 3, 4, 2, 8
    while True:
        theta = draw.normal(m, columns)
        chosen = torch.tensor([[draw.integer(0, columns) for _ in range(k)] for _ in range(m)])
        table = torch.tensor([[draw.integer(0, rows) for _ in range(columns)] for _ in range(m)])
        table[0, 0] = rows - 1
        chosen[0, 0] = 0
        outer = torch.tensor([[draw.integer(0, m) for _ in range(k)] for _ in range(n)])
        weights = draw.normal(width, hidden), draw.normal(hidden, classes)
        given = (*weights, theta, chosen, table.gather(1, chosen), outer)
        x = 0.5 + draw.normal(rows, width)
        labels = torch.tensor([0, 1, *(draw.integer(0, classes) for _ in range(n - 2))])
        tried, sizes = JointProblem(*given, 0.0), []
        for _ in range(2):
            optimizers = tried.network_optimizer, tried.sampler_optimizer
            reference.joint_step(tried.network, x, labels, tried.hops, *optimizers)
            gradients = (value.grad for value in (tried.lower, tried.upper, tried.theta))
            sizes += [gradient.abs().max() for gradient in gradients if gradient is not None]
        if min(sizes) > 1e-3:
            return given, x, labels


def _passed(network, x, labels, hops, optimizer):
    """The cross-entropy, after the network's gradients were zeroed and filled anew."""
    optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels)
    loss.backward()
    return loss


def _surrogate(network, hops):
    return reference.sampler_loss(hops.log_q, network.messages, network.aggregate.grad)


def _finish(network_optimizer, sampler_optimizer, surrogate):
    """The sampler's gradient, and a step of both."""
    sampler_optimizer.zero_grad()
    surrogate.backward()
    network_optimizer.step()
    sampler_optimizer.step()


@mistake("The network's old gradients are not zeroed: each step follows those of the steps before, too.")
def network_not_zeroed(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = functional.cross_entropy(network(x, hops), labels)
    loss.backward()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("The sampler's old gradients are not zeroed: each step follows those of the steps before, too.", earns=2)
def sampler_not_zeroed(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _surrogate(network, hops).backward()
    network_optimizer.step()
    sampler_optimizer.step()
    return loss.item()


@mistake("No old gradients are zeroed: call zero_grad of both optimizers.")
def neither_zeroed(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = functional.cross_entropy(network(x, hops), labels)
    loss.backward()
    _surrogate(network, hops).backward()
    network_optimizer.step()
    sampler_optimizer.step()
    return loss.item()


@mistake(
    "The network does not learn: network_optimizer.step() is missing, or comes before backward or after zero_grad."
)
def lower_stays(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    sampler_optimizer.zero_grad()
    _surrogate(network, hops).backward()
    sampler_optimizer.step()
    return loss.item()


@mistake("The sampler does not learn: call sampler_loss(…).backward() and then sampler_optimizer.step().", earns=2)
def theta_stays(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    network_optimizer.step()
    return loss.item()


@mistake("The sampler steps before its gradient is there: first sampler_loss(…).backward(), then step().", earns=2)
def sampler_steps_too_early(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    sampler_optimizer.step()
    sampler_optimizer.zero_grad()
    _surrogate(network, hops).backward()
    network_optimizer.step()
    return loss.item()


@mistake("It raises: the network steps between forward and backward; first loss.backward(), then step().")
def network_steps_too_early(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = functional.cross_entropy(network(x, hops), labels)
    network_optimizer.step()
    network_optimizer.zero_grad()
    loss.backward()
    sampler_optimizer.zero_grad()
    _surrogate(network, hops).backward()
    sampler_optimizer.step()
    return loss.item()


@mistake("It raises: network.aggregate.grad is there only after loss.backward(), so sampler_loss comes after it.")
def upstream_before_backward(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels)
    _finish(network_optimizer, sampler_optimizer, loss + _surrogate(network, hops))
    return loss.item()


@mistake("upstream is network.aggregate itself; it is its gradient, network.aggregate.grad.", earns=2)
def aggregate_for_its_gradient(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    surrogate = reference.sampler_loss(hops.log_q, network.messages, network.aggregate)
    _finish(network_optimizer, sampler_optimizer, surrogate)
    return loss.item()


@mistake("The sampler climbs: sampler_loss is minimised as it is, without a minus.", earns=2)
def sampler_climbs(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, -_surrogate(network, hops))
    return loss.item()


@mistake("The network climbs: it is the cross-entropy itself that is minimised, without a minus.")
def network_climbs(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels)
    (-loss).backward()
    _finish(network_optimizer, sampler_optimizer, -_surrogate(network, hops))
    return loss.item()


@mistake("The draws are rewarded with the cross-entropy as a whole; use sampler_loss, which tells them apart.", earns=2)
def loss_for_reward(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, (hops.log_q * loss.detach()).mean())
    return loss.item()


@mistake("The network makes two steps, the sampler one: let each make one step.")
def two_steps_of_the_network(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    network_optimizer.step()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("The sampler makes two steps, the network one: let each make one step.", earns=2)
def two_steps_of_the_sampler(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    sampler_optimizer.step()
    return loss.item()


@mistake("The sampler learns from a second pass, after the network's step; both learn from the same pass.", earns=2)
def second_pass_for_the_sampler(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    network_optimizer.step()
    _passed(network, x, labels, hops, network_optimizer)
    sampler_optimizer.zero_grad()
    _surrogate(network, hops).backward()
    sampler_optimizer.step()
    return loss.item()


@mistake("The loss is that after the step; return the cross-entropy from which the step was made.", earns=3)
def loss_after_the_step(network, x, labels, hops, network_optimizer, sampler_optimizer):
    reference.joint_step(network, x, labels, hops, network_optimizer, sampler_optimizer)
    with torch.no_grad():
        return functional.cross_entropy(network(x, hops), labels).item()


@mistake("It returns the sampler's loss; return the cross-entropy.", earns=3)
def returns_the_surrogate(network, x, labels, hops, network_optimizer, sampler_optimizer):
    _passed(network, x, labels, hops, network_optimizer)
    surrogate = _surrogate(network, hops)
    _finish(network_optimizer, sampler_optimizer, surrogate)
    return surrogate.item()


@mistake("It returns the sum of both losses; return the cross-entropy.", earns=3)
def returns_both_losses(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    surrogate = _surrogate(network, hops)
    _finish(network_optimizer, sampler_optimizer, surrogate)
    return loss.item() + surrogate.item()


@mistake("It returns a tensor, which may keep a whole graph alive; return a Python float: loss.item().", earns=3)
def returns_a_tensor(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.detach()


@mistake("The network's upper weights stay: its optimizer must move all of its parameters.")
def upper_stays(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    network.upper.grad = None
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("It returns nothing: return loss.item().", earns=3)
def returns_nothing(network, x, labels, hops, network_optimizer, sampler_optimizer):
    reference.joint_step(network, x, labels, hops, network_optimizer, sampler_optimizer)


@mistake("The cross-entropy is summed over the batch; return its mean.")
def sum_of_cross_entropies(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels, reduction="sum")
    loss.backward()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("The logits go through a softmax before cross_entropy, which takes one itself.")
def softmax_before_cross_entropy(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops).softmax(dim=1), labels)
    loss.backward()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@mistake("nll_loss wants logarithms of probabilities, the network gives logits: use cross_entropy.")
def logits_for_logarithms(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.nll_loss(network(x, hops), labels)
    loss.backward()
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return loss.item()


@equivalent
def zeroes_first(network, x, labels, hops, network_optimizer, sampler_optimizer):
    for optimizer in (network_optimizer, sampler_optimizer):
        optimizer.zero_grad(set_to_none=False)
    loss = -network(x, hops).log_softmax(dim=1)[torch.arange(len(labels)), labels].mean()
    loss.backward()
    network_optimizer.step()
    _surrogate(network, hops).backward()
    sampler_optimizer.step()
    return float(loss.detach())


@equivalent
def both_in_one_backward(network, x, labels, hops, network_optimizer, sampler_optimizer):
    network_optimizer.zero_grad()
    loss = functional.cross_entropy(network(x, hops), labels)
    (upstream,) = torch.autograd.grad(loss, network.aggregate, retain_graph=True)
    surrogate = reference.sampler_loss(hops.log_q, network.messages, upstream)
    _finish(network_optimizer, sampler_optimizer, loss + surrogate)
    return loss.item()


@equivalent
def returns_a_float_of_numpy(network, x, labels, hops, network_optimizer, sampler_optimizer):
    loss = _passed(network, x, labels, hops, network_optimizer)
    _finish(network_optimizer, sampler_optimizer, _surrogate(network, hops))
    return numpy.float64(loss.detach().numpy())


HARMLESS = {
    "network_optimizer.zero_grad() → network.zero_grad()": "The optimizer moves all parameters of the network.",
    "network(x, hops) → network(x.detach(), hops)": "Features are given; they do not learn.",
    "F.cross_entropy(network(x, hops), labels) → F.cross_entropy(network(x, hops), labels.detach())": "Labels are whole numbers, which have no gradient.",
}
