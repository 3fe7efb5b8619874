"""Small models of known behaviour, on which a student's function can be tried and judged."""

import torch
from torch import Tensor, nn


class LinearDecoder(nn.Module):
    """A decoder without training: decode(z) = sigmoid(z Wᵀ + b), shown as 28×28 images.

    Args:
        weight: W, shape (784, K).
        bias: b, shape (784,).
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.latent_dim = weight.shape[1]

    def decode(self, z: Tensor) -> Tensor:
        """Images in [0, 1], shape (B, 1, 28, 28), for z of shape (B, K)."""
        return torch.sigmoid(z @ self.weight.T + self.bias).view(-1, 1, 28, 28)


class Bowl(nn.Module):
    """A concave objective with a known maximum, in the place of an ELBO.

    bowl(mu, sigma) = height − Σ_j curvature_j [(μ_j − m_j)² + (log σ_j − log s_j)²], shape (B,).

    Args:
        height: the maximum, shape (B,).
        mean: m, shape (B, K).
        std: s > 0, shape (B, K).
        curvature: positive, shape (B, K).
    """

    def __init__(self, height: Tensor, mean: Tensor, std: Tensor, curvature: Tensor) -> None:
        super().__init__()
        for name, value in {"height": height, "mean": mean, "std": std, "curvature": curvature}.items():
            self.register_buffer(name, value)

    def forward(self, mu: Tensor, sigma: Tensor) -> Tensor:
        distance = (mu - self.mean) ** 2 + (sigma.log() - self.std.log()) ** 2
        return self.height - (self.curvature * distance).sum(dim=1)


TOYS = {toy.__name__: toy for toy in (LinearDecoder, Bowl)}
