"""−½ mean cos(p_1, z_2) − ½ mean cos(p_2, z_1), with z a constant if the gradient is stopped (Chen & He, 2021).

Compared in value and in the gradients by all four, with stop-gradient and without. Answers stop the wrong branch or
none, compare a view with itself, do not normalise, or lose the sign, a half or one of the two directions.
"""

import torch
from torch import Tensor
from torch.nn import functional

from autograder.assignments.simsiam import reference
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote

NAMES = ("p_1", "p_2", "z_1", "z_2")


@exercise("simsiam.simsiam_loss")
def simsiam_loss(student: Remote, draw: Draw) -> None:
    for batch, width, dtype in draw.again((5, 3, torch.float32), (1, 4, torch.float64)):
        p_1, p_2, z_1, z_2 = (draw.normal(batch, width, dtype=dtype) for _ in NAMES)
        wanted = reference.simsiam_loss(p_1, p_2, z_1, z_2)
        expect(student(p_1, p_2, z_1, z_2)).close(wanted)
        expect(student(p_1, p_2, z_1, z_2, stop_gradient=False), "without stop-gradient, the loss").close(wanted)
    given = [draw.normal(4, 3, dtype=torch.float64) for _ in NAMES]
    ways = {"with": True, "without": False}
    found = {word: student.gradient(*given, wrt=[0, 1, 2, 3], stop_gradient=stop) for word, stop in ways.items()}
    for word, stop_gradient in ways.items():
        for gradient, right, name in zip(found[word], _gradients(given, stop_gradient), NAMES, strict=True):
            if stop_gradient and name.startswith("z"):  # none is as good as zeros
                gradient = torch.zeros_like(right) if gradient is None else gradient
            expect(gradient).holds(gradient is not None, f"No gradient reaches {name} {word} stop-gradient.")
            expect(gradient, f"{word} stop-gradient, the gradient with respect to {name}").close(right)
    expect_any_device(student, *given, mistake="made_on_the_cpu")


def _gradients(given: list[Tensor], stop_gradient: bool) -> list[Tensor]:
    """Those of the right loss, 0 where none flows."""
    p_1, p_2, z_1, z_2 = leaves = [item.clone().requires_grad_() for item in given]
    loss = reference.simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient)
    found = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [torch.zeros_like(leaf) if item is None else item for leaf, item in zip(leaves, found, strict=True)]


def _loss(pairs, compare=lambda p, z: functional.cosine_similarity(p, z, dim=1).mean()):
    """−½ Σ of what `compare` gives for the pairs."""
    return -sum(compare(p, z) for p, z in pairs) / 2


def _pairs(p_1, p_2, z_1, z_2, stop_gradient):
    return [(p_1, z_2.detach()), (p_2, z_1.detach())] if stop_gradient else [(p_1, z_2), (p_2, z_1)]


@mistake("The gradient is never stopped: with stop_gradient, z counts as a constant.")
def never_stops(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss([(p_1, z_2), (p_2, z_1)])


@mistake("stop_gradient is ignored: without it, gradients reach z as well.")
def always_stops(p_1, p_2, z_1, z_2, stop_gradient=True):
    return reference.simsiam_loss(p_1, p_2, z_1, z_2)


@mistake("stop_gradient does the opposite of what it says.")
def flag_turned_round(p_1, p_2, z_1, z_2, stop_gradient=True):
    return reference.simsiam_loss(p_1, p_2, z_1, z_2, not stop_gradient)


@mistake("The predictions are stopped; it is z that counts as a constant.")
def stops_the_predictions(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss(_pairs(z_1, z_2, p_1, p_2, stop_gradient))


@mistake("Everything is stopped: no gradient reaches the predictions, and nothing can be trained.")
def detached(p_1, p_2, z_1, z_2, stop_gradient=True):
    loss = reference.simsiam_loss(p_1.detach(), p_2.detach(), z_1, z_2, stop_gradient)
    return loss


@mistake("Only one of the two directions is stopped.")
def stops_one_direction(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss([(p_1, z_2.detach() if stop_gradient else z_2), (p_2, z_1)])


@mistake("A view is compared with itself: p_1 is to predict z_2, and p_2 to predict z_1.")
def compares_a_view_with_itself(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss(_pairs(p_1, p_2, z_2, z_1, stop_gradient))


@mistake("Only one direction counts: each view predicts the other.")
def one_direction(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss(_pairs(p_1, p_2, z_1, z_2, stop_gradient)[:1]) * 2


@mistake("The loss has the wrong sign: it must fall as the cosines grow.")
def sign_of_the_cosine(p_1, p_2, z_1, z_2, stop_gradient=True):
    return -reference.simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient)


@mistake("The half is missing: two directions are averaged, so that the least loss is −1.")
def without_the_half(p_1, p_2, z_1, z_2, stop_gradient=True):
    return 2 * reference.simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient)


@mistake("The lengths count: a cosine is the product of unit vectors.")
def products_without_lengths(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss(_pairs(p_1, p_2, z_1, z_2, stop_gradient), lambda p, z: (p * z).sum(dim=1).mean())


@mistake("Only one of the two vectors is divided by its length.")
def one_unit_vector(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss(
        _pairs(p_1, p_2, z_1, z_2, stop_gradient), lambda p, z: (functional.normalize(p, dim=1) * z).sum(dim=1).mean()
    )


@mistake("Channels are normalised over the batch; a vector is that of one image, along dimension 1.")
def normalised_over_the_batch(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss(
        _pairs(p_1, p_2, z_1, z_2, stop_gradient), lambda p, z: functional.cosine_similarity(p, z, dim=0).mean()
    )


@mistake("The products of a cosine are averaged over the channels; they add up.")
def mean_over_the_channels(p_1, p_2, z_1, z_2, stop_gradient=True):
    return reference.simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient) / p_1.shape[1]


@mistake("The images are added up; the loss is their mean.")
def sum_over_the_batch(p_1, p_2, z_1, z_2, stop_gradient=True):
    return reference.simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient) * len(p_1)


@mistake("There is a loss for each image; training needs their mean.")
def one_loss_an_image(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss(_pairs(p_1, p_2, z_1, z_2, stop_gradient), lambda p, z: functional.cosine_similarity(p, z, dim=1))


@mistake("This is 1 less the cosine; the loss is the negative cosine itself, without a constant.")
def one_less_the_cosine(p_1, p_2, z_1, z_2, stop_gradient=True):
    return 1 + reference.simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient)


@mistake("This is a squared distance of unit vectors, twice the loss and a constant: the negative cosine is asked for.")
def squared_distance(p_1, p_2, z_1, z_2, stop_gradient=True):
    return 2 + 2 * reference.simsiam_loss(p_1, p_2, z_1, z_2, stop_gradient)


@mistake(SENTENCE)
def made_on_the_cpu(p_1, p_2, z_1, z_2, stop_gradient=True):
    ones = torch.ones(len(p_1), dtype=p_1.dtype)
    return _loss(
        _pairs(p_1, p_2, z_1, z_2, stop_gradient),
        lambda p, z: 1 - functional.cosine_embedding_loss(p, z, ones),
    )


@equivalent
def loss_by_cosine_similarity(p_1, p_2, z_1, z_2, stop_gradient=True):
    return _loss(_pairs(p_1, p_2, z_1, z_2, stop_gradient))


@equivalent
def loss_by_unit_vectors(p_1, p_2, z_1, z_2, stop_gradient=True):
    if stop_gradient:
        z_1, z_2 = z_1.detach(), z_2.detach()
    p_1, p_2, z_1, z_2 = (item / item.norm(dim=1, keepdim=True) for item in (p_1, p_2, z_1, z_2))
    return -0.5 * (p_1 * z_2).sum(dim=1).mean() - 0.5 * torch.einsum("nd,nd->n", p_2, z_1).mean()


@equivalent
def loss_that_stops_by_no_grad(p_1, p_2, z_1, z_2, stop_gradient=True):
    with torch.set_grad_enabled(torch.is_grad_enabled() and not stop_gradient):
        z_1, z_2 = functional.normalize(z_1, dim=-1), functional.normalize(z_2, dim=-1)
    p_1, p_2 = functional.normalize(p_1, dim=-1), functional.normalize(p_2, dim=-1)
    return -(((p_1 * z_2).sum(-1) + (p_2 * z_1).sum(-1)) / 2).mean()


HARMLESS = {
    "first, second = (F.cosine_similarity(p_1, z_2, dim=1), F.cosine_similarity(p_2, z_1, dim=1)) → first, second = (F.cosine_similarity(p_2, z_1, dim=1), F.cosine_similarity(p_1, z_2, dim=1))": "A sum has no order.",
    "F.cosine_similarity(p_1, z_2, dim=1) → F.cosine_similarity(z_2, p_1, dim=1)": "A cosine is the same from either side.",
    "F.cosine_similarity(p_2, z_1, dim=1) → F.cosine_similarity(z_1, p_2, dim=1)": "A cosine is the same from either side.",
    "return -0.5 * (first + second).mean() → return (-0.5 * (first + second).mean()).squeeze()": "A number has no side to lose.",
}
