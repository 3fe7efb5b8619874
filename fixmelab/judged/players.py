"""Toys of the notebook on adversarial training: batches, a warp, and small players of known behaviour."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Batches:
    """In the place of a sampler: gives the next of some batches at each call.

    Args:
        batches: tensors of any shape.

    Attributes:
        drawn: how often it was called.
    """

    calls, shows = ("__call__",), ()

    def __init__(self, batches: Sequence[Tensor]) -> None:
        self._batches = batches
        self.drawn = 0

    def __call__(self) -> Tensor:
        """The next batch. Raises ValueError if there is none left."""
        if self.drawn == len(self._batches):
            raise ValueError("there are no batches left: draw one in each step")
        self.drawn += 1
        return self._batches[self.drawn - 1]


class Warp:
    """An increasing function of numbers: scale z + height tanh(steepness z + shift), all of them positive but shift."""

    def __init__(self, scale: float, height: float, steepness: float, shift: float) -> None:
        self.scale, self.height, self.steepness, self.shift = scale, height, steepness, shift

    def __call__(self, z: Tensor) -> Tensor:
        """x of the shape of z."""
        return self.scale * z + self.height * torch.tanh(self.steepness * z + self.shift)


class Inpainter(nn.Module):
    """In the place of a network that fills holes: weight · (a visible + b mean(visible) + c m + d), where weight is 1.

    Args:
        a, b, c, d: each (C, H, W).

    Attributes:
        inputs, masks: what it was shown, call by call.
        gradients: of what was made of its answers, by an answer, as they came back.
    """

    numbers: Tensor
    calls, shows = ("forward",), ()

    def __init__(self, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones((), dtype=a.dtype))
        self.register_buffer("numbers", torch.stack([a, b, c, d]))
        self.inputs: list[Tensor] = []
        self.masks: list[Tensor] = []
        self.gradients: list[Tensor] = []

    def forward(self, visible: Tensor, m: Tensor) -> Tensor:
        """visible: (B, C, H, W); m: (B, 1, H, W). Returns the shape of visible. Raises ValueError for other shapes."""
        channels, height, width = self.numbers.shape[1:]
        if visible.ndim != 4 or visible.shape[1:] != (channels, height, width):
            wanted = f"(B, {channels}, {height}, {width})"
            raise ValueError(f"the picture has shape {tuple(visible.shape)}; the network takes {wanted}")
        if m.shape != (len(visible), 1, height, width):
            raise ValueError(f"the mask has shape {tuple(m.shape)}; the network takes (B, 1, {height}, {width})")
        self.inputs.append(visible.detach().clone())
        self.masks.append(m.detach().clone())
        a, b, c, d = self.numbers
        answer = self.weight * (a * visible + b * visible.mean(dim=(1, 2, 3), keepdim=True) + c * m + d)
        if answer.requires_grad:
            answer.register_hook(self.gradients.append)
        return answer


class Critic(nn.Module):
    """In the place of a discriminator: the logit weight · (Σ pattern ⊙ x + bias) of each picture, where weight is 1.

    Args:
        pattern: (C, H, W).
        bias: a number.

    Attributes:
        inputs: what it was shown, call by call.
        pulls: what each backward pass through a call gave by the weight, a number.
    """

    pattern: Tensor
    calls, shows = ("forward",), ()

    def __init__(self, pattern: Tensor, bias: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones((), dtype=pattern.dtype))
        self.register_buffer("pattern", pattern)
        self.bias = bias
        self.inputs: list[Tensor] = []
        self.pulls: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B,) of pictures x (B, C, H, W). Raises ValueError for another shape."""
        if x.ndim != 4 or x.shape[1:] != self.pattern.shape:
            wanted = ", ".join(map(str, self.pattern.shape))
            raise ValueError(f"the pictures have shape {tuple(x.shape)}; the discriminator takes (B, {wanted})")
        self.inputs.append(x.detach().clone())
        logits = (self.pattern * x).sum(dim=(1, 2, 3)) + self.bias
        answer = self.weight * logits
        if answer.requires_grad:
            answer.register_hook(lambda upstream: self.pulls.append(float((upstream * logits.detach()).sum())))
        return answer


class Line(nn.Module):
    """A discriminator of rows x (N, D): the logit weight · x + bias, (N,)."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.mv(x, self.weight) + self.bias


class TrainingProblem:
    """A discriminator and its optimizer, plain gradient ascent or descent; gradients are left from elsewhere.

    Args:
        weight: (D,); bias: (); left: a number, every entry of the gradients at the beginning.

    Attributes:
        discriminator, optimizer; weight, bias as they are now; steps_made, how many the optimizer has made.
    """

    def __init__(self, weight: Tensor, bias: Tensor, left: float) -> None:
        self.discriminator = Line(weight, bias)
        self.weight, self.bias = self.discriminator.weight, self.discriminator.bias
        for parameter in (self.weight, self.bias):
            parameter.grad = torch.full_like(parameter, left)
        self.optimizer = torch.optim.SGD(self.discriminator.parameters(), lr=0.5)
        self.steps_made = 0
        self.optimizer.register_step_post_hook(self._count)

    def _count(self, *_: object) -> None:
        self.steps_made += 1


class _Filler(nn.Module):
    """visible and m (B, 1, H, W) to (B, 1, H, W), by a matrix over the pixels of both."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.matrix = nn.Parameter(matrix.clone())

    def forward(self, visible: Tensor, m: Tensor) -> Tensor:
        return (torch.cat([visible, m], dim=1).flatten(1) @ self.matrix).view_as(visible)


class _Judge(nn.Module):
    """Logits (B,) of pictures (B, 1, H, W), not linear in the pixels."""

    def __init__(self, pattern: Tensor) -> None:
        super().__init__()
        self.pattern = nn.Parameter(pattern.clone())

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.flatten(1)
        return (pixels + pixels**2) @ self.pattern


class InpaintingProblem:
    """A generator, a discriminator and their optimizers, plain gradient descent; gradients are left from elsewhere.

    Args:
        matrix: the generator's, (2 H W, H W); pattern: the discriminator's, (H W,).
        left: a number, every entry of the gradients at the beginning.

    Attributes:
        generator, discriminator, generator_optimizer, discriminator_optimizer; matrix, pattern as they are now.
    """

    def __init__(self, matrix: Tensor, pattern: Tensor, left: float) -> None:
        self.generator, self.discriminator = _Filler(matrix), _Judge(pattern)
        self.matrix, self.pattern = self.generator.matrix, self.discriminator.pattern
        for parameter in (self.matrix, self.pattern):
            parameter.grad = torch.full_like(parameter, left)
        self.generator_optimizer = torch.optim.SGD([self.matrix], lr=0.5)
        self.discriminator_optimizer = torch.optim.SGD([self.pattern], lr=0.5)
