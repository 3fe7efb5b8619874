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


class Bowl:
    """A concave objective with a known maximum, in the place of an ELBO. It remembers what it was asked.

    bowl(mu, sigma) = height − Σ_j curvature_j [(μ_j − m_j)² + (log σ_j − log s_j)²], shape (B,).

    Args:
        height: the maximum, shape (B,).
        mean: m, shape (B, K).
        std: s > 0, shape (B, K).
        curvature: positive, shape (B, K).

    Attributes:
        best: the largest value so far for each datum, shape (B,).
        reach: the largest change of any μ_j or log σ_j so far from the first call, a number.
    """

    def __init__(self, height: Tensor, mean: Tensor, std: Tensor, curvature: Tensor) -> None:
        self.height, self.mean, self.log_std, self.curvature = height, mean, std.log(), curvature
        self.best = torch.full_like(height, -torch.inf)
        self.reach = 0.0
        self._first: Tensor | None = None

    def __call__(self, mu: Tensor, sigma: Tensor) -> Tensor:
        log_sigma = sigma.log()
        distance = (mu - self.mean) ** 2 + (log_sigma - self.log_std) ** 2
        value = self.height - (self.curvature * distance).sum(dim=1)
        with torch.no_grad():
            place = torch.cat([mu, log_sigma], dim=1)
            self._first = place.clone() if self._first is None else self._first
            self.reach = max(self.reach, float((place - self._first).abs().max()))
            self.best = torch.maximum(self.best, value)
        return value


class Halves:
    """In the place of an encoder: the first K numbers of each x are μ, the next K are σ; two of shape (B, K)."""

    def __init__(self, latent_dim: int) -> None:
        self.latent_dim = latent_dim

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        numbers = x.flatten(1)
        return numbers[:, : self.latent_dim], numbers[:, self.latent_dim : 2 * self.latent_dim]


class Identity:
    """In the place of a decoder: the code itself."""

    def __call__(self, z: Tensor) -> Tensor:
        return z


TOYS = {toy.__name__: toy for toy in (LinearDecoder, Bowl, Halves, Identity)}
