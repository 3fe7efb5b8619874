"""What several exercises of the notebook on adversarial training share."""

import torch
from torch import Tensor
from torch.nn import functional

from autograder.assignments.gan import reference
from autograder.judge.draw import Draw
from autograder.judge.expect import expect
from fixmelab.judged.players import Critic, Inpainter

FAR = 300.0  # logits of a discriminator that is very sure


def logits(draw: Draw, count: int, dtype: torch.dtype) -> Tensor:
    """Logits of either sign, (count,)."""
    signs = torch.where(torch.arange(count) % 2 == draw.integer(0, 2), 1.0, -1.0)
    return signs.to(dtype) * draw.positive(count, dtype=dtype) + 0.3


def random_masks(draw: Draw, batch: int, height: int, width: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Masks (B, 1, H, W) of 0 and 1 with another number of hidden pixels in each picture, 1, 3, 5, …"""
    masks = torch.zeros(batch, height * width, dtype=dtype)
    for number, row in enumerate(masks):
        row[draw.normal(height * width).argsort()[: 2 * number + 1]] = 1
    return masks.view(batch, 1, height, width)


def inpainter(draw: Draw, channels: int, height: int, width: int, dtype: torch.dtype = torch.float32) -> Inpainter:
    """A toy whose every pixel follows what it is shown, the mask, and all other pixels."""
    size = channels, height, width
    return Inpainter(*(draw.positive(*size, dtype=dtype) for _ in range(4)))


def twin(toy: Inpainter | Critic) -> Inpainter | Critic:
    """The same toy without records, for the reference."""
    if isinstance(toy, Critic):
        return Critic(toy.pattern, toy.bias)
    return Inpainter(*toy.numbers)


def expect_nothing_hidden_is_seen(toy: Inpainter, x: Tensor, m: Tensor, hidden_shown: str, other_mask: str) -> None:
    """The network was called with (1 − m) ⊙ x and m, and with nothing else. The names are those of mistakes."""
    expect(toy).holds(len(toy.inputs) > 0, "The network is never called.")
    for shown, mask in zip(toy.inputs, toy.masks, strict=True):
        expect(shown, "what the network is shown").shape(*x.shape)
        expect(mask, "the mask that the network is given").shape(*m.shape)
        expect(shown, "what the network is shown").dtype(x.dtype)
        same = bool(((1 - m) * (shown - x) == 0).all())
        expect(shown).holds(
            not bool((m * shown).any()),
            "The network is shown something in the hole, where it must see zeros: (1 − m) ⊙ x.",
            hidden_shown if torch.equal(shown, x) else None,
        )
        expect(shown).holds(same, "What the network is shown around the hole is not x.")
        expect(mask).holds(torch.equal(mask, m), "The network is given another mask than m.", other_mask)


def expect_order(found: list, wanted: list[Tensor], what: str, mistake: str) -> None:
    """Two results do not stand in each other's place. If they do by chance alone, since they are as good as equal, they
    stand right as well."""
    in_order, exchanged = (all(map(same, found, one)) for one in (wanted, wanted[::-1]))
    expect(found).holds(in_order or not exchanged, f"The two {what} have changed places.", mistake)


def same(one: object, other: object, rtol: float = 1e-3) -> bool:
    """Whether both are the same number, or tensors of one shape with the same numbers: to tell parts of an answer."""
    one, other = (torch.tensor(item) if isinstance(item, float) else item for item in (one, other))
    if not isinstance(one, Tensor) or not isinstance(other, Tensor) or one.shape != other.shape:
        return False
    return torch.allclose(one.double(), other.double(), rtol=rtol, atol=1e-4)


# Parts of mistakes and equivalents


def shown_and_answered(network, x, m):
    """x̂ for what is visible."""
    return network((1 - m) * x, m)


def filled(generator, x, m):
    """x̂ and x̃."""
    x_hat = generator((1 - m) * x, m)
    return x_hat, reference.completed(x_hat, x, m)


def players(generator, discriminator, x, m):
    """−V, with x̃ cut from the graph; the squared error; −E[log D(x̃)]."""
    x_hat, whole = filled(generator, x, m)
    loss = -reference.discriminator_objective(discriminator(x), discriminator(whole.detach()))
    return loss, reference.error_in_the_hole(x_hat, x, m), functional.softplus(-discriminator(whole)).mean()
