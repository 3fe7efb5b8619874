"""What several exercises of the VAE notebook share."""

import contextlib
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from autograder.assignments.vae import reference
from autograder.judge.draw import Draw
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from autograder.judge.verdict import AnswerRaised

# Batch, data, latent sizes and dtype of linear-Gaussian models: tall, wide and square W.
MODEL_SIZES = (5, 4, 3, torch.float64), (1, 2, 3, torch.float32), (4, 3, 3, torch.float32)


def linear_gaussian(
    draw: Draw, batch: int, data: int, latent: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, float]:
    """x (B, D), W (D, K), b (D,), s of a linear-Gaussian model."""
    W, b = draw.normal(data, latent, dtype=dtype), draw.normal(data, dtype=dtype)
    s = float(draw.uniform(0.5, 0.9, 1, dtype=torch.float64)) + draw.integer(0, 2)
    return draw.normal(batch, data, dtype=dtype) * 2, W, b, s


def images(draw: Draw, count: int) -> Tensor:
    """Noise in [0, 1], (count, 1, 28, 28)."""
    return draw.uniform(0, 1, count, 1, reference.SIDE, reference.SIDE)


def redrawn_model(student: Remote, latent_dim: int, *, registered: bool = False) -> Remote:
    """The student's VAE in evaluation mode, so that batch normalisation and dropout are welcome, with matrices
    drawn anew, so that no verdict hangs on how they were initialised.

    Its stray layers are `registered` if that is not what is judged.
    """
    model = student.kept(latent_dim)
    if registered:
        for number, layer in enumerate(stray_layers(model)):
            model.assign(f"stray_layer_{number}", layer)
    model.eval.kept()
    if not model.redraw():
        _try_out(model, latent_dim)
        model.redraw()
    return model


def stray_layers(model: Remote) -> list[Remote]:
    """Layers that a module keeps in lists or maps, where it does not register them."""
    try:
        attributes = model.attribute("__dict__")
    except AnswerRaised:  # something in it cannot travel
        return []
    found: list[Remote] = []
    for name, held in attributes.items() if isinstance(attributes, dict) else ():
        items = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
        found += [item for item in items if not name.startswith("_") and _is_layer(item)]
    return found


def _is_layer(item: object) -> bool:
    """Whether it is a module with parameters."""
    if not isinstance(item, Remote):
        return False
    try:
        return bool(item.parameters())
    except AnswerRaised:
        return False


def _try_out(model: Remote, latent_dim: int) -> None:
    for method, argument in (
        (model.encode, torch.zeros(2, 1, reference.SIDE, reference.SIDE)),
        (model.decode, torch.zeros(2, latent_dim)),
    ):
        with contextlib.suppress(AnswerRaised):  # what is not filled in may wait
            method.kept(argument)


def almost_equal(one: object, other: Tensor, within: float = 1e-5) -> bool:
    """Of one shape and dtype, and of the same numbers up to `within` times the largest of `other`, or 1."""
    if not isinstance(one, Tensor) or one.shape != other.shape or one.dtype != other.dtype:
        return False
    scale = float(other.abs().max()) if other.numel() else 0.0
    return torch.allclose(one, other, rtol=1e-4, atol=within * max(scale, 1.0))


def halves_of(x: Tensor, other: Tensor) -> list[Tensor]:
    """x (B, 1, 28, 28) with its upper, lower, left or right half taken from `other`."""
    middle, found = reference.SIDE // 2, []
    for part in (slice(middle), slice(middle, None)):
        rows, columns = x.clone(), x.clone()
        rows[:, :, part], columns[:, :, :, part] = other[:, :, part], other[:, :, :, part]
        found += [rows, columns]
    return found


def directions(changes: Tensor) -> Tensor:
    """How much changes (N, D) vary in each direction, as shares of the most, in falling order: (min(N, D),)."""
    sizes = torch.linalg.svdvals(changes.double())
    return sizes / sizes[0].clamp(min=1e-30)


def is_weight(shape: Sequence[int]) -> bool:
    """Whether a parameter of this shape is more than a bias or a scale: a matrix, or a vector that holds many."""
    return len(shape) >= 2 or math.prod(shape) > reference.SIDE**2


def expect_parameters(
    model: Remote, call: Callable[[], Sequence[Tensor]], sizes: Sequence[float | None], draw: Draw, most: int
) -> None:
    """What `call` gives follows the model's parameters, `most` of them at most, if their gradients say so.

    sizes: of the gradients by each parameter. The model is another one afterwards.
    """
    named = model.parameters()
    expect(sizes).holds(len(named) == len(sizes), "The model's parameters change from call to call.")
    largest = max((size for size in sizes if size is not None), default=0.0)
    counting = [
        name for (name, _), size in zip(named, sizes, strict=True) if size is not None and size > 1e-3 * largest
    ]
    expect(sizes).holds(
        any(is_weight(shape) for name, shape in named if name in counting),
        "The results follow no weights of the model's: what it computes must come from its layers.",
    )
    chosen = draw.normal(len(counting)).argsort()[:most].tolist()
    before = call()
    for name in (counting[number] for number in chosen):
        model.nudge(name)
        after = call()
        is_same = all(
            one.shape == other.shape and torch.equal(one, other) for one, other in zip(before, after, strict=True)
        )
        expect(after).holds(
            not is_same, "A parameter that has a gradient changes nothing: the gradient is not that of the results."
        )
        before = after


def expect_gradients(found: Sequence[Tensor | float | None], wanted: Sequence[Tensor], names: Sequence[str]) -> None:
    """Every gradient is there, and right."""
    for gradient, right, name in zip(found, wanted, names, strict=True):
        expect(gradient).holds(
            gradient is not None, f"No gradient reaches {name}: training could not improve it.", "detached"
        )
        expect(gradient, f"the gradient with respect to {name}").close(right, rtol=1e-3, atol=1e-4)


def expect_slope(function: Callable[[Tensor], float], x: Tensor, gradient: Tensor | None, name: str) -> None:
    """The gradient is the slope of what the method `name` computes, as far as a step along it can tell."""
    if gradient is None:
        return  # others tell of that
    size = float(gradient.double().norm())
    step = 0.01 * max(abs(function(x)), 1.0) / size
    expect(gradient).holds(step < 1e4, f"The gradient that passes through {name} is next to nothing.", "detached")
    if step > 1:  # too flat to be measured
        return
    along = (step / size) * gradient
    slope = (function(x + along) - function(x - along)) / (2 * step)
    expect(gradient).holds(
        0.5 < slope / size < 2,
        f"The gradient that passes through {name} is not that of what {name} computes.",
        "detached",
    )


def expect_estimator(student: Remote, draw: Draw, right: Callable[[Tensor, Tensor], Tensor]) -> None:
    """student(theta, eps) is `right` sample by sample: then it is unbiased, too.

    The most samples are few enough for answers that differentiate one by one, or keep a matrix of all pairs.
    """
    for sign, count, dtype in draw.again(
        (1.5, 9, torch.float32),
        (-1.5, 1, torch.float32),
        (-1.5, 4, torch.float64),
        (1.5, 1000, torch.float64),
    ):
        theta, eps = sign * draw.positive(1, dtype=dtype)[0], draw.normal(count, dtype=dtype)
        expect(student(theta, eps)).close(right(theta, eps))


def expect_elbo(student: Remote, draw: Draw, right: Callable[..., Tensor]) -> None:
    """student(x, mu, sigma, W, b, s) is `right` on linear-Gaussian models of all sizes."""
    for batch, data, latent, dtype in draw.again(*MODEL_SIZES):
        x, W, b, s = linear_gaussian(draw, batch, data, latent, dtype)
        mu, sigma = draw.normal(batch, latent, dtype=dtype), draw.positive(batch, latent, dtype=dtype)
        expect(student(x, mu, sigma, W, b, s)).close(right(x, mu, sigma, W, b, s))


def log_likelihood_at_mean(x, mu, W, b, s):
    """log p(x given z) at z = μ, (B,)."""
    residual = x - mu @ W.T - b
    return -(residual**2).sum(dim=1) / (2 * s**2) - x.shape[1] / 2 * math.log(2 * math.pi * s**2)


def trace_term(sigma, W, s):
    """How much E_q[log p(x given z)] lies below log p(x given z) at z = μ, (B,)."""
    return (sigma**2 * (W**2).sum(dim=0)).sum(dim=1) / (2 * s**2)


class LazyLayers(reference.VAE):
    """A right answer whose layers take their sizes from what they are first called with."""

    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.encoder = nn.Sequential(nn.Flatten(), nn.LazyLinear(64), nn.ReLU())
        self.decoder = nn.Sequential(nn.LazyLinear(64), nn.ReLU(), nn.LazyLinear(784))
