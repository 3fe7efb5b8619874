"""The mean squared error over what a mask hides, of a network that never sees it.

What the network is shown is looked at in the judge's process, number by number; so are the loss and the gradient that
reaches what the network answered. The commonest mistakes show the hidden pixels, count the visible ones, or divide by
another number.
"""

import torch
from torch import Tensor

from autograder.assignments.gan import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.judged.players import Inpainter


@exercise("gan.masked_squared_error")
def masked_squared_error(student: Remote, draw: Draw) -> None:
    for batch, channels, dtype in ((3, 2, torch.float32), (2, 1, torch.float64), (1, 1, torch.float32)):
        height, width = 4, 5
        network = common.inpainter(draw, channels, height, width, dtype)
        x = draw.uniform(0.1, 1, batch, channels, height, width, dtype=dtype)
        m = common.random_masks(draw, batch, height, width, dtype)
        got = student(network, x, m)
        common.expect_nothing_hidden_is_seen(network, x, m, "shows_the_hidden_pixels", "another_mask")
        right = common.twin(network)
        expect(got, "the loss").shape(mistake="loss_of_each_picture").close(
            reference.masked_squared_error(right, x, m).detach(),
            rtol=1e-4,
            otherwise=lambda: _told(student, network, x, m),  # noqa: B023
        )
        _expect_gradient(student, network, x, m)
    hidden_nothing = torch.zeros_like(m)
    got = expect(student(network, x, hidden_nothing), "the loss if nothing is hidden").shape().finite("empty_mask")
    got.close(torch.zeros((), dtype=x.dtype))
    expect_any_device(student, network, x, m, mistake="made_on_the_cpu")


def _expect_gradient(student: Remote, network: Inpainter, x: Tensor, m: Tensor) -> None:
    """The gradient of the loss by what the network answered, and by nothing that was hidden from it."""
    network.gradients.clear()
    found = student.gradient(network, x, m, wrt=network)
    expect(found).holds(
        found != [None] and len(network.gradients) > 0, "No gradient reaches the network: it cannot learn.", "detached"
    )
    answer = common.shown_and_answered(common.twin(network), x, m).detach().requires_grad_()
    (wanted,) = torch.autograd.grad(reference.error_in_the_hole(answer, x, m), answer)
    for gradient in network.gradients:
        expect(gradient, "the gradient by what the network answers").shape(*wanted.shape)
    expect(sum(network.gradients), "the gradient by what the network answers").close(wanted, rtol=1e-3)


def _told(student: Remote, network: Inpainter, x: Tensor, m: Tensor) -> str | None:
    """The smallest batch for which the answer is wrong: from one hidden number to several pictures."""
    one = Inpainter(*network.numbers[:, :1])
    several, single = torch.zeros_like(m[:1]), torch.zeros_like(m[:1])
    several[..., 0, :3], single[..., 0, 0] = 1, 1
    for name, toy, pictures, mask in (
        ("another_error", one, x[:1, :1], single),
        ("several_pixels", one, x[:1, :1], several),
        ("several_channels", network, x[:1], several),
        ("several_pictures", one, x[:, :1], m),
    ):
        wanted = reference.masked_squared_error(common.twin(toy), pictures, mask).detach()
        if not common.same(student(common.twin(toy), pictures, mask), wanted):
            return name
    return None


def _hidden(m, x):
    return m.expand_as(x)


def _error(x_hat, x, m):
    return reference.error_in_the_hole(x_hat, x, m)


@mistake("The network is shown the hidden pixels, and learns to copy them: show it (1 − m) ⊙ x.")
def shows_the_hidden_pixels(network, x, m):
    return _error(network(x, m), x, m)


@mistake("The network is shown the hole and not what lies around it: m is 1 in the hole.")
def shows_the_hole_alone(network, x, m):
    return _error(network(m * x, m), x, m)


@mistake("The network is given another mask than m, which is 1 in the hole.")
def another_mask(network, x, m):
    return _error(network((1 - m) * x, 1 - m), x, m)


@mistake("Holes are filled with noise or grey before the network sees them; the notebook asks for zeros.")
def filled_with_grey(network, x, m):
    return _error(network((1 - m) * x + 0.5 * m, m), x, m)


@mistake("All pixels count; only the hidden ones do.")
def all_pixels_count(network, x, m):
    return ((network((1 - m) * x, m) - x) ** 2).mean()


@mistake("The visible pixels count, and the hidden ones do not: m is 1 in the hole.")
def visible_pixels_count(network, x, m):
    return _error(network((1 - m) * x, m), x, 1 - m)


@mistake("The sum over the hole is divided by the number of all pixels; divide by that of the hidden ones.")
def divided_by_all(network, x, m):
    return (_hidden(m, x) * (network((1 - m) * x, m) - x) ** 2).mean()


@mistake("The channels are forgotten in the denominator: a hidden pixel hides one number for each channel.")
def channels_forgotten(network, x, m):
    return _error(network((1 - m) * x, m), x, m) * x.shape[1]


@mistake("Wrong even if a single number is hidden: the loss is then (x̂ − x)² of that number.", broad=True)
def another_error(network, x, m):
    return _error(network((1 - m) * x, m) ** 2, x**2, m)


@mistake("Right for one hidden pixel, but not for several: square each error, then take the mean.", broad=True)
def several_pixels(network, x, m):
    return (_hidden(m, x) * (network((1 - m) * x, m) - x)).sum() ** 2 / _hidden(m, x).sum().clamp(min=1)


@mistake(
    "Right for one channel, but not for several: every channel of a hidden pixel counts as one number.", broad=True
)
def several_channels(network, x, m):
    return _error(network((1 - m) * x, m)[:, :1], x[:, :1], m)


@mistake(
    "Right for one picture, but not for several, whose holes differ: one mean over all their hidden numbers.",
    broad=True,
)
def several_pictures(network, x, m):
    return _error(network((1 - m) * x, m), x, m[:1])


@mistake("The errors are added up; the loss is the mean over all hidden numbers.")
def sum_over_the_hole(network, x, m):
    return (_hidden(m, x) * (network((1 - m) * x, m) - x) ** 2).sum()


@mistake(
    "The errors are added up for each picture and averaged over the pictures; the loss is the mean over all hidden numbers."
)
def sum_for_each_picture(network, x, m):
    return (_hidden(m, x) * (network((1 - m) * x, m) - x) ** 2).sum() / len(x)


@mistake("Each picture has a mean of its own, and these are averaged: holes of different sizes then weigh the same.")
def mean_of_means(network, x, m):
    error = (_hidden(m, x) * (network((1 - m) * x, m) - x) ** 2).flatten(1).sum(dim=1)
    return (error / _hidden(m, x).flatten(1).sum(dim=1).clamp(min=1)).mean()


@mistake("One loss for each picture is returned; training needs one number.")
def loss_of_each_picture(network, x, m):
    error = (_hidden(m, x) * (network((1 - m) * x, m) - x) ** 2).flatten(1).sum(dim=1)
    return error / _hidden(m, x).flatten(1).sum(dim=1).clamp(min=1)


@mistake("Absolute errors are used; the notebook asks for squared ones.")
def absolute_error(network, x, m):
    hidden = _hidden(m, x)
    return (hidden * (network((1 - m) * x, m) - x).abs()).sum() / hidden.sum().clamp(min=1)


@mistake("A root is taken of the mean squared error; there is none in the loss.")
def root_of_the_error(network, x, m):
    return (_error(network((1 - m) * x, m), x, m) + 1e-12).sqrt()


@mistake("The loss is half of the mean squared error; there is no ½ in it.")
def half_of_the_error(network, x, m):
    return _error(network((1 - m) * x, m), x, m) / 2


@mistake("The network's answer is compared with the visible picture, which is 0 in the hole; compare it with x.")
def compared_with_what_is_visible(network, x, m):
    visible = (1 - m) * x
    return _error(network(visible, m), visible, m)


@mistake("If nothing is hidden it divides by 0: the loss is then 0.")
def empty_mask(network, x, m):
    hidden = _hidden(m, x)
    return (hidden * (network((1 - m) * x, m) - x) ** 2).sum() / hidden.sum()


@mistake("No gradient reaches the network: look for detach, no_grad, item or data.")
def detached(network, x, m):
    return reference.masked_squared_error(network, x, m).detach()


@mistake("It raises: the network takes two arguments, what is visible and the mask.")
def without_the_mask(network, x, m):
    return _error(network((1 - m) * x), x, m)


@mistake("It changes x in place; the pixels of the hole are still needed. Make a new tensor.")
def changes_its_argument(network, x, m):
    x *= 1 - m
    return _error(network(x, m), x, m)


@mistake(SENTENCE)
def made_on_the_cpu(network, x, m):
    visible = torch.where(m > 0, torch.zeros(x.shape, dtype=x.dtype), x)
    return _error(network(visible, m), x, m)


@equivalent
def by_selecting(network, x, m):
    hole = m.bool().expand_as(x)
    x_hat = network(x.masked_fill(hole, 0), m)
    return (x_hat[hole] - x[hole]).square().mean() if hole.any() else (0 * x_hat).sum()


@equivalent
def by_functional(network, x, m):
    visible = torch.where(m > 0, torch.zeros_like(x), x)
    x_hat = network(visible, m)
    total = torch.nn.functional.mse_loss(m * x_hat, m * x, reduction="sum")
    return total / max(float(m.sum()) * x.shape[1], 1.0)


@equivalent
def by_squares_of_masked_differences(network, x, m):
    difference = m * (network(x - m * x, m) - x)
    return torch.einsum("bchw,bchw->", difference, difference) / (m.sum() * x.shape[1]).clamp(min=1)


HARMLESS = {
    "1 - m → 1 - m ** 2": "A mask holds 0 and 1.",
    "1 - m → 1 - m ** 0.5": "A mask holds 0 and 1.",
    "hidden * (x_hat - x) ** 2 → hidden ** 2 * (x_hat - x) ** 2": "A mask holds 0 and 1.",
    "hidden * (x_hat - x) ** 2 → hidden ** 0.5 * (x_hat - x) ** 2": "A mask holds 0 and 1.",
    "1 - m → 1 - m.detach()": "The picture and its mask are given; no gradient of them is asked for.",
    "(1 - m) * x → (1 - m) * x.detach()": "The picture and its mask are given; no gradient of them is asked for.",
    "network((1 - m) * x, m) → network((1 - m) * x, m.detach())": "The picture and its mask are given; no gradient of them is asked for.",
    "m.expand_as(x) → m.detach().expand_as(x)": "The picture and its mask are given; no gradient of them is asked for.",
    "m.expand_as(x) → m.expand_as(x.detach())": "The picture and its mask are given; no gradient of them is asked for.",
    "x_hat - x → x_hat - x.detach()": "The picture and its mask are given; no gradient of them is asked for.",
    "x_hat - x → x - x_hat": "It is squared.",
    "return (hidden * (x_hat - x) ** 2).sum() / hidden.sum().clamp(min=1) → return ((hidden * (x_hat - x) ** 2).sum() / hidden.sum().clamp(min=1)).squeeze()": "A number has no side to lose.",
}
