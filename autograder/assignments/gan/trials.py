"""What several looks at an answer tell of it: whom losses reach, and which part of an unknown answer is wrong."""

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.assignments.gan import common, reference
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote
from fixmelab.judged.players import Batches, Critic, Inpainter, TrainingProblem

LOSSES = "the discriminator's loss", "the generator's loss"  # the parts of inpainting_losses


def told_of_steps(student: Remote, given: tuple[Tensor, Tensor], x_1: Tensor, x_0: Tensor) -> str | None:
    """What a first step follows: a weight for the gradient of each term, by least squares."""
    samples = Batches([x_1] * 4), Batches([x_0] * 4)
    moved = _first_step(student, given, 0.0, samples)
    if not all(sample.drawn for sample in samples):
        return "one_sample_forgotten"
    if moved is None:
        return None
    terms = []
    for k in (0, 1):
        right = TrainingProblem(*given, 0.0)
        terms_now = reference.cross_entropies(right.discriminator(x_1), right.discriminator(x_0))
        gradients = torch.autograd.grad(-terms_now[k], [right.weight, right.bias])
        terms.append(torch.cat([gradient.flatten() for gradient in gradients]))
    both = torch.stack(terms, dim=1)
    first, second = shares = torch.linalg.lstsq(both, moved[:, None]).solution[:, 0]
    if not torch.allclose(both @ shares, moved, rtol=1e-2, atol=1e-3):
        return "another_direction"
    if abs(first) < 0.01 or abs(second) < 0.01:
        return "one_sample_forgotten"
    if abs(first - second) > 0.01:
        return "terms_weighted"
    if abs(first - 1) > 0.01:
        return "another_length"
    after_others = _first_step(student, given, 0.7, (Batches([x_1] * 4), Batches([x_0] * 4)))
    return "later_steps_wrong" if common.same(after_others, moved) else "old_gradients_followed"


def _first_step(
    student: Remote, given: tuple[Tensor, Tensor], left: float, samples: tuple[Batches, Batches]
) -> Tensor | None:
    """By how much one step moves weight and bias, for a learning rate of 1; None if they have another shape then."""
    toy = student.make("TrainingProblem", *given, left)
    student(toy.attribute("discriminator"), *samples, 1, toy.attribute("optimizer"))
    now = [toy.attribute(name) for name in ("weight", "bias")]
    if not all(isinstance(item, Tensor) and item.shape == old.shape for item, old in zip(now, given, strict=True)):
        return None
    return torch.cat([(item - old).flatten() for item, old in zip(now, given, strict=True)]) / 0.5


def expect_losses(
    losses: list,
    generator: Inpainter,
    discriminator: Critic,
    x: Tensor,
    m: Tensor,
    weight: float,
    not_close: str | None = None,
    told: Callable[[int], str | None] = lambda k: None,
) -> None:
    right = reference.inpainting_losses(common.twin(generator), common.twin(discriminator), x, m, weight)
    wanted = [loss.detach() for loss in right]
    for loss, name in zip(losses, LOSSES, strict=True):
        expect(loss, name).shape()
    common.expect_order(losses, wanted, "losses", "losses_swapped")
    for k, name in enumerate(LOSSES):
        with part(name):
            got = expect(losses[k], name).finite("logarithm_of_a_rounded_sigmoid")
            got.close(wanted[k], rtol=1e-4, mistake=not_close, otherwise=lambda: told(k))  # noqa: B023


def expect_reach(
    student: Remote, generator: Inpainter, discriminator: Critic, x: Tensor, m: Tensor, weight: float
) -> None:
    """Each loss reaches its player as it should, and the discriminator's does not reach the generator."""
    given = generator, discriminator, x, m, weight
    with part(LOSSES[0]):
        generator.gradients.clear()
        student.gradient(*given, wrt=generator, weights=[1.0, None])
        reached = any(bool(gradient.any()) for gradient in generator.gradients)
        expect(generator).holds(not reached, "The discriminator's loss reaches the generator.", "not_detached")
        discriminator.pulls.clear()
        student.gradient(*given, wrt=discriminator, weights=[1.0, None])
        right = common.twin(discriminator)
        loss, _ = reference.inpainting_losses(common.twin(generator), right, x, m, weight)
        (pull,) = torch.autograd.grad(loss, right.weight)
        got = expect(
            torch.tensor(sum(discriminator.pulls), dtype=pull.dtype), "the gradient of the discriminator's loss"
        )
        got.close(pull, rtol=1e-3, otherwise=lambda: "discriminator_learns_half")
    with part(LOSSES[1]):
        _expect_to_reach_the_generator(student, *given)


def _expect_to_reach_the_generator(
    student: Remote, generator: Inpainter, discriminator: Critic, x: Tensor, m: Tensor, weight: float
) -> None:
    given = generator, discriminator, x, m, weight
    generator.gradients.clear()
    student.gradient(*given, wrt=generator, weights=[None, 1.0])
    expect(generator).holds(
        len(generator.gradients) > 0, "The generator's loss does not reach the generator.", "generator_cut_off"
    )
    answer = common.shown_and_answered(common.twin(generator), x, m).detach().requires_grad_()
    _, loss = reference.inpainting_losses(lambda *_: answer, common.twin(discriminator), x, m, weight)
    (wanted,) = torch.autograd.grad(loss, answer)
    for gradient in generator.gradients:
        expect(gradient, "the gradient of the generator's loss").shape(*wanted.shape)
    expect(sum(generator.gradients), "the gradient of the generator's loss by what it drew").close(
        wanted, rtol=1e-3, otherwise=lambda: "generator_learns_half"
    )


def told_of_losses(
    student: Remote, number: int, generator: Inpainter, discriminator: Critic, x: Tensor, m: Tensor, weight: float
) -> str:
    """The mistake that names the wrong part of the discriminator's loss (0) or of the generator's (1)."""
    if number == 1:
        error = _is_right(student, 1, discriminator, generator, x, m, 0.0)
        return "another_adversarial_term" if error else "another_squared_error"
    # Discriminators that say the same of all pictures: one term is 40, and the other vanishes.
    constant = [Critic(torch.zeros_like(discriminator.pattern), bias) for bias in (-40.0, 40.0)]
    real, fake = (_is_right(student, 0, critic, generator, x, m, weight) for critic in constant)
    if real and fake:
        others = _shows_others(student, generator, discriminator, x, m, weight)
        return "other_pictures_shown" if others else "another_discriminators_loss"
    return "another_fake_term" if real else "another_real_term" if fake else "another_discriminators_loss"


def _shows_others(
    student: Remote, generator: Inpainter, discriminator: Critic, x: Tensor, m: Tensor, weight: float
) -> bool:
    """Whether the discriminator is shown anything but pictures and completed pictures."""
    critic = common.twin(discriminator)
    student(common.twin(generator), critic, x, m, weight)
    known = torch.cat([x, common.filled(common.twin(generator), x, m)[1].detach()])
    shown = [picture for pictures in critic.inputs for picture in pictures]
    return not all(any(common.same(picture, other) for other in known) for picture in shown)


def _is_right(
    student: Remote, number: int, critic: Critic, generator: Inpainter, x: Tensor, m: Tensor, weight: float
) -> bool:
    found = student(common.twin(generator), common.twin(critic), x, m, weight)
    wanted = reference.inpainting_losses(common.twin(generator), common.twin(critic), x, m, weight)
    return isinstance(found, list) and len(found) == 2 and common.same(found[number], wanted[number].detach())
