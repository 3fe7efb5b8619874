"""A small Siamese network for 28×28 grey pictures."""

from torch import Tensor, nn


class Siamese(nn.Module):
    """Encoder and predictor of SimSiam (Chen & He, "Exploring simple Siamese representation learning", 2021).

    Args:
        width: d, the number of channels of z.
        predictor: without it, p is z itself.
    """

    def __init__(self, width: int = 32, *, predictor: bool = True) -> None:
        super().__init__()
        self.width = width
        self.encoder = nn.Sequential(
            *_halved(1, 16),
            *_halved(16, 32),
            *_halved(32, 64),
            nn.Flatten(),
            nn.Linear(64 * 16, 128),
            nn.BatchNorm1d(128),
            nn.ReLU(),
            nn.Linear(128, width),
        )
        hidden = max(width // 4, 1)
        self.predictor = (
            nn.Sequential(nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, width))
            if predictor
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Prediction p and code z, each (B, d), of images (B, 1, 28, 28)."""
        z = self.encoder(x)
        return self.predictor(z), z


def _halved(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Layers after which pictures have half as many rows and columns, rounded up."""
    return nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()
