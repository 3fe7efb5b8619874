"""The losses of both players of inpainting: −V for the discriminator; squared error and the non-saturating term.

Both players are toys of the judge's, which see what each is shown and what comes back: the discriminator's loss reaches
the discriminator alone, both terms of the generator's reach the generator. The commonest mistakes forget to detach,
show the whole output, take the minimax form, or give the discriminator the squared error too, as the handout prints.
"""

import torch
from torch.nn import functional

from autograder.assignments.gan import common, reference, trials
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote
from fixmelab.judged.players import Critic


@exercise("gan.inpainting_losses", parts={"the discriminator's loss": 2, "the generator's loss": 3})
def inpainting_losses(student: Remote, draw: Draw) -> None:
    # The last two discriminators are so sure that their probabilities are rounded to 0, or to 1.
    for batch, channels, weight, logit, dtype in (
        (3, 2, 0.3, 0.4, torch.float32),
        (2, 1, 1.7, -0.5, torch.float64),
        (4, 1, 0.6, -300.0, torch.float32),
        (1, 1, 0.6, 300.0, torch.float32),
    ):
        height, width = 4, 3
        generator = common.inpainter(draw, channels, height, width, dtype)
        pattern = 0.3 * draw.normal(channels, height, width, dtype=dtype)
        x = draw.uniform(0.1, 1, batch, channels, height, width, dtype=dtype)
        m = common.random_masks(draw, batch, height, width, dtype)
        middle = (pattern * x).sum(dim=(1, 2, 3)).mean()
        discriminator = Critic(pattern, float(logit - middle))
        losses = expect(student(generator, discriminator, x, m, weight), "what inpainting_losses returns").items(2)
        common.expect_nothing_hidden_is_seen(generator, x, m, "shows_the_hidden_pixels", "another_mask")
        not_close = "cross_entropy_of_probabilities" if abs(logit) > 1 else None
        given = generator, discriminator, x, m, weight
        trials.expect_losses(losses, *given, not_close, lambda k: trials.told_of_losses(student, k, *given))  # noqa: B023
        trials.expect_reach(student, generator, discriminator, x, m, weight)
    nothing = torch.zeros_like(m)
    losses = expect(student(generator, discriminator, x, nothing, weight), "what inpainting_losses returns").items(2)
    for loss, name in zip(losses, trials.LOSSES, strict=True):
        with part(name):
            expect(loss, f"{name} if nothing is hidden").shape().finite("empty_mask")
    trials.expect_losses(losses, generator, discriminator, x, nothing, weight)
    expect_any_device(student, generator, discriminator, x, m, weight, mistake="made_on_the_cpu")


@mistake(
    "The discriminator's loss reaches the generator, which would then learn to be caught: detach x̃ there.", earns=3
)
def not_detached(generator, discriminator, x, m, weight):
    x_hat, filled = common.filled(generator, x, m)
    loss = -reference.discriminator_objective(discriminator(x), discriminator(filled))
    fooled = functional.softplus(-discriminator(filled)).mean()
    return loss, reference.error_in_the_hole(x_hat, x, m) + weight * fooled


@mistake("The generator cannot learn from its own loss: it is cut from its graph.", earns=2)
def generator_cut_off(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, (error + weight * fooled).detach()


@mistake("The adversarial term does not reach the generator: for it, x̃ must stay in the graph.", earns=2)
def adversarial_term_cut_off(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, error + weight * fooled.detach()


@mistake(
    "The generator's term is log(1 − D(x̃)), the minimax form, which saturates; the non-saturating form is asked for.",
    earns=2,
)
def minimax_form(generator, discriminator, x, m, weight):
    x_hat, filled = common.filled(generator, x, m)
    loss, error, _ = common.players(generator, discriminator, x, m)
    return loss, error - weight * functional.softplus(discriminator(filled)).mean()


@mistake(
    "The squared error stands in the discriminator's loss, as the handout prints it: it is the generator's alone.",
    earns=3,
)
def squared_error_for_the_discriminator(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss + error.detach(), error + weight * fooled


@mistake("The generator's adversarial term has the wrong sign: it would learn to be caught.", earns=2)
def generator_wants_to_be_caught(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, error - weight * fooled


@mistake("The first result is V; the discriminator's loss is −V.", earns=3)
def value_for_loss(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return -loss, error + weight * fooled


@mistake("The discriminator's labels are exchanged: real pictures get a large D, completed ones a small one.", earns=3)
def labels_exchanged(generator, discriminator, x, m, weight):
    _, filled = common.filled(generator, x, m)
    _, error, fooled = common.players(generator, discriminator, x, m)
    loss = -reference.discriminator_objective(discriminator(filled.detach()), discriminator(x))
    return loss, error + weight * fooled


@mistake(
    "The discriminator is shown all that the generator drew; show it x̃, with the picture's own pixels around the hole."
)
def whole_output_shown(generator, discriminator, x, m, weight):
    x_hat = generator((1 - m) * x, m)
    loss = -reference.discriminator_objective(discriminator(x), discriminator(x_hat.detach()))
    fooled = functional.softplus(-discriminator(x_hat)).mean()
    return loss, reference.error_in_the_hole(x_hat, x, m) + weight * fooled


@mistake("The completed picture is put together the wrong way round: the generator's pixels belong into the hole.")
def completed_inside_out(generator, discriminator, x, m, weight):
    x_hat = generator((1 - m) * x, m)
    filled = (1 - m) * x_hat + m * x
    loss = -reference.discriminator_objective(discriminator(x), discriminator(filled.detach()))
    fooled = functional.softplus(-discriminator(filled)).mean()
    return loss, reference.error_in_the_hole(x_hat, x, m) + weight * fooled


@mistake("The discriminator is shown the picture with its hole for a real one; show it x.", earns=3)
def hole_for_real(generator, discriminator, x, m, weight):
    _, filled = common.filled(generator, x, m)
    _, error, fooled = common.players(generator, discriminator, x, m)
    loss = -reference.discriminator_objective(discriminator((1 - m) * x), discriminator(filled.detach()))
    return loss, error + weight * fooled


@mistake("The weight belongs to the adversarial term, not to the squared error.", earns=2)
def weight_on_the_squared_error(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, weight * error + fooled


@mistake("The weight is not used: the adversarial term is multiplied by it.", earns=2)
def weight_forgotten(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, error + fooled


@mistake(
    "The adversarial term has another weight than the argument `weight`: no global name, and no fixed number.", earns=2
)
def another_weight(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, error + 0.01 * fooled  # the notebook's WEIGHT


@mistake("If nothing is hidden the squared error divides by 0: it is then 0, as masked_squared_error has it.", earns=2)
def empty_mask(generator, discriminator, x, m, weight):
    x_hat, _ = common.filled(generator, x, m)
    loss, _, fooled = common.players(generator, discriminator, x, m)
    return loss, ((x_hat - x) ** 2)[m.bool().expand_as(x)].mean() + weight * fooled


@mistake("The generator's loss is the squared error alone: its adversarial term is missing.", earns=2)
def without_the_adversarial_term(generator, discriminator, x, m, weight):
    loss, error, _ = common.players(generator, discriminator, x, m)
    return loss, error


@mistake("The generator's loss is the adversarial term alone: the squared error is missing.", earns=2)
def without_the_squared_error(generator, discriminator, x, m, weight):
    loss, _, fooled = common.players(generator, discriminator, x, m)
    return loss, weight * fooled


@mistake(
    "The squared error counts all pixels, or another mean than that over the hidden ones: use masked_squared_error.",
    earns=2,
)
def squared_error_everywhere(generator, discriminator, x, m, weight):
    x_hat, _ = common.filled(generator, x, m)
    loss, _, fooled = common.players(generator, discriminator, x, m)
    return loss, ((x_hat - x) ** 2).mean() + weight * fooled


@mistake("The generator's loss holds log D(x) of real pictures, too; nothing that it does changes that term.", earns=2)
def real_pictures_for_the_generator(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, error + weight * (fooled + functional.softplus(-discriminator(x)).mean().detach())


@mistake("The discriminator's loss is halved: −V is the sum of two means.", earns=3)
def half_of_the_discriminators_loss(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss / 2, error + weight * fooled


@mistake("The discriminator learns from completed pictures alone: it must see real ones, too.", earns=3)
def never_sees_real_pictures(generator, discriminator, x, m, weight):
    _, filled = common.filled(generator, x, m)
    _, error, fooled = common.players(generator, discriminator, x, m)
    return functional.softplus(discriminator(filled.detach())).mean(), error + weight * fooled


@mistake("The two losses have changed places: first the discriminator's, then the generator's.")
def losses_swapped(generator, discriminator, x, m, weight):
    return reference.inpainting_losses(generator, discriminator, x, m, weight)[::-1]


@mistake("The generator is shown the hidden pixels, and learns to copy them: show it (1 − m) ⊙ x.")
def shows_the_hidden_pixels(generator, discriminator, x, m, weight):
    return reference.inpainting_losses(lambda visible, mask: generator(x, mask), discriminator, x, m, weight)


@mistake("The generator is given another mask than m, which is 1 in the hole.")
def another_mask(generator, discriminator, x, m, weight):
    return reference.inpainting_losses(lambda visible, mask: generator(visible, 1 - m), discriminator, x, m, weight)


@mistake("A sigmoid that is rounded to 0 or 1 has an infinite logarithm: take log-sigmoids of the logits.")
def logarithm_of_a_rounded_sigmoid(generator, discriminator, x, m, weight):
    x_hat, filled = common.filled(generator, x, m)
    loss = -discriminator(x).sigmoid().log().mean() - (1 - discriminator(filled.detach()).sigmoid()).log().mean()
    fooled = -discriminator(filled).sigmoid().log().mean()
    return loss, reference.error_in_the_hole(x_hat, x, m) + weight * fooled


@mistake(
    "Finite, but wrong for a discriminator that is very sure: probabilities are clamped, a small number is added, or a "
    "cross-entropy of probabilities is cut off at −100. Use logits all the way."
)
def cross_entropy_of_probabilities(generator, discriminator, x, m, weight):
    x_hat, filled = common.filled(generator, x, m)
    real, fake, fooling = (discriminator(shown).sigmoid() for shown in (x, filled.detach(), filled))
    entropy = functional.binary_cross_entropy
    loss = entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
    return loss, reference.error_in_the_hole(x_hat, x, m) + weight * entropy(fooling, torch.ones_like(fooling))


@mistake(SENTENCE)
def made_on_the_cpu(generator, discriminator, x, m, weight):
    _, filled = common.filled(generator, x, m)
    _, error, fooled = common.players(generator, discriminator, x, m)
    entropy = functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones(len(x), dtype=x.dtype), torch.zeros(len(x), dtype=x.dtype)
    loss = entropy(discriminator(x), ones) + entropy(discriminator(filled.detach()), zeros)
    return loss, error + weight * fooled


@cross_entropy_of_probabilities.also
def a_small_number_added(generator, discriminator, x, m, weight):
    x_hat, filled = common.filled(generator, x, m)
    real, fake, fooling = (discriminator(shown).sigmoid() for shown in (x, filled.detach(), filled))
    loss = -(real + 1e-8).log().mean() - (1 - fake + 1e-8).log().mean()
    return loss, reference.error_in_the_hole(x_hat, x, m) - weight * (fooling + 1e-8).log().mean()


@mistake("Of the discriminator's loss, −E[log(1 − D(x̃))] is right, and −E[log D(x)] is not.", broad=True, earns=3)
def another_real_term(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss + functional.softplus(-discriminator(x)).mean(), error + weight * fooled


@mistake("Of the discriminator's loss, −E[log D(x)] is right, and −E[log(1 − D(x̃))] is not.", broad=True, earns=3)
def another_fake_term(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss + functional.softplus(
        discriminator(common.filled(generator, x, m)[1].detach())
    ).mean(), error + weight * fooled


@mistake("The discriminator's loss would be right if D saw x and x̃: it is shown other pictures.", broad=True, earns=3)
def other_pictures_shown(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    _, filled = common.filled(generator, x, m)
    return -reference.discriminator_objective(
        discriminator(x), discriminator(m * filled)
    ).detach(), error + weight * fooled


@mistake(
    "The discriminator's loss is not −E[log D(x)] − E[log(1 − D(x̃))], two means over pictures.", broad=True, earns=3
)
def another_discriminators_loss(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return 3 * loss, error + weight * fooled


@mistake("For λ = 0 the generator's loss must be the squared error in the hole, and is not.", broad=True, earns=2)
def another_squared_error(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, 2 * error + weight * fooled


@mistake("The squared error is right; λ times the mean of −log D(x̃) over the pictures is not.", broad=True, earns=2)
def another_adversarial_term(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, error + weight * len(x) * fooled


@mistake("The discriminator's loss has the right value and another gradient: detach x̃ alone.", broad=True, earns=3)
def discriminator_learns_half(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    real = functional.softplus(-discriminator(x)).mean()
    return loss - real + real.detach(), error + weight * fooled


@mistake("The generator's loss has the right value and another gradient: is a term detached?", broad=True, earns=2)
def generator_learns_half(generator, discriminator, x, m, weight):
    loss, error, fooled = common.players(generator, discriminator, x, m)
    return loss, error.detach() + weight * fooled


@equivalent
def by_cross_entropies(generator, discriminator, x, m, weight):
    entropy = functional.binary_cross_entropy_with_logits
    x_hat = generator(x * (1 - m), m)
    filled = torch.where(m.bool(), x_hat, x)
    real, fake, fooling = discriminator(x), discriminator(filled.detach()), discriminator(filled)
    loss = entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
    hidden = m.bool().expand_as(x)
    error = ((x_hat - x) ** 2)[hidden].sum() / hidden.sum().clamp(min=1)
    return loss, error + weight * entropy(fooling, torch.ones_like(fooling))


@equivalent
def in_one_pass_of_the_discriminator(generator, discriminator, x, m, weight):
    with torch.no_grad():
        given = m * generator((1 - m) * x, m) + (1 - m) * x
    real, fake = discriminator(torch.cat([x, given])).chunk(2)
    x_hat, filled = common.filled(generator, x, m)
    fooled = functional.logsigmoid(discriminator(filled)).mean()
    error = reference.error_in_the_hole(x_hat, x, m)
    return [-functional.logsigmoid(real).mean() - functional.logsigmoid(-fake).mean(), error - weight * fooled]


@equivalent
def with_the_discriminator_held_fixed(generator, discriminator, x, m, weight):
    loss, error, _ = common.players(generator, discriminator, x, m)
    _, filled = common.filled(generator, x, m)
    for parameter in discriminator.parameters():
        parameter.requires_grad_(False)
    fooled = functional.softplus(-discriminator(filled)).mean()
    for parameter in discriminator.parameters():
        parameter.requires_grad_(True)
    return loss, error + weight * fooled


@equivalent
def with_the_answer_of_another_exercise(generator, discriminator, x, m, weight):
    kept = []
    error = reference.masked_squared_error(lambda *shown: kept.append(generator(*shown)) or kept[0], x, m)
    filled = x.clone()
    hidden = m.expand_as(x) > 0
    filled[hidden] = kept[0][hidden]
    logits = discriminator(filled)
    loss = functional.softplus(discriminator(filled.detach())).mean() - functional.logsigmoid(discriminator(x)).mean()
    return loss, error - weight * (logits - functional.softplus(logits)).mean()


HARMLESS = {
    "1 - m → 1 - m ** 2": "A mask holds 0 and 1.",
    "1 - m → 1 - m ** 0.5": "A mask holds 0 and 1.",
    "m * x_hat → m ** 2 * x_hat": "A mask holds 0 and 1.",
    "m * x_hat → m ** 0.5 * x_hat": "A mask holds 0 and 1.",
    "1 - m → 1 - m ** 2 (2)": "A mask holds 0 and 1.",
    "1 - m → 1 - m ** 0.5 (2)": "A mask holds 0 and 1.",
    "1 - m → 1 - m.detach()": "Pictures and masks are given; no gradient of them is asked for.",
    "(1 - m) * x → (1 - m) * x.detach()": "Pictures and masks are given; no gradient of them is asked for.",
    "generator((1 - m) * x, m) → generator((1 - m) * x, m.detach())": "Pictures and masks are given; no gradient of them is asked for.",
    "m * x_hat → m.detach() * x_hat": "Pictures and masks are given; no gradient of them is asked for.",
    "1 - m → 1 - m.detach() (2)": "Pictures and masks are given; no gradient of them is asked for.",
    "(1 - m) * x → (1 - m) * x.detach() (2)": "Pictures and masks are given; no gradient of them is asked for.",
    "discriminator(x) → discriminator(x.detach())": "Pictures and masks are given; no gradient of them is asked for.",
    "masked_squared_error(lambda visible, mask: x_hat, x, m) → masked_squared_error(lambda visible, mask: x_hat, x.detach(), m)": "Pictures and masks are given; no gradient of them is asked for.",
    "masked_squared_error(lambda visible, mask: x_hat, x, m) → masked_squared_error(lambda visible, mask: x_hat, x, m.detach())": "Pictures and masks are given; no gradient of them is asked for.",
}
