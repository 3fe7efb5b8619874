"""The two players of the notebook on adversarial training: one fills holes in pictures, one tells real from filled."""

from typing import cast

import torch
from torch import Tensor, nn

SIDE = 28


class HoleFiller(nn.Module):
    """The generator: a fully connected network that sees what is left of a picture, and where the hole is.

    `forward(visible, m)` takes the picture with zeros in the hole and the mask, both (B, 1, 28, 28), and gives all
    pixels of the picture, in [0, 1].

    Args:
        width: units of each of the two hidden layers.
    """

    def __init__(self, width: int = 512) -> None:
        super().__init__()
        pixels = SIDE * SIDE
        self.layers = nn.Sequential(
            *(nn.Flatten(), nn.Linear(2 * pixels, width), nn.LeakyReLU(0.2)),
            *(nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, pixels), nn.Sigmoid()),
        )

    def forward(self, visible: Tensor, m: Tensor) -> Tensor:
        return cast(Tensor, self.layers(torch.cat([visible, m], dim=1))).view_as(visible)


class PictureCritic(nn.Module):
    """The discriminator: three strided convolutions and a linear layer. `forward(x)`: (B, 1, 28, 28) → logits (B,).

    Args:
        channels: of the first convolution; the others have twice and four times as many.
    """

    def __init__(self, channels: int = 20) -> None:
        super().__init__()
        sizes = (1, channels, 2 * channels, 4 * channels)
        convolutions = [
            layer
            for before, after in zip(sizes, sizes[1:], strict=False)
            for layer in (nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2))
        ]
        self.layers = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(9 * sizes[-1], 1))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.layers(x)).squeeze(1)
