"""One step of the discriminator, then one of the generator against it, on one batch.

Plain gradient steps of two small players, whose gradients are not 0 at the beginning, show each deviation in their
parameters. The commonest mistakes compute both losses before either step, follow gradients that are left from the other
player, or move one player alone.
"""

import numpy
import torch
from torch import Tensor

from autograder.assignments.gan import common, reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote
from fixmelab.judged.players import InpaintingProblem

HEIGHT, WIDTH = 2, 3
PLAYERS = {"pattern": "the discriminator", "matrix": "the generator"}


@exercise("gan.inpainting_step", parts={"the steps": 3, "the losses that are returned": 1})
def inpainting_step(student: Remote, draw: Draw) -> None:
    pixels = HEIGHT * WIDTH
    for batch, left, weight in ((3, 0.0, 0.8), (2, 0.6, 1.4)):
        given = {"matrix": 0.4 * draw.normal(2 * pixels, pixels), "pattern": 0.5 * draw.normal(pixels)}
        x = draw.uniform(0.1, 1, batch, 1, HEIGHT, WIDTH)
        m = common.random_masks(draw, batch, HEIGHT, WIDTH)
        right = InpaintingProblem(given["matrix"], given["pattern"], left)
        toy = student.make("InpaintingProblem", given["matrix"], given["pattern"], left)
        names = "generator", "discriminator", "generator_optimizer", "discriminator_optimizer"
        for step in ("the first", "the second"):
            optimizers = right.generator_optimizer, right.discriminator_optimizer
            wanted = reference.inpainting_step(right.generator, right.discriminator, x, m, weight, *optimizers)
            generator, discriminator, *remote = [toy.attribute(name) for name in names]
            got = student(generator, discriminator, x, m, weight, *remote)
            with part("the steps"):
                found = {name: toy.attribute(name) for name in PLAYERS}
                for name, player in PLAYERS.items():
                    value = expect(found[name], f"{player}'s parameter").shape(*given[name].shape).value
                    said = f"After {step} step, {player} has not moved."
                    expect(value).holds(not torch.equal(value, given[name]), said, f"{name}_stays")
                for name, player in PLAYERS.items():
                    moved, wanted_now = (
                        expect(found[name], f"after {step} step, {player}"),
                        getattr(right, name).detach(),
                    )
                    moved.close(wanted_now, rtol=1e-3, atol=1e-5, otherwise=lambda: f"{name}_otherwise")  # noqa: B023
            with part("the losses that are returned"):
                _expect_losses(got, wanted, step)
    toy = student.make("InpaintingProblem", given["matrix"], given["pattern"], left)
    generator, discriminator, *remote = [toy.attribute(name) for name in names]
    expect_any_device(student, generator, discriminator, x, m, weight, *remote, mistake="made_on_the_cpu")


def _expect_losses(got: object, wanted: tuple[float, float], step: str) -> None:
    if isinstance(got, Tensor):
        expect(got).holds(False, "The losses are a tensor; return two Python floats.", "returns_tensors")
    losses = expect(got, "what inpainting_step returns").items(2)
    for loss, right, player in zip(losses, wanted, PLAYERS.values(), strict=True):
        expect(loss).holds(not isinstance(loss, Tensor), f"The loss of {player} is a tensor.", "returns_tensors")
        # One of NumPy's, of double precision, is a Python float too.
        value = loss.item() if isinstance(loss, numpy.ndarray) and loss.ndim == 0 and loss.dtype == float else loss
        expect(value).holds(isinstance(value, float), f"The loss of {player} is no Python float: loss.item().")
        got = expect(value, f"the loss of {player} at {step} step")
        got.close(torch.tensor(right), rtol=1e-3, otherwise=lambda: "other_losses_returned")


def _losses(generator, discriminator, x, m, weight):
    return reference.inpainting_losses(generator, discriminator, x, m, weight)


def _follow(loss, optimizer):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _add(loss, optimizer):
    loss.backward()
    optimizer.step()


def _one_by_one(
    generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer, first=_follow, second=_follow
):
    loss = _losses(generator, discriminator, x, m, weight)[0]
    first(loss, discriminator_optimizer)
    other = _losses(generator, discriminator, x, m, weight)[1]
    second(other, generator_optimizer)
    return loss.item(), other.item()


@mistake("It raises: both losses are computed before either step, and the second was made with weights that are gone.")
def both_losses_first(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    loss, other = _losses(generator, discriminator, x, m, weight)
    _follow(loss, discriminator_optimizer)
    _follow(other, generator_optimizer)
    return loss.item(), other.item()


@mistake("The generator moves against the old discriminator: compute its loss after the discriminator's step.")
def against_the_old_discriminator(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    loss, other = _losses(generator, discriminator, x, m, weight)
    generator_optimizer.zero_grad()
    other.backward()
    discriminator_optimizer.zero_grad()
    loss.backward()
    generator_optimizer.step()
    discriminator_optimizer.step()
    return loss.item(), other.item()


@mistake("The generator moves first; the discriminator does.")
def generator_moves_first(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    other = _losses(generator, discriminator, x, m, weight)[1]
    _follow(other, generator_optimizer)
    loss = _losses(generator, discriminator, x, m, weight)[0]
    _follow(loss, discriminator_optimizer)
    return loss.item(), other.item()


@mistake("The discriminator's old gradients are not cleared before its backward pass.")
def discriminator_not_cleared(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    given = generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    return _one_by_one(*given, first=_add)


@mistake("The generator's old gradients are not cleared before its backward pass.")
def generator_not_cleared(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    given = generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    return _one_by_one(*given, second=_add)


@mistake("No old gradients are cleared: each player follows what is left from before, and from the other's loss.")
def neither_cleared(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    given = generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    return _one_by_one(*given, first=_add, second=_add)


@mistake(
    "Gradients are cleared after the steps, not before the backward passes: those that are left from elsewhere are followed."
)
def cleared_too_late(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    given = generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    losses = _one_by_one(*given, first=_add, second=_add)
    generator_optimizer.zero_grad(), discriminator_optimizer.zero_grad()
    return losses


@mistake("The discriminator does not move: discriminator_optimizer makes a step on the discriminator's loss.")
def pattern_stays(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    loss, other = _losses(generator, discriminator, x, m, weight)
    _follow(other, generator_optimizer)
    return loss.item(), other.item()


@mistake("The generator does not move: generator_optimizer makes a step on the generator's loss.")
def matrix_stays(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    loss = _losses(generator, discriminator, x, m, weight)[0]
    _follow(loss, discriminator_optimizer)
    return loss.item(), _losses(generator, discriminator, x, m, weight)[1].item()


@matrix_stays.also
def optimizers_exchanged(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    loss = _losses(generator, discriminator, x, m, weight)[0]
    discriminator_optimizer.zero_grad()
    loss.backward()
    generator_optimizer.step()
    other = _losses(generator, discriminator, x, m, weight)[1]
    generator_optimizer.zero_grad()
    other.backward()
    discriminator_optimizer.step()
    return loss.item(), other.item()


@mistake("Both optimizers step on the sum of both losses: the generator's loss then drags the discriminator along.")
def sum_of_both_losses(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    loss, other = _losses(generator, discriminator, x, m, weight)
    for optimizer in (generator_optimizer, discriminator_optimizer):
        optimizer.zero_grad()
    (loss + other).backward()
    for optimizer in (generator_optimizer, discriminator_optimizer):
        optimizer.step()
    return loss.item(), other.item()


@mistake("The discriminator makes a second step, on the gradients that the generator's loss leaves with it.")
def discriminator_steps_again(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    losses = reference.inpainting_step(
        generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    )
    discriminator_optimizer.step()
    return losses


@mistake("The discriminator climbs its loss: inpainting_losses gives losses, which are made smaller.")
def discriminator_climbs(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    given = generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    return _one_by_one(*given, first=lambda loss, optimizer: _follow(-loss, optimizer))


@mistake("The discriminator must make one step, on its loss as it is, with cleared gradients.", broad=True)
def pattern_otherwise(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    given = generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    return _one_by_one(*given, first=lambda loss, optimizer: _follow(0.5 * loss, optimizer))


@mistake("The generator must make one step, on its loss of x, m and weight as it is, made anew.", broad=True)
def matrix_otherwise(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    loss = _losses(generator, discriminator, x, m, weight)[0]
    _follow(loss, discriminator_optimizer)
    other = _losses(generator, discriminator, x, 1 - m, weight)[1]
    _follow(other, generator_optimizer)
    return loss.item(), other.item()


@mistake("The losses are those after both steps; return those from which the steps were made.", earns=3)
def losses_after_the_steps(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    reference.inpainting_step(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer)
    return tuple(loss.item() for loss in _losses(generator, discriminator, x, m, weight))


@mistake(
    "The generator's loss is that against the old discriminator; return the one from which its step was made.", earns=3
)
def old_loss_of_the_generator(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    other = _losses(generator, discriminator, x, m, weight)[1].item()
    loss, _ = reference.inpainting_step(
        generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    )
    return loss, other


@mistake("The two losses have changed places: first the discriminator's, then the generator's.", earns=3)
def losses_swapped(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    return reference.inpainting_step(
        generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    )[::-1]


@mistake("Tensors are returned, which may keep whole graphs alive; return Python floats: loss.item().", earns=3)
def returns_tensors(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    losses = reference.inpainting_step(
        generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    )
    return tuple(map(torch.tensor, losses))


@mistake("Both steps are right; the losses that are returned are not those of the steps.", broad=True, earns=3)
def other_losses_returned(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    losses = reference.inpainting_step(
        generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    )
    return tuple(round(loss, 1) for loss in losses)


@mistake("It returns nothing: return both losses as floats.", earns=3)
def returns_nothing(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    reference.inpainting_step(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer)


@mistake("The adversarial term has another weight than the argument `weight`: hand it on, no global name or number.")
def another_weight(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    return reference.inpainting_step(generator, discriminator, x, m, 1.0, generator_optimizer, discriminator_optimizer)


@another_weight.also
def weight_of_the_notebook(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    return reference.inpainting_step(generator, discriminator, x, m, 0.01, generator_optimizer, discriminator_optimizer)


@another_weight.also
def weight_of_the_visible_test(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    return reference.inpainting_step(generator, discriminator, x, m, 0.1, generator_optimizer, discriminator_optimizer)


@mistake(SENTENCE)
def made_on_the_cpu(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    with torch.no_grad():
        filled = reference.completed(generator((1 - m) * x, m), x, m)
    real, fake = discriminator(x), discriminator(filled)
    loss = entropy(real, torch.ones(len(real))) + entropy(fake, torch.zeros(len(fake)))
    _follow(loss, discriminator_optimizer)
    other = _losses(generator, discriminator, x, m, weight)[1]
    _follow(other, generator_optimizer)
    return loss.item(), other.item()


@mistake("The generator makes two steps; one of each player is asked for.")
def two_steps_of_the_generator(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    losses = reference.inpainting_step(
        generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
    )
    _follow(_losses(generator, discriminator, x, m, weight)[1], generator_optimizer)
    return losses


@equivalent
def all_cleared_before_each_pass(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    values = []
    for number, optimizer in enumerate((discriminator_optimizer, generator_optimizer)):
        generator_optimizer.zero_grad(set_to_none=False)
        discriminator_optimizer.zero_grad()
        loss = _losses(generator, discriminator, x, m, weight)[number]
        loss.backward()
        optimizer.step()
        values.append(float(loss.detach()))
    return values


@equivalent
def with_one_pass_of_the_generator(
    generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
):
    x_hat = generator((1 - m) * x, m)
    loss, _ = _losses(lambda *_: x_hat, discriminator, x, m, weight)
    _follow(loss, discriminator_optimizer)
    _, other = _losses(lambda *_: x_hat, discriminator, x, m, weight)
    _follow(other, generator_optimizer)
    return loss.item(), other.item()


@equivalent
def with_gradients_asked_for(generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer):
    found = []
    for number, player in enumerate((discriminator, generator)):
        loss = _losses(generator, discriminator, x, m, weight)[number]
        parameters = list(player.parameters())
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        (discriminator_optimizer if number == 0 else generator_optimizer).step()
        found.append(numpy.float64(loss.item()))
    return tuple(found)


@equivalent
def with_the_discriminator_held_fixed(
    generator, discriminator, x, m, weight, generator_optimizer, discriminator_optimizer
):
    loss = _losses(generator, discriminator, x, m, weight)[0]
    _follow(loss, discriminator_optimizer)
    for parameter in discriminator.parameters():
        parameter.requires_grad_(False)
    other = _losses(generator, discriminator, x, m, weight)[1]
    for parameter in discriminator.parameters():
        parameter.requires_grad_(True)
    _follow(other, generator_optimizer)
    return loss.item(), other.item()


HARMLESS = {
    "inpainting_losses(generator, discriminator, x, m, weight) → inpainting_losses(generator, discriminator, x.detach(), m, weight)": "Pictures and masks are given; no gradient of them is asked for.",
    "inpainting_losses(generator, discriminator, x, m, weight) → inpainting_losses(generator, discriminator, x, m.detach(), weight)": "Pictures and masks are given; no gradient of them is asked for.",
    "inpainting_losses(generator, discriminator, x, m, weight) → inpainting_losses(generator, discriminator, x, m, x)": "Only the discriminator's loss is taken from the first call, and has no weight.",
    "inpainting_losses(generator, discriminator, x, m, weight) → inpainting_losses(generator, discriminator, x, m, m)": "Only the discriminator's loss is taken from the first call, and has no weight.",
    "inpainting_losses(generator, discriminator, x, m, weight) → inpainting_losses(generator, discriminator, x.detach(), m, weight) (2)": "Pictures and masks are given; no gradient of them is asked for.",
    "inpainting_losses(generator, discriminator, x, m, weight) → inpainting_losses(generator, discriminator, x, m.detach(), weight) (2)": "Pictures and masks are given; no gradient of them is asked for.",
    "discriminator_optimizer.zero_grad() → discriminator.zero_grad()": "The optimizer moves all parameters of the discriminator.",
    "generator_optimizer.zero_grad() → generator.zero_grad()": "The optimizer moves all parameters of the generator.",
}
